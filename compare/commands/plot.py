"""`compare plot`: the article's figures."""

from pathlib import Path
from typing import Any

import click

from compare.commands.options import PLOT_FILE, Name, option, training_options

FILE = click.argument("file", type=PLOT_FILE)
PARAMETER = Name("w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3")


@click.group(short_help="The article's figures, from real computation.")
def plot() -> None:
    """Draw one of the article's figures from real computation to FILE, SVG or PNG."""


@plot.command()
@FILE
def exam(file: Path) -> None:
    """The exam: step and sigmoid over mark - 50."""
    from compare import plots

    _save(plots.exam(), file)


@plot.command()
@FILE
def sigmoid(file: Path) -> None:
    """The sigmoid, its derivative, and where it saturates."""
    from compare import plots

    _save(plots.sigmoid_curve(), file)


@plot.command()
@FILE
def digits(file: Path) -> None:
    """How many digits of the sigmoid's slope are right, by hand and by autodiff."""
    from compare import plots

    _save(plots.digits(), file)


@plot.command()
@FILE
@training_options
def loss(file: Path, **training: Any) -> None:
    """The loss curves of both trainings."""
    from compare import plots
    from compare.experiment import Settings, train
    from compare.terminal import progress

    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        trainings = train(settings, on_epoch)
    _save(plots.loss(trainings), file)


@plot.command()
@FILE
@option("--x", type=PARAMETER, default="w1", help="Along the x axis.")
@option("--y", type=PARAMETER, default="w5", help="Along the y axis.")
@training_options
def surface(file: Path, x: str, y: str, **training: Any) -> None:
    """The loss over two of the nine parameters, with the path of the training."""
    from compare import surface as drawing
    from compare.experiment import Settings, hand_path
    from compare.people import PEOPLE, targets
    from compare.terminal import progress

    if x == y:
        raise click.UsageError(f"--x and --y are both {x!r}; expected two different parameters.")
    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        path = hand_path(settings, on_epoch)
    _save(drawing.surface(path, (x, y), settings.inputs(PEOPLE), targets(PEOPLE)), file)


@plot.command()
@FILE
@option("--table", default="article", help="As for regress.")
@click.option("--target", help="As for regress.")
@click.option("--feature", "features", multiple=True, help="As for regress.")
def residuals(file: Path, table: str, target: str | None, features: tuple[str, ...]) -> None:
    """A table's least-squares fit and its residuals."""
    from compare import plots
    from compare.datasets import table_named
    from compare.regression import compare_regressions

    result = compare_regressions(table_named(table, target, features), steps=1)
    _save(plots.residuals(result), file)


def _save(figure: Any, file: Path) -> None:
    from compare import plots

    plots.save(figure, file)
    click.echo(f"Drawn to {file}")

"""`compare plot`: the article's figures."""

from pathlib import Path
from typing import Any

import click

from compare.commands.options import PLOT_FILE, Name, column_options, training_options
from handgrad.commands.options import option

FILE = click.argument("file", type=PLOT_FILE, metavar="FILE")
PARAMETER = Name("w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3")


@click.group(short_help="Draw the article's figures from real computation.")
def plot() -> None:
    """Draw one of the article's figures from real computation to FILE, SVG or PNG."""


#: Figures without options, by command: the function of `compare.plots` that draws it, and what.
FIGURES = {
    "exam": ("exam", "Draw the exam: step and sigmoid over mark - 50."),
    "sigmoid": ("sigmoid_curve", "Draw the sigmoid, its derivative, and where it saturates."),
    "digits": (
        "digits",
        "Draw how many digits of the sigmoid's slope are right, by hand and by autodiff.",
    ),
}


def _command(name: str, function: str, about: str) -> None:
    @plot.command(name, help=about)
    @FILE
    def draw(file: Path) -> None:
        from compare import plots

        _save(getattr(plots, function)(), file)


for name, figure in FIGURES.items():
    _command(name, *figure)


@plot.command()
@FILE
@training_options
def loss(file: Path, **training: Any) -> None:
    """Draw the loss curves of both trainings."""
    from compare import plots
    from compare.experiment import Settings, train
    from compare.terminal import progress

    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        trainings = train(settings, on_epoch)
    _save(plots.losses(trainings), file)


@plot.command()
@FILE
@option("--x", type=PARAMETER, default="w1", help="Along the x axis.")
@option("--y", type=PARAMETER, default="w5", help="Along the y axis.")
@training_options
def surface(file: Path, x: str, y: str, **training: Any) -> None:
    """Draw the loss over two parameters, with the path of the training."""
    from compare import surface as drawing
    from compare.experiment import Settings, hand_path
    from compare.terminal import progress

    if x == y:
        raise click.UsageError(f"--x and --y are both {x!r}; expected two different parameters.")
    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        path = hand_path(settings, on_epoch)
    _save(drawing.surface(path, (x, y)), file)


@plot.command()
@FILE
@option("--table", metavar="TABLE", default="article", help="A table as regress takes it.")
@column_options("The column to predict.", "the last one of a CSV file")
def residuals(file: Path, table: str, target: str | None, features: tuple[str, ...]) -> None:
    """Draw a table's least-squares fit and its residuals."""
    from compare import plots
    from compare.data import table_named
    from compare.regression import compare_regressions

    result = compare_regressions(table_named(table, target, features), steps=1)
    _save(plots.residuals(result), file)


for command in plot.commands.values():
    command.short_help = command.help  # which click would cut off with "..."


def _save(figure: Any, file: Path) -> None:
    from compare import plots

    plots.save(figure, file)
    click.echo(f"Drawn to {file}")

"""`compare plot`: the article's figures."""

from typing import Any

import click

from compare import plots
from compare.data import table_named
from compare.experiment import Settings, hand_path, train
from compare.plots import save as save
from compare.regression import compare_regressions
from compare.terminal import progress


def _loss(**training: Any) -> Any:
    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        return plots.losses(train(settings, on_epoch))


def _surface(x: str, y: str, **training: Any) -> Any:
    if x == y:
        raise click.UsageError(f"--x and --y are both {x!r}; expected two different parameters.")
    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        path = hand_path(settings, on_epoch)
    return plots.surface(path, (x, y))


def _residuals(table: str, target: str | None, features: tuple[str, ...]) -> Any:
    result = compare_regressions(table_named(table, target, features), steps=1)
    return plots.residuals(result)


#: (options) -> what is drawn.
FIGURES = {
    "exam": plots.exam,
    "sigmoid": plots.sigmoid_curve,
    "digits": plots.digits,
    "loss": _loss,
    "surface": _surface,
    "residuals": _residuals,
}

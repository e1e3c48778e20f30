"""`compare plot`: the article's figures."""

from collections.abc import Callable
from typing import Any

import click

from compare import plots
from compare.data import table_named
from compare.experiment import Settings, hand_path, train
from compare.regression import compare_regressions
from compare.terminal import progress


def _trained(by: Callable[..., Any], training: dict[str, Any]) -> Any:
    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        return by(settings, on_epoch)


def _surface(x: str, y: str, **training: Any) -> Any:
    if x == y:
        raise click.UsageError(f"--x and --y are both {x!r}; expected two different parameters.")
    return plots.surface(_trained(hand_path, training), (x, y))


def _residuals(table: str, target: str | None, features: tuple[str, ...]) -> Any:
    result = compare_regressions(table_named(table, target, features), steps=1)
    return plots.residuals(result)


#: (options) -> what is drawn.
FIGURES = {
    "exam": plots.exam,
    "sigmoid": plots.sigmoid_curve,
    "digits": plots.digits,
    "loss": lambda **training: plots.losses(_trained(train, training)),
    "surface": _surface,
    "residuals": _residuals,
}

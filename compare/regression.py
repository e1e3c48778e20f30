"""Least squares three ways: in closed form, and by gradient descent by hand and by autodiff.

Descent runs on standardised columns (mean 0, standard deviation 1): in the raw units of a table one
learning rate cannot suit a height in centimetres and a sex of 0 or 1. The coefficients it reaches
are translated back into the units of the table, where they stand beside the closed form.

The two gradients are judged within `compare.rounding`'s bound at the steps 0, 1, 2, 4, 8, … and
the last, along both descents; distances from the closed form are reported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff.regression
import manual.regression
import manual.sgd
from compare.agreement import Verdict
from compare.rounding import exactly
from compare.tables import Table
from manual.regression import Coefficients

Gradient = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class GradientDivergence:
    """The first step at which the two gradients differ by more than rounding explains."""

    step: int  #: counted from 0
    coefficient: str
    along: str  #: `by_hand` or `autodiff`: whose descent the step belongs to
    by_hand: float
    autodiff: float
    bound: float
    ulps: float


@dataclass(frozen=True)
class Regression:
    """One table, three answers in its own units, and the verdict on the two gradients."""

    table: Table
    learning_rate: float
    steps: int
    closed_form: Coefficients
    by_hand: Coefficients
    autodiff: Coefficients
    r_squared: float  #: of the closed form: the part of the target's variance that it explains
    remaining: float  #: largest distance of either descent from the closed form, standardised
    first_divergence: GradientDivergence | None

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients' names: the features, then `intercept`."""
        return (*self.table.features, "intercept")


def compare_regressions(
    table: Table,
    steps: int = 1000,
    learning_rate: float | None = None,
    by_hand: Gradient = manual.regression.gradient,
) -> Regression:
    """Fit the table three ways and judge the gradients.

    Args:
        table: more rows than features, no feature a combination of the others.
        steps: of gradient descent, each on the whole table; at least 1.
        learning_rate: η for the standardised columns. The largest stable one is 2/λ with λ the
            largest eigenvalue of the loss's second derivative; unless given it is 0.1, or 1/λ where
            many correlated features make that smaller.
        by_hand: a gradient to put in place of the hand-written one.

    Raises:
        ValueError: there is no single best fit (see `manual.regression.least_squares`), or the
            descent leaves the range of float64 because the learning rate is too large.
    """
    closed = manual.regression.least_squares(table.x, table.y)
    scale = _Scale(table)
    x, y = (table.x - scale.x_mean) / scale.x_sd, (table.y - scale.y_mean) / scale.y_sd
    if learning_rate is None:
        curvature = 2 * np.linalg.eigvalsh(x.T @ x / len(y)).max()
        learning_rate = float(min(0.1, 1 / max(curvature, 2.0)))

    # From ones, since at zero the intercept's derivative is 0 on centred columns, and stays 0: a
    # wrong one could not be seen.
    start = Coefficients(np.ones(x.shape[1]), np.float64(1.0))
    # One sample that is the whole table turns stochastic descent into plain gradient descent.
    order = np.zeros((steps, 1), dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        walked = manual.sgd.train(start, x[None], y[None], by_hand, learning_rate, order)
        hand = np.array([_flat(coefficients) for coefficients in walked])
    auto_start = autodiff.regression.Coefficients(*start)
    auto = _flat(autodiff.regression.descend(auto_start, x[None], y[None], learning_rate, order))
    if not (np.isfinite(hand).all() or np.isfinite(auto).all()):
        raise ValueError(
            f"both descents left the range of float64: learning rate {learning_rate:g} is too "
            "large for this table, expected a smaller one"
        )

    reached = _flat(scale.standardised(closed))
    residual = table.y - manual.regression.predict(closed, table.x)
    return Regression(
        table=table,
        learning_rate=learning_rate,
        steps=steps,
        closed_form=closed,
        by_hand=scale.in_units(hand[-1]),
        autodiff=scale.in_units(auto[-1]),
        r_squared=1 - float(residual @ residual) / float(len(y) * scale.y_sd**2),
        remaining=float(max(np.abs(hand[-1] - reached).max(), np.abs(auto[-1] - reached).max())),
        first_divergence=_judge(table, x, y, by_hand, {"by_hand": hand, "autodiff": auto}),
    )


def _judge(
    table: Table, x: np.ndarray, y: np.ndarray, by_hand: Gradient, paths: dict[str, np.ndarray]
) -> GradientDivergence | None:
    """Hold the two gradients against each other at common coefficients on both paths."""
    steps = len(next(iter(paths.values())))
    judged = sorted({0, steps - 1, *(2**k for k in range(steps.bit_length() - 1))})
    names = (*table.features, "intercept")
    ranges_x, ranges_y = exactly(x), exactly(y)
    for step in judged:
        for along, path in paths.items():
            at = path[step - 1] if step else np.ones(len(names))
            here = Coefficients(at[:-1], at[-1])
            bound = manual.regression.gradient(
                Coefficients(*map(exactly, here)), ranges_x, ranges_y
            )
            auto = autodiff.regression.Coefficients(*here)
            verdict = Verdict(
                by_hand=_flat(by_hand(here, x, y)),
                autodiff=_flat(autodiff.regression.gradient(auto, x, y)),
                bound=_flat(Coefficients(*(part.width for part in bound))),
            )
            for j in np.flatnonzero(~verdict.agree)[:1]:
                numbers = (verdict.by_hand, verdict.autodiff, verdict.bound, verdict.ulps)
                return GradientDivergence(step, names[j], along, *(float(n[j]) for n in numbers))
    return None


def _flat(coefficients: Any) -> np.ndarray:
    """Slopes and intercept along one last axis, shape (..., features + 1)."""
    slopes, intercept = np.asarray(coefficients.slopes), np.asarray(coefficients.intercept)
    return np.concatenate([slopes, intercept[..., None]], axis=-1)


class _Scale:
    """Means and standard deviations of a table's columns."""

    def __init__(self, table: Table):
        self.x_mean, self.x_sd = table.x.mean(axis=0), table.x.std(axis=0)
        self.y_mean, self.y_sd = table.y.mean(), table.y.std() or 1.0

    def in_units(self, standardised: np.ndarray) -> Coefficients:
        """Standardised coefficients, shape (features + 1,), in the units of the table."""
        slopes = standardised[:-1] * self.y_sd / self.x_sd
        intercept = self.y_mean + standardised[-1] * self.y_sd - self.x_mean @ slopes
        return Coefficients(slopes, intercept)

    def standardised(self, coefficients: Coefficients) -> Coefficients:
        """The inverse of `in_units`."""
        slopes = coefficients.slopes * self.x_sd / self.y_sd
        offset = coefficients.intercept + self.x_mean @ coefficients.slopes - self.y_mean
        return Coefficients(slopes, offset / self.y_sd)

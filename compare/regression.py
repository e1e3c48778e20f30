"""Least squares three ways: in closed form, and by gradient descent by hand and by autodiff.

Descent runs on standardised columns (mean 0, standard deviation 1): in the raw units of a table one
learning rate cannot suit a height in centimetres and a sex of 0 or 1. The coefficients it reaches
are translated back into the units of the table, where they stand beside the closed form.

Both sides take every step of both descents from common coefficients, and gradient and updated
coefficients must lie in the ranges of `compare.rounding`; distances from the closed form are
reported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff.regression
import manual.regression
import manual.sgd
from compare.agreement import Verdict
from compare.limits import LARGEST_VALUE, SMALLEST_VALUE
from compare.rounding import Range, exactly, total
from compare.tables import Table
from compare.wording import InputError
from manual.regression import Coefficients

Gradient = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class StepDivergence:
    """The first step at which one of the sides is off by more than rounding explains."""

    step: int  #: counted from 0
    coefficient: str
    quantity: str  #: `gradient` or `update`
    along: str  #: `by_hand` or `autodiff`: whose descent the step belongs to
    by_hand: float
    autodiff: float
    bound: float  #: how far apart two right answers may lie
    ulps: float


@dataclass(frozen=True)
class Regression:
    """One table, three answers in its own units, and the verdict on the two descents."""

    table: Table
    learning_rate: float
    steps: int
    closed_form: Coefficients
    by_hand: Coefficients
    autodiff: Coefficients
    r_squared: float  #: of the closed form: the part of the target's variance that it explains
    remaining: float  #: largest distance of either descent from the closed form, standardised
    first_divergence: StepDivergence | None

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients' names: the features, then `intercept`."""
        return (*self.table.features, "intercept")


def compare_regressions(
    table: Table,
    steps: int = 1000,
    learning_rate: float | None = None,
    by_hand: Gradient = manual.regression.gradient,
    on_step: Callable[[int], None] = lambda _: None,
) -> Regression:
    """Fit the table three ways and judge every step of both descents.

    Args:
        table: more rows than features, no feature a combination of the others.
        steps: of gradient descent, each on the whole table; at least 1.
        learning_rate: η for the standardised columns. The largest stable one is 2/λ with λ the
            largest eigenvalue of the loss's second derivative; unless given it is 0.1, or 1/λ where
            many correlated features make that smaller.
        by_hand: a gradient to put in place of the hand-written one.
        on_step: called with the number of steps judged so far.

    Raises:
        InputError: there is no single best fit, a column is constant or leaves the range in which
            its squares are floating-point numbers, or the learning rate is too large for the table.
    """
    _check(table)
    closed = _closed_form(table)
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
    if not ((np.abs(hand) < LARGEST_VALUE).all() or (np.abs(auto) < LARGEST_VALUE).all()):
        raise InputError(
            f"{table.name}: the descents ran away; learning rate {learning_rate:g} is too large "
            "for this table, expected a smaller one"
        )

    judge = _Judge(x, y, learning_rate, by_hand, (*table.features, "intercept"))
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
        first_divergence=judge.first_divergence(_flat(start), hand, auto, on_step),
    )


def _check(table: Table) -> None:
    """Refuse columns that are constant up to rounding, or whose squares are not to be had."""
    columns = np.column_stack([table.x, table.y])
    for name, column in zip((*table.features, table.target), columns.T, strict=True):
        largest = np.abs(column).max()
        if largest > LARGEST_VALUE:
            raise InputError(
                f"{table.name}: column {name!r} reaches {largest:g}; "
                f"expected at most {LARGEST_VALUE:g}"
            )
        spread = np.abs(column - column.mean()).max()
        # The mean of equal numbers may be off by n u of them, and so may the differences from it.
        if spread <= max(len(column) * 2.0**-53 * largest, SMALLEST_VALUE):
            raise InputError(
                f"{table.name}: column {name!r} is constant at {column[0]:g}; expected one that "
                f"varies by more than {SMALLEST_VALUE:g}"
            )


def _closed_form(table: Table) -> Coefficients:
    """By the article's formula for one feature, by multiple regression for several."""
    if table.x.shape[1] == 1:
        slope, intercept = manual.regression.line(table.x[:, 0], table.y)
        return Coefficients(np.array([slope]), np.float64(intercept))
    try:
        return manual.regression.least_squares(table.x, table.y)
    except manual.regression.DependentFeatureError as error:
        raise InputError(
            f"{table.name}: column {table.features[error.feature]!r} is a combination of those "
            "before it; expected independent features"
        ) from error
    except manual.regression.TooFewRowsError as error:
        raise InputError(f"{table.name}: {error}") from error


@dataclass(frozen=True)
class _Judge:
    """Holds the two gradients and updates against each other at common coefficients."""

    x: np.ndarray
    y: np.ndarray
    learning_rate: float
    by_hand: Gradient
    names: tuple[str, ...]

    def first_divergence(
        self,
        start: np.ndarray,
        hand: np.ndarray,
        auto: np.ndarray,
        on_step: Callable[[int], None],
    ) -> StepDivergence | None:
        """The first along either descent; coefficients after each step, shape (steps, p + 1)."""
        paths = {
            "by_hand": np.concatenate([start[None], hand]),
            "autodiff": np.concatenate([start[None], auto]),
        }
        for step in range(len(hand)):
            for along, path in paths.items():
                found = self._at(step, along, path[step], path[step + 1])
                if found:
                    return found
            on_step(step + 1)
        return None

    def _at(
        self, step: int, along: str, before: np.ndarray, after: np.ndarray
    ) -> StepDivergence | None:
        here = Coefficients(before[:-1], before[-1])
        by_hand = self.by_hand(here, self.x, self.y)
        by_auto = autodiff.regression.gradient(
            autodiff.regression.Coefficients(*here), self.x, self.y
        )
        right = self._gradient_range(before)
        updated = exactly(before) - exactly(self.learning_rate) * right
        after_hand = (
            after
            if along == "by_hand"
            else _flat(manual.sgd.update(here, by_hand, self.learning_rate))
        )
        after_auto = after if along == "autodiff" else before - self.learning_rate * _flat(by_auto)
        verdicts = {
            "gradient": Verdict(_flat(by_hand), _flat(by_auto), right, right),
            "update": Verdict(after_hand, after_auto, updated, updated),
        }
        for quantity, verdict in verdicts.items():
            for j in np.flatnonzero(~verdict.agree)[:1]:
                numbers = (verdict.by_hand, verdict.autodiff, verdict.bound, verdict.ulps)
                values = (float(number[j]) for number in numbers)
                return StepDivergence(step, self.names[j], quantity, along, *values)
        return None

    def _gradient_range(self, coefficients: np.ndarray) -> Range:
        """Where every right program of (2/n) Xᵀ(Xβ - y), X with a column of ones, must answer."""
        x, y = exactly(np.column_stack([self.x, np.ones(len(self.y))])), exactly(self.y)
        residual = x @ exactly(coefficients) - y
        return total(x.T * (2 * residual)) / len(self.y)


def _flat(coefficients: Any) -> np.ndarray:
    """Slopes and intercept along one last axis, shape (..., features + 1)."""
    slopes, intercept = np.asarray(coefficients.slopes), np.asarray(coefficients.intercept)
    return np.concatenate([slopes, intercept[..., None]], axis=-1)


class _Scale:
    """Means and standard deviations of a table's columns."""

    def __init__(self, table: Table):
        self.x_mean, self.x_sd = table.x.mean(axis=0), table.x.std(axis=0)
        self.y_mean, self.y_sd = table.y.mean(), table.y.std()

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

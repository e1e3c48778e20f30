"""Compare least squares in closed form with gradient descent by hand and by autodiff.

Descent runs on standardised columns (mean 0, standard deviation 1): in raw units one learning rate
cannot suit a height in centimetres and a sex of 0 or 1. The coefficients are converted back to the
units of the table and compared with the closed form.

Every step of both descents is judged (`compare.lockstep`); distances from the closed form are
reported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff.regression
import manual.regression
import manual.sgd
from compare.agreement import BY_AUTODIFF, BY_HAND, is_ruled_right
from compare.data import Dataset
from compare.limits import LARGEST_VALUE, SMALLEST_VALUE
from compare.lockstep import Descent, Divergence, Lockstep, Point, Ranges, descended, plain
from compare.networks import flat
from compare.reference import STABLE, flattened, network_gradient
from compare.wording import InputError
from manual.network import Network
from manual.regression import Coefficients

Gradient = Callable[[Any, Any, Any], Any]

#: Steps taken and judged at a time.
CHUNK = 200


@dataclass(frozen=True)
class Regression:
    """One table's three fits in its own units, and the result of comparing the descents."""

    table: Dataset
    learning_rate: float
    steps: int
    closed_form: Coefficients
    by_hand: Coefficients
    autodiff: Coefficients
    r_squared: float  #: the share of the target's variance that the closed form explains
    remaining: float  #: largest distance of either descent from the closed form, standardised
    first_divergence: Divergence | None

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients' names: the features, then `intercept`."""
        return (*self.table.features, "intercept")


def compare_regressions(
    table: Dataset,
    steps: int = 1000,
    learning_rate: float | None = None,
    by_hand: Gradient = manual.regression.gradient,
    on_step: Callable[[int], None] = lambda _: None,
) -> Regression:
    """Fit a table in closed form and by two descents, and judge every step of the descents.

    Args:
        table: more rows than features, no feature a combination of the others.
        steps: of gradient descent, each on the whole table; at least 1.
        learning_rate: η for the standardised columns. The largest stable one is 2/λ with λ the
            largest eigenvalue of the loss's second derivative; unless given it is 0.1, or 1/λ where
            many correlated features make that smaller.
        by_hand: a gradient that replaces the hand-written one.
        on_step: called with the number of steps judged so far.

    Raises:
        InputError: there is no unique best fit, a column is constant or its squares overflow or
            underflow, or the learning rate is too large for the table.
    """
    _check(table)
    closed = _closed_form(table)
    scale = _Scale(table)
    x, y = (table.x - scale.x_mean) / scale.x_sd, (table.y - scale.y_mean) / scale.y_sd
    if learning_rate is None:
        curvature = 2 * np.linalg.eigvalsh(x.T @ x / len(y)).max()
        learning_rate = float(min(0.1, 1 / max(curvature, 2.0)))

    # Start at ones: at zero the intercept's derivative is 0 on centred columns, and stays 0, so a
    # wrong one would not show.
    start = Coefficients(np.ones(x.shape[1]), np.float64(1.0))
    both = _lockstep(x, y, learning_rate, by_hand, (*table.features, "intercept"))
    points, divergence = dict.fromkeys(both.sides, plain(_flat(start), 0)), None
    for first in range(0, steps, CHUNK):
        part = np.zeros(min(CHUNK, steps - first), dtype=np.int64)
        stretch = both.advance(points, part, judged=divergence is None)
        points, divergence = stretch.ends, divergence or stretch.divergence
        if stretch.ran_away is not None:
            raise InputError(
                f"{table.name}: the descents ran away; learning rate {learning_rate:g} is too "
                "large for this table, expected a smaller one"
            )
        on_step(first + len(part))
    hand, auto = (point.params for point in points.values())
    reached = _flat(scale.standardised(closed))
    residual = table.y - manual.regression.predict(closed, table.x)
    return Regression(
        table=table,
        learning_rate=learning_rate,
        steps=steps,
        closed_form=closed,
        by_hand=scale.in_units(hand),
        autodiff=scale.in_units(auto),
        r_squared=1 - float(residual @ residual) / float(len(y) * scale.y_sd**2),
        remaining=float(np.abs(np.stack([hand, auto]) - reached).max()),
        first_divergence=divergence,
    )


def _check(table: Dataset) -> None:
    """Refuse columns that are constant up to rounding, or whose squares overflow."""
    columns = np.column_stack([table.x, table.y])
    for name, column in zip((*table.features, table.target), columns.T, strict=True):
        largest = np.abs(column).max()
        if largest > LARGEST_VALUE:
            raise InputError(
                f"{table.name}: column {name!r} reaches {largest:g}; "
                f"expected at most {LARGEST_VALUE:g}"
            )
        spread = np.abs(column - column.mean()).max()
        # The mean of equal numbers may have a relative error of n u, so their deviations may, too.
        if spread <= max(len(column) * 2.0**-53 * largest, SMALLEST_VALUE):
            raise InputError(
                f"{table.name}: column {name!r} is constant at {column[0]:g}; expected one that "
                f"varies by more than {SMALLEST_VALUE:g}"
            )


def _closed_form(table: Dataset) -> Coefficients:
    """Solve by the article's formula for one feature, by multiple regression for several."""
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


def _lockstep(
    x: np.ndarray, y: np.ndarray, rate: float, by_hand: Gradient, names: tuple[str, ...]
) -> Lockstep:
    """Set up both descents; the stretches are zeros.

    With the whole table as its only sample, stochastic descent is plain gradient descent.
    """

    def path_by_hand(start: Any, order: np.ndarray) -> Any:
        return _stacked(manual.sgd.train(start, x[None], y[None], by_hand, rate, order[:, None]))

    def step_by_hand(at: Any, _: Any) -> tuple[Any, Any]:
        points = [Coefficients(*one) for one in zip(*at, strict=True)]
        grads = [by_hand(one, x, y) for one in points]
        pairs = zip(points, grads, strict=True)
        return _stacked(grads), _stacked(manual.sgd.update(*pair, rate) for pair in pairs)

    def path_by_autodiff(start: Any, order: np.ndarray) -> Any:
        start = autodiff.regression.Coefficients(*start)
        return autodiff.regression.descend(start, x[None], y[None], rate, order[:, None])

    def step_by_autodiff(at: Any, _: Any) -> tuple[Any, Any]:
        points = [autodiff.regression.Coefficients(*one) for one in zip(*at, strict=True)]
        grads = _stacked(autodiff.regression.gradient(one, x, y) for one in points)
        return grads, Coefficients(*(w - rate * dw for w, dw in zip(at, grads, strict=True)))

    def ranges(before: Point, _: Any) -> tuple[Ranges, Ranges]:
        k, network = len(before.params), Network((x.shape[1], 1))
        data = (np.broadcast_to(part, (k, *part.shape)) for part in (x, y[:, None]))
        layers = flat.split(before.params, network.sizes)
        grads = flattened(network_gradient(network, layers, *data)[STABLE])
        right = descended(before, grads, rate)
        return right, right

    def rules_right(side: str, before: Point, _: Any) -> bool:
        gradient = by_hand if side == BY_HAND else autodiff.regression.gradient
        at = _split(before.params), x, y
        return is_ruled_right(gradient, STABLE, autodiff.regression.loss, *at)

    sides = {
        BY_HAND: Descent(_split, _flat, path_by_hand, step_by_hand),
        BY_AUTODIFF: Descent(_split, _flat, path_by_autodiff, step_by_autodiff),
    }
    return Lockstep(sides, ranges, names.__getitem__, rules_right, LARGEST_VALUE)


def _stacked(many: Iterable[Any]) -> Coefficients:
    slopes, intercepts = zip(*many, strict=True)
    return Coefficients(np.array(slopes), np.array(intercepts))


def _split(flat: np.ndarray) -> Coefficients:
    return Coefficients(flat[..., :-1], flat[..., -1])


def _flat(coefficients: Any) -> np.ndarray:
    """Join slopes and intercept along the last axis, shape (..., features + 1)."""
    slopes, intercept = np.asarray(coefficients.slopes), np.asarray(coefficients.intercept)
    return np.concatenate([slopes, intercept[..., None]], axis=-1)


class _Scale:
    """Means and standard deviations of a table's columns."""

    def __init__(self, table: Dataset):
        self.x_mean, self.x_sd = table.x.mean(axis=0), table.x.std(axis=0)
        self.y_mean, self.y_sd = table.y.mean(), table.y.std()

    def in_units(self, standardised: np.ndarray) -> Coefficients:
        """Convert standardised coefficients, shape (features + 1,), to the units of the table."""
        slopes = standardised[:-1] * self.y_sd / self.x_sd
        intercept = self.y_mean + standardised[-1] * self.y_sd - self.x_mean @ slopes
        return Coefficients(slopes, intercept)

    def standardised(self, coefficients: Coefficients) -> Coefficients:
        """The inverse of `in_units`."""
        slopes = coefficients.slopes * self.x_sd / self.y_sd
        offset = coefficients.intercept + self.x_mean @ coefficients.slopes - self.y_mean
        return Coefficients(slopes, offset / self.y_sd)

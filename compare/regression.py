"""Compare least squares in closed form with gradient descent by hand and by autodiff.

A regression is a network of one unit without an activation, and its minibatch is the whole table;
so the descents are a training of `compare.training`, every step of which is judged. They run on
standardised columns (mean 0, standard deviation 1): in raw units one learning rate cannot suit a
height in centimetres and a sex of 0 or 1. The coefficients are converted back to the units of the
table and compared with the closed form; the distances from it are reported.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import manual.regression
from compare.data import Dataset, Scale
from compare.limits import LARGEST_VALUE
from compare.lockstep import SIDES, Divergence, Lockstep, RanAwayError, start
from compare.training import program_of
from compare.wording import InputError, refused
from manual.affine import Layer
from manual.network import Network
from manual.regression import Coefficients

#: Steps taken and judged at a time; of large tables fewer, so that they read so many numbers.
CHUNK, LARGEST_STRETCH = 200, 1_000_000


@dataclass(frozen=True)
class Regression:
    """One table's three fits in its own units, and the result of comparing the descents."""

    table: Dataset
    names: tuple[str, ...]  #: the coefficients': the features, then `intercept`
    learning_rate: float
    closed_form: Coefficients
    by_hand: Coefficients
    autodiff: Coefficients
    r_squared: float  #: the share of the target's variance that the closed form explains
    remaining: float  #: largest distance of either descent from the closed form, standardised
    first_divergence: Divergence | None


def compare_regressions(
    table: Dataset,
    steps: int = 1000,
    learning_rate: float | None = None,
    gradient: Callable[..., Any] | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> Regression:
    """Fit a table in closed form and by two descents, and judge every step of the descents.

    Args:
        table: more rows than features, no feature a combination of the others, as
            `compare.data.table_named` loads them: no column constant or too large to square.
        steps: of gradient descent, each on the whole table; at least 1.
        learning_rate: η for the standardised columns. The largest stable one is 2/λ with λ the
            largest eigenvalue of the loss's second derivative; unless given it is 0.1, or 1/λ where
            many correlated features make that smaller.
        gradient: by hand, in place of that of `manual.network`.
        on_step: called with the number of steps judged so far.

    Raises:
        InputError: there is no unique best fit, or the learning rate is too large for the table.
    """
    closed, names = _closed_form(table), (*table.features, "intercept")
    of_x = Scale(table.x.mean(axis=0), table.x.std(axis=0))
    of_y = Scale(table.y.mean(), table.y.std())
    x, y = of_x.standardised(table.x), of_y.standardised(table.y)
    if learning_rate is None:
        curvature = 2 * np.linalg.eigvalsh(x.T @ x / len(y)).max()
        learning_rate = float(min(0.1, 1 / max(curvature, 2.0)))

    def ran_away(_: int) -> RanAwayError:
        return RanAwayError(
            f"{table.name}: the descents ran away; learning rate {learning_rate:g} is too large "
            "for this table, expected a smaller one"
        )

    program, y = program_of(Network((len(table.features), 1))), y[:, None]
    if gradient:
        program = replace(program, gradient=gradient)
    sides = {name: side(program, "sgd", learning_rate, x, y) for name, side in SIDES.items()}
    both = Lockstep(
        program, sides, x, y, "sgd", learning_rate, ran_away, LARGEST_VALUE, names=names
    )
    # Start at ones: at zero the intercept's derivative is 0 on centred columns, and stays 0, so a
    # wrong one would not show.
    progress = both.start(start([Layer(np.ones((x.shape[1], 1)), np.ones(1))], "sgd"))
    rows = np.arange(len(y), dtype=np.int32)
    at_once = min(CHUNK, max(1, LARGEST_STRETCH // x.size))
    for done in range(0, steps, at_once):
        now = min(at_once, steps - done)
        progress = both.advance(progress, np.tile(rows, (now, 1)))
        on_step(done + now)
    hand, auto = (point.params for point in progress.points.values())
    slopes = closed.slopes * of_x.sd / of_y.sd
    reached = [*slopes, (closed.intercept + of_x.mean @ closed.slopes - of_y.mean) / of_y.sd]
    residual = table.y - manual.regression.predict(closed, table.x)
    return Regression(
        table=table,
        names=names,
        learning_rate=learning_rate,
        closed_form=closed,
        by_hand=_in_units(hand, of_x, of_y),
        autodiff=_in_units(auto, of_x, of_y),
        r_squared=1 - float(residual @ residual) / float(len(y) * of_y.sd**2),
        remaining=float(np.abs(np.stack([hand, auto]) - reached).max()),
        first_divergence=progress.first_divergence,
    )


def _in_units(standardised: np.ndarray, of_x: Scale, of_y: Scale) -> Coefficients:
    """Convert standardised coefficients, shape (features + 1,), to the units of the table."""
    slopes = standardised[:-1] * of_y.sd / of_x.sd
    return Coefficients(slopes, of_y.mean + standardised[-1] * of_y.sd - of_x.mean @ slopes)


def _closed_form(table: Dataset) -> Coefficients:
    """Solve by the article's formula for one feature, by multiple regression for several."""
    if table.x.shape[1] == 1:
        slope, intercept = manual.regression.line(table.x[:, 0], table.y)
        return Coefficients(np.array([slope]), np.float64(intercept))
    try:
        return manual.regression.least_squares(table.x, table.y)
    except manual.regression.DependentFeatureError as error:
        found = f"column {table.features[error.feature]!r} is a combination of those before it"
        raise refused(table.name, found, "independent features") from error
    except manual.regression.TooFewRowsError as error:
        raise InputError(f"{table.name}: {error}") from error

"""Differences of order eight of the results of a function of a number, and what tells their errors.

First ones are those of `scipy.differentiate`. Of second ones SciPy has slopes of slopes alone.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.differentiate import derivative

#: Each step is that many times as long as the next. With 2, a function that is rounded to a few
#: digits, or that repeats itself, may look linear at all steps.
RATIO = 1.9

#: Pairs of points in a formula of order eight.
PAIRS = 4


class Values:
    """The results of a function at numbers, each asked for once; NaN where it raises."""

    def __init__(self, f: Callable[[float], np.ndarray], count: int) -> None:
        self._f, self.count = f, count
        self._seen: dict[float, np.ndarray] = {}

    def at(self, x: float) -> np.ndarray:
        """Return the results at a number, shape (count,)."""
        if x not in self._seen:
            try:
                found = np.asarray(self._f(x), dtype=np.float64).reshape(self.count)
            except Exception:  # the caller's function, where it need not be defined
                found = np.full(self.count, np.nan)
            self._seen[x] = found
        return self._seen[x]

    def along(self, xs: np.ndarray) -> np.ndarray:
        """Return the results at some numbers, shape (count, *xs.shape)."""
        found = np.array([self.at(float(x)) for x in np.ravel(xs)])
        return np.moveaxis(found.reshape(*np.shape(xs), self.count), -1, 0)

    def of_rows(self, xs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return one result at each of some numbers, that of its row."""
        numbers, places = np.unique(xs, return_inverse=True)
        rows = np.broadcast_to(rows, np.shape(xs))
        return self.along(numbers)[rows, places.reshape(np.shape(xs))]


class Differences(NamedTuple):
    """The differences of a function at its steps; of shape (count, steps) but for the steps."""

    slopes: np.ndarray  #: or second derivatives
    apart: np.ndarray  #: how far those of both sides lie apart
    steps: np.ndarray  #: (steps,)
    floor: np.ndarray  #: what half an ulp of the function changes, (count, steps)
    still: np.ndarray  #: bool, whether the function is the same at a step to both sides
    secants: np.ndarray  #: of slopes the larger of both sides; 0 if there are none
    bends: np.ndarray  #: the change of a slope, or second derivative, from one side to the other


def differences(values: Values, x: float, first: float, count: int, order: int) -> Differences:
    """Return the differences of all results at so many steps, from the first one on."""
    steps = first / RATIO ** np.arange(count)
    within = steps[:, None] / RATIO ** np.arange(PAIRS + order - 1)
    with np.errstate(all="ignore"):
        here = values.at(x)[:, None, None]
        up, down = values.along(x + within) - here, here - values.along(x - within)
        if order == 1:
            slopes = _by_scipy(values, x, steps)
            apart = np.abs(((up - down) / within) @ _OF_SIDES)
            secants, bends = np.fmax(np.abs(up), np.abs(down)), np.abs(up - down)
            secants, bends = secants[..., 0] / steps, bends[..., 0] / steps
        else:
            slopes = ((up - down) / within**2)[..., :PAIRS] @ _SECOND
            apart = 2 * np.abs(((up + down) / within**2) @ _OF_SECOND_SIDES)
            secants = np.abs(up - down)[..., 0] / steps**2
            central = ((up + down) / within)[..., :2]
            third = 3 * (central[..., 0] - central[..., 1]) / (1 - RATIO**-2)
            bends = np.abs(third) / steps
    # Weights that are rounded leave some of nothing.
    slopes = np.where((up == 0).all(axis=2) & (down == 0).all(axis=2), 0.0, slopes)
    floor = np.spacing(np.abs(here[..., 0])) / steps**order
    still = (up[..., 0] == 0) & (down[..., 0] == 0)
    secants, bends = np.nan_to_num(secants), np.nan_to_num(bends)
    return Differences(slopes, apart, steps, floor, still, secants, bends)


def _by_scipy(values: Values, x: float, steps: np.ndarray) -> np.ndarray:
    """Return the slopes at each step as SciPy has them, shape (count, steps)."""
    options: Any = {
        "initial_step": steps,
        "step_factor": RATIO,
        "maxiter": 1,
        "order": 2 * PAIRS,
        "args": (np.arange(values.count)[:, None],),
    }
    at = np.full((values.count, steps.size), x)
    return np.asarray(derivative(values.of_rows, at, **options).df)


def _weights(*powers: int) -> np.ndarray:
    """Return the weights of steps, each shorter than the last, in a sum where powers of h cancel.

    All of them but the first, which has the weight 1.
    """
    h = RATIO ** -np.arange(float(len(powers)))
    return np.linalg.solve(h ** np.array(powers)[:, None], np.eye(len(powers))[0])


#: Of (f(x+h) - 2·f(x) + f(x-h)) / h, whose limit is the jump of the slope. Without a jump it is odd
#: in h, so the first, third and fifth power of h have to cancel.
_OF_SIDES = _weights(0, 1, 3, 5)

#: Of (f(x+h) - 2·f(x) + f(x-h)) / h², whose limit is the second derivative, and which is even.
_SECOND = _weights(0, 2, 4, 6)

#: Of (f(x+h) - f(x-h)) / h², which is odd but for half the jump of the second derivative.
_OF_SECOND_SIDES = _weights(0, -1, 1, 3, 5)

"""The slope of a function that only gives floats, by differences, and estimates of its error.

Nothing is proved here. The slopes are those of `scipy.differentiate`: central differences of order
eight, at steps from half the size of the number on, each about half the one before. As SciPy does,
the error of each is estimated by the difference from the one before. That is too small by chance
where two of them coincide, and by design where large steps miss what a function does between them.
So it counts as well

- how far the slopes on both sides lie apart, in the same order: at a kink it is all that is known;
- how far smaller steps lead away, each by twice as much as the one before, as rounding does.

An estimate shrinks by some hundred times with each step until it meets the rounding of the
function. One that stops to do so before, and goes on later, has met an approximation: a solver
whose number of steps changes, the cells of a quadrature, a sample. The slope of what is computed
is known better than that of what is meant. There are two estimates therefore, the `fine` one of the
former, and the `coarse` one of the latter.

How far both are off is measured in `tests/handgrad/oracle/test_differences.py`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.differentiate import derivative

#: Each step is that many times as long as the next. With 2, a function that is rounded to a few
#: digits, or that repeats itself, may look linear at all steps.
RATIO = 1.9

#: The steps, from half the size of a number on.
STEPS = 15

#: The step, from 0, that says how large slopes are nearby: 0.07 of the number.
NEARBY = 3

#: Those of a search for roughness alone.
FEW_STEPS = 6

#: Pairs of points in a formula of order eight.
PAIRS = 4

#: How often the function is called for a slope.
CALLS = 2 * (STEPS + PAIRS - 1) + 1

#: By this much at least an estimate shrinks from step to step, as long as the formula converges:
#: the error of a difference of order eight by 1.9⁸ = 170, that of both sides by 1.9⁷ = 89.
SHRINKS = 64

#: A slope whose estimate is a larger fraction of it is not known. It is what the judge demands, see
#: `handgrad.tolerance.stated`.
KNOWN = 1e-3

#: Estimates that rounding makes grow by this factor, and a distance of so many estimates that is
#: none: the ratios of errors to estimates are smaller, see the test.
GROWN = 16

#: The factor to shorter steps, where the first ones are too long, and how often that is tried. A
#: longer step would leave what is local.
SHORTER, TRIES = 2.0**10, 3


class Slope(NamedTuple):
    """A slope, and how far it may be off."""

    value: float
    fine: float  #: from the slope of what the function computes
    coarse: float  #: from that of what it approximates; not less than `fine`
    step: float  #: the step that it was found with
    roughness: float  #: how far slopes of what it approximates may lie apart, relative to `nearby`
    #: The size of slopes nearby: of this, of secants over some hundredths of the number, and of the
    #: change of the slope that is in proportion half as far away as 0.
    nearby: float


UNKNOWN = Slope(np.nan, np.inf, np.inf, 0.0, 0.0, 0.0)


def slope(f: Callable[[float], float], x: float, size: float) -> Slope:
    """Return the slope of a function at a number.

    Args:
        f: the function; what it raises, and what is not finite, is left out.
        x: the number.
        size: above 0, by how much it may be moved; |x| for most.
    """
    best, first, nearby = UNKNOWN, size / 2, 0.0
    for _ in range(TRIES):
        found, i = _at(f, x, first, nearby)
        nearby = found.nearby
        if not best.fine <= found.fine:
            best = found
        if i < STEPS - 2 and found.fine <= KNOWN * abs(found.value):
            break
        first /= SHORTER
    return best._replace(nearby=nearby)


def roughness(f: Callable[[float], float], x: float, size: float) -> float:
    """Return how rough a function is about a number, see `Slope.roughness`."""
    slopes, jumps, steps, around = _differences(f, x, size / 2, FEW_STEPS)
    estimates = _estimates(slopes, jumps)
    nearby = _nearby(slopes[int(np.argmin(estimates))], *around)
    return _rough(slopes, estimates, steps) / (size * nearby) if nearby else 0.0


def _at(f: Callable[[float], float], x: float, first: float, nearby: float) -> tuple[Slope, int]:
    """Return the slope by steps from the first one on, and the number of the step that is best.

    `nearby` is that of longer steps, 0 if there were none.
    """
    slopes, jumps, steps, around = _differences(f, x, first, STEPS)
    estimates = _estimates(slopes, jumps)
    i = int(np.argmin(estimates))
    if not np.isfinite(estimates[i]):
        return UNKNOWN._replace(nearby=nearby), STEPS - 1
    stopped = None
    known = np.flatnonzero(estimates <= KNOWN * np.abs(slopes))
    if known.size:
        k = int(known[0])
        while k + 1 < STEPS and estimates[k + 1] <= estimates[k] / SHRINKS:
            k += 1
        stopped = float(np.min(estimates[k : k + 2]))
        grown = np.flatnonzero(estimates[k:] > GROWN * stopped)
        grown = grown[grown > 1]
        end = k + int(grown[0]) if grown.size else STEPS
        i = k + int(np.argmin(estimates[k:end]))
    value, rough = float(slopes[i]), _rough(slopes, estimates, steps)
    nearby = nearby or _nearby(value, *around)
    rough = rough / (2 * first * nearby) if nearby else 0.0
    # A function that is the same at all small steps may be one of few digits.
    fine = max(float(estimates[i]), 0.0 if around[0][i] else nearby)
    coarse = fine if stopped is None else max(fine, stopped)
    return Slope(value, fine, coarse, float(steps[i]), rough, nearby), i


def _differences(
    f: Callable[[float], float], x: float, first: float, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return for each step the slope, the distance of those of both sides, the step, and secants.

    Of the secants to both sides these are the larger size and the difference, 0 if there are none.
    """
    seen: dict[float, float] = {}

    def value(at: float) -> float:
        if at not in seen:
            try:
                seen[at] = float(f(at))
            except Exception:  # the caller's function, where it need not be defined
                seen[at] = np.nan
        return seen[at]

    def along(xs: np.ndarray) -> np.ndarray:
        return np.reshape([value(float(at)) for at in np.ravel(xs)], np.shape(xs))

    steps = first / RATIO ** np.arange(count)
    within = steps[:, None] / RATIO ** np.arange(PAIRS)
    options: Any = {"initial_step": steps, "step_factor": RATIO, "maxiter": 1, "order": 2 * PAIRS}
    with np.errstate(all="ignore"):
        central = derivative(along, np.full(count, x), **options)
        up, down = along(x + within) - value(x), value(x) - along(x - within)
        apart = np.abs(((up - down) / within) @ _OF_SIDES)
        secants = np.fmax(np.abs(up), np.abs(down))[:, 0], np.abs(up - down)[:, 0]
        larger, bends = (np.nan_to_num(of_step / steps) for of_step in secants)
    return np.asarray(central.df), apart, steps, (larger, bends)


def _nearby(value: float, secants: np.ndarray, bends: np.ndarray) -> float:
    """Return the size of slopes nearby, see `Slope.nearby`."""
    return float(np.nanmax([abs(value), secants[NEARBY], bends[NEARBY] * RATIO**NEARBY]))


def _of_sides() -> np.ndarray:
    """Return the weights of (f(x+h) - 2·f(x) + f(x-h)) / h, whose limit is the jump of the slope.

    Without a jump it is odd in h, so the first, third and fifth power of h have to cancel.
    """
    h = RATIO ** -np.arange(float(PAIRS))
    return np.linalg.solve(h ** np.array([[0], [1], [3], [5]]), np.eye(PAIRS)[0])


_OF_SIDES = _of_sides()


def _estimates(slopes: np.ndarray, jumps: np.ndarray) -> np.ndarray:
    """Return the estimated error of each slope; infinite where there is none."""
    own = np.fmax(np.abs(np.diff(slopes, prepend=np.nan)), jumps)
    own[0] = np.inf
    own = np.where(np.isfinite(own) & np.isfinite(slopes), own, np.inf)
    found, known = own.copy(), own <= KNOWN * np.abs(slopes)
    n = np.arange(slopes.size)
    for i in np.flatnonzero(np.isfinite(own)):
        away = np.abs(slopes - slopes[i])
        counts = np.where(n > i, away / RATIO ** np.fmax(n - i, 0), 0.0)
        # Of two that are known and are not the same none is.
        refuted = known & known[i] & (away > GROWN * np.fmax(own, own[i]))
        counts = np.where(refuted, away, counts)[np.isfinite(own)]
        found[i] = max(own[i], np.max(counts, initial=0.0))
    return found


def _rough(slopes: np.ndarray, estimates: np.ndarray, steps: np.ndarray) -> float:
    """Return the largest change of the function that estimates show that did not shrink."""
    known = estimates[:-1] <= KNOWN * np.abs(slopes[:-1])
    stops = known & (estimates[1:] > estimates[:-1] / SHRINKS) & np.isfinite(estimates[1:])
    return float(np.max((estimates * steps)[1:][stops], initial=0.0))

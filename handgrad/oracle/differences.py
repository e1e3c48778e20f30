"""The slopes of a function that only gives floats, by differences, and estimates of their error.

Nothing is proved here. Slopes and second derivatives are central differences of order eight, at
steps from half the size of the number on, each about half the one before: those that
`scipy.differentiate` takes for slopes, but that all steps are of one ladder, so that each number is
asked for once. As SciPy does, the error of each is estimated by the difference from the one before.
That is too small by chance where two of them coincide, and by design where large steps miss what a
function does between them. So it counts as well

- how far the slopes on both sides lie apart, in the same order: at a kink it is all that is known;
- how far smaller steps lead away, each by the ratio of steps more than the one before, to the power
  of the order, as rounding does.

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
from numpy.lib.stride_tricks import sliding_window_view

#: Each step is that many times as long as the next. With 2, a function that is rounded to a few
#: digits, or that repeats itself, may look linear at all steps.
RATIO = 1.9

#: Pairs of points in a formula of order eight.
PAIRS = 4

#: The steps, from half the size of a number on.
STEPS = 15

#: The step, from 0, that says how large slopes are nearby: 0.07 of the number.
NEARBY = 3

#: Those of a search for roughness alone.
FEW_STEPS = 6

#: By this much at least an estimate shrinks from step to step, as long as the formula converges:
#: the error of a difference of order eight by 1.9⁸ = 170, that of both sides by 1.9⁷ = 89.
SHRINKS = 64

#: A slope whose estimate is a larger fraction of it is not known. It is what the judge demands, see
#: `handgrad.tolerance.stated`.
KNOWN = 1e-3

#: Slopes that have not settled at so many steps do not do so from the start.
UNSETTLED = 3

#: Estimates that rounding makes grow by this factor, and a distance of so many estimates that is
#: none: the ratios of errors to estimates are smaller, see the test.
GROWN = 16

#: The factor to shorter steps, where the first ones are too long, and how often that is tried. A
#: longer step would leave what is local.
SHORTER, TRIES = 2.0**10, 3


class Slope(NamedTuple):
    """A slope, and how far it may be off; or those of several results, as arrays."""

    value: Any
    fine: Any  #: from the slope of what the function computes
    coarse: Any  #: from that of what it approximates; not less than `fine`
    step: Any  #: the step that it was found with
    roughness: Any  #: how far slopes of what it approximates may lie apart, relative to `nearby`
    #: The size of slopes nearby: of this, of secants over some hundredths of the number, and of the
    #: change of the slope that is in proportion half as far away as 0.
    nearby: Any
    #: How far slopes lie apart at longer steps, where they have not settled yet; 0 if they settle
    #: at once. So much may jumps of a solver have added, which a short step does not meet.
    unsettled: Any = 0.0

    def divided(self, scale: float) -> "Slope":
        """Return the slope by t as that by what t is a multiple of."""
        scaled = ("value", "fine", "coarse", "nearby", "unsettled")
        return self._replace(**{name: getattr(self, name) / scale for name in scaled})


UNKNOWN = Slope(np.nan, np.inf, np.inf, 0.0, 0.0, 0.0)


def slopes(
    f: Callable[[float], np.ndarray], count: int, x: float, size: float, order: int = 1
) -> Slope:
    """Return the slopes of all results of a function at a number, or their second derivatives.

    Args:
        f: the function, whose results are an array of shape (count,); what it raises, and what is
            not finite, is left out.
        count: of results.
        x: the number.
        size: above 0, by how much it may be moved; |x| for most.
        order: 1, or 2 for the second derivatives.
    """
    values, first = _Values(f, count), size / 2
    best, nearby, left = [UNKNOWN] * count, np.zeros(count), set(range(count))
    unsettled = np.zeros(count)
    for k in range(TRIES):
        for row, (found, i) in enumerate(_at(values, x, first, nearby, order)):
            nearby[row] = found.nearby
            unsettled[row] = unsettled[row] if k else found.unsettled
            if row not in left:
                continue
            if not best[row].fine <= found.fine:
                best[row] = found
            if i < STEPS - 2 and found.fine <= KNOWN * abs(found.value):
                left.remove(row)
        if not left:
            break
        first /= SHORTER
    of_all = Slope(*np.array(best, dtype=np.float64).T)
    return of_all._replace(nearby=nearby, unsettled=unsettled)


def roughnesses(
    f: Callable[[float], np.ndarray], count: int, x: float, size: float, order: int = 1
) -> np.ndarray:
    """Return how rough all results of a function are about a number, see `Slope`; shape (count,).

    The arguments are those of `slopes`.
    """
    found = _differences(_Values(f, count), x, size / 2, FEW_STEPS, order)
    estimates, rough = _estimates(found, order), np.zeros(count)
    for row, (of_row, slopes) in enumerate(zip(estimates, found.slopes, strict=True)):
        nearby = _nearby(slopes[int(np.argmin(of_row))], found.secants[row], found.bends[row])
        if nearby:
            rough[row] = _rough(slopes, of_row, found.steps, order) / (size**order * nearby)
    return rough


class _Values:
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


class _Differences(NamedTuple):
    """The differences of a function at its steps; of shape (count, steps) but for the steps."""

    slopes: np.ndarray  #: or second derivatives
    apart: np.ndarray  #: how far those of both sides lie apart
    steps: np.ndarray  #: (steps,)
    floor: np.ndarray  #: what half an ulp of the function changes
    still: np.ndarray  #: bool, whether the function is the same at a step to both sides
    #: The larger slope of the two sides, or the second derivative; 0 if not finite.
    secants: np.ndarray
    bends: np.ndarray  #: the change of a slope, or second derivative, from one side to the other


def _differences(values: _Values, x: float, first: float, count: int, order: int) -> _Differences:
    """Return the differences of all results at so many steps, from the first one on."""
    pairs = PAIRS + order - 1
    ladder = first / RATIO ** np.arange(count + pairs - 1)
    within, steps = sliding_window_view(ladder, pairs), ladder[:count]
    with np.errstate(all="ignore"):
        here = values.at(x)[:, None, None]
        sides = (np.transpose([values.at(float(x + h)) for h in sign * ladder]) for sign in (1, -1))
        above, below = (sliding_window_view(side, pairs, axis=1) for side in sides)
        up, down = above - here, here - below
        # Twice the odd and the even part about the number; one has the slope, the other a kink.
        odd, even = up + down, up - down
        own, other = (odd / 2, even) if order == 1 else (even, 2 * odd)
        slopes = (own / within**order)[..., :PAIRS] @ _CENTRAL
        apart = np.abs((other / within**order) @ _OF_SIDES[order])
        if order == 1:
            secants, bends = np.fmax(np.abs(up), np.abs(down))[..., 0], np.abs(even)[..., 0]
        else:
            secants, thirds = np.abs(even)[..., 0], (odd / within)[..., :2]
            bends = 3 * np.abs(thirds[..., 0] - thirds[..., 1]) / (1 - RATIO**-2) * steps
        secants, bends = secants / steps**order, bends / steps**order
    # Weights that are rounded leave some of nothing.
    slopes = np.where((up == 0).all(axis=2) & (down == 0).all(axis=2), 0.0, slopes)
    floor = np.spacing(np.abs(here[..., 0])) / steps**order
    still = (up[..., 0] == 0) & (down[..., 0] == 0)
    secants, bends = np.nan_to_num(secants), np.nan_to_num(bends)
    return _Differences(slopes, apart, steps, floor, still, secants, bends)


def _at(
    values: _Values, x: float, first: float, nearby: np.ndarray, order: int
) -> list[tuple[Slope, int]]:
    """Return the slopes by steps from the first one on, and the number of the step that is best.

    `nearby` are those of longer steps, 0 if there were none.
    """
    found = _differences(values, x, first, STEPS, order)
    estimates = _estimates(found, order)
    return [
        _of_row(found, estimates[row], row, first, float(nearby[row]), order)
        for row in range(values.count)
    ]


def _of_row(
    found: _Differences, estimates: np.ndarray, row: int, first: float, nearby: float, order: int
) -> tuple[Slope, int]:
    slopes, steps, secants = found.slopes[row], found.steps, found.secants[row]
    still, floor = found.still[row], found.floor[row]
    if still.all() and not nearby:  # constant, up to half an ulp
        return Slope(0.0, 0.0, float(floor[0]), float(steps[0]), 0.0, nearby), 0
    # At steps that change less than half an ulp slopes agree by chance.
    estimates = np.fmax(estimates, floor)
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
    value, rough = float(slopes[i]), _rough(slopes, estimates, steps, order)
    nearby = nearby or _nearby(value, secants, found.bends[row])
    rough = rough / ((2 * first) ** order * nearby) if nearby else 0.0
    # A function that is the same at all small steps may be one of few digits.
    fine = max(float(estimates[i]), nearby if still[i] else 0.0)
    coarse = fine if stopped is None else max(fine, stopped)
    before = estimates[1 : int(known[0]) if known.size else i]
    before = before[np.isfinite(before)]
    unsettled = float(np.median(before)) if before.size >= UNSETTLED else 0.0
    return Slope(value, fine, coarse, float(steps[i]), rough, nearby, unsettled), i


def _nearby(value: float, secants: np.ndarray, bends: np.ndarray) -> float:
    """Return the size of slopes nearby, see `Slope.nearby`."""
    return float(np.nanmax([abs(value), secants[NEARBY], bends[NEARBY] * RATIO**NEARBY]))


def _estimates(found: _Differences, order: int) -> np.ndarray:
    """Return the estimated error of each slope, (count, steps); infinite where there is none."""
    slopes = found.slopes
    own = np.fmax(np.abs(np.diff(slopes, prepend=np.nan)), found.apart)
    own[:, 0] = np.inf
    own = np.where(np.isfinite(own) & np.isfinite(slopes), own, np.inf)
    known = own <= KNOWN * np.abs(slopes)
    n = np.arange(slopes.shape[1])
    smaller = np.fmax(n[None, :] - n[:, None], 0)  # by how many ratios the one step is
    with np.errstate(invalid="ignore"):
        away = np.abs(slopes[:, None, :] - slopes[:, :, None])
        counts = np.where(smaller > 0, away / RATIO ** (order * smaller), 0.0)
        # Of two that are known and are not the same none is.
        most = GROWN * np.fmax(own[:, None, :], own[:, :, None])
        refuted = known[:, None, :] & known[:, :, None] & (away > most)
    counts = np.where(refuted, away, counts)
    counts = np.where(np.isfinite(own)[:, None, :], counts, 0.0)
    return np.where(np.isfinite(own), np.fmax(own, counts.max(axis=2)), np.inf)


def _rough(slopes: np.ndarray, estimates: np.ndarray, steps: np.ndarray, order: int) -> float:
    """Return the largest change of the function that estimates show that did not shrink."""
    known = estimates[:-1] <= KNOWN * np.abs(slopes[:-1])
    stops = known & (estimates[1:] > estimates[:-1] / SHRINKS) & np.isfinite(estimates[1:])
    return float(np.max((estimates * steps**order)[1:][stops], initial=0.0))


def _weights(*powers: int) -> np.ndarray:
    """Return the weights of steps, each shorter than the last, in a sum where powers of h cancel.

    All of them but the first, which has the weight 1.
    """
    h = RATIO ** -np.arange(float(len(powers)))
    return np.linalg.solve(h ** np.array(powers)[:, None], np.eye(len(powers))[0])


#: Of (f(x+h) - f(x-h)) / 2h, whose limit is the slope, and of (f(x+h) - 2·f(x) + f(x-h)) / h²,
#: whose limit is the second derivative. Both are even.
_CENTRAL = _weights(0, 2, 4, 6)

#: By the order: of (f(x+h) - 2·f(x) + f(x-h)) / h, whose limit is the jump of the slope, and
#: without a jump is odd; of 2·(f(x+h) - f(x-h)) / h², which is odd but for the jump of the second
#: derivative.
_OF_SIDES = {1: _weights(0, 1, 3, 5), 2: _weights(0, -1, 1, 3, 5)}

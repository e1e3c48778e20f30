"""Tell rounding from a wrong formula by other points: rounding errors are random from one to next.

A wrong formula is off by nearly the same amount there as here. This is for code that runs in one
precision only, because it calls functions that were compiled for it.
"""

import time
from collections.abc import Callable

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import Point
from handgrad.judging.losses import PreparedLoss
from handgrad.judging.ruling import FLOAT32, INCONCLUSIVE, RIGHT_FORMULA, ROUNDING, Gaps

#: Returns the gradient at a point, float64, shape (size,).
Answer = Callable[[Point], np.ndarray]

#: The number of neighbours, and their distance relative to each parameter.
NEIGHBOURS, DISTANCE = 8, 1e-3

#: The time limit: certifying a large gradient takes several seconds.
SECONDS = 20.0

#: Gaps count as random if their standard deviation exceeds this multiple of their mean size. It is
#: 1.15 for gaps uniform about 0; the gap of a formula that grows like z¹⁰⁰ changes by a tenth.
RANDOM = 0.4

#: The first neighbours show a mistake if their gaps differ by less than this; for three that are
#: uniform about 0 the chance is below 1 in 100.
FIRST, ALIKE = 3, 0.1

#: How many ulps of the largest intermediate result an element may be off: the result of a few
#: operations, each off by half an ulp.
ULPS = 16

#: A factor that few of a million numbers of float32 show.
UNNOTICED = 1 + 2.0**-44

#: Points on the way to the origin, where saturated functions are not saturated.
WAY = tuple(2.0**-k for k in range(1, 7))


def shown(
    answer: Answer, loss: PreparedLoss, given: Point, gaps: Gaps, open_ones: np.ndarray
) -> np.ndarray:
    """Tell of each element whether its error here is like rounding.

    Args:
        answer: the gradient that is judged.
        loss: its loss.
        given: the point.
        gaps: its gaps there.
        open_ones: the elements that matter, bool, shape (size,).

    Returns:
        RIGHT_FORMULA where the error is random and small, ROUNDING where it is random, or as large
        as that of a sum with a term that is much larger; else INCONCLUSIVE.
    """
    here = answer(given)
    random = open_ones & _random(answer, loss, given, open_ones)
    small = more_than_half(given, gaps)[open_ones].all() | _like_float32(answer, here, given, gaps)
    found = np.where(random, np.where(small, RIGHT_FORMULA, ROUNDING), INCONCLUSIVE)
    left = open_ones & ~random
    return np.where(left & _absorbed(answer, loss, given, gaps, left), ROUNDING, found)


def _random(answer: Answer, loss: PreparedLoss, given: Point, open_ones: np.ndarray) -> np.ndarray:
    """Tell which elements have random errors at the neighbours of a point, bool, shape (size,)."""
    end, rng, gaps = time.perf_counter() + SECONDS, np.random.default_rng(0), []
    while len(gaps) < NEIGHBOURS:
        if time.perf_counter() > end:
            return np.zeros_like(open_ones)
        near = given.moved([_moved(rng, leaf) for leaf in given.leaves])
        gaps.append(_errors(answer(near), loss, near))
        if len(gaps) == FIRST and not (_spread(gaps) > ALIKE)[open_ones].any():
            return np.zeros_like(open_ones)
    return _spread(gaps) > RANDOM


def _errors(answers: np.ndarray, loss: PreparedLoss, near: Point) -> np.ndarray:
    return balls.midpoints(balls.exact(answers) - loss.reference(near).gradient)


def _spread(gaps: list[np.ndarray]) -> np.ndarray:
    """Return the standard deviation of gaps relative to their mean size."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.std(gaps, axis=0) / np.mean(np.abs(gaps), axis=0)


def more_than_half(given: Point, gaps: Gaps) -> np.ndarray:
    """Tell which elements have more than half of their digits right.

    For the others random errors prove nothing: those of a difference quotient are random too, and
    with the best step a simple one has half of the digits right.
    """
    half = [np.sqrt(np.finfo(leaf.dtype).eps) for leaf in given.leaves]
    size = np.abs(balls.midpoints(gaps.reference))
    return gaps.gap < np.repeat(half, [leaf.size for leaf in given.leaves]) * size


def _like_float32(answer: Answer, here: np.ndarray, given: Point, gaps: Gaps) -> np.ndarray:
    """Tell which elements of float64 were computed in float32, and are right for that.

    Either all of a leaf's numbers are float32's, or the gradient does not notice a change of the
    parameters that float32 does not show. A difference quotient has neither property.
    """
    near = [np.asarray(leaf * UNNOTICED, leaf.dtype) for leaf in given.leaves]
    same = (here == answer(given.moved(near))).all()
    single = here.astype(np.float32) == here
    found = np.zeros(given.size, dtype=bool)
    for leaf, part in zip(given.leaves, given.parts(), strict=True):
        found[part] = leaf.dtype == np.float64 and (same or single[part].all())
    return found & (gaps.gap <= gaps.sharp * FLOAT32)


def _absorbed(
    answer: Answer, loss: PreparedLoss, given: Point, gaps: Gaps, open_ones: np.ndarray
) -> np.ndarray:
    """Tell which elements are off by no more than rounding of the largest value on the way to 0.

    1 - σ(z) is 0 in floats from z = 37 on. What is true of the point must be true on the way: a
    wrong formula is off where the element is large, too.
    """
    points = [given.moved([np.asarray(t * leaf, leaf.dtype) for leaf in given.leaves]) for t in WAY]
    answers = [answer(point) for point in points]
    eps = np.repeat([np.finfo(a.dtype).eps for a in given.leaves], [a.size for a in given.leaves])
    allowed = ULPS * eps * np.max(np.abs(answers), axis=0)
    found = open_ones & (gaps.gap <= allowed)
    for point, answered in zip(points, answers, strict=True):
        if not found.any():
            break
        found &= np.abs(_errors(answered, loss, point)) <= allowed
    return found


def _moved(rng: np.random.Generator, leaf: np.ndarray) -> np.ndarray:
    size = np.max(np.abs(leaf), initial=0.0) or 1.0
    step = DISTANCE * rng.standard_normal(leaf.shape)
    return np.asarray(leaf + step * np.where(leaf, np.abs(leaf), size), dtype=leaf.dtype)

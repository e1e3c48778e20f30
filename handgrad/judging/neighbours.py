"""Tell rounding from a wrong formula by other points: rounding errors are random from one to next.

A wrong formula is off by nearly the same amount there as here. This is for code that runs in one
precision only, because it calls functions that were compiled for it: whether its formula is right
is not known then, only that it is not known to be wrong.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from handgrad.arithmetic import balls
from handgrad.clock import Clock
from handgrad.data import formats
from handgrad.data.point import Point
from handgrad.judging.case import Case
from handgrad.judging.losses import PreparedLoss
from handgrad.judging.witness import Gaps

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

#: Points on the way to the origin, where saturated functions are not saturated.
WAY = tuple(2.0**-k for k in range(1, 7))


def like_rounding(
    answer: Answer, loss: PreparedLoss, given: Point, gaps: Gaps, open_ones: np.ndarray
) -> np.ndarray:
    """Tell of which elements the error here is like rounding, bool, shape (size,).

    It is random, or as small as that of a sum with a term that is much larger. 0 is divided by 0
    where an element has no gap: the caller turns NumPy's warnings off.

    Args:
        answer: the gradient that is judged.
        loss: its loss.
        given: the point.
        gaps: its gaps there.
        open_ones: the elements that matter, bool, shape (size,).
    """
    near = _at_neighbours(answer, loss, given, open_ones)
    if len(near) < FIRST:
        return np.zeros(given.size, dtype=bool)
    answers, errors = np.swapaxes(near, 0, 1)
    random = open_ones & (_unexplained(errors, answers - errors) > RANDOM)
    return random | _absorbed(answer, loss, given, gaps, open_ones & ~random)


def _at_neighbours(
    answer: Answer, loss: PreparedLoss, given: Point, open_ones: np.ndarray
) -> np.ndarray:
    """Return answers and errors at neighbours, (n, 2, size).

    They are few if they show a mistake, or time is up.
    """
    clock, rng, found = Clock(SECONDS), np.random.default_rng(0), []
    while len(found) < NEIGHBOURS and not clock.over:
        near = loss.case.varied(given, partial(_moved, rng))
        answered = answer(near)
        found.append((answered, _errors(answered, loss, near)))
        if len(found) == FIRST and not (_spread(np.array(found)[:, 1]) > ALIKE)[open_ones].any():
            break
    return np.array(found)


def _errors(answers: np.ndarray, loss: PreparedLoss, near: Point) -> np.ndarray:
    return balls.midpoints(balls.exact(answers) - loss.reference(near).gradient)


def _spread(numbers: np.ndarray) -> np.ndarray:
    """Return the standard deviation along axis 0 relative to the mean size."""
    return np.std(numbers, axis=0) / np.mean(np.abs(numbers), axis=0)


def _unexplained(errors: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return the standard deviation of what is left of errors, relative to their mean size.

    A constant and a multiple of the exact gradient are taken off, as a wrong formula that is one of
    these is no more random than the exact gradient.
    """
    from_mean, changes = errors - errors.mean(axis=0), exact - exact.mean(axis=0)
    factor = np.sum(from_mean * changes, axis=0) / np.sum(changes**2, axis=0)
    left = from_mean - np.nan_to_num(factor) * changes
    deviation = np.sqrt(np.sum(left**2, axis=0) / (len(errors) - 2))
    return deviation / np.mean(np.abs(errors), axis=0)


def in_float32(case: Case, answer: Answer, given: Point) -> np.ndarray:
    """Tell which elements of float64 are computed in float32, bool, shape (size,).

    Wherever they are evaluated, all of a leaf's numbers are float32's; a difference quotient is
    not. Numbers of few bits and saturated functions are in float64 as well, so the points are drawn
    and lie on the way to the origin, and an element must change from one to the next. None are
    found where time is up.
    """
    clock, rng, found = Clock(SECONDS), np.random.default_rng(0), []
    for t in (1.0, *WAY):
        if clock.over:
            return np.zeros(given.size, dtype=bool)
        there = answer(case.varied(given, lambda leaf, t=t: _moved(rng, _times(t, leaf))))
        if np.isfinite(there).all():
            found.append(there)
    result = np.zeros(given.size, dtype=bool)
    if len(found) <= FIRST:
        return result
    answers = np.array(found)
    single = (answers.astype(np.float32) == answers).all(axis=0)
    changes = (np.diff(answers, axis=0) != 0).sum(axis=0) >= FIRST
    for leaf, part in zip(given.leaves, given.parts(), strict=True):
        if leaf.dtype == np.float64 and single[part].all():
            result[part] = changes[part].any()
    return result


def _absorbed(
    answer: Answer, loss: PreparedLoss, given: Point, gaps: Gaps, open_ones: np.ndarray
) -> np.ndarray:
    """Tell which elements are off by no more than rounding of the largest value on the way to 0.

    1 - σ(z) is 0 in floats from z = 37 on. What is true of the point must be true on the way: a
    wrong formula is off where the element is large, too. In a short format so many ulps are up to a
    tenth of a number: there the largest value must be larger than the element by as much.
    """
    points = [loss.case.varied(given, partial(_times, t)) for t in WAY]
    answers = [answer(point) for point in points]
    eps = formats.of_elements(given.leaves, "eps")
    largest = np.max(np.abs(answers), axis=0)
    allowed = ULPS * eps * largest
    in_short = formats.of_elements(given.leaves, "half").astype(bool)
    absorbed = ULPS * np.abs(balls.midpoints(gaps.reference)) <= largest
    found = open_ones & (gaps.gap <= allowed) & (absorbed | ~in_short)
    for point, answered in zip(points, answers, strict=True):
        if not found.any():
            break
        found &= np.abs(_errors(answered, loss, point)) <= allowed
    return found


def _times(t: float, leaf: np.ndarray) -> np.ndarray:
    return np.asarray(t * leaf, leaf.dtype)


def _moved(rng: np.random.Generator, leaf: np.ndarray) -> np.ndarray:
    size = np.max(np.abs(leaf), initial=0.0) or 1.0
    step = DISTANCE * rng.standard_normal(leaf.shape)
    return np.asarray(leaf + step * np.where(leaf, np.abs(leaf), size), dtype=leaf.dtype)

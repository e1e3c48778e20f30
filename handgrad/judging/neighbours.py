"""Whether a gap is rounding: then it is another one, at random, right beside the point.

A wrong formula is off by nearly as much there as here. For lines that run in one precision only,
because they call functions that were compiled for it.
"""

import time
from collections.abc import Callable

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import Point
from handgrad.judging.losses import PreparedLoss

#: How many neighbours are asked, and how far away they are, relative to each leaf.
NEIGHBOURS, DISTANCE = 8, 1e-3

#: After so many seconds there is no answer: certifying a large gradient takes several.
SECONDS = 20.0

#: The standard deviation of gaps that differ at random, in their mean size: 1.15 where they are
#: spread evenly about 0. Those of a formula change by a tenth where they grow as z¹⁰⁰ does.
RANDOM = 0.4


def at_random(
    answer: Callable[[Point], np.ndarray],
    loss: PreparedLoss,
    given: Point,
    gap: np.ndarray,
) -> np.ndarray | None:
    """Which elements of a gradient are off by another amount at each neighbour of a point.

    Args:
        answer: the gradient at a point, float64, shape (size,).
        loss: certifies the gradient there.
        given: the point.
        gap: how far off the gradient is here, shape (size,).

    Returns:
        bool, shape (size,); None where time ran out.
    """
    began = time.perf_counter()
    rng = np.random.default_rng(0)
    gaps = [gap]
    for _ in range(NEIGHBOURS):
        if time.perf_counter() - began > SECONDS:
            return None
        near = given.moved([_moved(rng, leaf) for leaf in given.leaves])
        exact = loss.reference(near).gradient
        gaps.append(balls.midpoints(balls.exact(answer(near)) - exact))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.std(gaps[1:], axis=0) > RANDOM * np.mean(np.abs(gaps), axis=0)


def more_than_half(given: Point, size: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Which elements have more than half of their digits right.

    The others are not asked about: a difference quotient is off at random as well, and the best
    step of a simple one leaves half of the digits.
    """
    half = [np.sqrt(np.finfo(leaf.dtype).eps) for leaf in given.leaves]
    return gap < np.repeat(half, [leaf.size for leaf in given.leaves]) * size


def _moved(rng: np.random.Generator, leaf: np.ndarray) -> np.ndarray:
    size = np.max(np.abs(leaf), initial=0.0) or 1.0
    step = DISTANCE * rng.standard_normal(leaf.shape)
    return np.asarray(leaf + step * np.where(leaf, np.abs(leaf), size), dtype=leaf.dtype)

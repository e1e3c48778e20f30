"""Tell rounding from a wrong formula by neighbouring points, where rounding errors are random.

A wrong formula is off by nearly the same amount there as here. This is for code that runs in one
precision only, because it calls functions that were compiled for it.
"""

import time
from collections.abc import Callable

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import Point
from handgrad.judging.losses import PreparedLoss

#: The number of neighbours, and their distance relative to each parameter.
NEIGHBOURS, DISTANCE = 8, 1e-3

#: The time limit: certifying a large gradient takes several seconds.
SECONDS = 20.0

#: Gaps count as random if their standard deviation exceeds this multiple of their mean size. It is
#: 1.15 for gaps uniform about 0; the gap of a formula that grows like z¹⁰⁰ changes by a tenth.
RANDOM = 0.4


def at_random(
    answer: Callable[[Point], np.ndarray],
    loss: PreparedLoss,
    given: Point,
    gap: np.ndarray,
) -> np.ndarray | None:
    """Tell which elements of a gradient have random errors at the neighbours of a point.

    `answer` returns the gradient at a point, `gap` is its error here; float64, shape (size,).

    Returns:
        bool, shape (size,); None if time ran out.
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
    """Tell which elements have more than half of their digits right.

    For the others random errors prove nothing: those of a difference quotient are random too, and
    with the best step a simple one has half of the digits right.
    """
    half = [np.sqrt(np.finfo(leaf.dtype).eps) for leaf in given.leaves]
    return gap < np.repeat(half, [leaf.size for leaf in given.leaves]) * size


def _moved(rng: np.random.Generator, leaf: np.ndarray) -> np.ndarray:
    size = np.max(np.abs(leaf), initial=0.0) or 1.0
    step = DISTANCE * rng.standard_normal(leaf.shape)
    return np.asarray(leaf + step * np.where(leaf, np.abs(leaf), size), dtype=leaf.dtype)

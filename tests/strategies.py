"""Points at which gradients are held against each other: ordinary, tiny, huge and saturated."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from manual.article import Parameters

#: Beyond 1e60 the product of a target, a weight, an input and σ's derivative may leave float64.
HUGE = 1e60

ordinary = st.floats(-8, 8)
tiny = st.floats(-1e-290, 1e-290)  # subnormal numbers included
huge = st.floats(-HUGE, HUGE)
#: Weights and inputs whose sums z lie where σ(1 - σ) loses its digits, and where e^z overflows.
saturating = st.sampled_from([17.0, 31.0, 37.0, 600.0, 745.0]).flatmap(
    lambda size: st.sampled_from([-size, size])
)
kinds = (ordinary, tiny, huge, saturating)


class Point(NamedTuple):
    """Where the loss is differentiated."""

    params: Parameters  #: nine float64 numbers, or arrays of shape (n,)
    x: np.ndarray  #: shape (2,), or (n, 2) for n points at once
    y: Any


def _point(numbers: Any) -> Point:
    *params, x1, x2, y = map(np.float64, numbers)
    return Point(Parameters(*params), np.array([x1, x2]), y)


def _points_of(weights: Any, inputs: Any, targets: Any) -> st.SearchStrategy[Point]:
    return st.tuples(*[weights] * 9, inputs, inputs, targets).map(_point)


labels = st.sampled_from([0.0, 1.0])

#: Weights and inputs of one kind, of another, or all mixed; targets are labels or any number.
points = st.one_of(
    *(_points_of(kind, other, labels) for kind in kinds for other in kinds),
    _points_of(st.one_of(kinds), st.one_of(kinds), st.one_of(labels, *kinds)),
)


def drawn_points(n: int, seed: int, scale: float = 1.0) -> Point:
    """n points at once: weights from N(0, scale²), inputs of the size of the article's, labels."""
    rng = np.random.default_rng(seed)
    params = Parameters(*rng.normal(scale=scale, size=(9, n)))
    return Point(params, rng.normal(scale=10 * scale, size=(n, 2)), rng.integers(0, 2, n) * 1.0)

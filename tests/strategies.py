"""Points at which gradients are compared: ordinary, tiny, huge and saturated.

The examples are the same on every machine. Hypothesis mixes constants of whatever local modules are
imported into the floats and larger integers that it draws, so "fixed" examples would change with
what is imported; it leaves integers below 100 alone. Everything here is made of such integers, and
of decimal digits, which every machine reads alike.
"""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from manual.article import Parameters

#: Beyond 1e60 the product of a target, a weight, an input and σ's derivative may leave float64.
HUGE = 1e60

#: Two decimal digits, with a sign.
PAIR = st.integers(-99, 99)


def floats(largest: int, *exponents: int) -> st.SearchStrategy[float]:
    """Floats of size up to about `largest`, times a power of ten if a range of exponents is given.

    Args:
        largest: a whole number from 1 to 9.
        exponents: the smallest and the largest; without them the numbers are not scaled.
    """
    least, most = exponents or (0, 0)
    power = st.integers(0, most - least) if exponents else st.just(0)
    leading = st.integers(-10 * largest, 10 * largest)
    return st.builds(
        lambda a, b, c, d, e: float(f"{a * 10**6 + b * 10**4 + c * 100 + d}e{e + least - 7}"),
        *(leading, PAIR, PAIR, PAIR, power),
    )


ordinary = floats(4)
tiny = floats(9, -324, -291)  # subnormal numbers included
huge = floats(9, 0, 59)
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
targets = st.one_of(labels, ordinary)

_ordinary = _points_of(ordinary, ordinary, targets)
_others = st.one_of(
    *(_points_of(kind, other, targets) for kind in kinds for other in kinds),
    _points_of(st.one_of(kinds), st.one_of(kinds), st.one_of(labels, *kinds)),
)

#: Every other point is ordinary. Of the rest, weights and inputs are of one kind, of another, or
#: all mixed. Targets are labels as often as ordinary numbers, or of any kind as well.
points = st.booleans().flatmap(lambda ordinarily: _ordinary if ordinarily else _others)


def drawn_points(n: int, seed: int, scale: float = 1.0) -> Point:
    """n points at once: weights from N(0, scale²), inputs of the size of the article's, labels."""
    rng = np.random.default_rng(seed)
    params = Parameters(*rng.normal(scale=scale, size=(9, n)))
    return Point(params, rng.normal(scale=10 * scale, size=(n, 2)), rng.integers(0, 2, n) * 1.0)

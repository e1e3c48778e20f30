"""Code that does something else on other numbers than on the caller's: it asks, or writes."""

from typing import Any

import numpy as np

from handgrad import check_gradient
from tests.corpus.case import Row, cases

X = np.array([0.4, -1.3, 0.9, 2.1])


def cubes(x: Any) -> Any:
    return (x**3).sum()


def more_for_doubles(x: Any) -> Any:
    return 3 * x**2 * (1.1 if x.dtype == np.float64 else 1)


def more_for_numbers(x: Any) -> Any:
    return 3 * x**2 * (1.1 if isinstance(x[0], np.float64) else 1)


def more_for_arrays(x: Any) -> Any:
    g = 3 * x**2
    if type(x) is np.ndarray:
        g = g + 1e-3
    return g


def that_cancels(x: Any) -> Any:
    return 3 * ((x + 1e6) ** 2 - 2e6 * x - 1e12)


def in_single(x: Any) -> Any:
    return (3 * x.astype(np.float32) ** 2).astype(float)


def in_half(x: Any) -> Any:
    return (3 * x.astype(np.float16) ** 2).astype(float)


# A small term, in which an array is written that has two names, beside a large constant.

SINGLE, HALF = X.astype(np.float32), X.astype(np.float16)


def beside(large: Any) -> Any:
    def loss(x: Any) -> Any:
        h = x.copy()
        v = h
        v *= x.dtype.type(2)
        return large + (h * h).sum()

    return loss


def eight(x: Any) -> Any:
    return x.dtype.type(8) * x


def two(x: Any) -> Any:
    """As of a copy that nobody wrote to, which JAX traces."""
    return x.dtype.type(2) * x


CASES = [
    *cases("a gradient that asks", check_gradient, cubes, X, points=1)(
        Row("more for float64", more_for_doubles),
        Row("more for NumPy's numbers", more_for_numbers),
        Row("more for NumPy's arrays", more_for_arrays),
        Row("right, and loses digits", that_cancels, verdict="imprecise"),
        Row("right, in float32", in_single, verdict="imprecise"),
        Row("right, in float16", in_half, verdict="imprecise"),
    ),
    *cases("a small term in float32", check_gradient, beside(np.float32(2e7)), SINGLE, points=0)(
        Row("right", eight, "on power series", verdict="agree"),
        Row("of what JAX traces", two),
    ),
    *cases("a small term in float16", check_gradient, beside(np.float16(2e3)), HALF, points=0)(
        Row("right", eight, "on power series", verdict="agree"),
        Row("of what JAX traces", two),
    ),
]

"""A gradient that lost digits has the right formula if they come back with more of them.

A row that is wrong here is off by little, or in the digits that the right one loses.
"""

import math
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp

from handgrad import check_gradient, check_jacobian
from tests.corpus.case import Row, cases
from tests.corpus.only_called import OnlyCalled

# A sigmoid, whose slope s(1 - s) loses a ten thousandth at 31.

SATURATED, MODERATE = np.array([31.0, -31.0, 2.0]), np.array([0.3, -1.2, 2.0])
FLOAT32 = np.array([12, -2, 0.5], np.float32)
LONG_FLOATS = bool(np.finfo(np.longdouble).eps < np.finfo(np.float64).eps)


def loss(z: Any) -> Any:
    return jnp.sum(jax.nn.sigmoid(z))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def sigmoid_in_floats(z: Any) -> Any:
    """By logaddexp, which knows no objects and no tracers."""
    return np.exp(-np.logaddexp(z * 0, -z))


@OnlyCalled
def sigmoid_in_float64(z: Any) -> Any:
    return np.array([1 / (1 + math.exp(-v)) for v in np.asarray(z, dtype=np.float64)])


def slope_of(sigmoid: Any) -> Any:
    def slope(z: Any) -> Any:
        s = sigmoid(z)
        return s * (1 - s)

    return slope


textbook, only_in_float64 = slope_of(sigmoid), slope_of(sigmoid_in_float64)
only_in_floats = slope_of(sigmoid_in_floats)
in_jax = slope_of(lambda z: 1 / (1 + jnp.exp(-z)))


def that_warns(z: Any) -> Any:
    if z.dtype != np.float64:
        warnings.warn("slow on these numbers", stacklevel=1)
    return textbook(z)


@jax.jit
def chosen_by_jax(z: Any) -> Any:
    """By comparisons that no precision decides."""
    return in_jax(z) * jnp.where((jnp.exp(z) * jnp.exp(-z) >= 1) | (jnp.log(z) > 0), 1.0, 1.0)


def off(factor: Any, gradient: Any = textbook) -> Any:
    return lambda z: gradient(z) * factor


def root_of_eps(z: Any) -> Any:
    return np.sqrt(np.finfo(z.dtype).eps)


def quotient(f: Any, step: Any = lambda z: 1e-8) -> Any:
    return lambda z: (f(z + step(z)) - f(z)) / step(z)


# Parameters in a tree, a value beside the gradient, and whole numbers.

TREE = {"z": SATURATED, "b": 31.0}, np.array([1.0, 3.0, 0.5]), np.array([3, 1])


def of_both(p: Any, x: Any, y: Any) -> Any:
    return 2 * loss(p["z"] * x) + jax.nn.sigmoid(p["b"]) * jnp.asarray(y).astype(jnp.float64)[0]


def by_both(p: Any, x: Any, y: Any, order: Any = (0, 1, 2)) -> Any:
    value = 2 * np.sum(sigmoid(p["z"] * x)) + y[0] * sigmoid(p["b"])
    return value, {"z": (2 * x * textbook(p["z"] * x))[list(order)], "b": y[0] * textbook(p["b"])}


# What is compiled for float64 is asked beside the point: there rounding is another.

SIZES, GROWN = np.array([1e6, 1e-6]), np.array([1, 1 + 1e-9])


@OnlyCalled
def by_a_detour(w: Any) -> Any:
    return np.array([(float(v) * 1e5 + 1) * 0.3 - float(v) * 1e5 * 0.3 for v in w])


# Libraries, in earnest: gradients of Σ exp(|x|²), or a diagonal of its slopes.

POINT = np.array([0.3, -0.7, 1.1])


def squares(z: Any) -> Any:
    return jnp.sum(jnp.exp(jnp.real(z) ** 2 + jnp.imag(z) ** 2))


def filled(x: Any) -> Any:
    found = np.zeros(len(x))
    for i, value in enumerate(np.asarray(x, dtype=float)):
        found[i] = 2 * value * np.exp(value**2)
    return found


def through_a_view(z: Any) -> Any:
    """Lines that JAX's arrays take for others."""
    found = np.array(2 * np.conj(z))
    part = found[:]
    part *= np.exp(np.abs(z) ** 2)
    return found


def both(name: str, gradient: Any, verdict: str) -> list[Row]:
    """Right, and off by a factor that is less than unknown code might lose."""
    slip = off(1 + 1e-11, gradient)
    return [Row(f"right, {name}", gradient), Row(f"off by 1e-11, {name}", slip, verdict=verdict)]


LOST: dict[str, Any] = {"verdict": "imprecise", "kinds": ("rounding",)}
WRONG: dict[str, Any] = {"verdict": "disagree"}
OPEN: dict[str, Any] = {"verdict": "undecidable"}

CASES = [
    *cases("digits come back", check_gradient, loss, SATURATED, points=0)(
        Row("right, the textbook's line", textbook, **LOST),
        Row("right, in JAX", in_jax, **LOST),
        Row("right, out of JAX, compiled", lambda z: np.asarray(jax.jit(in_jax)(z)), **LOST),
        Row("right, it warns of other numbers", that_warns, **LOST),
        Row("right, JAX compares", chosen_by_jax, **LOST),
        Row("right, in floats alone", only_in_floats, **(LOST if LONG_FLOATS else OPEN)),
        Row("one element by 1e-6", off([1, 1, 1 + 1e-6]), "z: 1 of 3", "z[2]", **WRONG),
    ),
    *cases("lost at 31", check_gradient, loss, SATURATED[:1], points=0)(
        Row("off by 1e-9 as well", off(1 + 1e-9), **WRONG),
    ),
    *cases("wrong at any precision", check_gradient, loss, MODERATE, points=0)(
        Row("a factor of 1 + 1e-9", off(1 + 1e-9), **WRONG),
        Row("more by 1e-13", lambda z: textbook(z) + 1e-13, **WRONG),
        Row("differences", quotient(sigmoid), **WRONG),
        Row("differences in floats alone", quotient(sigmoid_in_floats), **WRONG),
        Row("steps of their precision", quotient(sigmoid_in_floats, root_of_eps), **WRONG),
        Row("differences in float64 alone", quotient(sigmoid_in_float64), **OPEN),
        Row("in float64 alone, by 1e-12", off(1 + 1e-12, only_in_float64), **OPEN),
        Row("in float64 alone, by -1e-8", off(1 - 1e-8, only_in_float64), **WRONG),
    ),
    *cases("in float32", check_gradient, loss, FLOAT32, points=0)(
        Row("right, in floats alone", only_in_floats, **LOST),
        Row("less wrong in float64", lambda z: only_in_floats(z) * (1 + root_of_eps(z))),
    ),
    *cases("digits of a tree", check_gradient, of_both, *TREE, points=0, has_value=True)(
        Row("right", by_both, **LOST),
        Row("rolled", lambda *at: by_both(*at, order=(2, 0, 1))),
    ),
    *cases("beside the point", check_gradient, loss, np.array([7.0, 12.0, 16.0]), points=0)(
        Row("right, in float64 alone", only_in_float64, **LOST),
    ),
    *cases("beside the point", check_gradient, loss, np.array([7.0, 31.0, 16.0]), points=0)(
        Row("right, less than half of one is left", only_in_float64, **OPEN),
    ),
    *cases("a constant", check_gradient, lambda w: jnp.sum(0.3 * w), POINT, points=0)(
        Row("right, by a detour", by_a_detour, "right to about 11 digits", **OPEN),
    ),
    *cases("two sizes", check_gradient, lambda z: SIZES @ jax.nn.sigmoid(z), np.array([16, 0.7]))(
        Row("right, in float64 alone", off(SIZES, only_in_float64), **LOST),
        Row("the smaller by 1e-9", off(SIZES * GROWN, only_in_float64), **WRONG),
    ),
    *cases("a rerun", check_gradient, squares, POINT, points=0)(
        *both("by a loop", filled, "disagree"),
    ),
    *cases("no rerun", check_gradient, squares, POINT + 0.5j, points=0)(
        *both("through a view", through_a_view, "undecidable"),
    ),
    *cases("a rerun", check_jacobian, lambda x: jnp.exp(x**2), POINT, points=0)(
        *both("triples", lambda x: sp.coo_array((filled(x), 2 * [range(3)])), "disagree"),
        *both("a product", lambda x: 2 * sp.diags(x) @ sp.diags(np.exp(x**2)), "disagree"),
    ),
    *cases("no rerun", check_jacobian, lambda x: x * x / 2, POINT, points=0)(
        *both("a product by a star", lambda x: sp.diags(x) * sp.diags(np.ones(3)), "undecidable"),
        *both("an operator", lambda x: sp.linalg.aslinearoperator(sp.diags(x)), "undecidable"),
    ),
]

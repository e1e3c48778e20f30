"""Lost digits are no mistake, whatever library a line is from; a mistake there is one."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

from handgrad import check_backward, check_gradient
from tests.corpus.case import Row, cases

# A sigmoid whose derivative s(1 - s) loses digits where it is saturated.

X = np.array([25.0, 1.0, -2.0])


def sigmoid_of(exp: Any) -> Any:
    return lambda x: 1 / (1 + exp(-x))


def elementwise(f: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda z: np.array([f(float(v)) for v in np.ravel(z)]).reshape(np.shape(z))


in_jax, in_numpy = sigmoid_of(jnp.exp), sigmoid_of(np.exp)
in_python = sigmoid_of(elementwise(math.exp))


def slope(d: Any, s: Any) -> Any:
    return d * s * (1 - s)


def by(sigmoid: Any, mistake: Any = lambda dx: dx) -> Any:
    return lambda d, x: mistake(slope(np.asarray(d), np.asarray(sigmoid(np.asarray(x)))))


def into_a_new_array(d: Any, x: Any) -> Any:
    dx, x = np.zeros_like(x), np.asarray(x)
    for i, value in enumerate(x):
        dx[i] = slope(d[i], in_numpy(value))
    return dx


def slip(dx: Any) -> Any:
    return dx * (1 + 1e-6)


def zero_where_saturated(dx: Any) -> Any:
    return dx * np.where(abs(X) > 20, 0.0, 1.0)


@dataclass(frozen=True)
class Kept:
    """A cache that is no pytree."""

    s: Any
    of: tuple[int, ...]


def with_a_mask(x: Any) -> Any:
    return in_jax(x), (x, x > 0)


def if_any(d: Any, cache: Any) -> Any:
    x, positive = cache
    return slope(d, in_numpy(x)) if positive.any() else 0 * d


def where_it_is_large(x: Any) -> Any:
    return jnp.where(jnp.log(x) > 9, 0, 1) * slope(1.0, in_jax(x))


def of_x(x: Any) -> Any:
    return in_jax(x), x


def in_objects(x: Any) -> Any:
    s = in_jax(x)
    return s, {"s": Kept([SimpleNamespace(s=s), 2], s.shape), "axis": 0}


def from_objects(d: Any, cache: Any) -> Any:
    return slope(np.asarray(d), np.asarray(cache["s"].s[0].s))


def into_objects(x: Any) -> Any:
    """Keep what JAX does not trace."""
    s = np.zeros_like(x)
    for i, value in enumerate(x):
        s[i] = in_numpy(value)
    return s, {"s": Kept([SimpleNamespace(s=s), 2], s.shape), "axis": 0}


def by_jax_alone(d: Any, cache: Any) -> Any:
    return jax.vmap(slope)(d, cache["s"].s[0].s)


# Elements that are small, and still wrong.


def of_logistic(z: Any) -> Any:
    return jnp.sum(1 / (1 + jnp.exp(z)))


def far_out(beyond: float, factor: float) -> Any:
    def gradient(z: Any) -> Any:
        e = np.array([math.exp(-abs(v)) for v in z])
        return -e / (1 + e) ** 2 * np.where(z > beyond, factor, 1.0)

    return gradient


def rounded_away(z: Any) -> Any:
    """By a function that is compiled for float64."""
    return -slope(1.0, np.exp(scipy.special.log_expit(z)))


# Arithmetic in float32, for parameters in float64.

W = np.array([0.3, -0.7, 0.2])
DATA = np.random.default_rng(0).standard_normal((7, 3)), np.linspace(-0.8, 0.9, 7)
THIRD, IN_SINGLE = np.float32(1 / 3), np.float64(np.float32(W))


def mse(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ w) - y) ** 2)


def of_mse(w: Any, x: Any, y: Any, tanh: Any = np.tanh) -> Any:
    h = tanh(x @ w)
    return 2 * x.T @ ((h - y) * (1 - h * h)) / x.dtype.type(len(y))


def compiled_for_float32(z: Any) -> Any:
    return elementwise(lambda v: math.tanh(np.float32(v)))(z).astype(np.float32)


def inside(*given: Any) -> Any:
    return np.float64(of_mse(*map(np.float32, given)))


def inside_jax(*given: Any) -> Any:
    return jnp.asarray(of_mse(*map(jnp.float32, given), tanh=jnp.tanh), jnp.float64)


def answered(*given: Any) -> Any:
    return of_mse(*map(np.float32, given), tanh=compiled_for_float32)


def thirds(w: Any) -> Any:
    return jnp.sum(w**2) / 3


def of_thirds(w: Any, factor: float = 1.0) -> Any:
    return np.float64(2 * np.float32(w) * THIRD * np.float32(factor))


def of_linear_term(w: Any) -> Any:
    rest = 2 * np.asarray(w, np.float32)[1:] * THIRD
    return np.float64(np.concatenate([[THIRD], rest]).astype(np.float32))


def digits_lost_besides(w: Any) -> Any:
    v = np.float32(w)
    large = v * np.float32(1234)
    return np.float64(2 * ((large + v) - large))


def with_noise(w: Any) -> Any:
    """Of a linear loss, by a function that is compiled for float64."""
    j = scipy.special.jv(0, w)
    return (((1 + 1e-7) * IN_SINGLE * j + 1e6) - 1e6) / j


def squares(w: Any) -> Any:
    return jnp.sum(w**2)


def by_another_name(w: Any) -> Any:
    """To JAX the lines are right: there `b *= c` makes another array."""
    a = 2 * w
    b = a
    b *= 1 + 1e-6
    return a


# Constants whose rounding is most of what is left; a mean of residuals, 3e-77, that 256 bits
# beside 1 do not tell from 0; a number of 0.3 that is lost beside another.

ROWS, HEIGHTS = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]), np.array([1.0, 0.0, 2.0])
TINY_MEAN = {"w": np.array([0.0, 1e-77]), "b": np.array(1.0)}
DIFFERENT = np.array([1e-10, 1e-10, 3e-10, 3e-10, 1.0])
FAR, FEW_BITS = 2.0**400, np.array([0.5, -0.25])
NEARLY_0 = np.array([1e-9, 2e-8, 3e-5], np.float32)


def arctangents(x: Any) -> Any:
    return jnp.sum(x * jnp.arctan(1 / x) + jnp.log1p(x * x) / 2)


def overflowing(w: Any) -> Any:
    return jnp.sum(1e-300 * (1e200 * (1e200 * (w - W))))


def line(p: Any) -> Any:
    return jnp.mean((ROWS @ p["w"] + p["b"] - HEIGHTS) ** 2)


def of_line(p: Any) -> Any:
    residual = ROWS @ p["w"] + p["b"] - HEIGHTS
    return {"w": 2 * ROWS.T @ residual / len(HEIGHTS), "b": 2 * residual.mean()}


def decayed(x: Any) -> Any:
    """So small a number, 0.3¹⁰⁰, that balls of few bits do not tell it from 0."""
    return jnp.sum(jnp.log(lax.fori_loop(0, 100, lambda _, v: v - 0.7 * v, x)))


def in_pairs(x: Any) -> Any:
    return x[0] - x[1] + x[2] - x[3]


def of_pairs(besides: float) -> Callable[[Any], Any]:
    return lambda x: np.append((in_pairs(x) + besides) * np.array([1, -1, 1, -1]), 1.0)


#: Two rows are equal, and so two scores, which no number of bits shows.
SCORES = np.array([[1.0, 2.0], [0.5, -1.0], [0.5, -1.0]])


def of_scores(x: Any) -> Any:
    return jax.nn.logsumexp(jnp.tanh(SCORES @ x))


def scores_by_jax(x: Any) -> Any:
    def softmax(z: Any) -> Any:
        e = jnp.exp(z - z.max())
        return (e / e.sum() + 1e8) - 1e8

    z = jnp.tanh(SCORES @ x)
    return SCORES.T @ (jax.vmap(softmax)(z[None])[0] * (1 - z * z))


def that_cancels(w: Any) -> Any:
    return jnp.sum((1 + w) - jnp.sqrt(1 + 2 * w))


def without_cancelling(w: Any, factor: float = 1.0) -> Any:
    root = np.sqrt(1 + 2 * w)
    return factor * 2 * w / (root * (root + 1))


def few(digits: int) -> str:
    return f"the formula is right, {digits} digits of it are left"


SINGLE = "digits everywhere, as float32 arithmetic would be"
LOST: dict[str, Any] = {"verdict": "imprecise", "kinds": ("rounding", "dtype")}
WRONG: dict[str, Any] = {"verdict": "disagree"}


CASES = [
    *cases("saturated", check_backward, of_x, X, points=0)(
        Row("right, in NumPy", by(in_numpy), few(5), **LOST),
        Row("right, in SciPy", by(scipy.special.expit), few(5), **LOST),
        Row("right, in NumPy and JAX", by(jax.nn.sigmoid), few(5), **LOST),
        Row("right, into a new array", into_a_new_array, few(5), **LOST),
        Row("right, by Python's exp", by(in_python), verdict="undecidable"),
        Row("a slip, in NumPy and JAX", by(jax.nn.sigmoid, slip), **WRONG),
        Row("a slip, by Python's exp", by(in_python, slip), **WRONG),
        Row("0 where it is saturated", by(in_python, zero_where_saturated), **WRONG),
    ),
    *cases("saturated, in NumPy", check_backward, lambda x: (in_numpy(x), x), X)(
        Row("right, in JAX", lambda d, x: slope(d, in_jax(x)), **LOST),
    ),
    *cases("saturated, kept in objects", check_backward, in_objects, X, points=0)(
        Row("right", from_objects, few(5), **LOST),
    ),
    *cases("saturated, kept in objects by NumPy", check_backward, into_objects, X, points=0)(
        Row("right, in JAX", by_jax_alone, few(5), **LOST),
    ),
    *cases("saturated, kept with a mask", check_backward, jax.jit(with_a_mask), X, points=0)(
        Row("right, in NumPy", if_any, few(5), **LOST),
    ),
    *cases("saturated, and a logarithm", check_gradient, lambda x: jnp.sum(in_jax(x)), X, points=0)(
        Row("right where that is undefined", jax.jit(where_it_is_large), few(5), **LOST),
    ),
    *cases("saturated, a Python float", check_gradient, in_jax, 25.0, points=0)(
        Row("right", lambda x: slope(1.0, in_numpy(x)), few(5), **LOST),
    ),
    *cases("saturated and large", check_gradient, lambda z: 1e50 * jnp.sum(in_jax(z)), X)(
        Row("right", lambda z: 1e50 * in_numpy(z) * (1 - in_numpy(z)), **LOST),
    ),
    *cases("saturated", check_gradient, lambda x: jnp.sum(jnp.tanh(x)), X / 2, points=0)(
        Row("right, in 7 digits", lambda x: 1 - np.tanh(x) ** 2, few(7), **LOST),
    ),
    *cases("a small element", check_gradient, of_logistic, np.array([34.5, 1.0]), points=0)(
        Row("a tenth too large", far_out(20, 1.1), **WRONG),
    ),
    *cases("a small element", check_gradient, of_logistic, np.array([40.0, 1.0]), points=0)(
        Row("missing", far_out(5, 0.0), **WRONG),
    ),
    *cases("beyond all digits", check_gradient, of_logistic, np.array([60.0, 1.0]), points=0)(
        Row("right, and rounded to 0", rounded_away, verdict="undecidable"),
    ),
    *cases("for float64", check_gradient, mse, W, *DATA, points=1)(
        Row("right, in float32 inside", inside, SINGLE, **LOST),
        Row("right, in JAX's float32 inside", inside_jax, SINGLE, **LOST),
        Row("right, answered in float32", answered, SINGLE, "float32, expected", **LOST),
        Row("a slip, in float32 inside", lambda *at: slip(inside(*at)), **WRONG),
        Row("a slip, in float32", lambda *at: np.float32(1 + 1e-6) * answered(*at), **WRONG),
    ),
    *cases("thirds", check_gradient, thirds, W, points=2)(
        Row("right, a third in float32", of_thirds, SINGLE, **LOST),
        Row("a slip, and a third in float32", lambda w: of_thirds(w, 1 + 1e-6), **WRONG),
        Row("a third of float32 in float64", lambda w: 2 * w * float(THIRD), **WRONG),
        Row("a factor of 1 + 1e-7", lambda w: 2 * (1 + 1e-7) * w / 3, **WRONG),
    ),
    *cases("thirds", check_gradient, lambda w: thirds(w[1:]) + w[0] / 3, W, points=2)(
        Row("right, of a linear term as well", of_linear_term, SINGLE, **LOST),
    ),
    *cases("squares", check_gradient, squares, W, points=0)(
        Row("right, and float32 loses more", digits_lost_besides, "formula is right", **LOST),
        Row("another name for the same array", by_another_name, **WRONG),
        Row("beside 2^400", lambda x: ((x + FAR) - FAR) * 2, verdict="undecidable"),
    ),
    *cases("squares of few bits", check_gradient, squares, FEW_BITS, points=0)(
        Row("right, in float32", lambda w: np.float32(2 * w), "got float32", **LOST),
        Row("off by 1e-7", lambda w: 2 * (1 + 1e-7) * w, **WRONG),
    ),
    *cases("a factor", check_gradient, lambda w: 1e-7 * squares(w), W, points=0)(
        Row("0 in float32", lambda w: np.float64(0 * np.float32(w))),
    ),
    *cases("linear", check_gradient, lambda w: (1 + 1e-7) * w @ IN_SINGLE, W)(
        Row("in numbers of float32", lambda w: IN_SINGLE.copy(), **WRONG),
        Row("right, with noise of 1e-10", with_noise, "cannot be told", verdict="undecidable"),
    ),
    *cases("hardly changes", check_gradient, lambda w: jnp.sum(w + 1e-4 * w**2), W, points=0)(
        Row("right, but for digits", lambda w: (1 + 2e-4 * w + 1e8) - 1e8, few(8), **LOST),
        Row("a factor of 1 + 1e-7", lambda w: (1 + 2e-4 * w) * (1 + 1e-7), **WRONG),
    ),
    *cases("a number", check_gradient, jnp.exp, np.float64(0.3), points=0)(
        Row("right, in float32", lambda w: np.float64(np.exp(np.float32(w))), SINGLE, **LOST),
    ),
    *cases("a rounded constant", check_gradient, arctangents, np.array([1e3]), points=0)(
        Row("right, NumPy's π/2", lambda x: np.pi / 2 - np.arctan(x), **LOST),
        Row("right, in JAX", lambda x: jnp.pi / 2 - jnp.arctan(x), **LOST),
        Row("to 14 digits", lambda x: 1.5707963267949 - np.arctan(x), **WRONG),
        Row("off by 1e-15", lambda x: np.pi / 2 + 1e-15 - np.arctan(x), **WRONG),
        Row("and a factor", lambda x: (np.pi / 2 - np.arctan(x)) * (1 + 1e-12), **WRONG),
    ),
    # Some versions of XLA multiply the constants of autodiff, which is infinite.
    *cases("large constants", check_gradient, overflowing, W, points=0)(
        Row("right", lambda w: np.full_like(w, 1e100), verdict="agree", blame=None),
        Row("twice", lambda w: np.full_like(w, 2e100), **WRONG, blame="yours"),
    ),
    *cases("cancels down to 3e-77", check_gradient, line, TINY_MEAN, points=0)(
        Row("right", of_line, verdict="agree"),
    ),
    *cases("decays to 1e-52", check_gradient, decayed, X[:2], points=0)(
        Row("right", lambda x: 1 / x, verdict="agree", certified=True),
    ),
    *cases("equal scores", check_gradient, of_scores, X[1:], points=0)(
        Row("right, in JAX", scores_by_jax, "the formula is right", **LOST),
    ),
    # An ulp of the element beside them is no excuse for what is 0 and has a scale of its own.
    *cases("0 between", check_gradient, lambda x: in_pairs(x) ** 2 / 2 + x[4], DIFFERENT, points=0)(
        Row("right", of_pairs(0.0)),
        Row("off by 1e-15", of_pairs(1e-15), **WRONG),
    ),
    *cases("autodiff loses digits", check_gradient, that_cancels, NEARLY_0, points=3)(
        Row("right", without_cancelling, "autodiff loses digits", verdict="agree"),
        Row("twice", lambda w: without_cancelling(w, 2), never=("autodiff loses digits",), **WRONG),
    ),
]

"""Losses that can only be called, and losses that are no functions of their arguments."""

import ctypes
import math
import random
import struct
from ctypes.util import find_library
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.special import expit

from handgrad import check_gradient, check_hessian, check_hvp
from tests.corpus.case import Row, cases

# Compiled code: the likelihood of points behind an instrument's error, by C's erfc.

C = ctypes.CDLL(find_library("m"))
C.erfc.restype, C.erfc.argtypes = ctypes.c_double, [ctypes.c_double]

X = np.array([[0.5, -1.0], [1.2, 0.4], [-0.3, 0.9]])
W = np.array([0.4, -0.6])


def log_tail(w: Any, x: Any) -> float:
    return sum(math.log(C.erfc(float(z))) for z in x @ w)


def tail_slope(z: Any) -> Any:
    return -2 / np.sqrt(np.pi) * np.exp(-z * z) / np.array([C.erfc(float(e)) for e in z])


def by_tail(w: Any, x: Any) -> Any:
    return x.T @ tail_slope(x @ w)


def gaussian_for_erfc(w: Any, x: Any) -> Any:
    """exp(-z²/2) is the normal distribution's, whose tail is that of z/√2."""
    z = x @ w
    return x.T @ (tail_slope(z) * np.exp(z * z / 2))


def with_a_rounded_constant(w: Any, x: Any) -> Any:
    return by_tail(w, x) * (1.12838 / 1.1283791670955126)  # 2/√π, as tables may have it


# A ripple on a slope, which long steps do not see.

C.sin.restype, C.sin.argtypes = ctypes.c_double, [ctypes.c_double]


def ripple(p: Any) -> float:
    return float(p) + 1e-4 * C.sin(1000 * float(p))


# A quadrature: the time that a pendulum takes, by its amplitude and length.

SWING = np.array([1.2, 0.8])


def period(p: Any) -> float:
    k = np.sin(p[0] / 2)
    whole = quad(lambda t: 1 / np.sqrt(1 - (k * np.sin(t)) ** 2), 0, np.pi / 2, epsabs=1e-13)[0]
    return 4 * np.sqrt(p[1] / 9.81) * whole


def by_swing(p: Any) -> Any:
    k, half = np.sin(p[0] / 2), np.cos(p[0] / 2) / 2

    def of_k(t: Any) -> Any:
        return k * np.sin(t) ** 2 / (1 - (k * np.sin(t)) ** 2) ** 1.5

    slope = quad(of_k, 0, np.pi / 2, epsabs=1e-13)[0]
    return np.array([4 * np.sqrt(p[1] / 9.81) * slope * half, period(p) / (2 * p[1])])


def small_angles(p: Any) -> Any:
    """By the length as for small swings, whose period is 2π√(l/g)."""
    return np.array([by_swing(p)[0], np.pi / np.sqrt(9.81 * p[1])])


# A solver: a population that grows to a limit, and what its tolerance hides.

GROWTH, SEEN = np.array([0.9, 2.5]), np.array([0.8, 1.4, 1.9])


def grown(p: Any, rtol: float) -> float:
    years = np.array([1.0, 2.0, 3.0])
    u = solve_ivp(
        lambda t, u: p[0] * u * (1 - u / p[1]), (0, 3), [0.4], t_eval=years, rtol=rtol, atol=rtol
    ).y[0]
    return float(np.sum((u - SEEN) ** 2))


def loosely(p: Any) -> float:
    return grown(p, 1e-3)


def tightly(p: Any) -> float:
    return grown(p, 1e-13)


def of_closed_form(p: Any, start: float = 1.0) -> Any:
    """The solution is limit/(1 + c·exp(-rate·t)), with c = limit/0.4 - 1."""
    t, c = np.array([1.0, 2.0, 3.0]), p[1] / 0.4 - 1
    e = np.exp(-p[0] * t)
    u = p[1] / (1 + c * e)
    of_limit = 1 / (1 + c * e) - start * p[1] * e / 0.4 / (1 + c * e) ** 2
    return np.array([2 * (u - SEEN) @ (u * u / p[1] * c * t * e), 2 * (u - SEEN) @ of_limit])


def without_c(p: Any) -> Any:
    return of_closed_form(p, start=0.0)


# A callback of JAX's.


def simulated(z: Any) -> Any:
    return jax.pure_callback(
        lambda a: np.sinh(a) / (1 + np.cosh(a)), jax.ShapeDtypeStruct(z.shape, z.dtype), z
    )


def misfit(w: Any, x: Any) -> Any:
    return jnp.sum(simulated(x @ w) ** 2)


def by_simulator(w: Any, x: Any) -> Any:
    """sinh/(1 + cosh) is tanh(z/2)."""
    h = np.tanh(x @ w / 2)
    return x.T @ (h * (1 - h * h))


def of_its_input(w: Any, x: Any) -> Any:
    z = x @ w
    return x.T @ (z * (1 - np.tanh(z / 2) ** 2))


def first_row_alone(w: Any, x: Any) -> Any:
    h = np.tanh(x @ w / 2)
    return x[0] * (h[0] * (1 - h[0] ** 2))


# Losses that are another at each call.

STATE = {"calls": 0}


def jittered(rng: Any, w: Any, x: Any) -> Any:
    """With noise on the data, as augmentation has it."""
    return np.sum(np.logaddexp(0, (x + 0.1 * rng.normal(size=x.shape)) @ w))


def seeded(w: Any, x: Any) -> Any:
    return jittered(np.random.default_rng(0), w, x)


def by_seeded(w: Any, x: Any) -> Any:
    noisy = x + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    return noisy.T @ expit(noisy @ w)


def unseeded(w: Any, x: Any) -> Any:
    return jittered(np.random, w, x)


def annealed(w: Any, x: Any) -> Any:
    """By a temperature that falls with every call."""
    STATE["calls"] += 1
    return np.sum((x @ w) ** 2) / STATE["calls"]


def curvature_of_tail(w: Any, x: Any) -> Any:
    """s is the slope of log erfc, and -s·(2z + s) its derivative."""
    z = x @ w
    s = tail_slope(z)
    return x.T @ ((-s * (2 * z + s))[:, None] * x)


def fisher(w: Any, x: Any) -> Any:
    """The product of slopes, which is the Hessian in expectation alone."""
    s = tail_slope(x @ w)
    return -x.T @ ((s * s)[:, None] * x)


def of_squares(w: Any, x: Any) -> Any:
    return 2 * x.T @ x / STATE["calls"]


def bootstrapped(w: Any, x: Any) -> Any:
    """Of rows with weights that are drawn anew."""
    weights = jnp.array([random.expovariate(1.0) for _ in x])
    return jnp.sum(weights * jnp.tanh(x @ w))


def expected_product(w: Any, v: Any, x: Any) -> Any:
    h = np.tanh(x @ w)
    return x.T @ (-2 * h * (1 - h * h) * (x @ v))


LAST_0 = np.array([0.5, 1.0, 0.0])


def by_bytes(w: Any) -> float:
    return sum(x * x for x in struct.unpack("3d", struct.pack("3d", *w)))


CASES = [
    # a loss in C by ctypes, judged by differences.
    *cases("compiled-code", check_gradient, log_tail, W, X, points=1)(
        Row("right", by_tail, "not certified"),
        Row(
            "a factor of another tail",
            gaussian_for_erfc,
            "not certified",
            "w: 2 of 2",
        ),
        Row(
            "a constant of six digits, as a tolerance may have",
            with_a_rounded_constant,
            "not certified",
            verdict="undecidable",
        ),
    ),
    # check_hessian of a loss in C.
    *cases("a ripple", check_gradient, ripple, np.array(1.2), points=0)(
        Row("right", lambda p: 1 + 0.1 * np.cos(1000 * p), "not certified"),
        Row("of the slope alone", np.ones_like, "not certified"),
    ),
    *cases("called-hessian", check_hessian, log_tail, W, X, points=1)(
        Row("right", curvature_of_tail, "not certified"),
        Row(
            "the product of slopes alone",
            fisher,
            "hess: 4 of 4 elements",
            "not certified",
        ),
        Row(
            "one triangle is filled",
            lambda w, x: np.tril(curvature_of_tail(w, x)),
            "hess: 1 of 4 elements, worst in row 0, column 1",
            "it is not symmetric",
        ),
    ),
    # a loss with a quadrature, and one with an ODE solver.
    *cases("solvers", check_gradient, period, SWING, points=1)(
        Row("right", by_swing, "not certified", "quad"),
        Row(
            "by the length as for small swings",
            small_angles,
            "p: 1 of 2 elements",
            "[1]",
        ),
    ),
    *cases("solvers", check_gradient, tightly, GROWTH, points=1)(
        Row(
            "the limit in a constant of the solution is forgotten",
            without_c,
            "p: 1 of 2 elements",
            "not certified",
        ),
    ),
    *cases("solvers", check_gradient, loosely, GROWTH, points=1)(
        Row(
            "right, but the solver has three digits",
            of_closed_form,
            "not certified",
            verdict="undecidable",
        ),
    ),
    # a loss in JAX with a pure_callback.
    *cases("callback", check_gradient, misfit, W, X, points=1)(
        Row("right", by_simulator, "not certified", "pure_callback"),
        Row(
            "the simulator's input for its output",
            of_its_input,
            "w: 2 of 2 elements",
            "not certified",
        ),
        Row(
            "the first row alone",
            first_row_alone,
            "w: 2 of 2 elements",
            "not certified",
        ),
    ),
    # losses that draw, or remember, for every check.
    *cases("repeatability", check_gradient, seeded, W, X, points=1)(
        Row("right, with a seed", by_seeded),
    ),
    *cases("repeatability", check_gradient, unseeded, W, X, points=1)(
        Row(
            "right, but the loss draws without a seed",
            by_seeded,
            "the loss is not a function of its arguments",
            "draws from np.random",
            verdict="undecidable",
        ),
    ),
    *cases("repeatability", check_hessian, annealed, W, X, points=1)(
        Row(
            "a Hessian of a loss that counts its calls",
            of_squares,
            "is not a function of its arguments",
            verdict="undecidable",
        ),
    ),
    *cases("repeatability", check_hvp, bootstrapped, W, X, points=1)(
        Row(
            "a product of a loss that draws its weights",
            expected_product,
            "is not a function of its arguments",
            "draws from Python's random",
            verdict="undecidable",
        ),
    ),
    *cases("a slope of 0 that can only be called", check_gradient, by_bytes, LAST_0, points=0)(
        Row("right", lambda w: 2 * w, "w [2] 0 0 - agree", never=("e16",)),
    ),
]

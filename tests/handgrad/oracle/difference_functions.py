"""Functions of one number that only floats can run, and their exact slopes.

They are what losses are made of that nothing can look into: functions of libraries, noise, few
digits, float32 inside, kinks, bad scales, solvers, quadratures, samples.
"""

import math
import struct
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.special as sp
from scipy.integrate import quad, simpson, solve_ivp
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq


class Smooth(NamedTuple):
    """A function, its exact slope, and the numbers to take it at."""

    f: Callable[[float], float]
    slope: Callable[[float], float]
    at: tuple[float, ...] = (1.0, 0.37, 1.713, 2.9)


def noisy(f: Callable[[float], float], size: float) -> Callable[[float], float]:
    """Return a function with noise that is another at each number, the same in each call."""
    return lambda x: f(x) + size * (zlib.crc32(struct.pack("<d", x)) / 2**31 - 1)


def written(f: Callable[[float], float], digits: int) -> Callable[[float], float]:
    """Return a function as another program prints it."""
    return lambda x: float(f"{f(x):.{digits}e}")


Z = np.random.default_rng(0).standard_normal(500)
Z32 = Z.astype(np.float32)
A = np.array([[2.0, 0.3, -0.1], [0.3, 1.5, 0.4], [-0.1, 0.4, 1.1]])
B = np.array([[0.5, -0.2, 0.3], [-0.2, 0.7, 0.1], [0.3, 0.1, 0.9]])
SPLINE = CubicSpline(np.linspace(0, 6, 13), np.sin(np.linspace(0, 6, 13)))


T = np.linspace(0, 2, 21)


def root(x: float) -> float:
    """Solve y³ + y = x."""
    found: Any = brentq(lambda y: y**3 + y - x, -10, 10, xtol=1e-15)
    return found


def slope_of_largest(x: float) -> float:
    """That of the largest eigenvalue, by its vector."""
    v = scipy.linalg.eigh(A + x * B)[1][:, -1]
    return float(v @ B @ v)


#: What computes what it means, up to rounding and noise.
SMOOTH: dict[str, Smooth] = {
    "exp": Smooth(math.exp, math.exp, (1.0, 1e-3, -5.0, 30.0, 1e-9)),
    "sin": Smooth(math.sin, math.cos, (1.0, 1e-6, 3.0, 100.0)),
    "cube": Smooth(lambda x: x**3, lambda x: 3 * x * x, (1.0, 1e-8, 1e9, -2.0)),
    "log": Smooth(math.log, lambda x: 1 / x, (1.0, 0.3, 1e-5, 1e6)),
    "inverse": Smooth(lambda x: 1 / x, lambda x: -1 / x**2),
    "root": Smooth(math.sqrt, lambda x: 0.5 / math.sqrt(x)),
    "power": Smooth(lambda x: x**x, lambda x: x**x * (math.log(x) + 1)),
    "tanh": Smooth(lambda x: math.tanh(5 * x), lambda x: 5 / math.cosh(5 * x) ** 2),
    "a steep step": Smooth(
        lambda x: math.atan(50 * (x - 1)), lambda x: 50 / (1 + 2500 * (x - 1) ** 2)
    ),
    "softplus": Smooth(
        lambda x: math.log1p(math.exp(-50 * x)), lambda x: -50 / (1 + math.exp(50 * x))
    ),
    "linear": Smooth(lambda x: 3 * x, lambda _: 3.0),
    "a constant": Smooth(lambda _: 2.7, lambda _: 0.0),
    "beside 1e10": Smooth(lambda x: 1e10 + x, lambda _: 1.0),
    "1e-12 beside 1": Smooth(lambda x: 1 + 1e-12 * x, lambda _: 1e-12),
    "a minimum": Smooth(lambda x: 1e6 + (x - 1) ** 2, lambda x: 2 * (x - 1), (1.0, 1.001, 1.5)),
    "a small scale": Smooth(lambda x: (1e6 * x) ** 2, lambda x: 2e12 * x, (1e-6, 3.3e-7, 2e-5)),
    "a large scale": Smooth(
        lambda x: 1e-12 * math.sin(1e-3 * x), lambda x: 1e-15 * math.cos(1e-3 * x), (1e3, 7e2)
    ),
    "fast": Smooth(lambda x: math.sin(100 * x), lambda x: 100 * math.cos(100 * x)),
    "very fast": Smooth(lambda x: math.sin(1e4 * x), lambda x: 1e4 * math.cos(1e4 * x)),
    "gammaln": Smooth(lambda x: float(sp.gammaln(x)), lambda x: float(sp.digamma(x))),
    "kv": Smooth(lambda x: float(sp.kv(1.5, x)), lambda x: float(sp.kvp(1.5, x))),
    "j0": Smooth(lambda x: float(sp.j0(x)), lambda x: -float(sp.j1(x))),
    "hyp2f1": Smooth(
        lambda x: float(sp.hyp2f1(0.5, 1.5, 2.5, -x)),
        lambda x: -0.3 * float(sp.hyp2f1(1.5, 2.5, 3.5, -x)),
    ),
    "ellipk": Smooth(
        lambda x: float(sp.ellipk(x / 4)),
        lambda x: float((sp.ellipe(x / 4) / (1 - x / 4) - sp.ellipk(x / 4)) / (2 * x)),
    ),
    "ndtr": Smooth(
        lambda x: float(sp.ndtr(x)), lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    ),
    "spence": Smooth(lambda x: float(sp.spence(x)), lambda x: math.log(x) / (1 - x), (0.37, 2.9)),
    "noise 1e-12": Smooth(noisy(math.exp, 1e-12), math.exp),
    "noise 1e-8": Smooth(noisy(math.exp, 1e-8), math.exp),
    "noise 1e-4": Smooth(noisy(math.sin, 1e-4), math.cos),
    "7 digits": Smooth(written(math.exp, 6), math.exp),
    "13 digits": Smooth(written(math.exp, 12), math.exp),
    "float32": Smooth(
        lambda x: float(np.exp(np.sin(np.float32(x)))),
        lambda x: math.cos(x) * math.exp(math.sin(x)),
    ),
    "a sum in float32": Smooth(
        lambda x: float(np.sum(np.tanh(np.float32(x) * Z32))),
        lambda x: float(np.sum(Z / np.cosh(x * Z) ** 2)),
    ),
    "a result in float32": Smooth(
        lambda x: float(np.float32(np.sum(np.exp(-x * np.abs(Z))))),
        lambda x: -float(np.sum(np.abs(Z) * np.exp(-x * np.abs(Z)))),
    ),
    "a kink nearby": Smooth(
        lambda x: abs(x - 1.0123) + x * x, lambda x: 2 * x + math.copysign(1, x - 1.0123)
    ),
    "a kink very near": Smooth(
        lambda x: max(x, 1.0001) + math.exp(x), lambda x: (x > 1.0001) + math.exp(x)
    ),
    "a jump nearby": Smooth(lambda x: math.floor(3 * x) + math.sin(x), math.cos, (0.37, 1.713)),
    "log det": Smooth(
        lambda x: float(np.linalg.slogdet(A + x * B)[1]),
        lambda x: float(np.trace(np.linalg.solve(A + x * B, B))),
    ),
    "an eigenvalue": Smooth(
        lambda x: float(scipy.linalg.eigh(A + x * B)[0][-1]), slope_of_largest
    ),
    "a solved equation": Smooth(root, lambda x: 1 / (3 * root(x) ** 2 + 1)),
    "a spline": Smooth(lambda x: float(SPLINE(x)), lambda x: float(SPLINE(x, 1)), (1.3, 0.37, 2.9)),
    "Simpson": Smooth(  # its cells do not move
        lambda x: float(simpson(np.exp(-x * T), x=T)),
        lambda x: float(simpson(-T * np.exp(-x * T), x=T)),
    ),
    "a sample": Smooth(
        lambda x: float(np.mean(np.exp(x * Z))), lambda x: float(np.mean(Z * np.exp(x * Z)))
    ),
}  # fmt: skip


def at_2(rhs: Any, start: Any, rtol: float, method: Any = "RK45") -> Callable[[float], float]:
    """Return the first number of a solution at time 2, as a function of its parameter."""

    def f(x: float) -> float:
        options = {"rtol": rtol, "atol": 1e-3 * rtol, "method": method}
        return float(solve_ivp(lambda t, y: rhs(y, x), (0, 2), start(x), **options).y[0, -1])

    return f


#: Equations, where they start, and the slope of the solution: of 1.5·exp(-2x), of cos(2x), of
#: 1/(1 + 9·exp(-2x)), of x/(1 + 2x).
EQUATIONS: dict[str, tuple[Any, Any, Callable[[float], float]]] = {
    "decay": (lambda y, x: -x * y, lambda _: [1.5], lambda x: -3 * math.exp(-2 * x)),
    "oscillator": (
        lambda y, x: [y[1], -x * x * y[0]],
        *(lambda _: [1.0, 0.0], lambda x: -2 * math.sin(2 * x)),
    ),
    "logistic": (
        lambda y, x: x * y * (1 - y),
        *(lambda _: [0.1], lambda x: 18 * math.exp(-2 * x) / (1 + 9 * math.exp(-2 * x)) ** 2),
    ),
    "an initial value": (lambda y, _: -(y**2), lambda x: [x], lambda x: 1 / (1 + 2 * x) ** 2),
}


def gaussian_slope(x: float) -> float:
    """That of the integral of exp(-x·t²) from 0 to 3."""
    return -quad(lambda t: t * t * math.exp(-x * t * t), 0, 3, epsrel=1e-13)[0]


#: What approximates: the slope is that of what is approximated.
APPROXIMATE: dict[str, Smooth] = {
    **{
        f"{name}, {rtol}, {method}": Smooth(at_2(rhs, start, rtol, method), right)
        for rtol, method, names in (
            (1e-3, "RK45", ("decay", "oscillator")),
            (1e-6, "RK45", EQUATIONS),
            (1e-10, "RK45", ("decay",)),
            (1e-6, "LSODA", ("oscillator",)),
            (1e-8, "DOP853", ("oscillator",)),
            (1e-6, "Radau", ("logistic",)),
            (1e-5, "BDF", ("logistic",)),
        )
        for name in names
        for rhs, start, right in [EQUATIONS[name]]
    },
    "quad": Smooth(lambda x: quad(lambda t: math.exp(-x * t * t), 0, 3)[0], gaussian_slope),
    "quad, 1e-3": Smooth(
        lambda x: quad(lambda t: math.exp(-x * t * t), 0, 3, epsrel=1e-3, epsabs=1e-3)[0],
        gaussian_slope,
    ),
    "quad over a kink": Smooth(
        lambda x: quad(lambda t: math.sqrt(abs(math.sin(t + x))), 0, x, epsrel=1e-6, limit=100)[0],
        lambda x: 2 * math.sqrt(abs(math.sin(2 * x))) - math.sqrt(abs(math.sin(x))),
    ),
    "a sample of kinks": Smooth(
        lambda x: float(np.mean(np.maximum(x - Z, 0))), lambda x: float(np.mean(x > Z))
    ),
}

"""Losses by solvers, which are off by their tolerances: of 144, no other is more so than one."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.integrate import solve_bvp, solve_ivp
from scipy.optimize import brentq, minimize_scalar

from handgrad import check_gradient
from tests.corpus.case import Case, Row, cases

TIMES = np.linspace(0.25, 2, 8)


# Differential equations in analytic functions: the squares of a solution less data.


def van_der_pol(_: float, y: Any, p: Any) -> Any:
    return np.array([y[1], p[0] * (1 - y[0] ** 2) * y[1] - p[1] * y[0]])


def epidemic(_: float, y: Any, p: Any) -> Any:
    new = p[0] * y[0] * y[1]
    return np.array([-new, new - p[1] * y[1]])


Problem = tuple[Callable[[Any], float], Callable[[Any], Any], Any]


def of_squares(rhs: Any, start: Any, at: Any, seed: int, **options: Any) -> Problem:
    """Return the loss, its gradient, and where; SciPy's default tolerance is 1e-3."""
    at = np.array(at) * np.random.default_rng(seed).uniform(0.8, 1.25, len(at))
    rng = np.random.default_rng(1000 * seed + 7)
    data = np.abs(rng.normal(1, 0.3, (2, TIMES.size)))

    def solved(p: Any, **options: Any) -> Any:
        y = np.array(start(p), dtype=p.dtype)
        y = solve_ivp(lambda t, y: rhs(t, y, p), (0, 2), y, t_eval=TIMES, **options).y
        return ((y - data) ** 2).sum()

    @cache
    def slopes(*p: float) -> Any:
        tight: Any = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-13}
        moved = p + 1e-30j * np.eye(len(p))  # a complex step has no rounding
        return np.array([solved(each, **tight).imag / 1e-30 for each in moved])

    return lambda p: float(solved(p, **options)), lambda p: slopes(*p).copy(), at


# A minimum, and a boundary value.


def least(p: Any) -> float:
    found: Any = minimize_scalar(lambda x: (x - p[0]) ** 2 + p[1] * math.exp(x))
    return float(found.x)


def of_least(p: Any) -> Any:
    x: Any = brentq(lambda x: 2 * (x - p[0]) + p[1] * math.exp(x), -20, 20, xtol=1e-15)
    return np.array([2, -math.exp(x)]) / (2 + p[1] * math.exp(x))


def at_half(p: Any) -> float:
    """u(1/2) for u'' = -a²u, u(0) = 0, u(1) = b: it is b·sin(a/2) / sin(a)."""
    found = solve_bvp(
        lambda _, y: np.vstack([y[1], -(p[0] ** 2) * y[0]]),
        lambda left, right: np.array([left[0], right[0] - p[1]]),
        np.linspace(0, 1, 5),
        np.ones((2, 5)),
    )
    return float(found.sol(0.5)[0])


def of_at_half(p: Any) -> Any:
    a, b = p
    above = math.cos(a / 2) * math.sin(a) / 2 - math.sin(a / 2) * math.cos(a)
    return np.array([b * above / math.sin(a) ** 2, math.sin(a / 2) / math.sin(a)])


STEADY = of_squares(van_der_pol, lambda p: [p[2], 0.0], (1.3, 1.1, 1.7), 1, rtol=1e-6, atol=1e-9)
FEW = of_squares(epidemic, lambda p: [0.95, p[2]], (2.3, 0.7, 0.05), 5, method="LSODA")

#: And what is due of the right gradient.
PROBLEMS: dict[str, tuple[Problem, str]] = {
    "van der Pol to 1e-6": (STEADY, "agree"),
    "an epidemic": (FEW, "undecidable"),
    "a minimum": ((least, of_least, np.array([1.3, 0.4])), "agree"),
    "a boundary value": ((at_half, of_at_half, np.array([1.7, 1.3])), "agree"),
}


def more(gradient: Any, by: float) -> Any:
    """Of its first element."""
    return lambda p: gradient(p) * np.where(np.arange(p.size) == 0, 1 + by, 1)


def solved() -> list[Case]:
    found: list[Case] = []
    for name, ((loss, gradient, at), due) in PROBLEMS.items():
        found += cases(f"by a solver, {name}", check_gradient, loss, at, points=0)(
            Row("right", gradient, verdict=due, certified=False),
            Row("twice the first", more(gradient, 1.0)),
            Row("1 % more of the first", more(gradient, 0.01), verdict="undecidable"),
        )
    return found


CASES = solved()

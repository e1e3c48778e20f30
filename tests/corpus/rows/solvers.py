"""Losses by solvers, which are off by their tolerances: SciPy's default is 1e-3."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_bvp, solve_ivp

from handgrad import check_gradient
from tests.corpus.case import Case, Row, cases

TIMES, OSCILLATOR = np.linspace(0.25, 2, 8), np.array([1.3, 1.1, 1.7])
DATA = np.abs(np.random.default_rng(1007).normal(1, 0.3, (2, 8)))


def squares(p: Any, **options: Any) -> Any:
    """Of van der Pol's oscillator, less data."""

    def slopes(_: float, y: Any) -> Any:
        return np.array([y[1], p[0] * (1 - y[0] ** 2) * y[1] - p[1] * y[0]])

    y = solve_ivp(slopes, (0, 2), [p[2], 0 * p[2]], t_eval=TIMES, **options).y
    return ((y - DATA) ** 2).sum()


def of_squares(p: Any) -> Any:
    moved = p + 1e-30j * np.eye(3)  # a complex step has no rounding
    tight: Any = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-13}
    return np.array([squares(each, **tight).imag / 1e-30 for each in moved])


def by(**options: Any) -> Any:
    return lambda p: float(squares(p, **options))


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


def more(gradient: Any, by: float) -> Any:
    """Of its first element."""
    return lambda p: gradient(p) * np.where(np.arange(p.size) == 0, 1 + by, 1)


def judged(name: str, loss: Any, gradient: Callable[[Any], Any], at: Any, due: str) -> list[Case]:
    return cases(f"by a solver, {name}", check_gradient, loss, at, points=0)(
        Row("right", gradient, verdict=due, certified=False),
        Row("twice the first", more(gradient, 1.0)),
        Row("1 % more of the first", more(gradient, 0.01), verdict="undecidable"),
    )


CASES = [
    *judged("an oscillator", by(), of_squares, OSCILLATOR, "undecidable"),
    *judged("LSODA", by(method="LSODA"), of_squares, OSCILLATOR, "undecidable"),
    *judged("to 1e-6", by(rtol=1e-6, atol=1e-9), of_squares, OSCILLATOR, "agree"),
    *judged("a boundary value", at_half, of_at_half, np.array([1.7, 1.3]), "agree"),
]

"""Losses by solvers, which are off by their tolerances: SciPy's default is 1e-3."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from handgrad import check_gradient, check_jacobian
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


def bisected(p: Any) -> float:
    """Linear in p[1], so that differences show no error at all."""
    low, high = 0.0, 10.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if middle * middle > float(p[0]) else (middle, high)
    return low * p[1]


def of_bisected(p: Any) -> Any:
    return np.array([p[1] / 2 / np.sqrt(p[0]), np.sqrt(p[0])])


def more(gradient: Any, by: float) -> Any:
    """Of its first element."""
    return lambda p: gradient(p) * np.where(np.arange(p.size) == 0, 1 + by, 1)


def judged(
    name: str, loss: Any, gradient: Callable[[Any], Any], at: Any, due: str | None
) -> list[Case]:
    return cases(f"by a solver, {name}", check_gradient, loss, at, points=0)(
        Row("right", gradient, verdict=due, certified=False),
        Row("twice the first", more(gradient, 1.0), verdict="disagree"),
        Row("1 % more of the first", more(gradient, 0.01), verdict="undecidable"),
    )


def apart(x: Any) -> Any:
    """Three equations ẏ = x - y that share their steps, squared at 1."""
    y = solve_ivp(lambda _, y: x - y, (0, 1), [0.9, 1.4, 0.6], rtol=1e-7, atol=1e-7).y[:, -1]
    return y**2


def of_apart(x: Any) -> Any:
    left = np.exp(-1.0)
    return 2 * (x + (np.array([0.9, 1.4, 0.6]) - x) * left) * (1 - left)


def beside(c: float, d: float) -> Any:
    """The derivative of one result, with another element than its 0."""
    return lambda x: of_apart(x) * np.array([1.0, 0.0, c]) + np.array([0.0, d, 0.0])


APART = np.array([0.4, 1.2, 0.8])

CASES = [
    *cases("by shared steps, a Jacobian", check_jacobian, apart, APART, points=0)(
        Row("right", lambda x: np.diag(of_apart(x)), certified=False, verdict="undecidable"),
        Row("transposed", lambda x: np.ones((3, 3)) * of_apart(x), verdict="disagree"),
    ),
    *cases("by shared steps", check_gradient, lambda x: float(apart(x)[0]), APART, points=0)(
        Row("right", beside(0.0, 0.0), certified=False, verdict="undecidable"),
        Row("a unit too many", beside(1.0, 0.0), verdict="disagree"),
        Row("a little of another", beside(0.0, 0.1), verdict="disagree"),
    ),
    *judged("an oscillator", by(), of_squares, OSCILLATOR, "undecidable"),
    *judged("LSODA", by(method="LSODA"), of_squares, OSCILLATOR, "undecidable"),
    *judged("to 1e-6", by(rtol=1e-6, atol=1e-9), of_squares, OSCILLATOR, "agree"),
    *judged("a bisection", bisected, of_bisected, np.array([3.0, 0.7]), None),
]

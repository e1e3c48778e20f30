"""Calls of `scipy.optimize`: starts in integers and lists, bounds, points, values beside."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod

from handgrad import check_scipy
from tests.corpus.case import Case, Row, cases

START = [1.3, 0.7, 0.8, 1.9, 1.2]
T, Z = np.linspace(0.0, 1.0, 7), np.random.default_rng(1).standard_normal(9)


def gradient(x: Any) -> Any:
    return rosen_der(x) * np.where(np.arange(len(x)) == 2, -1, 1)


def hessian(x: Any) -> Any:
    h = rosen_hess(x)
    h[1, 2] *= 1.5
    return h


def product(x: Any, v: Any) -> Any:
    p = rosen_hess_prod(x, v)
    p[3] += v[4]
    return p


def with_value(x: Any) -> Any:
    return rosen(x), rosen_der(x)


def off_with_value(x: Any) -> Any:
    return rosen(x), gradient(x)


def system(x: Any) -> Any:
    return x**2 - 2, np.diag(2 * x)


# The likelihood of a normal distribution, whose deviation counts without its sign.


def likelihood(p: Any, z: Any) -> Any:
    return len(z) * np.log(np.abs(p[1])) + 0.5 * np.sum((z - p[0]) ** 2) / p[1] ** 2


def score(p: Any, z: Any) -> Any:
    s = np.abs(p[1])  # whose sign the second element lacks
    by_scale = len(z) / s - np.sum((z - p[0]) ** 2) / s**3
    return np.array([-np.sum(z - p[0]) / s**2, by_scale])


def scored(change: Any) -> dict[str, Any]:
    return {"jac": lambda p, z: change(p, score(p, z))}


def off_for_others(p: Any, z: Any) -> Any:
    return score(p, z) * np.where(z[0] == Z[0], 1.0, 1.5)


#: A point with data of its own.
OTHER = [(np.array([0.4, 1.2]), 0.5 - Z)]


def decay(t: Any, a: Any, b: Any) -> Any:
    return a * np.exp(-b * t)


def of_decay(t: Any, a: Any, b: Any) -> Any:
    return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t)], axis=1)


def at_2_alone(p: Any, g: Any) -> Any:
    return g * [1, np.where(p[1] == 2, 1.5, 1)]


BOUNDS = "interval", [-np.inf, 0], [np.inf, 9]
RIGHT = {"jac": rosen_der, "hess": rosen_hess, "hessp": rosen_hess_prod}
AGREE, REFUSED, JAC = {"verdict": "agree"}, {"verdict": "raised"}, {"jac": rosen_der}
WRONG = {"verdict": "disagree"}


def at_point(form: str, point: Any) -> Callable[..., list[Case]]:
    return cases(f"{form} as a point", check_scipy, likelihood, [0, 1], args=(Z,), points=point)


def refused(name: str, says: str, answer: Any, at: Any = START, **options: Any) -> list[Case]:
    """Return a case that ends in one line."""
    return cases(name, check_scipy, rosen, at, **options)(Row("refused", answer, says, **REFUSED))


CASES = [
    *cases("Rosenbrock's", check_scipy, rosen, START, points=1)(
        Row("right", RIGHT, "agree: jac, hess and hessp"),
        Row(
            "an entry of each is off",
            {"jac": gradient, "hess": hessian, "hessp": product},
            "hess: 1 of 25 elements, worst in row 1, column 2: yours is -420.0",
            "hess: it is not symmetric: [1, 2] is -420.0 and [2, 1] -280.0",
            "Yours has the wrong sign in x[2]",
        ),
        Row("an entry of one is off", {"jac": rosen_der, "hess": hessian}, "jac agree, hess dis"),
        Row("right, in lists", {"jac": lambda x: [rosen_der(x)]}, **AGREE),
        Row("short", {"jac": lambda x: rosen_der(x).tolist()[1:]}, "got shape (4,), expected (5,)"),
    ),
    *cases("bounds of each", check_scipy, likelihood, [0.5, 1.0], args=(Z,), domain=BOUNDS)(
        Row("right inside", {"jac": score}),
        Row("off by 0.001", scored(lambda p, g: g * [1, 1.001])),
        Row("off below 0", scored(lambda p, g: g + np.array([p[0] < 0, 0])), **WRONG),
        Row("off above 2", scored(lambda p, g: g * [1, 1 + (p[1] > 2)]), **WRONG),
    ),
    *cases("other data at a point", check_scipy, likelihood, [0.5, 1.0], args=(Z,), points=OTHER)(
        Row("right", {"jac": score}, **AGREE),
        Row("off for these data alone", {"jac": off_for_others}, **WRONG),
    ),
    *cases("beyond a bound", check_scipy, likelihood, [0, 10.0], args=Z, domain=BOUNDS)(
        Row("right", {"jac": score}, "p[1]: got 10.0, expected a number from 0 to 9", **REFUSED)
    ),
    *cases("no bounds", check_scipy, likelihood, [0.0, 1.0], args=Z)(
        Row(
            "a sign is missing",
            {"jac": score},
            "where p[1] is no longer positive: p: 1 of 2",
            "say domain=('interval', [-inf, 0.0], [inf, inf]), or",
            **WRONG,
        ),
    ),
    *cases("curve_fit of lists", check_scipy, decay, [1, 2], xdata=[0, 1, 2], points=1)(
        Row("right in integers", {"jac": of_decay})
    ),
    *cases("a value beside its gradient", check_scipy, with_value, START, points=0)(
        Row("in one call", {"jac": True, "hess": rosen_hess}, **AGREE)
    ),
    *cases("a value beside another gradient", check_scipy, off_with_value, START, points=0)(
        Row("an entry is off", {"jac": True}, "wrong sign in x[2]", **WRONG)
    ),
    *cases("root with its Jacobian", check_scipy, system, [1, 3], points=0)(
        Row("in one call", {"jac": True}, **AGREE)
    ),
    *[
        case
        for form, points in {
            "a list": [[0, 2]],
            "a tuple": [(0, 2)],
            "with args": [([0, 2], Z)],
            "a row": np.array([[0, 2]]),
        }.items()
        for case in at_point(form, points)(
            Row("off", scored(at_2_alone), "jac, at point 1", **WRONG)
        )
    ],
    *[
        case
        for form, (point, says) in {
            "one of two numbers": ([1.0], "got [1.0], expected x as x0, float64 of shape (2,), or"),
            "complex": ([1j, 2.0], "expected x as x0"),
            "with args too many": (([0, 2], Z, Z), "points[0]: got 2 args, expected 1 after x"),
        }.items()
        for case in at_point(form, [point])(Row("none", {"jac": score}, says, **REFUSED))
    ],
    *refused("nothing", "got no derivative, expected a function for jac, hess or hessp", {}),
    *refused("differences of SciPy's", "got no derivative", {"jac": "2-point"}),
    *refused("an unknown name", "jac: got '4-point', expected a function", {"jac": "4-point"}),
    *refused("a start in letters", "x0: got 'a', expected numbers to start from", JAC, "a"),
    *refused("an empty start", "x0: got [], expected numbers to start from", JAC, []),
    *refused("args beside data", "args: got (1,) beside xdata", JAC, args=(1,), xdata=T),
]

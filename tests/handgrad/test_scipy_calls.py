"""Whole calls of scipy.optimize, judged before they are run."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import (
    curve_fit,
    least_squares,
    minimize,
    root,
    rosen,
    rosen_der,
    rosen_hess,
    rosen_hess_prod,
)

from handgrad import GradientMismatch, assert_scipy, check_scipy
from tests.handgrad.only_called import OnlyCalled

START = [1.3, 0.7, 0.8, 1.9, 1.2]
T = np.linspace(0.0, 1.0, 7)
Y = np.exp(-T)


def gradient(x: Any) -> Any:
    g = rosen_der(x)
    g[2] *= -1
    return g


def hessian(x: Any) -> Any:
    h = rosen_hess(x)
    h[1, 2] *= 1.5
    return h


def product(x: Any, v: Any) -> Any:
    p = rosen_hess_prod(x, v)
    p[3] += v[4]
    return p


def residuals(p: Any, t: Any, y: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) - y


def jacobian(p: Any, t: Any, _: Any) -> Any:
    e = np.exp(-p[1] * t)
    return np.stack([e, -p[0] * t * e], axis=1)


def test_rosen_by_one_call() -> None:
    report = check_scipy(
        rosen, START, jac=rosen_der, hess=rosen_hess, hessp=rosen_hess_prod, points=1
    )
    assert report
    assert report.headline == "agree: jac, hess and hessp"
    assert list(report) == ["jac", "hess", "hessp"]
    assert [r.points for r in report.reports] == [2, 2, 2]


@pytest.mark.slow  # diagnoses of all three
def test_a_wrong_entry_of_each() -> None:
    report = check_scipy(rosen, START, jac=gradient, hess=hessian, hessp=product, points=2)
    assert repr(report) == "<CallReport: disagree, jac disagree, hess disagree, hessp disagree>"
    assert "1 of 5 elements, worst at [2]" in report["jac"].headline
    assert "1 of 25 elements, worst in row 1, column 2" in report["hess"].headline
    assert "1 of 5 elements, worst at [3]" in report["hessp"].headline
    shown = " ".join(str(report).split())
    assert "hess: 1 of 25 elements, worst in row 1, column 2: yours is -420.0" in shown
    assert "hess: it is not symmetric: [1, 2] is -420.0 and [2, 1] -280.0" in shown
    assert "Yours has the wrong sign in x[2]" in shown


@pytest.mark.slow
def test_one_wrong_among_right_ones() -> None:
    with pytest.raises(GradientMismatch) as raised:
        assert_scipy(rosen, START, jac=rosen_der, hess=hessian, points=0)
    report: Any = raised.value.report
    assert report.headline == "disagree: jac agree, hess disagree"
    assert report.failing == ("hess",)
    assert report.to_dict()["verdict"] == "disagree"


def test_the_call_says_what_each_report_says() -> None:
    """Where it is wrong, its warnings, why it is not certified, how many points are left out."""

    def likelihood(p: Any) -> Any:
        return np.log(np.abs(p[1])) + p[0] ** 2 + (np.inf if p[0] > 3 else 0)

    def of_positive(p: Any) -> Any:
        return np.array([2 * p[0], 1 / np.abs(p[1])])

    points = [(np.array(p),) for p in ([1.0, 2.0], [4.0, 2.0], [2.0, -2.0])]
    with pytest.raises(GradientMismatch) as raised:
        assert_scipy(likelihood, [1.0, 1.0], jac=of_positive, points=points)
    report: Any = raised.value.report
    for shown in (str(raised.value), str(report)):
        shown = " ".join(shown.split())
        assert "jac, at point 3, where p" in shown
        assert "no longer positive: p: 1 of 2 elements, worst at [1]" in shown
        assert report["jac"].warnings
        assert all(f"Warning: {warning}" in shown for warning in report["jac"].warnings)
        assert "jac: 1 point left out because the loss is not finite there." in shown

    called = check_scipy(OnlyCalled(lambda x: math.exp(x[0])), [1.5], jac=np.exp, points=0)
    assert called
    assert called["jac"].warnings[0].startswith("not certified: ")
    assert f"Warning: {called['jac'].warnings[0]}" in " ".join(str(called).split())
    plain = check_scipy(rosen, START, jac=rosen_der, points=0)
    assert "every element" not in str(plain)


Z = np.random.default_rng(1).standard_normal(9)


def likelihood(p: Any, z: Any) -> Any:
    """Return that of a normal distribution, whose deviation counts without its sign."""
    return len(z) * np.log(np.abs(p[1])) + 0.5 * np.sum((z - p[0]) ** 2) / p[1] ** 2


def score(p: Any, z: Any) -> Any:
    s = np.abs(p[1])  # whose sign the second element lacks
    by_scale = len(z) / s - np.sum((z - p[0]) ** 2) / s**3
    return np.array([-np.sum(z - p[0]) / s**2, by_scale])


def test_each_parameter_has_its_bounds() -> None:
    """A mean that is any number, and a deviation that is not; mistakes inside are found."""
    bounds = ("interval", [-np.inf, 0], [np.inf, 9])
    call: Any = {"args": (Z,), "domain": bounds}
    assert check_scipy(likelihood, [0.0, 1.0], jac=score, **call)
    anywhere = check_scipy(likelihood, [0.0, 1.0], jac=score, args=Z)["jac"]
    assert "where p[1] is no longer positive: p: 1 of 2" in anywhere.headline
    assert "say domain=('interval', [-inf, 0.0], [inf, inf]), or" in anywhere.warnings[0]
    for mistake in (
        lambda p, g: g * [1, 1.001],
        lambda p, g: g + np.array([p[0] < 0, 0]),  # what no bound holds back from
        lambda p, g: g * [1, np.where(p[1] > 2, 1.5, 1)],
    ):
        wrong = check_scipy(
            likelihood, [0.5, 1.0], jac=lambda p, z, m=mistake: m(p, score(p, z)), **call
        )
        assert wrong.verdict == "disagree"
    with pytest.raises(ValueError, match=r"p\[1\]: got 10.0, expected a number from 0 to 9"):
        check_scipy(likelihood, [0.0, 10.0], jac=score, **call)


def test_what_least_squares_root_and_curve_fit_take() -> None:
    """The very calls, with integers to start from, and the arguments in a tuple."""
    assert check_scipy(residuals, [1, 2], jac=jacobian, args=(T, Y), points=1)
    of_call: Any = {"jac": jacobian, "args": (T, Y)}
    assert least_squares(residuals, [1, 2], **of_call).success

    def model(t: Any, a: Any, b: Any) -> Any:
        return residuals((a, b), t, 0.0)

    def by_params(t: Any, a: Any, b: Any) -> Any:
        return jacobian((a, b), t, 0.0)

    assert check_scipy(model, [1, 2], jac=by_params, xdata=T, points=1)
    curve_fit(model, T, Y, [1, 2], jac=by_params)

    def system(x: Any, a: Any) -> Any:
        return [x[0] + a * np.cos(x[1]), x[0] * x[1] - 4]

    def of_system(x: Any, a: Any) -> Any:
        return [[1, -a * np.sin(x[1])], [x[1], x[0]]]

    assert check_scipy(system, [1, 1], jac=of_system, args=0.5, points=1)
    root(system, [1, 1], jac=of_system, args=0.5)
    wrong = check_scipy(system, [1, 1], jac=lambda x, a: np.transpose(of_system(x, a)), args=0.5)
    assert "yours is the transpose of exact" in wrong["jac"].diagnoses[0].says


@pytest.mark.slow
def test_listed_points_are_those_of_every_derivative() -> None:
    points = [(np.full(len(START), 0.5),)]
    of_rosen: Any = {"jac": rosen_der, "hess": rosen_hess, "hessp": rosen_hess_prod}
    report = check_scipy(rosen, START, **of_rosen, points=points)
    assert report
    assert [one.points for one in report.reports] == [2, 2, 2]


def test_points_are_what_x0_is() -> None:
    """Alone, with the args of the call, or with others; a mistake at one of them is found."""

    def elsewhere(p: Any, z: Any) -> Any:
        return score(p, z) * [1, np.where((p[1] == 2) & (len(z) == 9), 1.5, 1)]

    forms: Any = [[[0, 2]], [np.array([0.0, 2.0])], [(0, 2)], [([0, 2], Z)], np.array([[0, 2]])]
    for points in forms:
        wrong = check_scipy(likelihood, [0, 1], jac=elsewhere, args=(Z,), points=points)["jac"]
        assert wrong.headline.startswith("disagree at point 1")
    assert check_scipy(likelihood, [0, 1], jac=elsewhere, args=Z, points=[([0, 2], Z[:3]), [0, 3]])
    for point, message in (
        ([1.0], r"points\[0\]: got .*expected x as x0, float64 of shape \(2,\), or \(x, \*args\)"),
        (1.0, r"points\[0\]: got 1.0, expected x as x0"),
        ("ab", r"points\[0\]: got 'ab', expected x as x0"),
        ([1j, 2.0], r"points\[0\]: got .*expected x as x0"),
        (([0, 2], Z, Z), r"points\[0\]: got 2 args, expected 1 after x"),
    ):
        with pytest.raises(ValueError, match=message):
            check_scipy(likelihood, [0, 1], jac=score, args=(Z,), points=[point])


def test_lists_of_data_are_arrays() -> None:
    def model(t: Any, a: Any, b: Any) -> Any:
        return residuals((a, b), t, 0.0)

    def by_params(t: Any, a: Any, b: Any) -> Any:
        return jacobian((a, b), t, 0.0)

    assert check_scipy(model, [1, 2], jac=by_params, xdata=[0, 1, 2], points=1)
    curve_fit(model, [0, 1, 2], [1.0, 0.3, 0.1], [1, 2], jac=by_params)


def test_lists_are_arrays() -> None:
    report = check_scipy(
        rosen,
        START,
        jac=lambda x: [rosen_der(x)],
        hessp=lambda x, v: rosen_hess_prod(x, v).tolist(),
        points=0,
    )
    assert report.headline == "agree: jac and hessp"
    short = check_scipy(rosen, START, jac=lambda x: rosen_der(x).tolist()[1:], points=0)
    assert short["jac"].headline == "disagree: x: got shape (4,), expected (5,)"


def test_a_value_beside_its_derivatives() -> None:
    def both(x: Any) -> Any:
        return rosen(x), rosen_der(x)

    def of_one_element(x: Any) -> Any:
        return np.array([rosen(x)]), rosen_der(x)[None]

    for fun in (both, of_one_element):
        assert check_scipy(fun, START, jac=True, hess=rosen_hess, points=0)
    assert minimize(both, START, jac=True).success
    assert not check_scipy(lambda x: (rosen(x) + 1, gradient(x)), START, jac=True, points=0)
    # SciPy reads both from one call of `root`, too.
    assert check_scipy(lambda x: (x**2 - 2, np.diag(2 * x)), [1, 3], jac=True, points=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "check_scipy: got no derivative, expected a function for jac, hess or hessp"),
        ({"jac": "2-point"}, "check_scipy: got no derivative"),
        ({"jac": "4-point"}, "jac: got '4-point', expected a function"),
        ({"jac": rosen_der, "hess": np.eye(5)}, "hess: got array"),
        ({"jac": rosen_der, "x0": "a"}, "x0: got 'a', expected numbers to start from"),
        ({"jac": rosen_der, "x0": []}, r"x0: got \[\], expected numbers to start from"),
        ({"hess": rosen_hess, "fun": rosen_der}, r"hess: got one, but fun returns an array"),
        ({"jac": rosen_der, "fun": None}, "fun: got None, expected a function"),
        ({"jac": rosen_der, "args": (1,), "xdata": T}, r"args: got \(1,\) beside xdata"),
    ],
)
def test_what_cannot_be_judged_gets_one_line(arguments: dict[str, Any], message: str) -> None:
    given = {"fun": rosen, "x0": START} | arguments
    with pytest.raises(TypeError, match=message):
        check_scipy(**given)

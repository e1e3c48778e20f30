"""Losses in NumPy whose loops a tolerance ends: iterations, as a `while_loop` of JAX's is one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from handgrad import check_backward, check_gradient, check_hessian, check_hvp, check_jacobian
from tests.tiers import one_of_each

Function = Callable[[Any], Any]


def of_roots(p: Any) -> Any:
    return 0.5 / np.sqrt(p)


def of_product(p: Any) -> Any:
    return np.array([p[1] / 2 / np.sqrt(p[0]), np.sqrt(p[0])])


def of_cubic(p: Any) -> Any:
    """By the implicit function theorem at x³ + p₁x = p₀."""
    x = 1.0
    for _ in range(60):
        x = x - (x**3 - p[0] + p[1] * x) / (3 * x * x + p[1])
    return np.array([1, -x]) / (3 * x * x + p[1])


def while_it_is_far(p: Any) -> Any:
    s = p[0]
    while not abs(s * s - p[0]) <= 1e-5:
        s = (s + p[0] / s) / 2
    return s * p[1]


def until_a_norm_is_small(p: Any) -> Any:
    x = np.ones(2)
    while True:
        new = (x + p / x) / 2
        if np.linalg.norm(new - x) < 1e-5:
            break
        x = new
    return x.sum()


def until_all_are_close(p: Any) -> Any:
    x = np.ones(2)
    for _ in range(50):
        new = 0.3 * np.cos(x) + p
        if np.allclose(new, x):
            break
        x = new
    return x.sum()


def of_fixed_point(p: Any) -> Any:
    x = np.ones(2)
    for _ in range(99):
        x = 0.3 * np.cos(x) + p
    return 1 / (1 + 0.3 * np.sin(x))


def a_function_for_each(p: Any) -> Any:
    def root(a: Any) -> Any:
        x = a
        while True:
            new = (x + a / x) / 2
            if abs(new - x) < 1e-5 * abs(new):
                return x
            x = new

    return sum(root(a) for a in p)


def a_loop_in_a_loop(p: Any) -> Any:
    total = 0.0
    for a in p:
        x = a
        while abs(x * x - a) > 1e-5:
            x = (x + a / x) / 2
        total = total + x
    return total


def a_function_that_compares(p: Any) -> Any:
    def close(a: Any, b: Any) -> Any:
        return abs(a - b) <= 1e-5

    total = 0.0
    for a in p:
        x, old = a, 0.0
        while not close(x, old):
            old, x = x, (x + a / x) / 2
        total = total + old
    return total


def elements_one_by_one(p: Any) -> Any:
    x = list(p)
    while not all(abs(v * v - a) < 1e-5 for v, a in zip(x, p, strict=True)):
        x = [(v + a / v) / 2 for v, a in zip(x, p, strict=True)]
    return x[0] + x[1]


def that_raises_after_six(p: Any) -> Any:
    x = p
    for _ in range(6):
        new = (x + p / x) / 2
        if np.max(np.abs(new - x)) < 1e-5:
            break
        x = new
    else:
        raise RuntimeError("no convergence")
    return x.sum()


def by_secants(p: Any) -> Any:
    """Its steps divide by what becomes 0."""

    def f(x: Any) -> Any:
        return x**3 - p[0] + p[1] * x

    old, x = 1.0 + 0 * p[0], 2.0 + 0 * p[0]
    while abs(x - old) > 1e-4:
        old, x = x, x - f(x) * (x - old) / (f(x) - f(old))
    return x


def a_series(p: Any) -> Any:
    total = term = 1.0 + 0 * p[0]
    k = 0
    while abs(term) > 1e-6:
        k += 1
        term = term * p[0] / k
        total = total + term
    return total


def of_transport(c: Any) -> Any:
    """Sinkhorn's iteration; the gradient of the dual value is the plan."""
    return _transport(c, 1e-12)[0].reshape(-1)


def _transport(c: Any, tolerance: float = 1e-6) -> Any:
    a, b, kernel = np.array([0.4, 0.6]), np.array([0.3, 0.7]), np.exp(-c.reshape(2, 2) / 0.3)
    u = np.ones(2)
    while True:
        v = b / (kernel.T @ u)
        new = a / (kernel @ v)
        if np.max(np.abs(new - u)) < tolerance:
            break
        u = new
    plan = u[:, None] * kernel * v
    return plan, 0.3 * (a @ np.log(u) + b @ np.log(v) - plan.sum())


def largest_eigenvalue(p: Any) -> Any:
    m, v = SYMMETRIC + np.diag(p), np.ones(3) / np.sqrt(3)
    for _ in range(1000):
        w = m @ v
        w = w / np.sqrt(w @ w)
        d, v = w - v, w
        if np.sqrt(d @ d) < 1e-3:
            break
    return v @ m @ v


SYMMETRIC = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])


def of_eigenvalue(p: Any) -> Any:
    return np.linalg.eigh(SYMMETRIC + np.diag(p))[1][:, -1] ** 2


TWO = [3.0, 0.7]

#: The loss, its gradient, and where.
ITERATIONS: dict[str, tuple[Function, Function, list[float]]] = {
    "while": (while_it_is_far, of_product, TWO),
    "a norm": (until_a_norm_is_small, of_roots, TWO),
    "allclose": (until_all_are_close, of_fixed_point, TWO),
    "a function for each": (a_function_for_each, of_roots, TWO),
    "a loop in a loop": (a_loop_in_a_loop, of_roots, TWO),
    "a function that compares": (a_function_that_compares, of_roots, TWO),
    "one by one": (elements_one_by_one, of_roots, TWO),
    "raises": (that_raises_after_six, of_roots, TWO),
    "secants": (by_secants, of_cubic, [2.0, 0.5]),
    "a series": (a_series, np.exp, [0.7]),
    "Sinkhorn": (lambda c: _transport(c)[1], of_transport, [0.1, 0.9, 0.7, 0.3]),
    "power iteration": (largest_eigenvalue, of_eigenvalue, [0.3, 0.1, 0.5]),
}


def wrong(gradient: Function) -> list[Function]:
    """The other sign, double, a missing term, and one element off by a thirtieth."""

    def first(g: Any, factor: float) -> Any:
        return g * np.where(np.arange(g.size) == 0, factor, 1.0)

    return [
        lambda p: -gradient(p),
        lambda p: 2 * gradient(p),
        lambda p: first(gradient(p), 0.0),
        lambda p: first(gradient(p), 1.03),
    ]


@pytest.mark.parametrize("dtype", one_of_each([np.float64, np.float32], [np.float64]))
@pytest.mark.parametrize("name", one_of_each(ITERATIONS, ["while", "one by one", "secants"]))
def test_the_gradient_of_what_an_iteration_approximates(name: str, dtype: Any) -> None:
    loss, gradient, at = ITERATIONS[name]
    at = np.array(at, dtype)

    def in_format(of: Function) -> Function:
        return lambda p: np.asarray(of(p.astype(np.float64)), dtype)

    report = check_gradient(in_format(gradient), loss, at, points=0)
    assert (report.verdict, report.certified) == ("agree", True), str(report)
    for mistaken in wrong(gradient):
        assert check_gradient(in_format(mistaken), loss, at, points=0).verdict == "disagree"


def test_what_an_iteration_leaves_out_is_said() -> None:
    loss, gradient, at = ITERATIONS["allclose"]
    report = check_gradient(gradient, loss, np.array(at), points=0)
    assert "the loss stops an iteration at a tolerance, which leaves out" in report.warnings[-1]


def test_a_gradient_that_stops_early_has_the_right_formula() -> None:
    """At a solution the loss is flat, and less far off than the plan, which is its gradient."""
    loss, _, at = ITERATIONS["Sinkhorn"]

    def plan(c: Any) -> Any:
        return _transport(c)[0].reshape(-1)

    report = check_gradient(plan, loss, np.array(at), points=0)
    assert report.verdict == "imprecise", str(report)
    wrong = check_gradient(lambda c: plan(c) * 1.00001, loss, np.array(at), points=0)
    assert wrong.verdict == "disagree"


def trained(p: Any, steps: int | None = None) -> Any:
    """Fit a line to p[0] at the rate p[1] until the fit hardly improves, or in so many steps."""
    w, before, at = 0.0, np.inf, np.array([0.3, -1.2, 0.8])
    for _ in range(200 if steps is None else steps):
        rest = at * w - p[0]
        if steps is None and abs(before - rest @ rest) < 1e-4:
            break
        before = rest @ rest
        w = w - p[1] * 2 * (at @ rest)
    return np.exp(w)


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1, "agree"), (1.001, "undecidable"), (2, "disagree")]
)
def test_a_loop_of_as_many_steps_on_both_sides_has_its_own_gradient(
    factor: float, verdict: str
) -> None:
    at = np.array([2.0, 0.05])
    steps = next(n for n in range(200) if trained(at, n) == trained(at))
    # By complex steps, which lose no digits.
    right = np.array([trained(at + 1e-40j * d, steps).imag / 1e-40 for d in np.eye(2)])
    report = check_gradient(lambda _: factor * right, trained, at, points=0)
    assert (report.verdict, report.certified) == (verdict, True), str(report)


def halved(p: Any, tolerance: float, end: Any = 0.0) -> Any:
    low, high, middle = end, end + 10.0, 0.0
    while high - low > tolerance:
        middle = (low + high) / 2
        if middle * middle > p[0]:
            high = middle
        else:
            low = middle
    return middle * p[1]


@pytest.mark.parametrize("of_series", [True, False])
def test_a_bisection_is_judged_by_differences_since_its_slopes_are_none(of_series: bool) -> None:
    def loss(p: Any) -> Any:
        return halved(p, 1e-10, 0.0 * p[0] if of_series else 0.0)

    report = check_gradient(of_product, loss, np.array(TWO), points=0)
    assert (report.verdict, report.certified) == ("agree", False), str(report)
    assert "its slopes are not those of what it approximates" in report.warnings[-1]
    for mistaken in wrong(of_product)[:3]:
        assert check_gradient(mistaken, loss, np.array(TWO), points=0).verdict == "disagree"


def second_of(root: Function) -> tuple[Function, Function]:
    """A function of two results, and a scalar."""
    return lambda p: np.array([root(p[0]) * p[1], root(p[1])]), lambda p: root(p[0]) * p[1] ** 2


def its_jacobian(p: Any) -> Any:
    a, b = np.sqrt(p)
    return np.array([[p[1] / 2 / a, a], [0, 1 / 2 / b]])


def its_hessian(p: Any) -> Any:
    a, mixed = np.sqrt(p[0]), p[1] / np.sqrt(p[0])
    return np.array([[-(p[1] ** 2) / 4 / a**3, mixed], [mixed, 2 * a]])


@pytest.mark.slow
@pytest.mark.parametrize("by_halves", [False, True])
def test_matrices_products_and_steps(by_halves: bool) -> None:
    def root(a: Any) -> Any:
        return halved(np.array([a, 1.0]), 1e-11) if by_halves else a_loop_in_a_loop([a])

    (fun, scalar), at = second_of(root), np.array(TWO)
    v = np.array([0.3, 0.9])
    for f, verdict in ((1.0, "agree"), (-1.0, "disagree"), (2.0, "disagree")):
        reports = [
            check_jacobian(lambda p, f=f: f * its_jacobian(p), fun, at, points=0),
            check_hessian(lambda p, f=f: f * its_hessian(p), scalar, at, points=0),
            check_hvp(lambda p, v, f=f: f * its_hessian(p) @ v, scalar, at, v=v, points=0),
        ]
        if not by_halves:
            reports += [
                check_backward(
                    lambda x: (np.array([root(a) for a in x]), x),
                    lambda d, x, f=f: f * d / 2 / np.sqrt(x),
                    at,
                    points=0,
                )
            ]
        for report in reports:
            assert (report.verdict, report.certified) == (verdict, not by_halves), str(report)


def of_signs(p: Any) -> Any:
    total = 0.0
    for v in p:
        total = total + (v * v if v > 0 else -3 * v)
    return total


def up_to(p: Any) -> Any:
    """A loop that data end: going on would add as much again."""
    total = 0.0
    for v in p:
        total = total + v
        if total > 1.0:
            break
    return total * total


@pytest.mark.parametrize(
    ("loss", "gradient", "at"),
    [
        (of_signs, lambda p: np.where(p > 0, 2 * p, -3), [0.9, -1.2, 0.4, 2.0]),
        (of_signs, lambda p: np.where(p > 0, 2 * p, -3), [0.9, -1.2, 1e-9, -1e-7]),
        (up_to, lambda p: 2 * p[:2].sum() * np.array([1, 1, 0, 0]), [0.9, 1.2, 0.9, 2.0]),
    ],
)
def test_comparisons_that_end_no_iteration_leave_nothing_out(
    loss: Function, gradient: Function, at: list[float]
) -> None:
    report = check_gradient(gradient, loss, np.array(at), points=1)
    assert (report.verdict, report.certified) == ("agree", True)
    assert not any("tolerance" in warning for warning in report.warnings)
    slip = check_gradient(lambda p: gradient(p) * (1 + 1e-9), loss, np.array(at), points=0)
    assert slip.verdict == "disagree"

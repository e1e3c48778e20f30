"""Losses with iterations that stop at a tolerance, which is not where what they seek is."""

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.experimental.ode import odeint
from jax.scipy.sparse import linalg
from jax.scipy.special import betainc

from handgrad import check_custom, check_gradient, check_jacobian, exact_gradient
from handgrad.judging.verdict import _left_out
from handgrad.oracle.certify import certify
from handgrad.oracle.reference import UndecidableError
from handgrad.oracle.truncation import MOST, Changes, truncation
from handgrad.program.adaptive import adaptive
from handgrad.program.equations import equations
from tests.handgrad.oracle.problems import problem

pytestmark = pytest.mark.usefixtures("measured_once")

A = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
C = np.array([1.0, -2.0, 0.5])

Gradient = Callable[..., Any]


def verdict(gradient: Gradient, loss: Gradient, at: Any, *inputs: Any, points: int = 0) -> str:
    return check_gradient(gradient, loss, np.asarray(at), *inputs, points=points).verdict


def wrong_ones(right: Gradient) -> list[Gradient]:
    """0, double, the other sign, and one element off by 1e-6."""

    def of(change: Callable[[np.ndarray], np.ndarray]) -> Gradient:
        return lambda *point: change(np.asarray(right(*point)))

    def one_off(g: np.ndarray) -> np.ndarray:
        return g * (1 + 1e-6 * (np.arange(g.size) == 0))

    return [of(lambda g: 0 * g), of(lambda g: 2 * g), of(lambda g: -g), of(one_off)]


def of_system(b: Any) -> Any:
    return jnp.dot(C, linalg.cg(A, b)[0])


def by_solving(_: Any) -> Any:
    return np.linalg.solve(A.T, C)


def test_a_solver_that_ends_at_once() -> None:
    at = np.zeros(3)
    assert verdict(by_solving, of_system, at) == "agree"
    assert verdict(lambda b: 0 * b, of_system, at) == "disagree"


def left_out(loss: Callable[[Any], Any], at: Any) -> Changes:
    case = problem(loss, np.asarray(at))
    return truncation(case, certify(case))


def test_what_a_solver_that_ends_early_leaves_out() -> None:
    """Three conjugate directions have the whole solution, two of them do not."""
    two, three = (
        left_out(lambda b, n=n: jnp.dot(C, linalg.cg(A, b, maxiter=n)[0]), [1.0, -0.3, 2.0])
        for n in (2, 3)
    )
    assert (np.append(two.loss, two.gradient) > 0.01).all()
    assert (np.append(three.loss, three.gradient) < 1e-12).all()


def test_what_a_loop_leaves_out_takes_more_bits_than_the_loop() -> None:
    """Each of its iterations loses 50 bits more where large numbers cancel."""

    def of(large: float) -> Callable[[Any], Any]:
        def step(s: Any) -> Any:
            return large * s[0] - (large - 0.5) * s[0] + 0.5 * jnp.cos(s[0]), s[0]

        return lambda y: lax.while_loop(lambda s: jnp.abs(s[0] - s[1]) > 0.1, step, (y, y + 1))[0]

    plain, cancelling = left_out(of(1.0), 0.3), left_out(of(2.0**50), 0.3)
    assert cancelling.loss == plain.loss > 0.05
    assert cancelling.gradient == plain.gradient > 0.2


def test_a_change_of_the_loss_by_a_quarter_may_still_be_an_approximation() -> None:
    """It falls by 3/16 and 1/16 of itself; a little more, and the loop approximates nothing."""

    def of(first: float) -> Callable[[Any], Any]:
        def step(s: Any) -> Any:
            return s[0] - s[1], s[1] - 2 / 16, s[2]

        def goes_on(s: Any) -> Any:
            return s[0] > 20 * s[2]

        return lambda p: lax.while_loop(goes_on, step, (p, first, p / 16))[0]

    assert left_out(of(3 / 16), 1.0).loss == 4 * 0.25
    assert left_out(of(3.01 / 16), 1.0).loss == 0


@pytest.mark.parametrize(("n", "alone"), [(MOST, True), (MOST + 1, False)])
def test_what_a_loop_leaves_out_belongs_to_an_element_if_there_are_few(n: int, alone: bool) -> None:
    changes = left_out(lambda p: jnp.sum(p[1:]) + newton(p[0], 1.7, 1e-3), np.full(n, 3.0))
    assert changes.gradient[0] > 0
    assert (changes.gradient[1:] == 0).all() == alone


def drifting(orders: int) -> Callable[[Any], Any]:
    """A loop that adds to a number, to its difference, and so on; it ends at once."""

    def step(s: Any) -> Any:
        return (*(a + b for a, b in pairwise(s)), s[-1])

    def loss(p: Any) -> Any:
        start = (p, *[p * 2.0**-21] * orders)
        return lax.while_loop(lambda s: s[0] > 2.0, step, start)[0]

    return loss


def test_changes_that_grow_and_grow() -> None:
    """In proportion, as of an approximation that is not in sight; or faster, as of none."""
    with pytest.raises(UndecidableError, match="changes the gradient more and more"):
        left_out(drifting(1), 1.0)
    assert left_out(drifting(3), 1.0).loss == 0


def fixed_point(y: Any) -> Any:
    """Solve x = ½·cos x + y."""

    def step(s: Any) -> Any:
        return 0.5 * jnp.cos(s[0]) + y, s[0]

    start = jnp.zeros_like(y), jnp.ones_like(y)
    return lax.while_loop(lambda s: jnp.abs(s[0] - s[1]) > 1e-8, step, start)[0]


def implicit(factor: float) -> Any:
    """Return `fixed_point` with its rule by the implicit function theorem, times a factor."""
    f = jax.custom_vjp(fixed_point)

    def forward(y: Any) -> Any:
        x = f(y)
        return x, x

    f.defvjp(forward, lambda x, c: (factor * c / (1 + 0.5 * jnp.sin(x)),))
    return f


@pytest.mark.slow
def test_a_rule_of_a_loop_that_stops_at_a_tolerance() -> None:
    report = check_custom(implicit(1.0), 0.7, points=0)
    assert report.verdict == "agree"
    assert any("stops an iteration at a tolerance" in warning for warning in report.warnings)
    assert check_custom(implicit(1 + 1e-6), 0.7, points=0).verdict == "disagree"


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.0, 2.0, -1.0])
def test_wrong_rules_of_a_loop_that_stops_at_a_tolerance(factor: float) -> None:
    assert check_custom(implicit(factor), 0.7, points=1).verdict == "disagree"


def test_of_what_an_iteration_leaves_out_the_largest_fraction_is_said() -> None:
    left_out, exact = np.array([1e-8, 2e-9, 0.0]), np.array([1.0, -1e-6, 0.0])
    certified = SimpleNamespace(certified=True)
    ruling: Any = SimpleNamespace(left_out=left_out, exact=exact, reference=certified)
    (warning,) = _left_out([ruling])
    assert "leaves out up to 2e-09 of an element of size 1e-06" in warning


def test_a_loss_that_jax_cannot_differentiate_backwards() -> None:
    def doubled(p: Any) -> Any:
        return p[1] * lax.while_loop(lambda v: v < 100.0, lambda v: v * 2.0, p[0])

    report = check_gradient(lambda p: 32 * p[::-1], doubled, np.array([4.0, 0.7]), points=0)
    assert (report.verdict, report.leaves[0].autodiff) == ("agree", report.leaves[0].yours)
    assert not report.warnings
    assert verdict(lambda p: 16 * p[::-1], doubled, [4.0, 0.7]) == "disagree"


@jax.custom_vjp
def incomplete_beta(a: Any, b: Any, x: Any) -> Any:
    return betainc(a, b, x)


def _density(_: Any, saved: Any, c: Any) -> Any:
    a, b, x = saved
    return jnp.zeros_like(a), jnp.zeros_like(b), c * x ** (a - 1)


incomplete_beta.defvjp(
    lambda a, b, x: (incomplete_beta(a, b, x), (a, b, x)), lambda s, c: _density(None, s, c)
)


@pytest.mark.slow
def test_a_function_that_jax_cannot_differentiate_at_all() -> None:
    at = np.array([1.5, 2.5, 0.3])
    # ∂/∂a and ∂/∂b by differences of mpmath's function in 40 digits; the density in closed form.
    right = np.array([-0.30755699513052623, 0.15116264414909963, 1.6337206456367985])

    def loss(p: Any) -> Any:
        return betainc(p[0], p[1], p[2])

    report = check_gradient(lambda p: right, loss, at, points=0)
    assert (report.verdict, report.blame) == ("agree", None)
    assert np.isnan(report.leaves[0].autodiff)
    assert verdict(lambda p: right * [1, 1 + 1e-6, 1], loss, at) == "disagree"
    found = check_custom(incomplete_beta, 1.5, 2.5, 0.3, points=0)
    assert {f.leaf for f in found.findings} == {"a", "b", "x"}


def solved_by(solve: Callable[..., Any]) -> tuple[Gradient, Gradient]:
    """The loss C @ x of a system, and JAX's gradient of it, which is compiled once."""

    def loss(b: Any, a: Any) -> Any:
        return jnp.dot(C, solve(a, b)[0])

    return loss, jax.jit(jax.grad(loss))


SOLVERS = {name: solved_by(getattr(linalg, name)) for name in ("cg", "bicgstab", "gmres")}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A, np.zeros(3)),
        (3 * np.eye(3), np.array([1.0, 2.0, 3.0])),
        (np.diag([2.0, 3.0, 5.0]), np.array([0.0, 1.0, 0.0])),
        (A, np.array([1.0, -0.3, 2.0])),
    ],
    ids=["zero", "multiple", "eigenvector", "general"],
)
def test_systems_solved_by_iteration(name: str, a: np.ndarray, b: np.ndarray) -> None:
    def right(_: Any, a: Any) -> Any:
        return np.linalg.solve(a.T, C)

    loss, by_jax = SOLVERS[name]
    assert verdict(right, loss, b, a) == "agree"
    assert verdict(by_jax, loss, b, a) == "agree"
    for wrong in wrong_ones(right):
        assert verdict(wrong, loss, b, a) == "disagree"


@pytest.mark.slow
def test_a_system_whose_solver_is_far_from_the_solution() -> None:
    rng = np.random.default_rng(0)
    m = rng.normal(size=(11, 11))
    a, c, at = m @ m.T / 11 + np.eye(11) / 2, rng.normal(size=11), rng.normal(size=11)

    def loss(b: Any) -> Any:
        return jnp.dot(c, jnp.sin(linalg.cg(a, b, tol=1e-7)[0]))

    def right(b: Any) -> Any:
        return np.linalg.solve(a, c * np.cos(np.linalg.solve(a, b)))

    assert verdict(right, loss, at) == "agree"
    assert verdict(jax.jit(jax.grad(loss)), loss, at) in ("agree", "imprecise")
    for wrong in wrong_ones(right)[:3]:
        assert verdict(wrong, loss, at) == "disagree"


def newton(y: Any, start: Any, tolerance: float = 1e-10) -> Any:
    def step(x: Any) -> Any:
        return x - (x * x - y) / (2 * x)

    return lax.while_loop(lambda x: jnp.abs(x * x - y) > tolerance, step, start)


def of_root(p: Any) -> Any:
    return np.array([p[1] / 2 / np.sqrt(p[0]), np.sqrt(p[0])])


@pytest.mark.slow
def test_newtons_iteration() -> None:
    def loss(p: Any) -> Any:
        return newton(p[0], 2.0) * p[1]

    assert verdict(of_root, loss, [3.0, 0.7], points=2) == "agree"
    assert verdict(jax.jit(jax.jacfwd(loss)), loss, [3.0, 0.7], points=2) == "agree"
    for wrong in wrong_ones(of_root):
        assert verdict(wrong, loss, [3.0, 0.7]) == "disagree"


@pytest.mark.slow
def test_newtons_iteration_from_the_root_itself_decides_nothing_there() -> None:
    def loss(p: Any) -> Any:
        return newton(p[0], 2.0) * p[1]

    assert verdict(of_root, loss, [4.0, 0.7]) == "undecidable"
    report = check_gradient(lambda p: np.array([0.0, 2.0]), loss, np.array([4.0, 0.7]), points=0)
    assert report.verdict == "undecidable"
    assert "the loss stops an iteration at a tolerance" in report.headline
    assert verdict(lambda p: np.array([0.0, 2.1]), loss, [4.0, 0.7]) == "disagree"


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_a_gradient_with_a_loop_that_stops_early_has_the_right_formula(compiled: bool) -> None:
    def of_it(p: Any) -> Any:
        root = newton(p[0], 2.0, 1e-6)
        return jnp.stack([p[1] / 2 / root, root])

    gradient = jax.jit(of_it) if compiled else of_it
    for wrong, expected in ((1.0, "imprecise"), (1.00001, "disagree")):
        found = verdict(
            lambda p, f=wrong: f * gradient(p), lambda p: p[1] * p[0] ** 0.5, [3.0, 0.7]
        )
        assert found == expected


def conjugate(a: np.ndarray, b: Any) -> Any:
    """Solve a @ x = b by conjugate gradients, as a loop of one's own."""

    def step(s: Any) -> Any:
        x, r, p = s
        ap = a @ p
        size = (r @ r) / (p @ ap)
        after = r - size * ap
        return x + size * p, after, after + (after @ after) / (r @ r) * p

    return lax.while_loop(lambda s: s[1] @ s[1] > 1e-20, step, (jnp.zeros_like(b), b, b))[0]


@pytest.mark.slow
def test_conjugate_gradients_that_find_the_solution() -> None:
    diagonal = np.diag([2.0, 3.0, 5.0])
    at = np.array([1.0, -0.3, 2.0])
    assert verdict(by_solving, lambda b: conjugate(A, b) @ C, at) == "agree"
    for wrong in wrong_ones(by_solving):
        assert verdict(wrong, lambda b: conjugate(A, b) @ C, at) == "disagree"
    for a, b in ((A, np.zeros(3)), (diagonal, np.array([0.0, 1.0, 0.0]))):
        for gradient in (lambda b, a=a: np.linalg.solve(a, C), lambda b: 0 * b):
            assert verdict(gradient, lambda b, a=a: conjugate(a, b) @ C, b) == "undecidable"


def halve(s: Any, y: Any) -> Any:
    """Halve the interval that √y is in."""
    middle = (s[0] + s[1]) / 2
    above = middle * middle > y
    return jnp.where(above, s[0], middle), jnp.where(above, middle, s[1])


def test_a_bisection_by_the_difference_of_two_equal_numbers_has_no_slopes_of_its_own() -> None:
    """Where both parameters move by as much, it stays as it is."""

    def loss(p: Any) -> Any:
        apart, start = p[0] - p[1], (0 * p[0], 5 + p[1] - p[0])
        return lax.while_loop(lambda s: s[1] - s[0] > 1e-6, lambda s: halve(s, 2 + apart), start)[0]

    with pytest.raises(UndecidableError, match="its slopes are not those"):
        left_out(loss, [1.0, 1.0])


@pytest.mark.slow
@pytest.mark.parametrize("high", [10.0, None])
def test_a_bisection_has_no_slopes_of_its_own(high: float | None) -> None:
    def loss(p: Any) -> Any:
        start = 0 * p[0], 1 + p[0] if high is None else high + 0 * p[0]
        return (
            p[1] * lax.while_loop(lambda s: s[1] - s[0] > 1e-12, lambda s: halve(s, p[0]), start)[0]
        )

    for gradient in (of_root, lambda p: 0 * p, lambda p: 2 * of_root(p)):
        assert verdict(gradient, loss, [2.0, 3.0]) in ("undecidable", "disagree")
    assert verdict(of_root, loss, [2.0, 3.0]) == "undecidable"


@pytest.mark.slow
def test_loops_that_end_by_a_count_or_on_data_alone_are_exact() -> None:
    def counted(p: Any) -> Any:
        def goes_on(s: Any) -> Any:
            return (s[0] < 5) & (jnp.abs(s[1] - 0.739) > 1e-9)

        return p[1] * lax.while_loop(goes_on, lambda s: (s[0] + 1, jnp.cos(s[1])), (0, p[0]))[1]

    def timed(p: Any) -> Any:
        def step(s: Any) -> Any:
            return s[0] + 0.1, s[1] + 0.1 * jax.nn.relu(p[1] - s[1])

        return lax.while_loop(lambda s: s[0] < 0.95, step, (0.0, p[0]))[1]

    for loss in (counted, timed):
        right = jax.jit(jax.jacfwd(loss))
        report = check_gradient(right, loss, np.array([0.3, 0.7]), points=1)
        assert report.verdict == "agree"
        assert not any("tolerance" in warning for warning in report.warnings)
        for wrong in wrong_ones(right):
            assert verdict(wrong, loss, [0.3, 0.7]) == "disagree"


@pytest.mark.slow
def test_a_root_with_its_own_rule() -> None:
    def loss(p: Any) -> Any:
        def solve(f: Any, start: Any) -> Any:
            step = lambda x: x - f(x) / jax.grad(f)(x)  # noqa: E731
            return lax.while_loop(lambda x: jnp.abs(f(x)) > 1e-6, step, start)

        def tangent(g: Any, y: Any) -> Any:
            return y / g(1.0)

        return p[1] * lax.custom_root(lambda x: x**3 - p[0], jnp.ones_like(p[0]), solve, tangent)

    def right(p: Any) -> Any:
        return np.array([p[1] / 3 * p[0] ** (-2 / 3), np.cbrt(p[0])])

    assert verdict(right, loss, [2.0, 3.0], points=2) == "agree"
    assert verdict(jax.jit(jax.grad(loss)), loss, [2.0, 3.0], points=2) == "agree"
    for wrong in wrong_ones(right):
        assert verdict(wrong, loss, [2.0, 3.0]) == "disagree"


def solved(p: Any, **options: Any) -> Any:
    """Lotka and Volterra's equations, to 2."""

    def rhs(y: Any, _: Any, p: Any) -> Any:
        eaten = p[1] * y[0] * y[1]
        return jnp.stack([p[0] * y[0] - eaten, eaten - p[2] * y[1]])

    return odeint(rhs, jnp.array([1.2, 0.9]), jnp.array([0.0, 2.0]), p, **options)[-1]


def by_own_steps(p: Any, choose: Any) -> Any:
    """Euler's method, whose step is kept or tried again by an estimate of its error."""

    def step(s: Any) -> Any:
        t, h, y = s
        error = jnp.abs(h * h * p * p * y) / 2
        after = h * jnp.sqrt(1e-4 / error) * 0.9
        return choose(error <= 1e-4, (t + h, after, y - h * p * y), (t, after, y))

    return lax.while_loop(lambda s: s[0] < 1.0, step, (0.0, 0.1, p))[2]


def by_where(test: Any, one: Any, other: Any) -> Any:
    return tuple(jnp.where(test, a, b) for a, b in zip(one, other, strict=True))


def by_cond(test: Any, one: Any, other: Any) -> Any:
    return lax.cond(test, lambda: one, lambda: other)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda p: jnp.sum(solved(jnp.stack([p, p, p]))), True),
        (lambda p: by_own_steps(p, by_where), True),
        (lambda p: by_own_steps(p, by_cond), True),
        (lambda p: jnp.sum(jax.vmap(lambda q: by_own_steps(q, by_where))(p * jnp.ones(3))), True),
        (lambda p: lax.while_loop(lambda v: v < 100.0, lambda v: v * 2.0, p), False),
        (lambda p: newton(p, 2.0), False),
        (lambda p: jnp.sum(jax.vmap(lambda q: newton(q, 2.0))(p * jnp.ones(3))), False),
        (lambda p: jnp.sum(linalg.gmres(A, p * C)[0]), False),
        (lambda p: jnp.sum(linalg.bicgstab(A, p * C)[0]), False),
        (
            lambda p: lax.while_loop(
                lambda s: s[1] - s[0] > 1e-9, lambda s: halve(s, p), (0 * p, 9 + p)
            )[0],
            False,
        ),
    ],
)
def test_which_loops_choose_their_steps(loss: Any, expected: bool) -> None:
    with jax.enable_x64(True):
        program = jax.make_jaxpr(loss)(1.1)
    loops = [eqn for eqn in equations(program.jaxpr) if eqn.primitive.name == "while"]
    assert [adaptive(eqn) for eqn in loops] == [expected] * len(loops) != []


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"rtol": 1e-10, "atol": 1e-10}, {"rtol": 1e-5}])
def test_a_solver_that_chooses_its_steps_is_judged_by_differences(options: Any) -> None:
    at = np.array([1.1, 0.6, 0.8])

    def loss(p: Any) -> Any:
        return jnp.sum(solved(p, **options) ** 2)

    with jax.enable_x64(True):
        exact = jax.grad(lambda p: jnp.sum(solved(p, rtol=1e-13, atol=1e-13) ** 2))(at)
        of_jax, right = np.asarray(jax.jit(jax.grad(loss))(at)), np.asarray(exact)
        matrix = np.asarray(jax.jacrev(lambda p: solved(p, rtol=1e-13, atol=1e-13))(at))
    for gradient in (right, of_jax):
        report = check_gradient(lambda _, g=gradient: g, loss, at, points=0)
        assert report.verdict != "disagree", str(report)
        assert not report.certified
    for wrong in (-right, 2 * right, right * [1, 0, 1], right[[1, 0, 2]]):
        assert check_gradient(lambda _, g=wrong: g, loss, at, points=0).verdict == "disagree"
    for factor, verdicts in ((1, ("agree", "undecidable")), (-1, ("disagree",))):
        function = lambda p: solved(p, **options)  # noqa: E731
        report = check_jacobian(lambda _, f=factor: f * matrix, function, at, points=0)
        assert report.verdict in verdicts
        assert not report.certified
    with pytest.raises(NotImplementedError, match="there is no rule for a loop that chooses its"):
        exact_gradient(loss, at)

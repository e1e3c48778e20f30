"""Loops in JAX that a tolerance ends: what is due is the slope of what they seek."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental.ode import odeint
from jax.scipy.sparse import linalg
from jax.scipy.special import betainc

from handgrad import check_custom, check_gradient
from tests.corpus.case import Case, Row, cases
from tests.corpus.rows.loops_in_numpy import LEFT_OUT, TWO, of_product, off

# Systems that are solved by iteration.

A, C = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]]), np.array([1.0, -2.0, 0.5])
P, O3, DIAGONAL, GENERAL = (
    np.float64(0.3),
    np.zeros(3),
    np.diag([2.0, 3.0, 5.0]),
    np.array([1.0, -0.3, 2.0]),
)


def system(solve: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda b, a: jnp.dot(C, solve(a, b)[0])


def by_solving(_: Any, a: Any) -> Any:
    return np.linalg.solve(a.T, C)


def systems() -> list[Case]:
    found: list[Case] = []
    for solver, where, a, b, due in (
        (linalg.cg, "0", A, O3, "agree"),
        (linalg.cg, "an eigenvector", DIAGONAL, np.array([0.0, 1.0, 0.0]), "undecidable"),
        (linalg.cg, "a general vector", A, GENERAL, "agree"),
        (linalg.gmres, "a vector, not symmetric", A + np.triu(A), GENERAL, "agree"),
    ):
        name, why = f"{solver.__name__} at {where}", "`custom_linear_solve` by an iteration"
        found += cases(name, check_gradient, system(solver), b, a, points=0)(
            Row("right", by_solving, why, verdict=due, certified=False),
            Row("JAX's", jax.jit(jax.grad(system(solver))), verdict=due, certified=False),
            Row("the first element off by 1e-6", off(by_solving, 1e-6), verdict="undecidable"),
            Row("twice", lambda *at: 2 * by_solving(*at), verdict="disagree"),
        )
    return found


def conjugate(b: Any, a: Any) -> Any:
    """Solve a @ x = b by conjugate gradients, as a loop of one's own."""

    def step(s: Any) -> Any:
        x, r, p = s
        ap = a @ p
        size = (r @ r) / (p @ ap)
        after = r - size * ap
        return x + size * p, after, after + (after @ after) / (r @ r) * p

    return C @ lax.while_loop(lambda s: s[1] @ s[1] > 1e-20, step, (jnp.zeros_like(b), b, b))[0]


# Roots.


def newton(y: Any, start: Any, tolerance: float = 1e-10) -> Any:
    def step(x: Any) -> Any:
        return x - (x * x - y) / (2 * x)

    return lax.while_loop(lambda x: jnp.abs(x * x - y) > tolerance, step, start)


def by_newton(p: Any) -> Any:
    return newton(p[0], 2.0) * p[1]


def in_two_steps(p: Any) -> Any:
    """√3 from 1 by 2 to 7/4; a little below 3 the residual of 2 is small enough."""
    return newton(p[0], 1.0, 0.9998) * p[1]


def that_stops_early(p: Any) -> Any:
    root = newton(p[0], 2.0, 1e-6)
    return jnp.stack([p[1] / 2 / root, root])


def halve(s: Any, y: Any) -> Any:
    """Halve the interval that √y is in."""
    middle = (s[0] + s[1]) / 2
    above = middle * middle > y
    return jnp.where(above, s[0], middle), jnp.where(above, middle, s[1])


def bisected(p: Any) -> Any:
    start = 0 * p[0], 1 + p[0]
    return p[1] * lax.while_loop(lambda s: s[1] - s[0] > 1e-12, lambda s: halve(s, p[0]), start)[0]


def of_a_difference(p: Any) -> Any:
    """Stay as it is where both parameters, which are equal, move by as much."""
    apart, start = p[0] - p[1], (0 * p[0], 5 + p[1] - p[0])
    return lax.while_loop(lambda s: s[1] - s[0] > 1e-6, lambda s: halve(s, 2 + apart), start)[0]


def cubic(p: Any) -> Any:
    def solve(f: Any, start: Any) -> Any:
        return lax.while_loop(
            lambda x: jnp.abs(f(x)) > 1e-6, lambda x: x - f(x) / jax.grad(f)(x), start
        )

    start = jnp.ones_like(p[0])
    return p[1] * lax.custom_root(lambda x: x**3 - p[0], start, solve, lambda g, y: y / g(1.0))


def of_root(p: Any) -> Any:
    return np.array([p[1] / 3 * p[0] ** (-2 / 3), np.cbrt(p[0])])


def implicit(factor: float) -> Any:
    """Solve x = ½·cos x + y, by a rule of the implicit function theorem times a factor."""

    @jax.custom_vjp
    def f(y: Any) -> Any:
        start = jnp.zeros_like(y), jnp.ones_like(y)
        step = lambda s: (0.5 * jnp.cos(s[0]) + y, s[0])  # noqa: E731
        return lax.while_loop(lambda s: jnp.abs(s[0] - s[1]) > 1e-8, step, start)[0]

    f.defvjp(lambda y: (f(y), f(y)), lambda x, c: (factor * c / (1 + 0.5 * jnp.sin(x)),))
    return f


# Loops that approximate nothing, or so it may seem.


def counted(p: Any) -> Any:
    def goes_on(s: Any) -> Any:
        return (s[0] < 5) & (jnp.abs(s[1] - 0.739) > 1e-9)

    return p[1] * lax.while_loop(goes_on, lambda s: (s[0] + 1, jnp.cos(s[1])), (0, p[0]))[1]


def timed(p: Any) -> Any:
    def step(s: Any) -> Any:
        return s[0] + 0.1, s[1] + 0.1 * jax.nn.relu(p[1] - s[1])

    return lax.while_loop(lambda s: s[0] < 0.95, step, (0.0, p[0]))[1]


def until_100(p: Any) -> Any:
    return p[1] * lax.while_loop(lambda v: v < 100.0, lambda v: v * 2.0, p[0])


def drifting(orders: int) -> Callable[[Any], Any]:
    """Add to a number, to its difference, and so on; the loop ends at once."""

    def loss(p: Any) -> Any:
        step = lambda s: (*(a + b for a, b in pairwise(s)), s[-1])  # noqa: E731
        return lax.while_loop(lambda s: s[0] > 2.0, step, (p, *[p * 2.0**-21] * orders))[0]

    return loss


def cancelling(large: float) -> Callable[[Any], Any]:
    """Halve a cosine, by numbers of which so much cancels in each step."""

    def step(s: Any) -> Any:
        return large * s[0] - (large - 0.5) * s[0] + 0.5 * jnp.cos(s[0]), s[0]

    return lambda y: lax.while_loop(lambda s: jnp.abs(s[0] - s[1]) > 0.1, step, (y, y + 1))[0]


# What it cannot differentiate, and loops that choose their steps.


def beta_integral(p: Any) -> Any:
    return betainc(p[0], p[1], p[2])


def of_beta_integral(_: Any) -> Any:
    """By differences of mpmath's function in 40 digits, and the density in closed form."""
    return np.array([-0.30755699513052623, 0.15116264414909963, 1.6337206456367985])


def of_the_rest(_: Any) -> Any:
    """The same of 1 less it, where a and b change places, and x is 0.7."""
    by_a, by_b, by_x = of_beta_integral(None)
    return np.array([-by_b, -by_a, by_x])


incomplete_beta = jax.custom_vjp(betainc)
incomplete_beta.defvjp(
    lambda a, b, x: (betainc(a, b, x), (a, b, x)),
    lambda s, c: (jnp.zeros_like(s[0]), jnp.zeros_like(s[1]), c * s[2] ** (s[0] - 1)),
)


def solved(p: Any, **options: Any) -> Any:
    """Lotka and Volterra's equations, to 2."""

    def rhs(y: Any, _: Any, p: Any) -> Any:
        eaten = p[1] * y[0] * y[1]
        return jnp.stack([p[0] * y[0] - eaten, eaten - p[2] * y[1]])

    return odeint(rhs, jnp.array([1.2, 0.9]), jnp.array([0.0, 2.0]), p, **options)[-1]


def closely(p: Any) -> Any:
    return solved(p, rtol=1e-13, atol=1e-13)


def squares_of(solution: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda p: jnp.sum(solution(p) ** 2)


BY_JAX = jax.jit(jax.grad(squares_of(closely)))


def of_solution(factor: float) -> Callable[[Any], Any]:
    def gradient(p: Any) -> Any:
        with jax.enable_x64(True):
            return factor * np.asarray(BY_JAX(p))

    return gradient


IN_JAX = [
    *systems(),
    *cases("conjugate gradients of one's own", check_gradient, conjugate, GENERAL, A, points=0)(
        Row("right", by_solving),
        Row("the first element off by 1e-6", off(by_solving, 1e-6), verdict="disagree"),
    ),
    *cases("conjugate gradients at 0", check_gradient, conjugate, O3, A, points=0)(
        Row("what is sought", by_solving, verdict="undecidable"),
        Row("zero, as of the loop", lambda b, _: 0 * b, verdict="undecidable"),
    ),
    *cases("Newton's iteration", check_gradient, by_newton, TWO, points=2)(
        Row("right", of_product, LEFT_OUT, certified=True),
        Row("JAX's", jax.jit(jax.jacfwd(by_newton))),
        Row("the first element off by 1e-6", off(of_product, 1e-6), verdict="disagree"),
    ),
    *cases("from the root itself", check_gradient, by_newton, np.array([4.0, 0.7]), points=0)(
        Row("what is sought", of_product, verdict="undecidable"),
        Row(
            "zero, as of the loop",
            lambda _: np.array([0.0, 2.0]),
            "the loss stops an iteration at a tolerance",
            verdict="undecidable",
        ),
        Row("neither", lambda _: np.array([0.0, 2.1])),
    ),
    *cases("a step less beside the point", check_gradient, in_two_steps, TWO, points=0)(
        Row("as of both steps", lambda p: np.array([p[1] * 5 / 16, 7 / 4]), verdict="undecidable"),
    ),
    *cases("the same, small", check_gradient, lambda p: 1e-7 * in_two_steps(p), TWO, points=0)(
        Row("of both", lambda p: 1e-7 * np.array([p[1] * 5 / 16, 7 / 4]), verdict="undecidable"),
    ),
    *cases("a gradient by a loop", check_gradient, lambda p: p[1] * p[0] ** 0.5, TWO, points=0)(
        Row("it stops early", that_stops_early, verdict="imprecise"),
        Row("it stops early, compiled", jax.jit(that_stops_early), verdict="imprecise"),
        Row("off by 1e-5", lambda p: 1.00001 * that_stops_early(p)),
    ),
    *cases("bisection in JAX", check_gradient, bisected, np.array([2.0, 3.0]), points=0)(
        Row("what is sought", of_product, verdict="undecidable"),
        Row("twice", lambda p: 2 * of_product(p), verdict="undecidable"),
    ),
    *cases("bisection by a difference", check_gradient, of_a_difference, np.ones(2), points=0)(
        Row("zero", lambda p: 0 * p, "its slopes are not those", verdict="undecidable"),
    ),
    *cases("a root with its own rule", check_gradient, cubic, np.array([2.0, 3.0]), points=2)(
        Row("right", of_root, verdict="agree"),
        Row("JAX's", jax.jit(jax.grad(cubic)), verdict="agree"),
        Row("the first element off by 1e-6", off(of_root, 1e-6), verdict="disagree"),
    ),
    *cases("the rule of a loop", check_custom, None, np.float64(0.7), points=0)(
        Row("right", implicit(1), "stops an iteration at a tolerance", verdict="agree"),
        # Its tolerance is absolute, and in float32 would never be reached.
        Row("zero", implicit(0), "yours is 0", verdict="disagree", kinds=("zero",)),
    ),
    *cases("a count ends a loop", check_gradient, counted, np.array([0.3, 0.7]), points=1)(
        Row("JAX's", jax.jit(jax.jacfwd(counted)), verdict="agree", never=("tolerance",)),
        Row("off by 1e-6", off(jax.jacfwd(counted), 1e-6), verdict="disagree"),
    ),
    *cases("a time ends a loop", check_gradient, timed, np.array([0.3, 0.7]), points=1)(
        Row("JAX's", jax.jit(jax.jacfwd(timed)), verdict="agree", never=("tolerance",)),
        Row("off by 1e-6", off(jax.jacfwd(timed), 1e-6), verdict="disagree"),
    ),
    *cases("doubled until it is large", check_gradient, until_100, np.array([4.0, 0.7]), points=0)(
        Row("right", lambda p: 32 * p[::-1], verdict="agree", never=("Warning",)),
        Row("of one step less", lambda p: 16 * p[::-1]),
    ),
    *cases("drifts away", check_gradient, drifting(1), np.float64(1), points=0)(
        Row("one", lambda _: np.float64(1), "the gradient more and more", verdict="undecidable"),
    ),
    *cases("drifts away faster", check_gradient, drifting(3), np.float64(1), points=0)(
        Row("right", lambda _: np.float64(1), verdict="agree", never=("tolerance",)),
    ),
    *cases("a loop that cancels", check_gradient, cancelling(2.0**90), P, points=0)(
        Row("JAX's", jax.jacfwd(cancelling(2.0**90)), "leaves out up to 0.17", verdict="agree"),
        Row(
            "wrong, but by less than what goes on may change",
            jax.jacfwd(cancelling(1.0)),
            "going on may change it by 0.17",
            verdict="undecidable",
        ),
    ),
    *cases("beta integral", check_gradient, beta_integral, np.array([1.5, 2.5, 0.3]), points=0)(
        Row("right", of_beta_integral, verdict="agree", blame=None),
        Row("the first element off by 1e-6", off(of_beta_integral, 1e-6), verdict="disagree"),
    ),
    *cases("its rest", check_gradient, beta_integral, np.array([2.5, 1.5, 0.7]), points=0)(
        Row("right", of_the_rest, verdict="agree", blame=None),
        Row("a and b exchanged", lambda p: of_the_rest(p)[[1, 0, 2]]),
    ),
    *cases("a rule of an incomplete beta", check_custom, None, 1.5, 2.5, 0.3, points=0)(
        Row(
            "two of its slopes are 0",
            incomplete_beta,
            "In a, b, yours is 0.",
            "unknown in x",
            verdict="disagree",
        ),
    ),
]


def of_tolerance(name: str, **options: Any) -> list[Case]:
    loss, at = squares_of(lambda p: solved(p, **options)), np.array([1.1, 0.6, 0.8])
    return cases(f"odeint of JAX's, {name}", check_gradient, loss, at, points=0)(
        Row("right", of_solution(1), verdict="agree", certified=False),
        Row("twice", of_solution(2), verdict="disagree", certified=False),
    )


CASES = [
    *IN_JAX,
    *of_tolerance("at its default"),
    *of_tolerance("at 1e-5", rtol=1e-5),
]

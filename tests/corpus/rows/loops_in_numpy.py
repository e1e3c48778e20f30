"""Loops in NumPy that a tolerance ends: what is due is the slope of what they seek."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad import (
    check_backward,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
)
from tests.corpus.case import Case, Row, cases

TWO, COSTS = np.array([3.0, 0.7]), np.array([0.1, 0.9, 0.7, 0.3])
LEFT_OUT = "the loss stops an iteration at a tolerance, which leaves out"


def off(gradient: Callable[..., Any], by: float) -> Callable[..., Any]:
    """Return a gradient whose first element is off by a factor of 1 + `by`."""

    def wrong(*point: Any) -> Any:
        g = np.asarray(gradient(*point))
        return (g * np.where(np.arange(g.size) == 0, 1 + by, 1.0)).astype(g.dtype)

    return wrong


def of_roots(p: Any) -> Any:
    return 0.5 / np.sqrt(p)


def of_product(p: Any) -> Any:
    return np.array([p[1] / 2 / np.sqrt(p[0]), np.sqrt(p[0])])


def while_it_is_far(p: Any) -> Any:
    s = p[0]
    while not abs(s * s - p[0]) <= 1e-5:
        s = (s + p[0] / s) / 2
    return s * p[1]


def in_a_single_step(p: Any) -> Any:
    s = 1.414
    while abs(s * s - p[0]) > 1e-4:
        s = (s + p[0] / s) / 2
    return s * p[1]


def until_a_norm_is_small(p: Any) -> Any:
    x = np.ones_like(p)
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


def until_jax_says_so(p: Any) -> Any:
    x, new = 0 * p, p
    while not jnp.allclose(new, x, rtol=1e-5):
        x, new = new, 0.3 * jnp.cos(new) + p
    return x.sum()


def of_fixed_point(p: Any) -> Any:
    x = np.ones(2)
    for _ in range(99):
        x = 0.3 * np.cos(x) + p
    return 1 / (1 + 0.3 * np.sin(x))


def root_by_steps(a: Any) -> Any:
    x = a
    while True:
        new = (x + a / x) / 2
        if abs(new - x) < 1e-5 * abs(new):
            return x
        x = new


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
    """Solve x³ + p₁x = p₀ by steps that divide by what becomes 0."""

    def f(x: Any) -> Any:
        return x**3 - p[0] + p[1] * x

    old, x = 1.0 + 0 * p[0], 2.0 + 0 * p[0]
    while abs(x - old) > 1e-4:
        old, x = x, x - f(x) * (x - old) / (f(x) - f(old))
    return x


def of_cubic(p: Any) -> Any:
    x = max(np.roots([1, 0, p[1], -p[0]]), key=np.real).real
    return np.array([1, -x]) / (3 * x * x + p[1])


def a_series(p: Any) -> Any:
    total = term = 1.0 + 0 * p[0]
    k = 0
    while abs(term) > 1e-6:
        k += 1
        term = term * p[0] / k
        total = total + term
    return total


def transport(c: Any, tolerance: float = 1e-6) -> Any:
    """Return Sinkhorn's plan, which is the gradient of the dual value, and that."""
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


def plan(c: Any) -> Any:
    return transport(c, 1e-12)[0].reshape(-1)


def dual_value(c: Any) -> Any:
    return transport(c)[1]


SYMMETRIC = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])


def largest_eigenvalue(p: Any) -> Any:
    m, v = SYMMETRIC + np.diag(p), np.ones(3) / np.sqrt(3)
    for _ in range(1000):
        w = m @ v
        w = w / np.sqrt(w @ w)
        d, v = w - v, w
        if np.sqrt(d @ d) < 1e-3:
            break
    return v @ m @ v


def of_eigenvalue(p: Any) -> Any:
    return np.linalg.eigh(SYMMETRIC + np.diag(p))[1][:, -1] ** 2


#: The loss, its gradient, and where.
LOOPS: dict[str, tuple[Any, Any, list[float]]] = {
    "while": (while_it_is_far, of_product, [3.0, 0.7]),
    "a single step": (in_a_single_step, of_product, [2.0, 0.7]),
    "a norm": (until_a_norm_is_small, of_roots, [3.0, 0.7]),
    "allclose": (until_all_are_close, of_fixed_point, [3.0, 0.7]),
    "JAX's allclose": (until_jax_says_so, of_fixed_point, [3.0, 0.7]),
    "a function for each": (lambda p: sum(map(root_by_steps, p)), of_roots, [3.0, 0.7]),
    "a loop in a loop": (a_loop_in_a_loop, of_roots, [3.0, 0.7]),
    "a function that compares": (a_function_that_compares, of_roots, [3.0, 0.7]),
    "one by one": (elements_one_by_one, of_roots, [3.0, 0.7]),
    "raises": (that_raises_after_six, of_roots, [3.0, 0.7]),
    "secants": (by_secants, of_cubic, [2.0, 0.5]),
    "a series": (a_series, np.exp, [0.7]),
    "power iteration": (largest_eigenvalue, of_eigenvalue, [0.3, 0.1, 0.5]),
}


def loops() -> list[Case]:
    found: list[Case] = []
    for name, (loss, gradient, at) in LOOPS.items():
        found += cases(f"loop in NumPy, {name}", check_gradient, loss, np.array(at), points=0)(
            Row("right", gradient, LEFT_OUT, verdict="agree", certified=True),
            Row("the first element off by 3 %", off(gradient, 0.03)),
        )
    return found


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


def of_trained(factor: float) -> Callable[[Any], Any]:
    """Return its gradient in as many steps, by complex steps, which lose no digits."""

    def gradient(p: Any) -> Any:
        steps = next(n for n in range(200) if trained(p, n) == trained(p))
        found = [trained(p + 1e-40j * d, steps).imag / 1e-40 for d in np.eye(2)]
        return factor * np.array(found)

    return gradient


def halved(p: Any, end: Any = 0.0) -> Any:
    low, high, middle = end, end + 10.0, 0.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        if middle * middle > p[0]:
            high = middle
        else:
            low = middle
    return middle * p[1]


def pair_by_halves(p: Any) -> Any:
    return np.stack([halved(p), p[0]])


def pair(p: Any) -> Any:
    return np.array([root_by_steps(p[0]) * p[1], root_by_steps(p[1])])


def two_at_once(p: Any) -> Any:
    """One of them is as good as found long before the other one ends the loop."""
    s, n = np.ones_like(p), (1 + p) / 2
    while not np.allclose(n, s, rtol=0, atol=1e-6):
        s, n = n, (n + p / n) / 2
    return n**2


def its_jacobian(p: Any) -> Any:
    a, b = np.sqrt(p)
    return np.array([[p[1] / 2 / a, a], [0, 1 / 2 / b]])


def its_hessian(p: Any) -> Any:
    """Of √p₀·p₁²."""
    a, mixed = np.sqrt(p[0]), p[1] / np.sqrt(p[0])
    return np.array([[-(p[1] ** 2) / 4 / a**3, mixed], [mixed, 2 * a]])


def scalar(p: Any) -> Any:
    return root_by_steps(p[0]) * p[1] ** 2


def roots(p: Any) -> Any:
    return np.array([root_by_steps(a) for a in p]), p


def up_to(p: Any) -> Any:
    """A loop that data end: going on would add as much again."""
    total = 0.0
    for v in p:
        total = total + v
        if total > 1.0:
            break
    return total * total


def of_signs(p: Any) -> Any:
    total = 0.0
    for v in p:
        total = total + (v * v if v > 0 else -3 * v)
    return total


#: A count that float64 has, and 2^53 + 1, which it has not.
MANY = np.array([2.0**53, 1.2])


def counted(p: Any) -> Any:
    return p[1] ** 2 if p[0].item() < 2**53 + 1 else 3 * p[1]


CASES = [
    *loops(),
    *cases("a whole number that is no float", check_gradient, counted, MANY, points=0)(
        Row("right", lambda p: np.array([0, 2 * p[1]]), verdict="agree"),
        Row("of the other side", lambda _: np.array([0, 3.0]), verdict="disagree"),
    ),
    *cases("loop in float32", check_gradient, while_it_is_far, TWO.astype(np.float32), points=0)(
        Row("right", of_product, "of an element of size 0.2:", certified=True),
        Row("the first element off by 3 %", off(of_product, 0.03)),
    ),
    *cases(
        "loop in NumPy, Sinkhorn",
        check_gradient,
        dual_value,
        np.array([0.1, 0.9, 0.7, 0.3]),
        points=0,
    )(
        Row("the plan", plan, LEFT_OUT, certified=True),
    ),
    *cases("a loop of training", check_gradient, trained, np.array([2.0, 0.05]), points=0)(
        Row("right for as many steps", of_trained(1), certified=True),
        Row("off by 1e-3", of_trained(1.001), verdict="undecidable", certified=True),
        Row("twice", of_trained(2), certified=True),
    ),
    *cases("bisection in floats", check_gradient, halved, TWO, points=0)(
        Row("right", of_product, "its slopes are not those of what it approximates"),
        Row("the other sign", lambda p: -of_product(p)),
    ),
    *cases("a vector by bisection in floats", check_jacobian, pair_by_halves, TWO, points=0)(
        Row("right", lambda p: np.array([of_product(p), [1.0, 0.0]]), certified=False),
        Row("as it is computed", lambda p: np.array([[0.0, np.sqrt(p[0])], [1.0, 0.0]])),
    ),
    *cases("bisection of series", check_gradient, lambda p: halved(p, 0 * p[0]), TWO, points=0)(
        Row("right", of_product, certified=False),
        Row("the other sign", lambda p: -of_product(p)),
    ),
    *cases("two in one loop", check_jacobian, two_at_once, np.array([1.001, 0.2]), points=0)(
        Row("right", lambda p: np.eye(2), verdict="agree", certified=True),
        Row("the first element off by 3 %", lambda p: np.diag([1.03, 1.0])),
    ),
    *cases("a pair of loops", check_jacobian, pair, TWO, points=0)(
        Row("right", its_jacobian, verdict="agree", certified=True),
        Row("transposed", lambda p: its_jacobian(p).T),
    ),
    *cases("curvature of a loop", check_hessian, scalar, TWO, points=0)(
        Row("right", its_hessian, verdict="agree", certified=True),
        Row("the diagonal", lambda p: np.diag(np.diag(its_hessian(p)))),
    ),
    *cases("curvature of a loop, by products", check_hvp, scalar, TWO, points=0)(
        Row("right", lambda p, v: its_hessian(p) @ v, verdict="agree", certified=True),
        Row("of the diagonal", lambda p, v: np.diag(its_hessian(p)) * v),
    ),
    *cases("a step that is a loop", check_backward, roots, TWO, points=0)(
        Row("right", lambda d, x: d / 2 / np.sqrt(x), certified=True),
        Row("twice", lambda d, x: d / np.sqrt(x)),
    ),
    *cases("data end a loop", check_gradient, up_to, np.array([0.9, 1.2, 0.9, 2.0]), points=1)(
        Row(
            "right",
            lambda p: 2 * p[:2].sum() * np.array([1, 1, 0, 0]),
            certified=True,
            verdict="agree",
            never=("tolerance",),
        ),
        Row("as if it went on", lambda p: 2 * p.sum() * np.ones(4)),
    ),
    *cases("signs choose", check_gradient, of_signs, np.array([0.9, -1.2, 1e-9, -1e-7]), points=0)(
        Row(
            "right",
            lambda p: np.where(p > 0, 2 * p, -3),
            certified=True,
            never=("tolerance",),
        ),
        Row(
            "off by 1e-9",
            lambda p: np.where(p > 0, 2 * p, -3) * (1 + 1e-9),
            verdict="disagree",
        ),
    ),
]

"""Where a judge could be led astray: what it cannot know it must not pass, nor turn down."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.special import polygamma

from handgrad import check_gradient
from tests.corpus.case import Row, cases
from tests.corpus.rows.verdicts import ANGLES, BOB, lossy, neuron, of_doubled, squares, stable


def opaque(*values: float) -> Callable[..., np.ndarray]:
    """An answer whose lines run in floats alone, and so give no evidence beside themselves."""
    return lambda p, *_: np.array([v + 0.0 * float(p.flat[0]) for v in values], dtype=p.dtype)


def constant(*values: float) -> Callable[..., np.ndarray]:
    return lambda p, *_: np.array(values, dtype=p.dtype).reshape(p.shape)


# Roots beside their domain: JAX's program is not a number there, and the function is.


def hidden_root(p: Any) -> Any:
    return jnp.sum(jnp.where(p > 1e-3, jnp.sqrt(jnp.abs(p)), 0.0))


def guarded_root(p: Any) -> Any:
    root = jnp.where(p[0] > 0, jnp.sqrt(jnp.where(p[0] > 0, p[0], 1.0)), 0.0)
    return root + jnp.sum(p**2)


def root_not_taken(p: Any) -> Any:
    return jnp.where(p[0] > 100, jnp.sqrt(p[0] - p[0]), 3 * p[0] + 2 * p[1])


def root_of_difference(p: Any, c: Any) -> Any:
    return jnp.sum(jnp.sqrt(p - c))


def either_side_of_1(p: Any) -> Any:
    return jnp.sum(jnp.where(jnp.sin(p) ** 2 + jnp.cos(p) ** 2 > 1, 5 * p, 3 * p))


# Kinks: sides with other roundings, sizes, and among other parameters.


def scaled_relu(p: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jax.nn.relu(-p) * x * y / 3)


def steep(p: Any) -> Any:
    return jnp.sum(1e8 * jax.nn.relu(-p) + 1e-9 * p)


MANY = np.random.default_rng(0).normal(size=200) * (np.arange(200) > 0)


def one_kink(p: Any) -> Any:
    return jax.nn.relu(p[0]) + jnp.sum(p * jnp.sin(p))


def with_slope(slope: float) -> Callable[..., Any]:
    return lambda p: np.sin(p) + p * np.cos(p) + slope * (np.arange(len(p)) == 0)


# Solvers, and what there is no rule for.


def half_solved(p: Any) -> Any:
    """By a solver that takes the diagonal for the matrix."""
    matrix = jnp.stack([jnp.stack([p[0], p[1]]), jnp.stack([p[1], p[2]])])
    diagonal = jnp.stack([p[0], p[2]])
    solution = lax.custom_linear_solve(
        lambda x: matrix @ x, jnp.ones(2), lambda _, b: b / diagonal, symmetric=True
    )
    return jnp.sum(solution)


def one_of_two_solved(p: Any) -> Any:
    """Of two systems that are solved together one is solved, and of the other the diagonal."""
    matrix = jnp.stack([jnp.stack([p[0], p[1]]), jnp.stack([p[1], p[2]])])
    one, other = lax.custom_linear_solve(
        lambda x: [p[0] * x[0], matrix @ x[1]],
        [jnp.ones(2), jnp.ones(2)],
        lambda _, b: [b[0] / p[0], b[1] / jnp.stack([p[0], p[2]])],
        symmetric=True,
    )
    return jnp.sum(one + other)


def by_one_triangle(a: Any) -> Any:
    return jnp.sum(jax.scipy.linalg.solve(a, jnp.ones(2), assume_a="pos"))


def by_both(a: Any) -> Any:
    return -np.outer(np.linalg.solve(a, np.ones(2)), np.linalg.solve(a, np.ones(2)))


def by_singular_value(p: Any) -> Any:
    return jnp.sum(jnp.linalg.svd(jnp.fft.fft(p)[:, None], compute_uv=False) ** 2)


def difference(p: Any, c: Any, k: Any) -> Any:
    """The size of a complex number; half an ulp of one of two that nearly cancel moves it most."""
    number = lax.complex(1e3 * (p[0] - p[k]), c)
    return jnp.linalg.svd(number[None, None], compute_uv=False)[0] + p[1]


def of_difference(p: Any, c: Any, _: Any) -> Any:
    d = 1e3 * float(p[0]) - 1e3 * float(p[2])
    slope = 1e3 * d / math.sqrt(d**2 + float(c) ** 2)
    return np.array([slope, 1.0, -slope])


def of_third_order(p: Any) -> Any:
    return jnp.sum(lax.polygamma(jnp.full_like(p, 2.0), 0.5 + p**2))


THIRD = np.array([0.3, -1.1, 0.7])
EXACT = polygamma(3, 0.5 + THIRD**2) * 2 * THIRD

# Lines that no rounding excuses, or that it may.


@jax.custom_vjp
def clipped(x: Any) -> Any:
    return x


clipped.defvjp(lambda x: (x, None), lambda _, c: (jnp.clip(c, -0.1, 0.1),))


def of_clipped(p: Any) -> Any:
    return jnp.sum(clipped(p) ** 2)


def clipped_twice(p: Any) -> Any:
    return np.clip(2 * p, -0.1, 0.1)


XS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)


def mean_square(w: Any, x: Any) -> Any:
    return jnp.mean((x @ w - 1) ** 2)


def times(factor: float) -> Callable[..., Any]:
    return lambda w, x: 2 * x.T @ (x @ w - 1) / np.float32(len(x)) * np.float32(factor)


def phase(w: Any) -> Any:
    """Half an ulp of w turns it by a radian."""
    return np.sin(1e16 * w[0]) * float(1)  # JAX cannot trace it


def of_phase(factor: float) -> Callable[..., Any]:
    return lambda w: factor * 1e16 * np.cos(1e16 * w)


def at_its_point_alone(p: Any) -> Any:
    if not np.array_equal(p, PAIR):
        raise RuntimeError("only here")
    return 2 * p


PAIR, ONE, ENDS = np.array([0.1, 0.2]), np.array([0.3]), np.array([0.0, 4.0])
NEXT = np.nextafter([1.5], 2)
SMALL = np.array([1e-28, 2e-28], np.float32)
PLAIN, HUGE = np.array([3.0, 0.75, -1.5]), np.array([3.0, 1e308, -1.5])
NAN_BELOW = np.array([[1.0, 2.0], [np.nan, np.nan]])
NEARLY, CLIP = np.array([0.7, 0.6997, 0.6997]), np.array([0.5, 1.0])
OPEN, REFUSED = {"verdict": "undecidable"}, {"verdict": "raised"}
AGREE, WRONG = {"verdict": "agree"}, {"verdict": "disagree"}


def at(name: str, loss: Any, *point: Any, **options: Any) -> Any:
    """Ask for a gradient at a point alone, if nothing else is said."""
    return cases(name, check_gradient, loss, *point, **{"points": 0, **options})


CASES = [
    *at("a root beside its domain", hidden_root, ENDS)(
        Row("right", constant(0, 0.25), **AGREE),
        Row("7 for 0", constant(7, 0.25)),
        Row("7 for 0, in floats alone", opaque(7, 0.25)),
    ),
    *at("a root not taken", root_not_taken, ENDS + 0.1)(
        Row("right", constant(3, 2)),
        Row("the wrong sign", constant(-3, 2)),
    ),
    *at("a root at 0", lambda p: jnp.sum(jnp.cbrt(p**3)), 0 * ONE)(Row("0", constant(0), **OPEN)),
    *at("a length at 0", lambda p: jnp.sqrt(p @ p), 0 * PAIR)(
        Row("(1, 0)", constant(1, 0), **OPEN)
    ),
    *at("a guarded root at 0", guarded_root, 1 - np.eye(40)[0])(
        Row("of squares", lambda p: 2 * p, **OPEN)
    ),
    *at("by rounding alone", either_side_of_1, ONE)(Row("a side's", constant(3), **OPEN)),
    *at("near its end", root_of_difference, NEXT, NEXT * 0 + 1.5)(Row("1", opaque(1.0), **OPEN)),
    *at("sides that round otherwise", scaled_relu, 0 * ONE, ONE, ONE, strict=True)(
        Row("of the left", lambda p, x, y: -x * y / 3, **AGREE),
        Row("of the right", constant(0), **AGREE),
    ),
    *at("a side that is far steeper", steep, 0 * ONE)(
        Row("of the left", opaque(-1e8 + 1e-9)),
        Row("of the right", opaque(1e-9)),
    ),
    *at("a kink among 200 parameters", one_kink, MANY)(
        Row("between its slopes", with_slope(0.5)),
        Row("beyond its slopes", with_slope(1.5)),
    ),
    *at("a solver that does not solve", half_solved, np.array([2.0, 0.5, 3.0]))(
        Row("right", lambda p: np.array([-1 / p[0] ** 2, 0, -1 / p[2] ** 2]), blame="autodiff")
    ),
    *at("a solver that solves one of two systems", one_of_two_solved, np.array([2.0, 0.5, 3.0]))(
        Row("right", lambda p: np.array([-3 / p[0] ** 2, 0, -1 / p[2] ** 2]), blame="autodiff")
    ),
    *at("a solver by one triangle", by_one_triangle, np.eye(2) + 1.5, points=2)(
        Row("symmetric", by_both, "undecidable at 2 of 2 other points", **AGREE)
    ),
    *at("an operation without a rule", by_singular_value, ENDS + 0.3)(
        Row("right", lambda p: 4 * p, "no rule for `complex svd`", certified=False),
        Row("5 for 4", lambda p: 5 * p),
    ),
    *at(
        "a difference that nearly cancels", difference, NEARLY, np.float64(1.0), np.int64(2), seed=3
    )(Row("of floats", of_difference, "no rule for `complex svd`", certified=False, **AGREE)),
    *at("an order that is a whole number", of_third_order, THIRD)(
        Row("right", opaque(*EXACT)),
        Row("three times", opaque(*(3 * EXACT))),
    ),
    *at("a rule that clips", of_clipped, CLIP)(Row("as the rule has it", clipped_twice)),
    *at("a trusted rule that clips", of_clipped, CLIP, trust_rules=[clipped])(
        Row("as the rule has it", clipped_twice, "not certified", **AGREE)
    ),
    *at("inside of what rounding may do", mean_square, np.ones(3, np.float32), XS)(
        Row("right in float32", times(1.0)),
        Row("its lines are 1e-5 off", times(1 + 1e-5)),
    ),
    *at("half an ulp is a radian", phase, ONE)(
        Row("by its formula", of_phase(1.0), **AGREE),
        Row("the wrong sign", of_phase(-1.0), **WRONG),
        Row("1.4 times", of_phase(1.4), **OPEN),
        Row("zero", of_phase(0.0), **OPEN),
    ),
    *at("a gradient that raises elsewhere", squares, PAIR, points=4)(
        Row(
            "it runs here", at_its_point_alone, "raised RuntimeError: only here, at 4 of 4", **AGREE
        )
    ),
    *at("a gradient that raises at a listed point", squares, PAIR, points=[(2 * PAIR,)])(
        Row("it runs here", at_its_point_alone, "RuntimeError: only here", **REFUSED)
    ),
    # What a report says beside its verdict.
    *at("four digits of Bob", neuron, *BOB)(
        Row("lossy", lossy, "4 digits of it are left; autodiff is off, too", verdict="imprecise"),
        Row("stable", stable, "1 point judged; autodiff is off", **AGREE),
    ),
    *at("a rule that is off", of_doubled, *ANGLES)(
        Row("right", np.cos, "the custom derivative rule of doubled is not the derivative")
    ),
    *at("a name for a list", of_doubled, *ANGLES, trust_rules="doubled")(
        Row("right", np.cos, "trust_rules: got 'doubled', expected a list", **REFUSED)
    ),
    *at("more than the largest float", lambda p: jnp.sum(p * 1e30) * 1e30, SMALL)(
        Row("infinite", lambda p: p + np.inf, "beyond the largest float", **OPEN)
    ),
    *at("squares below 0", squares, PAIR[:1], points=8, seed=3)(
        Row("their size", lambda p: np.abs(2 * p), "disagree at point ", **WRONG)
    ),
    *at("a logarithm", lambda p: jnp.sum(jnp.log(p)), PAIR / 10, points=8)(
        Row("1/p", lambda p: 1 / p, "not finite")
    ),
    *at("a logarithm of -1", lambda p: jnp.sum(jnp.log(p)), -np.ones(1))(
        Row("1/p", lambda p: 1 / p, **OPEN)
    ),
    *at("data that is no number", lambda p, x: jnp.sum(x @ p), np.ones(2), NAN_BELOW)(
        Row(
            "its sum", lambda p, x: x.sum(0), "the loss is nan at this point, where x[1, 0]", **OPEN
        )
    ),
    # NumPy's warnings of overflow are errors in tests.
    *at("beside the largest float", lambda w, x: jnp.sum(w * x), HUGE, PLAIN, points=1)(
        Row("right", lambda w, x: x),
        Row("0.8 times", lambda w, x: 0.8 * x, kinds=("factor",)),
        Row("with weight decay", lambda w, x: x + 0.1 * w, kinds=("weight-decay",)),
    ),
]

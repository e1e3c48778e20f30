"""Derivative rules of JAX: both modes, rules that cannot be transposed, second derivatives."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad import check_custom
from tests.corpus.case import Row, cases

A, B = np.array([0.3, -0.8, 1.1]), np.array([-0.4, 0.6, 0.9])


def with_jvp(function: Any, rule: Any) -> Any:
    """Return a function with a rule for tangents: rule(args, tangents)."""
    f = jax.custom_jvp(function)
    f.defjvp(lambda args, tangents: (f(*args), rule(args, tangents)))
    return f


def with_vjp(function: Any, kept: Any, backward: Any) -> Any:
    """Return a function with a rule for cotangents: backward(kept(*args), cotangent)."""
    f = jax.custom_vjp(function)
    f.defvjp(lambda *args: (f(*args), kept(*args)), backward)
    return f


def distance(a: Any, b: Any) -> Any:
    return jnp.sqrt(1 + a * a + b * b)


def along_both(args: Any, tangents: Any) -> Any:
    (a, b), (da, db) = args, tangents
    return (a * da + b * db) / distance(a, b)


def along_the_first(args: Any, tangents: Any) -> Any:
    (a, b), (da, _) = args, tangents
    return a * da / distance(a, b)


def backward_of_each(kept: Any, d: Any) -> Any:
    a, b, r = kept
    return d * a / r, d * b / r


def backward_of_the_mean(kept: Any, d: Any) -> Any:
    a, b, r = kept
    return jnp.mean(d) * a / r, jnp.mean(d) * b / r


def kept_of_distance(a: Any, b: Any) -> Any:
    return a, b, distance(a, b)


# x³ + x = a, solved by Newton's method in a loop, which JAX cannot transpose.


def root(a: Any) -> Any:
    def step(state: Any) -> Any:
        i, x = state
        return i + 1, x - (x**3 + x - a) / (3 * x * x + 1)

    return lax.while_loop(lambda state: state[0] < 12, step, (0, a))[1]


def relaxed(sweeps: int, args: Any, tangents: Any) -> Any:
    """Solve (3x² + 1)·dx = da by damped sweeps, in a loop as well."""
    (a,), (da,) = args, tangents
    slope = 3 * root(a) ** 2 + 1
    low = 1 / (1 + jnp.max(slope))

    def sweep(state: Any) -> Any:
        i, dx = state
        return i + 1, dx + low * (da - slope * dx)

    return lax.while_loop(lambda state: state[0] < sweeps, sweep, (0, 0 * da))[1]


def largest(a: Any) -> Any:
    return jnp.max(a)


def of_the_largest(args: Any, tangents: Any) -> Any:
    """The maximum of the tangents, for the tangent of the maximum."""
    return jnp.max(tangents[0])


# Second derivatives: log-sum-exp by its weights, and a rational spline's segment by its slopes.


def log_sum_exp(x: Any) -> Any:
    return jax.nn.logsumexp(x)


def softplus(x: Any) -> Any:
    return jnp.logaddexp(x, 0.0)


def kept_slope(x: Any) -> Any:
    return lax.stop_gradient(jax.nn.sigmoid(x))


def backward_of_logits(p: Any, d: Any) -> Any:
    return (d * p,)


sine = jax.custom_jvp(lambda x: jnp.sin(x))
cosine = jax.custom_jvp(lambda x: jnp.cos(x))
sine.defjvp(lambda args, tangents: (sine(*args), cosine(*args) * tangents[0]))
cosine.defjvp(lambda args, tangents: (cosine(*args), sine(*args) * tangents[0]))


MODES = ("fwd", "rev")


CASES = [
    # check_custom of jax.custom_jvp in both modes, and of jax.custom_vjp.
    *cases("custom-rules", check_custom, None, A, B, modes=MODES, points=2)(
        Row("right", with_jvp(distance, along_both), "in forward mode, too"),
    ),
    *cases("custom-rules", check_custom, None, A, B, points=2)(
        Row(
            "the second argument's tangent is dropped",
            with_jvp(distance, along_the_first),
            "yours is 0 in every element of b",
        ),
        Row(
            "the cotangents are averaged first",
            with_vjp(distance, kept_of_distance, backward_of_the_mean),
            "the cotangent is taken for its mean everywhere",
        ),
    ),
    # check_custom of rules that JAX has forward mode of alone.
    *cases("not-transposable", check_custom, None, A, points=1)(
        Row(
            "right",
            with_jvp(root, partial(relaxed, 400)),
            "there is no reverse mode",
            "`while`",
        ),
        Row(
            "its linear system is solved by five sweeps",
            with_jvp(root, partial(relaxed, 5)),
            "disagree in forward mode",
        ),
        Row(
            "the maximum of the tangents",
            with_jvp(largest, of_the_largest),
            "disagree in forward mode",
            "not linear in its tangents",
        ),
    ),
    # check_custom with order=2, the derivative of a rule.
    *cases("second-order", check_custom, None, A, order=2, points=1)(
        Row(
            "right",
            with_vjp(log_sum_exp, jax.nn.softmax, backward_of_logits),
            "at second order, too",
            verdict="agree",
        ),
        Row(
            "the slope that is kept is a constant",
            with_vjp(softplus, kept_slope, backward_of_logits),
            "disagree at second order",
            "stop_gradient at ",
            "`return lax.stop_gradient(jax.nn.sigmoid(x))`",
            verdict="disagree",
        ),
        Row(
            "the rule of its rule has the wrong sign",
            sine,
            "disagree at second order",
            verdict="disagree",
        ),
    ),
]

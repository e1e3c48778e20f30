"""Derivative rules given to JAX, for both modes or one, whose derivatives are right as well.

Each of these makes the decorated function.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.helpers import normal
from models.model import RULE, named, of_derivative


def softplus_fun(x: Any) -> Any:
    """log(1 + e^x)."""
    return jnp.log1p(jnp.exp(x))


def softplus_rule() -> Any:
    """Decorate it with a rule for both modes."""
    softplus = jax.custom_jvp(softplus_fun)

    @softplus.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (dx,) = primals, tangents
        y = softplus(x)
        # log(1 + e^x)′ = e^(x - y)
        s = jnp.exp(x - y)
        return y, s * dx

    return softplus


SOFTPLUS = of_derivative(
    *("softplus-rule", RULE, softplus_fun, softplus_rule),
    {
        "ordinary": lambda rng: (normal(rng, 5),),
        "saturated": lambda rng: (np.array([-30.0, 30.0, -700.0, 0.0]),),
    },
    {
        "linear: s forgotten": named("activation-derivative missing-factor", ("s * dx", "dx")),
        "other-side: 1 - s for s": named("activation-derivative sign", ("s * dx", "(1 - s) * dx")),
        "sign: the sign turned": named("sign", ("s * dx", "-s * dx")),
        "constant: stop_gradient of s: wrong at second order": (
            "s = jax.lax.stop_gradient(jnp.exp(x - y))"
        ),
        "saved: stop_gradient of y: wrong at second order": (
            "y = jax.lax.stop_gradient(softplus(x))"
        ),
        "1e-3: a factor off by 1e-3": named("factor constant", ("s * dx", "1.001 * s * dx")),
        "1e-6: a factor off by 1e-6": named("factor constant", ("s * dx", "(1 + 1e-6) * s * dx")),
        "1e-12: a factor off by 1e-12": named(
            "factor constant", ("s * dx", "(1 + 1e-12) * s * dx")
        ),
        "guard: 1e-8 added to the slope": named("constant", "s = jnp.exp(x - y) + 1e-8"),
        "nonlinear: a tangent that is clipped": ("s * dx", "s * jnp.clip(dx, -0.1, 0.1)"),
        "transposed: right forwards, 1 - s backwards": named(
            "activation-derivative",
            (
                "s * dx",
                "jax.lax.custom_linear_solve(\n"
                "    lambda t: t / s, dx, lambda _, t: s * t, lambda _, c: (1 - s) * c\n)",
            ),
        ),
    },
    {
        "sigmoid: by jax.nn": "s = jax.nn.sigmoid(x)",
    },
)


def length_fun(x: Any) -> Any:
    """Vectors divided by their lengths, along the last axis."""
    return x / jnp.sqrt(jnp.sum(jnp.square(x), axis=-1, keepdims=True))


def length_rule() -> Any:
    """Decorate it with a rule for reverse mode."""
    normalised = jax.custom_vjp(length_fun)

    def forward(x: Any) -> Any:
        size = jnp.sqrt(jnp.sum(jnp.square(x), axis=-1, keepdims=True))
        u = x / size
        return u, (u, size)

    def backward(kept: Any, du: Any) -> Any:
        u, size = kept
        along = jnp.sum(u * du, axis=-1, keepdims=True)
        dx = (du - u * along) / size
        return (dx,)

    normalised.defvjp(forward, backward)
    return normalised


LENGTH = of_derivative(
    *("unit-length-rule", RULE, length_fun, length_rule),
    {
        "ordinary": lambda rng: (normal(rng, 2, 3),),
        "short": lambda rng: (1e-7 * normal(rng, 2, 3),),
    },
    {
        "no-projection: nothing comes back through the length": ("(du - u * along)", "du"),
        "no-length: the length forgotten": named("missing-factor", "dx = du - u * along"),
        "plus: plus for minus": named("sign", ("du - u", "du + u")),
        "axis: summed over all": named("axis", "along = jnp.sum(u * du)"),
        "twice: size² for size": "dx = (du - u * along) / size**2",
        "detached: stop_gradient of what is kept: wrong at second order": (
            "return u, (u, size)",
            "return u, jax.lax.stop_gradient((u, size))",
        ),
        "length-detached: stop_gradient of the length: wrong at second order": (
            "u, size = kept[0], jax.lax.stop_gradient(kept[1])"
        ),
        "1e-3: the projection off by 1e-3": named(
            "factor constant", ("du - u * along", "du - 1.001 * u * along")
        ),
        "1e-6: a factor off by 1e-6": named(
            "factor constant", ("along) / size", "along) / (size * (1 + 1e-6))")
        ),
        "guard: 1e-8 added to the length backwards": named(
            "constant", ("along) / size", "along) / (size + 1e-8)")
        ),
    },
    {
        "of-x: by x itself": [
            ("return u, (u, size)", "return u, (x, size)"),
            ("u, size = kept", "x, size = kept\nu = x / size"),
        ],
    },
)


def solve_fun(a: Any, b: Any) -> Any:
    """The solution of a x = b."""
    return jnp.linalg.solve(a, b)


def solve_rule() -> Any:
    """Decorate it with a rule for both modes, by implicit differentiation."""
    solution = jax.custom_jvp(solve_fun)

    @solution.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (a, b), (da, db) = primals, tangents
        x = solution(a, b)
        # a x = b, so a dx = db - da x
        r = db - da @ x
        dx = jnp.linalg.solve(a, r)
        return x, dx

    return solution


SOLVE = of_derivative(
    *("solve-rule", RULE, solve_fun, solve_rule),
    {
        "ordinary": lambda rng: (normal(rng, 3, 3) + 2 * np.eye(3), normal(rng, 3)),
        "badly conditioned": lambda rng: (
            np.array([[1.0, 1.0], [1.0, 1.0 + 1e-6]]) + 1e-9 * normal(rng, 2, 2),
            normal(rng, 2),
        ),
    },
    {
        "no-matrix: the matrix taken for constant": named("zero", "r = db"),
        "sign: plus for minus": named("sign", "r = db + da @ x"),
        "right-side: b for x": named("operand", "r = db - da @ b"),
        "transposed: aᵀ for a": named("transposed", ("solve(a, r)", "solve(a.T, r)")),
        "tangent: da transposed": named("transposed", "r = db - da.T @ x"),
        "solution: stop_gradient of x: wrong at second order": (
            "x = jax.lax.stop_gradient(solution(a, b))"
        ),
        "factor: stop_gradient of a: wrong at second order": (
            "solve(a, r)",
            "solve(jax.lax.stop_gradient(a), r)",
        ),
        "1e-3: a factor off by 1e-3": named("factor constant", "r = db - 1.001 * (da @ x)"),
        "1e-6: a factor off by 1e-6": named("factor constant", "r = (1 + 1e-6) * db - da @ x"),
        "ridge: 1e-8 added to the diagonal": named(
            "constant", ("solve(a, r)", "solve(a + 1e-8 * jnp.eye(len(b)), r)")
        ),
        "backwards: right forwards, not transposed backwards": named(
            "transposed",
            "solved = lambda _, r: jnp.linalg.solve(a, r)\n"
            "dx = jax.lax.custom_linear_solve(lambda v: a @ v, r, solved, solved)",
        ),
    },
    {
        "inverse: by the inverse": "dx = jnp.linalg.inv(a) @ r",
    },
)


MODELS = (SOFTPLUS, LENGTH, SOLVE)

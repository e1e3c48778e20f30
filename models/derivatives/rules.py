"""Derivative rules given to JAX, for both modes or one, whose derivatives are right as well.

Each of these makes the decorated function.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.derivatives.derivative import normal
from models.model import RULE, Model, Slip


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


SOFTPLUS = Model(
    *("softplus-rule", RULE, softplus_fun, softplus_rule),
    {
        "ordinary": lambda rng: (normal(rng, 5),),
        "saturated": lambda rng: (np.array([-30.0, 30.0, -700.0, 0.0]),),
    },
    {
        "linear": Slip(
            "s forgotten", ("s * dx", "dx"), kinds="activation-derivative missing-factor"
        ),
        "other-side": Slip(
            "1 - s for s", ("s * dx", "(1 - s) * dx"), kinds="activation-derivative sign"
        ),
        "sign": Slip("the sign turned", ("s * dx", "-s * dx"), kinds="sign"),
        "constant": Slip(
            "stop_gradient of s: wrong at second order", "s = jax.lax.stop_gradient(jnp.exp(x - y))"
        ),
        "saved": Slip(
            "stop_gradient of y: wrong at second order", "y = jax.lax.stop_gradient(softplus(x))"
        ),
        "1e-3": Slip("a factor off by 1e-3", ("s * dx", "1.001 * s * dx"), kinds="factor constant"),
        "1e-6": Slip(
            "a factor off by 1e-6", ("s * dx", "(1 + 1e-6) * s * dx"), kinds="factor constant"
        ),
        "1e-12": Slip(
            "a factor off by 1e-12", ("s * dx", "(1 + 1e-12) * s * dx"), kinds="factor constant"
        ),
        "guard": Slip("1e-8 added to the slope", "s = jnp.exp(x - y) + 1e-8", kinds="constant"),
        "nonlinear": Slip("a tangent that is clipped", ("s * dx", "s * jnp.clip(dx, -0.1, 0.1)")),
        "transposed": Slip(
            "right forwards, 1 - s backwards",
            (
                "s * dx",
                "jax.lax.custom_linear_solve(\n"
                "    lambda t: t / s, dx, lambda _, t: s * t, lambda _, c: (1 - s) * c\n)",
            ),
            kinds="activation-derivative",
        ),
    },
    {
        "sigmoid": Slip("by jax.nn", "s = jax.nn.sigmoid(x)"),
        "quotient": Slip("1 / (1 + e^-x)", "s = 1 / (1 + jnp.exp(-x))"),
        "tanh": Slip("by tanh", "s = (1 + jnp.tanh(x / 2)) / 2"),
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
        return ((du - u * along) / size,)

    normalised.defvjp(forward, backward)
    return normalised


LENGTH = Model(
    *("unit-length-rule", RULE, length_fun, length_rule),
    {
        "ordinary": lambda rng: (normal(rng, 2, 3),),
        "short": lambda rng: (1e-7 * normal(rng, 2, 3),),
    },
    {
        "no-projection": Slip("nothing comes back through the length", ("(du - u * along)", "du")),
        "no-length": Slip(
            "the length forgotten",
            ("(du - u * along) / size", "du - u * along"),
            kinds="missing-factor",
        ),
        "plus": Slip("plus for minus", ("du - u", "du + u"), kinds="sign"),
        "axis": Slip("summed over all", "along = jnp.sum(u * du)", kinds="axis"),
        "twice": Slip("size² for size", ("along) / size", "along) / size**2")),
        "detached": Slip(
            "stop_gradient of what is kept: wrong at second order",
            ("return u, (u, size)", "return u, jax.lax.stop_gradient((u, size))"),
        ),
        "length-detached": Slip(
            "stop_gradient of the length: wrong at second order",
            "u, size = kept[0], jax.lax.stop_gradient(kept[1])",
        ),
        "1e-3": Slip(
            "the projection off by 1e-3",
            ("du - u * along", "du - 1.001 * u * along"),
            kinds="factor constant",
        ),
        "1e-6": Slip(
            "a factor off by 1e-6",
            ("along) / size", "along) / (size * (1 + 1e-6))"),
            kinds="factor constant",
        ),
        "guard": Slip(
            "1e-8 added to the length backwards",
            ("along) / size", "along) / (size + 1e-8)"),
            kinds="constant",
        ),
    },
    {
        "of-x": Slip(
            "by x itself",
            ("return u, (u, size)", "return u, (x, size)"),
            ("u, size = kept", "x, size = kept\nu = x / size"),
        ),
        "matrix": Slip(
            "by the projection's matrix",
            (
                "return ((du - u * along) / size,)",
                "tangent = jnp.eye(u.shape[-1]) - u[..., :, None] * u[..., None, :]\n"
                "return ((du[..., None, :] @ tangent)[..., 0, :] / size,)",
            ),
        ),
        "inverse": Slip("times 1 / size", ("along) / size,", "along) * (1 / size),")),
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
        return x, jnp.linalg.solve(a, r)

    return solution


SOLVE = Model(
    *("solve-rule", RULE, solve_fun, solve_rule),
    {
        "ordinary": lambda rng: (normal(rng, 3, 3) + 2 * np.eye(3), normal(rng, 3)),
        "badly conditioned": lambda rng: (
            np.array([[1.0, 1.0], [1.0, 1.0 + 1e-6]]) + 1e-9 * normal(rng, 2, 2),
            normal(rng, 2),
        ),
    },
    {
        "no-matrix": Slip("the matrix taken for constant", "r = db", kinds="zero"),
        "sign": Slip("plus for minus", "r = db + da @ x", kinds="sign"),
        "right-side": Slip("b for x", "r = db - da @ b", kinds="operand"),
        "transposed": Slip("aᵀ for a", ("solve(a, r)", "solve(a.T, r)"), kinds="transposed"),
        "tangent": Slip("da transposed", "r = db - da.T @ x", kinds="transposed"),
        "solution": Slip(
            "stop_gradient of x: wrong at second order", "x = jax.lax.stop_gradient(solution(a, b))"
        ),
        "factor": Slip(
            "stop_gradient of a: wrong at second order",
            ("solve(a, r)", "solve(jax.lax.stop_gradient(a), r)"),
        ),
        "1e-3": Slip("a factor off by 1e-3", "r = db - 1.001 * (da @ x)", kinds="factor constant"),
        "1e-6": Slip(
            "a factor off by 1e-6", "r = (1 + 1e-6) * db - da @ x", kinds="factor constant"
        ),
        "ridge": Slip(
            "1e-8 added to the diagonal",
            ("solve(a, r)", "solve(a + 1e-8 * jnp.eye(len(b)), r)"),
            kinds="constant",
        ),
        "backwards": Slip(
            "right forwards, not transposed backwards",
            (
                "return x, jnp.linalg.solve(a, r)",
                "solved = lambda _, r: jnp.linalg.solve(a, r)\n"
                "return x, jax.lax.custom_linear_solve(lambda v: a @ v, r, solved, solved)",
            ),
            kinds="transposed",
        ),
    },
    {
        "inverse": Slip("by the inverse", ("jnp.linalg.solve(a, r)\n", "jnp.linalg.inv(a) @ r\n")),
        "apart": Slip(
            "two solutions",
            (
                "return x, jnp.linalg.solve(a, r)",
                "return x, jnp.linalg.solve(a, db) - jnp.linalg.solve(a, da @ x)",
            ),
        ),
        "own": Slip(
            "by the decorated function", ("x, jnp.linalg.solve(a, r)", "x, solution(a, r)")
        ),
    },
)


MODELS = (SOFTPLUS, LENGTH, SOLVE)

"""Operations on arrays that are undone wrongly: each loss is a sum of results, weighed by g."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.corpus.case import Case
from tests.corpus.rows.wrong_links import Slope, drawn, wrong


def weighed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, g: jnp.sum(g * function(*p))


def of_operation(
    name: str, function: Callable[..., Any], operands: tuple[Any, ...], *rows: tuple[Any, ...]
) -> list[Case]:
    """Return cases of an operation: from operands and g the answer, and what is said."""
    g = drawn(*jax.eval_shape(function, *operands).shape, seed=8)
    return wrong(name, weighed(function), operands, g)(
        *((lambda p, g, b=back: b(*p, g), *says) for back, *says in rows)
    )


def product(a: Any, b: Any) -> Any:
    return a @ b


def of_tanh(a: Any, b: Any) -> Any:
    return jnp.tanh(a @ b)


def back_of_tanh(change: Callable[[Any], Any]) -> Callable[..., Any]:
    def back(a: Any, b: Any, g: Any) -> Any:
        dz = change(g * (1 - np.tanh(a @ b) ** 2))
        return dz @ b.T, a.T @ dz

    return back


def one_more(slope: Slope) -> Callable[..., Any]:
    """The derivative of an activation where there is none."""

    def back(a: Any, m: Any, g: Any) -> Any:
        dz = g * slope(a @ m, None)
        return dz @ m.T, a.T @ dz

    return back


def masked(z: Any) -> Any:
    return jax.nn.softmax(jnp.where(z > -1, z, -jnp.inf), axis=1)


def diagonal(z: Any, g: Any) -> Any:
    e = np.exp(z) * (z > -1)
    p = e / e.sum(axis=1, keepdims=True)
    return (g * p * (1 - p),)


def pool(x: Any) -> Any:
    return jax.lax.reduce_window(jnp.sin(x), -jnp.inf, jax.lax.max, (3,), (2,), "VALID")


def pooled(x: Any, g: Any, share: float = 1.0) -> Any:
    found = np.zeros_like(x)
    for i, each in enumerate(share * g):
        found[2 * i : 2 * i + 3] += each
    return (found * np.cos(x),)


A, M, B, SCORES, LINE = drawn(4, 3), drawn(3, 3), drawn(3, 5), drawn(2, 3), drawn(7)
POWERS: dict[str, Callable[[Any], Any]] = {
    "sin": jnp.sin,
    "the square": lambda z: z**2,
    "the cube": lambda z: z**3,
    "the power": lambda z: z**5,
}
CASES = [
    *of_operation(
        *("product", product, (A, M)),
        (lambda a, m, g: (g @ m, a.T @ g), "transposed: is not transposed on the way back"),
        (lambda a, m, g: (g, a.T @ g), "missing: its matrix is missing"),
        (
            one_more(lambda z, _: 1 / np.cosh(z) ** 2),
            "slope: one derivative of tanh too many",
        ),
        (one_more(lambda z, _: z > 0), "slope: one derivative of relu too many"),
    ),
    *of_operation(
        *("product on the left", product, (M, B)),
        (lambda m, b, g: (g @ b.T, m @ g), "transposed: is not transposed on the way back"),
    ),
    *of_operation(
        *("product with tanh of m", lambda a, m: a @ jnp.tanh(m), (A, M)),
        (
            lambda a, m, g: (g @ np.tanh(m).T, g.T @ a * (1 - np.tanh(m) ** 2)),
            "transposed: for the matrix of a product is transposed",
        ),
    ),
    *of_operation(
        *("tanh of a product", of_tanh, (A, B)),
        (
            back_of_tanh(lambda d: d.T.reshape(4, 5)),
            "transposed: a derivative is transposed, and reshaped to fit",
        ),
        (back_of_tanh(lambda d: d.reshape(5, 4).T), "transposed: where it should be transposed"),
    ),
    *of_operation(
        *("tanh of a square product", of_tanh, (M, M.T + 1)),
        (back_of_tanh(np.tril), "symmetry: only the lower half has a derivative"),
        (back_of_tanh(np.triu), "symmetry: only the upper half has a derivative"),
    ),
    *of_operation(
        *("sum over rows", lambda m: jnp.sin(m).sum(axis=0), (M,)),
        (lambda m, g: (g[:, None] * np.cos(m),), "axis: spread along the other axis"),
    ),
    *of_operation(
        *("sum over columns", lambda m: jnp.sin(m).sum(axis=1), (M,)),
        (lambda m, g: (g * np.cos(m),), "axis: spread along the other axis"),
    ),
    *of_operation(
        *("broadcast", lambda v: jnp.sin(jnp.broadcast_to(v, (3, 3))), (drawn(3),)),
        (lambda v, g: ((g * np.cos(v)).sum(axis=1),), "axis: summed over the other axis"),
    ),
    *of_operation(
        *("masked softmax", masked, (SCORES,)),
        (diagonal, "slope: only the diagonal p(1 - p)"),
    ),
    *of_operation(
        *("relu of sin", lambda z: jax.nn.relu(jnp.sin(z)), (SCORES,)),
        (
            lambda z, g: (g * (g > 0) * np.cos(z),),
            "slope: takes its mask from what comes back",
        ),
    ),
    *of_operation(
        *("pooling", pool, (LINE,)),
        (lambda x, g: pooled(x, g, 1 / 3), "reduction: is that of the mean"),
        (pooled, "reduction: goes to every element whole"),
    ),
    *of_operation(
        *("sin, turned, before a product", lambda a, b: jnp.sin(a).T @ b, (A, drawn(4, 5))),
        (
            lambda a, b, g: (b @ g.T, np.sin(a) @ g),
            "slope: the derivative of sin is missing",
        ),
    ),
    *(
        case
        for name, power in POWERS.items()
        for case in of_operation(
            *(f"{name} before a product", lambda a, m, f=power: f(a) @ m, (A, M)),
            (
                lambda a, m, g, f=power: (g @ m.T, np.asarray(f(a)).T @ g),
                f"slope: the derivative of {name} is missing",
            ),
        )
    ),
]

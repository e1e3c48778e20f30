"""How a loss is read: keys, settings and constants in it, and rules that others wrote."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad import check_gradient
from tests.corpus.case import Anew, Row, cases

WIDE = np.cos(np.arange(1.0, 312.0))
LEAF, TABLE = abs(WIDE[:29]) + 0.01, WIDE[:12].reshape(4, 3)


def dropout(p: Any, key: Any) -> Any:
    return jnp.sum(jnp.where(jax.random.bernoulli(key, 0.5, p.shape), p / 0.5, 0.0) ** 3)


def of_what_is_kept(p: Any, key: Any) -> Any:
    kept = np.asarray(jax.random.bernoulli(key, 0.5, p.shape))
    return np.where(kept, 24 * p**2, 0.0)


def drops(p: Any) -> Any:
    return dropout(p, jax.random.PRNGKey(7))


def turns(p: Any, n: Any) -> Any:
    """As many as the data say."""
    return lax.fori_loop(0, 5, lambda i, v: jnp.where(i < n, v * p, v), p) ** 2


def set_by_name(p: Any, name: Any, scale: Any) -> Any:
    return {"cube": lambda v: v**3}[name](p) * (2.0 if float(scale) > 1 else 1.0)


# Custom rules, which are not believed.


@jax.custom_jvp
def off_by_a_hair(x: Any) -> Any:
    return jnp.sin(x)


@off_by_a_hair.defjvp
def _hair(primals: Any, tangents: Any) -> Any:
    return off_by_a_hair(*primals), jnp.cos(primals[0]) * tangents[0] * (1 + 2e-16)


@jax.custom_vjp
def wrong_sign(x: Any) -> Any:
    return jnp.sin(x)


wrong_sign.defvjp(lambda x: (jnp.sin(x), x), lambda x, ct: (-ct * jnp.cos(x),))


@jax.custom_vjp
def doubled_until_large(x: Any) -> Any:
    return lax.while_loop(lambda v: v[0] < 100, lambda v: 2 * v, x)


doubled_until_large.defvjp(lambda x: (doubled_until_large(x), None), lambda _, ct: (3 * ct,))


@jax.custom_jvp
def sine(x: Any) -> Any:
    return jnp.sin(x)


@sine.defjvp
def _sine(primals: Any, tangents: Any) -> Any:
    return sine(*primals), jnp.cos(primals[0]) * tangents[0]


def with_rule(f: Any) -> Any:
    return lambda p: jnp.sum(f(p) ** 2 * p)


def with_both(p: Any) -> Any:
    return with_rule(lambda x: sine(x) + wrong_sign(x))(p)


def of_sines(p: Any) -> Any:
    return np.sin(p) * (2 * np.cos(p) * p + np.sin(p))


def with_a_loop(p: Any) -> Any:
    return jnp.sum(doubled_until_large(p) ** 2)


def of_loop(p: Any) -> Any:
    return 2 * 4.0 ** np.ceil(np.log2(100 / p[0])) * p


def in_branches_of_a_loop(p: Any) -> Any:
    def step(h: Any, row: Any) -> tuple[Any, Any]:
        return lax.cond(h[0] > 0, wrong_sign, jnp.cos, h) * row, h

    last, kept = lax.scan(step, p[0], p)
    return jnp.sum(last) + jnp.sum(jax.jit(off_by_a_hair)(kept))


def same_without_rules(p: Any) -> Any:
    h, total = p[0], 0.0
    for row in p:
        total += jnp.sum(jnp.sin(h))
        h = jnp.where(h[0] > 0, jnp.sin(h), jnp.cos(h)) * row
    return jnp.sum(h) + total


# Constants: losses that are one but for what they close over.

W, X = np.array([0.3, 0.7, 1.1]), np.array([4.0, 5.0, 6.0])


def ones(w: Any, *_: Any) -> Any:
    return np.ones_like(w)


def a_key() -> Any:
    return jax.random.key(7)


CASES = [
    *cases("dropout", check_gradient, dropout, WIDE[:41], Anew(a_key), points=0)(
        Row("right", of_what_is_kept, certified=True),
    ),
    *cases("dropout by a key of its own", check_gradient, drops, WIDE[:41], points=2)(
        Row("right", lambda p: of_what_is_kept(p, jax.random.PRNGKey(7)), certified=True),
        Row("another key", lambda p: of_what_is_kept(p, jax.random.PRNGKey(8))),
    ),
    *cases("turns by the data", check_gradient, turns, np.array(1.5), np.int32(3), points=0)(
        Row("right", lambda p, n: 8 * p**7, certified=True, compiled=jax.jit(turns)),
    ),
    *cases("a setting", check_gradient, set_by_name, np.array(1.5), "cube", np.float64(3.0))(
        Row("right", lambda p, *_: 6 * p**2, certified=True),
    ),
    *cases("an array of losses", check_gradient, lambda p: p, np.ones(3))(
        Row("refused", ones, "one real scalar", verdict="raised"),
    ),
    *cases("a right custom rule beside a wrong one", check_gradient, with_both, WIDE, points=0)(
        Row("right", lambda p: 4 * of_sines(p), "rule of wrong_sign is not", certified=True),
    ),
    *cases("a custom rule off by a hair", check_gradient, with_rule(off_by_a_hair), WIDE, points=0)(
        Row("right", of_sines, certified=True),
    ),
    *cases("a custom rule of another sign", check_gradient, with_rule(wrong_sign), WIDE, points=0)(
        Row("right", of_sines, "rule of wrong_sign is not", "JAX's gradient program"),
        Row("by JAX, with that rule", jax.grad(with_rule(wrong_sign)), "rule of wrong_sign is not"),
    ),
    *cases("a loop with a wrong rule", check_gradient, with_a_loop, LEAF, points=0)(
        Row(
            "right",
            of_loop,
            "rule of doubled_until_large is not",
            certified=True,
            compiled=jax.jit(with_a_loop),
        ),
    ),
    *cases("wrong rules in a loop", check_gradient, in_branches_of_a_loop, TABLE, points=0)(
        Row(
            "right",
            jax.grad(same_without_rules),
            "rule of wrong_sign, off_by_a_hair is not",
            certified=True,
            compiled=jax.jit(in_branches_of_a_loop),
        ),
    ),
    *cases("a constant of JAX", check_gradient, lambda w: jnp.sum(jnp.asarray(X) + w), W)(
        Row("right", ones, certified=True)
    ),
    *cases("an argument for the constant", check_gradient, lambda w, x: jnp.sum(w + x), W, X)(
        Row("right", ones, certified=True)
    ),
]

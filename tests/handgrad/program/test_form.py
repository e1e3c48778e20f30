"""Forms of programs: equal where two traces compute the same, and in no other case."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.program.trace import trace

W = np.array([0.3, 0.7, 1.1])
KEY = jax.random.key(3)
LAST = float(np.nextafter(0.1, 1))
RNG = np.random.default_rng(0)


def looped(w: Any, start: float = 1.0) -> Any:
    return jax.lax.scan(lambda c, x: (c * x + start, c), w[0], w)[0]


def branched(w: Any) -> Any:
    return jax.lax.cond(w[0] > 0, jnp.sum, jnp.prod, w)


def normal(w: Any) -> Any:
    return jnp.sum(w * jax.random.normal(KEY, (3,), w.dtype))


def draws(w: Any) -> Any:
    return jnp.sum(w * RNG.random())


def calls(w: Any) -> Any:
    """Call back another function each time."""
    return jnp.sum(w * jax.pure_callback(lambda: 2.0, jax.ShapeDtypeStruct((), w.dtype)))


def form(loss: Any) -> Any:
    with jax.numpy_dtype_promotion("standard"):
        return trace(loss, W, ()).loss.form


LOSSES: list[Callable[[Any], Any]] = [
    lambda w: jnp.sum(jax.nn.relu(w) * jax.nn.logsumexp(w)),  # with derivative rules
    *(looped, branched, normal),
    lambda w: jnp.sort(w)[1] + w[np.array([0, 1, 1])].sum(),
    lambda w: jnp.linalg.solve(jnp.outer(w, w) + jnp.eye(3, dtype=w.dtype), w).sum(),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_traced_again_has_the_same_form(loss: Any) -> None:
    one, other = trace(loss, W, ()), trace(loss, W, ())
    assert one.loss.form == other.loss.form
    assert hash(one.loss.form) == hash(other.loss.form)
    assert one.gradient is not None
    assert other.gradient is not None
    assert one.gradient.form == other.gradient.form != one.loss.form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((draws, draws), (calls, calls)),
        (lambda w: jnp.sum(w * 0.1), lambda w: jnp.sum(w * LAST)),
        (lambda w: jnp.sum(w) + 0.0, lambda w: jnp.sum(w) + -0.0),
        (
            lambda w: jnp.sum(w * np.array([0.1, 1, 2])),
            lambda w: jnp.sum(w * np.array([LAST, 1, 2])),
        ),
        (lambda w: w[0] - w[1], lambda w: w[1] - w[0]),
        (lambda w: jnp.sum(w[:2]), lambda w: jnp.sum(w[1:])),
        (lambda w: jnp.sum(w**2), lambda w: jnp.sum(w**3)),
        (lambda w: jnp.max(w), lambda w: jnp.min(w)),
        (branched, lambda w: jax.lax.cond(w[0] > 0, jnp.prod, jnp.sum, w)),
        (looped, lambda w: looped(w, LAST)),
    ],
)
def test_what_computes_something_else_has_another(one: Any, other: Any) -> None:
    assert form(one) != form(other)


def test_a_setting_of_jax_belongs_to_it() -> None:
    """Under which it draws other numbers."""
    forms = []
    for partitionable in (True, False):
        with jax.threefry_partitionable(partitionable):
            forms.append(form(normal))
    assert forms[0] != forms[1]

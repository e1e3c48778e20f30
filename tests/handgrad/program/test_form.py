"""Forms of programs: equal where two traces compute the same, and in no other case."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.program import form
from handgrad.program.trace import trace

W = np.array([0.3, 0.7, 1.1])
KEY = jax.random.key(3)


def looped(w: Any) -> Any:
    return jax.lax.scan(lambda c, x: (c * x + 1.0, c), w[0], w)[0]


def branched(w: Any) -> Any:
    return jax.lax.cond(w[0] > 0, jnp.sum, jnp.prod, w)


LOSSES: list[Callable[[Any], Any]] = [
    lambda w: jnp.sum(jax.nn.relu(w) * jax.nn.logsumexp(w)),  # with derivative rules
    looped,
    branched,
    lambda w: jnp.sum(w * jax.random.normal(KEY, (3,), w.dtype)),
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


class Draws:
    """A loss that multiplies by what it draws."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, w: Any) -> Any:
        return jnp.sum(w * self.rng.random())


class Calls(Draws):
    """A loss that calls back another function each time."""

    def __call__(self, w: Any) -> Any:
        result = jax.ShapeDtypeStruct((), w.dtype)
        drawn = jax.pure_callback(lambda: self.rng.random(), result)
        return jnp.sum(w * drawn)


@pytest.mark.parametrize("loss", [Draws(), Calls()])
def test_a_loss_that_draws_has_another(loss: Any) -> None:
    assert trace(loss, W, ()).loss.form != trace(loss, W, ()).loss.form


LAST = float(np.nextafter(0.1, 1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
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
        (looped, lambda w: jax.lax.scan(lambda c, x: (c * x + LAST, c), w[0], w)[0]),
    ],
)
def test_what_computes_something_else_has_another(one: Any, other: Any) -> None:
    with jax.numpy_dtype_promotion("standard"):
        assert trace(one, W, ()).loss.form != trace(other, W, ()).loss.form


def test_losses_of_one_form_share_what_was_compiled() -> None:
    """Each is another function of Python's, and is computed with its own numbers."""
    before = form.compiled.cache_info().misses
    for k in range(3):
        x = np.array([1.0, 2.0, k])
        traced = trace(lambda w, x: jnp.sum(jnp.tanh(w * x)), W, (x,))
        assert traced.gradient is not None
        with jax.enable_x64(True):
            loss, slopes = traced.gradient.compiled()([W], [x])
        np.testing.assert_allclose(loss, np.tanh(W * x).sum(), rtol=1e-14)
        np.testing.assert_allclose(slopes, x * (1 - np.tanh(W * x) ** 2), rtol=1e-13)
    assert form.compiled.cache_info().misses - before == 1


def test_a_constant_is_no_argument() -> None:
    """A loss with a constant and one with another argument, of the same operations."""
    x = np.array([4.0, 5.0, 6.0])

    def ones(w: Any, *_: Any) -> Any:
        return np.ones_like(w)

    assert check_gradient(ones, lambda w: jnp.sum(jnp.asarray(x) + w), W).verdict == "agree"
    assert check_gradient(ones, lambda w, x: jnp.sum(w + x), W, x).verdict == "agree"
    assert check_gradient(ones, lambda w: jnp.sum(x + w), W).verdict == "agree"


def test_a_setting_of_jax_belongs_to_it() -> None:
    """Under which it draws other numbers."""
    forms = []
    for partitionable in (True, False):
        with jax.threefry_partitionable(partitionable):
            forms.append(
                trace(lambda w: jnp.sum(w * jax.random.normal(KEY, (3,), w.dtype)), W, ()).loss.form
            )
    assert forms[0] != forms[1]

"""What a loss is traced with: labels, keys, settings, loops; what is no loss."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad.arithmetic import balls
from handgrad.program.trace import trace
from tests.handgrad.oracle.problems import by_jax, certified, gradient
from tests.tiers import slowly

WIDE = np.cos(np.arange(1.0, 42.0))


def test_integer_labels_choose() -> None:
    logits, labels = np.sin(np.arange(15.0)).reshape(5, 3), np.array([2, 0, 1, 1, 0])

    def loss(z: Any, y: Any) -> Any:
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))

    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = (p - np.eye(3)[labels]) / 5
    np.testing.assert_allclose(gradient(loss, logits, labels), expected.ravel(), rtol=1e-13)


@pytest.mark.parametrize(
    "key", [slowly(jax.random.key(7)), jax.random.PRNGKey(7)], ids=["new", "old"]
)
def test_dropout_with_a_fixed_key(key: Any) -> None:
    def loss(p: Any, key: Any) -> Any:
        kept = jax.random.bernoulli(key, 0.5, p.shape)
        return jnp.sum(jnp.where(kept, p / 0.5, 0.0) ** 3)

    reference, (value, grads) = certified(loss, WIDE, key), by_jax(loss, WIDE, key)
    assert 10 < np.count_nonzero(grads) < 31
    np.testing.assert_allclose(balls.midpoints(reference.gradient), grads, rtol=1e-14)
    assert float(reference.loss.mid()) == pytest.approx(value, rel=1e-12)


def test_the_number_of_turns_may_depend_on_the_data() -> None:
    def loss(p: Any, n: Any) -> Any:
        return lax.fori_loop(0, 5, lambda i, v: jnp.where(i < n, v * p, v), p) ** 2

    assert gradient(loss, 1.5, np.int32(3))[0] == 8 * 1.5**7


def test_settings_and_shapes_that_decide_how_a_loss_is_traced() -> None:
    def loss(p: Any, name: Any, scale: Any) -> Any:
        return {"cube": lambda v: v**3}[name](p) * (2.0 if float(scale) > 1 else 1.0)

    assert gradient(loss, 1.5, "cube", np.float64(3.0))[0] == 13.5


def test_a_loss_is_one_real_number() -> None:
    for wrong in (lambda p: p, lambda p: (p[0], p[0]), lambda p: p[0] > 0):
        with pytest.raises(TypeError, match="expected one real scalar"):
            trace(wrong, np.ones(3), ())

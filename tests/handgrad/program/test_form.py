"""Losses that differ in one thing alone are not taken for each other."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import exact_gradient

W = np.array([0.3, 0.7, 1.1])
KEY = jax.random.key(3)
LAST = float(np.nextafter(0.1, 1))


def looped(w: Any, start: float = 1.0) -> Any:
    return jax.lax.scan(lambda c, x: (c * x + start, c), w[0], w)[0]


def branched(one: Any, other: Any) -> Any:
    return lambda w: jax.lax.cond(w[0] > 0, one, other, w)


def digits(loss: Any) -> list[str]:
    return [number.midpoint for number in exact_gradient(loss, W)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda w: jnp.sum(w * 0.1), lambda w: jnp.sum(w * LAST)),
        (
            lambda w: jnp.sum(w * np.array([0.1, 1, 2])),
            lambda w: jnp.sum(w * np.array([LAST, 1, 2])),
        ),
        (lambda w: w[0] - w[1], lambda w: w[1] - w[0]),
        (lambda w: jnp.sum(w[:2]), lambda w: jnp.sum(w[1:])),
        (lambda w: jnp.sum(w**2), lambda w: jnp.sum(w**3)),
        (lambda w: jnp.max(w), lambda w: jnp.min(w)),
        (branched(jnp.sum, jnp.prod), branched(jnp.prod, jnp.sum)),
        (looped, lambda w: looped(w, LAST)),
    ],
)
def test_each_has_its_own_gradient(one: Any, other: Any) -> None:
    assert digits(one) == digits(one) != digits(other)


def test_a_setting_under_which_jax_draws_others_belongs_to_a_loss() -> None:
    def normal(w: Any) -> Any:
        return jnp.sum(w * jax.random.normal(KEY, (3,), w.dtype))

    for partitionable in (True, False):
        with jax.threefry_partitionable(partitionable), jax.enable_x64(True):
            drawn = jax.random.normal(KEY, (3,))
            np.testing.assert_allclose([*map(float, digits(normal))], drawn, rtol=1e-12)

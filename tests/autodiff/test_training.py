"""Training as one compiled scan: what comes out."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from autodiff.network import Layer, loss
from autodiff.training import OPTIMISERS, training
from manual.network import Network

NETWORK = Network((2, 3, 1), "tanh")
X = np.random.default_rng(1).standard_normal((11, 2))
Y = np.random.default_rng(2).standard_normal((11, 1))
BATCHES = np.arange(10, dtype=np.int32).reshape(2, 5)


def start() -> list[Layer]:
    rng = np.random.default_rng(3)
    return [
        Layer(jnp.asarray(rng.standard_normal((2, 3))), jnp.zeros(3)),
        Layer(jnp.asarray(rng.standard_normal((3, 1))), jnp.zeros(1)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_walking_and_stepping_arrive_at_the_same_place(optimiser: str) -> None:
    """They are compiled apart, so that some units of rounding of numbers near 1 may differ."""
    made = training(partial(loss, NETWORK), optimiser, 0.1)
    with jax.enable_x64(True):
        path = jax.device_get(made.walk(made.init(start()), X, Y, BATCHES))
        before: Any = jax.tree.map(lambda leaf: leaf[None], made.init(start()))
        first = jax.device_get(made.steps(before, X, Y, BATCHES[:1]))
    for whole, one in zip(*map(jax.tree.leaves, (path, first.after)), strict=True):
        assert whole.shape == (2, *one[0].shape)
        np.testing.assert_allclose(whole[0], one[0], rtol=0, atol=1e-15)

"""Training as one compiled scan: what is given away, what is carried, what comes out."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from autodiff.network import Layer
from autodiff.training import OPTIMISERS, Training, training
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
def test_what_is_carried_is_given_away(optimiser: str) -> None:
    """A training holds its parameters once: the buffers that go in are those that come out."""
    made = training(NETWORK, optimiser, 0.1)
    with jax.enable_x64(True):
        carry = made.init(start())
        after = made.run(carry, X, Y, BATCHES)
        given = [leaf for leaf in jax.tree.leaves(carry) if leaf.ndim]
        assert all(leaf.is_deleted() for leaf in given)
        assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(after))


@pytest.mark.slow
def test_running_walking_and_stepping_arrive_at_the_same_place() -> None:
    """They are compiled apart, so that some units of rounding of numbers near 1 may differ."""
    made = training(NETWORK, "momentum", 0.1)
    with jax.enable_x64(True):
        path = jax.device_get(made.walk(made.init(start()), X, Y, BATCHES))
        end = jax.device_get(made.run(made.init(start()), X, Y, BATCHES))
        before: Any = jax.tree.map(lambda leaf: leaf[None], made.init(start()))
        first = jax.device_get(made.steps(before, X, Y, BATCHES[:1]))
    for whole, last, one in zip(*map(jax.tree.leaves, (path, end, first.after)), strict=True):
        assert whole.shape == (2, *last.shape)
        np.testing.assert_allclose(whole[-1], last, rtol=0, atol=1e-15)
        np.testing.assert_allclose(whole[0], one[0], rtol=0, atol=1e-15)


def test_one_compilation_for_equal_arguments() -> None:
    same: Training = training(Network((2, 3, 1), "tanh"), "adam", 0.1)
    assert same is training(Network((2, 3, 1), "tanh"), "adam", 0.1)
    assert same is not training(Network((2, 3, 1), "tanh"), "adam", 0.2)

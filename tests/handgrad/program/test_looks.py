"""What of code may look at its numbers, or write to them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.program.numpy_to_jax import may_look, may_write

BUFFER, SIZES = np.zeros(3), [2, 3]


def of_networks(layers: Any, x: Any) -> Any:
    for w, b in layers:
        x = jax.nn.relu(jnp.tanh(x @ w + b).reshape(SIZES[0], -1))
    return jnp.mean((x - BUFFER) ** 2)


def doubled(x: Any) -> Any:
    h = x.copy()
    h *= 2
    return jnp.sum(h)


def written(x: Any) -> Any:
    h = x.copy()
    h[0] = 1.0
    return jnp.sum(h)


def sorted_(x: Any) -> Any:
    h = x.copy()
    h.sort()
    return jnp.sum(h)


def into(x: Any) -> Any:
    return jnp.sum(x.cumsum(out=BUFFER))


def through_another(x: Any) -> Any:
    return jnp.sum((lambda y: doubled(y) + y)(x))


class Model:
    def __call__(self, x: Any) -> Any:
        return jnp.sum(x)


MODEL = Model()


def test_code_in_jax_alone_neither_looks_nor_writes() -> None:
    assert not may_look(of_networks)
    assert not may_write(of_networks)


@pytest.mark.parametrize(
    "function",
    [doubled, written, sorted_, into, through_another, MODEL, lambda x: MODEL(x), jax.jit(doubled)],
)
def test_code_that_writes_or_is_not_known_may_write(function: Any) -> None:
    assert may_write(function)

"""Three ways to one loss and gradient of a network, and its matrix products alone."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import autodiff.network
import manual.network
from benchmarks.gate import Answer, Point

HAND, HAND_JITTED, GRAD = "by hand, NumPy", "hand lines, jax.jit", "jax.grad, jax.jit"
#: The matrix products alone, by library.
FLOORS = {"NumPy": "matrix products, NumPy", "jax.numpy": "matrix products, jax.jit"}


def by_hand(here: Point) -> Callable[[], Answer]:
    """The hand lines on NumPy arrays."""
    arguments = (here.network, here.params, here.x, here.y)
    return lambda: manual.network.value_and_gradient(*arguments)


def hand_jitted(here: Point) -> Callable[[], Answer]:
    """The very same lines under `jax.jit`, inputs on the device beforehand."""
    run = jax.jit(functools.partial(manual.network.value_and_gradient, here.network))
    arguments = jax.device_put((here.params, here.x, here.y))
    return lambda: jax.block_until_ready(run(*arguments))


def grad_jitted(here: Point) -> Callable[[], Answer]:
    """`jax.grad` of the same loss, under `jax.jit`, inputs on the device beforehand."""
    run = jax.jit(jax.value_and_grad(functools.partial(autodiff.network.loss, here.network)))
    params = [autodiff.network.Layer(*layer) for layer in here.params]
    arguments = jax.device_put((params, here.x, here.y))
    return lambda: jax.block_until_ready(run(*arguments))


CONTENDERS: dict[str, Callable[[Point], Callable[[], Answer]]] = {
    HAND: by_hand,
    HAND_JITTED: hand_jitted,
    GRAD: grad_jitted,
}


def products(inputs: list[Any], weights: list[Any], dzs: list[Any]) -> list[Any]:
    """Every matrix product of one loss and gradient: 2bmn operations each.

    Args:
        inputs: x of each layer, shape (batch, n_in).
        weights: w of each layer, shape (n_in, n_out).
        dzs: ∂L/∂z of each layer, shape (batch, n_out).
    """
    forward = [x @ w for x, w in zip(inputs, weights, strict=True)]
    dws = [x.T @ dz for x, dz in zip(inputs, dzs, strict=True)]
    # Nothing before the first layer wants a derivative.
    dxs = [dz @ w.T for dz, w in zip(dzs[1:], weights[1:], strict=True)]
    return [*forward, *dws, *dxs]


def floors(here: Point) -> dict[str, Callable[[], Any]]:
    """The products alone, by row; their operands are random but for the weights."""
    rng = np.random.default_rng(1)
    sizes, batch = here.network.sizes, len(here.x)
    operands = (
        [rng.normal(size=(batch, size)).astype(np.float32) for size in sizes[:-1]],
        [layer.w for layer in here.params],
        [rng.normal(size=(batch, size)).astype(np.float32) for size in sizes[1:]],
    )
    run, on_device = jax.jit(products), jax.device_put(operands)
    return {
        FLOORS["NumPy"]: lambda: products(*operands),
        FLOORS["jax.numpy"]: lambda: jax.block_until_ready(run(*on_device)),
    }

"""Mistakes that can be planted in any gradient, as functions of the right one."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from tests.handgrad.zoo.model import Gradient


def changed(gradient: Gradient, change: Callable[[list[Any]], Sequence[Any]]) -> Gradient:
    """The right gradient, then `change` of its leaves."""

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(gradient(params, *inputs))
        return jax.tree.unflatten(tree, change([np.asarray(leaf) for leaf in leaves]))

    return wrong


def _one_leaf(leaf: int, change: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda leaves: [
        change(value) if k == leaf % len(leaves) else value for k, value in enumerate(leaves)
    ]


def scaled(gradient: Gradient, factor: float, leaf: int | None = None) -> Gradient:
    """A factor too many, in one leaf or in all."""
    if leaf is None:
        return changed(gradient, lambda leaves: [factor * value for value in leaves])
    return changed(gradient, _one_leaf(leaf, lambda value: factor * value))


def scaled_by_batch(gradient: Gradient, power: int = 1, which: int = 0) -> Gradient:
    """n times, or n^power times; n is the length of the input number `which`."""

    def wrong(params: Any, *inputs: Any) -> Any:
        n = float(len(inputs[which]))
        return scaled(gradient, n**power)(params, *inputs)

    return wrong


def zeroed_leaf(gradient: Gradient, leaf: int = 0) -> Gradient:
    return changed(gradient, _one_leaf(leaf, np.zeros_like))


def transposed_leaf(gradient: Gradient, leaf: int = 0) -> Gradient:
    """Of a square leaf, so that the shape does not tell."""
    return changed(gradient, _one_leaf(leaf, lambda value: value.T.copy()))


def exchanged(gradient: Gradient, one: int = 0, other: int = 1) -> Gradient:
    """Two leaves of one shape, swapped."""

    def swap(leaves: list[Any]) -> list[Any]:
        leaves[one], leaves[other] = leaves[other], leaves[one]
        return leaves

    return changed(gradient, swap)


def exchanged_elements(gradient: Gradient, leaf: int = 0) -> Gradient:
    """The first element of a leaf swapped with its last."""

    def swap(value: Any) -> Any:
        flat = value.ravel().copy()
        flat[[0, -1]] = flat[[-1, 0]]
        return flat.reshape(value.shape)

    return changed(gradient, _one_leaf(leaf, swap))


def _one_element(gradient: Gradient, rank: float, change: Callable[[Any], Any]) -> Gradient:
    """Changes the element at that rank, 0 to 1, among all nonzero ones ordered by size."""

    def apply(leaves: list[Any]) -> list[Any]:
        flat = np.concatenate([np.ravel(value) for value in leaves])
        order = np.argsort(abs(flat), kind="stable")
        order = order[flat[order] != 0]
        if order.size:
            chosen = order[round(rank * (order.size - 1))]
            flat[chosen] = change(flat[chosen])
        ends = np.cumsum([value.size for value in leaves])[:-1]
        parts = np.split(flat, ends)
        return [part.reshape(value.shape) for part, value in zip(parts, leaves, strict=True)]

    return changed(gradient, apply)


def sign_of_one_element(gradient: Gradient, rank: float = 1.0) -> Gradient:
    """The largest element, or that of another rank, has the wrong sign."""
    return _one_element(gradient, rank, lambda value: -value)


def one_element_zeroed(gradient: Gradient, rank: float = 1.0) -> Gradient:
    return _one_element(gradient, rank, lambda value: 0 * value)


def one_element_off(gradient: Gradient, rank: float = 0.5) -> Gradient:
    """One element, of middling size, is off by a millionth; by a fiftieth in float32."""

    def off(value: Any) -> Any:
        return value + value * (64 * np.sqrt(np.finfo(value.dtype).eps))

    return _one_element(gradient, rank, off)


def accumulates(gradient: Gradient) -> Gradient:
    """A buffer that nobody zeroes: right at the first call, the sum of all calls later on."""
    buffer: list[Any] = []

    def add(leaves: list[Any]) -> list[Any]:
        forms = [(value.shape, value.dtype) for value in leaves]
        if [(value.shape, value.dtype) for value in buffer] == forms:
            leaves = [old + new for old, new in zip(buffer, leaves, strict=True)]
        buffer[:] = leaves
        return [value.copy() for value in leaves]

    return changed(gradient, add)


def update_before_use(gradient: Gradient, rate: float = 0.1) -> Gradient:
    """The last leaf is updated before the derivatives of the others are taken."""

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(params)
        last = jax.tree.leaves(gradient(params, *inputs))[-1]
        updated = jax.tree.unflatten(tree, [*leaves[:-1], leaves[-1] - rate * last])
        others = jax.tree.leaves(gradient(updated, *inputs))[:-1]
        return jax.tree.unflatten(tree, [*others, last])

    return wrong


def decayed(gradient: Gradient, rate: float = 1e-3) -> Gradient:
    """Weight decay that the loss does not have."""

    def wrong(params: Any, *inputs: Any) -> Any:
        return jax.tree.map(lambda g, p: g + rate * p, gradient(params, *inputs), params)

    return wrong

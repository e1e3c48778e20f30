"""Mistakes in the result of a gradient: each function makes a wrong gradient from a right one."""

from collections.abc import Callable, Collection
from typing import Any

import jax
import numpy as np

from models.model import Gradient


def accumulates(gradient: Gradient, only: Collection[int] | None = None) -> Gradient:
    """Add the gradient to buffers that are never reset to zero.

    The buffers themselves are returned, so that a later call also changes an earlier result.

    Args:
        gradient: the right one.
        only: the leaves that have such a buffer; all by default.
    """
    buffers: dict[int, np.ndarray] = {}

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(gradient(params, *inputs))
        for i, leaf in enumerate(leaves):
            if only is None or i in only:
                buffers.setdefault(i, np.zeros_like(leaf))
                buffers[i] += leaf
                leaves[i] = buffers[i]
        return jax.tree.unflatten(tree, leaves)

    return wrong


def update_before_use(gradient: Gradient, rate: float = 0.1) -> Gradient:
    """Update the last leaf before the derivatives by the others are taken."""

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(params)
        last = jax.tree.leaves(gradient(params, *inputs))[-1]
        updated = jax.tree.unflatten(tree, [*leaves[:-1], leaves[-1] - rate * last])
        others = jax.tree.leaves(gradient(updated, *inputs))[:-1]
        return jax.tree.unflatten(tree, [*others, last])

    return wrong


def sign_of_one_element(gradient: Gradient, rank: float = 1.0) -> Gradient:
    """Change the sign of the largest element, or of that of another rank."""
    return _one_element(gradient, rank, lambda value: -value)


def one_element_zeroed(gradient: Gradient, rank: float = 1.0) -> Gradient:
    """Set the largest element, or that of another rank, to 0."""
    return _one_element(gradient, rank, lambda value: 0 * value)


def one_element_off(gradient: Gradient, rank: float = 0.5) -> Gradient:
    """Change one element of medium size by a millionth; by a fiftieth in float32."""
    return _one_element(
        gradient, rank, lambda value: value + value * (64 * np.sqrt(np.finfo(value.dtype).eps))
    )


def small_elements_zeroed(gradient: Gradient) -> Gradient:
    """Set all elements to 0 that are a thousand times smaller than the largest."""

    def change(flat: Any) -> Any:
        return np.where(abs(flat) < 1e-3 * abs(flat).max(), 0 * flat, flat)

    return _changed(gradient, change)


def exchanged_elements(gradient: Gradient) -> Gradient:
    """Exchange the first element and the last."""
    return _changed(gradient, lambda flat: flat[[-1, *range(1, flat.size - 1), 0]])


def _one_element(gradient: Gradient, rank: float, change: Callable[[Any], Any]) -> Gradient:
    """Change the element at that rank, 0 to 1, among all nonzero ones ordered by size."""

    def apply(flat: Any) -> Any:
        order = np.argsort(abs(flat), kind="stable")
        order = order[flat[order] != 0]
        if order.size:
            chosen = order[round(rank * (order.size - 1))]
            flat[chosen] = change(flat[chosen])
        return flat

    return _changed(gradient, apply)


def _changed(gradient: Gradient, change: Callable[[Any], Any]) -> Gradient:
    """Apply `change` to all elements of the right gradient in one array."""

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(gradient(params, *inputs))
        flat = change(np.concatenate([np.ravel(leaf) for leaf in leaves]))
        parts = np.split(flat, np.cumsum([np.size(leaf) for leaf in leaves])[:-1])
        shaped = [p.reshape(np.shape(leaf)) for p, leaf in zip(parts, leaves, strict=True)]
        return jax.tree.unflatten(tree, shaped)

    return wrong

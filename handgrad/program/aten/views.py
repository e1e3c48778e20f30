"""Reading a view of memory, and writing to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.errors import uncovered
from handgrad.program.aten.installed import torch
from handgrad.program.aten.registry import OPERATIONS, name_of


@dataclass(frozen=True, eq=False)
class Origin:
    """How a view was made."""

    base: Any  #: the tensor that it is a view of
    function: Any  #: the operation of ATen
    arguments: tuple[Any, ...]  #: what follows the base
    options: dict[str, Any]
    stopped: bool  #: whether gradients end here, as at `detach`

    def __call__(self, base: Any, rule: Callable[..., Any]) -> Any:
        """Make the view of a value, by a rule that stands for the operation."""
        return rule(base, *self.arguments, **self.options)


def is_view(function: Any) -> bool:
    """Tell whether an operation returns a view of its first argument, or several."""
    returns = function._schema.returns
    alias = returns[0].alias_info if returns else None
    return alias is not None and not alias.is_write


def is_list_of_views(function: Any) -> bool:
    """Tell whether it returns several, each of which is one of an operation that returns one."""
    return is_view(function) and str(function._schema.returns[0].type) == "List[Tensor]"


def check_strided(
    tensor: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> None:
    """Check that the places of `as_strided` are those of a tensor's own elements in their order.

    Raises:
        UncoveredOperationError: the memory holds them in another order, or further ones.
    """
    last = (storage_offset or 0) + sum(
        (n - 1) * step for n, step in zip(size, stride, strict=True) if n
    )
    owner = tensor
    while owner.origin is not None:
        owner = owner.origin.base
    is_whole = storage_offset is None or tensor.numel() == owner.numel()
    if not tensor.is_contiguous() or not is_whole or last >= tensor.numel():
        raise uncovered("as_strided of a tensor that is not contiguous, or a part of another,")


def check_covered(function: Any) -> None:
    """Raise UncoveredOperationError for a view without a rule, which PyTorch has made."""
    if name_of(function) not in OPERATIONS:
        raise uncovered(str(function))


def viewed(origin: Origin, base: Any) -> Any:
    """Return the JAX value of a view, from that of what it is a view of."""
    check_covered(origin.function)
    made = origin(base, OPERATIONS[name_of(origin.function)])
    return lax.stop_gradient(made) if origin.stopped else made


#: Views whose elements are not those of the base: from the view's value to the base's.
_INVERSES: dict[str, Callable[[Any, Any], Any]] = {
    "_conj": lambda array, base: jnp.conj(array),
    "_neg_view": lambda array, base: -array,
    "real": lambda array, base: (
        lax.complex(array, base.imag) if array.dtype != base.dtype else array
    ),
    "imag": lambda array, base: lax.complex(base.real, array),
    "view_as_real": lambda array, base: lax.complex(array[..., 0], array[..., 1]),
    "view_as_complex": lambda array, base: jnp.stack([array.real, array.imag], axis=-1),
}


def replaced(origin: Origin, base: Any, array: Any) -> Any:
    """Return the JAX value of the base after a view of it was given another value."""
    check_covered(origin.function)
    if inverse := _INVERSES.get(name_of(origin.function)):
        return inverse(array, base)
    # The place in the flat base that each element of the view has, by axes along which these rise.
    view = origin(torch.arange(base.size).reshape(base.shape), origin.function)
    order = sorted(range(view.ndim), key=lambda axis: -view.stride(axis))
    places, array = view.numpy().transpose(order), jnp.transpose(array, order)
    if places.size == base.size and np.array_equal(places.ravel(), np.arange(base.size)):
        return jnp.reshape(array, base.shape)
    if box := _box(places, base.shape):
        start, size = box
        return lax.dynamic_update_slice(base, jnp.reshape(array, size), start)
    at = jnp.reshape(base, -1).at[places.reshape(-1)]
    flat = at.set(jnp.reshape(array, -1), unique_indices=True, mode="promise_in_bounds")
    return jnp.reshape(flat, base.shape)


def _box(places: np.ndarray[Any, Any], shape: Any) -> tuple[Any, Any] | None:
    """Return start and size of the block of the base that rising places fill, if it is one."""
    if places.size == 0:
        return None
    corners = np.unravel_index([places.flat[0], places.flat[-1]], shape)
    start, size = [int(c[0]) for c in corners], [int(c[1] - c[0]) + 1 for c in corners]
    block = tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))
    numbers = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)[block]
    return (start, size) if np.array_equal(numbers.ravel(), places.ravel()) else None

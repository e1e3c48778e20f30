"""Reading a view of memory, and writing to it."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.program.aten.installed import torch
from handgrad.program.aten.registry import OPERATIONS, name_of
from handgrad.program.aten.traced_tensor import Origin


def is_view(function: Any) -> bool:
    """Tell whether an operation returns views of its first argument."""
    returns = function._schema.returns
    alias = returns[0].alias_info if returns else None
    return alias is not None and not alias.is_write


def viewed(origin: Origin, base: Any) -> Any:
    """Return the JAX value of a view, from that of what it is a view of."""
    rule = OPERATIONS[name_of(origin.function)].rule
    made = rule(base, *origin.arguments, **origin.options)
    return made if origin.index is None else made[origin.index]


def replaced(origin: Origin, base: Any, array: Any) -> Any:
    """Return the JAX value of the base after a view of it was given another value."""
    places = _places(origin, base.shape)
    flat = jnp.reshape(base, -1).at[places.reshape(-1)].set(jnp.reshape(array, -1))
    return jnp.reshape(flat, base.shape)


def _places(origin: Origin, shape: Any) -> np.ndarray[Any, Any]:
    """Return the place in the flat base that each element of a view has."""
    size = int(np.prod(shape, dtype=int))
    numbers = torch.arange(size).reshape(shape)
    made = origin.function(numbers, *origin.arguments, **origin.options)
    return (made if origin.index is None else made[origin.index]).numpy()

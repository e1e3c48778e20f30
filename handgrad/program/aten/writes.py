"""Operations that write to their arguments, as those that do not, and what is written."""

from functools import cache
from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.errors import uncovered
from handgrad.program.aten.installed import TO_NUMPY, aten
from handgrad.program.aten.registry import packet_and_overload
from handgrad.program.aten.traced_tensor import TracedTensor, write


def targets(function: Any, args: Any, kwargs: Any) -> list[Any]:
    """Return the arguments to which an operation writes."""
    names = (parameter.name for parameter in function._schema.arguments)
    by_name = dict(zip(names, args, strict=False)) | kwargs
    written = [p.name for p in function._schema.arguments if p.alias_info and p.alias_info.is_write]
    return [by_name[name] for name in written if name in by_name]


@cache
def without_writes(function: Any) -> Any:
    """Return the operation that computes what this one writes to its arguments; None if none."""
    name, overload = packet_and_overload(function)
    packet = getattr(aten, name.removesuffix("_"), None)
    overloads = packet.overloads() if packet else []
    kept = _types(p for p in function._schema.arguments if not p.is_out)
    for candidate in sorted(overloads, key=lambda other: other != overload):
        pure = getattr(packet, candidate)
        if not pure._schema.is_mutable and _types(pure._schema.arguments) == kept:
            return pure
    return None


def _types(parameters: Any) -> list[tuple[str, str]]:
    return [(parameter.name, str(parameter.type)) for parameter in parameters]


def without_out(function: Any, kwargs: Any) -> dict[str, Any]:
    """Return the arguments by name without those that receive a result."""
    out = {parameter.name for parameter in function._schema.arguments if parameter.is_out}
    return {name: value for name, value in kwargs.items() if name not in out}


def assign(target: TracedTensor, array: Any, has_slope: bool) -> None:
    """Write a JAX value to a tensor, cast to its dtype and broadcast to its shape."""
    shape = tuple(target.size())
    try:
        array = jnp.broadcast_to(array.astype(TO_NUMPY[target.dtype]), shape)
    except ValueError:
        raise uncovered(
            f"a write of shape {array.shape} to a tensor of shape {shape}, which changes it,",
            "use what the operation returns",
        ) from None
    write(target, array, has_slope)

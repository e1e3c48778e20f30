"""Rules for functions of several devices: `shard_map`, as a function of arrays with an axis more.

What devices exchange is, of the axis that they are along, a sum, a place, a piece of another: so
JAX itself maps the body over the devices, and what comes of it is a program like any other.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.program.equations import results_by_jax, walked
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rule

#: What tells JAX which devices have the same, and computes nothing.
MARKS = ("pvary", "pbroadcast")

#: What is gathered and reduced; mapped, these would stay operations of their own.
REDUCED = {"psum": "sum", "psum_invariant": "sum", "pmax": "max", "pmin": "min"}


def shard_map(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Run the body on the parts of the operands, and put the results together."""
    shape = dict(eqn.params["mesh"].shape)
    # Versions of JAX differ in the name.
    mapped = eqn.params.get("newly_manual_axes", eqn.params.get("manual_axes"))
    if mapped is None or set(mapped) != set(shape):
        raise UncertifiedPrimitiveError("shard_map")  # a part of the axes is left to JAX

    def traced() -> Any:
        given = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in eqn.invars]
        with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
            try:
                return jax.make_jaxpr(_mapped(eqn, shape))(*given)
            except Exception as error:  # of any kind: what JAX cannot map
                raise UncertifiedPrimitiveError("shard_map") from error

    return run.closed(run.once(("mapped", id(eqn)), traced), operands)


def _mapped(eqn: Any, shape: dict[str, int]) -> Callable[..., list[Any]]:
    """Return a `shard_map` as a function of whole arrays, by its mesh's shape."""
    body = eqn.params["jaxpr"]
    consts, body = getattr(body, "consts", ()), getattr(body, "jaxpr", body)

    def on_a_device(*parts: Any) -> list[Any]:
        return walked(body, [*consts, *parts], _value, _results)

    function: Any = on_a_device
    for axis, devices in reversed(shape.items()):
        along = tuple(0 if axis in _all_axes(spec) else None for spec in eqn.params["in_specs"])
        function = jax.vmap(function, in_axes=along, axis_size=devices, axis_name=axis)

    def of_whole(*operands: Any) -> list[Any]:
        ins, outs = eqn.params["in_specs"], eqn.params["out_specs"]
        parts = [_split(x, spec, shape) for x, spec in zip(operands, ins, strict=True)]
        found = zip(function(*parts), outs, eqn.outvars, strict=True)
        return [_joined(y, spec, shape).reshape(v.aval.shape) for y, spec, v in found]

    return of_whole


def _value(literal: Any) -> Any:
    return np.asarray(literal.val, literal.aval.dtype)


def _results(eqn: Any, operands: list[Any]) -> list[Any]:
    if eqn.primitive.name in MARKS:
        return operands
    how = REDUCED.get(eqn.primitive.name)
    if how is not None and eqn.params.get("axis_index_groups") is None:
        gathered = [jax.lax.all_gather(o, eqn.params["axes"]) for o in operands]
        return [getattr(each, how)(axis=0) for each in gathered]
    if eqn.primitive.name == "jit":
        program = eqn.params["jaxpr"]
        return walked(program.jaxpr, [*program.consts, *operands], _value, _results)
    return results_by_jax(eqn, operands)


def _axes(entry: Any) -> tuple[str, ...]:
    """Return the axes of the mesh that an axis of an array is split along."""
    return () if entry is None else entry if isinstance(entry, tuple) else (entry,)


def _all_axes(spec: Any) -> set[str]:
    return {axis for entry in spec for axis in _axes(entry)}


def _split(operand: Any, spec: Any, shape: dict[str, int]) -> Any:
    """Return the parts along axes of their own, which come first, in the order of the mesh's."""
    sizes: list[int] = []
    place: dict[str, int] = {}
    for size, entry in zip(operand.shape, [*spec, *[None] * operand.ndim], strict=False):
        for axis in _axes(entry):
            place[axis] = len(sizes)
            sizes.append(shape[axis])
            size //= shape[axis]
        sizes.append(size)
    first = [place[axis] for axis in shape if axis in place]
    return jnp.moveaxis(operand.reshape(sizes), first, range(len(first)))


def _joined(parts: Any, spec: Any, shape: dict[str, int]) -> Any:
    """Undo `_split`; along other axes of the mesh all devices have the same."""
    used = [axis for axis in shape if axis in _all_axes(spec)]
    parts = parts[tuple(slice(None) if axis in used else 0 for axis in shape)]
    order: list[int] = []
    for k, entry in zip(range(len(used), parts.ndim), [*spec, *[None] * parts.ndim], strict=False):
        order += [*(used.index(axis) for axis in _axes(entry)), k]
    return parts.transpose(order)


def _unchanged(_: Run, __: Any, *operands: Any) -> list[Any]:
    return list(operands)


_UNCHANGED = Rule(_unchanged, elementwise=True, rearranges=True)

RULES: dict[str, Rule] = {
    "shard_map": Rule(shard_map, structured=True),
    "reshard": _UNCHANGED,
    # A mark within loops and branches, of any numbers: JAX takes it in a `shard_map` alone.
    "pvary": replace(_UNCHANGED, structured=True),
}

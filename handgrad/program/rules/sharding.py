"""Rules for functions of several devices: `shard_map`, and what its body exchanges between them.

The body runs for all devices of the mesh in step, one equation after the other, so that what they
exchange is there. Each device has its part of the operands.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jax.extend import core as jex

from handgrad.arithmetic import dual
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError, needed, number
from handgrad.program.rule import Rule

#: The place of a device: its index along each axis of the mesh, by the axis' name.
Device = Mapping[str, int]


def shard_map(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Run the body on the parts of the operands, and put the results together."""
    body, shape = eqn.params["jaxpr"], dict(eqn.params["mesh"].shape)
    # Versions of JAX differ in the name.
    mapped = eqn.params.get("newly_manual_axes", eqn.params.get("manual_axes"))
    if mapped is None or set(mapped) != set(shape):
        raise UncertifiedPrimitiveError("shard_map")  # a part of the axes is left to JAX
    devices = [
        dict(zip(shape, at, strict=True)) for at in itertools.product(*map(range, shape.values()))
    ]
    specs = eqn.params["in_specs"]
    given = [
        [_part(o, spec, device, shape) for o, spec in zip(operands, specs, strict=True)]
        for device in devices
    ]
    results = _in_step(run, body, given, devices, shape)
    return [
        _whole([mine[i] for mine in results], spec, devices, shape)
        for i, spec in enumerate(eqn.params["out_specs"])
    ]


def _in_step(
    run: Run, body: Any, given: list[list[Any]], devices: Sequence[Device], shape: dict[str, int]
) -> list[list[Any]]:
    """Run a body for all devices; return the results of each."""
    consts = [number(c) for c in getattr(body, "consts", ())]
    body = getattr(body, "jaxpr", body)
    names = [*body.constvars, *body.invars]
    values = [dict(zip(names, [*consts, *mine], strict=True)) for mine in given]

    def read(known: dict[Any, Any], atom: Any) -> Any:
        return run.literal(atom) if isinstance(atom, jex.Literal) else known[atom]

    for eqn in run.once(("needed", id(body)), lambda: needed(body)):
        operands = [[read(known, atom) for atom in eqn.invars] for known in values]
        exchange = EXCHANGES.get(eqn.primitive.name)
        if exchange is not None:
            outputs = exchange(eqn, operands, devices, shape)
        else:
            outputs = [run.equation(eqn, mine) for mine in operands]
        for known, mine in zip(values, outputs, strict=True):
            known.update(zip(eqn.outvars, mine, strict=True))
    return [[read(known, atom) for atom in body.outvars] for known in values]


def _axes(entry: Any) -> tuple[str, ...]:
    """Return the axes of the mesh that an axis of an array is split along."""
    return () if entry is None else entry if isinstance(entry, tuple) else (entry,)


def _number(axes: Sequence[str], device: Device, shape: dict[str, int]) -> tuple[int, int]:
    """Return which part along some axes a device has, and of how many."""
    at = 0
    for axis in axes:
        at = at * shape[axis] + device[axis]
    return at, math.prod(shape[axis] for axis in axes)


def _part(operand: Any, spec: Any, device: Device, shape: dict[str, int]) -> Any:
    where = []
    for size, entry in zip(operand.shape, spec, strict=False):
        at, parts = _number(_axes(entry), device, shape)
        where.append(slice(at * size // parts, (at + 1) * size // parts))
    return operand[tuple(where)] if where else operand


def _whole(parts: list[Any], spec: Any, devices: Sequence[Device], shape: dict[str, int]) -> Any:
    """Put the parts of a result together; along other axes all devices have the same."""
    known = {tuple(device.values()): part for device, part in zip(devices, parts, strict=True)}
    for k, entry in reversed(list(enumerate(spec))):
        axes = _axes(entry)
        groups: dict[tuple[int, ...], list[tuple[int, Any]]] = {}
        for device in devices:
            if (place := tuple(device.values())) not in known:
                continue
            first = tuple(0 if axis in axes else i for axis, i in device.items())
            groups.setdefault(first, []).append((_number(axes, device, shape)[0], known[place]))
        known = {
            first: _joined([part for _, part in sorted(some, key=lambda pair: pair[0])], k)
            for first, some in groups.items()
        }
    return next(iter(known.values()))


def _joined(parts: list[Any], axis: int) -> Any:
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Dual):
        return dual.concatenate(parts, axis)
    return np.concatenate(parts, axis=axis)


def _psum(
    eqn: Any, operands: list[list[Any]], devices: Sequence[Device], shape: dict[str, int]
) -> list[list[Any]]:
    """Add what the devices along some axes have."""
    axes = eqn.params["axes"]
    if eqn.params.get("axis_index_groups") is not None:
        raise UncertifiedPrimitiveError(eqn.primitive.name)
    found: list[list[Any]] = []
    for device in devices:
        others = [
            mine
            for other, mine in zip(devices, operands, strict=True)
            if all(other[axis] == device[axis] for axis in shape if axis not in axes)
        ]
        found.append([_sum(each) for each in zip(*others, strict=True)])
    return found


def _sum(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _same(_: Any, operands: list[list[Any]], *__: Any) -> list[list[Any]]:
    return operands


def _axis_index(
    eqn: Any, _: list[list[Any]], devices: Sequence[Device], shape: dict[str, int]
) -> list[list[Any]]:
    axes = _axes(eqn.params["axis_name"])
    return [[np.asarray(_number(axes, device, shape)[0], np.int32)] for device in devices]


#: What devices exchange, by the name of the operation: (equation, the operands of each device, the
#: devices, the shape of the mesh) -> the outputs of each.
EXCHANGES: dict[str, Callable[..., list[list[Any]]]] = {
    "psum": _psum,
    "psum_invariant": _psum,
    "pvary": _same,
    "pbroadcast": _same,
    "axis_index": _axis_index,
}


def _unchanged(_: Run, __: Any, operand: Any) -> Any:
    return operand


RULES: dict[str, Rule] = {
    "shard_map": Rule(shard_map, structured=True),
    "reshard": Rule(_unchanged, elementwise=True, rearranges=True),
}

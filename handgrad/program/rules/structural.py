"""Rules for operations that rearrange numbers without changing them.

The operation is run on the positions of the elements instead of the elements, which gives the
origin of each element of the result. The origins are cached.
"""

from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run, bind
from handgrad.program.rule import Rule

#: The origin of an element that an operation fills in.
OUTSIDE = -1


def rearrange(run: Run, eqn: Any, *operands: Any) -> Any:
    """Run any operation that only rearranges: reshape, slice, concatenate, gather, pad, ..."""
    real = [operand for operand in operands if isinstance(operand, Dual)]
    key = [np.array(0) if isinstance(operand, Dual) else operand for operand in operands]
    origins = run.remembered(eqn, key, lambda: _origins(eqn, operands))
    flat = dual.concatenate([operand.reshape(-1) for operand in real], axis=0)
    moved = [_taken(flat, origin, eqn.params.get("fill_value")) for origin in origins]
    return moved if len(moved) > 1 else moved[0]


def _origins(eqn: Any, operands: Any) -> list[np.ndarray]:
    """Return for every element of every output its position among all real operands."""
    positions, start = [], 0
    for operand in operands:
        if isinstance(operand, Dual):
            count = operand.value.size
            positions.append(np.arange(start, start + count).reshape(operand.shape))
            start += count
        else:
            positions.append(operand)
    filling = {"fill_value": OUTSIDE} if "fill_value" in eqn.params else {}
    return [np.asarray(out) for out in bind(eqn, positions, **filling)]


def _taken(flat: Dual, origin: np.ndarray, filling: float | None) -> Dual:
    """Return the elements at these positions; elsewhere the filling, NaN by default."""
    outside = origin == OUTSIDE
    if not flat.value.size:
        return Dual(balls.zeros(origin.shape))
    value = balls.array(flat.value[np.where(outside, 0, origin)])
    tangent = None if flat.tangent is None else flat.tangent[:, origin]
    if outside.any():
        fill = arb(float("nan") if filling is None else float(filling))
        value = np.where(outside, balls.full(origin.shape, fill), value)
        tangent = None if tangent is None else np.where(outside, balls.zeros(()), tangent)
    return Dual(value, tangent)


def sort(run: Run, eqn: Any, *operands: Any) -> Any:
    """Sort all operands along an axis by the first `num_keys` of them."""
    axis, keys = eqn.params["dimension"], eqn.params["num_keys"]
    if any(isinstance(operand, Dual) for operand in operands[:keys]):
        order = _order(run, [dual.real(operand) for operand in operands[:keys]], axis)
    else:
        order = np.lexsort([np.moveaxis(o, axis, -1) for o in operands[:keys][::-1]])
    return [_permuted(operand, order, axis) for operand in operands]


def top_k(run: Run, eqn: Any, x: Dual) -> list[Any]:
    """Return the k largest along an axis, NaN and the largest first, and their indices.

    They are the last ones of the sorted array; of equal ones the first counts as the larger.
    """
    # The name of the axis differs between versions of JAX.
    axis = eqn.params.get("axis", eqn.params.get("operand_axis", len(x.shape) - 1))
    backwards = x.linear(lambda array: np.flip(array, axis))
    order = x.shape[axis] - 1 - _order(run, [backwards], axis)[..., ::-1][..., : eqn.params["k"]]
    return [_permuted(x, order, axis), np.moveaxis(order, -1, axis).astype(np.int32)]


def _order(run: Run, keys: list[Dual], axis: int) -> np.ndarray:
    """Return the sorting permutation along the last axis."""
    return run.comparisons.sorted([k.linear(lambda a: np.moveaxis(a, axis, -1)) for k in keys])


def _permuted(operand: Any, order: np.ndarray, axis: int) -> Any:
    def permuted(array: np.ndarray) -> np.ndarray:
        taken = np.take_along_axis(np.moveaxis(array, axis, -1), order, axis=-1)
        return np.moveaxis(taken, -1, axis)

    return operand.linear(permuted) if isinstance(operand, Dual) else permuted(operand)


#: Operations that only rearrange elements, for the diagnosis too.
_REARRANGING = (
    *("reshape", "transpose", "broadcast_in_dim", "squeeze", "expand_dims", "rev", "slice"),
    *("concatenate", "gather", "dynamic_slice"),
)

#: Operations that also fill in, or take several arrays apart and together.
_FILLING = ("pad", "dynamic_update_slice", "split", "scatter", "tile", "stack", "unstack")

RULES: dict[str, Rule] = {
    **{name: Rule(rearrange, rearranges=True) for name in _REARRANGING},
    **{name: Rule(rearrange) for name in _FILLING},
    "sort": Rule(sort),
    "top_k": Rule(top_k),
}

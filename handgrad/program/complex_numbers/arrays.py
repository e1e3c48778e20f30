"""Operations on complex arrays that move, sum or multiply elements, on their parts."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax

from handgrad.data.complex_pairs import Pair
from handgrad.program.complex_numbers import elementary, parts
from handgrad.program.complex_numbers.parts import minus, plus


def bound(eqn: Any, *operands: Any, **changes: Any) -> Any:
    """Run an operation on real operands; return its result, or a list of several."""
    return eqn.primitive.bind(*operands, **{**eqn.params, **changes})


def both(_: Any, eqn: Any, *operands: Any) -> Any:
    """Apply an operation that is linear in its complex operands to their two parts."""
    return _both(lambda given: bound(eqn, *given), operands)


def _both(run: Callable[[list[Any]], Any], operands: Any) -> Any:
    def part(name: str) -> Any:
        given = [o for o in operands if isinstance(o, Pair)]
        if all(getattr(o, name) is None for o in given):
            return None
        of_all = [parts.full(o) for o in operands] if name == "imag" else operands
        return run([getattr(o, name) if isinstance(o, Pair) else o for o in of_all])

    real = part("real")
    with parts.imaginary():
        imag = part("imag")
    if isinstance(real, list | tuple):
        return [Pair(r, None if imag is None else imag[k]) for k, r in enumerate(real)]
    return Pair(real, imag)


def product(_: Any, eqn: Any, a: Any, b: Any) -> Pair:
    """Multiply matrices, or convolve: a sum of products of elements."""
    a, b = parts.of(a), parts.of(b)
    preferred = eqn.params.get("preferred_element_type")
    changes = {}
    if preferred is not None:
        changes["preferred_element_type"] = parts.part_dtype(np.dtype(preferred))

    def times(x: Any, y: Any) -> Any:
        return None if x is None or y is None else bound(eqn, x, y, **changes)

    real = minus(times(a.real, b.real), times(a.imag, b.imag))
    with parts.imaginary():
        return Pair(real, plus(times(a.real, b.imag), times(a.imag, b.real)))


def convert(_: Any, eqn: Any, x: Any) -> Any:
    """Convert to another dtype: a complex one, or a real one, of which the real part is left."""
    dtype = np.dtype(eqn.params["new_dtype"])
    to_parts = parts.part_dtype(dtype)
    if dtype == to_parts and np.dtype(dtype) == np.bool_:
        return lax.bitwise_not(elementary.equal(x, Pair(lax.full_like(x.real, 0), None)))
    x = parts.of(x)
    real, imag = (p if p is None else lax.convert_element_type(p, to_parts) for p in x)
    return Pair(real, imag) if dtype != to_parts else real


def complex_number(_: Any, eqn: Any, x: Any, y: Any) -> Pair:
    """Join two parts."""
    zero = parts.is_literal_zero(eqn.invars[1])
    shape = eqn.outvars[0].aval.shape
    return Pair(parts.shaped(x, shape), None if zero else parts.shaped(y, shape))


def integer_power(_: Any, eqn: Any, z: Any) -> Pair:
    """Raise to a whole power."""
    return elementary.integer_power(z, eqn.params["y"])


def power(_: Any, __: Any, z: Any, w: Any) -> Pair:
    """Raise to any power; of a real base, too."""
    return elementary.power(parts.of(z), w)


def scatter(_: Any, eqn: Any, x: Any, where: Any, updates: Any) -> Pair:
    """Write, or add, elements."""
    run = {
        "scatter": lax.scatter,
        "scatter-add": lax.scatter_add,
        "scatter-sub": lax.scatter_sub,
    }[eqn.primitive.name]
    names = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
    options = {name: eqn.params[name] for name in names}
    return _both(lambda given: run(given[0], where, given[1], **options), (x, updates))


def reduce_product(_: Any, eqn: Any, z: Pair) -> Pair:
    """Multiply over axes, one slice after the other."""
    for axis in sorted(eqn.params["axes"], reverse=True):
        slices = [_slice(z, axis, i) for i in range(z.real.shape[axis])]
        shape = z.real.shape[:axis] + z.real.shape[axis + 1 :]
        result = Pair(lax.full(shape, 1, z.real.dtype), None)
        for k, one in enumerate(slices):
            result = parts.mul(result, one) if k else one
        z = result
    return z


def cumulative_product(_: Any, eqn: Any, z: Pair) -> Pair:
    """Multiply along an axis, and keep all products."""
    axis, reverse = eqn.params["axis"], eqn.params["reverse"]
    count = z.real.shape[axis]
    found: list[Pair] = []
    for i in reversed(range(count)) if reverse else range(count):
        one = _slice(z, axis, i)
        found.append(parts.mul(found[-1], one) if found else one)
    if not found:
        return z
    found = found[::-1] if reverse else found
    stacked = [
        [lax.expand_dims(p, (axis,)) for p in part]
        for part in zip(*map(parts.full, found), strict=True)
    ]
    return Pair(*(lax.concatenate(part, axis) for part in stacked))


def _slice(z: Pair, axis: int, i: int) -> Pair:
    return Pair(*(p if p is None else lax.index_in_dim(p, i, axis, keepdims=False) for p in z))


#: (transformation, equation, *operands) -> the result, by the name of the operation.
RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(
        (
            *("broadcast_in_dim", "concatenate", "copy", "copy_p", "cumsum", "device_put"),
            *("dynamic_slice", "dynamic_update_slice", "expand_dims", "gather"),
            *("optimization_barrier", "pad", "reduce_precision", "reduce_sum", "reduce_window_sum"),
            *("reshape", "rev", "select_n", "slice", "split", "squeeze", "stack", "stop_gradient"),
            *("tile", "transpose", "unstack"),
        ),
        both,
    ),
    "dot_general": product,
    "conv_general_dilated": product,
    "convert_element_type": convert,
    "complex": complex_number,
    "integer_pow": integer_power,
    "pow": power,
    **dict.fromkeys(("scatter", "scatter-add", "scatter-sub"), scatter),
    "reduce_prod": reduce_product,
    "cumprod": cumulative_product,
}

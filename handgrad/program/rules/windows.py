"""Rules for sliding windows, as in pooling, and for reductions by any function.

The windows follow the strides, padding and dilations of XLA's ReduceWindow. Padding, and gaps of a
dilated array, are in no window.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flint import arb
from jax.extend import core as jex

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import EQUAL, GREATER, LESS
from handgrad.arithmetic.dual import Dual
from handgrad.program import cost
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rounds, Rule
from handgrad.program.rules.comparison import larger
from handgrad.program.rules.scattering import added

#: The position of an element that is in no window.
NOWHERE = -1

#: JAX's comparisons that select the largest of a window (sign 1) or the smallest (-1).
_BEST = {"ge": 1, "le": -1}

#: By that sign, a number that is never selected.
_WORST = {1: arb("-inf"), -1: arb("inf")}


def members(run: Run, eqn: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the elements of each window: positions in the flattened array, or NOWHERE.

    The shape is (*windows, elements of a window).
    """
    return run.remembered(eqn, [np.array(shape)], lambda: _members(eqn.params, shape))


def _members(p: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    places, ndim = np.zeros((1,) * (2 * len(shape)), dtype=np.intp), len(shape)
    inside = np.ones_like(places, dtype=bool)
    ones = (1,) * ndim
    spaced, spread = p.get("base_dilation", ones), p.get("window_dilation", ones)
    for i, n in enumerate(shape):
        size, (low, high) = p["window_dimensions"][i], p["padding"][i]
        length = (n - 1) * spaced[i] + 1 if n else 0
        reach = (size - 1) * spread[i] + 1
        begins = np.arange(low + length + high - reach + 1)[:: p["window_strides"][i]] - low
        where = begins[:, None] + np.arange(size) * spread[i]
        valid = (where >= 0) & (where < length) & (where % spaced[i] == 0)
        axes = [1] * (2 * ndim)
        axes[i], axes[ndim + i] = where.shape
        places = places * n + (where // spaced[i]).reshape(axes)
        inside = inside & valid.reshape(axes)
    places = np.where(inside, places, NOWHERE)
    return places.reshape(*places.shape[:ndim], math.prod(places.shape[ndim:]))


def _and(x: Dual, filling: arb) -> Dual:
    """Flatten an array and append an element, which the index NOWHERE selects."""
    return dual.concatenate([x.reshape(-1), Dual(balls.boxed([filling], (1,)))], 0)


def window_sum(run: Run, eqn: Any, x: Dual) -> Dual:
    """Sum each window."""
    elements = members(run, eqn, x.shape)
    return _and(x, balls.ZERO).linear(lambda flat: _summed(flat[elements]))


def _summed(terms: np.ndarray) -> np.ndarray:
    return balls.array(terms.sum(axis=-1)) if terms.size else balls.zeros(terms.shape[:-1])


def window_extreme(sign: int) -> Callable[..., Dual]:
    """Return the largest (sign -1: smallest) of each window; an infinity for an empty one."""

    def rule(run: Run, eqn: Any, x: Dual) -> Dual:
        elements, x = members(run, eqn, x.shape), _and(x, _WORST[sign])
        best = x[elements[..., 0]]
        for i in range(1, elements.shape[-1]):
            best = larger(run, best, x[elements[..., i]], sign)
        return best

    return rule


def _chosen(run: Run, eqn: Any, x: Dual) -> np.ndarray:
    """Return the position of the selected element of each window, the first of equal ones."""
    sign = _BEST[eqn.params["select_prim"].name]
    elements, x = members(run, eqn, x.shape), _and(x, _WORST[sign])
    where = elements[..., 0]
    for i in range(1, elements.shape[-1]):
        order = run.comparisons.order(x[where], x[elements[..., i]])
        kept = (order == EQUAL) | (order == (GREATER if sign > 0 else LESS))
        where = np.where(kept, where, elements[..., i])
    return where


def scattered_to_best(run: Run, eqn: Any, source: Dual, x: Dual) -> Dual:
    """select_and_scatter_add: add each number at the selected element of its window."""
    places = _chosen(run, eqn, x)
    zeros = Dual(balls.zeros(x.shape))
    return added(zeros, places, source)


def gathered_from_best(run: Run, eqn: Any, moved: Dual, x: Dual) -> Dual:
    """select_and_gather_add: take from each window the number at the selected element."""
    return _and(moved, balls.ZERO)[_chosen(run, eqn, x)]


def reduce_window(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Reduce each window by a program; padding counts as the start value."""
    arrays, starts = _halves(operands)
    elements = members(run, eqn, arrays[0].shape)
    columns = [
        [
            _filled(array, start, elements[..., i]).reshape(-1)
            for array, start in zip(arrays, starts, strict=True)
        ]
        for i in range(elements.shape[-1])
    ]
    program = jex.ClosedJaxpr(eqn.params["jaxpr"], eqn.params["consts"])
    found = _folded(run, eqn, program, starts, columns, math.prod(elements.shape[:-1]))
    return [_shaped(out, elements.shape[:-1]) for out in found]


def reduce(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Reduce over axes by a program."""
    arrays, starts = _halves(operands)
    axes, shape = tuple(eqn.params["dimensions"]), arrays[0].shape
    left = tuple(i for i in range(len(shape)) if i not in axes)
    sizes = [math.prod(shape[i] for i in part) for part in (axes, left)]
    order = (*axes, *left)
    flat = [_moved(a, lambda a: a.transpose(order).reshape(sizes)) for a in arrays]
    columns = [[array[i] for array in flat] for i in range(sizes[0])]
    found = _folded(run, eqn, eqn.params["jaxpr"], starts, columns, sizes[1])
    return [_shaped(out, tuple(shape[i] for i in left)) for out in found]


def _halves(operands: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return operands[: len(operands) // 2], operands[len(operands) // 2 :]


def _moved(array: Any, f: Callable[[np.ndarray], np.ndarray]) -> Any:
    return array.linear(f) if isinstance(array, Dual) else f(array)


def _shaped(array: Any, shape: tuple[int, ...]) -> Any:
    return array.reshape(*shape) if isinstance(array, Dual) else np.reshape(array, shape)


def _filled(array: Any, start: Any, where: np.ndarray) -> Any:
    if isinstance(array, Dual):
        return dual.concatenate([array.reshape(-1), start.reshape(1)], 0)[where]
    return np.append(array, start)[where]


def _folded(
    run: Run, eqn: Any, program: Any, starts: Any, columns: list[list[Any]], size: int
) -> list[Any]:
    """Fold the columns one after another by a program that combines two rows of scalars.

    JAX requires that the start value changes nothing. An infinite one is therefore skipped, since
    slopes are unknown there.
    """
    total = [_moved(start, lambda s: np.broadcast_to(balls.array(s), (size,))) for start in starts]
    many = _of_arrays(run, eqn, program, total)
    if columns and not all(_finite(start) for start in starts):
        # Without simulated rounding, which would change what the start value leaves as it is.
        exactly = run.deciding(run.comparisons)
        first = exactly.closed(many, [*map(dual.primal, total), *map(dual.primal, columns[0])])
        if not all(dual.may_be_equal(a, b) for a, b in zip(first, columns[0], strict=True)):
            raise UncertifiedPrimitiveError(eqn.primitive.name)
        total, columns = columns[0], columns[1:]
    for column in columns:
        total = run.closed(many, [*total, *column])
    return total


def _of_arrays(run: Run, eqn: Any, program: Any, like: list[Any]) -> Any:
    """Vectorise a program of scalars."""

    def traced() -> Any:
        dtypes = [v.aval.dtype for v in program.jaxpr.invars]
        pairs = zip(like * 2, dtypes, strict=True)
        shapes = [jax.ShapeDtypeStruct(x.shape, dtype) for x, dtype in pairs]
        with jax.enable_x64(True):
            return jax.make_jaxpr(jax.vmap(jex.jaxpr_as_fun(program)))(*shapes)

    return run.once(("of arrays", id(eqn), *(x.shape for x in like)), traced)


def _finite(start: Any) -> bool:
    return not isinstance(start, Dual) or bool(start.value.item().is_finite())


RULES: dict[str, Rule] = {
    "reduce_window": Rule(reduce_window, Rounds.RESULT, cost=cost.products),
    "reduce_window_max": Rule(window_extreme(1), cost=cost.products),
    "reduce_window_min": Rule(window_extreme(-1), cost=cost.products),
    "reduce_window_sum": Rule(window_sum, Rounds.SUM, cost=cost.products),
    "select_and_gather_add": Rule(gathered_from_best, cost=cost.products),
    "select_and_scatter_add": Rule(scattered_to_best, cost=cost.products),
    "reduce": Rule(reduce, Rounds.RESULT),
}

"""Rules for sums and products over axes: reductions, matrix products, convolutions."""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.dual import Dual
from handgrad.program import cost
from handgrad.program.interpreter import Run
from handgrad.program.rule import Rounds, Rule
from handgrad.program.rules.comparison import cumulative, slices


def reduce_sum(run: Run, eqn: Any, x: Dual) -> Dual:
    """Sum over axes."""
    axes = tuple(eqn.params["axes"])
    shape = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    if not x.value.size:
        k = dual.directions(x)
        return Dual(balls.zeros(shape), None if k is None else balls.zeros((k, *shape)))
    value = balls.array(x.value.sum(axis=axes))
    tangent = None if x.tangent is None else x.tangent.sum(axis=tuple(i + 1 for i in axes))
    return Dual(value, tangent)


def reduce_prod(run: Run, eqn: Any, x: Dual) -> Dual:
    """Multiply over axes."""
    for axis in sorted(eqn.params["axes"], reverse=True):
        one = Dual(balls.full(x.shape[:axis] + x.shape[axis + 1 :], balls.ONE))
        x = functools.reduce(operator.mul, slices(x, axis), one)
    return x


cumsum = cumulative(lambda run, a, b: a + b)


def cumlogsumexp(run: Run, eqn: Any, x: Dual) -> Dual:
    """Cumulative log Σ exp; balls need no shift by the maximum."""
    summed = cumsum(run, eqn, run.rules["exp"](run, eqn, x))
    return run.rules["log"](run, eqn, summed)


def dot_general(run: Run, eqn: Any, a: Any, b: Any) -> Any:
    """Multiply two arrays, summed over any axes, with any batch axes."""
    a, b = dual.real(a), dual.real(b)
    axes = contracted_axes(eqn)
    over_a, batch_a = axes[0], axes[2]
    value = contract(a.value, b.value, *axes)
    tangent = None
    if a.tangent is not None:
        # The directions are one more free axis of a, before its own.
        shifted = (_up(axes[0]), axes[1], _up(axes[2]), axes[3])
        tangent = np.moveaxis(contract(a.tangent, b.value, *shifted), len(batch_a), 0)
    if b.tangent is not None:
        shifted = (axes[0], _up(axes[1]), axes[2], _up(axes[3]))
        free = a.value.ndim - len(over_a)
        other = np.moveaxis(contract(a.value, b.tangent, *shifted), free, 0)
        tangent = other if tangent is None else tangent + other
    return Dual(value, tangent)


def contracted_axes(eqn: Any) -> tuple[tuple[int, ...], ...]:
    """Return the axes of a dot_general as `contract` takes them."""
    over, batch = eqn.params["dimension_numbers"]
    return tuple(tuple(axes) for axes in (*over, *batch))


def contract(
    a: np.ndarray,
    b: np.ndarray,
    over_a: tuple[int, ...],
    over_b: tuple[int, ...],
    batch_a: tuple[int, ...],
    batch_b: tuple[int, ...],
    *,
    matmul: Callable[[np.ndarray, np.ndarray], np.ndarray] = balls.matmul,
) -> np.ndarray:
    """Compute a stack of matrix products; its axes are batch, those left of a, those left of b."""
    left_a, left_b = _others(a.ndim, over_a + batch_a), _others(b.ndim, over_b + batch_b)
    batch = tuple(a.shape[i] for i in batch_a)
    rows, columns = tuple(a.shape[i] for i in left_a), tuple(b.shape[i] for i in left_b)
    size = math.prod(batch), math.prod(a.shape[i] for i in over_a)
    x = a.transpose(batch_a + left_a + over_a).reshape(size[0], math.prod(rows), size[1])
    y = b.transpose(batch_b + over_b + left_b).reshape(*size, math.prod(columns))
    return matmul(x, y).reshape(batch + rows + columns)


def _others(ndim: int, used: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i for i in range(ndim) if i not in used)


def _up(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i + 1 for i in axes)


def convolution(run: Run, eqn: Any, x: Dual, kernel: Dual) -> Dual:
    """conv_general_dilated, as sums of products whose positions JAX computes."""
    key = [np.array(x.shape), np.array(kernel.shape)]
    terms = run.remembered(eqn, key, lambda: _terms(eqn, x.shape, kernel.shape))
    outputs, from_x, from_kernel = terms
    shape = eqn.outvars[0].aval.shape
    flat_x, flat_kernel = x.reshape(-1), kernel.reshape(-1)
    products = flat_x[from_x] * flat_kernel[from_kernel]

    def summed(values: np.ndarray) -> np.ndarray:
        out = balls.zeros((math.prod(shape),))
        np.add.at(out, outputs, values)
        return out.reshape(shape)

    return products.linear(summed)


def _terms(eqn: Any, shape: Any, kernel_shape: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the terms of a convolution as (output, input, kernel) positions.

    One kernel element at a time is 1, and each input is its own position, counted from 1. The
    result shows which input that element is multiplied by in each output, 0 for none.
    """
    inputs = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    found = []
    with jax.enable_x64(True):
        parameters = {**eqn.params, "preferred_element_type": np.dtype(np.float64)}
        convolve = jax.jit(lambda k: eqn.primitive.bind(jax.numpy.asarray(inputs), k, **parameters))
        for i in range(math.prod(kernel_shape)):
            one = np.zeros(math.prod(kernel_shape))
            one[i] = 1.0
            met = np.asarray(convolve(one.reshape(kernel_shape))).ravel().astype(np.intp)
            where = np.flatnonzero(met)
            found.append((where, met[where] - 1, np.full(where.size, i)))
    outputs, from_x, from_kernel = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return outputs, from_x, from_kernel


RULES: dict[str, Rule] = {
    "reduce_sum": Rule(reduce_sum, Rounds.SUM),
    "reduce_prod": Rule(reduce_prod, Rounds.RESULT),
    "cumsum": Rule(cumsum, Rounds.SUM),
    "cumprod": Rule(cumulative(lambda run, a, b: a * b), Rounds.RESULT),
    "cumlogsumexp": Rule(cumlogsumexp, Rounds.RESULT),
    "dot_general": Rule(dot_general, Rounds.SUM, cost=cost.products),
    "conv_general_dilated": Rule(convolution, Rounds.SUM, cost=cost.products),
}

"""Rules for sums and products over axes: reductions, matrix products, convolutions."""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from handgrad.arithmetic import balls, dual, jets
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
    return product(dual.real(a), dual.real(b), *contracted_axes(eqn))


def product(
    a: Dual,
    b: Dual,
    over_a: tuple[int, ...],
    over_b: tuple[int, ...],
    batch_a: tuple[int, ...],
    batch_b: tuple[int, ...],
) -> Dual:
    """Multiply two arrays; the axes are as `contract` takes them."""
    value = contract(a.value, b.value, over_a, over_b, batch_a, batch_b)
    tangent = None
    if a.tangent is not None:
        # The directions are one more free axis of a, before its own.
        shifted = (_up(over_a), over_b, _up(batch_a), batch_b)
        tangent = np.moveaxis(contract(a.tangent, b.value, *shifted), len(batch_a), 0)
    if b.tangent is not None:
        shifted = (over_a, _up(over_b), batch_a, _up(batch_b))
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
    matmul: Callable[[np.ndarray, np.ndarray], np.ndarray] = jets.matmul,
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
    """conv_general_dilated, as a product of matrices: the windows of the input, and the kernel."""
    of_x, of_kernel, of_out = eqn.params["dimension_numbers"]
    groups, batches = eqn.params["feature_group_count"], eqn.params["batch_group_count"]
    x, kernel = _transposed(x, of_x), _transposed(kernel, of_kernel)
    (n, channels), (outputs, depth) = x.shape[:2], kernel.shape[:2]
    where = _windows(eqn.params, x.shape[2:], kernel.shape[2:])
    flat = x.reshape(n, channels, math.prod(x.shape[2:]))
    padded = flat.linear(lambda v: np.concatenate([v, balls.zeros((n, channels, 1))], axis=2))
    windows = padded[:, :, where]  # (n, channels, positions in the output, in the kernel)
    # Groups of examples, or of channels, meet a group of the outputs each.
    if batches > 1:
        windows = windows.reshape(batches, n // batches, depth, *where.shape)
    else:
        windows = _transposed(windows.reshape(n, groups, depth, *where.shape), (1, 0, 2, 3, 4))
    count = len(windows.value)
    kernel = kernel.reshape(count, outputs // count, depth, where.shape[1])
    out = product(windows, kernel, (2, 4), (2, 3), (0,), (0,))
    # (groups, examples, positions, outputs of the group), then in the order of the equation.
    out = _transposed(out, (1, 0, 3, 2))
    shape = eqn.outvars[0].aval.shape
    out = out.reshape(out.shape[0], outputs, *(shape[axis] for axis in of_out[2:]))
    return _transposed(out, tuple(np.argsort(of_out)))


def _transposed(x: Dual, axes: tuple[int, ...]) -> Dual:
    return x.linear(lambda v: v.transpose(axes))


def _windows(parameters: Any, space: tuple[int, ...], kernel: tuple[int, ...]) -> np.ndarray:
    """Return which input each output position meets at each kernel position, flat in `space`.

    The last position, after all inputs, is that of a zero: of padding, and between dilated inputs.
    """
    found, outside = np.zeros((1, 1), dtype=np.intp), np.zeros((1, 1), dtype=bool)
    names = ("window_strides", "padding", "lhs_dilation", "rhs_dilation")
    for size, width, stride, (low, high), apart, apart_in_kernel in zip(
        space, kernel, *(parameters[name] for name in names), strict=True
    ):
        reach, dilated = (width - 1) * apart_in_kernel + 1, max(0, (size - 1) * apart + 1)
        outputs = max(0, (low + dilated + high - reach) // stride + 1)
        at = np.arange(outputs)[:, None] * stride - low + np.arange(width) * apart_in_kernel
        here, zero = at // apart, (at < 0) | (at >= dilated) | (at % apart != 0)

        def joined(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return one[:, None, :, None], other[None, :, None, :]

        (before, here), (out_before, zero) = joined(found * size, here), joined(outside, zero)
        shape = len(found) * outputs, found.shape[1] * width
        found, outside = (before + here).reshape(shape), (out_before | zero).reshape(shape)
    return np.where(outside, math.prod(space), found)


RULES: dict[str, Rule] = {
    "reduce_sum": Rule(reduce_sum, Rounds.SUM),
    "reduce_prod": Rule(reduce_prod, Rounds.RESULT),
    "cumsum": Rule(cumsum, Rounds.SUM),
    "cumprod": Rule(cumulative(lambda run, a, b: a * b), Rounds.RESULT),
    "cumlogsumexp": Rule(cumlogsumexp, Rounds.RESULT),
    "dot_general": Rule(dot_general, Rounds.SUM, cost=cost.products),
    "conv_general_dilated": Rule(convolution, Rounds.SUM, cost=cost.products),
}

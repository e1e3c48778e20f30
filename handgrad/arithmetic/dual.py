"""Dual numbers x + t·ε, for many directions t at once.

A dual number is a power series of two terms. `value` holds the first terms of an array, `tangent`
the second ones, with a leading axis for the directions; None stands for zeros.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.arithmetic import balls, jets
from handgrad.arithmetic.balls import array
from handgrad.clock import check_time


@dataclass(frozen=True, eq=False)
class Dual:
    """An array of two-term series in ball arithmetic."""

    value: np.ndarray  #: objects, shape (...)
    tangent: np.ndarray | None = None  #: objects, shape (directions, ...)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.value.shape

    def __neg__(self) -> "Dual":
        return Dual(array(-self.value), None if self.tangent is None else -self.tangent)

    def __add__(self, other: "Dual") -> "Dual":
        value = array(self.value + other.value)
        return Dual(
            value, _sum(self.tangent_for(value.ndim), other.tangent_for(value.ndim), value.shape)
        )

    def __sub__(self, other: "Dual") -> "Dual":
        return self + -other

    def __mul__(self, other: "Dual") -> "Dual":
        value = array(self.value * other.value)
        left, right = self.tangent_for(value.ndim), other.tangent_for(value.ndim)
        check_time()  # of many directions, each of these may take a second
        left = None if left is None else left * other.value
        check_time()
        right = None if right is None else right * self.value
        return Dual(value, _sum(left, right, value.shape))

    def tangent_for(self, ndim: int) -> Any:
        """Return the tangent with axes inserted after the first, to broadcast to `ndim` axes."""
        if self.tangent is None or self.value.ndim == ndim:
            return self.tangent
        gap = (1,) * (ndim - self.value.ndim)
        return self.tangent.reshape(self.tangent.shape[:1] + gap + self.shape)

    def linear(self, f: Callable[[np.ndarray], np.ndarray]) -> "Dual":
        """Apply a linear map of arrays to both terms."""
        if self.tangent is None:
            return Dual(f(self.value))
        return Dual(f(self.value), stack([f(t) for t in self.tangent], f, self.value))

    def __getitem__(self, where: Any) -> "Dual":
        tangent = None if self.tangent is None else self.tangent[(slice(None), *_index(where))]
        return Dual(array(self.value[_index(where)]), tangent)

    def reshape(self, *shape: int) -> "Dual":
        """Give both terms another shape."""
        k = None if self.tangent is None else self.tangent.shape[0]
        tangent = None if self.tangent is None else self.tangent.reshape(k, *shape)
        return Dual(self.value.reshape(shape), tangent)


def constant(values: Any) -> Dual:
    """Return floats as a series that depends on no parameter."""
    return Dual(balls.exact(values))


def by_slopes(value: Any, *parts: tuple[Dual, Callable[[], Any]]) -> Dual:
    """Return a function's value with the tangent Σ slope·tangent over its operands.

    (An infinite slope times a tangent of 0 is unknown, not 0: √(x²) is |x|.)

    Args:
        value: the function's value, objects.
        parts: each operand and its slope, which is computed only if the operand has a tangent.
    """
    value, tangent = array(value), None
    for operand, slope in parts:
        if operand.tangent is not None:
            along = operand.tangent_for(value.ndim)
            term = np.broadcast_to(array(slope()), value.shape) * along
            tangent = _sum(tangent, term, value.shape)
    return Dual(value, tangent)


def real(operand: Any) -> Dual:
    """Return an operand as a series; a plain array is constant."""
    return operand if isinstance(operand, Dual) else constant(operand)


def primal(operand: Any) -> Any:
    """Return an operand without its tangent."""
    return Dual(operand.value) if isinstance(operand, Dual) else operand


def firsts(operand: Dual) -> Dual:
    """Return the numbers c of a series of numbers c + d·δ."""
    tangent = operand.tangent
    return Dual(jets.firsts(operand.value), None if tangent is None else jets.firsts(tangent))


def seconds(operand: Dual) -> Dual:
    """Return the numbers d of a series of numbers c + d·δ."""
    tangent = operand.tangent
    return Dual(jets.seconds(operand.value), None if tangent is None else jets.seconds(tangent))


def have_slopes(operands: Sequence[Any]) -> bool:
    """Tell whether some number has a slope of its own."""
    given = [part for o in operands if isinstance(o, Dual) for part in (o.value, o.tangent)]
    return any(part is not None and jets.are_in(part) for part in given)


def stopped(operand: Any) -> Any:
    """Return an operand without its tangent, and its numbers without slopes of their own."""
    return firsts(primal(operand)) if isinstance(operand, Dual) else operand


def may_be_equal(a: Any, b: Any) -> bool:
    """Tell whether two operands may have the same values."""
    if isinstance(a, Dual):
        return jets.overlap(a.value, b.value)
    return bool(np.array_equal(a, b))


def transposed(matrices: Dual) -> Dual:
    """Exchange the last two axes."""
    return matrices.linear(lambda m: m.swapaxes(-1, -2))


def directions(*duals: Dual) -> int | None:
    """Return the number of directions; None if all are constant."""
    return next((d.tangent.shape[0] for d in duals if d.tangent is not None), None)


def tangents(dual: Dual, k: int) -> np.ndarray:
    """Return the tangent, as explicit zeros where it is None."""
    return balls.zeros((k, *dual.shape)) if dual.tangent is None else dual.tangent


def concatenate(parts: list[Dual], axis: int) -> Dual:
    """Concatenate along an axis."""
    return joined(parts, axis, np.concatenate)


def stacked(parts: list[Dual], axis: int = 0) -> Dual:
    """Stack along a new axis."""
    return joined(parts, axis, np.stack)


def joined(parts: list[Dual], axis: int, join: Callable[..., np.ndarray]) -> Dual:
    """Join with `np.concatenate` or `np.stack`, both terms alike."""
    value, k = join([p.value for p in parts], axis=axis), directions(*parts)
    if k is None:
        return Dual(value)
    # The leading axis of the tangent shifts axes counted from the front only.
    return Dual(value, join([tangents(p, k) for p in parts], axis=axis + (axis >= 0)))


def stack(parts: list[np.ndarray], f: Callable[[np.ndarray], np.ndarray], like: np.ndarray) -> Any:
    """Stack the images of the directions; without any, return an empty array of f's shape."""
    return np.stack(parts) if parts else np.empty((0, *f(like).shape), dtype=object)


def _sum(left: Any, right: Any, shape: tuple[int, ...]) -> Any:
    if left is None or right is None:
        one = left if right is None else right
        if one is None or one.shape[1:] == shape:
            return one
        return np.broadcast_to(one, (one.shape[0], *shape))
    return left + right


def _index(where: Any) -> tuple[Any, ...]:
    return where if isinstance(where, tuple) else (where,)

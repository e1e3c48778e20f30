"""Numbers with a first-order term: x + t·ε, for many directions t at once.

A power series of two terms. The first terms of an array are `value`, the second ones `tangent`,
with one leading axis for the directions that are followed side by side; None stands for zeros.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from handgrad.arithmetic import balls


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
        return Dual(value, _sum(self.along(value.ndim), other.along(value.ndim), value.shape))

    def __sub__(self, other: "Dual") -> "Dual":
        return self + -other

    def __mul__(self, other: "Dual") -> "Dual":
        value = array(self.value * other.value)
        left, right = self.along(value.ndim), other.along(value.ndim)
        left = None if left is None else left * other.value
        right = None if right is None else right * self.value
        return Dual(value, _sum(left, right, value.shape))

    def along(self, ndim: int) -> Any:
        """The tangent with axes put in after the first, as broadcasting to `ndim` axes needs."""
        if self.tangent is None or self.value.ndim == ndim:
            return self.tangent
        gap = (1,) * (ndim - self.value.ndim)
        return self.tangent.reshape(self.tangent.shape[:1] + gap + self.shape)

    def linear(self, f: Callable[[np.ndarray], np.ndarray]) -> "Dual":
        """A linear map of arrays, applied to both terms."""
        if self.tangent is None:
            return Dual(f(self.value))
        return Dual(f(self.value), stack([f(t) for t in self.tangent], f, self.value))

    def __getitem__(self, where: Any) -> "Dual":
        tangent = None if self.tangent is None else self.tangent[(slice(None), *_index(where))]
        return Dual(array(self.value[_index(where)]), tangent)

    def reshape(self, *shape: int) -> "Dual":
        """Another shape, the same elements."""
        k = None if self.tangent is None else self.tangent.shape[0]
        tangent = None if self.tangent is None else self.tangent.reshape(k, *shape)
        return Dual(self.value.reshape(shape), tangent)


def constant(values: Any) -> Dual:
    """Floats that depend on no parameter."""
    return Dual(balls.exact(values))


def chain(value: np.ndarray, slope: np.ndarray, tangent: np.ndarray | None) -> Dual:
    """f(x) and f′(x)·t. (Where f′ is infinite, t = 0 says nothing: √(x²) is |x|.)"""
    return Dual(value) if tangent is None else Dual(value, slope * tangent)


def directions(*duals: Dual) -> int | None:
    """How many directions they are followed in; None if they are all constant."""
    return next((d.tangent.shape[0] for d in duals if d.tangent is not None), None)


def tangents(dual: Dual, k: int) -> np.ndarray:
    """The tangent with its zeros written out."""
    return balls.zeros((k, *dual.shape)) if dual.tangent is None else dual.tangent


def concatenate(parts: list[Dual], axis: int) -> Dual:
    """Joined along an axis."""
    return joined(parts, axis, np.concatenate)


def stacked(parts: list[Dual], axis: int = 0) -> Dual:
    """Put side by side along a new axis."""
    return joined(parts, axis, np.stack)


def joined(parts: list[Dual], axis: int, join: Callable[..., np.ndarray]) -> Dual:
    """The common part of the two above."""
    value, k = join([p.value for p in parts], axis=axis), directions(*parts)
    if k is None:
        return Dual(value)
    # An axis counted from the end stays where it is when one comes in front.
    return Dual(value, join([tangents(p, k) for p in parts], axis=axis + (axis >= 0)))


def stack(parts: list[np.ndarray], f: Callable[[np.ndarray], np.ndarray], like: np.ndarray) -> Any:
    """The images of the directions; of no direction, the shape that f would give."""
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


def array(value: Any) -> np.ndarray:
    """NumPy answers with a bare element where an array has no axes; this puts it back in one."""
    return value if isinstance(value, np.ndarray) else balls.boxed([value], ())

"""Which lengths of the arguments may be shorter, and which only together.

Two axes are of one dimension (the batch, the width of a layer) if the loss is defined only where
they grow together. That is tried on shapes alone, by `jax.eval_shape`, which computes nothing. One
step longer, not shorter: an axis of length one fits anything.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.smallest.layout import Layout

#: An axis: the leaf's number among the arrays, and the axis' number.
Axis = tuple[int, int]

#: So many shapes are tried at most; one takes milliseconds, and long for a deep network.
MOST_PROBES = 400

#: Of those, for one axis with one or two others.
MOST_FEW = 100


class Dimensions:
    """The dimensions of a loss at a point: sets of axes that grow and shrink together."""

    def __init__(self, loss: Any, layout: Layout) -> None:
        self._loss, self._layout = loss, layout
        self._shapes = [array.shape for array in layout.arrays]
        self._probes = MOST_PROBES
        self.sets = self._found()

    @property
    def lengths(self) -> list[int]:
        """How long each dimension is: the shortest of its axes."""
        return [min(self._length(axis) for axis in found) for found in self.sets]

    def shapes(self, lengths: Sequence[int]) -> list[tuple[int, ...]] | None:
        """The shapes of all arrays at these lengths; None if one would be empty.

        An axis may belong to two dimensions, as that of a convolution's input does.
        """
        less = [before - now for before, now in zip(self.lengths, lengths, strict=True)]
        shapes = self._changed({d: -by for d, by in enumerate(less)})
        pairs = zip(self._shapes, shapes, strict=True)
        empty = any(now < min(1, n) for old, new in pairs for n, now in zip(old, new, strict=True))
        return None if empty else shapes

    def bound(self, leaf: int, shapes: Sequence[tuple[int, ...]]) -> int | None:
        """Below what number the integers of a leaf must stay, if they index something.

        They may index any axis that is longer than the largest of them and not of the same
        dimension as their own axes.
        """
        values = self._layout.arrays[leaf]
        if values.dtype.kind not in "iu" or not values.size:
            return None
        own = {axis for found in self.sets if any(a[0] == leaf for a in found) for axis in found}
        highest = int(values.max())
        bounds = [
            shapes[axis[0]][axis[1]]
            for axis in self._axes()
            if axis[0] != leaf and axis not in own and self._length(axis) > highest
        ]
        return min(bounds, default=None)

    def _axes(self) -> list[Axis]:
        return [(leaf, i) for leaf, shape in enumerate(self._shapes) for i in range(len(shape))]

    def _length(self, axis: Axis) -> int:
        return self._shapes[axis[0]][axis[1]]

    def _changed(self, by: dict[int, int]) -> list[tuple[int, ...]]:
        shapes = [list(shape) for shape in self._shapes]
        for d, steps in by.items():
            for leaf, i in self.sets[d]:
                shapes[leaf][i] += steps
        return [tuple(shape) for shape in shapes]

    def _found(self) -> list[tuple[Axis, ...]]:
        """Those that can be told apart; the leading axes of inputs first, they are examples."""
        if not self._defined(frozenset()):
            return []
        found: list[tuple[Axis, ...]] = []
        for axis in sorted(self._axes(), key=lambda a: (not self._leads(a), a)):
            known = {a for axes in found for a in axes}
            if self._length(axis) > 1 and axis not in known:
                starts = itertools.chain(self._few(axis, known), self._starts(axis))
                start = next(filter(self._defined, starts), None)
                if start:
                    found.append(self._least(start, axis))
        return found

    def _few(self, axis: Axis, known: set[Axis]) -> Iterator[frozenset[Axis]]:
        """An axis by itself; the leading axes of inputs; with one or two others of its length."""
        same = [a for a in self._axes() if self._length(a) == self._length(axis)]
        leading = frozenset(filter(self._leads, same))
        yield frozenset([axis])
        if axis in leading:
            yield leading
        others = [a for a in same if a not in known and a != axis]
        few = (set(c) for n in (1, 2) for c in itertools.combinations(others, n))
        yield from (frozenset(axes | {axis}) for axes in itertools.islice(few, MOST_FEW))

    def _leads(self, axis: Axis) -> bool:
        return self._layout.is_input(axis[0]) and axis[1] == 0

    def _starts(self, axis: Axis) -> Iterator[frozenset[Axis]]:
        """All axes of its length; those but the leading ones; all axes of two lengths."""
        same = frozenset(a for a in self._axes() if self._length(a) == self._length(axis))
        yield same
        leading = frozenset(filter(self._leads, same))
        yield same - leading if axis not in leading else same
        for n in sorted({self._length(a) for a in self._axes()} - {self._length(axis)}):
            yield same | {a for a in self._axes() if self._length(a) == n}

    def _least(self, axes: frozenset[Axis], kept: Axis) -> tuple[Axis, ...]:
        for axis in sorted(axes - {kept}):
            if self._defined(axes - {axis}):
                axes = axes - {axis}
        return tuple(sorted(axes))

    def _defined(self, longer: frozenset[Axis]) -> bool:
        """Whether the loss is a scalar where these axes are one step longer."""
        if self._probes <= 0:
            return False
        self._probes -= 1
        shapes = [
            tuple(n + ((leaf, i) in longer) for i, n in enumerate(array.shape))
            for leaf, array in enumerate(self._layout.arrays)
        ]
        return self._scalar(shapes, self._traced)

    @cached_property
    def _traced(self) -> str | None:
        """The kinds of arrays to trace it with; None if it cannot be, and must be run."""
        tries = ("fiub", "f", None)  # a loss may look at its integers while it is traced
        return next((kinds for kinds in tries if self._scalar(self._shapes, kinds)), None)

    def _scalar(self, shapes: list[tuple[int, ...]], traced: str | None) -> bool:
        arrays = list(zip(self._layout.arrays, shapes, strict=True))
        known = [a.dtype.kind not in (traced or "") for a, _ in arrays]

        def loss(traced: Any) -> Any:
            each = zip(traced, arrays, known, strict=True)
            params, inputs = self._layout.together([_grown(*a) if k else t for t, a, k in each])
            return self._loss(params, *inputs)

        structs = [jax.ShapeDtypeStruct(shape, array.dtype) for array, shape in arrays]
        try:
            with jax.enable_x64(self._layout.given.wide):
                found = loss(structs) if traced is None else jax.eval_shape(loss, structs)
                return np.shape(found) == ()
        except Exception:  # whatever the loss raises at shapes that it was not written for
            return False


def _grown(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array with its last entries repeated."""
    return np.pad(array, [(0, n - m) for n, m in zip(shape, array.shape, strict=True)], "edge")

"""Find the dimensions of the arguments: axes whose lengths can only change together.

Two axes are of one dimension (the batch, the width of a layer) if the loss is defined, and the
gradient runs, only if both grow together. They are made one longer, not shorter, since an axis of
length 1 broadcasts. The gradient is run too, because JAX accepts indices out of range in a loss,
and because a gradient should not be judged on arrays that do not fit together.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.data.silent import quiet
from handgrad.shrinking.layout import Layout

Shape = tuple[int, ...]

#: An axis: the number of the array, and of the axis in it.
Axis = tuple[int, int]

#: The most shapes to try; each takes milliseconds, and longer for a deep network.
MOST_PROBES = 400

#: The most sets of one axis with one or two others to try.
MOST_FEW = 100

#: The most calls of the gradient, about one for each dimension, since each may have to run it.
#: After that only the loss decides.
MOST_GRADIENT_CALLS = 24


#: Kinds of dtypes of the arrays to trace. A loss may need the values of its integers while it is
#: traced; if it cannot be traced at all, it is run.
KINDS = ("fiub", "f", "")


#: What libraries raise of arrays whose shapes do not fit.
UNFIT = (TypeError, ValueError, RuntimeError)


class UsedError(TypeError):
    """An array is used that might be anything."""


class _Anything:
    """A placeholder that refuses any use, to find out whether an argument is used."""

    def _refused(self, *_: Any) -> Any:
        raise UsedError

    __eq__ = __ne__ = __bool__ = __hash__ = __str__ = __repr__ = __mul__ = __rmul__ = _refused


class Probe:
    """A function of (params, *inputs), called with arrays of other shapes than those of a point."""

    def __init__(self, function: Callable[..., Any], layout: Layout) -> None:
        self._function, self._layout = function, layout

    @cached_property
    def kinds(self) -> str | None:
        """The kinds of dtypes that are traced; None if it does not run at the point in any way."""
        own = [array.shape for array in self._layout.arrays]
        return next((kinds for kinds in KINDS if self._called(own, kinds)), None)

    def __call__(self, shapes: Sequence[Shape], anything: int | None = None) -> list[Shape] | None:
        """Return the shapes of the result, None if it raises.

        The array number `anything` is replaced by a placeholder.
        """
        return None if self.kinds is None else self._called(shapes, self.kinds, anything)

    def _called(
        self, shapes: Sequence[Shape], kinds: str, anything: int | None = None
    ) -> list[Shape] | None:
        pairs = list(zip(self._layout.arrays, shapes, strict=True))

        def answer(traced: Any) -> Any:
            leaves = list(traced)
            for k, (array, shape) in enumerate(pairs):
                if array.dtype.kind not in kinds:  # which is run, its last entries repeated
                    more = [(0, n - m) for n, m in zip(shape, array.shape, strict=True)]
                    leaves[k] = np.pad(array, more, "edge")
            if anything is not None:
                leaves[anything] = _Anything()
            params, inputs = self._layout.together(leaves)
            return self._function(params, *inputs)

        structs = [jax.ShapeDtypeStruct(shape, array.dtype) for array, shape in pairs]
        with best_effort(*UNFIT), quiet(), jax.enable_x64(self._layout.given.wide):
            found = jax.eval_shape(answer, structs) if kinds else answer(structs)
            return [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(found)]
        return None


class Dimensions:
    """The dimensions of a loss at a point: sets of axes that grow and shrink together."""

    def __init__(
        self, loss: Callable[..., Any], gradient: Callable[..., Any], layout: Layout
    ) -> None:
        self._loss, self._gradient, self._layout = (
            Probe(loss, layout),
            Probe(gradient, layout),
            layout,
        )
        self._shapes = [array.shape for array in layout.arrays]
        self._probes_left, self._gradient_calls_left = MOST_PROBES, MOST_GRADIENT_CALLS
        inputs = [leaf for leaf in range(len(self._shapes)) if layout.is_input(leaf)]
        self._unused = {
            leaf for leaf in inputs if self._shapes[leaf] and self._loss(self._shapes, leaf) == [()]
        }
        self.sets = self._with_unused(self._found())

    @property
    def lengths(self) -> list[int]:
        """The length of each dimension: that of its shortest axis."""
        return [min(self._length(axis) for axis in found) for found in self.sets]

    def shapes(self, lengths: Sequence[int]) -> list[tuple[int, ...]] | None:
        """Return the shapes of all arrays for these lengths; None if an array would be empty.

        An axis may belong to two dimensions, like that of a convolution's input.
        """
        by = Counter[Axis]()
        for axes, before, now in zip(self.sets, self.lengths, lengths, strict=True):
            by.update(dict.fromkeys(axes, now - before))
        shapes = self._changed(by)
        pairs = zip(self._shapes, shapes, strict=True)
        empty = any(now < min(1, n) for old, new in pairs for n, now in zip(old, new, strict=True))
        return None if empty else shapes

    def bound(self, leaf: int, shapes: Sequence[tuple[int, ...]]) -> int | None:
        """Return the bound below which the integers of a leaf must stay, if they index something.

        They may index any axis that is longer than the largest of them and of another dimension
        than their own axes.
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

    def _used(self) -> list[Axis]:
        return [axis for axis in self._axes() if axis[0] not in self._unused]

    def _length(self, axis: Axis) -> int:
        return self._shapes[axis[0]][axis[1]]

    def _changed(self, by: Mapping[Axis, int]) -> list[Shape]:
        return [
            tuple(n + by.get((leaf, i), 0) for i, n in enumerate(shape))
            for leaf, shape in enumerate(self._shapes)
        ]

    def _found(self) -> list[tuple[Axis, ...]]:
        """Find the dimensions; the leading axes of inputs, which count examples, come first."""
        if not self._takes(frozenset()):
            return []
        found: list[tuple[Axis, ...]] = []
        for axis in sorted(self._used(), key=lambda a: (not self._leads(a), a)):
            known = {a for axes in found for a in axes}
            if self._length(axis) > 1 and axis not in known:
                start = self._start(axis, known)
                if start:
                    found.append(self._least(start, axis))
        return found

    def _start(self, axis: Axis, known: set[Axis]) -> frozenset[Axis] | None:
        """Return a set of axes, including this one, that may all be longer.

        If the gradient takes no such lengths at all, that may be its mistake, and only the loss
        decides.
        """
        taken, again = itertools.tee(filter(self._takes, self._tries(axis, known)))
        return next(filter(self._agreed, taken), None) or next(again, None)

    def _with_unused(self, found: list[tuple[Axis, ...]]) -> list[tuple[Axis, ...]]:
        """Add the axes of arrays that the loss does not use to a dimension of the same length.

        Preferably to one with an axis in the same position: examples with examples.
        """
        sets = [list(axes) for axes in found]
        unused = [a for a in self._axes() if a[0] in self._unused and self._length(a) > 1]
        for axis in unused:
            alike = [s for s in sets if any(self._length(a) == self._length(axis) for a in s)]
            placed = [s for s in alike if any(a[1] == axis[1] for a in s)]
            if alike:
                [*placed, *alike][0].append(axis)
            else:
                sets.append([axis])
        return [tuple(sorted(axes)) for axes in sets]

    def _tries(self, axis: Axis, known: set[Axis]) -> Iterator[frozenset[Axis]]:
        """Yield an axis alone, with all leading axes of inputs, with one or two others as long.

        After these all axes of its length, all but the leading ones, and all of two lengths.
        """
        same = self._as_long(self._length(axis))
        leading = frozenset(filter(self._leads, same))
        yield frozenset([axis])
        if axis in leading:
            yield leading
        others = [a for a in same if a not in known and a != axis]
        few = (c for n in (1, 2) for c in itertools.combinations(others, n))
        yield from (frozenset({axis, *axes}) for axes in itertools.islice(few, MOST_FEW))
        yield frozenset(same)
        if axis not in leading:
            yield frozenset(same) - leading
        for n in sorted({self._length(a) for a in self._used()} - {self._length(axis)}):
            yield frozenset([*same, *self._as_long(n)])

    def _as_long(self, length: int) -> list[Axis]:
        return [a for a in self._used() if self._length(a) == length]

    def _leads(self, axis: Axis) -> bool:
        return self._layout.is_input(axis[0]) and axis[1] == 0

    def _least(self, axes: frozenset[Axis], kept: Axis) -> tuple[Axis, ...]:
        for axis in sorted(axes - {kept}):
            if self._takes(axes - {axis}) and self._agreed(axes - {axis}):
                axes = axes - {axis}
        return tuple(sorted(axes))

    def _takes(self, longer: frozenset[Axis]) -> bool:
        """Tell whether the loss is a scalar if these axes are one longer."""
        if self._probes_left <= 0:
            return False
        self._probes_left -= 1
        return self._loss(self._changed(dict.fromkeys(longer, 1))) == [()]

    def _agreed(self, longer: frozenset[Axis]) -> bool:
        """Tell whether the gradient runs there too; true once its calls are used up.

        With the parameters' shapes if it has them at the point; if it does not even run there in
        this way, nothing speaks against them.
        """
        if self._gradient_calls_left <= 0 or self._gradient.kinds is None:
            return True
        self._gradient_calls_left -= 1
        shapes = self._changed(dict.fromkeys(longer, 1))
        found, params = self._gradient(shapes), len(self._layout.given.leaves)
        return found is not None and (found == shapes[:params] or not self._fits)

    @cached_property
    def _fits(self) -> bool:
        return self._gradient(self._shapes) == self._shapes[: len(self._layout.given.leaves)]

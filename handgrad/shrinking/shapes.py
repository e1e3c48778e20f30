"""Probe which shapes a function accepts: by shapes alone, if JAX can trace it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.data.silent import quiet
from handgrad.shrinking.layout import Layout

Shape = tuple[int, ...]

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
        traces = [array.dtype.kind in kinds for array, _ in pairs]

        def answer(traced: Any) -> Any:
            each = zip(traced, pairs, traces, strict=True)
            leaves = [leaf if traces else _grown(*pair) for leaf, pair, traces in each]
            if anything is not None:
                leaves[anything] = _Anything()
            params, inputs = self._layout.together(leaves)
            return self._function(params, *inputs)

        structs = [jax.ShapeDtypeStruct(shape, array.dtype) for array, shape in pairs]
        with best_effort(*UNFIT), quiet(), jax.enable_x64(self._layout.given.wide):
            found = jax.eval_shape(answer, structs) if kinds else answer(structs)
            return [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(found)]
        return None


def _grown(array: np.ndarray, shape: Shape) -> np.ndarray:
    """Return a copy of an array, extended by repeating its last entries."""
    return np.pad(array, [(0, n - m) for n, m in zip(shape, array.shape, strict=True)], "edge")

"""Probe which shapes a loss and its gradient accept: by shapes alone, if JAX can trace them."""

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


class Probes:
    """Probes of a loss and its gradient with arrays of other shapes than those of a point."""

    def __init__(
        self, loss: Callable[..., Any], gradient: Callable[..., Any], layout: Layout
    ) -> None:
        self._loss, self._gradient, self._layout = loss, gradient, layout
        self._own = [array.shape for array in layout.arrays]

    def loss_takes(self, shapes: Sequence[Shape]) -> bool:
        """Tell whether the loss is a scalar for these shapes."""
        kinds = self._loss_kinds
        return kinds is not None and self._called(self._loss, shapes, kinds) == [()]

    def gradient_takes(self, shapes: Sequence[Shape]) -> bool:
        """Tell whether the gradient runs, with the parameters' shapes if it has them at the point.

        True if it does not even run at the point itself in this way.
        """
        kinds = self._gradient_kinds
        if kinds is None:
            return True
        found = self._called(self._gradient, shapes, kinds)
        return found is not None and (found == self._of_params(shapes) or not self._fits)

    def is_unused(self, leaf: int) -> bool:
        """Tell whether the loss does not use an array, so that its shape does not matter."""
        kinds = self._loss_kinds
        return kinds is not None and self._called(self._loss, self._own, kinds, leaf) == [()]

    @cached_property
    def _loss_kinds(self) -> str | None:
        return next((k for k in KINDS if self._called(self._loss, self._own, k) == [()]), None)

    @cached_property
    def _gradient_kinds(self) -> str | None:
        return next((k for k in KINDS if self._called(self._gradient, self._own, k)), None)

    @cached_property
    def _fits(self) -> bool:
        found = self._called(self._gradient, self._own, self._gradient_kinds or "")
        return found == self._of_params(self._own)

    def _of_params(self, shapes: Sequence[Shape]) -> list[Shape]:
        return list(shapes[: len(self._layout.given.leaves)])

    def _called(
        self,
        function: Callable[..., Any],
        shapes: Sequence[Shape],
        kinds: str,
        anything: int | None = None,
    ) -> list[Shape] | None:
        """Return the shapes of a function's result, None if it raises.

        The array number `anything` is replaced by a placeholder.
        """
        pairs = list(zip(self._layout.arrays, shapes, strict=True))
        traces = [array.dtype.kind in kinds for array, _ in pairs]

        def answer(traced: Any) -> Any:
            each = zip(traced, pairs, traces, strict=True)
            leaves = [leaf if traces else _grown(*pair) for leaf, pair, traces in each]
            if anything is not None:
                leaves[anything] = _Anything()
            params, inputs = self._layout.together(leaves)
            return function(params, *inputs)

        structs = [jax.ShapeDtypeStruct(shape, array.dtype) for array, shape in pairs]
        with best_effort(*UNFIT), quiet(), jax.enable_x64(self._layout.given.wide):
            found = jax.eval_shape(answer, structs) if kinds else answer(structs)
            return [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(found)]
        return None


def _grown(array: np.ndarray, shape: Shape) -> np.ndarray:
    """Return a copy of an array, extended by repeating its last entries."""
    return np.pad(array, [(0, n - m) for n, m in zip(shape, array.shape, strict=True)], "edge")

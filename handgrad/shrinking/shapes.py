"""What shapes a loss and its gradient take: tried on shapes alone, where JAX traces them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.shrinking.layout import Layout
from handgrad.shrinking.still_fails import quiet

Shape = tuple[int, ...]

#: Which arrays to trace, by the kinds of their numbers. A loss may look at its integers while it is
#: traced; where nothing can be traced, it is run.
KINDS = ("fiub", "f", "")


class _Anything:
    """No array: whatever is asked of it, beyond its being there, is refused."""

    def _refused(self, *_: Any) -> Any:
        raise TypeError("the array is used")

    __eq__ = __ne__ = __bool__ = __hash__ = __str__ = __repr__ = _refused


class Probes:
    """A loss and its gradient at a point, asked about arrays of other shapes in place of its own.

    Args:
        loss: loss(params, *inputs).
        gradient: gradient(params, *inputs), its answer in the structure of params.
        layout: the point.
    """

    def __init__(
        self, loss: Callable[..., Any], gradient: Callable[..., Any], layout: Layout
    ) -> None:
        self._loss, self._gradient, self._layout = loss, gradient, layout
        self._own = [array.shape for array in layout.arrays]

    def loss_takes(self, shapes: Sequence[Shape]) -> bool:
        """Whether the loss is a scalar there."""
        kinds = self._loss_kinds
        return kinds is not None and self._called(self._loss, shapes, kinds) == [()]

    def gradient_takes(self, shapes: Sequence[Shape]) -> bool:
        """Whether the gradient answers there, in the parameters' shapes if it does so at the point.

        One that does not answer at the point itself, with what it is asked with here, says nothing.
        """
        kinds = self._gradient_kinds
        if kinds is None:
            return True
        found = self._called(self._gradient, shapes, kinds)
        return found is not None and (found == self._of_params(shapes) or not self._fits)

    def is_unused(self, leaf: int) -> bool:
        """Whether the loss takes anything at all for an array, whose shape then says nothing."""
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
        """The shapes of what a function answers, None if it raises; one array may be no array."""
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
        try:
            with quiet(), jax.enable_x64(self._layout.given.wide):
                found = jax.eval_shape(answer, structs) if kinds else answer(structs)
            return [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(found)]
        except Exception:  # whatever is raised at shapes that it was not written for
            return None


def _grown(array: np.ndarray, shape: Shape) -> np.ndarray:
    """The array with its last entries repeated; a copy, which may be spoilt."""
    return np.pad(array, [(0, n - m) for n, m in zip(shape, array.shape, strict=True)], "edge")

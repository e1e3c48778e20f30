"""What a model is: a loss, its gradient by hand, points, and mistakes planted in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.edits import Edit, Gradient, Shared, edited

#: One edit, several at once, or a function that makes the wrong gradient from the right one.
Mistake = Edit | Shared | list[Edit | Shared] | Callable[[Gradient], Gradient]

#: Draws a point: (params, *inputs) in float64.
Draw = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass(frozen=True, eq=False)
class Model:
    """A loss, its gradient by hand, a draw of points, and planted mistakes."""

    name: str
    loss: Callable[..., Any]  #: loss(params, *inputs), a scalar, in JAX
    gradient: Gradient  #: gradient(params, *inputs), a pytree like params, in NumPy
    draw: Draw
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)  #: by slug
    draw_single: Draw | None = None  #: within float32's range, where `draw` is not

    def point(self, rng: np.random.Generator, dtype: Any = np.float64) -> tuple[Any, ...]:
        """A draw with its float leaves rounded to a dtype; integers stay."""
        import jax

        def cast(leaf: Any) -> Any:
            leaf = np.asarray(leaf)
            return leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf

        draw = self.draw if dtype == np.float64 else self.draw_single or self.draw
        return jax.tree.map(cast, draw(rng))

    def wrong(self, slug: str) -> Gradient:
        """Make the gradient with a mistake; each call makes a new one, which shares no state.

        Raises:
            ValueError: a text to replace does not occur exactly once.
        """
        mistake = self.mistakes[slug]
        if callable(mistake):
            return mistake(self.gradient)
        return edited(self.gradient, *(mistake if isinstance(mistake, list) else [mistake]))

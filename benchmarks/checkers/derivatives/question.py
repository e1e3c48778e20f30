"""The question to a checker of derivatives: a function, its derivative by hand, and arguments."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from models.derivatives.derivative import dense
from models.model import COMPLEX, RULE

#: The relative difference above which an element is wrong by a mistake, of which the smallest is
#: ten times that. What is the same in both codes rounds alike.
APART = 1e-13


@dataclass(frozen=True, eq=False)
class DerivativeQuestion:
    """A derivative to check at a point."""

    kind: str  #: one of `models.derivatives.derivatives.KINDS`
    fun: Callable[..., Any]  #: fun(x, *args), in jax.numpy
    derivative: Callable[..., Any]  #: by hand; of a rule, the decorated function
    arguments: tuple[Any, ...]  #: x, of a product also the vector, and further arguments
    right: Callable[..., Any] | None = None  #: the right one, where `derivative` is wrong

    def point(self) -> tuple[Any, ...]:
        """Return a copy of the arguments."""
        return copy.deepcopy(self.arguments)

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments of `fun` after x."""
        return self.point()[2 if self.kind == "product" else 1 :]

    @cached_property
    def found(self) -> np.ndarray:
        """What the derivative returns, as an array; not of a rule."""
        return np.asarray(dense(self.derivative(*self.point())))

    @property
    def paths(self) -> tuple[str, ...]:
        """The places of the elements: `[4, 1]`, `real[2]`; none of a rule."""
        if self.kind == RULE:
            return ()
        of = self.right or self.derivative
        shape = np.shape(dense(of(*self.point())))
        parts = ("real", "imag") if self.kind == COMPLEX else ("",)
        return tuple(place(part, at) for part, at in product(parts, np.ndindex(shape)))

    def wrong_leaves(self) -> tuple[str, ...]:
        """Find the places where the derivative is wrong; none if that are all, or of a rule."""
        if self.right is None or self.kind == RULE:
            return ()
        wanted = np.asarray(dense(self.right(*self.point())))
        if self.found.shape != wanted.shape:
            return ()
        a, b = (np.stack([np.real(each), np.imag(each)]).ravel() for each in (self.found, wanted))
        wrong = ~(np.abs(a - b) <= APART * np.abs(b) + APART / 100 * np.abs(b).max(initial=0))
        paths = self.paths
        places = tuple(path for path, is_wrong in zip(paths, wrong, strict=False) if is_wrong)
        return places if len(places) < len(paths) else ()


def place(part: str, index: tuple[int, ...]) -> str:
    """Return how the place of an element is called."""
    return f"{part}{[*index]}"

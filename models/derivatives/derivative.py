"""What a derivative by hand is: the function, the derivative, arguments, mistakes, rewrites."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.edits import edited
from models.slips import Rewrite, Slip

#: Draws arguments: the point first.
Draw = Callable[[np.random.Generator], tuple[Any, ...]]

#: What is judged: the matrix of a function of several results, that of second derivatives of a
#: loss, its product with a vector, the gradient by complex numbers, a rule given to JAX.
JACOBIAN, HESSIAN, PRODUCT, COMPLEX, RULE = "Jacobian", "Hessian", "product", "complex", "rule"
KINDS = (JACOBIAN, HESSIAN, PRODUCT, COMPLEX, RULE)


@dataclass(frozen=True, eq=False)
class Derivative:
    """A function and its derivative by hand.

    The derivative of a Jacobian, Hessian or complex gradient is `by_hand(x, *args)`, that of a
    product `by_hand(x, v, *args)`, in NumPy. Of a rule, `by_hand()` makes the decorated function.
    """

    name: str
    kind: str  #: one of `KINDS`
    fun: Callable[..., Any]  #: fun(x, *args), in jax.numpy
    by_hand: Callable[..., Any]
    draws: Mapping[str, Draw]  #: by what is particular about the arguments; the first is ordinary
    mistakes: Mapping[str, Slip]  #: by slug
    rewrites: Mapping[str, Rewrite]  #: by slug
    #: Changes of the arrays that the derivative returns, by slug; of no rule.
    changes: Mapping[str, "Change"] = field(default_factory=dict)

    @property
    def slips(self) -> "dict[str, Slip | Change]":
        """All mistakes, by slug."""
        return {**self.mistakes, **self.changes}

    def wrong(self, slug: str) -> Callable[..., Any]:
        """Make the derivative with a mistake, or what makes a function with a mistake in a rule."""
        if slug in self.changes:
            return self.changes[slug].of(self.by_hand)
        return edited(self.by_hand, *self.mistakes[slug].edits)

    def right(self, slug: str = "") -> Callable[..., Any]:
        """Return the derivative as it is written, or make a rewritten one."""
        return edited(self.by_hand, *self.rewrites[slug].edits) if slug else self.by_hand


@dataclass(frozen=True)
class Change:
    """A mistake in what is returned: what its author did, the change, and what names it rightly."""

    says: str
    change: Callable[[Any], Any]  #: of a fresh array
    kinds: tuple[str, ...] = ()

    def of(self, by_hand: Callable[..., Any]) -> Callable[..., Any]:
        """Make the derivative with the mistake."""

        def wrong(*args: Any) -> Any:
            return self.change(np.array(dense(by_hand(*args))))

        return wrong


def dense(found: Any) -> Any:
    """Return a matrix of whatever form as an array."""
    if hasattr(found, "toarray"):
        return found.toarray()
    return found @ np.eye(found.shape[1]) if hasattr(found, "matvec") else found


def times(factor: float, *at: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return what multiplies the elements at these indices."""

    def change(found: np.ndarray) -> np.ndarray:
        for each in at:
            found[each] *= factor
        return found

    return change


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw standard normal numbers."""
    return rng.normal(size=shape)


def complex_normal(rng: np.random.Generator, *shape: int) -> Any:
    """Draw numbers whose real and imaginary parts are standard normal."""
    return normal(rng, *shape) + 1j * normal(rng, *shape)

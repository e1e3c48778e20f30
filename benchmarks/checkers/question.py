"""What a checker is asked and what it answers."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Verdicts of a checker.
RIGHT, WRONG, NO_ANSWER = "right", "wrong", "no answer"

#: Beyond so much of a leaf's largest element, two gradients differ by a mistake and not by
#: rounding: in the models of the comparison rounding stays below 1e-13 of it, and what is planted
#: in a whole leaf is 1e-6 and more. Mistakes in single elements know their leaf themselves.
APART = 1e-10


@dataclass(frozen=True)
class Answer:
    """What a checker said of a gradient."""

    verdict: str  #: `RIGHT`, `WRONG` or `NO_ANSWER`
    reason: str = ""  #: why there is no answer: time, memory, undecidable, an error
    leaves: tuple[str, ...] = ()  #: the parameters it blames, `params['w']`
    kinds: tuple[str, ...] = ()  #: what kinds of mistake it names, as `handgrad` calls them
    message: str = ""  #: the beginning of what it said
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Question:
    """A gradient, the loss that it should be of, and a point."""

    loss: Callable[..., Any]  #: loss(params, *inputs), in JAX
    gradient: Callable[..., Any]  #: gradient(params, *inputs), in NumPy
    params: Any  #: a pytree of float64 arrays
    inputs: tuple[Any, ...]
    right: Callable[..., Any] | None = None  #: the right gradient, where `gradient` is wrong
    planted: tuple[str, ...] = ()  #: the leaves that are wrong, where that is known beforehand

    @property
    def paths(self) -> tuple[str, ...]:
        """The leaves of the parameters, as `handgrad` names them."""
        return tuple(paths(self.params))

    def point(self) -> tuple[Any, ...]:
        """A copy of (params, *inputs): some of the mistakes write to what they are given."""
        return copy.deepcopy((self.params, *self.inputs))

    def wrong_leaves(self) -> tuple[str, ...]:
        """The leaves in which the gradient differs from the right one.

        Calls the gradient, so ask only after it was checked: some mistakes show in a second call.
        """
        if self.right is None or self.planted:
            return self.planted
        try:
            found = leaves(self.gradient(*self.point()))
        except Exception:  # whatever a mistake raises, it then has no leaves to compare
            return ()
        wanted = leaves(self.right(*self.point()))
        if len(found) != len(wanted):
            return ()
        pairs = zip(self.paths, found, wanted, strict=True)
        return tuple(path for path, a, b in pairs if _differ(a, b))


def leaves(tree: Any) -> list[np.ndarray]:
    """The arrays of a pytree, in JAX's order."""
    import jax

    return [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(tree)]


def paths(params: Any) -> Sequence[str]:
    """`params['w']`, `params[0].b`: the leaves' names, in JAX's order."""
    import jax

    with_paths = jax.tree_util.tree_leaves_with_path(params)
    return [f"params{jax.tree_util.keystr(path)}" for path, _ in with_paths]


def _differ(found: np.ndarray, wanted: np.ndarray) -> bool:
    if found.shape != wanted.shape:
        return True
    gap = np.abs(found - wanted)
    return bool((~(gap <= APART * np.abs(wanted).max(initial=0.0))).any())

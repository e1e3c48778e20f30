"""The question to a checker, a gradient at a point, and its answer."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

#: Verdicts of a checker.
RIGHT, WRONG, NO_ANSWER = "right", "wrong", "no answer"

#: The relative difference, by a leaf's largest element, above which two gradients differ by a
#: mistake: rounding stays below 1e-13 in these models, and mistakes in a whole leaf are 1e-6 or
#: more. For mistakes in single elements the leaf is known.
APART = 1e-10


@dataclass(frozen=True)
class Answer:
    """A checker's answer about a gradient."""

    verdict: str  #: `RIGHT`, `WRONG` or `NO_ANSWER`
    reason: str = ""  #: why there is no answer: time, memory, undecidable, an error
    leaves: tuple[str, ...] = ()  #: the parameters it blames, `params['w']`
    kinds: tuple[str, ...] = ()  #: the kinds of mistake it names, in `handgrad`'s terms
    message: str = ""  #: the beginning of its message
    lines: tuple[str, ...] = ()  #: the lines of the forward pass that it names
    seconds: float = 0.0  #: on the clock
    cpu: float | None = None  #: seconds of processors; None if it was stopped


@dataclass(frozen=True, eq=False)
class Question:
    """A gradient to check, its loss, and a point."""

    loss: Callable[..., Any]  #: loss(params, *inputs), in JAX
    gradient: Callable[..., Any]  #: gradient(params, *inputs), in NumPy
    params: Any  #: a pytree of float64 arrays
    inputs: tuple[Any, ...]
    right: Callable[..., Any] | None = None  #: the right gradient, where `gradient` is wrong
    planted: tuple[str, ...] = ()  #: the wrong leaves, if known beforehand

    @property
    def paths(self) -> tuple[str, ...]:
        """The parameters' leaves in JAX's order, as `handgrad` calls them: `params['w']`."""
        import jax

        from handgrad.data.names import Names

        root = Names.of(self.loss, 1 + len(self.inputs)).params
        with_paths = jax.tree_util.tree_leaves_with_path(self.params)
        return tuple(f"{root}{jax.tree_util.keystr(path)}" for path, _ in with_paths)

    @cached_property
    def compiled(self) -> Callable[[Any], Any]:
        """The loss as a function of the parameters, compiled at its first call."""
        import jax

        return jax.jit(lambda params: self.loss(params, *self.inputs))

    @cached_property
    def compiled_of_vector(self) -> Callable[[Any], Any]:
        """The same of the parameters as one vector."""
        import jax
        from jax.flatten_util import ravel_pytree

        _, unflatten = ravel_pytree(self.params)
        return jax.jit(lambda vector: self.loss(unflatten(vector), *self.inputs))

    def point(self) -> tuple[Any, ...]:
        """Return a copy of (params, *inputs): some mistakes modify their arguments."""
        return copy.deepcopy((self.params, *self.inputs))

    def wrong_leaves(self) -> tuple[str, ...]:
        """Find the leaves in which the gradient differs from the right one.

        This calls the gradient, so do it after the check: some mistakes show in a second call.
        """
        if self.right is None or self.planted:
            return self.planted
        try:
            found = leaves(self.gradient(*self.point()))
        except Exception:  # a mistake may raise anything; then there are no leaves to compare
            return ()
        wanted = leaves(self.right(*self.point()))
        if len(found) != len(wanted):
            return ()
        pairs = zip(self.paths, found, wanted, strict=True)
        return tuple(path for path, a, b in pairs if _differ(a, b))


def simple() -> Question:
    """Return a question that makes a checker load its packages before the first case."""
    import jax.numpy as jnp

    def gradient(params: Any) -> Any:
        return {"w": 2 * params["w"]}

    return Question(lambda params: jnp.sum(params["w"] ** 2), gradient, {"w": np.ones(2)}, ())


def leaves(tree: Any) -> list[np.ndarray]:
    """Return the arrays of a pytree, in JAX's order."""
    import jax

    return [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(tree)]


def _differ(found: np.ndarray, wanted: np.ndarray) -> bool:
    if found.shape != wanted.shape:
        return True
    gap = np.abs(found - wanted)
    return bool((~(gap <= APART * np.abs(wanted).max(initial=0.0))).any())

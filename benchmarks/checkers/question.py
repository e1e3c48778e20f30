"""The question to a checker, a derivative by hand at a point, and its answer."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Annotated, Any, Self, TypeAlias

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from msgspec import Meta

from benchmarks.ready import leaves
from models.derivatives.derivative import dense
from models.model import COMPLEX, GRADIENT, HESSIAN, OF_TORCH, PRODUCT, RULE

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Took: TypeAlias = Annotated[float, Meta(ge=0)]

#: Verdicts of a checker.
RIGHT, WRONG, NO_ANSWER = "right", "wrong", "no answer"

#: The relative difference, by a leaf's largest element, above which two gradients differ by a
#: mistake: rounding stays below 1e-13 in these models, and mistakes in a whole leaf are 1e-6 or
#: more. For mistakes in single elements the leaf is known.
APART = 1e-10

#: The same of an element of another derivative, whose smallest mistake is ten times that; what is
#: the same in both codes rounds alike.
ELEMENT_APART = 1e-13


@dataclass(frozen=True)
class Answer:
    """A checker's answer about a derivative; the last six are added by the run."""

    verdict: str  #: `RIGHT`, `WRONG` or `NO_ANSWER`
    reason: str = ""  #: why there is no answer: time, memory, undecidable, an error; or imprecise
    leaves: tuple[str, ...] = ()  #: the parameters it blames, `params['w']`, or the elements
    kinds: tuple[str, ...] = ()  #: the kinds of mistake it names, in `handgrad`'s terms
    message: str = ""  #: the beginning of its message
    lines: tuple[str, ...] = ()  #: the lines of the forward pass that it names
    points: Count = 0  #: how many points it judged; 0 if it does not say
    judged: Count = 0  #: how many elements at the given point; 0 likewise
    wrong_leaves: tuple[str, ...] = ()  #: what is wrong; empty if nothing is, or it is not known
    parameters: Count = 0  #: the number of what can be blamed; 0 if not known
    elements: Count = 0  #: those of the gradient; 0 if not counted
    call: Count = 0  #: the index among the calls about the same case, in one process
    seconds: Took = 0.0  #: on the clock, which other work on the machine makes longer
    #: Seconds of processors, of all threads and processes; None if it was stopped, or not recorded.
    cpu: Took | None = None

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        cpu = "" if self.cpu is None else f", {self.cpu:.2g} s of processors"
        return f"{self.verdict}{reason}, {self.seconds:.2g} s{cpu}"


@dataclass(frozen=True, eq=False)
class Question:
    """A derivative to check at a point.

    The function is that of JAX whose derivative it is, of torch the same in torch's operations.
    By hand there is the derivative in NumPy, of a rule the decorated function, of torch the class.
    """

    kind: str  #: `GRADIENT`, `JACOBIAN`, `HESSIAN`, `PRODUCT`, `COMPLEX`, `RULE` or `OF_TORCH`
    function: Callable[..., Any]
    by_hand: Any
    at: tuple[Any, ...]  #: (params, *inputs), (x, *args), of a product (x, v, *args)
    right: Any = None  #: what is right, where `by_hand` is wrong
    planted: tuple[str, ...] = ()  #: the wrong leaves, if known beforehand
    options: Mapping[str, Any] = field(default_factory=dict)  #: of handgrad's check
    draw: Callable[[int], tuple[Any, ...]] | None = None  #: by a seed, for later calls

    def point(self) -> tuple[Any, ...]:
        """Return a copy of the arguments: some mistakes modify them."""
        return copy.deepcopy(self.at)

    @property
    def args(self) -> tuple[Any, ...]:
        """A copy of the arguments of the function after the first."""
        return self.point()[2 if self.kind == PRODUCT else 1 :]

    def later(self, call: int) -> Self:
        """Return the question of a later call, at other parameters."""
        return replace(self, at=(self.draw(call)[0], *self.at[1:])) if self.draw else self

    @cached_property
    def compiled(self) -> Callable[[Any], Any]:
        """What the derivative is one of, compiled: of second derivatives JAX's own gradient."""
        args, second = self.args, self.kind in (HESSIAN, PRODUCT)
        function = jax.grad(self.function) if second else self.function
        return jax.jit(lambda x: function(x, *args))

    @cached_property
    def compiled_of_vector(self) -> Callable[[Any], Any]:
        """The same of the parameters of a loss as one vector."""
        params, *inputs = self.point()
        _, unflatten = ravel_pytree(params)
        return jax.jit(lambda vector: self.function(unflatten(vector), *inputs))

    @cached_property
    def found(self) -> Any:
        """What a derivative that is an array returns."""
        return np.asarray(dense(self.by_hand(*self.point())))

    @property
    def paths(self) -> tuple[str, ...]:
        """What may be blamed: parameters in JAX's order, arguments of torch, elements.

        They are called as handgrad does: `params['w']`, `weight`, `[4, 1]`, `real[2]`. In a rule
        there is nothing.
        """
        if self.kind == RULE:
            return ()
        if self.kind == OF_TORCH:
            from models.torch_functions.function import leaf_names

            return leaf_names(self.by_hand, self.at)
        if self.kind == GRADIENT:
            from handgrad.data.names import Names

            root = Names.of(self.function, len(self.at)).params
            with_paths = jax.tree_util.tree_leaves_with_path(self.at[0])
            return tuple(f"{root}{jax.tree_util.keystr(path)}" for path, _ in with_paths)
        shape = np.shape(dense((self.right or self.by_hand)(*self.point())))
        parts = ("real", "imag") if self.kind == COMPLEX else ("",)
        return tuple(place(part, at) for part, at in product(parts, np.ndindex(shape)))

    def wrong_leaves(self) -> tuple[str, ...]:
        """Find the paths at which the derivative differs from the right one.

        Of elements none if all are wrong. This calls the derivative, so do it after the check: some
        mistakes show in a second call.
        """
        if self.right is None or self.planted or self.kind == RULE:
            return self.planted
        try:
            found = self._arrays(self.by_hand)
        except Exception:  # a mistake may raise anything; then there is nothing to compare
            return ()
        wanted = self._arrays(self.right)
        if len(found) != len(wanted):
            return ()
        if self.kind in (GRADIENT, OF_TORCH):
            wrong = [
                a.shape != b.shape or _apart(a, b, APART * np.abs(b).max(initial=0)).any()
                for a, b in zip(found, wanted, strict=True)
            ]
        else:
            (a,), (b,) = found, wanted
            if a.shape != b.shape:
                return ()
            room = ELEMENT_APART * (np.abs(b) + np.abs(b).max(initial=0) / 100)
            wrong = _apart(a, b, room).ravel()
            if all(wrong):
                return ()
        return tuple(path for path, is_so in zip(self.paths, wrong, strict=True) if is_so)

    def _arrays(self, by_hand: Any) -> list[np.ndarray]:
        """Return the arrays that are compared with the right ones."""
        if self.kind == OF_TORCH:
            from models.torch_functions.function import gradients, widened

            return [grad.numpy() for grad in gradients(by_hand.apply, widened(self.at))]
        found = by_hand(*self.point())
        if self.kind == GRADIENT:
            return leaves(found)
        array: Any = np.asarray(dense(found))
        return [np.stack([array.real, array.imag]) if self.kind == COMPLEX else array]


def place(part: str, index: tuple[int, ...]) -> str:
    """Return how the place of an element is called."""
    return f"{part}{[*index]}"


def _apart(found: np.ndarray, wanted: np.ndarray, room: Any) -> np.ndarray:
    return ~(np.abs(found - wanted) <= room)  # NaN, too

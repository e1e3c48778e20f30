"""A loss and its gradient under `jit`: with which inputs as arguments, or why it cannot be."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from handgrad.data.pytrees import is_real
from handgrad.judging.untraceable import explanation

#: Which inputs are arguments of the compiled program, from all of them to none: a loss may need a
#: number (`range(n)`), a text or its labels as they are. The first of these that it can be traced
#: with is taken, as its author would mark as static no more than it needs.
_ARGUMENTS: tuple[Callable[[Any], bool], ...] = (
    lambda leaf: True,
    lambda leaf: hasattr(leaf, "dtype"),
    is_real,
    lambda leaf: False,
)


@dataclass(frozen=True, eq=False)
class Compiled:
    """`jit(value_and_grad(loss))` and `jit(loss)`, not compiled before their first call."""

    autodiff: Callable[..., Any]  #: (params, arguments) -> the loss and its gradient
    loss: Callable[..., Any]  #: (params, arguments) -> the loss
    arguments: tuple[Any, list[Any]]  #: what both are called with, as the caller gave it
    static: tuple[str, ...]  #: the paths of the inputs that are constants of the program

    @property
    def from_numpy(self) -> bool:
        """Whether a call has arrays to hand over that JAX does not hold yet."""
        leaves = jax.tree_util.tree_leaves(self.arguments)
        return any(isinstance(leaf, np.ndarray) for leaf in leaves)


def compiled(loss: Callable[..., Any], params: Any, inputs: Sequence[Any]) -> Compiled | Exception:
    """The loss and its gradient under `jit`, or what JAX raised when it traced the loss."""
    found, tree = jax.tree_util.tree_flatten_with_path(tuple(inputs))
    leaves = [leaf for _, leaf in found]
    raised: Exception = TypeError("the loss was not traced")
    for is_argument in _ARGUMENTS:
        given = [leaf for leaf in leaves if is_argument(leaf)]
        of_arguments = _with_constants(loss, leaves, is_argument, tree)
        try:
            jax.eval_shape(jax.value_and_grad(of_arguments), params, given)
        except Exception as error:  # whatever their lines raise at what is no number yet
            raised = error
            continue
        static = [jax.tree_util.keystr(path) for path, leaf in found if not is_argument(leaf)]
        return Compiled(
            jax.jit(jax.value_and_grad(of_arguments)),
            jax.jit(of_arguments),
            (params, given),
            tuple(f"inputs{path}" for path in static),
        )
    return raised


def _with_constants(
    loss: Callable[..., Any], leaves: list[Any], is_argument: Callable[[Any], bool], tree: Any
) -> Callable[..., Any]:
    """The loss as a function of the parameters and of those inputs that are arguments."""

    def of_arguments(params: Any, given: Iterable[Any]) -> Any:
        given = iter(given)
        together = [next(given) if is_argument(leaf) else leaf for leaf in leaves]
        return loss(params, *jax.tree_util.tree_unflatten(tree, together))

    return of_arguments


def why_not(error: Exception) -> str:
    """Why a loss is not compiled, in one sentence."""
    line = explanation(error)
    message = str(error).strip().split("\n")[0].rstrip(".")
    return f"The loss cannot be compiled: {line or f'{type(error).__name__}: {message}'}."

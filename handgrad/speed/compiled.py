"""Compile a loss and its gradient with `jit`, with as many inputs as arguments as possible."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from handgrad.data.names import Names
from handgrad.data.pytrees import is_real
from handgrad.judging.untraceable import explanation

#: Which inputs are arguments of the compiled program, from all of them to none: a loss may need the
#: value of a number (`range(n)`), a text or its labels. The first choice that can be traced is
#: used, so that no more inputs are static than needed.
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
    arguments: tuple[Any, list[Any]]  #: the arguments of both, as the caller gave them
    static: tuple[str, ...]  #: the paths of the inputs that are constants of the program

    @property
    def from_numpy(self) -> bool:
        """Whether some arguments are NumPy arrays, which every call converts."""
        leaves = jax.tree_util.tree_leaves(self.arguments)
        return any(isinstance(leaf, np.ndarray) for leaf in leaves)


def compiled(
    loss: Callable[..., Any], params: Any, inputs: Sequence[Any], names: Names
) -> Compiled | Exception:
    """Return the loss and its gradient under `jit`, or what JAX raised when it traced the loss."""
    found, tree = jax.tree_util.tree_flatten_with_path(tuple(inputs))
    leaves = [leaf for _, leaf in found]
    raised: Exception = TypeError("the loss was not traced")
    for is_argument in _ARGUMENTS:
        given = [leaf for leaf in leaves if is_argument(leaf)]

        def of_arguments(
            params: Any, given: Iterable[Any], is_argument: Callable[[Any], bool] = is_argument
        ) -> Any:
            given = iter(given)
            together = [next(given) if is_argument(leaf) else leaf for leaf in leaves]
            return loss(params, *jax.tree_util.tree_unflatten(tree, together))

        autodiff = jax.value_and_grad(of_arguments)
        try:
            jax.eval_shape(autodiff, params, given)
        except Exception as error:  # the caller's code may raise anything on tracers
            raised = error
            continue
        static = [names.in_inputs(path) for path, leaf in found if not is_argument(leaf)]
        return Compiled(jax.jit(autodiff), jax.jit(of_arguments), (params, given), tuple(static))
    return raised


def why_not(error: Exception) -> str:
    """Say in one sentence why a loss is not compiled."""
    line = explanation(error)
    message = str(error).strip().split("\n")[0].rstrip(".")
    return f"The loss cannot be compiled: {line or f'{type(error).__name__}: {message}'}."

"""What the arguments of a function are called, and with them the leaves of a gradient."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, Self

from jax.tree_util import keystr

PARAMS, INPUTS = "params", "inputs"


@dataclass(frozen=True)
class Names:
    """The names of the arguments of a loss, (params, *inputs)."""

    params: str = PARAMS
    inputs: tuple[str, ...] = ()  #: of more inputs than that, `inputs[i]`
    leaves: tuple[str, ...] | None = None  #: of the leaves of params; by default their paths

    @classmethod
    def of(cls, loss: Any, count: int) -> Self:
        """Return the names that a loss gives to so many arguments."""
        params, *inputs = argument_names(loss, count, (PARAMS, *numbered(INPUTS, count)))
        return cls(params, tuple(inputs))

    def of_input(self, i: int) -> str:
        """Return the name of an input."""
        return self.inputs[i] if i < len(self.inputs) else f"{INPUTS}[{i}]"

    def in_inputs(self, path: Any) -> str:
        """Return the name of a leaf, by its path in the tuple of all inputs."""
        return self.of_input(path[0].idx) + keystr(path[1:])


#: Of a function whose arguments have no known names.
UNNAMED = Names()


def argument_names(
    function: Callable[..., Any], count: int, otherwise: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what a function calls its first positional arguments: `w`, `x`; of *args `args[0]`.

    A function without a signature, or of fewer arguments, is given the other names.
    """
    try:
        found = signature(function).parameters.values()
    except (TypeError, ValueError):
        return otherwise[:count]
    names: list[str] = []
    for parameter in found:
        if parameter.kind is Parameter.VAR_POSITIONAL:
            names += numbered(parameter.name, count - len(names))
        elif parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
    if len(names) < count:
        return otherwise[:count]
    pairs = zip(names[:count], otherwise[:count], strict=True)
    # `_` says that it has no name.
    return tuple(name if name.strip("_[0123456789]") else other for name, other in pairs)


def numbered(name: str, count: int) -> tuple[str, ...]:
    """Return `name[0]`, `name[1]`, ..."""
    return tuple(f"{name}[{i}]" for i in range(count))

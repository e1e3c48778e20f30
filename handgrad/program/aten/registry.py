"""The table of operations: which function of JAX computes an operation of ATen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """A row of the table."""

    #: Computes the operation on JAX arrays, Python numbers and lists, and dtypes of NumPy.
    rule: Callable[..., Any]
    #: Names of arguments to which PyTorch writes; the rule returns their new values after the rest.
    writes: tuple[str, ...]


#: The rows by name, such as "add.Tensor"; the overload "default" has no suffix.
OPERATIONS: dict[str, Operation] = {}

#: Operations written in others of PyTorch's own, which it does not write so itself, by name.
COMPOSED: dict[str, Callable[..., Any]] = {}


def operation(*names: str, writes: Sequence[str] = ()) -> Callable[[F], F]:
    """Register the rule of some operations, such as "add.Tensor" or "exp".

    In-place variants and those with `out=` need no row: `add_.Tensor` is `add.Tensor`, and a write.
    A rule is called as the operation is, without what says where and how the result is stored
    (device, layout, memory format). What it returns is cast to the dtype of PyTorch's result, and
    must have its shape.

    Args:
        names: the operations, as `aten` names them; the overload "default" has no suffix.
        writes: names of arguments to which PyTorch writes, as statistics of a batch norm; the rule
            returns their new values, or None, after the results.
    """

    def register(rule: F) -> F:
        for name in names:
            if name in OPERATIONS:
                raise ValueError(f"operation {name!r}: it has a rule already")
            OPERATIONS[name] = Operation(rule, tuple(writes))
        return rule

    return register


def composed(name: str) -> Callable[[F], F]:
    """Register a function that computes an operation by calls of PyTorch's."""

    def register(function: F) -> F:
        COMPOSED[name] = function
        return function

    return register


def name_of(function: Any) -> str:
    """Return the name of an operation of ATen as the table has it."""
    name, overload = packet_and_overload(function)
    return name if overload == "default" else f"{name}.{overload}"


def packet_and_overload(function: Any) -> tuple[str, str]:
    """Return the two parts of the name of an operation."""
    name, _, overload = str(function).removeprefix("aten.").rpartition(".")
    return name, overload

"""The table of operations: which function of JAX computes an operation of ATen."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


#: What computes an operation on JAX arrays, Python numbers and lists, and dtypes of NumPy; by names
#: such as "add.Tensor". The overload "default" has no suffix.
OPERATIONS: dict[str, Callable[..., Any]] = {}

#: Operations written in others of PyTorch's own, which it does not write so itself, by name.
COMPOSED: dict[str, Callable[..., Any]] = {}


def operation(*names: str) -> Callable[[F], F]:
    """Register the rule of some operations, such as "add.Tensor" or "exp".

    In-place variants and those with `out=` need no row: `add_.Tensor` is `add.Tensor`, and a write.
    A rule is called as the operation is, without what says where and how the result is stored
    (device, layout, memory format). What it returns is cast to the dtype of PyTorch's result, and
    must have its shape.
    """

    def register(rule: F) -> F:
        for name in names:
            if name in OPERATIONS:
                raise ValueError(f"operation {name!r}: it has a rule already")
            OPERATIONS[name] = rule
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

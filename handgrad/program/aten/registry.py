"""The table of operations: which function of JAX computes an operation of ATen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """A row of the table."""

    #: Computes the operation on JAX arrays, Python numbers and lists, and dtypes of `jax.numpy`.
    rule: Callable[..., Any]
    #: Whether arrays are cast to the dtype in which PyTorch computes, that of the result.
    promote: bool
    #: Whether half precision comes as float32, so that the result is rounded once, at the end.
    wide: bool
    #: Names of arguments to which PyTorch writes; the rule returns their new values after the rest.
    writes: Sequence[str]


#: The rows by name, such as "add.Tensor"; the overload "default" has no suffix.
OPERATIONS: dict[str, Operation] = {}


def operation(
    *names: str, promote: bool = False, wide: bool = False, writes: Sequence[str] = ()
) -> Callable[[F], F]:
    """Register the rule of some operations, such as "add.Tensor" or "exp".

    In-place variants and those with `out=` need no row: `add_.Tensor` is `add.Tensor`, and a write.
    What a rule returns is cast to the dtype that PyTorch gives the result.

    Args:
        names: the operations, as `aten` names them; the overload "default" has no suffix.
        promote: cast arrays to the dtype in which PyTorch computes: one dtype for all, a float for
            operations such as `exp` of an integer.
        wide: give half precision as float32, so that the result is rounded once, at the end.
        writes: names of arguments to which PyTorch writes, as statistics of a batch norm; the rule
            returns their new values after the results.
    """

    def register(rule: F) -> F:
        for name in names:
            if name in OPERATIONS:
                raise ValueError(f"operation {name!r}: it has a rule already")
            OPERATIONS[name] = Operation(rule, promote, wide, tuple(writes))
        return rule

    return register


def name_of(function: Any) -> str:
    """Return the name of an operation of ATen as the table has it."""
    packet, _, overload = str(function).removeprefix("aten.").rpartition(".")
    return packet if overload == "default" else f"{packet}.{overload}"

"""Tensors that hold JAX values while a function is traced, or plain values until they meet one.

A tensor owns its memory or is a view into another's: then it knows the operation that made it,
which is run again on what the other one holds now. What depends on no traced value stays a plain
tensor inside, and PyTorch computes with it; the first traced value that is written to it makes it
traced.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import to_array


class Memory:
    """What a tensor and its views have in common."""

    __slots__ = ("array", "version")

    def __init__(self, array: Any = None) -> None:
        self.array = array  # the JAX value of the owner; None as long as the memory is plain
        self.version = 0  # counts the writes


@dataclass(frozen=True, eq=False)
class Origin:
    """How a view was made."""

    base: Any  #: the tensor that it is a view of
    function: Any  #: the operation of ATen
    arguments: tuple[Any, ...]  #: what follows the base
    options: dict[str, Any]
    index: int | None  #: which of several results it is


class TracedTensor(torch.Tensor):
    """A tensor for the time of a trace."""

    memory: Memory
    plain: Any  #: the tensor that PyTorch computes with, valid while the memory is plain
    origin: Origin | None  #: None if it owns its memory
    present: tuple[int, Any] | None  #: version of the memory, and the JAX value read from it then

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, form: Any, memory: Memory, plain: Any = None, origin: Any = None) -> Any:
        """Make a tensor of the form of another one: its size, strides and dtype."""
        self = torch.Tensor._make_wrapper_subclass(
            cls, form.size(), strides=form.stride(), dtype=form.dtype, device="cpu"
        )
        self.memory, self.plain, self.origin, self.present = memory, plain, origin, None
        return self

    def __init__(self, *_: Any, **__: Any) -> None:
        """Do nothing: `__new__` has made all."""

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Refuse an operation outside the trace that the tensor belongs to."""
        raise RuntimeError(
            f"{func}: this uses a tensor that an earlier call under JAX left behind; expected a "
            "function of its arguments alone"
        )

    __repr__ = object.__repr__


def is_plain(tensor: TracedTensor) -> bool:
    """Tell whether a tensor depends on no traced value."""
    return tensor.memory.array is None


def constant(plain: Any, memory: Memory | None = None, origin: Origin | None = None) -> Any:
    """Return a tensor of the trace with the memory of a plain one."""
    return TracedTensor(plain, memory or Memory(), plain, origin)


def holding(array: Any, form: Any) -> Any:
    """Return a tensor that holds a JAX value."""
    return TracedTensor(form, Memory(array))


def array_of(tensor: TracedTensor) -> Any:
    """Return the JAX value that a tensor has now."""
    version = tensor.memory.version
    if tensor.present is None or tensor.present[0] != version:
        tensor.present = version, _read(tensor)
    return tensor.present[1]


def _read(tensor: TracedTensor) -> Any:
    from handgrad.program.aten.views import viewed

    if is_plain(tensor):
        # A copy, since PyTorch may write to the plain tensor later on; and no tracer, so that rules
        # can see the values of masks and indices.
        with jax.ensure_compile_time_eval():
            return jnp.asarray(np.array(to_array(tensor.plain)))
    if tensor.origin is None:
        return tensor.memory.array
    return viewed(tensor.origin, array_of(tensor.origin.base))


def write(tensor: TracedTensor, array: Any) -> None:
    """Let a tensor, all views of it and what it is a view of hold another value from now on."""
    from handgrad.program.aten.views import replaced

    if tensor.origin is None:
        tensor.memory.array = array
        tensor.memory.version += 1
    else:
        base = tensor.origin.base
        write(base, replaced(tensor.origin, array_of(base), array))
    tensor.present = tensor.memory.version, array

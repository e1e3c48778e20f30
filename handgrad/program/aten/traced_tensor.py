"""Tensors that stand for JAX values while a function is traced.

A tensor owns its memory or is a view of another one's: then it knows the operation that made it,
which is run again on what the other one holds now. What depends on no traced value is plain:
PyTorch computes with it as ever, until a traced value is written to it.
"""

from collections.abc import Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.errors import uncovered
from handgrad.program.aten.installed import no_torch_function, torch
from handgrad.program.aten.tensors import to_array
from handgrad.program.aten.views import Origin, replaced, viewed


class Memory:
    """What a tensor and its views have in common."""

    __slots__ = ("array", "has_slope", "shared", "version")

    def __init__(self, array: Any = None, has_slope: bool = False) -> None:
        self.array = array  # the JAX value of the owner; None as long as the memory is plain
        self.has_slope = has_slope  # whether something was computed outside `no_grad`
        self.version = 0  # counts the writes
        self.shared: Collection[Memory] = ()  # those that are one memory outside of the trace

    def written(self) -> None:
        """Count a write."""
        self.check_alone()
        self.version += 1

    def check_alone(self) -> None:
        """Raise an error if the trace has this memory several times, which a write must not see."""
        if len(self.shared) > 1:
            raise uncovered(
                "a write to a tensor that shares memory with another one from outside the function",
                "write to a clone",
            )


class TracedTensor(torch.Tensor):
    """A tensor for the time of a trace."""

    memory: Memory
    plain: Any  #: the tensor that PyTorch computes with, valid while the memory is plain
    origin: Origin | None  #: None if it owns its memory
    has_views: bool  #: whether another tensor was made as a view of it
    present: tuple[int, Any] | None  #: version of the memory, and the JAX value read from it then

    __torch_function__ = no_torch_function

    @staticmethod
    def __new__(cls, form: Any, memory: Memory, plain: Any = None, origin: Any = None) -> Any:
        """Make a tensor of the form of another one: its sizes, strides and dtype."""
        # Also in inference mode, in which it could not be detached.
        with torch.inference_mode(False):
            self = torch.Tensor._make_wrapper_subclass(
                cls, form.size(), strides=form.stride(), dtype=form.dtype, device="cpu"
            )
        self.memory, self.plain, self.origin, self.present = memory, plain, origin, None
        self.has_views = False
        return self

    def __init__(self, *_: Any) -> None:
        """Do nothing: `__new__` has made all."""

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Refuse an operation outside the trace that the tensor belongs to."""
        raise RuntimeError(
            f"{func}: this uses a tensor that an earlier call under JAX left behind; expected a "
            "function of its arguments alone"
        )

    __repr__ = object.__repr__

    @property
    def is_plain(self) -> bool:
        """Whether it depends on no traced value."""
        return self.memory.array is None


def constant(plain: Any) -> TracedTensor:
    """Return a tensor of the trace that has the values of a plain one, and owns them."""
    if plain._is_zerotensor():  # which has no memory
        plain = plain.clone()
    return TracedTensor(plain, Memory(), plain)


def holding(array: Any, form: Any, has_slope: bool = True) -> TracedTensor:
    """Return a tensor of some form that owns a JAX value."""
    return TracedTensor(form, Memory(array, has_slope))


def array_of(tensor: TracedTensor) -> Any:
    """Return the JAX value that a tensor has now."""
    version = tensor.memory.version
    if tensor.present is None or tensor.present[0] != version:
        tensor.present = version, _read(tensor)
    return tensor.present[1]


def _read(tensor: TracedTensor) -> Any:
    if tensor.is_plain:
        # A copy, since PyTorch may write to the plain tensor later on.
        with jax.ensure_compile_time_eval():
            return jnp.asarray(np.array(to_array(tensor.plain)))
    if tensor.origin is None:
        return tensor.memory.array
    return viewed(tensor.origin, array_of(tensor.origin.base))


def not_plain(tensor: TracedTensor) -> None:
    """Let JAX compute with a tensor from now on, and with what shares its memory."""
    while tensor.origin is not None:
        tensor = tensor.origin.base
    tensor.memory.array = array_of(tensor)


def write(tensor: TracedTensor, array: Any, has_slope: bool = True) -> None:
    """Let a tensor hold another value from now on, as what shares its memory does.

    Without a slope, it is a write under `no_grad` or to what was detached, of which PyTorch's
    gradients know nothing: they are what they would be with the old value.
    """
    origin, memory = tensor.origin, tensor.memory
    if origin is not None:
        whole = replaced(origin, array_of(origin.base), array)
        write(origin.base, whole, has_slope and not origin.stopped)
        return
    if not has_slope and memory.has_slope and jnp.issubdtype(array.dtype, jnp.inexact):
        old = array_of(tensor)
        array = lax.stop_gradient(array) + (old - lax.stop_gradient(old))
    memory.written()
    memory.array = array
    memory.has_slope |= has_slope

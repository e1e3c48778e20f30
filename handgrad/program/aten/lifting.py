"""The caller's own tensors in a trace: constants, or parameters of a module that are traced."""

from collections.abc import Callable
from typing import Any

from handgrad.program.aten.errors import uncovered
from handgrad.program.aten.installed import torch, without_torch_function
from handgrad.program.aten.traced_tensor import Memory, TracedTensor, constant


class Lifted:
    """Which tensor of the trace stands for which of the caller's; those are never written to."""

    def __init__(self) -> None:
        # With the caller's tensors, since another one may get the id of one that is gone.
        self._known: dict[int, tuple[Any, TracedTensor]] = {}
        #: By the caller's memory: the memories in the trace, several for several views of it.
        self._memories: dict[int, set[Memory]] = {}

    def stand_for(self, tensor: Any, traced: TracedTensor) -> None:
        """Let a tensor of the trace stand for one of the caller's."""
        self._known[id(tensor)] = tensor, traced
        with without_torch_function():  # where a caller may not ask for the memory
            memory = tensor.untyped_storage()._cdata
        shared = self._memories.setdefault(memory, set())
        shared.add(traced.memory)
        traced.memory.shared = shared
        if any(memory.version for memory in shared):
            traced.memory.check_alone()

    def of(self, tensor: Any) -> TracedTensor:
        """Return what stands for a tensor: the same for the same one, so that writes are seen."""
        if isinstance(tensor, TracedTensor):
            return tensor
        if id(tensor) not in self._known:
            if tensor.layout is not torch.strided or tensor.is_quantized:
                raise uncovered(f"a tensor of layout {tensor.layout}", "use a dense one")
            copied = tensor.detach().cpu().clone(memory_format=torch.preserve_format)
            self.stand_for(tensor, constant(copied))
        return self._known[id(tensor)][1]


def mapped(f: Callable[[Any], Any], x: Any) -> Any:
    """Apply a function to the tensors in nested lists, tuples and dicts."""
    if isinstance(x, torch.Tensor):
        return f(x)
    if isinstance(x, (list, tuple)):
        return type(x)(mapped(f, part) for part in x)
    if isinstance(x, dict):
        return {name: mapped(f, value) for name, value in x.items()}
    return x

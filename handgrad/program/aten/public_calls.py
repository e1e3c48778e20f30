"""Calls of PyTorch's public functions that no operation of ATen shows."""

from collections import OrderedDict
from typing import Any

import numpy as np

from handgrad.program.aten.dispatch import Dispatch
from handgrad.program.aten.errors import uncovered
from handgrad.program.aten.installed import importing, set_grad_enabled, torch, without_dispatch
from handgrad.program.aten.traced_tensor import TracedTensor, array_of

_Mode: Any = importing("torch.overrides").TorchFunctionMode
_Handle: Any = importing("torch.utils.hooks").RemovableHandle

#: Calls that leave PyTorch.
_LEAVING = {torch.Tensor.numpy, torch.Tensor.__array__, torch.Tensor.tolist}

#: Calls that compute gradients, and where they have `create_graph`.
_GRADIENTS = {torch.autograd.grad: 4, torch.autograd.backward: 3, torch.Tensor.backward: 3}

#: Calls by which other code reads the memory of a tensor: kernels in Triton, C++ or CUDA.
_READING = {
    torch.Tensor.data_ptr,
    torch.Tensor.untyped_storage,
    torch.Tensor.__dlpack__,
    torch.Tensor.__cuda_array_interface__.__get__,
}

#: Calls that have a use only where PyTorch differentiates.
_HOOKS = {
    torch.Tensor.register_hook,
    torch.Tensor.register_post_accumulate_grad_hook,
    torch.Tensor.retain_grad,
}

_GET_DATA, _SET_DATA = torch.Tensor.data.__get__, torch.Tensor.data.__set__


class PublicCalls(_Mode):
    """Follows the calls of a traced function, most of which only go on to operations."""

    def __init__(self, dispatch: Dispatch) -> None:
        super().__init__()
        self._dispatch = dispatch

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Follow a call; PyTorch calls this for each of them."""
        kwargs = kwargs or {}
        if function is set_grad_enabled:
            self._dispatch.gradients.set(args[0])
        elif function in _LEAVING:
            return _values(self._dispatch.lifted.of(args[0]), function, *args[1:], **kwargs)
        elif function in _GRADIENTS:
            graph = dict(enumerate(args)).get(_GRADIENTS[function], kwargs.get("create_graph"))
            if not graph:
                return self._dispatch.gradients.without_slopes(lambda: function(*args, **kwargs))
        elif function in _READING:
            what = "a kernel outside of PyTorch, which reads the memory of a tensor,"
            raise uncovered(what, instead="")
        elif function in _HOOKS and not args[0].requires_grad:
            return _Handle(OrderedDict())
        elif function == _GET_DATA:
            return self._dispatch.lifted.of(args[0]).detach()
        elif function == _SET_DATA:
            return self._set_data(*args)
        return function(*args, **kwargs)

    def _set_data(self, tensor: Any, value: Any) -> None:
        """Write what is assigned to `x.data`, which may not change the form of x."""
        target, value = map(self._dispatch.lifted.of, (tensor, value))
        self._dispatch.gradients.without_slopes(lambda: target.copy_(value))


def _values(tensor: TracedTensor, function: Any, *args: Any, **kwargs: Any) -> Any:
    with without_dispatch():
        if tensor.is_plain:
            return function(tensor.plain, *args, **kwargs)
        return np.asarray(array_of(tensor))  # which raises JAX's error for a traced value

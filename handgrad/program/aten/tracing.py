"""A PyTorch function as a function of JAX arrays."""

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import jax

from handgrad.data.pytrees import is_traced
from handgrad.program.aten.dispatch import Dispatch
from handgrad.program.aten.installed import TO_TORCH, torch
from handgrad.program.aten.modules import filled, with_hooks_of
from handgrad.program.aten.public_calls import PublicCalls
from handgrad.program.aten.tensors import NoTensorError, is_several, is_tensor, to_tensor
from handgrad.program.aten.traced_tensor import array_of, constant, holding


def in_jax(f: Callable[..., Any], module: Any = None) -> Callable[..., Any]:
    """Return a PyTorch function as one of pytrees in which arrays stand for tensors.

    What JAX traces is computed by JAX; what it does not, say labels and masks, by PyTorch. No
    derivative rule of an `autograd.Function` is run, but where the function itself asks for
    gradients. The settings of PyTorch, and the caller's tensors and modules, stay as they are.

    Args:
        f: takes and returns pytrees of tensors and other values.
        module: an `nn.Module` that f uses; then the first argument of what is returned is a dict of
            arrays in the place of its parameters, by name, and the others are those of f.

    Raises:
        UncoveredOperationError: f uses an operation that is not in the table.
    """

    @functools.wraps(f)
    def traced(*args: Any, **kwargs: Any) -> Any:
        with _settings():
            tensors, options = jax.tree.map(_tensor, (args, kwargs))
            dispatch = Dispatch()
            with dispatch, PublicCalls(dispatch):
                if module is None:
                    made = f(*tensors, **options)
                else:
                    made = _filled(f, dispatch, module, *tensors, **options)
            return _arrays(dispatch, made)

    return traced


@contextmanager
def _settings() -> Iterator[None]:
    """Set JAX and PyTorch for a trace, whatever the caller has set, and as they were afterwards."""
    with ExitStack() as stack:
        for context in (
            jax.enable_x64(True),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            torch.inference_mode(False),
            torch.enable_grad(),
            warnings.catch_warnings(),
        ):
            stack.enter_context(context)
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=category, module="torch")
        # Of a checkpoint: which tensors need gradients is not known here.
        warnings.filterwarnings("ignore", "None of the inputs have requires_grad")
        warnings.filterwarnings("ignore", "TF32 acceleration on top of oneDNN")
        # Its LSTM is one operation; else PyTorch computes one by operations that are covered.
        stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        yield


def _filled(
    f: Any,
    dispatch: Dispatch,
    module: Any,
    parameters: Mapping[str, Any],
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Call a function while tensors of the trace stand for a module's parameters."""
    for name, parameter in module.named_parameters():
        if name in parameters:
            # A closure may have it, too.
            dispatch.lifted.stand_for(parameter, parameters[name])
            parameters[name].requires_grad_(parameter.requires_grad)
            parameters[name]._is_param = True  # by which `isinstance` tells a Parameter
            with_hooks_of(parameter, parameters[name])
    with filled(module, parameters):
        return f(*args, **kwargs)


def _tensor(x: Any) -> Any:
    """Return the tensor that stands for an array; other values stay as they are."""
    if getattr(getattr(x, "dtype", None), "hasobject", False) or type(x).__module__.startswith(
        "flint"
    ):
        raise NoTensorError("a function in PyTorch runs on tensors of numbers, not on power series")
    if not hasattr(x, "shape") or getattr(x, "dtype", None) not in TO_TORCH:
        return x
    if not is_traced(x):
        return constant(to_tensor(x).clone())
    return holding(x, torch.empty(x.shape, dtype=TO_TORCH[x.dtype], device="meta"))


def _arrays(dispatch: Dispatch, x: Any) -> Any:
    """Return results with arrays in the place of tensors."""

    def array(x: Any) -> Any:
        if is_tensor(x):
            return array_of(dispatch.lifted.of(x))
        return tuple(map(array, x)) if is_several(x) else x

    return jax.tree.map(array, x)

"""A module of PyTorch whose parameters are tensors of a trace."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def filled(module: Any, tensors: Mapping[str, Any]) -> Iterator[None]:
    """Put tensors in the place of a module's parameters, and all as it was afterwards.

    A parameter that the module has at several places is replaced at all of them, also in lists,
    such as the weights of an LSTM. What the module's forward assigns to attributes goes, too.

    Args:
        module: an `nn.Module`.
        tensors: by names of `module.named_parameters()`; other parameters stay.
    """
    instead = {id(p): tensors[name] for name, p in module.named_parameters() if name in tensors}
    parts = list(module.modules())
    before = [dict(vars(part)) for part in parts]
    try:
        for part in parts:
            vars(part).update(
                {name: _replaced(value, instead) for name, value in vars(part).items()}
            )
        yield
    finally:
        for part, attributes in zip(parts, before, strict=True):
            vars(part).clear()
            vars(part).update(attributes)


def with_hooks_of(parameter: Any, tensor: Any) -> None:
    """Give a tensor the hooks of a parameter, which a copy of it has not.

    They change gradients: those that a backward pass computes, and `.grad` after it was filled.
    """
    for hook in (parameter._backward_hooks or {}).values():
        tensor.register_hook(hook)
    for hook in (parameter._post_accumulate_grad_hooks or {}).values():
        tensor.register_post_accumulate_grad_hook(hook)


def _replaced(x: Any, instead: dict[int, Any]) -> Any:
    """Return a copy of a container, with tensors in the place of parameters."""
    if id(x) in instead:
        return instead[id(x)]
    if type(x) in (list, tuple):
        return type(x)(_replaced(part, instead) for part in x)
    if type(x) is dict:
        return {key: _replaced(value, instead) for key, value in x.items()}
    return x

"""What `torch.autograd` makes of a function: outputs, and gradients of floating tensors."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.torch_functions.function import cast
from models.torch_functions.installed import torch


def floating(value: Any) -> bool:
    """Whether a value is a floating tensor, which has a gradient."""
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def leaf_names(function: Any, arguments: Sequence[Any]) -> tuple[str, ...]:
    """Return the names, in a class's forward pass, of the arguments that have a gradient."""
    _, *names = inspect.signature(function.forward).parameters
    return tuple(n for n, value in zip(names, arguments, strict=True) if floating(value))


def fresh(arguments: Sequence[Any]) -> tuple[Any, ...]:
    """Return copies; floating tensors ask for a gradient."""
    return tuple(a.detach().clone().requires_grad_() if floating(a) else a for a in arguments)


def widened(arguments: Sequence[Any]) -> tuple[Any, ...]:
    """Return the same values in float64."""
    return tuple(cast(value, torch.float64) for value in arguments)


def cotangent_like(output: Any) -> Any:
    """Return normal random numbers in the shape and format of an output, always the same.

    They are those that `handgrad.torch.check_function` draws by default, so that what is said of a
    gradient is said of the one that it judges.
    """
    drawn = np.random.default_rng(0).standard_normal(tuple(output.shape))
    return torch.from_numpy(np.asarray(drawn)).to(output.dtype)


def gradients(
    function: Callable[..., Any], arguments: Sequence[Any], cotangent: Any = None
) -> tuple[Any, ...]:
    """Return the gradients of all floating arguments; None counts as zeros, as in torch.

    Args:
        function: of tensors, `F.apply` for a class.
        arguments: are copied.
        cotangent: that of the output; by default random numbers.
    """
    copies = fresh(arguments)
    output = function(*copies)
    given = cotangent_like(output) if cotangent is None else cotangent.to(output.dtype)
    leaves = [value for value in copies if floating(value)]
    found = torch.autograd.grad(output, leaves, given, allow_unused=True)
    pairs = zip(found, leaves, strict=True)
    return tuple(torch.zeros_like(leaf) if grad is None else grad for grad, leaf in pairs)

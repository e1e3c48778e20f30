"""What the functions share: formats, draws, gradients by `torch.autograd`. They need torch."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from importlib import import_module
from typing import Any

import numpy as np

from models.edits import edited
from models.model import OF_TORCH, Draw, Model, Rows, Slip, of_derivative

#: Typed as `Any`, as it need not be installed.
torch: Any = import_module("torch")


def point(of: Model, rng: np.random.Generator, draw: str, dtype: str) -> tuple[Any, ...]:
    """Draw arguments with their floating tensors rounded to a format."""
    return tuple(cast(value, getattr(torch, dtype)) for value in of.draws[draw](rng))


def cast(value: Any, dtype: Any) -> Any:
    """Return a floating tensor in another format, and anything else as it is."""
    return value.to(dtype) if floating(value) else value


def wide(x: Any) -> Any:
    """Return what a kernel computes with: float32 for a half-precision tensor."""
    return x.float() if getattr(x, "dtype", None) in (torch.float16, torch.bfloat16) else x


def kernel(forward: Any, backward: Any, form: Callable[[Any], Any] = wide) -> Any:
    """Make the `torch.autograd.Function` of two passes.

    Its result has the format of the first argument, and each gradient that of its own argument.

    Args:
        forward: forward(*arguments) returns the result and a tuple of what it keeps.
        backward: backward(dy, *kept, *arguments) returns the gradients of floating arguments.
        form: what the passes compute with in place of a tensor.
    """

    @wraps(forward)
    def run(ctx: Any, *arguments: Any) -> Any:
        found, kept = forward(*map(form, arguments))
        result = found.to(arguments[0].dtype)
        # What is kept of the result is the result in its format.
        ctx.save_for_backward(*(result if each is found else each for each in kept))
        ctx.arguments = arguments
        return result

    def undo(ctx: Any, dy: Any) -> Any:
        grads = iter(backward(*map(form, (dy, *ctx.saved_tensors, *ctx.arguments))))
        return tuple(next(grads).to(a.dtype) if floating(a) else None for a in ctx.arguments)

    # The names of the arguments are read from here.
    takes = inspect.signature(forward).parameters.values()
    ctx = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    vars(run)["__signature__"] = inspect.Signature([ctx, *takes])
    methods = {"forward": staticmethod(run), "backward": staticmethod(undo)}
    passes = {"passes": (forward, backward)}
    return type(forward.__name__, (torch.autograd.Function,), methods | passes)


def of_torch(
    name: str, forward: Any, backward: Any, reference: Any, draws: Mapping[str, Draw], *rows: Rows
) -> Model:
    """Make the model of a kernel; its rows are edits of the backward pass.

    The reference is the same in torch's own operations.
    """
    of = of_derivative(name, OF_TORCH, reference, kernel(forward, backward), draws, *rows)
    for slip in (*of.mistakes.values(), *of.rewrites.values()):
        slip.make = slip.make or partial(_planted, slip.edits)
    return of


def _planted(edits: Sequence[Any], by_hand: Any) -> Any:
    forward, backward = by_hand.passes
    return kernel(forward, edited(backward, *edits))


def in_its_format(what: str, operations: str = "every operation") -> Slip:
    """Return the rewrite in which every operation is in the format of an argument."""
    says = f"{operations} in the format of {what}"
    return Slip(says, make=lambda by_hand: kernel(*by_hand.passes, form=lambda x: x))


def normal(rng: np.random.Generator, *shape: int) -> Any:
    """Draw standard normal numbers."""
    return torch.from_numpy(rng.normal(size=shape))


def whole(rng: np.random.Generator, high: int, *shape: int) -> Any:
    """Draw integers below `high`."""
    return torch.from_numpy(rng.integers(0, high, size=shape))


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

    `handgrad.torch.check_function` draws the same by default, and so judges the gradient that is
    described here.
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

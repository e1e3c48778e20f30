"""Checks of what is written for PyTorch: derivative rules of `torch.autograd.Function`.

Needs the extra: `pip install 'handgrad[torch]'`. `handgrad.check_gradient`, `check_backward` and
`check_steps` take tensors, modules and functions of PyTorch as well.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

try:
    import torch
except ImportError:
    raise ImportError(
        "handgrad.torch needs PyTorch, which is not installed: pip install 'handgrad[torch]'"
    ) from None

from handgrad.check import report_on, report_on_function, require, with_arguments_of
from handgrad.data.calls import call_line
from handgrad.data.point import Point
from handgrad.judging.case import Case
from handgrad.judging.torch_arguments import Arguments
from handgrad.judging.torch_functions import (
    HELP,
    Subject,
    Truth,
    cotangents_of,
    function_case,
    points_of_function,
    subject_of,
)
from handgrad.judging.torch_references import referenced, truth_of
from handgrad.judging.torch_variations import variations
from handgrad.judging.trial import check_seconds
from handgrad.report import GradientReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

__all__ = ["assert_function", "check_function", "gradcheck"]


def check_function(
    F: Any,  # noqa: N803 (what PyTorch's own documentation calls it)
    *args: Any,
    reference: Callable[..., Any] | None = None,
    wrt: str | int | Sequence[str | int] | None = None,
    cotangent: Any = None,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    referee: str = "auto",
    strict: bool = False,
    seconds: float = 20.0,
) -> GradientReport:
    """Rule on the backward pass of a `torch.autograd.Function`.

    "Yours" is what `torch.autograd.grad` makes of Σ c·output for a random cotangent c; the exact
    gradient is that of what forward computes, of which no derivative rule is used. A tensor whose
    gradient is None has the gradient 0, as in PyTorch. If that is right, the backward pass is also
    run as PyTorch may run it: with one output used and the others not, with one argument that
    requires grad and the others not, for cotangents that are not contiguous or expanded, and twice.

    Args:
        F: the class, or its `apply`; or any function or module of PyTorch around it.
        args: where to judge it, in any nesting. All tensors of floats are judged, whether they
            require grad or not; other arguments are passed on.
        reference: a function of the same arguments in PyTorch, JAX or NumPy that computes the same
            as forward, where that cannot be traced (a kernel). Then the values of forward are held
            to it first.
        wrt: the arguments to judge, by name or position, if not all.
        cotangent: shaped like the output, one for each if there are several; random by default.
        points, seed, referee, strict, seconds: as for `handgrad.check_gradient`; the points vary
            the tensors that are judged, and each of a list is a tuple of arguments.

    Returns:
        The report; leaves are called by the names of forward's arguments.

    Raises:
        TypeError: no argument is a tensor of floats, no output requires grad, or forward cannot be
            traced and there is no reference.
        NotImplementedError: forward uses an operation that is not covered, without a reference.
        ValueError: `wrt` names no tensor.
        CheckInterrupted: as `handgrad.check_gradient`.
        Exception: whatever F raises.

    Example:
        >>> import torch
        >>> class Square(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def backward(ctx, dy):
        ...         (x,) = ctx.saved_tensors
        ...         return dy * x
        >>> check_function(Square, torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)).headline
        'disagree: x: 3 of 3 elements, ...'
    """
    check_seconds(seconds)
    subject = subject_of(F, args, wrt)
    reproduce = call_line(
        check_function,
        {"F": F},
        subject.arguments.of_all,
        reference=reference,
        wrt=wrt,
        cotangent=cotangent,
        points=points,
        seed=seed,
        referee=referee,
        strict=strict,
        seconds=seconds,
    )
    cotangents = cotangents_of(subject, cotangent, seed)
    truth = subject.forward if reference is None else truth_of(subject, reference)
    case, given = function_case(subject, cotangents, truth, seed, referee)
    points = points_of_function(points, subject, given)
    options = strict, reproduce, seconds
    if reference is None:
        with _advised():
            report = report_on(case, given, points, *options)
    else:
        report = report_on_function(referenced(subject, truth), case, given, points, *options)
    if not report:
        return report
    for other in variations(subject, cotangents):
        case, given = function_case(other.subject, other.cotangents, truth, seed, referee)
        varied = report_on(case, given, 0, *options)
        if not varied:
            return varied
    return report


@contextmanager
def _advised() -> Iterator[None]:
    """Name the reference as a way out where forward cannot be traced."""
    try:
        yield
    except TypeError as error:
        if not str(error).startswith("forward: ") or "reference=" in str(error):
            raise
        raise TypeError(f"{error}; or {HELP}") from error


@with_arguments_of(check_function)
def assert_function(*args: Any, **options: Any) -> None:
    """Raise unless `check_function` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch: as `handgrad.assert_gradient`.
        Exception: as `check_function`.

    Example:
        >>> import torch
        >>> class Square(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def backward(ctx, dy):
        ...         (x,) = ctx.saved_tensors
        ...         return 2 * dy * x
        >>> assert_function(Square, torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64))
    """
    require(check_function(*args, **options))

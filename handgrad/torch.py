"""Checks of what is written for PyTorch: derivative rules of `torch.autograd.Function`.

Needs the extra: `pip install 'handgrad[torch]'`. `handgrad.check_gradient`, `check_backward` and
`check_steps` take tensors, modules and functions of PyTorch as well.
"""

from collections.abc import Callable, Sequence
from typing import Any

try:
    from handgrad.program.aten.installed import torch
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ImportError(
        "handgrad.torch needs PyTorch, which is not installed: pip install 'handgrad[torch]'",
        name="torch",
    ) from None

from handgrad.check import asserting, require
from handgrad.data.advised import AdvisedError
from handgrad.data.calls import call_line
from handgrad.judging.options import DEFAULT, How, options_and_how
from handgrad.judging.pytorch.arguments import naming_options
from handgrad.judging.pytorch.random import drawn_numbers_kept
from handgrad.judging.pytorch.subjects import HELP, Subject, subject_of
from handgrad.report import GradientReport
from handgrad.torch_reports import report_once, report_twice

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

__all__ = ["assert_function", "check_function", "gradcheck"]


@naming_options
def check_function(
    F: Any,  # noqa: N803 (what PyTorch's own documentation calls it)
    *args: Any,
    reference: Callable[..., Any] | None = None,
    wrt: str | int | Sequence[str | int] | None = None,
    cotangent: Any = None,
    order: int = 1,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    referee: str = "auto",
    strict: bool = False,
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
    domain: Any = None,
) -> GradientReport:
    """Rule on the backward pass of a `torch.autograd.Function`.

    "Yours" is what `torch.autograd.grad` makes of Σ c·output for a random cotangent c; the exact
    gradient is that of what forward computes, of which no derivative rule is used. A tensor whose
    gradient is None has the gradient 0, as in PyTorch. If that is right, the backward pass is also
    run as PyTorch may run it: with one output used and the others not, with one argument that
    requires grad and the others not, for cotangents that are not contiguous or expanded, and twice:
    at the given point only, and as far as there is time; a warning says what was left out.

    Args:
        F: the class, or its `apply`; or any function or module of PyTorch around it.
        args: where to judge it, in any nesting. All tensors of floats are judged, whether they
            require grad or not; complex ones as two leaves, `z.real` and `z.imag`, in PyTorch's
            convention. Other arguments are passed on.
        reference: a function of the same arguments in PyTorch, JAX or NumPy that computes the same
            as forward, where that cannot be traced (a kernel). Then the values of forward are held
            to it first.
        wrt: the arguments to judge, by name or position, if not all.
        cotangent: shaped like the output, one for each if there are several; random by default.
        order: 2 judges double backward as well, as `handgrad.check_custom` does: the derivative of
            the backward pass, held to the second derivative of what forward computes.
        points, seed, referee, strict, seconds, computed_in: as for `handgrad.check_gradient`; the
            points vary the tensors that are judged, and each of a list is a tuple of arguments.
        domain: as for `handgrad.check_gradient`: one for all tensors that are judged, or a list
            with one for each.

    Returns:
        The report; leaves are called by the names of forward's arguments.

    Raises:
        TypeError: no argument is a tensor of real or complex floats, no output requires grad, or
            forward cannot be traced and there is no reference; or the backward pass cannot be
            differentiated (`once_differentiable`), or tensors are complex, for `order=2`.
        NotImplementedError: forward uses an operation that is not covered, without a reference.
        ValueError: `wrt` names no tensor, or `order` is not 1 or 2, or 2 where `domain` has
            directions that leave it.
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
    subject = _subject(F, args, wrt)
    options, how = options_and_how(check_function, ("F",), subject.arguments.of_all, locals())
    with drawn_numbers_kept():
        judged = report_once if order == 1 else report_twice
        return judged(subject, reference, cotangent, options, how)


def _subject(f: Any, args: tuple[Any, ...], *options: Any, **more: Any) -> Subject:
    """Take a call apart; what it draws is drawn as if it was not made."""
    with drawn_numbers_kept():
        return subject_of(f, args, *options, **more)


@asserting(check_function)
def assert_function() -> None:
    """Raise unless `check_function` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_function`.
    """


def gradcheck(
    fn: Callable[..., Any] | None = None,
    inputs: Any = (),
    *,
    func: Callable[..., Any] | None = None,
    eps: float | None = None,  # noqa: ARG001 (torch's, ignored)
    atol: float | None = None,  # noqa: ARG001 (torch's, ignored)
    rtol: float | None = None,  # noqa: ARG001 (torch's, ignored)
    raise_exception: bool = True,
    nondet_tol: float = 0.0,  # noqa: ARG001 (torch's, ignored)
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,  # noqa: ARG001 (torch's, ignored)
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,  # noqa: ARG001 (torch's, ignored)
    masked: bool | None = None,
) -> bool:
    """Rule on a backward pass by the call of `torch.autograd.gradcheck`, in its place.

    Args:
        fn: a function of tensors; what its outputs are is traced.
        func: the same, as newer versions of PyTorch call it.
        inputs: a tensor or a tuple of arguments; those that require grad are judged.
        eps, atol, rtol: ignored, since nothing is differenced, and the tolerance is derived.
        raise_exception: whether to raise rather than return False.
        nondet_tol: ignored; calls may differ by as much as rounding costs, which is derived.
        check_undefined_grad: whether cotangents may be undefined, as `check_function` tries.
        check_grad_dtypes: ignored; a gradient of another dtype is always reported.
        fast_mode: ignored; every element is judged.
        check_batched_grad, check_batched_forward_grad, check_forward_ad, masked: refused if true,
            and check_backward_ad if false, since nothing but the backward pass is judged.

    Returns:
        Whether it passes, as `handgrad.check_gradient` does; digits lost to rounding pass.

    Raises:
        GradientMismatch: it does not; has the report.
        ValueError: an option asks for something else than the backward pass.
        TypeError: no input requires grad, or as `check_function`.

    Example:
        >>> import torch
        >>> x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
        >>> gradcheck(torch.sin, (x,))
        True
    """
    refused = {
        "check_batched_grad": check_batched_grad,
        "check_batched_forward_grad": check_batched_forward_grad,
        "check_forward_ad": check_forward_ad,
        "masked": masked,
    }
    for name in (name for name, value in refused.items() if value):
        raise ValueError(f"{name}: got True, expected False: only the backward pass is judged")
    if not check_backward_ad:
        raise ValueError("check_backward_ad: got False, expected True: nothing else is judged")
    function = fn if func is None else func
    args = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
    subject = _subject(function, args, requiring_grad=True)
    reproduce = call_line(
        gradcheck,
        {"fn": function},
        ("inputs",),
        {"check_undefined_grad": check_undefined_grad},
    )
    how = How(8, reproduce=reproduce)
    try:
        with drawn_numbers_kept():
            report = report_once(subject, None, None, DEFAULT, how, check_undefined_grad)
    except AdvisedError as error:
        error.replace(HELP, f"call handgrad.torch.check_function, and {HELP}")
        raise
    if raise_exception:
        require(report)
    return bool(report)

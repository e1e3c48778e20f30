"""Functions of further arguments that are complex, as functions of their real and imaginary parts.

The caller's functions get complex arrays; all else sees pairs of real ones.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from handgrad.data.complex_pairs import holds_complex, in_pairs, joined, written_back
from handgrad.judging.pytorch.cases import holds_torch
from handgrad.judging.vectors.functions import OWN

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


class Call(NamedTuple):
    """The derivative, the function, and the arguments of a check."""

    derivative: Callable[..., Any]
    function: Callable[..., Any]
    at: tuple[Any, ...]
    points: Any


def in_parts(
    derivative: Callable[..., Any], function: Callable[..., Any], at: tuple[Any, ...], points: Any
) -> Call:
    """Return a call with pairs in place of complex arrays; unchanged if there are none."""
    if not holds_complex(at):
        return Call(derivative, function, at, points)
    if isinstance(points, list | tuple):
        points = [in_pairs(p) if isinstance(p, list | tuple) else p for p in points]
    return Call(_of_parts(derivative), _of_parts(function), in_pairs(at), points)


def _of_parts(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of pairs, which are joined to complex arrays for the caller's."""
    if not callable(function):
        return function  # which is said elsewhere

    @wraps(function, assigned=OWN)
    def of_parts(*args: Any) -> Any:
        whole = joined(args)
        with written_back(args, whole):
            return function(*whole)

    return of_parts


def check_real_arrays(x: Any, name: str) -> None:
    """Raise TypeError if a derivative that is no gradient is by complex numbers, or by tensors."""
    if holds_torch(x):
        what = "expected arrays; check_gradient and handgrad.torch.check_function take tensors"
        raise TypeError(f"{name}: got a tensor of PyTorch, {what}")
    if holds_complex(x):
        raise TypeError(f"{name}: got complex numbers, expected their real and imaginary parts")

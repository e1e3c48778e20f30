"""The reports of the checks of Jacobians, of Hessians, and of their products with vectors."""

from collections.abc import Callable
from typing import Any

from handgrad.check import report_on
from handgrad.data.complex_pairs import holds_complex
from handgrad.data.names import Names, argument_names
from handgrad.data.point import point_at
from handgrad.data.pytrees import random_cotangent
from handgrad.judging.case import Wording
from handgrad.judging.options import How, Options
from handgrad.judging.pytorch.cases import holds_torch
from handgrad.judging.vectors.cases import (
    OF_HESSIAN,
    OF_JACOBIAN,
    OF_PRODUCT,
    matrix_case,
    product_case,
    without_elements,
)
from handgrad.judging.vectors.functions import as_array
from handgrad.report import GradientReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: What messages call things, by the kind of derivative.
WORDING = {"jacobian": OF_JACOBIAN, "hessian": OF_HESSIAN, "hvp": OF_PRODUCT}


def report_on_derivative(
    kind: str,
    derivative: Callable[..., Any],
    function: Callable[..., Any],
    x: Any,
    args: tuple[Any, ...],
    wording: Wording,
    options: Options,
    how: How,
    v: Any = None,
) -> GradientReport:
    """Judge a derivative of a kind of `WORDING`, as its check does; raises as that.

    The vector of a product is v, or random.
    """
    names = names_in(function, args)
    _check_real_arrays(x, names.params)
    _check_real_arrays(v, "v")
    given, of = point_at(as_array(x), args, names), (derivative, function)
    if kind == "jacobian":
        empty = without_elements(*of, given, how.reproduce, how.strict)
        if empty is not None:
            return GradientReport.of(empty)
    if kind == "hvp":
        drawn = given.moved(random_cotangent(given.leaves, options.seed)).params
        v = drawn if v is None else as_array(v)
        case, at = product_case(*of, given, v, wording, options)
    else:
        case, at = matrix_case(*of, given, wording, options, 1 + (kind == "hessian"))
    return report_on(case, at, how.at(_as_starts(how.points, 1 + (kind == "hvp"))))


def _check_real_arrays(x: Any, name: str) -> None:
    """Raise TypeError if a derivative that is no gradient is by complex numbers, or by tensors."""
    if holds_torch(x):
        what = "expected arrays; check_gradient and handgrad.torch.check_function take tensors"
        raise TypeError(f"{name}: got a tensor of PyTorch, {what}")
    if holds_complex(x):
        raise TypeError(f"{name}: got complex numbers, expected their real and imaginary parts")


def names_in(function: Any, args: tuple[Any, ...]) -> Names:
    """Return what messages call the arguments (x, *args) of a function."""
    general = ("x", *(f"args[{i}]" for i in range(len(args))))
    name, *others = argument_names(function, 1 + len(args), general)
    return Names(name, tuple(others))


def _as_starts(points: Any, count: int) -> Any:
    """Return listed points (x, *args) with arrays for lists among their first `count`."""
    if not isinstance(points, list | tuple):
        return points
    return [
        (*map(as_array, p[:count]), *p[count:]) if isinstance(p, list | tuple) else p
        for p in points
    ]

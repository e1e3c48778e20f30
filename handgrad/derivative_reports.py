"""The reports of the checks of Jacobians, of Hessians, and of their products with vectors."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from handgrad.check import report_on
from handgrad.data.names import Names, argument_names
from handgrad.data.point import Point, point_at
from handgrad.judging.case import Case, Wording
from handgrad.judging.complex_arguments import check_real_arrays, in_parts
from handgrad.judging.options import Options
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


class Settings(NamedTuple):
    """How a derivative is judged, and what messages call things."""

    points: int | Sequence[Any]
    strict: bool
    reproduce: str
    seconds: float
    wording: Wording
    options: Options

    def report(self, case: Case, at: Point) -> GradientReport:
        """Judge a case; raises as `report_on`."""
        return report_on(case, at, self.points, self.strict, self.reproduce, self.seconds)


def report_on_matrix(
    derivative: Callable[..., Any],
    function: Callable[..., Any],
    x: Any,
    args: tuple[Any, ...],
    settings: Settings,
    order: int = 1,
) -> GradientReport:
    """Judge a matrix, as `check_jacobian` or at order 2 `check_hessian` does; raises as that."""
    names = names_in(function, args)
    check_real_arrays(x, names.params)
    at, points = (as_array(x), *args), _as_starts(settings.points)
    derivative, function, (x, *others), points = in_parts(derivative, function, at, points)
    both, given = (derivative, function), point_at(x, others, names)
    if order == 1:
        empty = without_elements(*both, given, settings.reproduce, settings.strict)
        if empty is not None:
            return GradientReport.of(empty)
    case, at = matrix_case(*both, given, settings.wording, settings.options, order)
    return settings._replace(points=points).report(case, at)


def report_on_hvp(
    hessp: Callable[..., Any],
    loss: Callable[..., Any],
    x: Any,
    args: tuple[Any, ...],
    settings: Settings,
    v: Any = None,
) -> GradientReport:
    """Judge a product of a Hessian with v, as `check_hvp` does; raises as that."""
    names = names_in(loss, args)
    check_real_arrays(x, names.params)
    check_real_arrays(v, "v")
    along = () if v is None else (as_array(v),)
    at, points = (as_array(x), *along, *args), _as_starts(settings.points, 2)
    hessp, loss, (x, *others), points = in_parts(hessp, loss, at, points)
    given = point_at(x, others[len(along) :], names)
    v = others[0] if along else _like(given, settings.options.seed)
    case, at = product_case(hessp, loss, given, v, settings.wording, settings.options)
    return settings._replace(points=points).report(case, at)


#: What judges each kind of derivative, and what its messages call things.
BY_KIND = {
    "jacobian": (report_on_matrix, OF_JACOBIAN),
    "hessian": (partial(report_on_matrix, order=2), OF_HESSIAN),
    "hvp": (report_on_hvp, OF_PRODUCT),
}


def names_in(function: Any, args: tuple[Any, ...]) -> Names:
    """Return what messages call the arguments (x, *args) of a function."""
    general = ("x", *(f"args[{i}]" for i in range(len(args))))
    name, *others = argument_names(function, 1 + len(args), general)
    return Names(name, tuple(others))


def _as_starts(points: Any, count: int = 1) -> Any:
    """Return listed points (x, *args) with arrays for lists among their first `count`."""
    if not isinstance(points, list | tuple):
        return points
    return [
        (*map(as_array, p[:count]), *p[count:]) if isinstance(p, list | tuple) else p
        for p in points
    ]


def _like(given: Point, seed: int) -> Any:
    """Draw a vector shaped and typed like the parameters."""
    rng = np.random.default_rng(seed)
    drawn = [rng.standard_normal(leaf.shape).astype(leaf.dtype) for leaf in given.leaves]
    return given.moved(drawn).params

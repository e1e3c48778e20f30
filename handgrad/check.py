"""The public checks of a whole gradient: `check_gradient` and `assert_gradient`."""

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import update_wrapper
from inspect import signature
from typing import Any, ParamSpec

from handgrad.clock import Clock
from handgrad.comparison import ComparisonReport
from handgrad.data.names import Names
from handgrad.data.point import Point, point_at
from handgrad.judging.case import Case
from handgrad.judging.complex_cases import in_real_arrays
from handgrad.judging.domains import in_domains
from handgrad.judging.forward_values import Referenced, values_case
from handgrad.judging.losses import prepare
from handgrad.judging.options import How, options_and_how
from handgrad.judging.pytorch.random import drawn_numbers_kept
from handgrad.judging.random_slopes import directional_case
from handgrad.judging.trial import Interrupted, judge
from handgrad.report import GradientReport, StepsReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


_Arguments = ParamSpec("_Arguments")

Report = GradientReport | StepsReport | ComparisonReport

#: The part of the time that judging the values of a function may take before its derivative, which
#: costs a few times as much.
FOR_VALUES = 1 / 4


class GradientMismatch(AssertionError):  # noqa: N818 (the name is part of the public interface)
    """A gradient does not pass; the message is the report."""

    #: A `StepsReport` if `assert_steps` raised it, a `ComparisonReport` if `assert_gradients` did.
    report: Report

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        # Rendered only when shown: a search for a failing example raises hundreds of these.
        return str(self.report)


class CheckInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a check; the message is its `report`, on the points that were judged."""

    #: A `GradientReport`, of `check_steps` a `StepsReport`, of `compare_gradients` a
    #: `ComparisonReport`. Typed as Any, since the caller knows.
    report: Any

    def __init__(self, report: Any) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)


def check_gradient(
    gradient: Callable[..., Any],
    loss: Callable[..., Any],
    params: Any,
    *inputs: Any,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    referee: str = "auto",
    has_value: bool = False,
    strict: bool = False,
    trust_rules: Collection[Any] = (),
    seconds: float = 20.0,
    directions: int | None = None,
    computed_in: str | tuple[str, str] | None = None,
    convention: str | None = None,
    domain: Any = None,
) -> GradientReport:
    """Rule on a hand-written gradient by a certified reference.

    Args:
        gradient: `gradient(params, *inputs)`, a pytree shaped and typed like `params`; with
            `has_value`, `(loss, grads)`. Written with NumPy, JAX, or anything else. In PyTorch, of
            an `nn.Module` also a dict by names, or a list, of the parameters that require grad; or
            None, after a `.backward()` that has filled their `.grad`.
        loss: `loss(params, *inputs)`, a real scalar; traced by JAX, as one in PyTorch is, too, or
            else run by NumPy on power series. One that can only be called (compiled code, a solver,
            a callback) is judged by differences, which certify nothing, and the report says so.
            While an `nn.Module` is traced, its parameters are others: no other thread may use it
            during a check.
        params: any pytree of arrays in float64, float32, bfloat16, float16 or a float8 format of
            ml_dtypes; each leaf is judged at its own precision. Complex ones are judged as two
            leaves, `.real` and `.imag`. Or a pytree of tensors, or an
            `nn.Module`; the functions get fresh tensors, and fresh copies of the module.
        inputs: the further arguments of both: arrays, pytrees, settings.
        points: how many points to judge at besides the given one, with other parameters and the
            same inputs; or a list of points, each (params, *inputs). With 0, too, the loss itself
            is called at two others, to see that what is judged is the same function.
        seed: of the random points, and of the draws behind the tolerances.
        referee: "series" certifies every element by power series, however many there are, and
            refuses a loss that can only be called;
            "program" runs JAX's gradient program and verifies it by series in random directions;
            "auto" chooses.
        has_value: whether the gradient returns the loss as well, which is then judged too.
        strict: whether `imprecise` is a failure; see `GradientReport.passes`.
        trust_rules: custom derivative rules that are meant to differ from the derivative of their
            functions (a straight-through estimator, say): functions, or their names.
        seconds: how long the check may take, of this process's processor time: it is kept within a
            tenth, but for what compiled code and JAX's compiler take in one call; loops that do not
            end are cut short. With less than it takes, fewer points are judged, or only some
            elements of a large gradient; the report says which. Reading the report takes up to a
            quarter as long again.
        directions: instead of every element, judge the slopes along so many random directions, up
            to 24: a quick look at a large gradient. The report states with which probability an
            error in one element goes unseen. It does not say where a mistake is, nor of which kind,
            and does not judge autodiff. Not for short formats nor with `computed_in`, whose
            rounding hides an element's error along a direction.
        computed_in: what a kernel computes in behind its arrays: "bfloat16", or ("bfloat16",
            "float32") for values between its operations and its sums, or "tf32" for products of
            matrices. What rounding in it explains is right. By default numbers count as rounded in
            the formats that JAX's program of the gradient shows.
        convention: how the gradient by a complex z = x + iy is written: "jax", as ∂L/∂x - i ∂L/∂y,
            or "torch", as ∂L/∂x + i ∂L/∂y, the conjugate. By default that of PyTorch where the
            arguments hold its tensors, else that of JAX.
        domain: a set that parameters stay in: "positive", ("interval", low, high), whose ends are
            numbers or arrays of a leaf's shape, "simplex" and "unit sphere" (along the last axis),
            "symmetric", "positive definite", "lower triangular", "orthogonal" (the last two axes),
            or a boolean array, of a leaf's shape, that is True where elements vary; None for any
            numbers. One for all parameters, or a pytree of these that is a prefix of theirs.
            Points are drawn in it, and of a gradient
            its projection on the tangent space is judged. Of a complex array only a boolean array
            or None, for both parts.

    Returns:
        The report. `imprecise` means a right formula that has lost digits. While it is made, a line
        on a terminal says how far it is, from the third second on.

    Raises:
        TypeError: a leaf of `params` holds no floats, or the loss is not a real scalar.
        ValueError: `params` is empty or not finite, or a point is not in its domain, or an option
            has no such value.
        CheckInterrupted: Ctrl-C, after the first point; has the report on what was judged.
        Exception: whatever `gradient` or `loss` raise at the given point.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> def loss(w, x, y): return jnp.mean((x @ w - y) ** 2)
        >>> def gradient(w, x, y): return 2 * x.T @ (x @ w - y) / len(y)
        >>> x, y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]), np.array([1.0, 0.0, 2.0])
        >>> check_gradient(gradient, loss, np.array([0.3, -0.7]), x, y).verdict
        'agree'
    """
    names = Names.of(loss, 1 + len(inputs)).of_all(len(inputs))
    options, how = options_and_how(check_gradient, ("gradient", "loss"), names, locals())
    case = Case(gradient, loss, **options.handed_on())
    with drawn_numbers_kept():
        return report_on_gradient(case, (params, *inputs), how, directions)


def report_on_gradient(
    case: Case, at: tuple[Any, ...], how: How, directions: int | None = None
) -> GradientReport:
    """Judge a whole gradient at (params, *inputs), as `check_gradient` does; raises as that."""
    case, at, names, points = in_real_arrays(case, at, how.points)
    given = point_at(at[0], at[1:], names)
    if directions is not None:
        case, given = directional_case(case, given, directions)
    return report_on(case, given, how.at(points))


def report_on(case: Case, given: Point, how: How) -> GradientReport:
    """Judge a case; see `handgrad.judging.trial.judge`.

    Raises:
        CheckInterrupted: Ctrl-C was pressed after some points were judged.
    """
    try:
        return GradientReport.of(judge(case, given, how))
    except Interrupted as interrupt:
        raise CheckInterrupted(GradientReport.of(interrupt.judgement)) from None


def report_on_function(pair: Referenced, case: Case, given: Point, how: How) -> GradientReport:
    """Judge the derivative of a function by a reference, and before it the function's values.

    Args:
        pair: the function and its reference.
        case, given: of the derivative, at the float arrays among the arguments in a list.
        how: as for `report_on`.

    Returns:
        The report on the values if these are wrong, or else that on the derivative.

    Raises:
        CheckInterrupted: as `report_on`, while the derivative was judged.
    """
    clock = Clock(how.seconds)
    wrong, warnings = wrong_values(pair, case, given, how.within(how.seconds * FOR_VALUES))
    if wrong is not None:
        return wrong
    report = report_on(case, given, how.within(max(clock.left, how.seconds / 2)))
    return replace(report, warnings=(*warnings, *report.warnings))


def wrong_values(
    pair: Referenced, case: Case, given: Point, how: How
) -> tuple[GradientReport | None, list[str]]:
    """Judge the values of a function by a reference; return the report if they are wrong.

    The arguments are those of `report_on_function`. The warnings say what is not known of values
    that are not wrong.
    """
    case = in_domains(case, given)
    values, at = values_case(pair, given, case)
    try:
        made = judge(values, at, how)
    except Interrupted:
        raise KeyboardInterrupt("before a derivative was judged") from None
    except TypeError:
        prepare(case, given)  # says more of a reference that cannot be run
        raise
    if made.verdict == "disagree" or (made.verdict == "imprecise" and how.strict):
        return GradientReport.of(made), []
    agree = made.verdict == "agree"
    return None, [] if agree else [f"the values of {pair.name}: {made.headline}"]


def require(report: Report) -> None:
    """Raise `GradientMismatch` unless a report passes; warn if it does by some elements alone.

    A test that passes shows no report, in which that would stand.
    """
    if not report:
        raise GradientMismatch(report)
    for each in report.reports if not isinstance(report, GradientReport) else (report,):
        if each.trial is not None and not each.trial.outcomes[each.trial.deciding].whole:
            # At the line that called the assertion.
            warnings.warn(f"{each.headline}; seconds= gives the others time", stacklevel=3)


def asserting(
    check: Callable[_Arguments, Any],
) -> Callable[[Callable[[], None]], Callable[_Arguments, None]]:
    """Make the assertion of a check, with its arguments; what is decorated has name and words."""

    def made(named: Callable[[], None]) -> Callable[_Arguments, None]:
        def assertion(*args: _Arguments.args, **options: _Arguments.kwargs) -> None:
            require(check(*args, **options))

        update_wrapper(assertion, named)
        # By `__wrapped__` nobody would see the arguments.
        del vars(assertion)["__wrapped__"]
        vars(assertion)["__signature__"] = signature(check).replace(return_annotation=None)
        return assertion

    return made


@asserting(check_gradient)
def assert_gradient() -> None:
    """Raise unless `check_gradient` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch: it does not pass; the message is the report.
        Exception: as `check_gradient`.

    Warns:
        UserWarning: it passes, but there was no time to judge every element.
    """

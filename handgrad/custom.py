"""The public check of a custom derivative rule of JAX, or of a kernel's: both modes, two orders."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from handgrad.check import asserting, report_on, report_on_function, wrong_values
from handgrad.clock import Clock
from handgrad.data.names import argument_names, numbered
from handgrad.data.point import Point
from handgrad.judging.case import Case
from handgrad.judging.custom_cases import CustomFunction, custom_function
from handgrad.judging.custom_modes import (
    MOST_ELEMENTS,
    chosen_modes,
    elements_case,
    results_beside,
    tangents_case,
)
from handgrad.judging.domains import check_all_directions
from handgrad.judging.linearity import seems_linear
from handgrad.judging.options import How, options_and_how
from handgrad.judging.part_cases import points_of_part
from handgrad.judging.pytorch.random import keeping_drawn_numbers
from handgrad.judging.rule_slopes import with_second_order
from handgrad.judging.second_order import SecondOrder
from handgrad.judging.untraceable import calling
from handgrad.report import GradientReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: How many drawn points there are for what is judged after the usual derivative: one rule has both.
FEW = 2


@keeping_drawn_numbers
def check_custom(
    f: Callable[..., Any],
    *args: Any,
    reference: Callable[..., Any] | None = None,
    modes: Sequence[str] | None = None,
    order: int = 1,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    referee: str = "auto",
    strict: bool = False,
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
    domain: Any = None,
) -> GradientReport:
    """Rule on the derivative rule of a `jax.custom_vjp` or `jax.custom_jvp` function.

    "Yours" is `jax.grad` of Σ c·f with the rule, for a random cotangent c; "autodiff" is `jax.grad`
    of the same function without the rule, or `jax.jacfwd` where it has a `while` loop, or NaN where
    JAX can do neither; the reference is the function's own derivative. What the rule returns in
    place of what f computes is judged as well, where the two are not alike but for roundings.

    What a kernel computes (Pallas, Triton, CUDA, a callback) cannot be looked into. Then give a
    `reference`: "autodiff" is its `jax.grad`, and its own derivative is the right one. First every
    element of the values of f is held to those of the reference; where one is wrong, the report is
    on the values, with the finding `loss-value`, and the rule is not judged.

    In forward mode `jax.jvp` is judged along random tangents, and by every element (of at most 256)
    where these are wrong or JAX cannot transpose the rule. At second order the gradient of <v, ∇L>
    by the rule is judged, for L = Σ c·f + ½·Σ d·f² and random v, d; the right one is certified for
    the function without its rule, by power series whose numbers are series again.

    Args:
        f: the decorated function; its result is any pytree of arrays. With a reference, any
            function that JAX can differentiate.
        args: where to judge it; arrays, or pytrees of arrays, at least one of floats. A rule of
            complex numbers is judged in JAX's convention, in which JAX calls it. What a
            `jax.custom_vjp` returns None for is not judged, and a warning says so.
        reference: a function of the same arguments in `jax.numpy` or NumPy, with the same arrays of
            floats in its result.
        modes: the derivatives to judge: "rev" is `jax.grad`, "fwd" is `jax.jvp`. By default those
            that the rule defines: both of a `jax.custom_jvp`, "rev" of a `jax.custom_vjp`. Where
            JAX cannot transpose the rule, a warning says so, and why.
        order: 2 judges the derivative of the rule as well: one that takes for constant what is not
            (`stop_gradient`, a table, a rounded number) is right at first order alone.
        points, seed, referee, strict, seconds, computed_in: as for `check_gradient`; the points
            vary all floats, and each of a list is a tuple of arguments.
        domain: as for `check_gradient`: one for all arguments, or a tuple with one for each.

    Raises:
        TypeError: f has no custom rule, or hides what it computes, and there is no reference; the
            reference has another result; no argument holds floats; the rule does not define a mode
            that was asked for; or JAX cannot differentiate the rule for `order=2`.
        ValueError: `order` is not 1 or 2, or 2 where `domain` has directions that leave it.
        CheckInterrupted: as `check_gradient`.

    Example:
        >>> import jax, jax.numpy as jnp, numpy as np
        >>> @jax.custom_jvp
        ... def f(x): return jnp.sin(x)
        >>> @f.defjvp
        ... def rule(x, dx): return f(*x), -jnp.cos(*x) * dx[0]
        >>> check_custom(f, np.array([0.5, 1.0])).verdict
        'disagree'
    """
    names = argument_names(f, len(args), numbered("args", len(args)))
    options, how = options_and_how(check_custom, ("f",), names, locals())
    with calling("f"):
        function = custom_function(f, args, reference, options)
        if order == 2:
            check_all_directions("order: got 2", domain, function.tangent)
        chosen, refused = chosen_modes(function, modes)
        second = SecondOrder(function, chosen[0]) if order == 2 else None
        case = second.case() if second else None
    points = points_of_part(points, function.given, function.arguments.among)
    run = _Run(function, how.at(points), Clock(seconds))
    report, more = _first_order(run, chosen, 1 + (order == 2))
    report = run.with_results(report)
    if report and second and case:
        twice = run.report(case, function.given, run.few)
        report, also = with_second_order(report, twice)
        more += also
    report = report.with_more(more)
    said = (f"there is no reverse mode: {refused}",) if refused else ()
    report = replace(report, warnings=(*report.warnings, *said))
    # No test can be written of a case of random tangents.
    along = report.trial is not None and report.trial.case.claim.check(report.trial.case) is None
    return report.without_trial() if along else report


class _Run(NamedTuple):
    """How a function is judged."""

    function: CustomFunction
    how: How
    clock: Clock

    def report(self, case: Case, given: Point, points: Any, parts: int = 1) -> GradientReport:
        """Judge a case in one of the parts of the time that is left."""
        seconds = max(self.clock.left, self.clock.seconds / 10) / parts
        return report_on(case, given, self.how.at(points).within(seconds))

    def first(self, case: Case, parts: int) -> GradientReport:
        """Judge a case, after the values of a function with a reference."""
        function, seconds = self.function, self.clock.seconds / parts
        if function.pair is None:
            return self.report(case, function.given, self.how.points, parts)
        return report_on_function(function.pair, case, function.given, self.how.within(seconds))

    def with_results(self, report: GradientReport) -> GradientReport:
        """Judge what the rule computes beside right derivatives, where that is not the function's.

        Only results that are further apart than by roundings are judged, in every element.
        """
        if not report or report.trial is None:
            return report
        warnings: list[str] = []
        for outcome in report.trial.outcomes:
            given = outcome.given
            at = self.function.given.at(list(given.inputs or given.params), ())
            if (pair := results_beside(self.function, at.params)) is not None:
                how = self.how.at(0).within(max(self.clock.left, self.clock.seconds / 10))
                wrong, said = wrong_values(pair, self.function.case(), at, how)
                if wrong is not None:
                    return wrong
                warnings = warnings or said  # one of a kind
        return replace(report, warnings=(*report.warnings, *warnings))

    @property
    def few(self) -> Any:
        """The points for what comes after the usual derivative."""
        points = self.how.points
        return min(points, FEW) if isinstance(points, int | np.integer) else points


def _first_order(run: _Run, modes: Sequence[str], parts: int) -> tuple[GradientReport, list[str]]:
    """Judge the modes; return the report on the first that is wrong, or what else was judged."""
    function = run.function
    if "rev" in modes:
        report, more = run.first(function.case(), parts + ("fwd" in modes)), []
    elif function.given.size <= MOST_ELEMENTS:
        report, more = _explained(run.first(elements_case(function), parts + 1)), []
    else:
        case, given, points = tangents_case(function, run.how.points)
        return run.report(case, given, points, parts), []
    if not report or "fwd" not in modes:
        return report, more
    case, given, points = tangents_case(function, run.few)
    along = run.report(case, given, points, parts)
    if along:
        return report, ["in forward mode"] if "rev" in modes else []
    if along.verdict == "disagree" and function.given.size <= MOST_ELEMENTS:
        elements = run.report(elements_case(function), function.given, 0)
        along = along if elements else elements
    return _explained(along), []


def _explained(report: GradientReport) -> GradientReport:
    """Say it of a rule that is wrong, and not linear in its tangents."""
    trial = report.trial
    if report.verdict != "disagree" or trial.case.nonlinear:
        return report
    if seems_linear(trial.case, trial.outcomes[trial.deciding].given):
        return report
    return replace(report, headline=f"{report.headline}; the rule is not linear in its tangents")


@asserting(check_custom)
def assert_custom() -> None:
    """Raise unless `check_custom` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_custom`.
    """

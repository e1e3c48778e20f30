"""The public questions: is this hand-written gradient right?"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.arguments import Arguments, arguments, shortly
from handgrad.judging import form
from handgrad.judging.assemble import report
from handgrad.judging.judge import Case, Outcome, check_referee, outcomes
from handgrad.judging.points import points as points_around
from handgrad.report import GradientReport
from handgrad.untraceable import explanation

#: pytest leaves these frames out: an error in somebody's own function is shown there.
__tracebackhide__ = True


class GradientMismatch(AssertionError):  # noqa: N818 (the name is part of the public interface)
    """A gradient that is not right; the message is the report."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        # Only where it is shown: a search for a failing example raises hundreds of these.
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
) -> GradientReport:
    """Rule on a hand-written gradient, with a certified truth.

    Args:
        gradient: `gradient(params, *inputs)`, a pytree shaped and typed like `params`; with
            `has_value`, `(loss, grads)`. In NumPy, JAX, or anything else.
        loss: `loss(params, *inputs)`, a real scalar; traced by JAX, or else run by NumPy on power
            series.
        params: any pytree of float64 or float32 arrays; each leaf is judged at its own precision.
        inputs: whatever both take besides: arrays, pytrees, settings.
        points: how many points to try besides the given one, with the parameters moved and the
            inputs as they are; or a list of points, each (params, *inputs).
        seed: of the points, and of the draws behind the yardsticks.
        referee: "auto"; "series" has every element certified by power series, however many there
            are; "program" has JAX's gradient program held to series in random directions.
        has_value: whether the gradient returns the loss as well, which is then judged, too.
        strict: whether `imprecise` is a failure; see `GradientReport.passes`.
        trust_rules: custom derivative rules that are meant to differ from the derivative of their
            functions (a straight-through estimator, say): functions, or their names.

    Returns:
        The ruling. `imprecise` is a right formula that has lost digits.

    Raises:
        TypeError: a leaf of `params` holds no floats, or the loss is not a real scalar.
        ValueError: `params` is empty or not finite, or an option is not one of the allowed.
        Exception: whatever `gradient` or `loss` raise at the given point.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> def loss(w, x, y): return jnp.mean((x @ w - y) ** 2)
        >>> def gradient(w, x, y): return 2 * x.T @ (x @ w - y) / len(y)
        >>> x, y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]), np.array([1.0, 0.0, 2.0])
        >>> check_gradient(gradient, loss, np.array([0.3, -0.7]), x, y).verdict
        'agree'
    """
    case = Case(gradient, loss, has_value, referee, seed, rule_names(trust_rules))
    given = arguments(params, inputs)
    return judge(case, given, points, strict, "check_gradient(gradient, loss, params, *inputs")


def judge(
    case: Case, given: Arguments, points: int | Sequence[Any], strict: bool, call: str
) -> GradientReport:
    """The report on a case at a point and at others around it."""
    began = time.perf_counter()
    _check_case(case)
    points = int(points) if isinstance(points, np.integer) else points
    reproduce = f"{call}{_options(case, points, strict)})"
    asked = len(points) if isinstance(points, Sequence) else points
    reason = given.not_judged()
    tried = [Outcome(given, cause=reason)] if reason else _tried(case, given, points)
    made = report(case, tried, None if reason else asked, reproduce, strict)
    return replace(made, seconds=time.perf_counter() - began)


def _tried(case: Case, given: Arguments, points: Any) -> list[Outcome]:
    repeated = _repeated(case, given)
    if repeated:
        return [repeated]
    around = points_around(given, points, case.seed)
    try:
        return list(outcomes(case, around, not isinstance(points, int)))
    except Exception as error:
        line = explanation(error) or _not_differentiable(error)
        if line is None:
            raise
        raise TypeError(f"loss: {line}") from error


def _not_differentiable(error: Exception) -> str | None:
    if "Reverse-mode differentiation does not work" not in str(error):
        return None
    return f"jax.grad, the second witness, cannot differentiate it: {str(error).split('. ')[0]}"


def _check_case(case: Case) -> None:
    for name, function in (("gradient", case.gradient), ("loss", case.loss)):
        if not callable(function):
            raise TypeError(f"{name}: got {shortly(function)}, expected a function")
    if isinstance(case.seed, bool) or not isinstance(case.seed, int | np.integer) or case.seed < 0:
        raise ValueError(f"seed: got {shortly(case.seed)}, expected a whole number from 0")
    check_referee(case.referee)


def _repeated(case: Case, given: Arguments) -> Outcome | None:
    """What two calls at the same point say about the form of the answer, if that is wrong."""
    _, first, findings = form.taken(case.gradient, given, case.has_value)
    if findings:
        return Outcome(given, findings=tuple(findings))
    _, second, findings = form.taken(case.gradient, given, case.has_value)
    changed = form.differs(first, second, given) if not findings else None
    found = [*findings, *([changed] if changed else [])]
    return Outcome(given, findings=tuple(found)) if found else None


def assert_gradient(*args: Any, **options: Any) -> None:
    """`check_gradient`, for tests: the same arguments.

    Raises:
        GradientMismatch: the verdict is `disagree` or `undecidable`; with `strict`, `imprecise`.
        Exception: as `check_gradient`.
    """
    __tracebackhide__ = True
    ruling = check_gradient(*args, **options)
    if not ruling.passes:
        raise GradientMismatch(ruling)


def rule_names(trusted: Collection[Any]) -> frozenset[str]:
    """The names of the functions whose custom rules are trusted."""
    if isinstance(trusted, str) or not isinstance(trusted, Collection):
        raise TypeError(f"trust_rules: got {trusted!r}, expected a list of functions or names")
    names = [rule if isinstance(rule, str) else getattr(rule, "__name__", None) for rule in trusted]
    for rule, name in zip(trusted, names, strict=True):
        if name is None:
            raise TypeError(f"trust_rules: got {shortly(rule)}, expected functions or their names")
    return frozenset(name for name in names if name)


def _options(case: Case, points: Any, strict: bool) -> str:
    """The options of a call: points and seed, and what else is not as usual."""
    shown = {"points": points if isinstance(points, int) else "points", "seed": case.seed}
    if case.referee != "auto":
        shown["referee"] = repr(case.referee)
    if case.has_value:
        shown["has_value"] = True
    if strict:
        shown["strict"] = True
    if case.trusted:
        shown["trust_rules"] = sorted(case.trusted)
    return "".join(f", {name}={value}" for name, value in shown.items())

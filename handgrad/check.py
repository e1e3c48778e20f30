"""The public questions: is this hand-written gradient right?"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad import form
from handgrad.arguments import Arguments, arguments
from handgrad.assemble import report
from handgrad.judge import Case, Outcome, outcomes
from handgrad.points import points as points_around
from handgrad.report import GradientReport

REFEREES = ("auto", "series", "program")


class GradientMismatch(AssertionError):  # noqa: N818 (the name is part of the public interface)
    """A gradient that is not right; the message is the report."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report


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
        loss: `loss(params, *inputs)`, a real scalar; JAX must be able to trace it.
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
    if case.referee not in REFEREES:
        raise ValueError(f"referee: got {case.referee!r}, expected one of {', '.join(REFEREES)}")
    points = int(points) if isinstance(points, np.integer) else points
    reproduce = f"{call}, points={_shown(points)}, seed={case.seed})"
    asked = len(points) if isinstance(points, Sequence) else points
    reason = given.not_judged()
    if reason:
        tried = [Outcome(given, cause=reason)]
    else:
        repeated = _repeated(case, given)
        around = points_around(given, points, case.seed)
        listed = not isinstance(points, int)
        tried = [repeated] if repeated else list(outcomes(case, around, listed))
    made = report(case, tried, None if reason else asked, reproduce, strict)
    return replace(made, seconds=time.perf_counter() - began)


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
    return frozenset(rule if isinstance(rule, str) else rule.__name__ for rule in trusted)


def _shown(points: Any) -> str:
    return str(points) if isinstance(points, int) else "[...]"

"""The public check of many gradients at once: `audit`."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from inspect import Parameter, signature
from typing import Any

from handgrad.audit_report import AuditReport
from handgrad.audited import Audited
from handgrad.check import CheckInterrupted
from handgrad.clock import Clock, reported
from handgrad.comparison import ComparisonReport
from handgrad.data.advised import AdvisedError
from handgrad.data.attempts import RAISED
from handgrad.data.findings import NotJudged
from handgrad.data.frames import with_place
from handgrad.data.point import shortly
from handgrad.judging.options import check_seconds, check_seed
from handgrad.judging.untraceable import explanation
from handgrad.report import GradientReport, StepsReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The characters of the bar of progress, and of a name beside it.
BAR, NAME = 10, 28


def audit(
    checks: Mapping[str, Callable[..., Any]] | Sequence[Callable[..., Any]],
    *,
    points: int = 8,
    seed: int = 0,
    strict: bool = False,
    seconds: float = 20.0,
) -> AuditReport:
    """Make many checks, and report on them in one table: those of a package, say.

    Args:
        checks: by their names, calls of checks that are yet to be made, as `functools.partial`
            holds them: `{"logit": partial(check_gradient, score, loss, beta, x, y)}`. Any check of
            handgrad will do, with options of its own; or any function without arguments that
            returns a report. In a list, each has the name of the first function that it is given.
        points, seed, strict: as for `check_gradient`, of every check that has not its own.
        seconds: how long each check may take, if it has not its own.

    Returns:
        The report; true exactly if all pass. A check that raises is the row `raised`, and the
        others are made all the same. While it is made, a line on a terminal says how far it is.

    Raises:
        TypeError: `checks` holds no calls; or an option is no number.
        ValueError: there is none; or an option has no such value.
        CheckInterrupted: Ctrl-C; has the report on the checks that were made.

    Example:
        >>> from functools import partial
        >>> import numpy as np
        >>> from handgrad import audit, check_gradient
        >>> def loss(w): return (w * w).sum()
        >>> def double(w): return 2 * w
        >>> def triple(w): return 3 * w
        >>> w = np.array([1.0, 2.0])
        >>> report = audit([partial(check_gradient, g, loss, w) for g in (double, triple)])
        >>> report.verdicts
        {'double': 'agree', 'triple': 'disagree'}
    """
    calls = named(checks)
    check_seconds(seconds)
    check_seed(seed)
    options = {"points": points, "seed": seed, "strict": strict, "seconds": seconds}
    found: list[Audited] = []
    with reported(Clock(seconds * len(calls))) as progress:
        for k, (name, check) in enumerate(calls.items()):
            progress.part = _bar(k, len(calls), name)
            start = time.perf_counter()
            try:
                found.append(_audited(name, check, options, start))
            except KeyboardInterrupt as interrupt:
                if isinstance(interrupt, CheckInterrupted):
                    passed = time.perf_counter() - start
                    found.append(Audited(name, interrupt.report, seconds=passed))
                if not found:
                    raise
                left = [NotJudged(n, "interrupted") for n in list(calls)[len(found) :]]
                raise CheckInterrupted(AuditReport(tuple(found), tuple(left))) from None
    return AuditReport(tuple(found))


def _audited(
    name: str, check: Callable[..., Any], options: dict[str, Any], start: float
) -> Audited:
    """Make one check; what it raises is its result."""
    try:
        report = check(**_of_its_own(check, options))
        if not isinstance(report, GradientReport | StepsReport | ComparisonReport):
            raise TypeError(f"got {shortly(report)}, expected the report of a check")
    except RAISED as error:
        advised = str(error) if isinstance(error, AdvisedError) else None
        raised = advised or explanation(error) or with_place(error)
        return Audited(name, None, raised, time.perf_counter() - start)
    made = Audited(name, report)
    _ = made.row  # looked at while progress is shown: limits and kinds take time, too
    return Audited(name, report, seconds=time.perf_counter() - start)


def _of_its_own(check: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that a check takes, and has not been given."""
    given = check.keywords if isinstance(check, partial) else {}
    taken = signature(check).parameters
    every = any(p.kind is Parameter.VAR_KEYWORD for p in taken.values())
    return {k: v for k, v in options.items() if k not in given and (every or k in taken)}


def named(checks: Any, where: str = "checks") -> dict[str, Callable[..., Any]]:
    """Return the checks by their names; raises as `audit`, naming where they come from."""
    expected = "expected calls of checks, {'name': partial(check_gradient, gradient, loss, params)}"
    if isinstance(checks, Mapping):
        found = dict(checks)
    elif isinstance(checks, Sequence) and not isinstance(checks, str):
        found = dict(_by_function(checks))
    else:
        raise TypeError(f"{where}: got {shortly(checks)}, {expected}")
    if not found:
        raise ValueError(f"{where}: got an empty {type(checks).__name__}, {expected}")
    for name, check in found.items():
        if not isinstance(name, str) or not name.isprintable() or not name:
            raise TypeError(f"{where}: got the name {shortly(name)}, expected a line of text")
        if not callable(check):
            raise TypeError(f"{where}[{name!r}]: got {shortly(check)}, {expected}")
    return found


def _by_function(checks: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the checks with the names of their functions; the second of a name is `f (2)`."""
    count: dict[str, int] = {}
    for k, check in enumerate(checks):
        args = check.args if isinstance(check, partial) else ()
        name = next((getattr(f, "__name__", None) for f in (*args[:1], check)), None)
        name = name or getattr(getattr(check, "func", None), "__name__", f"check {k + 1}")
        count[name] = count.get(name, 0) + 1
        yield name if count[name] == 1 else f"{name} ({count[name]})", check


def _bar(k: int, count: int, name: str) -> str:
    done = BAR * k // count
    short = name if len(name) <= NAME else f"...{name[3 - NAME :]}"
    return f"[{'#' * done}{'.' * (BAR - done)}] {k + 1} of {count}, {short}"

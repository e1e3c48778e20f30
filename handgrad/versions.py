"""The public check of several versions of one gradient: by hand, in JAX, in torch, as a kernel."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from handgrad.check import CheckInterrupted, asserting, report_on_gradient
from handgrad.clock import Clock, reported
from handgrad.compared import Version
from handgrad.comparison import ComparisonReport
from handgrad.data.frames import with_place
from handgrad.data.names import Names
from handgrad.data.point import point_at, shortly
from handgrad.judging.case import Case, check_case
from handgrad.judging.complex_cases import in_real_arrays
from handgrad.judging.domains import in_domains
from handgrad.judging.losses import prepare
from handgrad.judging.options import How, by_name, options_and_how
from handgrad.judging.points import points as points_around
from handgrad.judging.pytorch.random import keeping_drawn_numbers
from handgrad.judging.pytorch.versions import in_its_kind
from handgrad.judging.repeatability import CALLS_OF_KERNEL, NotAFunctionError
from handgrad.judging.untraceable import calling

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@keeping_drawn_numbers
def compare_gradients(
    versions: Mapping[str, Callable[..., Any]],
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
    computed_in: Any = None,
    convention: str | Mapping[str, str] | None = None,
    domain: Any = None,
) -> ComparisonReport:
    """Rule on several versions of one gradient by one certified reference, and name the odd one.

    Every version is judged as `check_gradient` does, at the same points; the reference is certified
    once for all of them. None is the measure of the others: all may be wrong, or all but one.

    Args:
        versions: by their names, functions as `check_gradient` takes them. Each may be of another
            library: one that raises with the arguments as they are gets arrays in place of
            tensors, or tensors in place of arrays, and may return either.
        loss, params, inputs: as for `check_gradient`.
        points, seed, referee, has_value, strict, trust_rules, domain: as for `check_gradient`.
        seconds: how long all of it may take; of what is left, each version gets its part.
        computed_in: as for `check_gradient`, of every version; or a dict of that by their names, of
            some of them.
        convention: as for `check_gradient`, of every version; or a dict of that by their names, of
            some of them.

    Returns:
        The report. A version that raises at the given point does not pass, and the others are
        judged all the same.

    Raises:
        TypeError: the versions are no functions with names; or as `check_gradient`.
        ValueError: no version was given; or as `check_gradient`.
        CheckInterrupted: Ctrl-C; has the report on the versions that were judged.
        Exception: whatever `loss` raises at the given point.

    Example:
        >>> import jax, jax.numpy as jnp, numpy as np
        >>> def loss(w): return jnp.sum(w**3)
        >>> versions = {"jax": jax.grad(loss), "numpy": lambda w: 3 * w**2, "mine": lambda w: 3 * w}
        >>> report = compare_gradients(versions, loss, np.array([0.5, -1.0, 2.0]))
        >>> report.failing, report["mine"].verdict
        (('mine',), 'disagree')
    """
    names = Names.of(loss, 1 + len(inputs)).of_all(len(inputs))
    check_versions(versions)
    stated = by_name("computed_in", computed_in, versions)
    written = by_name("convention", convention, versions)
    functions, own = ("versions", "loss"), {"computed_in": None, "convention": None}
    options, how = options_and_how(compare_gradients, functions, names, locals(), **own)
    at = (params, *inputs)
    cases = {
        name: Case(
            f,
            loss,
            **options.handed_on(computed_in=stated.get(name), convention=written.get(name)),
            calls=CALLS_OF_KERNEL,
        )
        for name, f in versions.items()
    }
    clock, found = Clock(seconds), list[Version]()
    with reported(clock) as progress:
        _check_loss(cases, at, points)
        for k, (name, case) in enumerate(cases.items()):
            progress.part = name
            part = max(clock.left / (len(cases) - k), seconds / 10 / len(cases))
            try:
                found.append(_judged(name, case, at, how.within(part)))
            except KeyboardInterrupt as interrupt:
                if isinstance(interrupt, CheckInterrupted):
                    found.append(Version(name, replace(interrupt.report, reproduce=how.reproduce)))
                if not found:
                    raise
                raise CheckInterrupted(ComparisonReport.of(found, how.reproduce)) from None
    return ComparisonReport.of(found, how.reproduce)


@asserting(compare_gradients)
def assert_gradients() -> None:
    """Raise unless `compare_gradients` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `compare_gradients`.
    """


def check_versions(versions: Any) -> None:
    """Raise TypeError or ValueError unless these are functions by their names."""
    expected = 'expected a dict of functions by their names, {"mine": f, "jax": g}'
    if not isinstance(versions, Mapping):
        raise TypeError(f"versions: got {shortly(versions)}, {expected}")
    if not versions:
        raise ValueError(f"versions: got an empty {type(versions).__name__}, {expected}")
    for name, function in versions.items():
        if not isinstance(name, str):
            raise TypeError(f"versions: got the name {shortly(name)}, {expected}")
        if not name.isprintable():
            raise ValueError(f"versions: got the name {name!r}, expected one that fits into a line")
        if not callable(function):
            raise TypeError(f"versions[{name!r}]: got {shortly(function)}, expected a function")


def _check_loss(cases: Mapping[str, Case], at: Sequence[Any], points: Any) -> None:
    """Raise what is wrong with the loss or the options, which all versions share."""
    case = next(iter(cases.values()))
    case, at, names, points = in_real_arrays(case, tuple(at), points)
    given = point_at(at[0], at[1:], names)
    check_case(replace(case, gradient=lambda *_: None), given)
    case = in_domains(case, given)
    for _ in points_around(given, points, case.seed, case.domains):
        pass  # a list is looked at one by one
    if given.not_judged() is None:
        with calling(case.wording.loss):
            given.call(case.loss)
            with suppress(NotAFunctionError):  # which each report says
                prepare(case, given)


def _judged(name: str, case: Case, at: tuple[Any, ...], how: How) -> Version:
    """Judge one version; what it raises is its result."""
    try:
        case, at, points = in_its_kind(case, at, how.points)
        report = report_on_gradient(case, at, how.at(points))
    except Exception as error:  # the caller's functions may raise anything
        return Version(name, None, with_place(error))
    return Version(name, report)

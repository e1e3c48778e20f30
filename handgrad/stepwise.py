"""The public check of the steps of a backward pass, each judged by itself."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from handgrad.backward import check_backward
from handgrad.check import CheckInterrupted, require, with_arguments_of
from handgrad.clock import Clock
from handgrad.data.calls import call_line
from handgrad.data.complex_pairs import (
    CONVENTIONS,
    check_convention,
    in_pairs,
    is_complex,
    joined,
)
from handgrad.data.computed_in import arithmetic
from handgrad.data.names import INPUTS, argument_names, numbered
from handgrad.data.point import shortly
from handgrad.judging.case import check_seed
from handgrad.judging.trial import check_seconds, rule_names
from handgrad.report import StepReport, StepsReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


class Step(NamedTuple):
    """One step: `forward(value, *inputs) -> (output, cache)`, `backward(cotangent, cache)`."""

    name: str  #: what the report calls it
    forward: Callable[..., Any]  #: returns (output, cache)
    backward: Callable[..., Any]  #: returns cotangents of the forward pass's arguments
    inputs: tuple[Any, ...] = ()  #: arguments of the forward pass after the previous output


def check_steps(
    steps: Sequence[Any],
    *inputs: Any,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    referee: str = "auto",
    strict: bool = False,
    trust_rules: Collection[Any] = (),
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
    convention: str | None = None,
) -> StepsReport:
    """Rule on every step of a backward pass, each by itself.

    Args:
        steps: in the order of the forward pass, each a `Step` or a tuple (name, forward, backward)
            or (name, forward, backward, inputs). The first is called with `inputs`, every other
            with the output of the previous one; its own inputs (parameters) come after.
        inputs: the arguments of the first step.
        points, seed, referee, strict, trust_rules, computed_in, convention: as for
            `check_backward`.
        seconds: how long it may take; of what is left, each step gets its part.

    Returns:
        The reports. Each step's cotangent comes by autodiff through the steps after it, from a
        random cotangent at the end (1 for a loss); it is random if JAX cannot trace them.

    Raises:
        TypeError: there is no step, or one has another form.
        CheckInterrupted: Ctrl-C; has the report on the steps that were judged.
        Exception: whatever a forward or a backward pass raises.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> from handgrad import check_steps
        >>> def double(x): return 2 * x, None
        >>> def double_back(d, _): return 2 * d
        >>> def square(x): return x * x, x
        >>> def square_back(d, x): return d * x
        >>> steps = [("double", double, double_back), ("square", square, square_back)]
        >>> check_steps(steps, np.array([0.5, -1.0, 2.0])).first_wrong.name
        'square'
    """
    if not isinstance(steps, tuple | list):
        raise TypeError(
            f"steps: got {shortly(steps)}, expected a list of (name, forward, backward)"
        )
    check_seed(seed)
    check_seconds(seconds)
    arithmetic(computed_in)
    check_convention(convention)
    clock = Clock(seconds)
    chain = [_step(k, step) for k, step in enumerate(steps)]
    if not chain:
        raise TypeError("steps: got none, expected at least one (name, forward, backward)")
    values = list(_values(chain, inputs))
    count = len(inputs) + len(chain[0].inputs)
    names = argument_names(chain[0].forward, count, numbered(INPUTS, count))
    reproduce = call_line(
        check_steps,
        {"steps": steps},
        names[: len(inputs)],
        points=points,
        seed=seed,
        referee=referee,
        strict=strict,
        trust_rules=rule_names(trust_rules),
        seconds=seconds,
        computed_in=computed_in,
        convention=convention,
    )
    found: list[StepReport] = []
    for k, (step, given, output) in enumerate(values):
        with _interrupted(step, found, reproduce):
            cotangent = _cotangent(chain[k + 1 :], output, seed, convention)
        with _naming(step, "judging"), _interrupted(step, found, reproduce):
            report = check_backward(
                step.forward,
                step.backward,
                *given,
                *step.inputs,
                cotangent=cotangent,
                points=points,
                seed=seed,
                referee=referee,
                strict=strict,
                trust_rules=trust_rules,
                seconds=max(clock.left / (len(chain) - k), seconds / 10 / len(chain)),
                computed_in=computed_in,
                convention=convention,
            )
        found.append(StepReport(step.name, replace(report, reproduce=reproduce)))
    return StepsReport(tuple(found))


@with_arguments_of(check_steps)
def assert_steps(*args: Any, **options: Any) -> None:
    """Raise unless `check_steps` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch: a step does not pass; see `assert_gradient`.
        Exception: as `check_steps`.

    Example:
        >>> import numpy as np
        >>> def square(x): return x * x, x
        >>> def square_back(d, x): return 2 * d * x
        >>> assert_steps([("square", square, square_back)], np.array([0.5, -1.0, 2.0]))
    """
    require(check_steps(*args, **options))


@contextmanager
def _interrupted(step: Step, found: list[StepReport], reproduce: str) -> Iterator[None]:
    """Let Ctrl-C end with the report on the steps that were judged, if any were."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if isinstance(interrupt, CheckInterrupted):
            report = replace(interrupt.report, reproduce=reproduce)
            found = [*found, StepReport(step.name, report)]
        if not found:
            raise
        raise CheckInterrupted(StepsReport(tuple(found))) from None


@contextmanager
def _naming(step: Step, what: str) -> Iterator[None]:
    """Add the name of the step to any error."""
    try:
        yield
    except Exception as error:  # the caller's functions may raise anything; it is raised again
        error.add_note(f"This was raised by {what} the step {step.name!r}.")
        raise


def _step(k: int, step: Any) -> Step:
    known = isinstance(step, tuple | list) and len(step) in (3, 4) and isinstance(step[0], str)
    if not known or not all(map(callable, step[1:3])):
        raise TypeError(
            f"steps[{k}]: got {shortly(step)}, expected (name, forward, backward) or "
            "(name, forward, backward, inputs)"
        )
    more = step[3] if len(step) == 4 else ()
    return Step(
        step[0], step[1], step[2], tuple(more) if isinstance(more, tuple | list) else (more,)
    )


def _values(chain: Sequence[Step], inputs: tuple[Any, ...]) -> Iterator[Any]:
    """Yield each step, its first arguments, and its output."""
    given = inputs
    for step in chain:
        with _naming(step, "the forward pass of"), jax.enable_x64(True):
            result = step.forward(*given, *step.inputs)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError(
                f"{step.name}: forward returned {shortly(result)}, expected (output, cache)"
            )
        yield step, given, result[0]
        given = (result[0],)


def _cotangent(later: Sequence[Step], output: Any, seed: int, convention: str | None) -> Any:
    """Return the cotangent of an output by autodiff through the later steps; None if impossible."""
    sign = CONVENTIONS[convention or "jax"]

    def rest(value: Any) -> Any:
        for step in later:
            value = step.forward(value, *step.inputs)[0]
        return value

    with jax.enable_x64(True):
        try:
            end, back = jax.vjp(rest, jax.tree_util.tree_map(np.asarray, output))
        except Exception:  # NumPy's functions on tracers: a random cotangent will do
            return None
        rng = np.random.default_rng(seed)
        drawn = jax.tree_util.tree_map(lambda leaf: _drawn(rng, leaf), end)
        (found,) = back(drawn)
        # JAX's, of which that of the other convention is the conjugate.
        return joined(in_pairs(jax.tree_util.tree_map(np.asarray, found)), -sign)


def _drawn(rng: np.random.Generator, leaf: Any) -> Any:
    if np.shape(leaf) == ():
        return jax.numpy.ones_like(leaf)
    drawn = rng.standard_normal(np.shape(leaf))
    if is_complex(leaf):
        drawn = drawn + 1j * rng.standard_normal(np.shape(leaf))
    return jax.numpy.asarray(drawn, dtype=leaf.dtype)

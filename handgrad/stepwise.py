"""The public check of the steps of a backward pass, each judged by itself."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from handgrad.backward import report_on_step
from handgrad.check import CheckInterrupted, asserting
from handgrad.clock import Clock
from handgrad.data.attempts import best_effort
from handgrad.data.complex_pairs import CONVENTIONS, in_pairs, is_complex, joined
from handgrad.data.names import INPUTS, argument_names, numbered
from handgrad.data.point import shortly
from handgrad.data.pytrees import is_real
from handgrad.judging.options import How, Options, by_name, options_and_how
from handgrad.judging.pytorch.random import keeping_drawn_numbers
from handgrad.judging.untraceable import calling
from handgrad.report import StepReport, StepsReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


class Step(NamedTuple):
    """One step: `forward(value, *inputs) -> (output, cache)`, `backward(cotangent, cache)`."""

    name: str  #: what the report calls it
    forward: Callable[..., Any]  #: returns (output, cache)
    backward: Callable[..., Any]  #: returns cotangents of the forward pass's arguments
    inputs: tuple[Any, ...] = ()  #: arguments of the forward pass after the previous output


@keeping_drawn_numbers
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
    domain: Any = None,
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
        domain: as for `check_backward`, of every step; or a dict of that by their names, of some.

    Returns:
        The reports. Each step's cotangent comes by autodiff through the steps after it, from a
        random cotangent at the end (1 for a loss); it is random if JAX cannot trace them.

    Raises:
        TypeError: there is no step, or one has another form.
        ValueError: `domain` has a name that no step has; or as `check_backward`.
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
    chain = [_step(k, step) for k, step in enumerate(steps)]
    if not chain:
        raise TypeError("steps: got none, expected at least one (name, forward, backward)")
    count = len(inputs) + len(chain[0].inputs)
    names = argument_names(chain[0].forward, count, numbered(INPUTS, count))[: len(inputs)]
    options, how = options_and_how(check_steps, ("steps",), names, locals())
    domains = by_name("domain", domain, [step.name for step in chain])
    own = [replace(options, domain=domains.get(step.name)) for step in chain]
    return _report(chain, inputs, own, how)


def _report(
    chain: Sequence[Step], inputs: tuple[Any, ...], options: Sequence[Options], how: How
) -> StepsReport:
    """Judge one step after the other, as `check_steps` does; raises as that."""
    clock, found = Clock(how.seconds), list[StepReport]()
    values = list(_values(chain, inputs))
    for k, (step, given, output) in enumerate(values):
        with _interrupted(step, found):
            cotangent = _cotangent(chain[k + 1 :], output, options[k].seed, options[k].convention)
        with _naming(step, "judging"), _interrupted(step, found):
            of_step = step.forward, step.backward, (*given, *step.inputs), cotangent, options[k]
            part = max(clock.left / (len(chain) - k), how.seconds / 10 / len(chain))
            report = report_on_step(of_step, how.within(part))
        found.append(StepReport(step.name, report))
    return StepsReport(tuple(found))


@asserting(check_steps)
def assert_steps() -> None:
    """Raise unless `check_steps` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_steps`.
    """


@contextmanager
def _interrupted(step: Step, found: list[StepReport]) -> Iterator[None]:
    """Let Ctrl-C end with the report on the steps that were judged, if any were."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if isinstance(interrupt, CheckInterrupted):
            found = [*found, StepReport(step.name, interrupt.report)]
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
        naming = _naming(step, "the forward pass of")
        with naming, calling("forward"), jax.enable_x64(True):
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
        pulled = None
        with best_effort():  # NumPy's functions on tracers: a random cotangent will do
            pulled = jax.vjp(rest, jax.tree_util.tree_map(np.asarray, output))
        if pulled is None:
            return None
        end, back = pulled
        rng = np.random.default_rng(seed)
        drawn = jax.tree_util.tree_map(lambda leaf: _drawn(rng, leaf), end)
        (found,) = back(drawn)
        arrays = jax.tree_util.tree_map(lambda c: np.asarray(c) if _varies(c) else None, found)
        # JAX's, of which that of the other convention is the conjugate.
        return joined(in_pairs(arrays), -sign)


def _varies(leaf: Any) -> bool:
    """Tell whether an array of an output has a cotangent."""
    return is_real(leaf) or is_complex(leaf)


def _drawn(rng: np.random.Generator, leaf: Any) -> Any:
    if not _varies(leaf):
        return np.zeros(np.shape(leaf), jax.dtypes.float0)  # as JAX has it of what holds no floats
    if np.shape(leaf) == ():
        return jax.numpy.ones_like(leaf)
    drawn = rng.standard_normal(np.shape(leaf))
    if is_complex(leaf):
        drawn = drawn + 1j * rng.standard_normal(np.shape(leaf))
    return jax.numpy.asarray(drawn, dtype=leaf.dtype)

"""Time a right gradient and the one that JAX compiles, and tell a difference from noise.

All run in every round, and ratios are taken within a round, so that a slow phase of the machine
slows both. The gradient runs twice in every round; its ratio to itself is the noise, and a
difference within the noise does not count.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from statistics import median
from typing import Any

import jax
import numpy as np

from handgrad.data.point import Point, copied, point_at, vector
from handgrad.judging import form
from handgrad.judging.case import Case
from handgrad.judging.pytorch.cases import in_arrays
from handgrad.report import GradientReport
from handgrad.speed.compiled import Compiled, compiled, why_not
from handgrad.speed.rounds import Rival, ratio, rival, sample, time_rounds
from handgrad.speed.timings import NotTimedError, Timings

#: The names of the contenders.
YOURS, AGAIN, AUTODIFF, ON_DEVICE = "yours", "again", "autodiff", "on device"
LOSS, COMPILED_LOSS = "loss", "compiled loss"


def time_gradient(
    gradient: Callable[..., Any],
    loss: Callable[..., Any],
    params: Any,
    *inputs: Any,
    has_value: bool = False,
    report: GradientReport | None = None,
    rounds: int = 15,
    seconds: float = 3.0,
) -> Timings:
    """Time a right gradient beside `jit(value_and_grad(loss))`, and the loss alone.

    Args:
        gradient: as for `check_gradient`; it is timed as it is, with its results awaited.
        loss: as for `check_gradient`. Inputs whose values it needs for tracing become constants.
        params: the parameters. Autodiff gets NumPy arrays where the gradient does.
        inputs: the further arguments of both. Of functions in PyTorch, tensors are made of arrays
            at each call, and that is timed, too.
        has_value: whether the gradient returns the loss as well. Autodiff always does.
        report: the report on this gradient; by default it is judged at this point first.
        rounds: the number of rounds, if there is time. Of 15 the fourth ratio from either end
            bounds the median with 96 % confidence.
        seconds: the time after which no further round is started, without compiling and warming up.

    Returns:
        Seconds of one call each. A gradient under `jax.jit` is recompiled to time its first call.

    Raises:
        NotTimedError: the gradient is not right, or its last result differs from its first one.
        Exception: as `check_gradient`.
    """
    if report is None:
        from handgrad.check import check_gradient

        report = check_gradient(gradient, loss, params, *inputs, points=0, has_value=has_value)
    if report.verdict not in ("agree", "imprecise"):
        raise NotTimedError(f"{report.verdict}: a gradient gets a time once it is right")
    case, at, names, _ = in_arrays(Case(gradient, loss, has_value=has_value), (params, *inputs))
    gradient, loss, given = case.gradient, case.loss, point_at(at[0], at[1:], names)
    with jax.enable_x64(given.wide):
        running, firsts, program = _contest(gradient, loss, given)
        first = running[YOURS]()
        times, last = time_rounds(running, rounds, seconds)
    grads = [answer[1] if has_value else answer for answer in (first, last[YOURS])]
    leaves = [vector(form.answer(grad, given)[0]) for grad in grads]
    if not np.array_equal(*leaves, equal_nan=True):
        raise NotTimedError("the last timed call did not answer what the first one did")
    return _timings(times, firsts, program)


def _contest(
    gradient: Any, loss: Any, given: Point
) -> tuple[dict[str, Callable[[], Any]], dict[str, float], Compiled | Exception]:
    """Return the contenders, the seconds of first calls that compile, and what is compiled."""
    params, inputs = copied(given.params), copied(given.inputs)
    running: dict[str, Callable[[], Any]] = {
        YOURS: partial(gradient, params, *inputs),
        LOSS: partial(loss, params, *inputs),
    }
    firsts = {}
    if hasattr(gradient, "clear_cache"):  # a function under jax.jit, which the judge has called
        gradient.clear_cache()
        firsts[YOURS], _ = sample(running[YOURS], 1, waits=True)
    # JAX's arrays stay; all other leaves become NumPy's.
    arrays = jax.tree_util.tree_map(
        lambda leaf, array: leaf if isinstance(leaf, jax.Array) else array,
        *(given.params, given.arrays),
    )
    program = compiled(loss, arrays, given.inputs, given.names)
    if isinstance(program, Compiled):
        running[AUTODIFF] = partial(program.autodiff, *program.arguments)
        running[COMPILED_LOSS] = partial(program.loss, *program.arguments)
        if program.from_numpy:
            running[ON_DEVICE] = partial(program.autodiff, *jax.device_put(program.arguments))
        firsts[AUTODIFF], _ = sample(running[AUTODIFF], 1, waits=True)
    else:
        plain = partial(jax.value_and_grad(loss), arrays, *inputs)
        with suppress(Exception):  # a loss that JAX cannot differentiate has nothing beside it
            plain()
            running[AUTODIFF] = plain
    return running | {AGAIN: running[YOURS]}, firsts, program


def _timings(
    times: Mapping[str, Sequence[float]],
    firsts: Mapping[str, float],
    program: Compiled | Exception,
) -> Timings:
    def late(name: str) -> float:
        return firsts[name] - median(times[name]) if name in firsts else 0.0

    # How many seconds longer autodiff takes to compile than yours.
    longer = late(AUTODIFF) - late(YOURS) if AUTODIFF in firsts else None
    noise = ratio(times[YOURS], times[AGAIN])

    def beside(name: str) -> Rival | None:
        return rival(times[YOURS], times[name], noise, longer) if name in times else None

    return Timings(
        yours=median(times[YOURS]),
        first_call=firsts.get(YOURS),
        autodiff=beside(AUTODIFF),
        on_device=beside(ON_DEVICE),
        first_call_of_autodiff=firsts.get(AUTODIFF),
        loss=median(times[LOSS]),
        compiled_loss=median(times[COMPILED_LOSS]) if COMPILED_LOSS in times else None,
        noise=noise,
        static=program.static if isinstance(program, Compiled) else (),
        not_compiled=None if isinstance(program, Compiled) else why_not(program),
        device=jax.default_backend(),
        rounds=len(times[YOURS]),
    )

"""Both tolerances of a large gradient in floats, to first order.

The runs in balls of `handgrad.tolerance.tolerances` show how far the gradient moves as data move by
half an ulp, or as every result is rounded (`handgrad.tolerance.monte_carlo`). Here a run of JAX's
program carries, beside each number, its change to first order in each of `DRAWS` draws of the same
perturbations. A rounding is added to the change where it arises, so that nothing is as small as the
rounding of the run itself, and no perturbation needs to be amplified.

A change is right to first order if the numbers beside it have some digits, if no comparison falls
otherwise, and if no second order counts. Of each operation that is not linear in each operand it is
seen whether all this holds `FARTHER` times as far; and by the result of the run itself, which is
off by the same rounding, whether the tolerances explain it. If not, nothing is estimated here.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core as jex

from handgrad.data.pytrees import is_real, wide
from handgrad.oracle.evaluate import Problem
from handgrad.program.cost import terms
from handgrad.program.form import CUSTOM, QUICK, Form, form_of
from handgrad.program.interpreter import UncertifiedPrimitiveError, needed
from handgrad.program.rule import Rounds
from handgrad.program.rules import RULES
from handgrad.program.rules.control import KNOWN
from handgrad.program.trace import Program, rule_name
from handgrad.tolerance.first_order import SCALE
from handgrad.tolerance.monte_carlo import narrows, smallest, unit
from handgrad.tolerance.perturbed_numpy import spacings

#: The draws of one run. It takes as many numbers more of memory as balls do.
DRAWS = 4

#: Rounding is far from turning a comparison, or from being of second order, if `FARTHER` times as
#: much of it does not: of the runs that `tolerances` makes, the largest change is four times
#: another one once in a hundred times, and never thirty times.
FARTHER = 32

#: Calls whose body is run.
CALLS = ("jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint", *CUSTOM)

#: Operations that are linear in each operand, besides sums and those that move elements.
LINEAR = ("add", "add_any", "sub", "neg", "select_n")


class Changes(NamedTuple):
    """What a run gives: arrays of loss and elements."""

    result: np.ndarray  #: as floats compute it, (1 + size,)
    changes: np.ndarray  #: the largest change by all draws, (1 + size,)
    holds: bool  #: whether they are right to first order


class Number(NamedTuple):
    """An array of a run."""

    value: Any
    change: Any = None  #: in each draw, times `SCALE`, (DRAWS, *shape); None if it has none


def changes(
    problem: Problem, program: Program, seed: int, draws: int, rounded: bool
) -> Changes | None:
    """Return the changes by other data, or by rounding; None if an operation is not covered.

    Args:
        problem: the loss and the point.
        program: JAX's program of the gradient.
        seed: of the perturbations.
        draws: how many, a multiple of `DRAWS`.
        rounded: whether every result is rounded; else the data are moved by half an ulp.
    """
    run, given = _compiled(form_of(program.jaxpr.jaxpr)), [*problem.leaves, *problem.inputs]
    found = []
    try:
        with wide(given), np.errstate(all="ignore"):
            consts = program.jaxpr.consts
            halves = [_half_ulps(array) for array in (*consts, *given)]
            for i in range(draws // DRAWS):
                words = np.random.default_rng([seed, i, rounded]).integers(2**32, size=2)
                found.append(run(consts, given, halves, words.astype(np.uint32), rounded))
    except (TypeError, ValueError, NotImplementedError, FloatingPointError):
        return None
    largest = np.max([np.asarray(change) for _, change, _ in found], axis=0) / SCALE
    return Changes(np.asarray(found[0][0]), largest, all(bool(holds) for *_, holds in found))


def _half_ulps(array: Any) -> np.ndarray | None:
    """Return half an ulp of each float, times `SCALE`; None if they are none."""
    if not is_real(array):
        return None
    array = np.asarray(array)
    return (spacings(array) * (SCALE / 2)).astype(array.dtype)


@lru_cache(maxsize=8)
def _compiled(form: Form) -> Callable[..., Any]:
    """Compile the run of the jaxpr of a form: -> results, their largest changes, what holds."""
    jaxpr = form.program

    def run(consts: Any, given: Any, halves: Any, words: Any, rounded: Any) -> Any:
        this = Run(words, rounded)
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            numbers = [
                Number(x, None if half is None else this.moved(half))
                for x, half in zip((*consts, *given), halves, strict=True)
            ]
            outputs = this.program(jaxpr, numbers[: len(consts)], numbers[len(consts) :])
            flat = [jnp.ravel(jnp.asarray(out.value, float)) for out in outputs]
            largest = [_largest(out) for out in outputs]
            return jnp.concatenate(flat), jnp.concatenate(largest), jnp.array(this.holds).all()

    return jax.jit(run, compiler_options=QUICK)


def _largest(out: Number) -> Any:
    """Return the largest change of all draws, flattened."""
    if out.change is None:
        return jnp.zeros(jnp.size(out.value))
    return jnp.ravel(jnp.max(jnp.abs(jnp.asarray(out.change, float)), axis=0))


class Run:
    """A run of a program on numbers with their changes, while JAX traces it."""

    def __init__(self, words: Any, rounded: Any) -> None:
        self._words, self._rounded, self._drawn = words, rounded, 0
        self.holds: list[Any] = []  #: of each operation, whether its changes are of first order

    def program(self, jaxpr: Any, consts: Sequence[Number], given: Sequence[Number]) -> list[Any]:
        """Run an open jaxpr."""
        values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *given], strict=True))

        def read(atom: Any) -> Number:
            if isinstance(atom, jex.Literal):
                return Number(np.asarray(atom.val, dtype=atom.aval.dtype))
            return values[atom]

        for eqn in needed(jaxpr):
            outputs = self._equation(eqn, [read(atom) for atom in eqn.invars])
            # XLA would repeat what it fuses, in a program that grows with the square of its length.
            outputs = jax.lax.optimization_barrier(outputs)
            values.update(zip(eqn.outvars, outputs, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def moved(self, half: Any) -> Any:
        """Return the changes of data by half an ulp, unless this run rounds."""
        return self.signs(half)[0] * jnp.where(self._rounded, 0, half)

    def signs(self, like: Any) -> Any:
        """Draw two independent signs for each draw and number of an array, (2, DRAWS, *shape)."""
        self._drawn += 1
        numbers = jax.lax.iota(np.uint32, like.size).reshape(like.shape)
        words = _mixed(numbers + self._words[0] + self._words[1] * np.uint32(self._drawn))
        places = np.arange(2 * DRAWS, dtype=np.uint32).reshape(2, DRAWS, *[1] * like.ndim)
        return 1 - 2 * ((words >> places) & np.uint32(1)).astype(like.dtype)

    def _equation(self, eqn: Any, operands: list[Number]) -> list[Number]:
        name, rule = eqn.primitive.name, RULES.get(eqn.primitive.name)
        if name in CALLS and not (name in CUSTOM and rule_name(eqn) in KNOWN):
            body = eqn.params.get("jaxpr") or eqn.params["call_jaxpr"]
            consts = [Number(c) for c in getattr(body, "consts", ())]
            return self.program(getattr(body, "jaxpr", body), consts, operands)
        if name == "stop_gradient":
            return operands  # it stops a derivative, and no change of data
        if not any(is_real(v.aval) for v in eqn.invars):
            return [*map(Number, _bind(eqn, [o.value for o in operands]))]
        if rule is None or rule.structured or rule.rounds is Rounds.ARGUMENTS:
            raise UncertifiedPrimitiveError(name)
        outputs, moved = self._differentiated(eqn, operands)
        if rule.rounds is Rounds.SUM:
            magnitude = _magnitude(eqn, [o.value for o in operands])
            moved = [self._rounding(eqn.outvars[0], outputs[0], magnitude, terms(eqn), moved[0])]
        elif rule.rounds is Rounds.RESULT or narrows(eqn):
            moved = [
                self._rounding(v, out, jnp.abs(out), 1, change)
                for v, out, change in zip(eqn.outvars, outputs, moved, strict=True)
            ]
        return [*map(Number, outputs, moved)]

    def _differentiated(self, eqn: Any, operands: list[Number]) -> tuple[list[Any], list[Any]]:
        """Run an operation; return its results and their changes before it rounds."""
        active = [i for i, o in enumerate(operands) if o.change is not None]
        values = [o.value for o in operands]

        def results(*near: Any) -> list[Any]:
            given = list(values)
            for i, value in zip(active, near, strict=True):
                given[i] = value
            return _bind(eqn, given)

        outputs = _bind(eqn, values)
        if not active:
            return outputs, [None] * len(outputs)
        here, changes = [values[i] for i in active], [operands[i].change for i in active]

        def pushed(moves: Any) -> list[Any]:
            return jax.jvp(results, here, moves)[1]

        moved = jax.vmap(pushed)(changes)
        if not _linear(eqn):
            rounds = RULES[eqn.primitive.name].rounds is Rounds.RESULT

            def holds(moves: Any) -> Any:
                far = [x + t * (FARTHER / SCALE) for x, t in zip(here, moves, strict=True)]
                # What is left of the steps in floats, without rounding.
                steps = [y - x for x, y in zip(here, far, strict=True)]
                pairs = zip(eqn.outvars, outputs, pushed(steps), results(*far), strict=True)
                return jnp.array([_alike(*each, rounds) for each in pairs]).all()

            both_ways = [jnp.concatenate([change, -change]) for change in changes]
            self.holds.append(jax.vmap(holds)(both_ways).all())
        real = [is_real(v.aval) for v in eqn.outvars]
        return outputs, [change if is_it else None for change, is_it in zip(moved, real, strict=True)]

    def _rounding(self, v: Any, out: Any, magnitude: Any, n: float, change: Any) -> Any:
        """Add the rounding of a result to its change, as `MonteCarlo` does."""
        if not is_real(v.aval):
            return None
        tiny = smallest(v)
        near = (jnp.abs(out) < tiny * 2.0**60) & (out != 0)
        signs, others = self.signs(out)
        by = signs * (float(np.sqrt(n)) * unit(v) * SCALE * magnitude)
        by += others * jnp.where(near, tiny * SCALE, 0)
        by = jnp.where(self._rounded, by, 0).astype(out.dtype)
        return by if change is None else change + by


def _mixed(words: Any) -> Any:
    """Mix the bits of words of 32, so that each depends on all (MurmurHash3's finaliser)."""
    for shift, odd in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        words = (words ^ (words >> shift)) * np.uint32(odd)
    return words ^ (words >> 16)


def _bind(eqn: Any, values: Sequence[Any]) -> list[Any]:
    outputs = eqn.primitive.bind(*values, **eqn.params)
    return list(outputs) if eqn.primitive.multiple_results else [outputs]


def _linear(eqn: Any) -> bool:
    """Tell whether an operation is linear in each operand, and decides nothing."""
    rule, real = RULES[eqn.primitive.name], all(is_real(v.aval) for v in eqn.outvars)
    return real and (
        rule.rearranges or rule.rounds is Rounds.SUM or eqn.primitive.name in LINEAR
    )


def _alike(v: Any, out: Any, step: Any, reached: Any, rounds: bool) -> Any:
    """Tell whether a result is where its derivative says, after a step.

    Half of the step may be of second order where it is `FARTHER` times as long as what is measured,
    and as much of the result as it is rounded by, so often. What selects is exact.
    """
    if not is_real(v.aval):
        return jnp.all(reached == out)
    said = out + step
    u = unit(v)
    most = jnp.abs(step) / 2 + FARTHER * u * jnp.abs(out) if rounds else 4 * u * jnp.abs(said)
    return jnp.all((reached == said) | (jnp.abs(reached - said) <= most))


def _magnitude(eqn: Any, values: Sequence[Any]) -> Any:
    """Return Σ|terms| of a sum."""
    sizes = [jnp.abs(x) if is_real(v.aval) else x for x, v in zip(values, eqn.invars, strict=True)]
    if eqn.primitive.name == "scatter-sub":
        sizes[-1] = -sizes[-1]
    return _bind(eqn, sizes)[0]

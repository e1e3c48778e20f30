"""Single operations on numbers with their changes to first order; see `linearised`."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.data.pytrees import is_real
from handgrad.program.cost import terms
from handgrad.program.equations import results_by_jax
from handgrad.program.form import QUICK, Form
from handgrad.program.rule import Rounds
from handgrad.program.rules import RULES
from handgrad.tolerance.first_order import SCALE
from handgrad.tolerance.monte_carlo import narrows, of_transform, smallest, unit

#: The draws of one run. Their changes take less memory than balls do.
DRAWS = 4

#: How many times as large as the changes of all `DRAWS` a change would have to be that no run in
#: balls shows: in a normal distribution that is one in a million.
FARTHER = 32

#: Operations that are linear, besides sums and those that move elements.
LINEAR = ("add", "add_any", "sub", "neg", "select_n")

#: Sums of products of two operands. They are linear in each, and not in both.
PRODUCTS = ("dot_general", "conv_general_dilated")


class Number(NamedTuple):
    """An array of a run."""

    value: Any
    change: Any = None  #: in each draw, times `SCALE`, (DRAWS, *shape); None if it has none

    def row(self, i: int) -> "Number":
        """Return a row of it."""
        return Number(self.value[i], None if self.change is None else self.change[:, i])


#: Operations are compiled one by one. In a whole program XLA repeats what leads to each, so that a
#: chain of 80 takes 30 s.
@lru_cache(maxsize=512)
def compiled(form: Form) -> Callable[..., Any]:
    """Compile the only operation of a form: (operands, word, rounded) -> results, what holds."""
    eqn = form.program

    def run(operands: list[Number], word: Any, rounded: Any) -> tuple[list[Number], Any]:
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return _operation(eqn, operands, word, rounded)

    return jax.jit(run, compiler_options=QUICK)


def _operation(
    eqn: Any, operands: list[Number], word: Any, rounded: Any
) -> tuple[list[Number], Any]:
    """Run an operation; return its results with their changes, and whether these hold."""
    rounds = RULES[eqn.primitive.name].rounds
    outputs, changes, holds = _differentiated(eqn, operands)
    sizes = [jnp.abs(out) for out in outputs]
    if rounds is Rounds.SUM:
        sizes = [np.sqrt(terms(eqn)) * _magnitude(eqn, [o.value for o in operands])]
    if rounds is Rounds.TRANSFORM:
        sizes = [of_transform(eqn, sizes)] * len(sizes)
    if eqn.primitive.name in PRODUCTS and all(o.change is not None for o in operands):
        holds = _alike_in_both(eqn, operands, changes[0], sizes[0])
    numbers = []
    for v, out, size, change in zip(eqn.outvars, outputs, sizes, changes, strict=True):
        moved = None
        if is_real(v.aval):
            moved = jnp.zeros((DRAWS, *out.shape), out.dtype) if change is None else change
            if rounds is not Rounds.NOTHING or narrows(eqn):
                by = _rounding(v, out, size, word + np.uint32(len(numbers)))
                moved += jnp.where(rounded, by, 0).astype(out.dtype)
        numbers.append(Number(out, moved))
    return numbers, holds


def _differentiated(eqn: Any, operands: list[Number]) -> tuple[list[Any], list[Any], Any]:
    """Run an operation; return its results, their changes before it rounds, whether these hold."""
    active = [i for i, o in enumerate(operands) if o.change is not None]
    values = [o.value for o in operands]

    def results(*near: Any) -> list[Any]:
        given = list(values)
        for i, value in zip(active, near, strict=True):
            given[i] = value
        return results_by_jax(eqn, given)

    outputs = results_by_jax(eqn, values)
    if not active:
        return outputs, [None] * len(outputs), True
    here, changes = [values[i] for i in active], [operands[i].change for i in active]

    def pushed(moves: Any) -> list[Any]:
        return jax.jvp(results, here, moves)[1]

    moved = jax.vmap(pushed)(changes)
    if _linear(eqn):
        return outputs, moved, True

    def alike(moves: Any) -> Any:
        far = [x + t * (FARTHER / SCALE) for x, t in zip(here, moves, strict=True)]
        # The steps that floats take, which are then exact; infinite numbers take none.
        steps = [jnp.where(jnp.isfinite(x), y - x, 0) for x, y in zip(here, far, strict=True)]
        each = zip(eqn.outvars, outputs, pushed(steps), results(*far), strict=True)
        rounds = RULES[eqn.primitive.name].rounds is Rounds.RESULT
        return jnp.array([_alike(*one, rounds) for one in each]).all()

    both_ways = [jnp.concatenate([change, -change]) for change in changes]
    return outputs, moved, jax.vmap(alike)(both_ways).all()


def _rounding(v: Any, out: Any, size: Any, word: Any) -> Any:
    """Return the rounding of a result in each draw, times `SCALE`, as `MonteCarlo` has it."""
    numbers = jax.lax.iota(np.uint32, out.size).reshape(out.shape)
    places = np.arange(2 * DRAWS, dtype=np.uint32).reshape(2, DRAWS, *[1] * out.ndim)
    bits = (_mixed(_mixed(numbers) + word) >> places) & np.uint32(1)
    signs, others = 1 - 2 * bits.astype(out.dtype)
    near = (jnp.abs(out) < smallest(v) * 2.0**60) & (out != 0)
    moved = signs * (unit(v) * SCALE * size) + others * jnp.where(near, smallest(v) * SCALE, 0)
    return jnp.where(jnp.isfinite(out), moved, 0)


def _mixed(words: Any) -> Any:
    """Mix the bits of words of 32, so that each depends on all (MurmurHash3's finaliser)."""
    for shift, odd in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        words = (words ^ (words >> shift)) * np.uint32(odd)
    return words ^ (words >> 16)


def _linear(eqn: Any) -> bool:
    """Tell whether an operation is linear, at least in each operand, and decides nothing."""
    rule, real = RULES[eqn.primitive.name], all(is_real(v.aval) for v in eqn.outvars)
    return real and (
        rule.rearranges
        or rule.rounds in (Rounds.SUM, Rounds.TRANSFORM)
        or eqn.primitive.name in LINEAR
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


def _alike_in_both(eqn: Any, operands: Sequence[Number], moved: Any, size: Any) -> Any:
    """Tell whether a product is where its derivative says, after steps of both operands.

    The bounds are those of `_alike`, divided by `FARTHER`. What is of second order is computed by
    itself, and so it is not rounded like the product.

    Args:
        eqn: the product.
        operands: both, with their changes.
        moved: its changes to first order, times `SCALE`.
        size: Σ|terms|, times the root of their number.
    """
    one, other = (jnp.where(jnp.isfinite(o.value), o.change, 0) for o in operands)
    second = jax.vmap(lambda *both: results_by_jax(eqn, both)[0])(one * (FARTHER / SCALE), other)
    rounded = SCALE * unit(eqn.outvars[0]) * size
    return jnp.all(jnp.abs(second) <= jnp.abs(moved) / 2 + rounded)


def _magnitude(eqn: Any, values: Sequence[Any]) -> Any:
    """Return Σ|terms| of a sum."""
    sizes = [jnp.abs(x) if is_real(v.aval) else x for x, v in zip(values, eqn.invars, strict=True)]
    if eqn.primitive.name == "scatter-sub":
        sizes[-1] = -sizes[-1]
    return results_by_jax(eqn, sizes)[0]

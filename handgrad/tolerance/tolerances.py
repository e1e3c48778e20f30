"""Compute the two tolerances of a gradient from the loss at the point.

**The sharp tolerance is conditioning.** Parameters, inputs and arrays in the closure of the loss
may be up to half an ulp from the values they stand for (0 and ±1 are exact). The *unit* of an
element is the largest change of the exact gradient over `SHARP_DRAWS` random draws of such values,
or the one that `handgrad.tolerance.first_order` estimates, plus half an ulp of the element. For an
exact 0 that does not change it is half an ulp of the largest element in its leaf, or else of all
(if all are 0, the deviation below). A gradient within `SHARP` units is as right as floating point
can be.

**The loose tolerance is ordinary rounding.** JAX's program for the gradient is run at high
precision with every number perturbed as the dtype rounds (`handgrad.tolerance.monte_carlo`).
`LOOSE` times the largest deviation of an element over `LOOSE_DRAWS` runs is what rounding explains.

**Selections do not move.** All these runs repeat the decisions of the run at the point: what is
larger, what is selected, in which order. Where another number is selected the gradient jumps, and
the jump is no measure of rounding: at a tie a small step would jump by whole numbers, which would
let any gradient pass. The subgradients at a tie are the oracle's concern. But two numbers may be so
close that rounding decides between them, and then a right gradient may be off by the jump. If a
perturbed run has shown that, the gradient is computed with its decisions instead, and a gap of
`LOOSE` times the largest *jump* proves nothing.

**Short formats** (bfloat16, float16, eight bits) have numbers that stand for no others: data half
an ulp away would be a licence to be wrong by a quarter. There rounding in the arithmetic that the
program shows, or that was stated, is what counts as right; see `handgrad.tolerance.stated`.

**Only what decides is measured.** Draws can but add to a tolerance, so what lies within the sharp
one of a few draws is right whatever the others show, and a draw or two decide for most right
gradients; of large ones they are estimated first (`handgrad.tolerance.first_order`). All are run
where that does not decide, and where somebody asks how large an error would have been caught; for
large gradients in floats (`handgrad.tolerance.linearised`), unless these do not show the tolerances
or the ruling depends on their digits.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, product
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference, sizes_about
from handgrad.oracle.truncation import Changes
from handgrad.tolerance import first_order
from handgrad.tolerance.runs import SHARP, SHARP_DRAWS, half_ulps
from handgrad.tolerance.stated import Stated

#: The loose tolerance in largest deviations; measured as `SHARP`.
LOOSE = 32

#: The largest of as many other draws from a normal distribution is seldom this many times as large
#: or as small: of eight once in 500 times, of four, with an estimate that counts, once in 1,000.
OTHER = 4.0


@dataclass(frozen=True, eq=False)
class Tolerance:
    """The tolerances of each element, floats of shape (size,), and of the loss."""

    unit: np.ndarray
    loose: np.ndarray
    unit_of_loss: float
    loose_of_loss: float
    program: np.ndarray  #: the gradient of JAX's program in exact arithmetic, objects
    #: The largest error by another selection, where rounding may decide one; else 0. Infinite where
    #: neither this nor rounding was measured, so that a gap of any size may be either.
    jump: np.ndarray
    #: What iterations that stop at a tolerance leave out; see `handgrad.oracle.truncation`.
    truncation: Changes | None = None
    stated: Stated | None = None  #: what rounding in short formats explains besides
    #: Half an ulp of the elements that are stored, where these are projected on a tangent space;
    #: see `handgrad.tolerance.runs.stored`.
    stored: np.ndarray | float = 0.0
    jump_of_loss: float = 0.0  #: as `jump`, of the loss
    #: How far an estimate may be from what is right, shape (size,); 0 where one is certified.
    bar: np.ndarray | float = 0.0

    @property
    def left_out(self) -> np.ndarray:
        """What iterations leave out of each element, shape (size,)."""
        return self.truncation.gradient if self.truncation else np.zeros_like(self.unit)

    @property
    def sharp(self) -> np.ndarray:
        """The largest error that counts as right, shape (size,)."""
        return self.rounding + self.left_out

    @property
    def rounding(self) -> np.ndarray:
        """What rounding explains of it, shape (size,)."""
        return SHARP * (self.unit + self.stored) + (self.stated.error if self.stated else 0.0)

    @property
    def sharp_of_loss(self) -> float:
        """The largest error of the loss that counts as right."""
        more = self.stated.error_of_loss if self.stated else 0.0
        more += self.truncation.loss if self.truncation else 0.0
        return SHARP * self.unit_of_loss + more

    @property
    def of_loss(self) -> float:
        """The largest error of the loss that conditioning and rounding explain."""
        return max(self.sharp_of_loss, self.loose_of_loss, self.jump_of_loss)

    def explains(self, value: float, exact: arb) -> bool:
        """Tell whether conditioning and rounding explain a value of the loss."""
        gap = float((arb(float(value)) - exact).abs_upper())
        return bool(np.isfinite(value)) and gap <= self.of_loss


class Draws:
    """The changes by each of `SHARP_DRAWS` random draws, as often as they are asked for.

    Ctrl-C or the end of the time may break off a draw. Those before it are kept, and it is done
    again from the same random numbers when it is asked for next.

    Args:
        rng: what the draws take their numbers from.
        bits: their precision.
        draw: does the next one and returns its changes.
    """

    def __init__(self, rng: np.random.Generator, bits: int, draw: Callable[[], np.ndarray]) -> None:
        self._rng, self._bits, self._draw = rng, bits, draw
        self._start = rng.bit_generator.state
        self._done: list[tuple[np.ndarray, Any]] = []  # and how each has left `rng`

    def __iter__(self) -> Iterator[np.ndarray]:
        for i in range(SHARP_DRAWS):
            if i == len(self._done):
                self._rng.bit_generator.state = self._done[-1][1] if i else self._start
                with balls.precision(self._bits):
                    self._done.append((self._draw(), self._rng.bit_generator.state))
            yield self._done[i][0]


class Tolerances:
    """The tolerances of a point, measured as far as is asked for.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        draws: the changes of loss and elements by each draw of other data, (1 + size,); gone
            through again if that was broken off.
        rest: (the largest changes by these draws) -> the tolerances in full.
        program: the gradient of JAX's program in exact arithmetic, objects; if it has one.
        estimate: the changes without any draw in balls, (1 + size,), or None; counts as a draw.
        linearised: (these changes) -> the tolerances in full, without any run in balls, or None.
        stated: measures what rounding in short formats explains; None where there are none.
    """

    def __init__(
        self,
        problem: Any,
        reference: Reference,
        draws: Iterable[np.ndarray],
        rest: Callable[[np.ndarray], Tolerance],
        program: np.ndarray | None = None,
        estimate: Callable[[], np.ndarray | None] = lambda: None,
        linearised: Callable[[np.ndarray], Tolerance | None] = lambda _: None,
        stated: Callable[[], Stated] | None = None,
    ) -> None:
        self._problem, self._reference, self._rest = problem, reference, rest
        self._draws, self._estimate, self._linearised = draws, estimate, linearised
        self._program = reference.gradient if program is None else program
        self._changes = np.zeros(1 + problem.size)
        self._measure_stated = stated
        self._stated: Stated | None = None
        self.truncation: Changes | None = None  #: what iterations leave out belongs to them
        self.stored: np.ndarray | float = 0.0  #: see `Tolerance.stored`

    def estimated(self) -> Iterator[Tolerance]:
        """Yield the tolerances without any draw, then the estimate; the loose ones are 0."""
        yield self._so_far()
        for changes in self._first:
            self._add(changes)
            yield self._so_far()

    def drawn(self) -> Iterator[Tolerance]:
        """Yield the tolerances after each draw in balls; the loose ones are 0."""
        if self._measure_stated is not None:
            self._stated = self._measure_stated()
            yield self._so_far()
        for changes in self._draws:
            self._add(changes)
            yield self._so_far()

    def _add(self, changes: np.ndarray) -> None:
        self._changes = np.fmax(self._changes, changes)

    @cached_property
    def _first(self) -> list[np.ndarray]:
        if (estimate := self._estimate()) is None:
            return []
        half = self._half_ulps(np.ones_like(estimate))
        return [np.fmin(estimate, first_order.MOST * half)]

    def _so_far(self) -> Tolerance:
        # An exact zero that no draw has changed so far may yet change, and then is given no ulp.
        changes = np.where(self._changes == 0, 1.0, self._changes)
        unit = self._changes + self._half_ulps(changes)
        none = np.zeros(self._problem.size)
        found = Tolerance(unit[1:], none, unit[0], 0.0, self._program, none, stated=self._stated)
        return self._completed(found)

    def _completed(self, found: Tolerance) -> Tolerance:
        return replace(found, truncation=self.truncation, stored=self.stored)

    @cached_property
    def _half_ulps(self) -> Callable[[np.ndarray], np.ndarray]:
        return half_ulps(self._problem, self._reference)

    @cached_property
    def in_floats(self) -> Tolerance | None:
        """The tolerances in full, as a run in floats shows them; None if it does not."""
        for changes in self._first:
            self._add(changes)
        found = self._linearised(self._changes)
        return found and self._completed(found)

    def others(self) -> Iterator[Tolerance]:
        """Yield those in floats, narrower and wider, as other draws might have shown them."""
        if (mine := self.in_floats) is None:
            return
        least = self._so_far()  # what is estimated counts whatever draws show
        for units, loose in product((1 / OTHER, OTHER), repeat=2):
            yield replace(
                mine,
                unit=np.fmax(least.unit, units * mine.unit),
                unit_of_loss=max(least.unit_of_loss, units * mine.unit_of_loss),
                loose=loose * mine.loose,
                loose_of_loss=loose * mine.loose_of_loss,
            )

    @cached_property
    def in_balls(self) -> Tolerance:
        """The tolerances of all draws in balls, which count from then on."""
        self.in_floats = None
        for changes in chain(self._first, self._draws):
            self._add(changes)
        return self._completed(self._rest(self._changes))

    @property
    def full(self) -> Tolerance:
        """The tolerances in full: in floats if these show them, else in balls.

        Draws in balls so far count, too; once all have been asked for, nothing else does.
        """
        if (mine := self.in_floats) is None:
            return self.in_balls
        return replace(mine, unit=np.fmax(mine.unit, self._so_far().unit))


class Measured(Tolerances):
    """Tolerances that are known in full from the start."""

    def __init__(self, full: Tolerance) -> None:
        self.truncation, self.stored, self._known = None, 0.0, full

    def estimated(self) -> Iterator[Tolerance]:
        """Yield none: nothing is left to be measured."""
        return iter(())

    drawn = estimated

    @cached_property
    def in_floats(self) -> Tolerance | None:
        """None: they were measured in another way."""
        return None

    @cached_property
    def in_balls(self) -> Tolerance:
        """The tolerances."""
        return replace(self._known, stored=self.stored)


def of_limit(problem: Problem, reference: Reference, changes: np.ndarray) -> Tolerance:
    """Return the tolerances of a limit (`handgrad.oracle.beside`), given changes by all draws.

    Code that replaces what is not finite does other things there than the program beside the point,
    whose rounding grows beyond all bounds. So half of the digits count as what rounding may cost,
    as in other code that is not seen.
    """
    unit, gradient = changes + half_ulps(problem, reference)(changes), reference.gradient
    half = np.sqrt(formats.of_elements(problem.leaves, "eps"))
    loose = half * sizes_about(problem.leaves, gradient, balls.contains_zero(gradient))
    of_loss = float(np.max(half, initial=0.0) * abs(reference.loss).mid())
    # What JAX's own program has at the point is no such limit, and excuses nothing.
    unknown, none = balls.exact(np.full(gradient.shape, np.nan)), np.zeros(gradient.shape)
    return Tolerance(unit[1:], loose, unit[0], of_loss, unknown, none)


def tolerance(
    reference: Reference,
    unit: np.ndarray,
    deviations: np.ndarray,
    jumps: np.ndarray,
    program: np.ndarray,
) -> Tolerance:
    """Return the tolerances, given units, deviations and jumps of the loss and every element."""
    if balls.contains_zero(reference.gradient).all():
        # Exact zeros alone give no scale, but the rounding of terms that cancel does.
        unit[1:] = np.fmax(unit[1:], deviations[1:])
    loose = LOOSE * deviations
    jump, of_loss = LOOSE * jumps[1:], LOOSE * float(jumps[0])
    of_all = unit[1:], loose[1:], unit[0], loose[0], program, jump
    return Tolerance(*of_all, jump_of_loss=of_loss)

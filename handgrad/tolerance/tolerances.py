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

**Only what decides is measured.** Draws can but add to a tolerance, so what lies within the sharp
one of a few draws is right whatever the others show, and a draw or two decide for most right
gradients; of large ones they are estimated first (`handgrad.tolerance.first_order`). All are run
where that does not decide, and where somebody asks how large an error would have been caught; for
large gradients in floats (`handgrad.tolerance.linearised`), unless these do not show the tolerances
or the ruling depends on their digits.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain, product
from types import MappingProxyType
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, Decisions
from handgrad.arithmetic.dual import Dual
from handgrad.data.point import slices
from handgrad.data.pytrees import is_real
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import (
    BLOCK,
    deciding_and_units,
    generic_and_units,
    with_units,
)
from handgrad.oracle.reference import Reference, element_scale
from handgrad.oracle.truncation import Changes
from handgrad.program.interpreter import UncertifiedPrimitiveError, number
from handgrad.program.trace import Program
from handgrad.tolerance import first_order, linearised
from handgrad.tolerance.monte_carlo import MonteCarlo
from handgrad.tolerance.perturbed_numpy import moved

#: The sharp tolerance in units. Measured over the models of models/zoo.py (`test_matrix.py`).
SHARP = 64

#: The loose tolerance in largest deviations; measured in the same way.
LOOSE = 32

SHARP_DRAWS, LOOSE_DRAWS = 4, 8

#: The largest of as many other draws from a normal distribution is seldom this many times as large
#: or as small: of eight once in 500 times, of four, with an estimate that counts, once in 1,000.
OTHER = 4.0

#: The most parameters for which changes are computed by series if no program has the gradient: each
#: draw costs one direction per parameter. With more, a unit is half an ulp.
MOST_BY_SERIES = 400

#: The precision in bits that changes of a gradient are computed with.
BITS = 192


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

    @property
    def left_out(self) -> np.ndarray:
        """What iterations leave out of each element, shape (size,)."""
        return self.truncation.gradient if self.truncation else np.zeros_like(self.unit)

    @property
    def sharp(self) -> np.ndarray:
        """The largest error that counts as right, shape (size,)."""
        return SHARP * self.unit + self.left_out

    @property
    def sharp_of_loss(self) -> float:
        """The largest error of the loss that counts as right."""
        return SHARP * self.unit_of_loss + (self.truncation.loss if self.truncation else 0.0)


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
    ) -> None:
        self._problem, self._reference, self._rest = problem, reference, rest
        self._draws, self._estimate, self._linearised = draws, estimate, linearised
        self._program = reference.gradient if program is None else program
        self._changes = np.zeros(1 + problem.size)
        self.truncation: Changes | None = None  #: what iterations leave out belongs to them

    def estimated(self) -> Iterator[Tolerance]:
        """Yield the tolerances without any draw, then the estimate; the loose ones are 0."""
        yield self._so_far()
        for changes in self._first:
            self._add(changes)
            yield self._so_far()

    def drawn(self) -> Iterator[Tolerance]:
        """Yield the tolerances after each draw in balls; the loose ones are 0."""
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
        return Tolerance(unit[1:], none, unit[0], 0.0, self._program, none, self.truncation)

    @cached_property
    def _half_ulps(self) -> Callable[[np.ndarray], np.ndarray]:
        return half_ulps(self._problem, self._reference)

    @cached_property
    def in_floats(self) -> Tolerance | None:
        """The tolerances in full, as a run in floats shows them; None if it does not."""
        for changes in self._first:
            self._add(changes)
        found = self._linearised(self._changes)
        return found and replace(found, truncation=self.truncation)

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
        return replace(self._rest(self._changes), truncation=self.truncation)

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
        self.truncation, self._known = None, full

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
        return self._known


def measure(problem: Problem, reference: Reference, seed: int) -> Tolerances:
    """Compute the two tolerances at a point.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        seed: of the random draws.

    Raises:
        UncertifiedPrimitiveError: JAX's gradient program has an operation without a rule.
    """
    rng, program = np.random.default_rng(seed), problem.traced.gradient
    if not reference.known.all():
        whole = partial(_of_known_elements, problem, reference, rng)
        return Tolerances(problem, reference, (), lambda _: whole())
    here = reference.run if reference.program is program else None
    if program is not None and here is None:
        with balls.precision(max(BITS, reference.bits)):
            here = _run(problem, program, problem.arguments(), None)
    estimate = partial(first_order.estimate, problem, reference, seed)
    draws = _draws(problem, reference, rng, here)
    rest = partial(_in_full, problem, reference, rng, here)
    program_in_balls = here and here[0][1:]
    floats = partial(_in_floats, problem, reference, seed, here)
    return Tolerances(problem, reference, draws, rest, program_in_balls, estimate, floats)


def _in_floats(
    problem: Problem,
    reference: Reference,
    seed: int,
    here: tuple[np.ndarray, Decisions] | None,
    changes: np.ndarray,
) -> Tolerance | None:
    """Compute both tolerances in floats, given the estimated changes; None if they do not show.

    The result of the run itself must be as right as the tolerances say, so that it is of the same
    rounding, and have some of its digits: a change that is computed from others may be anything.
    """
    program = first_order.covered(problem, reference)
    if program is None or here is None:
        return None
    moved = linearised.changes(problem, program, seed, SHARP_DRAWS, rounded=False)
    if moved is None or not moved.holds:
        return None
    rounded = linearised.changes(problem, program, seed, LOOSE_DRAWS, rounded=True)
    if rounded is None or not rounded.holds:
        return None
    exact, changes = here[0], np.fmax(changes, moved.changes)
    with balls.precision(max(BITS, reference.bits)):
        unit = changes + half_ulps(problem, reference)(changes)
        off = balls.magnitudes(balls.exact(rounded.result) - exact)
        if not (off <= np.fmin(LOOSE * rounded.changes, first_order.MOST * unit)).all():
            return None
        none = np.zeros(1 + problem.size)
        return tolerance(reference, unit, rounded.changes, none, exact[1:])


def _in_full(
    problem: Problem,
    reference: Reference,
    rng: np.random.Generator,
    here: tuple[np.ndarray, Decisions] | None,
    changes: np.ndarray,
) -> Tolerance:
    """Compute both tolerances, given the changes by all draws and the run of JAX's program."""
    program, rng = problem.traced.gradient, deepcopy(rng)  # the same if this is broken off
    with balls.precision(max(BITS, reference.bits)):
        if reference.kink is not None:
            # The gradient may be that of any side.
            for direction in reference.kink.directions:
                beyond = _by_series(problem, rng, with_units(direction))
                changes = np.fmax.reduce([changes, *(beyond() for _ in range(SHARP_DRAWS))])
        unit = changes + half_ulps(problem, reference)(changes)
        if program is None or here is None:
            # There is nothing to perturb; a rerun of the caller's code may still show lost digits.
            none = np.zeros(1 + problem.size)
            return tolerance(reference, unit, none, none, reference.gradient)
        base, decisions = here
        moved = (
            _run(problem, program, problem.arguments(), decisions, MonteCarlo(rng))[0]
            for _ in range(LOOSE_DRAWS)
        )
        # If JAX's program does not give a finite number, its rounding is no measure.
        finite = np.isfinite(balls.magnitudes(base))
        try:
            loose = np.where(finite, furthest(base, moved), 0.0)
        except UncertifiedPrimitiveError:  # nor may it be, of an operation without a rule for it
            loose = np.zeros(base.size)
        otherwise = (
            _run(problem, program, problem.arguments(), None, instead=other)[0]
            for other in decisions.others
        )
        jumps = np.where(finite, furthest(base, otherwise), 0.0)
    return tolerance(reference, unit, loose, jumps, base[1:])


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
    return Tolerance(unit[1:], loose[1:], unit[0], loose[0], program, LOOSE * jumps[1:])


def _of_known_elements(
    problem: Problem, reference: Reference, rng: np.random.Generator
) -> Tolerance:
    """Compute the sharp tolerance of the known elements; for the loose one there is no time.

    So what lies beyond it is not known to be more than rounding, unless a rerun shows that.
    """
    chosen, rng = np.flatnonzero(reference.known), deepcopy(rng)
    with balls.precision(max(BITS, reference.bits)):
        changes = np.zeros(1 + problem.size)
        for block in np.array_split(chosen, -(-chosen.size // BLOCK)):
            directions = generic_and_units(rng, problem.size, block)
            changes[np.append(0, 1 + block)] = _by_series(problem, rng, directions)()
        unit = changes + half_ulps(problem, reference)(changes)
    none, anything = np.zeros(problem.size), np.full(problem.size, np.inf)
    return Tolerance(unit[1:], none, unit[0], 0.0, reference.gradient, anything)


def _draws(
    problem: Problem,
    reference: Reference,
    rng: np.random.Generator,
    here: tuple[np.ndarray, Decisions] | None,
) -> Iterable[np.ndarray]:
    """Return the changes of the loss and of every element, shape (1 + size,), by each draw.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        rng: draws the perturbations.
        here: the run of JAX's gradient program at the point, if it has one.
    """
    bits, program = max(BITS, reference.bits), reference.program
    if program is not None:
        known = here if program is problem.traced.gradient else None
        run = cache(lambda: known or _run(problem, program, problem.arguments(), None))
        return Draws(rng, bits, lambda: _changes_by_program(problem, program, rng, run()))
    if problem.size <= MOST_BY_SERIES:
        return Draws(rng, bits, _by_series(problem, rng, deciding_and_units(problem)))
    return ()


def _changes_by_program(
    problem: Problem, program: Program, rng: Any, here: tuple[np.ndarray, Decisions]
) -> np.ndarray:
    """Return the changes of a gradient by its program; infinite if that breaks down."""
    base, decisions = here
    around = half_an_ulp_away((*problem.leaves, *problem.inputs), rng)
    constants = [_near(constant, rng) for constant in program.jaxpr.consts]
    try:
        run, _ = _run(problem, program, around, decisions, constants=constants)
    except UncertifiedPrimitiveError:  # a rule that other numbers are beyond
        return np.full(base.size, np.inf)
    return furthest(base, [run])


def _by_series(problem: Problem, rng: Any, directions: np.ndarray) -> Callable[[], np.ndarray]:
    """Return what draws by series of the loss, on the side of its ties of the first direction."""

    @cache
    def here() -> tuple[np.ndarray, Decisions]:
        found = Comparisons(final=True, undefined=True)
        return in_one(*evaluate.slopes(problem, directions, found)), found.decided

    def changes() -> np.ndarray:
        base, decisions = here()
        around = half_an_ulp_away((*problem.leaves, *problem.inputs), rng)
        frozen = Comparisons(final=True, undefined=True, frozen=decisions)
        return furthest(base, [in_one(*evaluate.slopes(problem, directions, frozen, around))])

    return changes


def in_one(loss: arb, slopes: np.ndarray) -> np.ndarray:
    """Return the loss and its slopes but the first, whose direction only decides ties."""
    return np.append(balls.boxed([loss], (1,)), slopes[1:])


def half_ulps(problem: Problem, reference: Reference) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that gives half an ulp of the loss and each element, (1 + size,).

    The ulp is that of the dtype of the leaf. The function takes the changes of loss and elements
    for data half an ulp away: an exact zero that changes has no ulp of its own, one that does not
    that of its neighbours.
    """
    loss = np.spacing(abs(float(reference.loss.mid()))) / 2
    zero = balls.contains_zero(reference.gradient)
    sizes = element_scale(problem, reference.gradient, zero)
    if reference.kink is not None:
        sizes = np.fmax(sizes, reference.kink.largest)
    half = np.empty_like(sizes)
    for leaf, part in zip(problem.leaves, slices(problem.leaves), strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            half[part] = np.spacing(sizes[part].astype(leaf.dtype)).astype(np.float64) / 2
    half = np.maximum(half, np.finfo(np.float64).smallest_subnormal)

    def after(changes: np.ndarray) -> np.ndarray:
        if reference.kink is not None:
            return np.append(loss, half)
        of_zero = np.where(changes[1:] == 0, sizes, 0.0)
        return np.append(loss, np.where(zero, of_zero, half))

    return after


def half_an_ulp_away(arrays: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Return the arrays as balls, every float perturbed by ± half an ulp except 0 and ±1."""
    return [moved(array, rng.choice([-1.0, 1.0], size=np.shape(array))) for array in arrays]


def _near(constant: Any, rng: np.random.Generator) -> Any:
    """Perturb a constant of the loss's closure by half an ulp, if it holds floats."""
    if not is_real(constant):
        return number(constant)
    return Dual(half_an_ulp_away([np.asarray(constant)], rng)[0])


def _run(
    problem: Problem,
    program: Program,
    arguments: Sequence[np.ndarray],
    frozen: Decisions | None,
    rounding: MonteCarlo | None = None,
    constants: Sequence[Any] | None = None,
    instead: Mapping[int, np.ndarray] = MappingProxyType({}),
) -> tuple[np.ndarray, Decisions]:
    """Return the loss and its gradient in one vector, and the decisions of the run."""
    comparisons = Comparisons(final=True, undefined=True, frozen=frozen, instead=instead)
    loss, gradient = evaluate.gradient(
        problem, program, arguments, comparisons, rounding, constants
    )
    return np.append(balls.boxed([loss], (1,)), gradient), comparisons.decided


def furthest(base: np.ndarray, runs: Iterable[np.ndarray]) -> np.ndarray:
    """Return the largest distance of each element of perturbed runs from the base.

    It is a lower bound: 0 where the balls overlap, and infinite for NaN.
    """
    found = np.zeros(base.size)
    for run in runs:
        distance = balls.least_magnitudes(run - base)
        found = np.fmax(found, np.where(np.isnan(distance), np.inf, distance))
    return found

"""How far from the reference an answer may be: two tolerances, derived from the loss at the point.

**The sharp one is conditioning.** Parameters, inputs and arrays that the loss has in its closure
stand for values up to half an ulp away (an exact 0 or ±1 is meant). The *unit* of an element is the
largest move of the exact gradient over `SHARP_DRAWS` random draws of such values, and half an ulp
of the element on top; where the exact value is 0 and does not move, half an ulp of the largest
element about it (where all are 0, the deviation that rounding explains). An answer within `SHARP`
units is as right as floating point can be.

**The loose one is ordinary rounding.** JAX's program for the gradient is run at high precision with
every number on its way moved by as much as the format rounds (`handgrad.tolerance.monte_carlo`);
`LOOSE` times the largest deviation of an element over `LOOSE_DRAWS` runs is what rounding explains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.data.pytrees import is_real
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import BLOCK, and_units, one_and_units
from handgrad.oracle.reference import Reference, contains_zero, element_scale
from handgrad.program.interpreter import number
from handgrad.program.trace import Program
from handgrad.tolerance.monte_carlo import MonteCarlo

#: Right is within so many units. Measured over the models of models/zoo.py (`test_judge.py`).
SHARP = 64

#: Explained by rounding is within so many of the largest deviations seen; measured as above.
LOOSE = 32

SHARP_DRAWS, LOOSE_DRAWS = 4, 8

#: Up to so many parameters the moves are had by series, where no program has the gradient: each
#: draw costs as many directions. Beyond, a unit is half an ulp.
MOST_BY_SERIES = 400

#: Bits that the moves of a gradient are computed with, beyond those of a float64.
BITS = 192


@dataclass(frozen=True, eq=False)
class Tolerance:
    """How far each element, and the loss, may be from the reference. Floats, shape (size,)."""

    unit: np.ndarray
    loose: np.ndarray
    unit_of_loss: float
    loose_of_loss: float
    program: np.ndarray  #: what JAX's program answers in exact arithmetic, objects

    @property
    def sharp(self) -> np.ndarray:
        """The largest distance that counts as right."""
        return SHARP * self.unit


def measure(problem: Problem, reference: Reference, seed: int) -> Tolerance:
    """Both tolerances at a point.

    Args:
        problem: the loss and the point.
        truth: its certified gradient.
        seed: of the random draws.
    """
    rng = np.random.default_rng(seed)
    if not reference.known.all():
        return _of_some(problem, reference, rng)
    program = problem.traced.gradient
    with balls.precision(max(BITS, reference.bits)):
        base, frozen = _run(problem, program, problem.arguments(), None)
        unit = _units(
            problem, reference, rng, (base, frozen) if reference.program is program else None
        )
        loose = np.zeros(problem.size + 1)
        for _ in range(LOOSE_DRAWS):
            moved, _ = _run(problem, program, problem.arguments(), frozen, MonteCarlo(rng))
            loose = np.fmax(loose, distance(moved, base))
        # Of a number that JAX's program does not have, its rounding tells nothing.
        loose = np.where(_finite(base), loose, 0.0)
        if contains_zero(reference.gradient).all():
            # Nothing but exact zeros has no size; what is left of terms that cancel has.
            unit[1:] = np.fmax(unit[1:], loose[1:])
    return Tolerance(unit[1:], LOOSE * loose[1:], unit[0], LOOSE * loose[0], base[1:])


def _of_some(problem: Problem, reference: Reference, rng: np.random.Generator) -> Tolerance:
    """The sharp tolerance where only some elements are known; for the loose one is no time."""
    chosen = np.flatnonzero(reference.known)
    with balls.precision(max(BITS, reference.bits)):
        moves = np.zeros(1 + problem.size)
        for block in np.array_split(chosen, -(-chosen.size // BLOCK)):
            directions = one_and_units(rng, problem.size, block)
            moved = _moves_of_series(problem, rng, directions, draws=1)
            moves[np.append(0, 1 + block)] = moved
        here = element_scale(problem, reference.gradient)
    loss = np.abs(balls.midpoints(balls.boxed([reference.loss], (1,))))
    unit = moves + np.concatenate([np.spacing(loss) / 2, half_ulps(problem, here)])
    nothing = np.zeros(problem.size)
    return Tolerance(unit[1:], nothing, unit[0], 0.0, reference.gradient)


def _units(
    problem: Problem,
    reference: Reference,
    rng: np.random.Generator,
    here: tuple[np.ndarray, Any] | None,
) -> np.ndarray:
    """The units of the loss and of every element, shape (1 + size,).

    Args:
        problem: the loss and the point.
        truth: its certified gradient.
        rng: of the draws.
        here: what the reference's program answers at the point, if that has been run.
    """
    loss = balls.boxed([reference.loss], (1,))
    sizes = np.concatenate(
        [np.abs(balls.midpoints(loss)), element_scale(problem, reference.gradient)]
    )
    if reference.program is not None:
        moves = _moves_of_program(problem, reference.program, rng, here)
    elif problem.size <= MOST_BY_SERIES:
        moves = _moves_of_series(problem, rng)
    else:
        moves = np.zeros(sizes.size)
    if reference.kink is not None:
        # The answer may be on any side.
        for way in reference.kink.ways:
            moves = np.fmax(moves, _moves_of_series(problem, rng, and_units(way)))
        sides = reference.kink.corner + reference.kink.edges
        sizes[1:] = np.fmax(sizes[1:], np.max(balls.magnitudes(sides), axis=0))
    half = np.concatenate([[np.spacing(sizes[0]) / 2], half_ulps(problem, sizes[1:])])
    zero = np.concatenate([[False], contains_zero(reference.gradient)])
    if reference.kink is None:
        half = np.where(zero, np.where(moves == 0, sizes, 0.0), half)
    return moves + half


def _moves_of_program(
    problem: Problem, program: Program, rng: Any, here: tuple[np.ndarray, Any] | None
) -> np.ndarray:
    """The largest moves of a gradient, by a program that has it; infinite where it breaks down."""
    base, frozen = here or _run(problem, program, problem.arguments(), None)
    moves = np.zeros(base.size)
    for _ in range(SHARP_DRAWS):
        around = half_an_ulp_away((*problem.leaves, *problem.inputs), rng)
        constants = [_near(constant, rng) for constant in program.jaxpr.consts]
        moved, _ = _run(problem, program, around, frozen, constants=constants)
        moves = np.fmax(moves, distance(moved, base))
    return moves


def _moves_of_series(
    problem: Problem,
    rng: Any,
    directions: np.ndarray | None = None,
    draws: int = SHARP_DRAWS,
) -> np.ndarray:
    """The same by power series of the loss, on the side of its ties where the first one leads."""
    if directions is None:
        directions = one_and_units(np.random.default_rng(problem.size), problem.size)
    found = Comparisons(final=True, undefined=True)
    base = _vector(*evaluate.slopes(problem, directions, found))
    moves = np.zeros(base.size)
    for _ in range(draws):
        around = half_an_ulp_away((*problem.leaves, *problem.inputs), rng)
        frozen = Comparisons(final=True, undefined=True, frozen=found.decided)
        moved = _vector(*evaluate.slopes(problem, directions, frozen, around))
        moves = np.fmax(moves, distance(moved, base))
    return moves


def _vector(loss: arb, slopes: np.ndarray) -> np.ndarray:
    return np.concatenate([balls.boxed([loss], (1,)), slopes[1:]])


def _finite(vector: np.ndarray) -> np.ndarray:
    return np.isfinite(balls.magnitudes(vector))


def half_ulps(problem: Problem, sizes: np.ndarray) -> np.ndarray:
    """Half an ulp of each element, in the format of its leaf; sizes of shape (size,)."""
    out, start = np.empty_like(sizes), 0
    for leaf in problem.leaves:
        part = slice(start, start + leaf.size)
        with np.errstate(over="ignore", invalid="ignore"):
            out[part] = np.spacing(sizes[part].astype(leaf.dtype)).astype(np.float64) / 2
        start += leaf.size
    return np.maximum(out, np.finfo(np.float64).smallest_subnormal)


def half_an_ulp_away(arrays: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """The arrays as balls, with every float half an ulp up or down; 0 and ±1 stay."""
    return [_moved(np.asarray(array), rng) for array in arrays]


def _near(constant: Any, rng: np.random.Generator) -> Any:
    """What a loss has in its closure: floats half an ulp away, the rest as it is."""
    if not is_real(constant):
        return number(constant)
    return Dual(half_an_ulp_away([np.asarray(constant)], rng)[0])


def _moved(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    fixed = (array == 0) | (np.abs(array) == 1) | ~np.isfinite(array)
    with np.errstate(invalid="ignore"):
        ulps = np.where(fixed, 0.0, np.spacing(array).astype(np.float64))
    signs = rng.choice([-1.0, 1.0], size=array.shape)
    return np.asarray(balls.exact(array) + balls.exact(signs * ulps) * arb(0.5), dtype=object)


def _run(
    problem: Problem,
    program: Program,
    arguments: Sequence[np.ndarray],
    frozen: Any,
    rounding: MonteCarlo | None = None,
    constants: Sequence[Any] | None = None,
) -> tuple[np.ndarray, Any]:
    """The loss and its gradient in one vector, and how the comparisons were decided."""
    comparisons = Comparisons(final=True, undefined=True, frozen=frozen)
    loss, gradient = evaluate.gradient(
        problem, program, arguments, comparisons, rounding, constants
    )
    return np.concatenate([balls.boxed([loss], (1,)), gradient]), comparisons.decided


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far apart the midpoints are certainly; 0 where the balls overlap, NaN as infinity."""
    gaps = balls.boxed([(p - q).abs_lower() for p, q in zip(a, b, strict=True)], a.shape)
    distance = balls.midpoints(gaps)
    return np.where(np.isnan(distance), np.inf, distance)

"""Both tolerances where there is a loss in NumPy and no program: see `handgrad.tolerance`.

**The sharp one** is had as there, by series around the point. Floats that the loss has in its
closure come in while it runs, and are moved as they do.

**The loose one** cannot come from JAX's gradient program. It comes from the caller's lines
differentiated forwards, as the series do it, with every result and every slope on the way moved by
what the format rounds. That is an ordinary program for the same gradient; a backward pass by hand
has the same forward values, and it is mostly there that digits are lost. Beyond it the caller's own
gradient at another precision tells rounding from a mistake (`handgrad.judging.reruns`), as
everywhere.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.numpy_losses.certify import Untraced
from handgrad.oracle.numpy_losses.dispatch import Disturbance
from handgrad.oracle.random_directions import and_units, one_and_units
from handgrad.oracle.reference import Reference, contains_zero, element_scale
from handgrad.tolerance import tolerances
from handgrad.tolerance.perturbed_numpy import OtherData, Rounding
from handgrad.tolerance.tolerances import (
    LOOSE,
    LOOSE_DRAWS,
    SHARP_DRAWS,
    Tolerance,
    half_an_ulp_away,
)


def measure(problem: Untraced, reference: Reference, seed: int) -> Tolerance:
    """Both tolerances at a point.

    Args:
        problem: the loss and the point.
        truth: its certified gradient; of elements that are not known, both are 0.
        seed: of the random draws.
    """
    rng, known = np.random.default_rng(seed), np.flatnonzero(reference.known)
    # The format on the way is not known; the coarsest of the parameters' is one to be expected.
    coarsest = max((leaf.dtype for leaf in problem.leaves), key=lambda dtype: np.finfo(dtype).eps)
    with balls.precision(max(tolerances.BITS, reference.bits)):
        here = one_and_units(np.random.default_rng(problem.size), problem.size, known)
        around = Around(problem, known, here)
        moves, deviations = around.moves(rng), around.deviations(coarsest, rng)
        if reference.kink is not None:
            # The answer may be on any side.
            for way in reference.kink.ways:
                moves = np.fmax(moves, Around(problem, known, and_units(way, known)).moves(rng))
    unit = moves + _half_ulps(problem, reference, moves)
    if contains_zero(reference.gradient).all():
        # Nothing but exact zeros has no size; what is left of terms that cancel has.
        unit[1:] = np.fmax(unit[1:], deviations[1:])
    loose = LOOSE * deviations
    return Tolerance(unit[1:], loose[1:], unit[0], loose[0], reference.gradient)


class Around:
    """Runs around a point, on the side of its ties where the first of the directions leads."""

    def __init__(self, problem: Untraced, known: np.ndarray, directions: np.ndarray) -> None:
        self._problem, self._known, self._directions = problem, known, directions
        found = Comparisons(final=True, undefined=True)
        self._here = _vector(*certify.slopes(problem, self._directions, found))
        self._decided = found.decided

    def moves(self, rng: np.random.Generator) -> np.ndarray:
        """How far the loss and each element move for data half an ulp away: shape (1 + size,)."""
        everything = (*self._problem.leaves, *self._problem.inputs)
        return self._furthest(
            self._run(half_an_ulp_away(everything, rng), OtherData(rng)) for _ in range(SHARP_DRAWS)
        )

    def deviations(self, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
        """How far rounding in a format leads them: shape (1 + size,)."""
        return self._furthest(self._run(None, Rounding(rng, dtype)) for _ in range(LOOSE_DRAWS))

    def _run(self, arguments: Any, disturbance: Disturbance) -> np.ndarray:
        frozen = Comparisons(final=True, undefined=True, frozen=self._decided)
        found = certify.slopes(self._problem, self._directions, frozen, arguments, disturbance)
        return _vector(*found)

    def _furthest(self, runs: Iterable[np.ndarray]) -> np.ndarray:
        furthest = np.zeros(1 + self._problem.size)
        gaps = [tolerances.distance(there, self._here) for there in runs]
        furthest[np.append(0, 1 + self._known)] = np.fmax.reduce(gaps)
        return furthest


def _half_ulps(problem: Untraced, reference: Reference, moves: np.ndarray) -> np.ndarray:
    """Half an ulp of the loss and of each element; nothing of a 0 that moves."""
    loss = np.abs(balls.midpoints(balls.boxed([reference.loss], (1,))))
    here = element_scale(problem, reference.gradient)
    if reference.kink is not None:
        sides = reference.kink.corner + reference.kink.edges
        here = np.fmax(here, np.max(balls.magnitudes(sides), axis=0))
    half = tolerances.half_ulps(problem, here)
    if reference.kink is None:
        of_zero = np.where(moves[1:] == 0, here, 0.0)
        half = np.where(contains_zero(reference.gradient), of_zero, half)
    return np.concatenate([np.spacing(loss) / 2, half])


def _vector(loss: arb, slopes: np.ndarray) -> np.ndarray:
    return np.concatenate([balls.boxed([loss], (1,)), slopes[1:]])

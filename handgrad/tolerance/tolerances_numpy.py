"""Compute the two tolerances for a loss in NumPy, which has no gradient program.

See `handgrad.tolerance.tolerances` for their definition.

**The sharp tolerance** is computed by series around the point. Floats in the closure of the loss
are perturbed where they enter the computation.

**The loose tolerance** comes from the caller's code on series, which is forward-mode
differentiation, with every result and slope perturbed as the dtype rounds. A backward pass by hand
has the same forward values, where most digits are lost. Gaps beyond it are resolved by rerunning
the caller's gradient at another precision (`handgrad.judging.reruns`), as for all losses.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.numpy_losses.certify import Untraced
from handgrad.oracle.numpy_losses.dispatch import Perturbation
from handgrad.oracle.random_directions import generic_and_units, with_units
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
    """Compute the two tolerances at a point; both are 0 for elements that are not known.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        seed: of the random draws.
    """
    rng, known = np.random.default_rng(seed), np.flatnonzero(reference.known)
    # The dtype of intermediate results is not known; the coarsest of the parameters is likely.
    coarsest = max((leaf.dtype for leaf in problem.leaves), key=lambda dtype: np.finfo(dtype).eps)
    with balls.precision(max(tolerances.BITS, reference.bits)):
        here = generic_and_units(np.random.default_rng(problem.size), problem.size, known)
        around = Around(problem, known, here)
        changes, deviations = around.changes(rng), around.deviations(coarsest, rng)
        if reference.kink is not None:
            # The gradient may be that of any side.
            for direction in reference.kink.directions:
                beyond = Around(problem, known, with_units(direction, known))
                changes = np.fmax(changes, beyond.changes(rng))
    unit = changes + _half_ulps(problem, reference, changes)
    if contains_zero(reference.gradient).all():
        # Exact zeros alone give no scale, but the rounding of terms that cancel does.
        unit[1:] = np.fmax(unit[1:], deviations[1:])
    loose = LOOSE * deviations
    return Tolerance(unit[1:], loose[1:], unit[0], loose[0], reference.gradient)


class Around:
    """Perturbed runs at a point, on the side of its ties of the first direction."""

    def __init__(self, problem: Untraced, known: np.ndarray, directions: np.ndarray) -> None:
        self._problem, self._known, self._directions = problem, known, directions
        found = Comparisons(final=True, undefined=True)
        self._here = _vector(*certify.slopes(problem, self._directions, found))
        self._decided = found.decided

    def changes(self, rng: np.random.Generator) -> np.ndarray:
        """Return the changes of loss and elements for data half an ulp away, shape (1 + size,)."""
        everything = (*self._problem.leaves, *self._problem.inputs)
        return self._furthest(
            self._run(half_an_ulp_away(everything, rng), OtherData(rng)) for _ in range(SHARP_DRAWS)
        )

    def deviations(self, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
        """Return the deviations of loss and elements by rounding in a dtype, shape (1 + size,)."""
        return self._furthest(self._run(None, Rounding(rng, dtype)) for _ in range(LOOSE_DRAWS))

    def _run(self, arguments: Any, perturbation: Perturbation) -> np.ndarray:
        frozen = Comparisons(final=True, undefined=True, frozen=self._decided)
        found = certify.slopes(self._problem, self._directions, frozen, arguments, perturbation)
        return _vector(*found)

    def _furthest(self, runs: Iterable[np.ndarray]) -> np.ndarray:
        furthest = np.zeros(1 + self._problem.size)
        gaps = [tolerances.distance(there, self._here) for there in runs]
        furthest[np.append(0, 1 + self._known)] = np.fmax.reduce(gaps)
        return furthest


def _half_ulps(problem: Untraced, reference: Reference, changes: np.ndarray) -> np.ndarray:
    """Return half an ulp of the loss and of each element; 0 for a zero that changes."""
    loss = np.abs(balls.midpoints(balls.boxed([reference.loss], (1,))))
    here = element_scale(problem, reference.gradient)
    if reference.kink is not None:
        one_sided = reference.kink.vertex + reference.kink.edges
        here = np.fmax(here, np.max(balls.magnitudes(one_sided), axis=0))
    half = tolerances.half_ulps(problem, here)
    if reference.kink is None:
        of_zero = np.where(changes[1:] == 0, here, 0.0)
        half = np.where(contains_zero(reference.gradient), of_zero, half)
    return np.concatenate([np.spacing(loss) / 2, half])


def _vector(loss: arb, slopes: np.ndarray) -> np.ndarray:
    return np.concatenate([balls.boxed([loss], (1,)), slopes[1:]])

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
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.data import formats
from handgrad.data.formats import Format
from handgrad.oracle import evaluate
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.numpy_losses.certify import Untraced
from handgrad.oracle.numpy_losses.dispatch import Perturbation
from handgrad.oracle.random_directions import generic_and_units, with_units
from handgrad.oracle.reference import Reference
from handgrad.tolerance import stated
from handgrad.tolerance.perturbed_numpy import OtherData, Rounding
from handgrad.tolerance.runs import (
    BITS,
    LOOSE_DRAWS,
    SHARP_DRAWS,
    furthest,
    half_an_ulp_away,
    half_ulps,
    in_one,
)
from handgrad.tolerance.tolerances import Draws, Tolerance, Tolerances, of_limit, tolerance


def measure(problem: Untraced, reference: Reference, seed: int) -> Tolerances:
    """Compute the two tolerances at a point; both are 0 for elements that are not known.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        seed: of the random draws.
    """
    problem = problem if reference.problem is None else cast(Untraced, reference.problem)
    rng, known = np.random.default_rng(seed), np.flatnonzero(reference.known)
    with balls.precision(max(BITS, reference.bits)):
        here = None
        if problem.leaves_of is None:
            here = generic_and_units(np.random.default_rng(problem.size), problem.size, known)
        around = Around(problem, known, here)
    bits = max(BITS, reference.bits)
    full = partial(_in_full, problem, reference, rng, around)
    rest = full if problem.shift is None else partial(of_limit, problem, reference)
    return Tolerances(problem, reference, Draws(rng, bits, partial(around.draw, rng)), rest)


def _in_full(
    problem: Untraced,
    reference: Reference,
    rng: np.random.Generator,
    around: "Around",
    changes: np.ndarray,
) -> Tolerance:
    """Compute both tolerances, given the changes by all draws."""
    # The dtype of intermediate results is not known; the coarsest of the parameters is likely.
    coarsest = max((formats.of(leaf.dtype) for leaf in problem.leaves), key=lambda f: f.unit)
    known, rng = np.flatnonzero(reference.known), deepcopy(rng)  # the same if this is broken off
    with balls.precision(max(BITS, reference.bits)):
        deviations = around.deviations(coarsest, rng)
        jumps = around.jumps()
        if reference.kink is not None:
            # The gradient may be that of any side.
            for direction in reference.kink.directions:
                beyond = Around(problem, known, with_units(direction, known))
                changes = np.fmax.reduce([changes, *(beyond.draw(rng) for _ in range(SHARP_DRAWS))])
    unit = changes + half_ulps(problem, reference)(changes)
    found = tolerance(reference, unit, deviations, jumps, reference.gradient)
    if not stated.applies(problem):
        return found
    # There are no formats to see, and one run is as good as another.
    arithmetic = problem.computed_in
    form = coarsest if arithmetic is None or arithmetic.values is None else arithmetic.values
    with balls.precision(max(BITS, reference.bits)):
        runs = [around.signed(form, rng) for _ in range(stated.DRAWS)]
    explained = stated.stated(problem, reference, np.array(runs))
    explained = stated.with_loose(problem, reference, explained, np.array(runs))
    return replace(found, stated=explained, loose=explained.loose)


class Around:
    """Perturbed runs at a point, on the side of its ties of the first direction."""

    def __init__(self, problem: Untraced, known: np.ndarray, directions: np.ndarray | None) -> None:
        self._problem, self._known, self._directions = problem, known, directions
        found = Comparisons(final=True, undefined=True)
        self._here = self._slopes(found)
        self._decided = found.decided

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Return the changes of loss and elements for data half an ulp away, shape (1 + size,)."""
        everything = (*self._problem.leaves, *self._problem.inputs)
        return self._furthest([self._run(half_an_ulp_away(everything, rng), OtherData(rng))])

    def deviations(self, form: Format, rng: np.random.Generator) -> np.ndarray:
        """Return the deviations of loss and elements by rounding in a format, shape (1 + size,)."""
        return self._furthest(self._run(None, Rounding(rng, form)) for _ in range(LOOSE_DRAWS))

    def signed(self, form: Format, rng: np.random.Generator) -> np.ndarray:
        """Return the deviations of one run, with their signs."""
        found = np.zeros(1 + self._problem.size)
        deviation = balls.midpoints(self._run(None, Rounding(rng, form)) - self._here)
        found[np.append(0, 1 + self._known)] = np.where(np.isnan(deviation), np.inf, deviation)
        return found

    def jumps(self) -> np.ndarray:
        """Return the changes by decisions that rounding may make instead, shape (1 + size,)."""
        return self._furthest(
            self._slopes(Comparisons(final=True, undefined=True, instead=other))
            for other in self._decided.others
        )

    def _run(self, arguments: Any, perturbation: Perturbation) -> np.ndarray:
        frozen = Comparisons(final=True, undefined=True, frozen=self._decided)
        return self._slopes(frozen, arguments, perturbation)

    def _slopes(self, comparisons: Comparisons, *changes: Any) -> np.ndarray:
        with certify.on_series():
            if self._directions is None:
                value, leaves = certify.in_one_run(self._problem, comparisons, *changes)
                return np.append(balls.boxed([value], (1,)), leaves)
            return in_one(*evaluate.slopes(self._problem, self._directions, comparisons, *changes))

    def _furthest(self, runs: Iterable[np.ndarray]) -> np.ndarray:
        found = np.zeros(1 + self._problem.size)
        found[np.append(0, 1 + self._known)] = furthest(self._here, runs)
        return found

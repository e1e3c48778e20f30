"""Compute the two tolerances for a loss in NumPy, which has no gradient program.

See `handgrad.tolerance.tolerances` for their definition.

**The sharp tolerance** is computed by series around the point. Floats in the closure of the loss
are perturbed where they enter the computation.

**The loose tolerance** comes from the caller's code on series, which is forward-mode
differentiation, with every result and slope perturbed as the dtype rounds. A backward pass by hand
has the same forward values, where most digits are lost. Gaps beyond it are resolved by rerunning
the caller's gradient at another precision (`handgrad.judging.reruns`), as for all losses.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.data import formats
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.numpy_losses.certify import Untraced
from handgrad.oracle.random_directions import generic_and_units, with_units
from handgrad.oracle.reference import Reference
from handgrad.tolerance import stated
from handgrad.tolerance.around import OnSeries
from handgrad.tolerance.perturbed_numpy import OtherData, Rounding
from handgrad.tolerance.runs import (
    BITS,
    SHARP_DRAWS,
    half_ulps,
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
        directions = None
        if problem.leaves_of is None:
            deciding = np.random.default_rng(problem.size)
            directions = generic_and_units(deciding, problem.size, known)
        around = OfCode(problem, directions, known)
    bits = max(BITS, reference.bits)
    full = partial(_in_full, problem, reference, rng, around)
    rest = full if problem.shift is None else partial(of_limit, problem, reference)
    return Tolerances(problem, reference, Draws(rng, bits, partial(around.draw, rng)), rest)


def _in_full(
    problem: Untraced,
    reference: Reference,
    rng: np.random.Generator,
    around: OnSeries,
    changes: np.ndarray,
) -> Tolerance:
    """Compute both tolerances, given the changes by all draws."""
    # The dtype of intermediate results is not known; the coarsest of the parameters is likely.
    coarsest = max((formats.of(leaf.dtype) for leaf in problem.leaves), key=lambda f: f.unit)
    known, rng = np.flatnonzero(reference.known), deepcopy(rng)  # the same if this is broken off
    with balls.precision(max(BITS, reference.bits)):
        deviations = around.deviations(Rounding(rng, coarsest))
        jumps = around.jumps()
        if reference.kink is not None:
            # The gradient may be that of any side.
            for direction in reference.kink.directions:
                beyond = OfCode(problem, with_units(direction, known), known)
                changes = np.fmax.reduce([changes, *(beyond.draw(rng) for _ in range(SHARP_DRAWS))])
    unit = changes + half_ulps(problem, reference)(changes)
    found = tolerance(reference, unit, deviations, jumps, reference.gradient)
    if not stated.applies(problem):
        return found
    # There are no formats to see, and one run is as good as another.
    arithmetic = problem.computed_in
    form = coarsest if arithmetic is None or arithmetic.values is None else arithmetic.values
    with balls.precision(max(BITS, reference.bits)):
        runs = [around.signed(None, Rounding(rng, form)) for _ in range(stated.DRAWS)]
    explained = stated.stated(problem, reference, np.array(runs))
    explained = stated.with_loose(problem, reference, explained, np.array(runs))
    return replace(found, stated=explained, loose=explained.loose)


class OfCode(OnSeries):
    """Runs of code in NumPy; of a linear loss, of what computes its coefficients."""

    def results(self, comparisons: Comparisons, *changes: Any) -> np.ndarray:
        """See `OnSeries.results`."""
        code = cast(Untraced, self.problem)
        with certify.on_series():
            if code.leaves_of is None:
                return super().results(comparisons, *changes)
            value, leaves = certify.in_one_run(code, comparisons, *changes)
            return np.append(balls.boxed([value], (1,)), leaves)

    def _other_data(self, rng: np.random.Generator) -> Sequence[Any]:
        return (OtherData(rng),)

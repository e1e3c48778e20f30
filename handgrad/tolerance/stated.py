"""What rounding explains of a gradient in a short format, or of a kernel that computes in one.

In float64 and float32 a number stands for data half an ulp away, and `SHARP` such changes count as
right. A number in bfloat16 is itself: what is computed from it may be off by the rounding of the
arithmetic alone. That arithmetic is the one which JAX's program of the gradient shows, or the one
that was stated (`computed_in`): values between operations in one format, sums in another. The
program is run at high precision with every number perturbed so (`handgrad.tolerance.monte_carlo`),
`DRAWS` times. `STATED` times the root mean square of an element's deviations counts as right,
and half an ulp of the stored result.

If values and sums are all in the format of the leaves, digits are lost, but the formula is right:
that is the loose tolerance.

**What elements show together.** In ten operations in bfloat16 an element may be off by 5%, and so
may be a mistake. But rounding makes few errors large, and a mistake many: the root mean square of a
leaf's errors in deviations is held to `TOGETHER`. What lies beyond that alone, each element within
its own tolerance, is undecidable and not wrong. And rounding has no direction: along the exact
gradient, the errors of a leaf's elements cancel, and those of a factor do not. So the projection of
the error on the exact gradient, Σ g·error / Σ g², is held to the same multiple of its own
deviation, and to `COMMON` unit roundoffs: where many numbers are equal, they are rounded alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jax.extend import core as jex

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import HALF_KNOWN
from handgrad.data import formats
from handgrad.data.computed_in import AS_SHOWN, Arithmetic
from handgrad.data.formats import Format
from handgrad.data.point import slices
from handgrad.data.pytrees import is_real
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program.interpreter import UncertifiedPrimitiveError, number
from handgrad.tolerance.around import OfProgram
from handgrad.tolerance.monte_carlo import MonteCarlo
from handgrad.tolerance.runs import BITS

#: The multiple of the root mean square of the deviations that counts as right. Measured over right
#: gradients of seven functions in three formats, computed in five ways (`short_formats.py` has
#: them): the largest error of 160,000 elements was 1.8 such deviations.
STATED = 3

#: The runs: of so many the root mean square is below half of its expectation once in 1,000.
DRAWS = 16

#: That of a leaf: the root mean square of its elements' errors in deviations. At most 0.6 was
#: measured. A rounding error is spread over ± the number by which a run is perturbed, so its mean
#: square is a third of the perturbation's at most. Of n independent errors the sum of squares in
#: deviations is then that of n normal numbers over three, and beyond `explained_together` once in
#: 10^8 leaves. But how far errors depend on each other is not known, those of equal numbers are the
#: same, and in leaves of such it was beyond once in 5,000. So it decides nothing for wrong.
TOGETHER = 1.5

#: So many unit roundoffs may all elements of a leaf be off in one direction.
COMMON = 2


def half_known(form: Format) -> float:
    """Return that fraction in a format: half of its digits, where it has so few."""
    return max(HALF_KNOWN, float(np.sqrt(form.eps)))


@dataclass(frozen=True, eq=False)
class Stated:
    """What rounding in an arithmetic explains; arrays of shape (size,), or one for each leaf."""

    error: np.ndarray  #: the largest error of an element that counts as right
    error_of_loss: float
    loose: np.ndarray  #: that of the format of the leaves for values and sums; 0 if not measured
    loose_of_loss: float
    along: np.ndarray  #: (leaves,), the largest projection of the error that counts as right
    loose_along: np.ndarray  #: (leaves,), the same, where values and sums are in one format
    fraction: np.ndarray  #: `half_known` of each element


class Measuring:
    """Measures what rounding in the arithmetic of a point explains, once that is asked for.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        around: runs of JAX's gradient program; None if it has none.
        seed: of the draws.
    """

    def __init__(
        self,
        problem: Problem,
        reference: Reference,
        around: OfProgram | None,
        seed: int,
    ) -> None:
        self._problem, self._reference, self._around, self._seed = problem, reference, around, seed

    @cached_property
    def sharp(self) -> Stated:
        """What counts as right; the loose tolerances are 0."""
        deviations = self._deviations(self._problem.computed_in or AS_SHOWN, 0)
        return stated(self._problem, self._reference, deviations)

    @cached_property
    def full(self) -> Stated:
        """Both."""
        deviations = self._deviations(short(self._problem), 1)
        return with_loose(self._problem, self._reference, self.sharp, deviations)

    def _deviations(self, arithmetic: Arithmetic, draw: int) -> np.ndarray:
        """Return the deviations of loss and elements in each run, (DRAWS, 1 + size), signed."""
        unknown = np.full((1, 1 + self._problem.size), np.inf)
        if self._around is None:
            return unknown
        rng = np.random.default_rng([self._seed, draw])
        with balls.precision(max(BITS, self._reference.bits)):
            try:
                return np.array([*_runs(self._around, arithmetic, rng)])
            except UncertifiedPrimitiveError:  # an operation without a rule for it
                return unknown


def _runs(
    around: OfProgram, arithmetic: Arithmetic, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    problem, program = around.problem, around.program
    short = [formats.is_half(v.aval.dtype) for v in program.jaxpr.jaxpr.outvars]
    stored = [v for v, is_short in zip(program.jaxpr.jaxpr.outvars, short, strict=True) if is_short]
    rounding = MonteCarlo(rng, arithmetic, frozenset(v for v in stored if isinstance(v, jex.Var)))
    for _ in range(DRAWS):
        given = [rounding.data(array).value for array in (*problem.leaves, *problem.inputs)]
        constants = [rounding.data(c) if is_real(c) else number(c) for c in program.jaxpr.consts]
        yield around.signed(given, rounding, constants)


def stated(problem: Problem, reference: Reference, deviations: np.ndarray) -> Stated:
    """Return what counts as right, given the deviations of the arithmetic, (draws, 1 + size)."""
    error, along = _explained(problem, reference, deviations)
    none = np.zeros_like(along)
    fraction = np.repeat(
        [half_known(coarser(problem, leaf)) for leaf in problem.leaves],
        [leaf.size for leaf in problem.leaves],
    )
    return Stated(error[1:], error[0], np.zeros(problem.size), 0.0, along, none, fraction)


def with_loose(
    problem: Problem, reference: Reference, sharp: Stated, deviations: np.ndarray
) -> Stated:
    """Return the same with the loose tolerances, given the deviations of short values and sums."""
    loose, along = _explained(problem, reference, deviations)
    finite = np.where(np.isfinite(loose), loose, 0.0)
    return replace(
        sharp,
        loose=np.fmax(finite[1:], sharp.error),
        loose_of_loss=finite[0],
        loose_along=np.fmax(along, sharp.along),
    )


def _explained(
    problem: Problem, reference: Reference, deviations: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of loss and elements, (1 + size,), and of the leaves' projections."""
    with np.errstate(over="ignore", invalid="ignore"):
        errors = STATED * np.sqrt(np.mean(np.square(deviations), axis=0))
    exact, along = balls.midpoints(reference.gradient), []
    for leaf, part in zip(problem.leaves, slices(problem.leaves), strict=True):
        with np.errstate(invalid="ignore"):
            each = [projection(exact[part], d) for d in deviations[:, 1:][:, part]]
        common = COMMON * coarser(problem, leaf).unit
        along.append(STATED * float(np.sqrt(np.mean(np.square(each)))) + common)
    errors[0] += formats.of(_of_loss(problem)).spacing(float(reference.loss.mid())) / 2
    return np.nan_to_num(errors, nan=np.inf, posinf=np.inf), np.nan_to_num(along, nan=np.inf)


def projection(exact: np.ndarray, error: np.ndarray) -> float:
    """Return Σ g·error / Σ g² of a leaf; 0 where all g are."""
    largest = float(np.max(np.abs(exact), initial=0.0))
    if not largest:
        return 0.0
    scaled = exact / largest
    return float(np.sum(scaled * (error / largest)) / np.sum(scaled * scaled))


def spread(errors: np.ndarray, explained: np.ndarray, exact: np.ndarray) -> bool:
    """Tell whether the errors of a leaf are as large together as rounding makes them.

    Args:
        errors: of its elements, beyond half an ulp.
        explained: `STATED` deviations of each.
        exact: the elements; equal ones are rounded alike, and count as one.
    """
    deviations = np.fmax(explained / STATED, np.finfo(np.float64).tiny)
    with np.errstate(over="ignore"):
        size = np.sqrt(np.mean(np.square(errors / deviations)))
    return bool(size <= explained_together(np.unique(exact).size))


def explained_together(count: int) -> float:
    """Return the largest root mean square, in deviations, of the errors of so many numbers."""
    return float(np.hypot(TOGETHER, STATED / np.sqrt(count)))


def _of_loss(problem: Problem) -> np.dtype:
    shown = np.dtype(problem.traced.loss.jaxpr.out_avals[0].dtype)
    return max((shown, *(a.dtype for a in problem.leaves)), key=lambda d: formats.of(d).unit)


def applies(problem: Problem) -> bool:
    """Tell whether numbers of a short format, or a stated arithmetic, are part of a problem."""
    arrays = (*problem.leaves, *problem.inputs)
    if problem.computed_in is not None or any(formats.is_half(a.dtype) for a in arrays):
        return True
    return bool(problem.traced.loss.short_formats)


def coarser(problem: Problem, leaf: np.ndarray) -> Format:
    """Return the format of the values of which a leaf of the gradient is computed, or its own."""
    own, stated = formats.of(leaf.dtype), problem.computed_in
    if stated is not None and stated.values is not None:
        return _coarsest([own, stated.values])
    return own if own.half else _coarsest([own, *problem.traced.loss.short_formats])


def short(problem: Problem) -> Arithmetic:
    """Return the arithmetic whose values and sums are all in the format of the leaves."""
    formats_ = [form for leaf in problem.leaves if (form := formats.of(leaf.dtype)).half]
    if problem.computed_in is not None:
        both = (problem.computed_in.values, problem.computed_in.sums)
        formats_ += [form for form in both if form is not None]
    if not formats_:
        return Arithmetic(short_sums=True)
    coarsest = _coarsest(formats_)
    return Arithmetic(coarsest, coarsest)


def _coarsest(found: Sequence[Format]) -> Format:
    return max(found, key=lambda form: form.unit)

"""The certified reference gradient, and when enclosures are narrow enough to be one."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import (
    Compared,
    Comparisons,
    Decisions,
    MorePrecisionNeededError,
    PatchedError,
)
from handgrad.data import formats
from handgrad.data.point import slices
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.subgradients import Kink
from handgrad.program.programs import Program

#: Working precisions in bits, each about twice the one before; beyond the last it is undecidable.
BITS = (192, 384, 768, 1536, 3072, 6000)

#: The largest radius of a good enclosure, relative to `element_scale`.
GOOD = 2.0**-80

#: A value differs relatively by more than this from that of the same code on other numbers only if
#: the code does something else there, as code that tests a type may: on power series, in a longer
#: dtype, or in `jax.numpy`. In float32 right code loses at most half of the 24 bits, 2⁻¹² = 2.4e-4,
#: unless its terms cancel.
ANOTHER_VALUE = 1e-3

#: An element whose ball contains 0 at this precision counts as 0.
BITS_OF_ZERO = 1500


class UndecidableError(ArithmeticError):
    """There is no certified reference at this point."""


class RaisedOnSeriesError(UndecidableError):
    """Code raised on power series what it does not raise on floats."""


class NotFiniteError(UndecidableError):
    """The exact loss, or its gradient, is not finite."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The loss and its gradient at a point, enclosed."""

    loss: arb
    gradient: np.ndarray  #: objects, shape (size,)
    known: np.ndarray  #: whether each element was certified, bool, shape (size,)
    how: str  #: how it was certified, for reports
    bits: int  #: the precision that sufficed
    program: Program | None  #: a gradient program that has this gradient in exact arithmetic
    kink: Kink | None = None  #: the right gradients, if there are several
    ties: bool = False  #: whether numbers are equal there that a step tells apart
    #: What `program` gave at these bits: loss and gradient in one vector, and its decisions.
    run: tuple[np.ndarray, Decisions] | None = None
    certified: bool = True
    obstacle: str = ""  #: what stands in the way of a certificate, if that is one thing
    problem: Problem | None = None  #: the one beside the point that it is a limit of, if it is one


def comparisons_at(bits: int, kind: type[Compared] = Comparisons) -> Compared:
    """Return the comparisons for a precision."""
    return kind(bits == BITS[-1], bits >= BITS_OF_ZERO, strict=True)


def at_first_precision(attempt: Callable[[int], Reference | None], problem: Problem) -> Reference:
    """Return the result at the first precision that suffices.

    Args:
        attempt: takes the precision in bits; returns None, or raises MorePrecisionNeededError, if
            it does not suffice.
        problem: the loss and the point. Where that is shifted, few bits do not show by how little,
            and what is not finite may be finite at more.

    Raises:
        UndecidableError: none does.
    """
    shifted = problem.shift is not None
    for bits in BITS[-2:] if shifted else BITS:
        finer = [MorePrecisionNeededError]
        if shifted and bits < BITS[-1]:
            finer += [PatchedError, NotFiniteError]
        with suppress(*finer), balls.precision(bits):
            if reference := attempt(bits):
                return reference
    raise UndecidableError(f"no enclosure of the gradient at {BITS[-1]} bits")


def check_good(problem: Problem, gradient: np.ndarray, loss: arb, bits: int) -> np.ndarray:
    """Return the size of each element, see `element_scale`; raise if more bits are needed.

    They are for good enclosures, or to tell zeros from small numbers.
    """
    radii, zero = balls.radii(gradient), balls.contains_zero(gradient)
    check_finite(loss, radii, bits)
    scale = element_scale(problem, gradient, zero)
    good = radii <= GOOD * scale
    if bits == BITS[-1] and not good.all():
        raise UndecidableError(f"no narrow enclosure of the gradient at {bits} bits")
    if not good.all() or (bits < BITS_OF_ZERO and (zero & (radii > 0)).any()):
        raise MorePrecisionNeededError
    return scale


def check_finite(loss: arb, radii: np.ndarray, bits: int) -> None:
    """Raise if loss or gradient are not finite; at many bits, as for √x at 0, they never are."""
    if not loss.is_finite() or not np.isfinite(radii).all():
        if bits >= BITS_OF_ZERO:
            raise NotFiniteError("the exact gradient is not finite")
        raise MorePrecisionNeededError


def element_scale(
    problem: Problem, gradient: np.ndarray, zero: np.ndarray | None = None
) -> np.ndarray:
    """Return the size of each element, > 0; for a 0, half an ulp of its largest neighbour.

    `zero` is `balls.contains_zero(gradient)`, if that is known.
    """
    zero = balls.contains_zero(gradient) if zero is None else zero
    sizes = sizes_about(problem.leaves, gradient, zero)
    scale = np.where(zero, sizes * formats.of_elements(problem.leaves, "eps") / 2, sizes)
    return np.maximum(scale, np.finfo(np.float64).smallest_subnormal)


def sizes_about(leaves: Sequence[np.ndarray], gradient: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """Return the size of each element; for a 0, that of the largest in its leaf, or else of all."""
    sizes = np.abs(balls.midpoints(gradient))
    largest = np.max(sizes, initial=0.0)
    for part in slices(leaves):
        in_leaf = np.max(sizes[part], initial=0.0) or largest
        sizes[part] = np.where(zero[part], in_leaf, sizes[part])
    return sizes

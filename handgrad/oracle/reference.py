"""What a certified gradient is, and when an enclosure is good enough to be one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, MorePrecisionNeededError
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.subgradients import Kink
from handgrad.program.trace import Program

#: Working precisions, each about twice the one before; beyond the last an element is undecidable.
BITS = (192, 384, 768, 1536, 3072, 6000)

#: An enclosure is good when it is this much narrower than the element, or than its unit.
GOOD = 2.0**-80

#: An element that is not told from 0 at this precision is 0.
BITS_OF_ZERO = 1500


class UndecidableError(ArithmeticError):
    """There is no certified reference at this point."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The loss and its gradient at a point, enclosed."""

    loss: arb
    gradient: np.ndarray  #: objects, shape (size,)
    known: np.ndarray  #: whether each element was certified, bool, shape (size,)
    how: str  #: on what it rests
    bits: int  #: the precision that sufficed
    program: Program | None  #: a gradient program that has this gradient in exact arithmetic
    kink: Kink | None = None  #: other gradients that are as right
    certified: bool = True


def comparing(bits: int) -> Comparisons:
    """How numbers of so many bits are compared."""
    return Comparisons(bits == BITS[-1], bits >= BITS_OF_ZERO)


def check_good(problem: Problem, gradient: np.ndarray, loss: arb, bits: int) -> None:
    """Ask for more bits until the enclosures are good and zeros are told from small numbers."""
    radii, zero = balls.radii(gradient), contains_zero(gradient)
    check_finite(loss, radii, bits)
    good = radii <= GOOD * element_scale(problem, gradient)
    if bits == BITS[-1] and not good.all():
        raise UndecidableError(f"no narrow enclosure of the gradient at {bits} bits")
    if not good.all() or (bits < BITS_OF_ZERO and (zero & (radii > 0)).any()):
        raise MorePrecisionNeededError


def check_finite(loss: arb, radii: np.ndarray, bits: int) -> None:
    """What is not finite at many bits either, as the slope of √x at 0, never will be."""
    if not loss.is_finite() or not np.isfinite(radii).all():
        if bits >= BITS_OF_ZERO:
            raise UndecidableError("the exact gradient is not finite")
        raise MorePrecisionNeededError


def element_scale(problem: Problem, gradient: np.ndarray) -> np.ndarray:
    """The size of each element, > 0: of a 0, half an ulp of the largest element about it."""
    zero = contains_zero(gradient)
    eps = np.repeat(
        [float(np.finfo(leaf.dtype).eps) for leaf in problem.leaves],
        [leaf.size for leaf in problem.leaves],
    )
    sizes = sizes_about(problem.leaves, gradient)
    scale = np.where(zero, sizes * eps / 2, sizes)
    return np.maximum(scale, np.finfo(np.float64).smallest_subnormal)


def sizes_about(leaves: Sequence[np.ndarray], gradient: np.ndarray) -> np.ndarray:
    """The size of each element; of a 0, that of the largest in its leaf, or else of all."""
    sizes, zero = np.abs(balls.midpoints(gradient)), contains_zero(gradient)
    largest, start = np.max(sizes, initial=0.0), 0
    for leaf in leaves:
        part = slice(start, start + leaf.size)
        in_leaf = np.max(sizes[part], initial=0.0) or largest
        sizes[part] = np.where(zero[part], in_leaf, sizes[part])
        start += leaf.size
    return sizes


def contains_zero(gradient: np.ndarray) -> np.ndarray:
    """Which elements are not told from 0."""
    return np.array([g.contains(0) for g in gradient], dtype=bool)

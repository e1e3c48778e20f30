"""One point's ruling: every element of both witnesses, held to the truth by the two yardsticks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.arguments import Arguments
from handgrad.evidence import Held
from handgrad.referee import balls
from handgrad.referee.certify import Truth
from handgrad.referee.evaluate import Problem
from handgrad.yardsticks import Yardsticks

#: How an element fares, from the best to the worst.
RIGHT, ROUNDED, DOUBTFUL, WRONG = 0, 1, 2, 3

#: Where rounding may take more than this part of an element, a gap proves nothing either way.
HALF_KNOWN = 1e-3

VERDICT = {RIGHT: "agree", ROUNDED: "imprecise", DOUBTFUL: "undecidable", WRONG: "disagree"}


@dataclass(frozen=True, eq=False)
class Witness:
    """One gradient at a point, judged. Arrays of shape (size,)."""

    answer: np.ndarray  #: float64
    truth: (
        np.ndarray
    )  #: the right gradient that it is held to (at a kink, the nearest one), objects
    gap: np.ndarray  #: |answer - truth|, rounded up; infinite where the answer is not finite
    level: np.ndarray  #: RIGHT .. WRONG
    choices: np.ndarray | None = None  #: λ of each hyperplane at a kink

    @property
    def worst(self) -> int:
        """The level of its worst element."""
        return int(np.max(self.level, initial=RIGHT))


@dataclass(frozen=True, eq=False)
class Ruling:
    """Both witnesses at a point, and by what they were held."""

    given: Arguments
    truth: Truth
    yardsticks: Yardsticks
    yours: Witness
    autodiff: Witness
    problem: Problem

    @property
    def limits(self) -> np.ndarray:
        """How large an error of each element must be, relative to it, to be caught."""
        sizes = np.abs(balls.midpoints(self.yours.truth))
        allowed = np.maximum(self.yardsticks.sharp, self.yardsticks.loose)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sizes > 0, allowed / sizes, np.nan)


def rule(
    given: Arguments,
    truth: Truth,
    yardsticks: Yardsticks,
    yours: np.ndarray,
    autodiff: np.ndarray,
    right_formula: Callable[[Held], np.ndarray],
    problem: Problem,
) -> Ruling:
    """Hold both witnesses to the truth.

    Args:
        given: the point.
        truth: its certified gradient.
        yardsticks: how far from it counts as right, and as rounding.
        yours, autodiff: the two gradients, float64, shape (size,).
        right_formula: which elements of yours are off by rounding alone, on other evidence than the
            yardsticks'; asked only if some are not within the sharp one.
        problem: the loss at the point, traced.
    """
    mine = _judge(truth, yardsticks, yours)
    doubted = (mine.level > RIGHT) & np.isfinite(mine.gap)
    if doubted.any():
        mine.level[doubted & right_formula(Held(mine.truth, mine.gap, yardsticks.sharp))] = ROUNDED
    theirs = _judge(truth, yardsticks, autodiff)
    _by_formula(theirs, yardsticks)
    return Ruling(given, truth, yardsticks, mine, theirs, problem)


def _judge(truth: Truth, yardsticks: Yardsticks, answer: np.ndarray) -> Witness:
    right, choices = truth.gradient, None
    finite = np.isfinite(answer)
    if truth.kink and finite.all():
        right, choices = truth.kink.nearest(answer, yardsticks.sharp)
    gap = np.full(answer.shape, np.inf)
    gap[finite] = balls.magnitudes(balls.exact(answer[finite]) - right[finite])
    sizes = np.abs(balls.midpoints(right))
    known_by_half = yardsticks.loose <= HALF_KNOWN * sizes
    level = np.where(
        gap <= yardsticks.sharp,
        RIGHT,
        np.where(gap > yardsticks.loose, WRONG, np.where(known_by_half, ROUNDED, DOUBTFUL)),
    )
    level[~truth.known] = RIGHT
    level[~finite] = WRONG
    return Witness(answer, right, gap, level, choices)


def _by_formula(theirs: Witness, yardsticks: Yardsticks) -> None:
    """Whether JAX's formula is wrong or only its rounding is known exactly: the referee ran it."""
    exact = balls.magnitudes(yardsticks.program - theirs.truth)
    formula_right = exact <= yardsticks.sharp
    off = (theirs.level > RIGHT) & np.isfinite(theirs.gap)
    theirs.level[off & formula_right] = ROUNDED

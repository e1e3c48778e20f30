"""One point's ruling: every element of both witnesses, held to the truth by the two yardsticks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.arguments import Arguments
from handgrad.judging.evidence import RIGHT_FORMULA, WRONG_FORMULA, Held
from handgrad.referee import balls
from handgrad.referee.evaluate import Problem
from handgrad.referee.truth import Truth, sizes_about
from handgrad.ways.yardsticks import Yardsticks

#: How an element fares, from the best to the worst.
RIGHT, ROUNDED, DOUBTFUL, WRONG = 0, 1, 2, 3

#: Where rounding may take more than this part of an element, a gap proves nothing either way.
HALF_KNOWN = 1e-3

#: A gap of more than this part of an element leaves no digit of it.
NOTHING_LEFT = 0.5

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
    size: np.ndarray  #: of each element; of a 0, that of the largest about it
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
    def exact(self) -> np.ndarray:
        """The right gradient in float64, shape (size,); NaN where it is not known."""
        return np.where(self.truth.known, balls.midpoints(self.yours.truth), np.nan)

    @property
    def limits(self) -> np.ndarray:
        """How large an error of each element must be, relative to it, to be caught here."""
        sizes = np.abs(balls.midpoints(self.yours.truth))
        allowed = np.maximum(self.yardsticks.sharp, self.yardsticks.loose)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            limits = np.where(sizes > 0, allowed / sizes, np.nan)
        return np.where(self.truth.known, limits, np.inf)


def rule(
    given: Arguments,
    truth: Truth,
    yardsticks: Yardsticks,
    yours: np.ndarray,
    autodiff: np.ndarray,
    formula: Callable[[Held], np.ndarray],
    problem: Problem,
) -> Ruling:
    """Hold both witnesses to the truth.

    Args:
        given: the point.
        truth: its certified gradient.
        yardsticks: how far from it counts as right, and as rounding.
        yours, autodiff: the two gradients, float64, shape (size,).
        formula: whether elements of yours are off by rounding alone, on other evidence than the
            yardsticks'; asked only if some are not within the sharp one.
        problem: the loss at the point, traced.
    """
    with balls.precision(max(truth.bits, 192)):
        mine = _judge(given, truth, yardsticks, yours)
        theirs = _judge(given, truth, yardsticks, autodiff)
    if ((mine.level > RIGHT) & np.isfinite(mine.gap)).any():
        wrong = (mine.level == WRONG) & np.isfinite(mine.gap)
        told = formula(Held(mine.truth, mine.gap, yardsticks.sharp, wrong))
        _excuse(mine, told == RIGHT_FORMULA)
        if truth.certified:
            mine.level[(mine.level > RIGHT) & (told == WRONG_FORMULA)] = WRONG
    # Whether JAX's formula is wrong or only its rounding is known exactly: the referee ran it.
    exact = balls.magnitudes(yardsticks.program - theirs.truth)
    _excuse(theirs, exact <= yardsticks.sharp)
    return Ruling(given, truth, yardsticks, mine, theirs, problem)


def _judge(given: Arguments, truth: Truth, yardsticks: Yardsticks, answer: np.ndarray) -> Witness:
    right, choices = truth.gradient, None
    finite = np.isfinite(answer)
    if truth.kink and finite.all():
        right, choices = truth.kink.nearest(answer, yardsticks.sharp)
    gap = np.full(answer.shape, np.inf)
    gap[finite] = balls.magnitudes(balls.exact(answer[finite]) - right[finite])
    sizes = sizes_about(given.leaves, right)
    known_by_half = yardsticks.loose <= HALF_KNOWN * sizes
    level = np.where(
        (gap <= yardsticks.sharp) & np.isfinite(yardsticks.sharp),
        RIGHT,
        np.where(gap > yardsticks.loose, WRONG, np.where(known_by_half, ROUNDED, DOUBTFUL)),
    )
    level[~truth.known] = RIGHT
    level[~finite] = WRONG
    return Witness(answer, right, gap, level, sizes, choices)


def _excuse(witness: Witness, right_formula: np.ndarray) -> None:
    """Elements of a right formula have lost digits only; where no digit is left, who knows."""
    off = (witness.level > RIGHT) & np.isfinite(witness.gap) & right_formula
    nothing_left = witness.gap > NOTHING_LEFT * witness.size
    witness.level[off] = np.where(nothing_left[off], DOUBTFUL, ROUNDED)

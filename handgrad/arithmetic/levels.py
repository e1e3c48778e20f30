"""How right a number is: its gap from the right one, in balls, and the level of that gap.

What is larger than all that conditioning, rounding and selections explain is wrong; all else is
right, rounded, or not to be decided.
"""

from typing import NamedTuple

import numpy as np

from handgrad.arithmetic import balls

#: The levels of an element, from best to worst.
RIGHT, ROUNDED, DOUBTFUL, WRONG = 0, 1, 2, 3

#: If rounding may cost more than this fraction of an element, a gap proves nothing either way; and
#: if an iteration leaves out more of it, it is not known what is right. A tolerance may even be
#: larger than its element: -g lies within 2·|g| of it. So a larger gap counts as right only if the
#: formula is: if in exact arithmetic, too, no such fraction is left of it.
HALF_KNOWN = 1e-3

#: A gap of this fraction of an element or more leaves no right digit: -log10 of it rounds to 0.
NOTHING_LEFT = 10**-0.5


class Explained(NamedTuple):
    """The largest gaps that something explains, each of shape (size,)."""

    sharp: np.ndarray  #: conditioning
    loose: np.ndarray  #: ordinary rounding
    jump: np.ndarray  #: rounding that turns a selection


def gaps(answer: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return |answer - right|, rounded up; infinite where the answer is not finite.

    Args:
        answer: float64, (size,).
        right: objects, (size,).
    """
    finite = np.isfinite(answer)
    gap = np.full(answer.shape, np.inf)
    gap[finite] = balls.magnitudes(balls.exact(answer[finite]) - right[finite])
    return gap


def explained(gap: np.ndarray, by: Explained, enclosed: np.ndarray) -> np.ndarray:
    """Tell of which gaps conditioning is the reason, or that no more is known: bool, (size,).

    What a verified program encloses around an exact zero is wider than the zero's tolerance.
    """
    return ((gap <= by.sharp) | enclosed) & np.isfinite(by.sharp)


def judged(
    gap: np.ndarray,
    by: Explained,
    explained: np.ndarray,
    alike: np.ndarray,
    vague: np.ndarray,
    has_digits: np.ndarray,
) -> np.ndarray:
    """Return the level of each gap, int, (size,).

    Args:
        gap: the gaps.
        by: what explains gaps.
        explained: bool, whether conditioning does.
        alike: bool, whether the gap is as little as an answer may be off that is right.
        vague: bool, whether it is not known what is right.
        has_digits: bool, whether rounding leaves digits of the element.
    """
    rounded = (gap <= by.loose) & has_digits
    # Half an ulp away the gradient is not finite where `sharp` is not: by how much it may be off is
    # not known.
    doubtful = explained | (gap <= np.fmax(by.loose, by.jump)) | np.isinf(by.sharp)
    cases = [vague & explained, explained & alike, rounded, doubtful]
    return np.select(cases, [DOUBTFUL, RIGHT, ROUNDED, DOUBTFUL], WRONG)


def excused(
    level: np.ndarray,
    gap: np.ndarray,
    size: np.ndarray,
    explained: np.ndarray,
    right_formula: np.ndarray,
) -> np.ndarray:
    """Return the levels where the formula is right: RIGHT, if conditioning explains the gap."""
    left = np.where(gap >= NOTHING_LEFT * size, DOUBTFUL, ROUNDED)
    return np.where(right_formula, np.where(explained, RIGHT, left), level)

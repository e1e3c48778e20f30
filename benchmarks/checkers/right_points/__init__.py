"""Right gradients at points that are hard to judge: whoever calls one wrong raises a false alarm.

Every one is written the way a careful author would: no digit is lost that need not be, and at a
kink it is one of the valid answers.
"""

from collections.abc import Mapping, Sequence

from benchmarks.checkers.right_points import badly_conditioned, huge, kinked, saturated, tiny
from benchmarks.checkers.subject import Subject

#: By what makes them hard.
POINTS: Mapping[str, Sequence[Subject]] = {
    "saturated": saturated.POINTS,
    "tiny": tiny.POINTS,
    "huge": huge.POINTS,
    "badly conditioned": badly_conditioned.POINTS,
    "kinked": kinked.POINTS,
}

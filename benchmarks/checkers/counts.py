"""What the stored answers come to: caught, false alarms, leaves and mistakes named."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.checkers.cases import AT_A_KINK, RIGHT
from benchmarks.checkers.question import NO_ANSWER, WRONG
from benchmarks.checkers.results import Check
from models.mistakes import ACCEPTED

#: Kinds that name no mistake: an honest "I do not know", and a remark on digits.
NO_NAME = ("unknown", "rounding")

#: What names a mistake in one element rightly: a zero is one; for the others there is no name.
ACCEPTED_OF_ELEMENTS = {"sign": ("unknown", "sign"), "zero": ("zero",), "1e-9": ("unknown",)}


@dataclass(frozen=True)
class Tally:
    """How many of how many."""

    yes: int
    of: int
    no_answer: int = 0

    def __str__(self) -> str:
        if not self.of:
            return "-"
        unanswered = f" ({self.no_answer} no answer)" if self.no_answer else ""
        return f"{self.yes} of {self.of}{unanswered}"


def caught(check: Check) -> bool:
    """Whether the mistake was reported.

    At a kink `>=` for `>` is another valid choice: to say so, and to let it pass, is to see it.
    """
    said = check.what == AT_A_KINK and bool(_names(check) & set(accepted(check)))
    return check.verdict == WRONG or said


def tally_caught(checks: Sequence[Check]) -> Tally:
    """Of planted mistakes."""
    return Tally(sum(map(caught, checks)), len(checks), _unanswered(checks))


def tally_false_alarms(checks: Sequence[Check]) -> Tally:
    """Of right gradients."""
    return Tally(sum(check.verdict == WRONG for check in checks), len(checks), _unanswered(checks))


def tally_leaf_named(checks: Sequence[Check]) -> Tally:
    """Of caught mistakes in models of several parameters, those blamed on wrong ones alone.

    Where every parameter is wrong, to blame one of them is right as well. At a kink none is wrong.
    """
    considered = [c for c in checks if caught(c) and c.parameters > 1 and c.wrong_leaves]
    considered = [c for c in considered if c.what != AT_A_KINK]
    named = [c for c in considered if c.leaves and set(c.leaves) <= set(c.wrong_leaves)]
    return Tally(len(named), len(considered))


def tally_mistake_named(checks: Sequence[Check]) -> Tally:
    """Of caught mistakes that have a name, those called by it."""
    considered = [c for c in checks if caught(c) and set(accepted(c)) - set(NO_NAME)]
    named = [c for c in considered if _names(c) & set(accepted(c))]
    return Tally(len(named), len(considered))


def tally_misnamed(checks: Sequence[Check]) -> Tally:
    """Of caught mistakes, those that were called something they are not."""
    considered = [check for check in checks if caught(check)]
    return Tally(sum(bool(_names(c) - set(accepted(c))) for c in considered), len(considered))


def accepted(check: Check) -> tuple[str, ...]:
    """The kinds that name the planted mistake rightly."""
    if check.part == RIGHT:
        return ()
    return ACCEPTED_OF_ELEMENTS.get(check.what) or ACCEPTED[check.what]


def seconds(checks: Sequence[Check]) -> tuple[float, float] | None:
    """The median and the longest of those that were answered."""
    answered = [check.seconds for check in checks if check.verdict != NO_ANSWER]
    return (statistics.median(answered), max(answered)) if answered else None


def _names(check: Check) -> set[str]:
    return set(check.kinds) - set(NO_NAME)


def _unanswered(checks: Sequence[Check]) -> int:
    return sum(check.verdict == NO_ANSWER and not caught(check) for check in checks)

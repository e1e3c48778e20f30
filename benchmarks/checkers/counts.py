"""Count stored answers: caught mistakes, false alarms, parameters and mistakes named."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.checkers.cases import AT_A_KINK, ELEMENTS, RIGHT
from benchmarks.checkers.question import NO_ANSWER, WRONG
from benchmarks.checkers.results import Check
from models import elements
from models.mistakes import ACCEPTED

#: Kinds that name no mistake: "unknown", and a remark on lost digits.
NO_NAME = ("unknown", "rounding")


@dataclass(frozen=True)
class Tally:
    """A count out of a total."""

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

    At a kink `>=` for `>` is another valid choice: passing it with that remark counts as caught.
    """
    said = check.what == AT_A_KINK and bool(_names(check) & set(accepted(check)))
    return check.verdict == WRONG or said


def tally_caught(checks: Sequence[Check]) -> Tally:
    """Count the planted mistakes that were caught."""
    return Tally(sum(map(caught, checks)), len(checks), _unanswered(checks))


def tally_false_alarms(checks: Sequence[Check]) -> Tally:
    """Count the right gradients that were called wrong."""
    return Tally(sum(check.verdict == WRONG for check in checks), len(checks), _unanswered(checks))


def tally_leaf_named(checks: Sequence[Check]) -> Tally:
    """Count caught mistakes, in models of several parameters, blamed on wrong parameters only.

    Where every parameter is wrong, blaming one of them is right as well. At a kink none is wrong.
    """
    considered = [c for c in checks if caught(c) and c.parameters > 1 and c.wrong_leaves]
    considered = [c for c in considered if c.what != AT_A_KINK]
    named = [c for c in considered if c.leaves and set(c.leaves) <= set(c.wrong_leaves)]
    return Tally(len(named), len(considered))


def tally_mistake_named(checks: Sequence[Check]) -> Tally:
    """Count caught mistakes that have a name and were called by it."""
    considered = [c for c in checks if caught(c) and set(accepted(c)) - set(NO_NAME)]
    named = [c for c in considered if _names(c) & set(accepted(c))]
    return Tally(len(named), len(considered))


def tally_misnamed(checks: Sequence[Check]) -> Tally:
    """Count caught mistakes that were given a wrong name."""
    considered = [check for check in checks if caught(check)]
    return Tally(sum(bool(_names(c) - set(accepted(c))) for c in considered), len(considered))


def accepted(check: Check) -> tuple[str, ...]:
    """Return the kinds that name the planted mistake rightly."""
    if check.part == RIGHT:
        return ()
    if check.part == ELEMENTS:
        known = elements.MISTAKES.get(check.what)
        return known.kinds if known else ()
    return ACCEPTED.get(check.what, ())


def seconds(checks: Sequence[Check]) -> tuple[float, float] | None:
    """Return the median and the longest time on the clock of the checks with an answer."""
    return _median_and_most([c.seconds for c in checks if c.verdict != NO_ANSWER])


def cpu_seconds(checks: Sequence[Check]) -> tuple[float, float] | None:
    """Return the same of processors; None where it is not recorded of all."""
    used = [check.cpu for check in checks if check.verdict != NO_ANSWER]
    known = [cpu for cpu in used if cpu is not None]
    return _median_and_most(known) if len(known) == len(used) else None


def _median_and_most(times: Sequence[float]) -> tuple[float, float] | None:
    return (statistics.median(times), max(times)) if times else None


def _names(check: Check) -> set[str]:
    return set(check.kinds) - set(NO_NAME)


def _unanswered(checks: Sequence[Check]) -> int:
    return sum(check.verdict == NO_ANSWER and not caught(check) for check in checks)

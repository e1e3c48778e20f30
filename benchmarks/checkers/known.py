"""Count stored answers about mistakes of which sizes and names are known."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from benchmarks.checkers import counts
from benchmarks.checkers.cases import MISTAKES, RIGHT
from benchmarks.checkers.counts import Tally
from benchmarks.checkers.question import NO_ANSWER
from benchmarks.checkers.results import Check, Planted, Results
from benchmarks.checkers.table import Row, available, cpu_seconds, no_answer, seconds


class Counted(ABC):
    """Counts the answers by what the results say of the mistakes: their sizes and their names."""

    #: How many rows of a group say what is most important.
    IN_BRIEF = 4

    #: What a place of a mistake is called.
    PLACE = "the argument"

    def __init__(self, results: Results) -> None:
        self.results = results

    @abstractmethod
    def limit(self, check: Check) -> float:
        """Return how large a mistake is, in rounding, that must be caught."""

    @abstractmethod
    def group(self, check: Check) -> str:
        """Return what the rows about a check are headed by."""

    def in_brief(self, groups: Sequence[str]) -> str:
        """Write a table of the first rows about each group."""
        names = available(self.results)
        lines = [["", "", *(f"`{name.split('.')[-1]}`" for name in names)]]
        lines.append(["---"] * len(lines[0]))
        for group in groups:
            for first, second, checks, cell in self.rows(group)[: self.IN_BRIEF]:
                each = ([check for check in checks if check.contender == name] for name in names)
                lines.append([first, second, *(str(cell(found)) for found in each)])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def rows(self, group: str) -> list[Row]:
        """Return the rows about one group."""
        every = [check for check in self.results.checks if self.group(check) == group]
        planted = [check for check in every if check.part == MISTAKES]
        right = [check for check in every if check.part == RIGHT]
        larger = [check for check in planted if self.is_larger(check)]
        smaller = [check for check in planted if not self.is_larger(check)]
        return [
            (group, "mistakes larger than rounding, caught", larger, counts.tally_caught),
            (group, "smaller mistakes, caught", smaller, counts.tally_caught),
            (group, "right ones called wrong", right, counts.tally_false_alarms),
            (group, "named the mistake, of those caught", planted, self.tally_named),
            (group, "named another mistake", planted, self.tally_misnamed),
            (group, f"named {self.PLACE}", planted, counts.tally_leaf_named),
            (group, "no answer", every, no_answer),
            (group, "CPU seconds, median; longest", every, cpu_seconds),
            (group, "seconds on the clock, median; longest", every, seconds),
        ]

    def about(self, check: Check) -> Planted:
        """Return what is known of a mistake."""
        return self.results.planted[check.case]

    def is_larger(self, check: Check) -> bool:
        """Whether a mistake is larger than rounding explains; another shape is."""
        times = self.about(check)["times"]
        return times is None or times >= self.limit(check)

    def has_name(self, check: Check) -> bool:
        """Whether there is a kind for a mistake, or a line of the forward pass."""
        return bool(self.about(check)["kinds"] or self.about(check)["lines"])

    def is_named(self, check: Check) -> bool:
        """Whether a kind is the mistake's, or a line is quoted whose derivative is wrong."""
        known = self.about(check)
        quoted = any(text in line for text in known["lines"] for line in check.lines)
        return quoted or bool(set(check.kinds) & set(known["kinds"]))

    def tally_named(self, checks: Sequence[Check]) -> Tally:
        """Count caught mistakes that have a name and were called by it, or by their line."""
        caught = [check for check in checks if counts.caught(check) and self.has_name(check)]
        return Tally(sum(map(self.is_named, caught)), len(caught))

    def tally_misnamed(self, checks: Sequence[Check]) -> Tally:
        """Count caught mistakes that were given a wrong name."""
        caught = [check for check in checks if counts.caught(check)]
        wrong = [
            check
            for check in caught
            if set(check.kinds) - set(counts.NO_NAME) - set(self.about(check)["kinds"])
        ]
        return Tally(len(wrong), len(caught))


def largest_missed(results: Results) -> dict[str, str]:
    """Return for each checker the largest mistake, beside rounding, of those that it missed."""
    missed: dict[str, tuple[float, str]] = {}
    for check in results.checks:
        if check.part == MISTAKES and check.verdict != NO_ANSWER and not counts.caught(check):
            times = results.planted[check.case]["times"] or float("inf")
            of = f" in {check.format}" if check.format else ""
            text = f"{times:.2g} times rounding ({check.subject}{of}, `{check.what}`)"
            missed[check.contender] = max((times, text), missed.get(check.contender, (times, text)))
    return {name: text for name, (_, text) in missed.items()}

"""Write the results about torch functions as tables; the same file gives the same text."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.checkers import counts
from benchmarks.checkers.cases import MISTAKES, RIGHT
from benchmarks.checkers.counts import Tally
from benchmarks.checkers.functions.limits import limit
from benchmarks.checkers.question import NO_ANSWER
from benchmarks.checkers.results import Check, Planted, Results
from benchmarks.checkers.table import Row, cpu_seconds, no_answer, seconds
from benchmarks.templates import templates

#: How each checker is called.
HOW = {
    "handgrad.torch.check_function": "`check_function` at the given point and eight others",
    "torch.autograd.gradcheck": "`gradcheck` at the given point alone; its defaults are meant for "
    "float64",
    "twice-the-reference": "`twice-the-reference` at the given point alone",
}


def markdown(results: Results) -> str:
    """Write all tables, with the conditions above them and the notes below."""
    available = _available(results)
    return (
        templates(Path(__file__).parents[1])
        .get_template("functions/table.md.j2")
        .render(
            results=results,
            found=results.fingerprint,
            available=available,
            functions=len({check.subject for check in results.checks}),
            planted=len({c.case for c in results.checks if c.part == MISTAKES}),
            right=len({c.case for c in results.checks if c.part == RIGHT}),
            limits=_limits(_formats(results)),
            by_format=[row for each in _formats(results) for row in Counted(results).rows(each)],
            mistakes=_mistakes(results),
            how=[HOW[name] for name in available if name in HOW],
            missed=largest_missed(results),
        )
    )


def in_brief(results: Results) -> str:
    """Write the table of docs/pytorch.md: by format, what is caught and what called wrong."""
    available, counted = _available(results), Counted(results)
    lines = [["", "", *(f"`{name.split('.')[-1]}`" for name in available)]]
    lines.append(["---"] * len(lines[0]))
    for dtype in _formats(results):
        for first, second, checks, cell in counted.rows(dtype)[: counted.IN_BRIEF]:
            each = ([check for check in checks if check.contender == name] for name in available)
            lines.append([first, second, *(str(cell(found)) for found in each)])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    size = _limits(_formats(results))
    return f"{rows}\n\nA mistake is larger than rounding, and must be caught, from {size} on."


class Counted:
    """Counts the answers by what the results say of the mistakes: their sizes and their names."""

    #: How many rows of a format say what is most important.
    IN_BRIEF = 4

    def __init__(self, results: Results) -> None:
        self.results = results

    def rows(self, dtype: str) -> list[Row]:
        """Return the rows about one format."""
        every = [check for check in self.results.checks if check.format == dtype]
        planted = [check for check in every if check.part == MISTAKES]
        right = [check for check in every if check.part == RIGHT]
        larger = [check for check in planted if self.is_larger(check)]
        smaller = [check for check in planted if not self.is_larger(check)]
        return [
            (dtype, "mistakes larger than rounding, caught", larger, counts.tally_caught),
            (dtype, "smaller mistakes, caught", smaller, counts.tally_caught),
            (dtype, "right ones called wrong", right, counts.tally_false_alarms),
            (dtype, "named the mistake, of those caught", planted, self.tally_named),
            (dtype, "named another mistake", planted, self.tally_misnamed),
            (dtype, "named the argument", planted, counts.tally_leaf_named),
            (dtype, "no answer", every, no_answer),
            (dtype, "CPU seconds, median; longest", every, cpu_seconds),
            (dtype, "seconds on the clock, median; longest", every, seconds),
        ]

    def about(self, check: Check) -> Planted:
        """Return what is known of a mistake."""
        return self.results.planted[check.case]

    def is_larger(self, check: Check) -> bool:
        """Whether a mistake is larger than rounding in its format; another shape is."""
        times = self.about(check)["times"]
        return times is None or times >= limit(check.format)

    def is_named(self, check: Check) -> bool:
        """Whether a kind is the mistake's, or a line is quoted whose derivative is wrong."""
        known = self.about(check)
        quoted = any(text in line for text in known["lines"] for line in check.lines)
        return quoted or bool(set(check.kinds) & set(known["kinds"]))

    def tally_named(self, checks: Sequence[Check]) -> Tally:
        """Count caught mistakes that were called by their name, or their line."""
        caught = [check for check in checks if counts.caught(check)]
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


def _limits(formats: Sequence[str]) -> str:
    """Write from which size on a mistake counts as larger, for each format."""
    each: dict[str, list[str]] = {}
    for dtype in formats:
        each.setdefault(f"{limit(dtype):.3g}", []).append(dtype)
    return ", and ".join(
        f"{size} times rounding in {' and '.join(of)}" for size, of in each.items()
    )


def largest_missed(results: Results) -> dict[str, str]:
    """Return for each checker the largest mistake, beside rounding, of those that it missed."""
    missed: dict[str, tuple[float, str]] = {}
    for check in results.checks:
        if check.part == MISTAKES and check.verdict != NO_ANSWER and not counts.caught(check):
            times = results.planted[check.case]["times"] or float("inf")
            text = f"{times:.2g} times rounding ({check.subject} in {check.format}, `{check.what}`)"
            missed[check.contender] = max((times, text), missed.get(check.contender, (times, text)))
    return {name: text for name, (_, text) in missed.items()}


def _mistakes(results: Results) -> list[Row]:
    """Return a row for each mistake, with its size and the formats in which it is caught."""
    planted = [check for check in results.checks if check.part == MISTAKES]
    rows: list[Row] = []
    for mistake in dict.fromkeys((check.subject, check.what) for check in planted):
        found = [check for check in planted if (check.subject, check.what) == mistake]
        known = results.planted[found[0].case]
        size = "-" if known["size"] is None else f"{known['size']:.1g}"
        rows.append((f"{mistake[0]}: {known['says']}", size, found, _caught_in))
    return rows


def _caught_in(checks: Sequence[Check]) -> str:
    """Write the formats in which a mistake is caught, of those with an answer."""
    answered = [check for check in checks if check.verdict != NO_ANSWER]
    caught = [check.format for check in answered if counts.caught(check)]
    if not answered:
        return "-"
    return "yes" if len(caught) == len(answered) else ", ".join(caught) or "no"


def _available(results: Results) -> list[str]:
    return [name for name, reason in results.contenders.items() if reason is None]


def _formats(results: Results) -> list[str]:
    return list(dict.fromkeys(check.format for check in results.checks))

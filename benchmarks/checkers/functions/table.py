"""Write the results about torch functions as tables; the same file gives the same text."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.checkers import counts, known
from benchmarks.checkers.cases import MISTAKES, RIGHT
from benchmarks.checkers.functions.limits import limit
from benchmarks.checkers.question import NO_ANSWER
from benchmarks.checkers.results import Check, Results
from benchmarks.checkers.table import Row, available
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
    names = available(results)
    return (
        templates(Path(__file__).parents[1])
        .get_template("functions/table.md.j2")
        .render(
            results=results,
            found=results.fingerprint,
            available=names,
            functions=len({check.subject for check in results.checks}),
            planted=len({c.case for c in results.checks if c.part == MISTAKES}),
            right=len({c.case for c in results.checks if c.part == RIGHT}),
            limits=_limits(_formats(results)),
            by_format=[row for each in _formats(results) for row in Counted(results).rows(each)],
            mistakes=_mistakes(results),
            how=[HOW[name] for name in names if name in HOW],
            missed=known.largest_missed(results),
        )
    )


def in_brief(results: Results) -> str:
    """Write the table of docs/pytorch.md: by format, what is caught and what called wrong."""
    rows = Counted(results).in_brief(_formats(results))
    size = _limits(_formats(results))
    return f"{rows}\n\nA mistake is larger than rounding, and must be caught, from {size} on."


class Counted(known.Counted):
    """Counts by format."""

    def limit(self, check: Check) -> float:
        """Return how large a mistake is, in rounding, that must be caught."""
        return limit(check.format)

    def group(self, check: Check) -> str:
        """Return the format."""
        return check.format


def _limits(formats: Sequence[str]) -> str:
    """Write from which size on a mistake counts as larger, for each format."""
    each: dict[str, list[str]] = {}
    for dtype in formats:
        each.setdefault(f"{limit(dtype):.3g}", []).append(dtype)
    return ", and ".join(
        f"{size} times rounding in {' and '.join(of)}" for size, of in each.items()
    )


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


def _formats(results: Results) -> list[str]:
    return list(dict.fromkeys(check.format for check in results.checks))

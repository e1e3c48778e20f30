"""Render a report as plain text that fits one screen."""

from math import isinf
from textwrap import TextWrapper

from handgrad.data.findings import LeafReport
from handgrad.data.numerals import HEIGHT, WIDTH, place, short, ulps
from handgrad.render import content
from handgrad.render.content import Reading

#: The fewest and the most leaves in the table; between them as many as fit the screen.
FEWEST_LEAVES, MOST_LEAVES = 3, 8

#: Findings and warnings beyond this many are counted, not shown.
MOST_REMARKS = 4

HEADINGS = ("leaf", "worst", "yours", "exact", "ulps", "(autodiff)", "verdict")


def as_text(report: Reading) -> str:
    """Return the report as text: summary, worst element, table of leaves, closing lines."""
    above, below = _around_the_table(report)
    table = _table(content.ordered(report.leaves, report.blame), fitting(report))
    return "\n\n".join(block for block in (*above, table, *below) if block)


def fitting(report: Reading) -> int:
    """Return how many leaves the table may show, so that the whole fits one screen."""
    above, below = _around_the_table(report)
    taken = sum(_height(block) + 1 for block in (*above, *below) if block)
    free = HEIGHT - taken - len(("headings",))
    if len(report.leaves) > free:
        free -= len(("how many more",))
    return min(MOST_LEAVES, max(FEWEST_LEAVES, free))


def _around_the_table(report: Reading) -> tuple[list[str], list[str]]:
    answer = (_wrapped(content.headline(report)), diagnoses(report))
    above = ["\n".join(text for text in answer if text), _close_up(report)]
    return above, [remarks(report), footing(report)]


def cells(leaf: LeafReport) -> tuple[str, ...]:
    """Return the cells of a leaf's row, under `HEADINGS`."""
    exact = "not known" if isinf(leaf.exact.radius) else short(float(leaf.exact))
    distances = (ulps(leaf.ulps), f"({ulps(leaf.ulps_autodiff)})")
    yours = short(leaf.yours) if leaf.judged or not leaf.elements else ""
    return leaf.path, place(leaf.index), yours, exact, *distances, leaf.verdict


def left_out(leaves: list[LeafReport]) -> str:
    """Sum up the leaves that the table has no room for; empty if there are none."""
    if not leaves:
        return ""
    agreeing = sum(leaf.verdict == "agree" for leaf in leaves)
    if len(leaves) == 1:
        return f"... and 1 more leaf: {leaves[0].verdict}"
    how = {len(leaves): "all agree", 0: "none of them agrees"}.get(agreeing)
    return f"... and {len(leaves)} more leaves, {how or f'{agreeing} of them agree'}"


def remarks(report: Reading) -> str:
    """Return findings and warnings, a paragraph each."""
    texts = content.findings(report)
    return "\n".join(
        [*_some(texts, "findings"), *_some([f"Warning: {w}" for w in report.warnings], "warnings")]
    )


def footing(report: Reading) -> str:
    """Return the closing lines."""
    lines = [_wrapped(text, "") for text in content.footing(report)]
    # Not wrapped, so that it can be copied.
    return "\n".join([*lines, f"Again: {report.reproduce}"] if report.reproduce else lines)


def diagnoses(report: Reading) -> str:
    """Describe the kinds of mistake; empty if there is none."""
    return "\n".join(_wrapped(text) for text in content.diagnoses(report))


def _close_up(report: Reading) -> str:
    close_up = content.close_up(report)
    if close_up is None:
        return ""
    width = max(len(row.digits) for row in close_up.rows)
    lines = [
        f"  {who:8}  {digits:{width}}  {note}".rstrip() for who, digits, _, note in close_up.rows
    ]
    tolerance = [_wrapped(f"  {close_up.tolerance}")] if close_up.tolerance else []
    return "\n".join([_wrapped(close_up.title), *lines, *tolerance])


def _table(leaves: list[LeafReport], room: int) -> str:
    if not leaves:
        return ""
    room += len(leaves) == room + 1  # one more leaf fits in place of the line that counts the rest
    shown = leaves[:room]
    rows = [HEADINGS, *map(cells, shown)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] = min(widths[0], max(len("..."), WIDTH - sum(width + 2 for width in widths[1:])))
    rows = [(_end_of(path, widths[0]), *others) for path, *others in rows]
    lines = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    rest = left_out(leaves[room:])
    return "\n".join([*lines, rest] if rest else lines)


def _some(texts: list[str], noun: str) -> list[str]:
    shown = [_wrapped(text) for text in texts[:MOST_REMARKS]]
    more = len(texts) - MOST_REMARKS
    return [*shown, f"... and {more} more {noun}"] if more > 0 else shown


def _end_of(path: str, width: int) -> str:
    """Shorten a path to its end if the column is too narrow."""
    return path if len(path) <= width else f"...{path[len(path) - width + 3 :]}"


def _height(block: str) -> int:
    return sum(1 + (len(line) - 1) // WIDTH for line in block.split("\n"))


def _wrapped(text: str, indent: str = "  ") -> str:
    """Wrap a paragraph, with all lines but the first indented; its own line breaks are kept."""
    wrapper = TextWrapper(
        WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrapper.fill(line) for line in text.splitlines())

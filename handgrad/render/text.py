"""Render a report as plain text that fits one screen."""

import re
import sys
from math import isinf, isnan
from textwrap import TextWrapper

from handgrad.data.findings import LeafReport
from handgrad.data.harmless import harmless
from handgrad.data.numerals import HEIGHT, clamped, place, short, terminal_width, ulps
from handgrad.render import closing, content
from handgrad.render.content import Reading
from handgrad.render.document import Document, Table

#: The fewest and the most leaves in the table; between them as many as fit the screen.
FEWEST_LEAVES, MOST_LEAVES = 3, 8

#: Findings and warnings beyond this many are counted, not shown.
MOST_REMARKS = 4

HEADINGS = ("leaf", "worst", "yours", "exact", "ulps", "(autodiff)", "verdict")

#: The columns that are left out where there is no room, in this order.
LEAST_FIRST = ("(autodiff)", "exact", "yours", "worst")

#: Before a path is cut to fewer letters, a column is left out.
SHORTEST_PATH = 16

#: What stands between spaces, with all spaces within quotes.
_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")

#: A call in Python, and no command.
_CALL = re.compile(r"[\w.]+\(.*\)", re.DOTALL)

_JOINT = re.compile(r"(?=\[)|(?<=[/._,])")


class _Wrapper(TextWrapper):
    """Breaks a word that is longer than a line, a path, where it has a joint."""

    def _split(self, text: str) -> list[str]:
        words = super()._split(text)
        return [
            part for w in words for part in (_JOINT.split(w) if len(w) > self.width - 4 else [w])
        ]


def as_text(shown: Reading | Document, columns: int | None = None) -> str:
    """Return a report as text, no line longer than so many columns; by default the terminal's.

    That on a gradient has a summary, its worst element, a table of leaves, and closing lines.
    """
    columns = terminal_width() if columns is None else clamped(columns)
    if isinstance(shown, Document):
        gap, blocks = "\n" if shown.close else "\n\n", [_block(b, columns) for b in shown.blocks]
    else:
        above, below = _around_the_table(shown, columns)
        gap, blocks = "\n\n", [b for b in (*above, _leaves(shown, columns), *below) if b]
    return harmless(gap.join(blocks))


def _block(block: str | Table | Reading, columns: int) -> str:
    if isinstance(block, Reading):
        return as_text(block, columns)
    return wrapped(block, columns, "") if isinstance(block, str) else _lines(block, columns)


def _lines(table: Table, columns: int) -> str:
    """Write a table; where a row is too long, its last cell is on lines of its own."""
    widths = table.widths
    lines = []
    for row in (table.head, *table.rows) if table.head else table.rows:
        if isinstance(row, str):
            lines.append(wrapped(row, columns, "    "))
            continue
        cells = [
            f"{cell:{'>' if k in table.right else '<'}{width}}"
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = (table.indent + "  ".join(cells)).rstrip()
        if len(line) > columns:
            start = wrapped((table.indent + "  ".join(cells[:-1])).rstrip(), columns, "    ")
            line = f"{start}\n{wrapped('    ' + row[-1], columns, '    ')}"
        lines.append(line)
    return "\n".join(lines)


def fitting(report: Reading, columns: int) -> int:
    """Return how many leaves the table may show, so that the whole fits one screen."""
    above, below = _around_the_table(report, columns)
    taken = sum(block.count("\n") + 2 for block in (*above, *below) if block)
    free = HEIGHT - taken - len(("headings",))
    if len(report.leaves) > free:
        free -= len(("how many more",))
    return min(MOST_LEAVES, max(FEWEST_LEAVES, free))


def _around_the_table(report: Reading, columns: int) -> tuple[list[str], list[str]]:
    answer = (wrapped(content.headline(report), columns), diagnoses(report, columns))
    above = ["\n".join(text for text in answer if text), _close_up(report, columns)]
    return above, [remarks(report, columns), footing(report, columns)]


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


def remarks(report: Reading, columns: int) -> str:
    """Return findings and warnings, a paragraph each."""
    warnings = [f"Warning: {warning}" for warning in report.warnings]
    found = [
        *_some(content.findings(report), "findings", columns),
        *_some(warnings, "warnings", columns),
    ]
    return "\n".join(found)


def footing(report: Reading, columns: int) -> str:
    """Return the closing lines."""
    lines = [wrapped(text, columns, "") for text in closing.footing(report)]
    return "\n".join([*lines, again(report.reproduce, columns)] if report.reproduce else lines)


def again(call: str, columns: int) -> str:
    """Write a call or a command so that it can be pasted, also where it takes several lines.

    It is broken between words, and not within quotes; a command's lines end with backslashes, which
    the shell of Windows does not know.
    """
    is_command = not _CALL.fullmatch(call)
    if is_command and sys.platform == "win32":
        return f"Again: {call}"
    end = " \\" if is_command else ""
    lines = ["Again:"]
    for word in _WORD.findall(call):
        if len(lines[-1]) + 1 + len(word) + len(end) > columns:
            lines[-1] += end
            lines.append("   ")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def diagnoses(report: Reading, columns: int) -> str:
    """Describe the kinds of mistake; empty if there is none."""
    return "\n".join(wrapped(text, columns) for text in content.diagnoses(report))


def _close_up(report: Reading, columns: int) -> str:
    close_up = content.close_up(report)
    if close_up is None:
        return ""
    rows = tuple((row.who, row.digits, row.note) for row in close_up.rows)
    # As wide as `autodiff`, also where there is none.
    rows = ((f"{rows[0][0]:8}", *rows[0][1:]), *rows[1:])
    tolerance = [wrapped(f"  {close_up.tolerance}", columns)] if close_up.tolerance else []
    numbers = _lines(Table(rows, indent="  "), columns)
    return "\n".join([wrapped(close_up.title, columns), numbers, *tolerance])


def _leaves(report: Reading, columns: int) -> str:
    leaves = content.ordered(report)
    if not leaves:
        return ""
    room = fitting(report, columns)
    room += len(leaves) == room + 1  # one more leaf fits in place of the line that counts the rest
    head, *rows = columns_of(leaves[:room], columns)
    rest = left_out(leaves[room:])
    lines = _lines(Table(tuple(rows), head), columns)
    return f"{lines}\n{rest}" if rest else lines


def columns_of(leaves: list[LeafReport], columns: int) -> list[tuple[str, ...]]:
    """Return the headings and a row for each leaf, as many columns of them as there is room for.

    Long paths are shortened to their ends.
    """
    right = "exact" if any(leaf.exact.certified for leaf in leaves) else "estimate"
    rows = [tuple(right if h == "exact" else h for h in HEADINGS), *map(cells, leaves)]
    left = [right if h == "exact" else h for h in LEAST_FIRST]
    if all(isnan(leaf.ulps_autodiff) for leaf in leaves):  # there is none, or none is known
        k = HEADINGS.index(left.pop(0))
        rows = [(*row[:k], *row[k + 1 :]) for row in rows]
    while (room := _room(rows, columns)) < min(max(map(len, _paths(rows))), SHORTEST_PATH) and left:
        k = rows[0].index(left.pop(0))
        rows = [(*row[:k], *row[k + 1 :]) for row in rows]
    return [(_end_of(path, max(room, len("..."))), *others) for path, *others in rows]


def _paths(rows: list[tuple[str, ...]]) -> list[str]:
    return [row[0] for row in rows]


def _room(rows: list[tuple[str, ...]], columns: int) -> int:
    """Return the room for the first column beside the others."""
    _, *others = zip(*rows, strict=True)
    return columns - sum(max(map(len, column)) + 2 for column in others)


def _some(texts: list[str], noun: str, columns: int) -> list[str]:
    shown = [wrapped(text, columns) for text in texts[:MOST_REMARKS]]
    more = len(texts) - MOST_REMARKS
    return [*shown, f"... and {more} more {noun}"] if more > 0 else shown


def _end_of(path: str, width: int) -> str:
    """Shorten a path to its end if the column is too narrow."""
    return path if len(path) <= width else f"...{path[len(path) - width + 3 :]}"


def wrapped(text: str, columns: int, indent: str = "  ") -> str:
    """Wrap a paragraph, with all lines but the first indented; its own line breaks are kept.

    A word that is longer than a line is broken. No number is as long as that.
    """
    wrapper = _Wrapper(columns, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(wrapper.fill(line) for line in text.splitlines())

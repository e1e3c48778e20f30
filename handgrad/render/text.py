"""Render a report as plain text that fits one screen."""

import re
import sys
from math import isinf, isnan
from textwrap import TextWrapper

from handgrad.data.findings import LeafReport
from handgrad.data.harmless import harmless
from handgrad.data.numerals import HEIGHT, clamped, place, short, terminal_width, ulps
from handgrad.render import closing, content
from handgrad.render.content import Document, Reading, Table

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
        gap, blocks = "\n\n", filter(None, _report(shown, columns))
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


def _report(report: Reading, columns: int) -> list[str]:
    """Return the summary, the worst element, as many leaves as fit one screen, and the closing."""
    answer = [content.headline(report), *content.diagnoses(report)]
    above = ["\n".join(wrapped(text, columns) for text in answer), _close_up(report, columns)]
    warnings = [f"Warning: {warning}" for warning in report.warnings]
    remarks = _some(content.findings(report), "findings", columns)
    remarks += _some(warnings, "warnings", columns)
    footing = [wrapped(text, columns, "") for text in closing.footing(report)]
    footing += [again(report.reproduce, columns)] if report.reproduce else []
    below = ["\n".join(remarks), "\n".join(footing)]
    taken = sum(block.count("\n") + 2 for block in (*above, *below) if block)
    return [*above, _leaves(content.ordered(report), columns, HEIGHT - taken), *below]


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


def _close_up(report: Reading, columns: int) -> str:
    close_up = content.close_up(report)
    if close_up is None:
        return ""
    rows = tuple((row.shown_who, row.digits, row.note) for row in close_up.rows)
    tolerance = [wrapped(f"  {close_up.tolerance}", columns)] if close_up.tolerance else []
    numbers = _lines(Table(rows, indent="  "), columns)
    return "\n".join([wrapped(close_up.title, columns), numbers, *tolerance])


def _leaves(leaves: list[LeafReport], columns: int, lines: int) -> str:
    """Write the table of leaves in so many lines, if that is enough for the fewest."""
    if not leaves:
        return ""
    room = lines - len(("headings",))
    if len(leaves) > room:
        room -= len(("how many more",))
    room = min(MOST_LEAVES, max(FEWEST_LEAVES, room))
    room += len(leaves) == room + 1  # one more leaf fits in place of the line that counts the rest
    table, rest = _lines(table_of(leaves[:room], columns), columns), left_out(leaves[room:])
    return f"{table}\n{rest}" if rest else table


def table_of(leaves: list[LeafReport], columns: int) -> Table:
    """Return a row for each leaf, with as many columns as there is room for.

    Long paths are shortened to their ends.
    """
    right = "exact" if any(leaf.exact.certified for leaf in leaves) else "estimate"
    heads, least = ([right if h == "exact" else h for h in hs] for hs in (HEADINGS, LEAST_FIRST))
    shown = {h: (h, *column) for h, *column in zip(heads, *map(cells, leaves), strict=True)}
    paths = shown.pop(HEADINGS[0])
    if all(isnan(leaf.ulps_autodiff) for leaf in leaves):  # there is none, or none is known
        del shown[least.pop(0)]

    def room() -> int:
        return columns - sum(max(map(len, column)) + 2 for column in shown.values())

    while room() < min(max(map(len, paths)), SHORTEST_PATH) and least:
        del shown[least.pop(0)]
    width = max(room(), len("..."))
    ends = [path if len(path) <= width else f"...{path[len(path) - width + 3 :]}" for path in paths]
    head, *rows = zip(ends, *shown.values(), strict=True)
    return Table(tuple(rows), head)


def _some(texts: list[str], noun: str, columns: int) -> list[str]:
    shown = [wrapped(text, columns) for text in texts[:MOST_REMARKS]]
    more = len(texts) - MOST_REMARKS
    return [*shown, f"... and {more} more {noun}"] if more > 0 else shown


def wrapped(text: str, columns: int, indent: str = "  ") -> str:
    """Wrap a paragraph, with all lines but the first indented; its own line breaks are kept.

    A word that is longer than a line is broken. No number is as long as that.
    """
    wrapper = _Wrapper(columns, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(wrapper.fill(line) for line in text.splitlines())

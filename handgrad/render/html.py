"""Render a report as HTML for a notebook: no script, legible on light and dark pages."""

import html
from collections.abc import Iterable, Mapping

from handgrad.data.findings import LeafReport
from handgrad.data.harmless import harmless
from handgrad.data.numerals import place, short, ulps
from handgrad.render import closing, content
from handgrad.render.content import Document, Reading, Table
from handgrad.render.text import MOST_LEAVES, left_out

#: White text on these has a contrast above 4.5. Other text has the page's colour, except on our own
#: backgrounds, so that both fit on any page.
BADGES = {
    "agree": "#1a7f37",
    "imprecise": "#8a6100",
    "disagree": "#c0152f",
    "undecidable": "#6f42c1",
    "raised": "#57606a",
}

HEADINGS = ("leaf", "shape", "worst", "", "", "ulps", "detects", "verdict")
#: Spaces at the start of a cell are kept: they make it a part of the one above.
CELL = (
    "padding: .15em .8em .15em 0; text-align: left; vertical-align: top; background: none; "
    "white-space: pre-wrap"
)
MONO = "font-family: ui-monospace, monospace; white-space: pre"
WRAPPED = f"{MONO}-wrap"
NO_LINKS: Mapping[str, str] = {}
MARK = "background: #ffe08a; color: #000"


def as_html(shown: Reading | Document, links: Mapping[str, str] = NO_LINKS) -> str:
    """Return a report as one `div`, with all text escaped.

    Args:
        shown: the report.
        links: where the first cells of rows lead to, by their texts.
    """
    blocks = (shown,) if isinstance(shown, Reading) else shown.blocks
    body = "".join(_block(block, links) for block in blocks)
    return f'<div class="handgrad" style="line-height: 1.4">{body}</div>'


class _Html(str):
    """What is HTML already."""


def escape(text: str) -> str:
    """Return a text as HTML that shows it."""
    return text if isinstance(text, _Html) else html.escape(harmless(text))


def _block(block: str | Table | Reading, links: Mapping[str, str]) -> str:
    if isinstance(block, Reading):
        return _report(block)
    if isinstance(block, str):
        return _each([block], "p")
    rows = [_cells(row, block, links) for row in block.rows]
    head = _cells(block.head, block, NO_LINKS, "th") if block.head else ""
    style = f"border-collapse: collapse; margin-left: {len(block.indent)}ch"
    return f'<table style="{style}">{head}{"".join(rows)}</table>'


def _cells(
    row: tuple[str, ...] | str, table: Table, links: Mapping[str, str], tag: str = "td"
) -> str:
    if isinstance(row, str):
        return f'<tr><td colspan="{len(table.widths)}" style="{CELL}">{escape(row)}</td></tr>'
    cells = []
    for k, cell in enumerate(row):
        style = f"{CELL}; text-align: right" if k in table.right else CELL
        shown = badge(cell) if cell in BADGES else escape(cell)
        if k == 0 and cell in links:
            shown = f'<a href="{escape(links[cell])}">{shown}</a>'
        cells.append(f'<{tag} style="{style}">{shown}</{tag}>')
    return f"<tr>{''.join(cells)}</tr>"


def _report(report: Reading) -> str:
    remarks = content.findings(report)
    remarks += [f"Warning: {warning}" for warning in report.warnings]
    parts = [
        f"<p>{badge(report.verdict)} {escape(content.without_verdict(report))}</p>",
        _each(content.diagnoses(report), "p"),
        _leaves(content.ordered(report)),
        f"<ul>{_each(remarks, 'li')}</ul>" if remarks else "",
        _each(closing.footing(report), "p"),
    ]
    if report.reproduce:
        parts.append(f'<p>Again: <code style="{WRAPPED}">{escape(report.reproduce)}</code></p>')
    return "".join(parts)


def badge(verdict: str) -> str:
    """Return a verdict in white on its colour."""
    style = f"background: {BADGES.get(verdict, BADGES['raised'])}; color: #fff; padding: .1em .5em"
    return f'<strong style="{style}; border-radius: .3em">{escape(verdict)}</strong>'


def _leaves(leaves: list[LeafReport]) -> str:
    """Return a table of the first leaves, and a collapsed one of the others."""
    if not leaves:
        return ""
    rows, hidden = tuple(map(_row, leaves)), leaves[MOST_LEAVES:]
    first = _block(Table(rows[:MOST_LEAVES], HEADINGS), NO_LINKS)
    if not hidden:
        return first
    others = _block(Table(rows[MOST_LEAVES:], HEADINGS), NO_LINKS)
    return f"{first}<details><summary>{escape(left_out(hidden))}</summary>{others}</details>"


def _row(leaf: LeafReport) -> tuple[str, ...]:
    rows = content.rows(leaf)
    return (
        _Html(f"<code>{escape(leaf.path)}</code>"),
        f"{leaf.shape} {leaf.dtype}",
        place(leaf.index),
        _Html("<br>".join(escape(row.who) for row in rows)),
        _Html("<br>".join(map(_digits, rows))),
        _Html("<br>".join(["", *map(ulps, (leaf.ulps, leaf.ulps_autodiff)[: len(rows) - 1])])),
        short(leaf.detection_limit, 2),
        _Html(badge(leaf.verdict)),
    )


def _digits(row: content.Row) -> str:
    start, rest = escape(row.digits[: row.same]), escape(row.digits[row.same :])
    marked = f'<mark style="{MARK}">{rest}</mark>' if rest else ""
    return f'<code style="{MONO}">{start}{marked}</code>'


def _each(texts: Iterable[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)

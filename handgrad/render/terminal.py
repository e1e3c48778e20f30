"""Render a report for a terminal by rich: the text with colours."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from handgrad.render import content
from handgrad.render.content import Reading
from handgrad.render.text import HEADINGS, cells, diagnoses, fitting, footing, left_out, remarks

STYLES = {"agree": "green", "imprecise": "yellow", "disagree": "bold red", "undecidable": "magenta"}


def as_rich(report: Reading) -> RenderableType:
    """Return the report as a rich renderable: the same words, coloured."""
    blocks = (_headline(report), _close_up(report), _leaves(report))
    texts = [Text(text) for text in (remarks(report), footing(report)) if text]
    parts: list[RenderableType] = []
    for block in (*blocks, *texts):
        if block is not None:
            parts += ["", block] if parts else [block]
    return Group(*parts)


def _headline(report: Reading) -> Text:
    kinds = diagnoses(report)
    text = Text("\n".join([content.headline(report), *([kinds] if kinds else [])]))
    text.stylize(STYLES.get(report.verdict, "bold"), 0, len(report.verdict))
    return text


def _close_up(report: Reading) -> RenderableType | None:
    close_up = content.close_up(report)
    if close_up is None:
        return None
    grid = Table.grid(padding=(0, 2, 0, 0))
    for who, digits, same, note in close_up.rows:
        number = Text(digits, no_wrap=True)
        number.stylize("underline", same)
        grid.add_row(Text(f"  {who}"), number, Text(note))
    tolerance = [Text(f"  {close_up.tolerance}")] if close_up.tolerance else []
    return Group(Text(close_up.title), grid, *tolerance)


def _leaves(report: Reading) -> RenderableType | None:
    leaves = content.ordered(report.leaves, report.blame)
    if not leaves:
        return None
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=True)
    most = fitting(report)
    for leaf in leaves[:most]:
        *others, verdict = cells(leaf)
        table.add_row(*map(Text, others), Text(verdict, style=STYLES.get(verdict, "")))
    rest = left_out(leaves[most:])
    return Group(table, Text(rest)) if rest else table

"""Render a report for a terminal by rich: the text with colours, as wide as the console."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions
from rich.text import Text

from handgrad.render import content
from handgrad.render.content import Document, Reading
from handgrad.render.text import HEADINGS, as_text

STYLES = {"agree": "green", "imprecise": "yellow", "disagree": "bold red", "undecidable": "magenta"}


class Coloured:
    """A report as a rich renderable."""

    def __init__(self, shown: Reading | Document) -> None:
        self.shown = shown

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        text = Text(as_text(self.shown, options.max_width))
        for verdict, style in STYLES.items():
            text.highlight_regex(rf"(?m)^{verdict}\b|(?<=  ){verdict}(?=  |$)", style)
        text.highlight_regex(rf"(?m)^{HEADINGS[0]} .*{HEADINGS[-1]}$", "bold")
        for block in (self.shown,) if isinstance(self.shown, Reading) else self.shown.blocks:
            if isinstance(block, Reading):
                _underline(text, block)
        yield text


def _underline(text: Text, report: Reading) -> None:
    """Underline the digits of the worst element that are not those of the exact one."""
    close_up = content.close_up(report)
    for row in close_up.rows if close_up else ():
        start = text.plain.find(f"  {row.shown_who}  {row.digits}")
        if start >= 0:
            end = start + len(f"  {row.shown_who}  {row.digits}")
            text.stylize("underline", end - len(row.digits) + row.same, end)

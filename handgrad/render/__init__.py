"""How a report reads: as text, on a rich terminal, in a notebook."""

from typing import Any

from handgrad.render.html import as_html
from handgrad.render.text import as_text
from handgrad.report import GradientReport

__all__ = ["as_html", "as_rich", "as_text"]


def as_rich(report: GradientReport) -> Any:
    """The report as something that a rich console prints; rich is loaded when this is called."""
    from handgrad.render import terminal

    return terminal.as_rich(report)

"""Render a report as text, on a terminal, or as HTML in a notebook; a new format is added here."""

from handgrad.render.content import Reading, StepReading, StepsReading
from handgrad.render.html import as_html
from handgrad.render.text import as_text

__all__ = ["Reading", "StepReading", "StepsReading", "as_html", "as_text"]

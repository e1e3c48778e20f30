"""Render a report as text, on a terminal, or as HTML in a notebook; a new format is added here."""

from handgrad.render.content import Document, Reading, StepsReading, Table
from handgrad.render.renderable import Renderable

__all__ = ["Document", "Reading", "Renderable", "StepsReading", "Table"]

"""Render a report as text, on a terminal, or as HTML in a notebook; a new format is added here."""

from handgrad.render.content import Reading, StepReading, StepsReading
from handgrad.render.page import Page, Table
from handgrad.render.shown import Shown

__all__ = ["Page", "Reading", "Shown", "StepReading", "StepsReading", "Table"]

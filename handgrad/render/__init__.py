"""How a judgement reads: as text, on a rich terminal, in a notebook."""

from handgrad.render.content import Reading, StepReading, StepsReading
from handgrad.render.html import as_html
from handgrad.render.text import as_text

__all__ = ["Reading", "StepReading", "StepsReading", "as_html", "as_text"]

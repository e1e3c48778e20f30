"""What is shown as text, on a terminal by rich, and in a notebook, from the same words."""

from abc import ABC, abstractmethod
from typing import Any

from handgrad.render.content import Document, Reading
from handgrad.render.html import as_html
from handgrad.render.text import as_text


class Renderable(ABC):
    """A report in every format, as wide as the terminal; from 50 to 200 columns."""

    @abstractmethod
    def _content(self) -> Document | Reading:
        """Return what there is to show, for every format."""

    def __str__(self) -> str:
        return as_text(self._content())

    def __rich__(self) -> Any:
        from handgrad.render.terminal import Coloured

        return Coloured(self._content())

    def _repr_html_(self) -> str:
        return as_html(self._content())

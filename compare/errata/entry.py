"""The types of an erratum and of the result of its run, which commands and the page print."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

#: A cell of a table: words, or a number that is printed to `Shown.digits` significant digits.
Cell = str | float


@dataclass(frozen=True)
class Shown:
    """The result of a run: a table, and a sentence that sums it up.

    A run may return NumPy's numbers; `Erratum.run` has Python's in their place.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]  #: of `Cell`
    says: str
    digits: int = 6


@dataclass(frozen=True)
class Erratum:
    """One mistake of the article: as printed, corrected, and explained.

    Texts are plain; equations are given in LaTeX as well.
    """

    number: int  #: from 1, in the order of the catalogue
    title: str
    section: str  #: of the article, by its heading
    printed: str  #: the text of the article, or of the blog that it follows
    right: str
    why: str  #: the explanation for a beginner
    shows: Callable[[], Shown]
    printed_latex: str | None = None
    right_latex: str | None = None

    def run(self) -> Shown:
        """Show it by a run."""
        shown = self.shows()
        return replace(shown, rows=[[_plain(cell) for cell in row] for row in shown.rows])


def slope(of: str, by: str) -> str:
    """Write the derivative of one by the other in LaTeX."""
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"


def erratum(number: int, **texts: Any) -> Callable[[Callable[[], Shown]], Erratum]:
    """Decorate the function that shows an erratum with its texts; the result is the `Erratum`."""
    return lambda shows: Erratum(number, shows=shows, **texts)


def _plain(cell: Any) -> Cell:
    return cell if isinstance(cell, str) else np.asarray(cell).item()

"""The types of an erratum and of the result of its run, which commands and the page print."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: A cell of a table: words, or a number that is printed to `Shown.digits` significant digits.
Cell = str | float


@dataclass(frozen=True)
class Shown:
    """The result of a run: a table, a sentence that sums it up, and its key numbers by name."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    says: str
    numbers: dict[str, Any] = field(default_factory=dict)
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
    run: Callable[[], Shown]
    printed_latex: str | None = None
    right_latex: str | None = None


def erratum(number: int, **texts: Any) -> Callable[[Callable[[], Shown]], Erratum]:
    """Decorate the function that shows an erratum with its texts; the result is the `Erratum`."""
    return lambda run: Erratum(number, run=run, **texts)

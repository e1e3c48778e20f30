"""What one erratum is, and what its run shows: data, which commands and pages print."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: A cell of a table: words, or a number that is printed to `Shown.digits` significant digits.
Cell = str | float


@dataclass(frozen=True)
class Shown:
    """What a run has computed: a table, the sentence it comes to, and its key numbers by name."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    says: str
    numbers: dict[str, Any] = field(default_factory=dict)
    digits: int = 6


@dataclass(frozen=True)
class Erratum:
    """One slip of the article. Equations are in plain signs, and in LaTeX where they are ones."""

    number: int  #: from 1, in the order of the catalogue
    title: str
    section: str  #: of the article, by its heading
    printed: str  #: what the article prints, or the blog that it follows
    right: str
    why: str  #: for a beginner
    run: Callable[[], Shown]
    printed_latex: str | None = None
    right_latex: str | None = None


def erratum(number: int, **texts: Any) -> Callable[[Callable[[], Shown]], Erratum]:
    """Put an erratum's texts above the function that shows it; together they are the `Erratum`."""
    return lambda run: Erratum(number, run=run, **texts)

"""The sheet that every figure is drawn on: title, conditions and note at fixed places."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.figures.themes import Theme
from benchmarks.figures.wording import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches: of the sheet, and what the title above and one line of the note below take.
WIDTH, TITLE, LINE = 8.0, 1.08, 0.17

#: Inches from the sheet's edge to its text.
EDGE = 0.12

POINTS = 72  #: in an inch


@dataclass(frozen=True)
class Margins:
    """Inches around the axes; the title and the note have theirs besides."""

    left: float = 0.75
    right: float = 1.85
    bottom: float = 0.5
    top: float = 0.0


def framed(
    theme: Theme, words: Words, height: float, margins: Margins | None = None
) -> tuple["Figure", Any]:
    """A sheet with one pair of axes, `height` inches high, and the words around them."""
    from matplotlib.figure import Figure

    margins = margins or Margins()
    below = margins.bottom + LINE * len(words.note.splitlines()) + EDGE
    whole = height + below + margins.top + TITLE
    figure = Figure(figsize=(WIDTH, whole))
    width = WIDTH - margins.left - margins.right
    box = (margins.left / WIDTH, below / whole, width / WIDTH, height / whole)
    axes = figure.add_axes(box)
    _write(figure, words, theme)
    return figure, axes


def _write(figure: "Figure", words: Words, theme: Theme) -> None:
    left, down = EDGE / WIDTH, 1 / figure.get_figheight()
    for text, at, options in (
        (words.title, 1 - 0.12 * down, {"fontsize": 13, "fontweight": "bold", "va": "top"}),
        (words.about, 1 - 0.38 * down, {"fontsize": 9.5, "color": theme.muted, "va": "top"}),
        (words.note, 0.09 * down, {"fontsize": 8.5, "color": theme.muted, "va": "bottom"}),
    ):
        # A processor may be named in dollars, which are not mathematics.
        figure.text(left, at, text, linespacing=1.25, **options).set_parse_math(False)


def size_in_points(axes: Any) -> tuple[float, float]:
    """How wide and how high the axes are."""
    box, figure = axes.get_position(), axes.figure
    return (
        box.width * figure.get_figwidth() * POINTS,
        box.height * figure.get_figheight() * POINTS,
    )


def name_y(axes: Any, text: str) -> None:
    """The y axis's name, level above it: read without turning the head, and never cut off."""
    axes.annotate(text, (0, 1), (-4, 8), xycoords="axes fraction", textcoords="offset points")


def halo(theme: Theme) -> list[Any]:
    """The ground's colour around letters: legible on a line."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground=theme.ground)]

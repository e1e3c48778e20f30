"""The layout of every figure: title, conditions and note around one pair of axes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.figures.themes import Theme, themed
from benchmarks.figures.wording import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches: the width, the heights of the title and of a line of the note, and the margin of texts.
WIDTH, TITLE, LINE, EDGE = 8.0, 0.9, 0.17, 0.1

#: At most so many sizes of an axis are labelled.
MOST_SIZES = 7


@contextmanager
def sheet(theme: Theme, words: Words, height: float) -> Iterator[tuple["Figure", Any]]:
    """Make a figure in a theme, and its axes, which are `height` inches high with their labels."""
    from matplotlib.figure import Figure

    below = LINE * len(words.note.splitlines()) + EDGE
    whole = height + below + TITLE
    with themed(theme):
        figure = Figure(figsize=(WIDTH, whole))
        for text, at, options in (
            (words.title, whole - 0.12, {"fontsize": 13, "fontweight": "bold", "va": "top"}),
            (words.about, whole - 0.38, {"fontsize": 9.5, "color": theme.muted, "va": "top"}),
            (words.note, 0.09, {"fontsize": 8.5, "color": theme.muted, "va": "bottom"}),
        ):
            # A name may contain dollar signs, which matplotlib would read as mathematics.
            made = figure.text(EDGE / WIDTH, at / whole, text, linespacing=1.25, **options)
            made.set_parse_math(False)
        layout: Any = figure.get_layout_engine()
        layout.set(rect=(0, below / whole, 1, height / whole), w_pad=EDGE, h_pad=0.05)
        yield figure, figure.subplots()
        # Create the ticks now, in the colours of the theme.
        figure.draw_without_rendering()


def sizes_along(axis: Any, sizes: Sequence[float]) -> None:
    """Set ticks at the measured sizes, with all their digits where there is room."""
    from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(FixedLocator(sizes, nbins=MOST_SIZES))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axis.set_minor_locator(FixedLocator(sizes))
    axis.set_minor_formatter(NullFormatter())


def times_along(axis: Any) -> None:
    """Set ticks of times, `1 µs`, `10 µs`; in a range of few decades at 2 and 5 as well."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

    low, high = axis.get_view_interval()
    locator = LogLocator(subs=(1, 2, 5) if high / low < 300 else (1,))
    locator.set_axis(axis)
    axis.set_ticks([tick for tick in locator.tick_values(low, high) if low <= tick <= high])
    axis.set_major_formatter(EngFormatter("s"))
    axis.set_minor_locator(NullLocator())
    axis.grid(True, linewidth=0.8)


def halo(theme: Theme) -> list[Any]:
    """Outline letters in the background colour, so that they are legible on a line."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground=theme.ground)]

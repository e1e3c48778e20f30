"""The light and dark themes: Okabe and Ito's colours, with enough contrast to the background.

Where one of the eight has too little contrast, the same hue is made darker or lighter: at least 3
to 1 for graphics, 4.5 to 1 for text (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from compare.plots import style


@dataclass(frozen=True)
class Theme:
    """The colours of a figure."""

    name: str  #: `light` or `dark`, in the file's name
    ground: str
    ink: str  #: the colour of main text
    muted: str  #: the colour of secondary text
    grid: str
    floor: str  #: the colour of the region below the floor
    hues: Mapping[str, str]
    fills: Mapping[str, tuple[str, str]]
    """Of the map, by hue: the ground of a cell, and what is legible on it; their lightness differs
    as well."""


LIGHT = Theme(
    name="light",
    ground="#ffffff",
    ink="#1f2328",
    muted="#59636e",
    grid="#e4e7eb",
    floor="#e4e7eb",
    hues={
        "blue": "#0072B2",
        "green": "#009E73",
        "vermilion": "#D55E00",
        "purple": "#CC79A7",
        "orange": "#B87F00",
        "sky": "#2F8FC7",
        "yellow": "#8F8600",
        "grey": "#767676",
        "ink": "#1f2328",
    },
    fills={
        "blue": ("#0072B2", "#ffffff"),
        "vermilion": ("#F0955A", "#1f2328"),
        "green": ("#A9E2CD", "#1f2328"),
        "grey": ("#eceef1", "#1f2328"),
    },
)

DARK = Theme(
    name="dark",
    ground="#0d1117",
    ink="#e6edf3",
    muted="#9aa4af",
    grid="#262c36",
    floor="#262c36",
    hues={
        "blue": "#3391D6",
        "green": "#00B584",
        "vermilion": "#E8702A",
        "purple": "#CC79A7",
        "orange": "#E69F00",
        "sky": "#56B4E9",
        "yellow": "#F0E442",
        "grey": "#9aa4af",
        "ink": "#e6edf3",
    },
    fills={
        "blue": ("#1A5E96", "#ffffff"),
        "vermilion": ("#E8803C", "#0d1117"),
        "green": ("#A9E2CD", "#0d1117"),
        "grey": ("#262c36", "#e6edf3"),
    },
)

THEMES = (LIGHT, DARK)


@contextmanager
def themed(theme: Theme) -> Iterator[None]:
    """Apply the project's style in a theme's colours; matplotlib's settings are restored after."""
    import matplotlib as mpl

    settings: dict[Any, Any] = {
        "figure.dpi": 200,
        "figure.facecolor": theme.ground,
        "axes.facecolor": theme.ground,
        "axes.edgecolor": theme.muted,
        "axes.labelcolor": theme.ink,
        "axes.axisbelow": True,
        "text.color": theme.ink,
        "xtick.color": theme.muted,
        "ytick.color": theme.muted,
        "xtick.labelcolor": theme.ink,
        "ytick.labelcolor": theme.ink,
        "grid.color": theme.grid,
        "font.size": 10.5,
        "axes.titlesize": 10.5,
        "legend.fontsize": 9,
        "legend.labelspacing": 0.35,
    }
    with style(), mpl.rc_context(settings):
        yield

"""Light and dark: Okabe and Ito's colours, each as far from its ground as one can see.

Where one of the eight has too little contrast with the ground, it is the same hue, darker or
lighter: at least 3 to 1 for what is drawn, 4.5 to 1 for what is read (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from compare.plots import style

#: The hues, by the names that `looks` uses.
BLUE, GREEN, VERMILION, PURPLE, ORANGE, SKY, YELLOW, GREY, INK = (
    "blue",
    "green",
    "vermilion",
    "purple",
    "orange",
    "sky",
    "yellow",
    "grey",
    "ink",
)


@dataclass(frozen=True)
class Fill:
    """The ground of a cell of the map, and what is legible on it."""

    ground: str
    ink: str


@dataclass(frozen=True)
class Theme:
    """The colours of a figure."""

    name: str  #: `light` or `dark`, in the file's name
    ground: str
    ink: str  #: of what is read first
    muted: str  #: of what is read second
    grid: str
    floor: str  #: of the region that no time can lie in
    hues: Mapping[str, str]
    fills: Mapping[str, Fill]  #: of the map, by hue; their lightness differs as well


LIGHT = Theme(
    name="light",
    ground="#ffffff",
    ink="#1f2328",
    muted="#59636e",
    grid="#e4e7eb",
    floor="#e4e7eb",
    hues={
        BLUE: "#0072B2",
        GREEN: "#009E73",
        VERMILION: "#D55E00",
        PURPLE: "#CC79A7",
        ORANGE: "#B87F00",
        SKY: "#2F8FC7",
        YELLOW: "#8F8600",
        GREY: "#767676",
        INK: "#1f2328",
    },
    fills={
        BLUE: Fill("#0072B2", "#ffffff"),
        VERMILION: Fill("#F0955A", "#1f2328"),
        GREEN: Fill("#A9E2CD", "#1f2328"),
        GREY: Fill("#eceef1", "#1f2328"),
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
        BLUE: "#3391D6",
        GREEN: "#00B584",
        VERMILION: "#E8702A",
        PURPLE: "#CC79A7",
        ORANGE: "#E69F00",
        SKY: "#56B4E9",
        YELLOW: "#F0E442",
        GREY: "#9aa4af",
        INK: "#e6edf3",
    },
    fills={
        BLUE: Fill("#1A5E96", "#ffffff"),
        VERMILION: Fill("#E8803C", "#0d1117"),
        GREEN: Fill("#A9E2CD", "#0d1117"),
        GREY: Fill("#262c36", "#e6edf3"),
    },
)

THEMES = (LIGHT, DARK)


@contextmanager
def themed(theme: Theme) -> Iterator[None]:
    """The house style in a theme's colours; matplotlib's settings are as before afterwards."""
    import matplotlib as mpl

    settings: dict[Any, Any] = {
        # Figures have fixed margins: what is spread out by hand must know how high its axes are.
        "figure.constrained_layout.use": False,
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
    }
    with style(), mpl.rc_context(settings):
        yield

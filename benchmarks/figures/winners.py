"""Draw the map of winners: the fastest of three for every width and batch, and the ratio."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.groups import Group
from benchmarks.figures import wording
from benchmarks.figures.sheet import sheet
from benchmarks.figures.styles import style_of
from benchmarks.figures.themes import Theme
from benchmarks.names import GRAD, HAND, HAND_JIT
from benchmarks.report.units import digits
from benchmarks.results import Cell
from benchmarks.statistics import TIE, Band, table, word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The rows that are compared.
RIVALS = (HAND, HAND_JIT, GRAD)

#: Short labels for the cells of the map.
SHORT = {HAND: "NumPy", HAND_JIT: "hand, jit", GRAD: "jax.grad", TIE: TIE}

#: Inches: the height of a row of cells, and of the axes' labels.
ROW, AXES = 0.46, 0.75

#: Points of a row of cells available for text, per letter of the longest name.
ROOM = 85.0

NOTE = (
    "By hand in NumPy, by hand under jit, or jax.grad under jit; a tie of the first two is within "
    "the noise. The number is the time of NumPy by hand over that of the fastest."
)


@dataclass(frozen=True)
class Square:
    """One cell of the map."""

    width: int
    batch: int
    winner: str  #: one of RIVALS, or TIE
    ratio: float | None  #: hand-numpy / the fastest; None if NumPy has no time

    @property
    def text(self) -> str:
        """The ratio as text."""
        return "" if self.ratio is None else digits(self.ratio)


def winner(cell: Cell) -> str | None:
    """Find the fastest of the three by geometric mean.

    TIE if it ties with the next one; None if fewer than two have times.
    """
    ordered = _fastest_first(cell)
    if len(ordered) < 2:
        return None
    ratio = between(cell, *ordered[:2])
    assert ratio is not None
    # Without a measured noise band, only the interval decides on a tie.
    tied = word(ratio, noise(cell) or Band(1.0, 1.0)) == TIE
    return TIE if tied else ordered[0]


def _fastest_first(cell: Cell) -> list[str]:
    """Sort those of the three that have times."""
    timed = {name: times for name in RIVALS if (times := cell.times(name))}
    return sorted(timed, key=lambda name: np.log(table(timed[name])).mean())


def squares(group: Group) -> list[Square]:
    """Return the cells of the map with a winner or a tie."""
    found = []
    for cell in group.cells:
        if name := winner(cell):
            ratio = between(cell, HAND, _fastest_first(cell)[0])
            found.append(Square(cell.size[0], cell.size[1], name, ratio.middle if ratio else None))
    return found


def who_wins(group: Group, theme: Theme) -> "Figure":
    """Draw a group whose sizes are two numbers, width and batch."""
    found = squares(group)
    widths = sorted({square.width for square in found})
    batches = sorted({square.batch for square in found})
    height = min(max(ROW * len(batches), 1.0), 7.0) + AXES
    with sheet(theme, wording.words(group, NOTE), height) as (figure, axes):
        axes.set(xlim=(-0.5, len(widths) - 0.5), ylim=(-0.5, len(batches) - 0.5))
        axes.set_xticks(range(len(widths)), [f"{width:,}" for width in widths])
        axes.set_yticks(range(len(batches)), [f"{batch:,}" for batch in batches])
        below, beside = wording.axes_of(group.case)
        axes.set(xlabel=below, title=beside)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        # As large as the longest name allows, within legible limits.
        size = float(np.clip(ROOM / len(widths), 6.5, 9.5))
        for square in found:
            place = (widths.index(square.width), batches.index(square.batch))
            _draw(axes, square, place, size, theme)
    return figure


def _draw(axes: Any, square: Square, place: tuple[int, int], size: float, theme: Theme) -> None:
    from matplotlib.patches import Rectangle

    ground, ink = theme.fills["grey" if square.winner == TIE else style_of(square.winner).hue]
    x, y = place
    edge: dict[str, Any] = {"edgecolor": theme.ground, "linewidth": 1.5, "label": square.winner}
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=ground, **edge))
    style: dict[str, Any] = {"color": ink, "fontsize": size, "ha": "center"}
    axes.text(x, y + 0.06, SHORT[square.winner], fontweight="bold", **style)
    axes.text(x, y - 0.3, square.text, **style)

"""Who wins where: the fastest of three for every width and batch, and by how much."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.groups import Group
from benchmarks.figures import themes, ticks, wording
from benchmarks.figures.frame import Margins, framed, name_y, size_in_points
from benchmarks.figures.looks import look
from benchmarks.figures.themes import Fill, Theme, themed
from benchmarks.names import GRAD, HAND, HAND_JIT
from benchmarks.report.units import digits
from benchmarks.results import Cell
from benchmarks.statistics import TIE, Band, table, word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Who takes part.
RIVALS = (HAND, HAND_JIT, GRAD)

#: What stands in a cell, where a row's label would be too long.
SHORT = {HAND: "NumPy", HAND_JIT: "hand, jit", GRAD: "jax.grad", TIE: TIE}

#: Inches: of a row of cells, and around the axes.
ROW, MARGINS = 0.46, Margins(left=0.75, right=0.15)

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
        """The ratio, as it is written."""
        return "" if self.ratio is None else digits(self.ratio)


def winner(cell: Cell) -> str | None:
    """The fastest of the three; TIE if it and the next one are; None if fewer than two have times.

    By geometric means, as ratios are.
    """
    ordered = _fastest_first(cell)
    if len(ordered) < 2:
        return None
    ratio = between(cell, *ordered[:2])
    assert ratio is not None
    # Without a measured band, what the interval itself leaves open is a tie.
    tied = word(ratio, noise(cell) or Band(1.0, 1.0)) == TIE
    return TIE if tied else ordered[0]


def _fastest_first(cell: Cell) -> list[str]:
    """Those of the three that have times."""
    timed = [row for name in RIVALS if (row := cell.row(name)) and row.timed]
    ordered = sorted(timed, key=lambda row: np.log(table(row.samples)).mean())
    return [row.name for row in ordered]


def squares(group: Group) -> list[Square]:
    """The cells of the map in which somebody can be said to win or to tie."""
    found = []
    for cell in group.cells:
        if name := winner(cell):
            ratio = between(cell, HAND, _fastest_first(cell)[0])
            found.append(Square(cell.size[0], cell.size[1], name, ratio.middle if ratio else None))
    return found


def who_wins(group: Group, theme: Theme) -> "Figure":
    """A group whose cells have two numbers for their size, width and batch."""
    found = squares(group)
    widths = sorted({square.width for square in found})
    batches = sorted({square.batch for square in found})
    with themed(theme):
        height = min(max(ROW * len(batches), 1.0), 7.0)
        figure, axes = framed(theme, wording.words(group, NOTE), height, MARGINS)
        _scale(axes, group, widths, batches)
        room = size_in_points(axes)[0] / len(widths)
        for square in found:
            place = (widths.index(square.width), batches.index(square.batch))
            _draw(axes, square, place, room, theme)
    return figure


def _scale(axes: Any, group: Group, widths: list[int], batches: list[int]) -> None:
    axes.set(xlim=(-0.5, len(widths) - 0.5), ylim=(-0.5, len(batches) - 0.5))
    axes.set_xticks(range(len(widths)), [ticks.whole(width) for width in widths])
    axes.set_yticks(range(len(batches)), [ticks.whole(batch) for batch in batches])
    names = wording.axes_of(group.case)
    axes.set_xlabel(names[0])
    name_y(axes, names[-1])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw(axes: Any, square: Square, place: tuple[int, int], room: float, theme: Theme) -> None:
    from matplotlib.patches import Rectangle

    fill = _fill(square.winner, theme)
    corner = (place[0] - 0.5, place[1] - 0.5)
    edge: dict[str, Any] = {"edgecolor": theme.ground, "linewidth": 1.5}
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=fill.ground, label=square.winner, **edge))
    # As large as the longest name has room for, within what is legible.
    size = float(np.clip(room / 6, 6.5, 9.5))
    style: dict[str, Any] = {"color": fill.ink, "fontsize": size, "ha": "center"}
    axes.text(place[0], place[1] + 0.06, SHORT[square.winner], fontweight="bold", **style)
    axes.text(place[0], place[1] - 0.3, square.text, **style)


def _fill(name: str, theme: Theme) -> Fill:
    return theme.fills[themes.GREY if name == TIE else look(name).hue]

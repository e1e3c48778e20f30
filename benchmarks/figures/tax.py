"""Draw the autodiff tax by width: the time of `jax.grad` over the hand lines, both compiled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.groups import Group
from benchmarks.figures import wording
from benchmarks.figures.sheet import sheet, sizes_along
from benchmarks.figures.styles import style_of
from benchmarks.figures.themes import Theme
from benchmarks.names import GRAD, HAND_JIT
from benchmarks.statistics import TIE, Band, Interval, word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The autodiff tax: what jax.grad costs beyond the hand lines under jit"

NOTE = "Ratios within a round, with 95 % intervals. What the grey noise may hide is a tie: hollow."

NAME = "time of jax.grad, jit / time by hand, jit"

#: Inches.
HEIGHT = 4.0


@dataclass(frozen=True)
class Tax:
    """The tax at one width."""

    width: int
    ratio: Interval
    band: Band | None  #: the noise; None if it was not measured

    @property
    def tie(self) -> bool:
        """Whether noise may explain it."""
        return word(self.ratio, self.band or Band(1.0, 1.0)) == TIE


def taxes(group: Group) -> list[Tax]:
    """Return the taxes of the cells in which both rows have times."""
    found = [(cell, between(cell, GRAD, HAND_JIT)) for cell in group.cells]
    return [Tax(cell.size[0], ratio, noise(cell)) for cell, ratio in found if ratio]


def autodiff_tax(group: Group, theme: Theme) -> "Figure":
    """Draw a group of the case `width`, with the tax of two cells or more."""
    found = taxes(group)
    with sheet(theme, wording.words(group, NOTE, TITLE), HEIGHT) as (figure, axes):
        axes.set(xscale="log", xlabel=wording.axes_of(group.case)[0], title=NAME)
        axes.margins(x=0.03, y=0.08)
        axes.tick_params(which="both", length=3)
        axes.grid(axis="y", linewidth=0.8)
        known = [(tax.width, *tax.band) for tax in found if tax.band]
        if known:
            axes.fill_between(*zip(*known, strict=True), color=theme.floor, lw=0, label="noise")
        axes.axhline(1.0, color=theme.muted, linewidth=1.0)
        _draw(axes, found, theme)
        sizes_along(axes.xaxis, [float(tax.width) for tax in found])
        # Label both sides of the line at 1 with the faster row.
        side = axes.secondary_yaxis("right")
        side.spines[:].set_visible(False)
        side.set_yticks([1], ["hand lines faster ↑\njax.grad faster ↓"], color=theme.muted, size=9)
        side.tick_params(length=0)
    return figure


def _draw(axes: Any, found: list[Tax], theme: Theme) -> None:
    line = style_of(GRAD).line(theme)
    colour = line["color"]
    axes.plot([tax.width for tax in found], [t.ratio.middle for t in found], label="tax", **line)
    for tax in found:
        axes.plot([tax.width] * 2, tax.ratio[1:], color=colour, linewidth=1.6, label="interval")
        if tax.tie:
            hollow = line | {"markerfacecolor": theme.ground, "markeredgecolor": colour}
            hollow |= {"markeredgewidth": 1.5, "zorder": 5}
            axes.plot([tax.width], [tax.ratio.middle], label=TIE, **hollow)

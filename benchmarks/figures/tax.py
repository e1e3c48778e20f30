"""The autodiff tax over the width: `jax.grad` over the hand lines, both compiled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.groups import Group
from benchmarks.figures import ticks, wording
from benchmarks.figures.frame import Margins, framed, name_y, size_in_points
from benchmarks.figures.looks import look
from benchmarks.figures.themes import Theme, themed
from benchmarks.names import GRAD, HAND_JIT
from benchmarks.statistics import TIE, Band, Interval, word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The autodiff tax: what jax.grad costs beyond the hand lines under jit"

NOTE = "Ratios within a round, with 95 % intervals. What the grey noise may hide is a tie: hollow."

NAME = "time of jax.grad, jit / time by hand, jit"

#: Inches.
HEIGHT, MARGINS = 3.4, Margins(left=0.75, right=1.45)


@dataclass(frozen=True)
class Tax:
    """At one width."""

    width: int
    ratio: Interval
    band: Band | None  #: the noise; None if it was not measured

    @property
    def tie(self) -> bool:
        """Whether noise may explain it."""
        return word(self.ratio, self.band or Band(1.0, 1.0)) == TIE


def taxes(group: Group) -> list[Tax]:
    """Of the cells in which both rows have times."""
    found = [(cell, between(cell, GRAD, HAND_JIT)) for cell in group.cells]
    return [Tax(cell.size[0], ratio, noise(cell)) for cell, ratio in found if ratio]


def autodiff_tax(group: Group, theme: Theme) -> "Figure":
    """A group of the case `width`, with the tax of two cells or more."""
    found = taxes(group)
    with themed(theme):
        figure, axes = framed(theme, wording.words(group, NOTE, TITLE), HEIGHT, MARGINS)
        _scale(axes, group, found)
        _draw_band(axes, found, theme)
        _draw(axes, found, theme)
        _say_which_side(axes, theme)
    return figure


def _scale(axes: Any, group: Group, found: list[Tax]) -> None:
    sizes = [float(tax.width) for tax in found]
    numbers = [1.0, *(end for tax in found for end in (*tax.ratio, *(tax.band or ())))]
    low, high = min(numbers), max(numbers)
    margin, side = max((high / low) ** 0.08, 1.004), (sizes[-1] / sizes[0]) ** 0.02
    axes.set(xscale="log", yscale="log")
    axes.set(xlim=(sizes[0] / side, sizes[-1] * side), ylim=(low / margin, high * margin))
    axes.set_autoscale_on(False)
    _name_axes(axes, group, sizes)


def _name_axes(axes: Any, group: Group, sizes: list[float]) -> None:
    axes.minorticks_off()
    written = ticks.sparse(sizes, size_in_points(axes)[0])
    axes.set_xticks(written, [ticks.whole(size) for size in written])
    round_ones = ticks.ratios(*axes.get_ylim())
    axes.set_yticks(round_ones, [f"{ratio:g}" for ratio in round_ones])
    axes.grid(axis="y", linewidth=0.8)
    axes.tick_params(length=3)
    axes.set_xlabel(wording.axes_of(group.case)[0])
    name_y(axes, NAME)


def _draw_band(axes: Any, found: list[Tax], theme: Theme) -> None:
    known = [(tax.width, *tax.band) for tax in found if tax.band]
    if known:
        axes.fill_between(*zip(*known, strict=True), color=theme.floor, linewidth=0, label="noise")
    axes.axhline(1.0, color=theme.muted, linewidth=1.0)


def _draw(axes: Any, found: list[Tax], theme: Theme) -> None:
    line = look(GRAD).line(theme)
    colour = line["color"]
    ratios = [tax.ratio for tax in found]
    axes.plot([tax.width for tax in found], [each.middle for each in ratios], label="tax", **line)
    for tax in found:
        axes.plot([tax.width] * 2, tax.ratio[1:], color=colour, linewidth=1.6, label="interval")
        if tax.tie:
            hollow = line | {"markerfacecolor": theme.ground, "markeredgecolor": colour}
            hollow |= {"markeredgewidth": 1.5, "zorder": 5}
            axes.plot([tax.width], [tax.ratio.middle], label=TIE, **hollow)


def _say_which_side(axes: Any, theme: Theme) -> None:
    """Beside the line at 1, on either side, who is the faster one there."""
    for points, text in ((9, "hand lines faster ↑"), (-9, "jax.grad faster ↓")):
        axes.annotate(
            text,
            (1, 1),
            (6, points),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=theme.muted,
            annotation_clip=False,
        )

"""Times along an axis: a line a contender, the floors below them, and where lines cross."""

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.analysis.groups import Group, contenders
from benchmarks.figures import lines, ticks, wording
from benchmarks.figures.frame import framed, halo, name_y, size_in_points
from benchmarks.figures.labels import Label, place
from benchmarks.figures.lines import Line, Mark
from benchmarks.figures.looks import in_order, look
from benchmarks.figures.themes import Theme, themed
from benchmarks.report.units import many
from benchmarks.results import JAX, PYTHON

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches.
HEIGHT = 4.0

#: How to read it: always, where JAX's floor was measured, where lines cross.
NOTE = "Medians, with quartiles."
GREY_NOTE = "Grey: below the floor of JAX's calls."
RING_NOTE = "Rings: where two lines cross."

#: By how a row is called, the label of its floor.
FLOORS = {JAX: "floor of JAX's calls", PYTHON: "floor of Python's"}


def along_axis(group: Group, theme: Theme) -> "Figure":
    """A group of two cells or more, each with one number for its size."""
    drawn = {name: lines.line(group.cells, name) for name in in_order(contenders(group))}
    below, marks = lines.floors(group.cells), lines.marks(group.cells, drawn)
    note = [NOTE, *([GREY_NOTE] if JAX in below else []), *([RING_NOTE] if marks else [])]
    with themed(theme):
        figure, axes = framed(theme, wording.words(group, " ".join(note)), HEIGHT)
        # Python's floor of next to nothing, where all of the work is calls, may leave below.
        _scale(axes, [*drawn.values(), *(below[way] for way in (JAX,) if way in below)])
        _name_axes(axes, group)
        labels = _draw_floors(axes, below, theme) + _draw_lines(axes, drawn, theme)
        _draw_marks(axes, marks, theme)
        place(axes, labels, theme)
    return figure


def _scale(axes: Any, drawn: list[Line]) -> None:
    """Logarithmic, with a margin, before anything is drawn: nothing drawn changes it."""
    least = min(line.lower.min() for line in drawn)
    most = max(line.upper.max() for line in drawn)
    sizes = np.concatenate([line.sizes for line in drawn])
    side = (sizes.max() / sizes.min()) ** 0.02
    axes.set(xscale="log", yscale="log")
    axes.set_xlim(sizes.min() / side, sizes.max() * side)
    axes.set_ylim(least / 1.8, most * 1.5)
    axes.set_autoscale_on(False)


def _name_axes(axes: Any, group: Group) -> None:
    sizes = [float(cell.size[0]) for cell in group.cells]
    written = ticks.sparse(sizes, size_in_points(axes)[0])
    axes.set_yticks(*ticks.times(*axes.get_ylim()))
    axes.minorticks_off()
    axes.set_xticks(written, [ticks.whole(size) for size in written])
    axes.set_xticks(sizes, minor=True, labels=[""] * len(sizes))
    axes.grid(axis="y", linewidth=0.8)
    axes.tick_params(which="both", length=3)
    axes.set_xlabel(wording.axes_of(group.case)[0])
    name_y(axes, wording.TIME)


def _draw_floors(axes: Any, below: dict[str, Line], theme: Theme) -> list[Label]:
    """JAX's as a region, Python's as a dashed line."""
    labels = []
    for called, line in below.items():
        if called == JAX:
            bottom = axes.get_ylim()[0]
            axes.fill_between(line.sizes, bottom, line.median, color=theme.floor, linewidth=0)
        else:
            dash: dict[str, Any] = {"linestyle": (0, (4, 3)), "linewidth": 1.2, "zorder": 2}
            axes.plot(line.sizes, line.median, color=theme.muted, label=line.name, **dash)
        if line.median[-1] < axes.get_ylim()[0]:
            continue
        style = {"color": theme.muted, "fontsize": 9, "fontstyle": "italic"}
        labels.append(_label(FLOORS[called], line, theme.muted, style))
    return labels


def _draw_lines(axes: Any, drawn: dict[str, Line], theme: Theme) -> list[Label]:
    labels = []
    for name, line in drawn.items():
        how = look(name)
        colour = theme.hues[how.hue]
        axes.fill_between(line.sizes, line.lower, line.upper, color=colour, alpha=0.25, linewidth=0)
        axes.plot(line.sizes, line.median, label=name, **how.line(theme))
        labels.append(_label(how.label, line, colour, how.text(theme)))
    return labels


def _label(text: str, line: Line, colour: str, style: dict[str, Any]) -> Label:
    return Label(text, float(line.sizes[-1]), float(line.median[-1]), colour, style)


def _draw_marks(axes: Any, found: list[Mark], theme: Theme) -> None:
    """A ring and the size, above left of one and below right of the next: lines rise."""
    edge = axes.get_xlim()[0] * 2
    for count, mark in enumerate(found):
        ring: dict[str, Any] = {"mfc": "none", "mec": theme.ink, "mew": 1.3, "ms": 11}
        axes.plot(mark.size, mark.seconds, "o", zorder=5, label="crossing", **ring)
        above = count % 2 == 0 and mark.size > edge
        axes.annotate(
            many(mark.size),
            (mark.size, mark.seconds),
            xytext=(-6, 7) if above else (6, -7),
            textcoords="offset points",
            ha="right" if above else "left",
            va="bottom" if above else "top",
            fontsize=9,
            fontweight="bold",
            path_effects=halo(theme),
            zorder=6,
        )

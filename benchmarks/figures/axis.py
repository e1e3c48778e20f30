"""Draw times along an axis: a line per contender, the floors, and the crossings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import names
from benchmarks.analysis.axes import crossovers
from benchmarks.analysis.floors import floor
from benchmarks.analysis.groups import Group, contenders
from benchmarks.figures import wording
from benchmarks.figures.sheet import halo, sheet, sizes_along, times_along
from benchmarks.figures.styles import in_order, style_of
from benchmarks.figures.themes import Theme
from benchmarks.report.units import many
from benchmarks.results import CONTENDER, FLOOR, JAX, PYTHON, Cell, Row
from benchmarks.statistics import Samples, spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches.
HEIGHT = 4.6

#: How to read it: always, and where lines cross.
NOTE, RING_NOTE = "Medians, with quartiles.", "Rings: where two lines cross."

#: By how a row is called, the label of its floor.
FLOORS = {JAX: "below the floor of\nJAX's calls", PYTHON: "floor of Python's"}

#: Pairs of alternatives whose crossings are marked.
PAIRS = ((names.HAND, names.GRAD), (names.HAND_JIT, names.GRAD), (names.FLOATS, names.HAND))


@dataclass(frozen=True)
class Line:
    """Seconds of one call by size: the median and the quartiles, all of shape (cells,)."""

    sizes: np.ndarray
    lower: np.ndarray
    median: np.ndarray
    upper: np.ndarray

    def at(self, size: float) -> float:
        """The median between two cells, interpolated in logarithms."""
        logs = np.interp(np.log(size), np.log(self.sizes), np.log(self.median))
        return float(np.exp(logs))


def line(cells: Sequence[Cell], name: str) -> Line:
    """Return the line of one row, in the cells where it has times."""
    return _line([(cell.size[0], times) for cell in cells if (times := cell.times(name))])


def floors(cells: Sequence[Cell]) -> dict[str, Line]:
    """Return the floors for Python functions and JAX programs, where measured and needed."""
    called = {row.called for cell in cells for row in cell.timed(CONTENDER)}
    lines = {}
    for caller in (caller for caller in (JAX, PYTHON) if caller in called):
        # A floor depends on the kind of call only.
        row = Row(caller, FLOOR, caller)
        if found := [(cell.size[0], below) for cell in cells if (below := floor(cell, row))]:
            lines[caller] = _line(found)
    return lines


def _line(found: Sequence[tuple[int, Samples]]) -> Line:
    spreads = np.array([spread(samples) for _, samples in found])
    return Line(np.array([float(size) for size, _ in found]), *spreads[:, 1:].T)


def crossings(cells: Sequence[Cell], lines: dict[str, Line]) -> list[tuple[float, float]]:
    """Return the crossings of the pairs, size and seconds, in order of size."""
    sizes = [
        (crossing.size.middle, pair) for pair in PAIRS for crossing in crossovers(cells, *pair)
    ]
    return sorted(
        (size, float(np.sqrt(lines[name].at(size) * lines[other].at(size))))
        for size, (name, other) in sizes
    )


def along_axis(group: Group, theme: Theme) -> "Figure":
    """Draw a group of two cells or more, each with one number for its size."""
    drawn = {name: line(group.cells, name) for name in in_order(contenders(group))}
    below, rings = floors(group.cells), crossings(group.cells, drawn)
    words = wording.words(group, f"{NOTE} {RING_NOTE}" if rings else NOTE)
    with sheet(theme, words, HEIGHT) as (figure, axes):
        # Python's floor may be close to 0 and lie below the axes.
        _scale(axes, [*drawn.values(), *(below[caller] for caller in (JAX,) if caller in below)])
        sizes_along(axes.xaxis, [float(cell.size[0]) for cell in group.cells])
        times_along(axes.yaxis)
        axes.tick_params(which="both", length=3)
        axes.set_xlabel(wording.axes_of(group.case)[0])
        axes.set_title(wording.TIME)
        _draw(axes, drawn, below, theme)
        _draw_rings(axes, rings, theme)
    return figure


def _scale(axes: Any, drawn: list[Line]) -> None:
    """Set logarithmic axes with a margin, before anything is drawn."""
    least = min(line.lower.min() for line in drawn)
    most = max(line.upper.max() for line in drawn)
    sizes = np.concatenate([line.sizes for line in drawn])
    side = (sizes.max() / sizes.min()) ** 0.02
    axes.set(xscale="log", yscale="log", autoscale_on=False)
    axes.set(xlim=(sizes.min() / side, sizes.max() * side), ylim=(least / 1.8, most * 1.5))


def _draw(axes: Any, drawn: dict[str, Line], below: dict[str, Line], theme: Theme) -> None:
    """Draw the lines and, grey and dashed, the floors; the legend follows their right ends."""
    handles = []
    for called, line in below.items():
        if called == JAX:
            region = (line.sizes, axes.get_ylim()[0], line.median)
            handle = axes.fill_between(*region, color=theme.floor, linewidth=0)
        else:
            (handle,) = axes.plot(line.sizes, line.median, color=theme.muted, dashes=(4, 3), lw=1.2)
        handle.set_label(FLOORS[called])
        handles.append((line.median[-1], handle, {"color": theme.muted, "fontstyle": "italic"}))
    for name, line in drawn.items():
        how = style_of(name)
        band: dict[str, Any] = {"color": theme.hues[how.hue], "alpha": 0.25, "linewidth": 0}
        axes.fill_between(line.sizes, line.lower, line.upper, **band)
        (handle,) = axes.plot(line.sizes, line.median, label=how.label, **how.line(theme))
        handles.append((line.median[-1], handle, how.text(theme)))
    handles.sort(key=lambda found: -found[0])
    beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    legend = axes.legend(handles=[handle for _, handle, _ in handles], **beside)
    for text, (*_, style) in zip(legend.get_texts(), handles, strict=True):
        text.set(**style)


def _draw_rings(axes: Any, found: list[tuple[float, float]], theme: Theme) -> None:
    """Draw rings with their sizes, alternately above left and below right, as lines rise."""
    edge = axes.get_xlim()[0] * 2
    for count, (size, seconds) in enumerate(found):
        ring: dict[str, Any] = {"mfc": "none", "mec": theme.ink, "mew": 1.3, "ms": 11}
        axes.plot(size, seconds, "o", zorder=5, label="_crossing", **ring)
        above = count % 2 == 0 and size > edge
        axes.annotate(
            many(size),
            (size, seconds),
            xytext=(-6, 7) if above else (6, -7),
            textcoords="offset points",
            ha="right" if above else "left",
            va="bottom" if above else "top",
            fontsize=9,
            fontweight="bold",
            path_effects=halo(theme),
            zorder=6,
        )

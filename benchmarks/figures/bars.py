"""Draw one cell: a line per contender, fastest first, with its time and ratio to `jax.grad`."""

from typing import TYPE_CHECKING, Any

from benchmarks.analysis.factors import between, verdict
from benchmarks.analysis.groups import Group
from benchmarks.figures import wording
from benchmarks.figures.axis import floors
from benchmarks.figures.sheet import sheet, times_along
from benchmarks.figures.styles import style_of
from benchmarks.figures.themes import Theme
from benchmarks.names import REFERENCE
from benchmarks.report.units import digits, seconds
from benchmarks.results import (
    CONTENDER,
    JAX,
    NOT_FOR_THIS,
    NOT_IN_THIS_SET,
    PYTHON,
    Cell,
    Row,
)
from benchmarks.statistics import TIE, spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Inches: the height of a contender's line, and of the axis below.
LINE, AXIS = 0.29, 0.5

#: How to read the floors, by how a row is called.
NOTES = {
    JAX: "Grey: below the floor of JAX's calls.",
    PYTHON: "No call of Python can take one left of the dashes.",
}


def of_one_cell(group: Group, theme: Theme) -> "Figure":
    """Draw a group of one cell."""
    (cell,) = group.cells
    rows = sorted(cell.timed(CONTENDER), key=lambda row: spread(row.samples).median)
    below = {called: float(line.median[0]) for called, line in floors(group.cells).items()}
    height = LINE * (len(rows) + 1) + AXIS
    note = " ".join(["Medians.", *(NOTES[called] for called in below), without_time(cell)])
    with sheet(theme, wording.words(group, note), height) as (figure, axes):
        _scale(axes, rows, below)
        _draw_floors(axes, below, theme)
        for y, row in enumerate(rows):
            _draw_row(axes, y, row, theme)
        row_styles = [style_of(row.name) for row in rows]
        styles = [how.text(theme) for how in row_styles]
        _column(axes, (0, 8, "right"), ["", *(how.label for how in row_styles)], [{}, *styles])
        styles = [
            {"color": theme.muted, "fontsize": 9},
            *(s | {"color": theme.ink} for s in styles),
        ]
        times = [seconds(spread(row.samples).median) for row in rows]
        _column(axes, (1, 62, "right"), ["one call", *times], styles)
        ratios = [ratio_text(cell, row) for row in rows]
        _column(axes, (1, 74, "left"), ["× jax.grad", *ratios], styles)
    return figure


def without_time(cell: Cell) -> str:
    """Describe the requested contenders without a time, with a one-word reason each; or ""."""
    not_asked = (NOT_FOR_THIS, NOT_IN_THIS_SET)
    rows = [
        row
        for row in cell.rows
        if row.kind == CONTENDER and not row.timed and row.absent not in not_asked
    ]
    named = [f"{style_of(row.name).label} ({'wrong' if row.wrong else 'absent'})" for row in rows]
    return f"Without a time: {', '.join(named)}." if named else ""


def ratio_text(cell: Cell, row: Row) -> str:
    """Format a row's ratio to `jax.grad`: `1.30`, `1.01, tie`; "" if that has no time."""
    found = between(cell, row.name, REFERENCE)
    if found is None:
        return ""
    tie = f", {TIE}" if verdict(cell, row.name) == TIE else ""
    return f"{digits(found.middle)}{tie}"


def _scale(axes: Any, rows: list[Row], below: dict[str, float]) -> None:
    spreads = [spread(row.samples) for row in rows]
    least = min([*below.values(), *(each.lower for each in spreads)])
    low, high = least / 1.8, max(each.upper for each in spreads) * 1.5
    axes.set(xscale="log", xlim=(low, high), ylim=(len(rows) - 0.3, -1.3), autoscale_on=False)
    times_along(axes.xaxis)
    axes.set_yticks([])
    axes.tick_params(length=3)
    axes.set_xlabel(wording.TIME)
    axes.spines["left"].set_visible(False)


def _draw_floors(axes: Any, below: dict[str, float], theme: Theme) -> None:
    if JAX in below:
        axes.axvspan(axes.get_xlim()[0], below[JAX], color=theme.floor, linewidth=0)
    if PYTHON in below:
        dash: dict[str, Any] = {"linestyle": (0, (4, 3)), "linewidth": 1.2}
        axes.axvline(below[PYTHON], color=theme.muted, label="floor", **dash)


def _draw_row(axes: Any, y: int, row: Row, theme: Theme) -> None:
    """Draw a thin guide from the name, the middle half of the samples, and the median."""
    times, line = spread(row.samples), style_of(row.name).line(theme)
    colour = line["color"]
    axes.hlines(y, axes.get_xlim()[0], times.median, color=colour, linewidth=0.8, alpha=0.5)
    axes.hlines(y, times.lower, times.upper, color=colour, linewidth=5, alpha=0.4)
    dot = line | {"markersize": line["markersize"] + 2, "linestyle": ""}
    axes.plot([times.median], [y], label=row.name, **dot)


def _column(
    axes: Any, where: tuple[int, int, str], texts: list[str], styles: list[dict[str, Any]]
) -> None:
    """Write a column beside the axes, a heading and a text per row, as ticks of a second axis."""
    side, points, align = where
    axis = axes.secondary_yaxis("right" if side else "left")
    axis.spines[:].set_visible(False)
    axis.set_yticks(range(-1, len(texts) - 1), texts)
    axis.tick_params(length=0, pad=points)
    for label, style in zip(axis.get_yticklabels(), styles, strict=True):
        label.set(ha=align, **style)

"""One cell: a line a contender, fastest first, with its time and its ratio to `jax.grad`."""

from typing import TYPE_CHECKING, Any

from benchmarks.analysis.factors import between, verdict
from benchmarks.analysis.floors import floor
from benchmarks.analysis.groups import Group
from benchmarks.figures import ticks, wording
from benchmarks.figures.frame import Margins, framed, halo
from benchmarks.figures.looks import look
from benchmarks.figures.themes import Theme, themed
from benchmarks.names import REFERENCE
from benchmarks.report.units import digits, seconds
from benchmarks.results import (
    CONTENDER,
    FLOOR,
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

#: Inches: of one contender's line, and around the axes, where the two columns of numbers stand.
LINE, MARGINS = 0.29, Margins(left=1.65, right=2.0, bottom=0.5)

#: How to read the floors, by how a row is called.
NOTES = {
    JAX: "Grey: below the floor of JAX's calls.",
    PYTHON: "No call of Python can take one left of the dashes.",
}


def of_one_cell(group: Group, theme: Theme) -> "Figure":
    """A group of one cell."""
    (cell,) = group.cells
    rows = sorted(cell.timed(CONTENDER), key=lambda row: spread(row.samples).median)
    below, height = floors(cell), LINE * (len(rows) + 0.6)
    note = " ".join(["Medians.", *(NOTES[called] for called in below), without_time(cell)])
    with themed(theme):
        figure, axes = framed(theme, wording.words(group, note), height, MARGINS)
        _scale(axes, rows, below)
        _draw_floors(axes, below, theme)
        for y, row in enumerate(rows):
            _draw_row(axes, y, row, theme)
            _write_numbers(axes, y, cell, row, theme)
        _name_columns(axes, theme)
    return figure


def floors(cell: Cell) -> dict[str, float]:
    """Both floors, the median over the rounds, by how a row is called; those that were measured."""
    called = {row.called for row in cell.timed(CONTENDER)}
    found = {way: floor(cell, Row("floor", FLOOR, way)) for way in (JAX, PYTHON) if way in called}
    return {way: spread(samples).median for way, samples in found.items() if samples}


def without_time(cell: Cell) -> str:
    """The contenders that were asked for and are not drawn, and why in a word each; or ""."""
    not_asked = (NOT_FOR_THIS, NOT_IN_THIS_SET)
    rows = [
        row
        for row in cell.rows
        if row.kind == CONTENDER and not row.timed and row.absent not in not_asked
    ]
    named = [f"{look(row.name).label} ({'wrong' if row.wrong else 'absent'})" for row in rows]
    return f"Without a time: {', '.join(named)}." if named else ""


def ratio_text(cell: Cell, row: Row) -> str:
    """Its time over that of `jax.grad`: `1.30`, `1.01, tie`; "" if that has no time."""
    found = between(cell, row.name, REFERENCE)
    if found is None:
        return ""
    tie = f", {TIE}" if verdict(cell, row.name) == TIE else ""
    return f"{digits(found.middle)}{tie}"


def _scale(axes: Any, rows: list[Row], below: dict[str, float]) -> None:
    spreads = [spread(row.samples) for row in rows]
    least = min([*below.values(), *(each.lower for each in spreads)])
    low, high = least / 1.8, max(each.upper for each in spreads) * 1.5
    axes.set(xscale="log", xlim=(low, high), ylim=(len(rows) - 0.3, -0.9))
    axes.set_autoscale_on(False)
    axes.set_xticks(*ticks.times(low, high))
    axes.xaxis.minorticks_off()
    axes.set_yticks([])
    axes.grid(axis="x", linewidth=0.8)
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
    """Its name, a thin guide from there, the middle half of its samples, and its median."""
    how, times = look(row.name), spread(row.samples)
    line = how.line(theme)
    guide: dict[str, Any] = {"color": line["color"], "linewidth": 0.8, "alpha": 0.5}
    axes.plot([axes.get_xlim()[0], times.median], [y, y], label="guide", **guide)
    bar: dict[str, Any] = {"linewidth": 5, "alpha": 0.4, "solid_capstyle": "butt"}
    axes.plot([times.lower, times.upper], [y, y], color=line["color"], label="half", **bar)
    dot = line | {"markersize": line["markersize"] + 2, "linestyle": ""}
    axes.plot([times.median], [y], label=row.name, **dot)
    _beside(axes, y, (0, -8), how.label, how.text(theme) | {"ha": "right"})


def _write_numbers(axes: Any, y: int, cell: Cell, row: Row, theme: Theme) -> None:
    weight = "bold" if look(row.name).prominent else "normal"
    style = {"fontsize": 9.5, "fontweight": weight, "color": theme.ink, "ha": "right"}
    number, _, tie = ratio_text(cell, row).partition(",")
    _beside(axes, y, (1, 62), seconds(spread(row.samples).median), style)
    _beside(axes, y, (1, 108), number, style)
    _beside(axes, y, (1, 110), tie, style | {"ha": "left", "color": theme.muted})


def _name_columns(axes: Any, theme: Theme) -> None:
    style = {"fontsize": 9, "color": theme.muted, "path_effects": halo(theme)}
    _beside(axes, -0.95, (1, 62), "one call", style | {"ha": "right"})
    _beside(axes, -0.95, (1, 80), "× jax.grad", style | {"ha": "left"})


def _beside(axes: Any, y: float, x: tuple[int, int], text: str, style: dict[str, Any]) -> None:
    """Text at the height of a row, some points from the left (0) or right (1) end of the axes."""
    side, points = x
    axes.annotate(
        text,
        (side, y),
        (points, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
        **style,
    )

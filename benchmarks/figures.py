"""Draw times over sizes: a line for each contender, against the floor."""

from collections.abc import Callable
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import names
from benchmarks.analysis import axes, floor
from benchmarks.cases import CASES
from benchmarks.results import CONTENDER, JAX, PYTHON, Cell, Results
from benchmarks.statistics import Samples, typical
from compare.plots import BLACK, BLUE, GREY, ORANGE, VERMILION, save, style
from compare.wording import InputError, install

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The thick lines, with their colours and markers; the others are thin and grey.
MAIN = {
    names.HAND: (BLUE, "o"),
    names.HAND_JIT: ("#009E73", "s"),
    names.GRAD: (VERMILION, "^"),
    names.FLOATS: ("#CC79A7", "D"),
    names.ARTICLE: (ORANGE, "v"),
    names.C: (BLACK, "p"),
}
OTHERS = dict(zip((n for n in names.CONTENDERS if n not in MAIN), cycle("<>dPX*hH8+x")))

#: The floors, by how a row is called: the label and the dash.
FLOORS = {JAX: ("floor of JAX's calls", "--"), PYTHON: ("floor of Python's calls", ":")}


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw every case with times of two sizes or more; the same results give the same bytes.

    Returns:
        The files, `{case}-{dtype}-{threads}-{precision}-{device}.svg`, in a folder that is made if
        it is not there.

    Raises:
        InputError: there is nothing to draw, or matplotlib is not installed.
        OSError: a file cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise InputError(f"matplotlib is not installed; expected {install('plot')}")
    drawn = {
        folder / f"{kind.replace('/', '-')}.svg": cells
        for kind, cells in axes(results).items()
        if len(cells) > 1
    }
    if not drawn:
        raise InputError(
            "nothing to draw: no case has times of two sizes; expected those of --full"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file, cells in drawn.items():
        save(along_axis(cells), file)
    return [*drawn]


def along_axis(cells: list[Cell]) -> "Figure":
    """Draw the median time of each contender, and the floors, over the size."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, StrMethodFormatter

    first = cells[0]
    case = CASES.get(first.case)
    titled, axis = (case.title, case.axis) if case and case.title else (first.case, "size")
    threads = "one thread" if first.threads == "1" else "all threads"
    with style():
        figure = Figure(figsize=(8, 4.6))
        area = figure.subplots()
        area.set(xscale="log", yscale="log", ylabel="time of one call")
        area.set_xlabel(axis)
        title = f"{titled} ({first.dtype}, {threads})"
        # The name of an unknown case may contain dollar signs, which would be read as mathematics.
        area.set_title(title, fontsize="medium").set_parse_math(False)
        for name in names.CONTENDERS:
            if points := _medians(cells, lambda cell, name=name: cell.times(name)):
                color, marker = MAIN.get(name) or (GREY, OTHERS[name])
                width, size = (2.2, 6.0) if name in MAIN else (0.9, 4.5)
                how = {"color": color, "linewidth": width, "marker": marker, "markersize": size}
                area.plot(*points, label=name, **how)
        called = {row.called for cell in cells for row in cell.timed(CONTENDER)}
        for caller, (label, dash) in FLOORS.items():
            points = _medians(cells, lambda cell, caller=caller: floor(cell, caller))
            if caller in called and points:
                if caller == PYTHON:  # it may be close to 0, and is cut off there
                    area.set_ylim(area.get_ylim())
                area.plot(*points, dash, color=BLACK, linewidth=1.2, label=label)
        area.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        area.yaxis.set_major_formatter(EngFormatter("s"))
        area.grid(color=GREY, alpha=0.2)
        figure.legend(loc="outside right center", fontsize=9)
    return figure


def _medians(cells: list[Cell], times: Callable[[Cell], Samples | None]) -> list[Any]:
    """Return the sizes that were timed and their medians; an empty list if none was."""
    found = [(cell.size[0], typical(made)) for cell in cells if (made := times(cell))]
    return [*zip(*found, strict=True)]

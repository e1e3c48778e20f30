"""Draw all figures of a file of results."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.analysis.groups import Group, groups
from benchmarks.figures.axis import along_axis
from benchmarks.figures.bars import of_one_cell
from benchmarks.figures.tax import autodiff_tax, taxes
from benchmarks.figures.themes import THEMES, Theme
from benchmarks.figures.winners import squares, who_wins
from benchmarks.results import Results
from compare.plots import save
from compare.wording import InputError, install

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Draws a figure of a group.
Make = Callable[[Group, Theme], "Figure"]


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw every figure that the results have numbers for, in light and dark, as SVG and PNG.

    The same results give the same bytes.

    Args:
        results: of any run.
        folder: where the files go; it is made if it is not there.

    Returns:
        The files, `{what}-{dtype}-{threads}-{precision}-{device}-{theme}.{svg|png}`; `what` is the
        case, or `tax`.

    Raises:
        InputError: there is nothing to draw, or matplotlib is not installed.
        OSError: a file cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise InputError(f"matplotlib is not installed; expected {install('plot')}")
    planned = [(group, what, make) for group in groups(results) for what, make in plan(group)]
    if not planned:
        raise InputError("nothing to draw: no contender of these results has a time")
    folder.mkdir(parents=True, exist_ok=True)
    return [
        file
        for group, what, make in planned
        for theme in THEMES
        for file in _write(make, group, theme, folder / group.stem(what))
    ]


def plan(group: Group) -> list[tuple[str, Make]]:
    """List the figures of a group: the name in the file's name, and the drawing function."""
    found: list[tuple[str, Make]] = []
    numbers = {len(cell.size) for cell in group.cells}
    if numbers == {2}:
        found += [(group.case, who_wins)] if squares(group) else []
    elif len(group.cells) == 1:
        found.append((group.case, of_one_cell))
    elif numbers == {1}:
        found.append((group.case, along_axis))
    if group.case == "width" and len(taxes(group)) > 1:
        found.append(("tax", autodiff_tax))
    return found


def _write(make: Make, group: Group, theme: Theme, stem: Path) -> list[Path]:
    figure = make(group, theme)
    files = [stem.with_name(f"{stem.name}-{theme.name}.{suffix}") for suffix in ("svg", "png")]
    for file in files:
        save(figure, file)
    return files

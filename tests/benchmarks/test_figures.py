"""Figures are drawn from the stored numbers."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import figures, names
from benchmarks.analysis.floors import floor
from benchmarks.analysis.groups import groups
from benchmarks.figures import FLOORS, along_axis, draw
from benchmarks.results import FLOOR, JAX, Results, Row
from benchmarks.statistics import spread
from compare.wording import InputError
from tests.benchmarks.made_results import made_results
from tests.benchmarks.sure import sure


def made(case: str, keep: Callable[[Row], bool] = lambda _: True) -> Results:
    """Results of one case in float32, without the rows that are not to be kept."""
    results = made_results([case])
    results.cells = [cell for cell in results.cells if cell.dtype == "float32"]
    for cell in results.cells:
        cell.rows = [row for row in cell.rows if keep(row)]
    return results


def lines_of(figure: Figure) -> dict[str, tuple[list[float], list[float]]]:
    """The points of each line, by its label."""
    (axes,) = figure.axes
    points = {str(line.get_label()): np.array(line.get_data()) for line in axes.lines}
    return {label: (x.tolist(), y.tolist()) for label, (x, y) in points.items()}


def test_a_file_for_each_case_with_two_sizes(tmp_path: Path) -> None:
    settings = dict(mpl.rcParams)
    results = made_results(["width", "sample"])
    results.cells += made_results(["map"]).cells
    written = draw(results, tmp_path / "new")
    expected = [f"width-{dtype}-all-highest-cpu.svg" for dtype in ("float32", "float64")]
    assert [file.name for file in written] == expected
    assert sorted((tmp_path / "new").iterdir()) == sorted(written)
    assert all(file.read_bytes().startswith(b"<?xml") for file in written)
    assert dict(mpl.rcParams) == settings


def test_nothing_to_draw_is_refused_in_one_line(tmp_path: Path) -> None:
    for results in (made("width", lambda row: row.kind == FLOOR), made("sample")):
        with pytest.raises(InputError, match=r"^nothing to draw: .*; expected those of --full$"):
            draw(results, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"^matplotlib is not installed; .* --group plot$"):
        draw(made("width"), tmp_path)


def test_lines_are_the_medians_where_there_are_times() -> None:
    results = made("batch-2-2-1")
    (group,) = groups(results)
    for cell in group.cells:  # what an earlier version has timed is not shown
        cell.rows.append(Row("mygrad", "contender", samples=[[1.0] * 6] * 5))
    found = lines_of(along_axis(group))
    for name in (names.HAND, names.HAND_JIT, names.GRAD, names.C):
        timed = [(cell, row) for cell in group.cells if (row := cell.row(name)) and row.timed]
        medians = [spread(row.samples).median for _, row in timed]
        assert found[name] == ([cell.size[0] for cell, _ in timed], medians)
    assert len(found[names.C][0]) < len(found[names.HAND][0])
    absent = {names.TORCH_COMPILED, names.SKLEARN, names.AGAIN, names.LOSS, "mygrad"}
    assert not absent & {*found}
    row = Row(JAX, FLOOR, JAX)
    below = [spread(sure(floor(cell, row))).median for cell in group.cells]
    assert found[FLOORS[JAX][0]][1] == below

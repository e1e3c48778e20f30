"""Figures are drawn from the stored numbers."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import names
from benchmarks.analysis import axes, floor
from benchmarks.figures import FLOORS, along_axis, draw
from benchmarks.results import JAX
from benchmarks.statistics import typical
from compare.wording import InputError
from tests.benchmarks.sure import row_of, stored, sure


def lines_of(figure: Figure) -> dict[str, tuple[list[float], list[float]]]:
    """The points of each line, by its label."""
    (area,) = figure.axes
    points = {str(line.get_label()): np.array(line.get_data()) for line in area.lines}
    return {label: (x.tolist(), y.tolist()) for label, (x, y) in points.items()}


def test_a_file_for_each_case_with_two_sizes(tmp_path: Path) -> None:
    written = draw(stored("width", "sample", "map"), tmp_path / "new")
    kinds = ("float32-1", "float64-1", "float32-all")
    assert [file.name for file in written] == [f"width-{kind}-highest-cpu.svg" for kind in kinds]
    assert sorted((tmp_path / "new").iterdir()) == sorted(written)
    with pytest.raises(InputError, match=r"^nothing to draw: .*; expected those of --full$"):
        draw(stored("sample"), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_lines_are_the_medians_where_there_are_times() -> None:
    cells = axes(stored("batch-2-2-1/"))["batch-2-2-1/float64/1/highest/cpu"]
    for cell in cells[2:]:
        row_of(cell, names.C).samples = []
    found = lines_of(along_axis(cells))
    for name in (names.HAND, names.HAND_JIT, names.GRAD, names.C):
        timed = [(cell, row) for cell in cells if (row := cell.row(name)) and row.timed]
        medians = [typical(row.samples) for _, row in timed]
        assert found[name] == ([cell.size[0] for cell, _ in timed], medians)
    assert len(found[names.C][0]) == 2
    below = [typical(sure(floor(cell, JAX))) for cell in cells]
    assert found[FLOORS[JAX][0]][1] == below

"""Figures are drawn from the stored numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from benchmarks import names
from benchmarks.analysis.factors import between, verdict
from benchmarks.analysis.groups import Group, groups
from benchmarks.figures import draw, drawing, styles, wording
from benchmarks.figures.axis import along_axis
from benchmarks.figures.bars import of_one_cell, without_time
from benchmarks.figures.drawing import plan
from benchmarks.figures.tax import autodiff_tax, taxes
from benchmarks.figures.themes import LIGHT
from benchmarks.figures.winners import RIVALS, squares, who_wins, winner
from benchmarks.report import units
from benchmarks.results import (
    AGAIN,
    CONTENDER,
    FLOOR,
    NOT_FOR_THIS,
    Cell,
    Results,
    Row,
)
from benchmarks.statistics import TIE, spread
from compare.wording import InputError
from tests.benchmarks.made_results import made_results
from tests.benchmarks.sure import row_of, sure


def made(case: str, keep: Callable[[Row], bool] = lambda _: True) -> Results:
    """Results of one case in float32, without the rows that are not to be kept."""
    results = made_results([case])
    results.cells = [cell for cell in results.cells if cell.dtype == "float32"]
    for cell in results.cells:
        cell.rows = [row for row in cell.rows if keep(row)]
    return results


def group_of(results: Results) -> Group:
    (group,) = groups(results)
    return group


def lines_of(figure: Figure) -> dict[str, list[Any]]:
    """What was drawn as lines, by the row or the label."""
    (axes,) = figure.axes
    names_of = {how.label: name for name, how in styles.STYLES.items()}
    found: dict[str, list[Any]] = {}
    for drawn in axes.lines:
        label = str(drawn.get_label())
        found.setdefault(names_of.get(label, label), []).append(drawn)
    return found


def texts_of(figure: Figure) -> list[Text]:
    found = figure.findobj(Text)
    return [text for text in found if isinstance(text, Text) and text.get_text().strip()]


# Files


@pytest.mark.slow
def test_all_files_are_written(tmp_path: Path) -> None:
    settings = dict(mpl.rcParams)
    expected = {
        f"sample-float32-all-highest-cpu-{theme}.{suffix}": start
        for theme in ("light", "dark")
        for suffix, start in (("svg", b"<?xml"), ("png", b"\x89PNG"))
    }
    written = draw(made("sample"), tmp_path / "new")
    assert {file.name for file in written} == {*expected}
    assert {file.name for file in (tmp_path / "new").iterdir()} == {*expected}
    assert all(file.read_bytes().startswith(expected[file.name]) for file in written)
    assert dict(mpl.rcParams) == settings


def test_every_kind_of_cell_has_files_of_its_own() -> None:
    results = made_results(["width"])
    results.cells += made("width").cells
    results.cells[-1].device = "gpu"
    results.cells[-2].threads = "1"
    results.cells[-3].precision = "default"
    stems = [group.stem(what) for group in groups(results) for what, _ in plan(group)]
    assert len(stems) == len(set(stems)) == 7
    assert {"width-float64-all-highest-cpu", "tax-float32-all-highest-cpu"} < {*stems}
    assert {"width-float32-all-default-cpu", "width-float32-1-highest-cpu"} < {*stems}


def test_nothing_to_draw_is_refused_in_one_line(tmp_path: Path) -> None:
    results = made("sample", lambda row: row.kind == FLOOR)
    with pytest.raises(InputError, match=r"^nothing to draw: .*$"):
        draw(results, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"^matplotlib is not installed; .* --group plot$"):
        draw(made("sample"), tmp_path)


# The numbers


def test_lines_along_an_axis_are_the_medians() -> None:
    group = group_of(made("batch-2-2-1"))
    found = lines_of(along_axis(group, LIGHT))
    for name in (names.HAND, names.HAND_JIT, names.GRAD, names.MICROGRAD):
        (line,) = found[name]
        timed = [(cell, row) for cell in group.cells if (row := cell.row(name)) and row.timed]
        assert list(line.get_xdata()) == [cell.size[0] for cell, _ in timed]
        assert list(line.get_ydata()) == [spread(row.samples).median for _, row in timed]
    assert len(found[names.MICROGRAD][0].get_xdata()) < len(found[names.HAND][0].get_xdata())


@pytest.mark.slow
def test_rows_without_a_time_are_named_and_not_drawn() -> None:
    results = made("sample")
    (one,) = results.cells
    row_of(one, names.TORCH).wrong = "the loss is off"
    figure = of_one_cell(group_of(results), LIGHT)
    absent = {names.MYGRAD, names.SKLEARN, names.TORCH, names.AGAIN, names.LOSS}
    assert not absent & {*lines_of(figure)}
    note = next(text.get_text() for text in texts_of(figure) if "Medians" in text.get_text())
    assert "PyTorch (wrong), MyGrad (absent), scikit-learn (wrong)" in note.replace("\n", " ")
    row_of(one, names.MYGRAD).absent = NOT_FOR_THIS  # nobody has asked for it
    assert without_time(one) == "Without a time: PyTorch (wrong), scikit-learn (wrong)."


@pytest.mark.slow
def test_the_tax_is_the_ratio_with_its_interval_and_the_noise() -> None:
    group = group_of(made("width"))
    found = lines_of(autodiff_tax(group, LIGHT))
    (line,) = found["tax"]
    assert len(found["interval"]) == len(group.cells)
    for cell, y, interval in zip(group.cells, line.get_ydata(), found["interval"], strict=True):
        ratio = sure(between(cell, names.GRAD, names.HAND_JIT))
        assert (y, tuple(interval.get_ydata())) == (ratio.middle, ratio[1:])
    ties = [tax for tax in taxes(group) if tax.tie]
    assert len(found.get("tie", [])) == len(ties)
    assert {tax.width for tax in ties} == {
        cell.size[0] for cell in group.cells if verdict(cell, names.HAND_JIT) == "tie"
    }


# Who wins


def cell_with(hand: float, hand_jit: float, grad: float) -> Cell:
    """A cell of the map with these times, and 1 % of noise."""
    rng = np.random.default_rng(1)
    rows = []
    times = {names.HAND: hand, names.HAND_JIT: hand_jit, names.GRAD: grad, names.AGAIN: grad}
    for name, seconds in times.items():
        kind = AGAIN if name == names.AGAIN else CONTENDER
        samples = seconds * np.exp(0.01 * rng.normal(size=(5, 6)))
        rows.append(Row(name, kind, samples=samples.tolist() if seconds else []))
    return Cell("map", [4, 8], "float32", "all", "highest", "cpu", {}, 1, 1.0, 1, 2.0, rows=rows)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((1, 2, 3), names.HAND),
        ((2, 1, 3), names.HAND_JIT),
        ((3, 2, 1), names.GRAD),
        ((2, 1, 1.0001), TIE),
        ((0, 2, 1), names.GRAD),
        ((0, 0, 1), None),
    ],
)
def test_the_fastest_wins_unless_noise_may_explain_it(
    times: tuple[float, float, float], expected: str | None
) -> None:
    cell = cell_with(*times)
    assert winner(cell) == expected
    cell.rows.pop()  # the second row of the reference: no noise is known
    assert winner(cell) == expected


def test_the_map_says_who_and_by_how_much() -> None:
    assert plan(group_of(made("map", lambda row: row.name == names.HAND))) == []
    results = made("map")
    del results.cells[3]  # a hole
    group = group_of(results)
    figure = who_wins(group, LIGHT)
    found = squares(group)
    assert len(found) == len(group.cells)
    assert {square.winner for square in found} == {names.HAND, names.HAND_JIT, names.GRAD, TIE}
    patches = [patch for patch in figure.axes[0].patches if patch.get_label()]
    assert [patch.get_label() for patch in patches] == [square.winner for square in found]
    texts = [text.get_text() for text in figure.axes[0].texts]
    for cell, square in zip(group.cells, found, strict=True):
        ratio = max(sure(between(cell, names.HAND, other)).middle for other in RIVALS)
        assert units.digits(ratio) == square.text
        assert square.text in texts


# Legibility


def test_the_words_say_what_was_timed_and_on_what() -> None:
    group = group_of(made("depth"))
    found = wording.words(group, "A note.")
    assert found.title == "One gradient of an MLP, by its depth"
    assert found.about == (
        "hidden layers of 64 tanh units, 64 examples; relu, softmax-ce\n"
        "float32, all threads, JAX on the CPU, its products at highest precision"
    )
    assert found.note == (
        "A note.\nMade-up CPU @ 2.60GHz, 4 processors, 2026-01-31, revision 0123456789ab"
    )

"""Figures are drawn from the numbers, whole or not at all, and the same bytes every time."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from compare import plots
from compare.experiment import Settings, hand_path, train
from compare.regression import compare_regressions
from compare.tables import table_named
from tests.reference import XS, YS

SETTINGS = Settings(epochs=30)
FIGURES = {
    "exam": plots.exam,
    "sigmoid": plots.sigmoid_curve,
    "loss": lambda: plots.loss(train(SETTINGS)),
    "surface": lambda: plots.surface(hand_path(SETTINGS), ("w1", "b3"), XS, YS),
    "residuals": lambda: plots.residuals(compare_regressions(table_named("bdims"))),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_bytes_every_time(tmp_path: Path, name: str, suffix: str) -> None:
    settings = dict(mpl.rcParams)
    files = [tmp_path / f"{i}{suffix}" for i in range(2)]
    for file in files:
        plots.save(FIGURES[name](), file)
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert first.startswith(b"<?xml" if suffix == ".svg" else b"\x89PNG")
    assert dict(mpl.rcParams) == settings


def test_the_loss_curve_is_the_loss() -> None:
    trainings = train(SETTINGS)
    (axes,) = plots.loss(trainings).axes
    for line, losses in zip(axes.lines, trainings.losses.T, strict=True):
        assert np.array_equal(line.get_ydata(), losses)


def test_the_surface_carries_the_training() -> None:
    path = hand_path(SETTINGS)
    axes = plots.surface(path, ("w5", "b1"), XS, YS).axes[0]
    assert np.array_equal(axes.lines[0].get_xdata(), path[4])
    assert np.array_equal(axes.lines[0].get_ydata(), path[6])
    assert path.shape == (9, 121)


def test_residuals_are_vertical_from_prediction_to_target() -> None:
    result = compare_regressions(table_named("article"))
    (axes,) = plots.residuals(result).axes
    (residuals,) = axes.collections
    assert isinstance(residuals, LineCollection)
    for (start, end), y in zip(residuals.get_segments(), result.table.y, strict=True):
        assert start[0] == end[0]
        slope, intercept = result.closed_form.slopes[0], result.closed_form.intercept
        assert sorted([start[1], end[1]]) == sorted([y, slope * start[0] + intercept])


def test_a_failed_drawing_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "old.svg"
    file.write_text("old")
    figure = plots.exam()
    monkeypatch.setattr(figure, "savefig", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        plots.save(figure, file)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]

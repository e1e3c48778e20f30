"""Figures are drawn from the numbers, whole or not at all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from mpl_toolkits.mplot3d.art3d import Line3D
from mpl_toolkits.mplot3d.axes3d import Axes3D

import manual.article
import manual.regression
from compare import plots
from compare.data import table_named
from compare.experiment import Settings, hand_path, train
from compare.regression import compare_regressions
from manual.article import Parameters
from tests.reference import XS, YS

SETTINGS = Settings(epochs=30)


def test_the_textbooks_slope_and_autodiffs_lose_the_same_digits() -> None:
    """At z = 31 four digits are left of f (1 - f), from z = 37 on none; σ(z)σ(-z) keeps all."""
    (axes,) = plots.digits().axes
    careful, autodiff, textbook = (np.asarray(line.get_ydata()) for line in axes.lines)
    z = np.asarray(axes.lines[0].get_xdata())
    assert careful.min() > 15
    for digits in (autodiff, textbook):
        assert 3 < digits[z == 31] < 5
        assert np.all(digits[z >= 37] == 0)


def test_the_loss_curve_is_the_loss() -> None:
    trainings = train(SETTINGS)
    (axes,) = plots.losses(trainings).axes
    assert axes.get_yscale() == "log"
    for line, losses in zip(axes.lines, trainings.losses.T, strict=True):
        assert np.array_equal(line.get_ydata(), losses)
        assert np.array_equal(line.get_xdata(), np.arange(30))
        assert str(line.get_label()).endswith(f"ends at {losses[-1]:.4g}")


def test_the_surface_is_the_mean_loss_where_training_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn from above and in perspective, and the path of the training lies on it."""
    meshes = []
    for axes, method in ((Axes, "contourf"), (Axes3D, "plot_surface")):
        draw = getattr(axes, method)

        def spy(self: Axes, *mesh: np.ndarray, draw: Any = draw, **style: Any) -> Any:
            meshes.append(mesh)
            return draw(self, *mesh, **style)

        monkeypatch.setattr(axes, method, spy)
    path = hand_path(SETTINGS)
    line = plots.surface(path, ("w5", "b1")).axes[0].lines[0]
    assert isinstance(line, Line3D)
    x, y, z = map(np.asarray, line.get_data_3d())
    assert (x.tolist(), y.tolist()) == (path[4].tolist(), path[6].tolist())
    heights = [(x[at], y[at], z[at]) for at in (0, 60, 120)]
    assert len(meshes) == 2
    for mesh in meshes:
        heights += [[of[node] for of in mesh] for node in [(0, 0), (17, 90), (120, 3)]]
        assert (mesh[0][0] == mesh[0][-1]).all()
        assert (mesh[1][:, 0] == mesh[1][:, -1]).all()
    for w5, b1, height in heights:
        params = Parameters(*path[:, -1])._replace(w5=w5, b1=b1)
        assert height == pytest.approx(manual.article.mean_loss(params, XS, YS), rel=1e-14)


def test_residuals_are_vertical_from_prediction_to_target() -> None:
    result = compare_regressions(table_named("article"), steps=1)
    (axes,) = plots.residuals(result).axes
    (residuals,) = axes.collections
    assert isinstance(residuals, LineCollection)
    slope, intercept = result.closed_form.slopes[0], result.closed_form.intercept
    stems = zip(residuals.get_segments(), result.table.x[:, 0], result.table.y, strict=True)
    for (start, end), x, y in stems:
        assert tuple(start) == (x, slope * x + intercept)
        assert tuple(end) == (x, y)


@pytest.mark.parametrize("target", ["体重", "cost $\\frac$"])
def test_any_name_can_be_written(tmp_path: Path, target: str) -> None:
    table = replace(table_named("article"), target=target, features=("高さ $x$",))
    figure = plots.residuals(compare_regressions(table, steps=1))
    plots.save(figure, tmp_path / "residuals.png")
    assert (tmp_path / "residuals.png").stat().st_size


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

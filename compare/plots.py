"""The article's figures, redrawn from real computation.

Each function returns a matplotlib figure; `save` writes it as SVG or PNG, the same bytes for the
same numbers. Colours are Okabe and Ito's, which people with colour-blindness can tell apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import manual.article
import manual.regression
from compare.files import write_whole
from manual.activations import sigmoid, sigmoid_derivative, step
from manual.article import Parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from compare.regression import Regression
    from compare.trajectory import Trainings

BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"

_STYLE: dict[Any, Any] = {
    "figure.figsize": (7, 4.2),
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "handgrad",
}


@contextmanager
def _style() -> Iterator[None]:
    """The house style, for one figure: matplotlib's settings are as before afterwards."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        yield


def _axes(title: str, xlabel: str, ylabel: str, rows: int = 1) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(rows, 1, sharex=True)
    top, bottom = (axes, axes) if rows == 1 else (axes[0], axes[-1])
    top.set_title(title)
    top.set_ylabel(ylabel)
    bottom.set_xlabel(xlabel)
    return figure, axes


def exam() -> "Figure":
    """The article's exam: dinner or not, by the step and, more kindly, by the sigmoid."""
    with _style():
        figure, axes = _axes("Dinner after the exam", "x = mark - 50", "y = activation(x)")
        x = np.linspace(-10, 10, 1001)
        below, above = x[x < 0], x[x >= 0]
        axes.plot(below, step(below), color=VERMILION, label="step, with step(0) = 1")
        axes.plot(above, step(above), color=VERMILION)
        axes.plot(0, 0, "o", mfc="white", color=VERMILION)
        axes.plot(0, 1, "o", color=VERMILION)
        axes.plot(x, sigmoid(x), color=BLUE, label="sigmoid")
        for mark in (49, 51):
            y = float(sigmoid(mark - 50))
            axes.plot(mark - 50, y, "s", color=BLUE)
            axes.annotate(
                f"mark {mark}: {y:.2f}",
                (mark - 50, y),
                textcoords="offset points",
                xytext=(12, -4),
                color=BLUE,
            )
        axes.set_yticks([0, 1], ["0, beaten", "1, dinner"])
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0.95))
    return figure


def sigmoid_curve() -> "Figure":
    """σ and its derivative, and where it saturates."""
    with _style():
        figure, (top, bottom) = _axes("The sigmoid and its slope", "z", "σ(z)", rows=2)
        z = np.linspace(-10, 10, 1001)
        slope = sigmoid_derivative(z)
        top.plot(z, sigmoid(z), color=BLUE)
        bottom.plot(z, slope, color=ORANGE)
        bottom.set_ylabel("σ′(z) = σ(z)σ(-z)")
        bottom.annotate("1/4 at z = 0", (0, 0.25), textcoords="offset points", xytext=(14, -6))
        for axes in (top, bottom):
            axes.fill_between(
                z,
                0,
                1,
                where=slope < 0.01,
                transform=axes.get_xaxis_transform(),
                color=GREY,
                alpha=0.15,
                linewidth=0,
            )
        top.annotate("saturated,\nσ′ < 0.01", (-9.8, 0.72))
    return figure


def loss(trainings: "Trainings") -> "Figure":
    """The loss curves of both trainings; the one by autodiff is dashed, since they coincide."""
    with _style():
        figure, axes = _axes("The loss of both trainings", "epoch", "mean squared error")
        epochs = np.arange(trainings.epochs)
        axes.plot(epochs, trainings.losses[:, 0], color=BLUE, linewidth=3, label="by hand")
        axes.plot(epochs, trainings.losses[:, 1], "--", color=ORANGE, label="by autodiff")
        axes.set_ylim(bottom=0)
        axes.legend()
    return figure


def surface(path: np.ndarray, names: tuple[str, str], xs: np.ndarray, ys: np.ndarray) -> "Figure":
    """The mean loss over two of the nine parameters, the others held, with a training on it.

    The graph of the loss lies in ten dimensions; this is the slice through the training's end.

    Args:
        path: parameters before and after each update, shape (9, updates + 1).
        names: the two parameters.
        xs, ys: the samples whose mean loss is drawn, shape (n, 2) and (n,).
    """
    with _style():
        i, j = (Parameters._fields.index(name) for name in names)
        mesh_i, mesh_j = np.meshgrid(_around(path[i]), _around(path[j]))
        held = Parameters(*path[:, -1])
        swept = held._replace(**{names[0]: mesh_i[..., None], names[1]: mesh_j[..., None]})
        values = manual.article.loss(swept, xs, ys).mean(axis=-1)
        figure, axes = _axes(
            f"Mean loss over {names[0]} and {names[1]}, the others held where training ended",
            names[0],
            names[1],
        )
        filled = axes.contourf(mesh_i, mesh_j, values, levels=24, cmap="cividis")
        figure.colorbar(filled, label="mean squared error")
        axes.plot(path[i], path[j], color="white", linewidth=1.5, label="training")
        axes.plot(path[i, 0], path[j, 0], "o", mfc="none", color="white", label="start")
        axes.plot(path[i, -1], path[j, -1], "o", color=VERMILION, label="end")
        axes.legend(labelcolor="white")
    return figure


def _around(values: np.ndarray) -> np.ndarray:
    """121 numbers that reach from below the smallest to above the largest value."""
    low, high = float(values.min()), float(values.max())
    margin = 0.6 * max(high - low, 1.0)
    return np.linspace(low - margin, high + margin, 121)


def residuals(result: "Regression") -> "Figure":
    """Predictions against targets, and each residual as the vertical line between the two.

    With a single feature the line itself is drawn over the feature; with several, the prediction
    takes its place on the x axis.
    """
    with _style():
        table = result.table
        ypred = manual.regression.predict(result.closed_form, table.x)
        single = table.x.shape[1] == 1
        x = table.x[:, 0] if single else ypred
        xlabel = table.features[0] if single else f"predicted {table.target}"
        figure, axes = _axes(f"Residuals of {table.name}", xlabel, table.target)
        axes.vlines(x, table.y, ypred, color=VERMILION, linewidth=1.2, label="residual")
        axes.plot(x, table.y, "o", color=BLUE, markersize=5 if len(x) < 50 else 3, label="observed")
        ends = np.argsort(x)[[0, -1]]
        axes.plot(x[ends], ypred[ends], color=GREY, label="least squares")
        axes.legend()
    return figure


def save(figure: "Figure", path: Path) -> None:
    """Write the figure to a path that ends in .svg or .png, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib as mpl

    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    with mpl.rc_context({"svg.hashsalt": _STYLE["svg.hashsalt"]}):
        write_whole(path, lambda file: figure.savefig(file, metadata=metadata))

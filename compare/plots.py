"""Draw the article's figures from real computation.

Each function returns a matplotlib figure; `save` writes it as SVG or PNG, the same bytes for the
same numbers. Colours are Okabe and Ito's, which people with colour-blindness can tell apart.
"""

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import manual.article
import manual.regression
from compare.files import write_whole
from compare.people import XS, YS
from compare.wording import SIDE_LABELS
from manual.activations import sigmoid, sigmoid_derivative, sigmoid_derivative_article, step
from manual.article import Parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from compare.lockstep import Progress
    from compare.regression import Regression

BLUE, ORANGE, VERMILION, GREY, BLACK = "#0072B2", "#E69F00", "#D55E00", "#666666", "#222222"

#: Tick spacings of the surface, times a power of ten.
ROUND = (1, 2, 5, 10)

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
def style() -> Iterator[None]:
    """Apply the project's style to one figure; matplotlib's settings are restored afterwards."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        yield


def _axes(title: str, xlabel: str, ylabel: str, rows: int = 1) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(rows, 1, sharex=True)
    top, bottom = (axes, axes) if rows == 1 else (axes[0], axes[-1])
    for text in (top.set_title(title), top.set_ylabel(ylabel), bottom.set_xlabel(xlabel)):
        # A column's name may contain dollar signs, which matplotlib would read as mathematics.
        text.set_parse_math(False)
    return figure, axes


@style()
def exam() -> "Figure":
    """Draw the article's exam: dinner or not, by the step and by the sigmoid."""
    figure, axes = _axes("Dinner after the exam", "mark, x = mark - 50", "y = activation(x)")
    marks = np.linspace(40, 60, 1001)
    below, above = marks[marks < 50], marks[marks >= 50]
    axes.plot(below, step(below - 50), color=VERMILION, label="step, with step(0) = 1")
    axes.plot(above, step(above - 50), color=VERMILION)
    axes.plot(50, 0, "o", mfc="white", color=VERMILION)
    axes.plot(50, 1, "o", color=VERMILION)
    axes.plot(marks, sigmoid(marks - 50), color=BLUE, label="sigmoid")
    for mark in (49, 51):
        y = float(sigmoid(mark - 50))
        axes.plot(mark, y, "s", color=BLUE)
        beside: dict[str, Any] = {"textcoords": "offset points", "xytext": (12, -4)}
        axes.annotate(f"mark {mark}: {y:.2f}", (mark, y), color=BLUE, **beside)
    axes.set_xticks(range(40, 61, 2))
    axes.set_yticks([0, 0.5, 1], ["0, beaten", "0.5", "1, dinner"])
    axes.legend(loc="upper left", bbox_to_anchor=(0, 0.95))
    return figure


@style()
def sigmoid_curve() -> "Figure":
    """Draw σ, its derivative, and where it saturates."""
    figure, (top, bottom) = _axes("The sigmoid and its slope", "z", "σ(z)", rows=2)
    z = np.linspace(-10, 10, 1001)
    slope = sigmoid_derivative(z)
    top.plot(z, sigmoid(z), color=BLUE)
    bottom.plot(z, slope, color=ORANGE)
    bottom.set_ylabel("σ′(z) = σ(z)σ(-z)")
    bottom.annotate("1/4 at z = 0", (0, 0.25), textcoords="offset points", xytext=(14, -6))
    shade: dict[str, Any] = {"color": GREY, "alpha": 0.15, "linewidth": 0}
    for axes in (top, bottom):
        whole = axes.get_xaxis_transform()
        axes.fill_between(z, 0, 1, where=slope < 0.01, transform=whole, **shade)
    top.annotate("saturated,\nσ′ < 0.01", (-9.8, 0.72))
    return figure


@style()
def digits() -> "Figure":
    """Draw how many digits of σ′(z) are right: by autodiff, and by two formulas by hand.

    Autodiff's rule is σ(1 - σ), the textbook's formula: these two agree, and both lose digits.
    """
    import jax

    from handgrad import exact_gradient

    z = np.arange(0, 45, 0.25)
    with jax.enable_x64(True):
        enclosures = exact_gradient(lambda z: jax.numpy.sum(jax.nn.sigmoid(z)), z)
        by_autodiff = np.asarray(jax.vmap(jax.grad(jax.nn.sigmoid))(z))
    exact = enclosures.astype(float)
    figure, axes = _axes(
        "Two that agree may both be wrong: the slope of a saturated neuron",
        "z",
        "digits of σ′(z) that are right",
    )
    for name, slope, color, width, line in (
        ("by hand, σ(z)σ(-z)", sigmoid_derivative(z), BLACK, 2, "-"),
        ("by autodiff, jax.grad", by_autodiff, BLUE, 5, "-"),
        ("by hand, σ(1 - σ)", sigmoid_derivative_article(z), ORANGE, 2, "--"),
    ):
        # Within half an ulp of it, all of a float64's digits are right.
        error = np.maximum(abs(slope - exact) / exact, np.finfo(float).eps / 2)
        axes.plot(z, -np.log10(error), line, color=color, linewidth=width, label=name)
    axes.set(ylim=(-0.5, 17), xlim=(0, 45))
    axes.legend(loc="lower left")
    axes.grid(color=GREY, alpha=0.2)
    return figure


@style()
def losses(
    progress: "Progress",
    title: str = "The loss of both trainings",
    loss: str = "mean squared error",
    first: int = 0,
) -> "Figure":
    """Draw the loss curves of the sides of a training, over epochs counted from `first`.

    The second is dashed and thinner, since the two coincide.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = _axes(title, "epoch", loss)
    if not (epochs := len(progress.losses)):
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, "no epochs", transform=axes.transAxes, ha="center", color=GREY)
        return figure
    # A line through a single point is invisible.
    marker = "o" if epochs == 1 else ""
    lines = ((BLUE, 5, "-", 11), (ORANGE, 2, "--", 6))
    for side, column, (color, width, line, size) in zip(
        progress.paths, progress.losses.T, lines, strict=False
    ):
        label = f"{SIDE_LABELS[side]}, ends at {column[-1]:.4g}"
        style_of: dict[str, Any] = {"color": color, "linewidth": width, "markersize": size}
        axes.plot(
            range(first, first + epochs), column, line, marker=marker, label=label, **style_of
        )
    axes.legend(loc="best")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _scale_loss(axes, progress.losses)
    axes.grid(color=GREY, alpha=0.2)
    return figure


def _scale_loss(axes: Any, losses: np.ndarray) -> None:
    """Use a logarithmic y axis if the losses are positive and span more than a factor of two.

    With less, ticks would differ in their last digits only; a linear axis from 0 shows how little
    the loss changes.
    """
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = losses.min(), losses.max()
    if low > 0 and high > 2 * low:
        # Neighbours are at most a factor of two apart, so there is at least one tick.
        subs = (1, 2, 3, 5) if high < 1000 * low else (1,)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=subs))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.update_datalim([(0, 0)])
        axes.set_ylim(bottom=0)


@style()
def residuals(result: "Regression") -> "Figure":
    """Draw predictions against targets, and each residual as a vertical line between the two.

    With a single feature the fitted line is drawn over the feature; with several, the x axis is the
    prediction.
    """
    table = result.table
    ypred = manual.regression.predict(result.closed_form, table.x)
    single = table.x.shape[1] == 1
    x = table.x[:, 0] if single else ypred
    xlabel = table.features[0] if single else f"predicted {table.target}"
    title = f"Residuals: {table.target} by {', '.join(table.features)}"
    title = textwrap.fill(title, 68, max_lines=2, placeholder=" ...")
    figure, axes = _axes(title, xlabel, table.target)
    # With many points, small transparent markers show their density.
    width, size, alpha = (0.6, 3.5, 0.45) if len(x) > 100 else (1.2, 6, 1)
    lines: dict[str, Any] = {"color": VERMILION, "linewidth": width, "alpha": alpha}
    axes.vlines(x, ypred, table.y, zorder=1, label="residual", **lines)
    ends = np.argsort(x)[[0, -1]]
    axes.plot(x[ends], ypred[ends], color=BLACK, zorder=2, label="least squares")
    points: dict[str, Any] = {"markersize": size, "markeredgewidth": 0, "alpha": alpha}
    axes.plot(x, table.y, "o", color=BLUE, zorder=3, label="observed", **points)
    values = np.unique(x)
    if single and len(values) <= 5:
        axes.set_xticks(values, [f"{value:.12g}" for value in values])
    axes.legend(loc="best")
    return figure


@style()
def surface(path: np.ndarray, names: tuple[str, str]) -> "Figure":
    """Draw the mean loss over two of the nine parameters, with the path of a training.

    The graph of the loss lies in ten dimensions; this is the slice through the training's end, in
    perspective and from above. The path is projected onto the slice, so its height equals its loss
    only at the end.

    Args:
        path: parameters before and after each update, shape (9, updates + 1).
        names: the two parameters.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Compute the mean loss at two parameters of shape (...), in that shape."""
        held = Parameters(*path[:, -1])
        swept = held._replace(**{names[0]: x[..., None], names[1]: y[..., None]})
        return manual.article.loss(swept, XS, YS).mean(axis=-1)

    x, y = (path[Parameters._fields.index(name)] for name in names)
    mesh = np.meshgrid(_around(x), _around(y))
    values = height(*mesh)
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-4 * high or high < 1e-12:
        # Of a flat loss the plot would magnify rounding, with ticks like 1e-13 + 0.5.
        low, high = 0.0, 2 * high if high >= 1e-12 else 1.0
    figure = Figure(figsize=(11, 5))
    title = f"Mean loss over {names[0]} and {names[1]}"
    figure.suptitle(f"{title}\nThe others are held where training ended", x=0.01, ha="left")
    left, right = figure.add_gridspec(1, 2, width_ratios=(1, 1.1))
    # Drawn in order, not by depth, so that the path lies on the surface, not half inside it.
    relief: Any = figure.add_subplot(left, projection="3d", computed_zorder=False)
    above = figure.add_subplot(right)
    for axes in (relief, above):
        axes.set(xlabel=names[0], ylabel=names[1])
    # In perspective every other row; with antialiasing, the background would show between the
    # patches.
    colours = {"cmap": "cividis", "vmin": low, "vmax": high, "antialiased": False}
    relief.plot_surface(*mesh, values, rcount=61, ccount=61, **colours)
    relief.set(zlabel="loss", zlim=(low, high))
    relief.tick_params(labelsize=9, pad=1)
    for axis in (relief.xaxis, relief.yaxis, relief.zaxis):
        axis.set_major_locator(MaxNLocator(5, steps=ROUND))
    relief.view_init(elev=40)  # steep enough to look into a valley
    relief.set_box_aspect(None, zoom=0.95)
    _draw_path(relief, x, y, height(x, y))
    # An odd number of bands, so that a flat loss lies inside one, not on an edge.
    filled = above.contourf(*mesh, values, levels=np.linspace(low, high, 26), cmap="cividis")
    ticks = MaxNLocator(6, steps=ROUND)
    figure.colorbar(filled, ax=above, label="mean squared error", ticks=ticks)
    _draw_path(above, x, y)
    # The legend is beside the title, where it covers no part of a path.
    box: dict[str, Any] = {"frameon": True, "facecolor": "white", "framealpha": 1}
    figure.legend(*above.get_legend_handles_labels(), loc="upper right", ncols=3, **box)
    return figure


def _around(values: np.ndarray) -> np.ndarray:
    """Return 121 numbers from below the smallest to above the largest value."""
    low, high = float(values.min()), float(values.max())
    margin = 0.6 * max(high - low, 1.0)
    return np.linspace(low - margin, high + margin, 121)


def _draw_path(axes: Any, *path: np.ndarray) -> None:
    """Draw the path of a training, its start and, unless it never moved, its end.

    Args:
        axes: plane or 3D axes.
        path: two or three coordinates, each of shape (updates + 1,).
    """
    from matplotlib.patheffects import withStroke

    first, last = ([coordinate[at : at + 1] for coordinate in path] for at in (0, len(path[0]) - 1))
    moved = first != last
    # White inside black, visible on any background.
    outline = [withStroke(linewidth=3.6, foreground=BLACK)]
    label = "training" if moved else None
    axes.plot(*path, color="white", linewidth=1.8, path_effects=outline, zorder=3, label=label)
    style: dict[str, Any] = {"color": BLACK, "linestyle": "", "zorder": 4}
    axes.plot(*first, marker="o", markersize=9, mfc="white", label="start", **style)
    if moved:
        axes.plot(*last, marker="D", markersize=8, mfc=VERMILION, label="end", **style)


def save(figure: "Figure", path: Path) -> None:
    """Write the figure to a path that ends in .svg or .png, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib as mpl

    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    with mpl.rc_context({"svg.hashsalt": _STYLE["svg.hashsalt"]}), warnings.catch_warnings():
        # Columns may be named in any script; a missing glyph is drawn as a box.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        write_whole(path, lambda file: figure.savefig(file, metadata=metadata))

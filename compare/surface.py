"""The loss as a surface over two of the nine parameters, with a training on it."""

from typing import TYPE_CHECKING, Any

import numpy as np

import manual.article
from compare.plots import BLACK, VERMILION, style
from manual.article import Parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: Steps from tick to tick, times a power of ten.
ROUND = (1, 2, 5, 10)


def surface(path: np.ndarray, names: tuple[str, str], xs: np.ndarray, ys: np.ndarray) -> "Figure":
    """The mean loss over two of the nine parameters, the others held, with a training on it.

    The graph of the loss lies in ten dimensions; this is the slice through the training's end, once
    in perspective and once from above. The training is drawn on the slice, so the height of its
    path is its own loss only at the end.

    Args:
        path: parameters before and after each update, shape (9, updates + 1).
        names: the two parameters.
        xs, ys: the samples whose mean loss is drawn, shape (n, 2) and (n,).
    """
    from matplotlib.figure import Figure

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The mean loss at two parameters of one shape (...), in that shape."""
        held = Parameters(*path[:, -1])
        swept = held._replace(**{names[0]: x[..., None], names[1]: y[..., None]})
        return manual.article.loss(swept, xs, ys).mean(axis=-1)

    with style():
        x, y = (path[Parameters._fields.index(name)] for name in names)
        mesh = np.meshgrid(_around(x), _around(y))
        values = height(*mesh)
        figure = Figure(figsize=(11, 5))
        title = f"Mean loss over {names[0]} and {names[1]}"
        figure.suptitle(f"{title}\nThe others are held where training ended", x=0.01, ha="left")
        left, right = figure.add_gridspec(1, 2, width_ratios=(1, 1.1))
        # In the order of drawing, not of depth: the path lies on the surface, not half inside it.
        relief: Any = figure.add_subplot(left, projection="3d", computed_zorder=False)
        above = figure.add_subplot(right)
        for axes in (relief, above):
            axes.set(xlabel=names[0], ylabel=names[1])
        _draw_relief(relief, *mesh, values)
        _draw_path(relief, x, y, height(x, y))
        _draw_contours(above, *mesh, values)
        _draw_path(above, x, y)
        # Beside the title, where it covers no part of a path.
        box: dict[str, Any] = {"frameon": True, "facecolor": "white", "framealpha": 1}
        figure.legend(*above.get_legend_handles_labels(), loc="upper right", ncols=3, **box)
    return figure


def _draw_relief(axes: Any, x: np.ndarray, y: np.ndarray, values: np.ndarray) -> None:
    """The loss in perspective: three arrays of shape (121, 121), of which every other row shows."""
    from matplotlib.ticker import MaxNLocator

    low, high = _reach(values)
    colours = {"cmap": "cividis", "vmin": low, "vmax": high}
    # Smoothed, the edges of the patches would let the background shine through.
    axes.plot_surface(x, y, values, rcount=61, ccount=61, antialiased=False, **colours)
    axes.set(zlabel="loss", zlim=(low, high))
    axes.tick_params(labelsize=9, pad=1)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_major_locator(MaxNLocator(5, steps=ROUND))
    axes.view_init(elev=40)  # steep enough to look into a valley
    axes.set_box_aspect(None, zoom=0.95)


def _draw_contours(axes: Any, x: np.ndarray, y: np.ndarray, values: np.ndarray) -> None:
    """The loss from above, with its colour bar: three arrays of shape (121, 121)."""
    from matplotlib.ticker import MaxNLocator

    # An odd number of bands: a flat loss lies in the middle of one, not on an edge.
    levels = np.linspace(*_reach(values), 26)
    filled = axes.contourf(x, y, values, levels=levels, cmap="cividis")
    ticks = MaxNLocator(6, steps=ROUND)
    axes.figure.colorbar(filled, ax=axes, label="mean squared error", ticks=ticks)


def _around(values: np.ndarray) -> np.ndarray:
    """121 numbers that reach from below the smallest to above the largest value."""
    low, high = float(values.min()), float(values.max())
    margin = 0.6 * max(high - low, 1.0)
    return np.linspace(low - margin, high + margin, 121)


def _reach(values: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest loss; of a flat loss, 0 and its double.

    Otherwise rounding errors would be the hills of a flat loss, at heights like 1e-13 + 0.5.
    """
    low, high = float(values.min()), float(values.max())
    if high < 1e-12:
        return 0.0, 1.0
    return (low, high) if high - low > 1e-4 * high else (0.0, 2 * high)


def _draw_path(axes: Any, *path: np.ndarray) -> None:
    """The way of a training, its start and, unless it went nowhere, its end.

    Args:
        axes: flat, or in perspective.
        path: two or three coordinates, each of shape (updates + 1,).
    """
    from matplotlib.patheffects import withStroke

    first, last = ([coordinate[at : at + 1] for coordinate in path] for at in (0, len(path[0]) - 1))
    moved = first != last
    # White inside black: one of the two stands out from any ground.
    outline = [withStroke(linewidth=3.6, foreground=BLACK)]
    label = "training" if moved else None
    axes.plot(*path, color="white", linewidth=1.8, path_effects=outline, zorder=3, label=label)
    style: dict[str, Any] = {"color": BLACK, "linestyle": "", "zorder": 4}
    axes.plot(*first, marker="o", markersize=9, mfc="white", label="start", **style)
    if moved:
        axes.plot(*last, marker="D", markersize=8, mfc=VERMILION, label="end", **style)

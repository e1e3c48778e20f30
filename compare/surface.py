"""Draw the loss as a surface over two of the nine parameters, with the path of a training."""

from typing import TYPE_CHECKING, Any

import numpy as np

import manual.article
from compare.experiment import XS, YS
from compare.plots import BLACK, VERMILION, style
from manual.article import Parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: Tick spacings, times a power of ten.
ROUND = (1, 2, 5, 10)


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

    with style():
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

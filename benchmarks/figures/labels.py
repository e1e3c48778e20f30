"""Labels at the ends of lines, spread so that none covers another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

from benchmarks.figures.frame import POINTS, halo, size_in_points
from benchmarks.figures.themes import Theme

#: Points: from one label's middle to the next one's, and from the axes' edge to a label.
STEP, OFF = 12.5, 16.0

#: A line that ends so many points before the edge has room for its label beside its end.
ROOM = 125.0


@dataclass(frozen=True)
class Label:
    """One label and the end that it belongs to, in the units of the axes."""

    text: str
    x: float
    y: float
    colour: str  #: of the leader from the end to the label
    style: dict[str, Any]


def spread_out(wanted: np.ndarray, step: float, low: float, high: float) -> np.ndarray:
    """Places at least `step` apart, in order and within the bounds, as near as can be to `wanted`.

    Least squares: with i · step taken off, "at least a step apart" is "not falling".
    """
    order = np.argsort(wanted, kind="stable")
    steps = step * np.arange(len(wanted))
    flat = isotonic_regression(wanted[order] - steps).x
    places = np.empty(len(wanted))
    places[order] = np.clip(flat, low, max(low, high - (steps[-1] if len(steps) else 0))) + steps
    return places


def place(axes: Any, labels: list[Label], theme: Theme) -> None:
    """Write the labels beside the axes; those of lines that end well before, beside their ends."""
    width, height = size_in_points(axes)
    ends = axes.transData.transform([(label.x, label.y) for label in labels])
    corner = axes.transAxes.transform((0, 0))
    # From pixels of the screen to points from the axes' corner.
    ends = (ends - corner) * POINTS / axes.figure.dpi
    inside = ends[:, 0] < width - ROOM
    for at_edge in (True, False):
        chosen = np.flatnonzero(inside != at_edge)
        places = spread_out(ends[chosen, 1], STEP, 4.0, height - 4.0)
        for which, y in zip(chosen, places, strict=True):
            x = width if at_edge else ends[which, 0]
            # Only letters that may lie on a line need to be told from it.
            effects = [] if at_edge else halo(theme)
            _write(axes, labels[which], (float(x), float(y)), ends[which], effects)


def _write(
    axes: Any, label: Label, to: tuple[float, float], end: np.ndarray, effects: list[Any]
) -> None:
    """One label, and a leader to it: level at its end, so that the eye goes on along it."""
    x, y = to
    options = {"xycoords": "axes points", "textcoords": "axes points", "annotation_clip": False}
    leader = {
        "arrowstyle": "-",
        "color": label.colour,
        "linewidth": 0.8,
        "shrinkA": 0,
        "shrinkB": 0,
        "relpos": (0, 0.5),
    }
    axes.annotate(
        label.text,
        xy=(float(end[0]) + 4, float(end[1])),
        xytext=(x + OFF, y),
        va="center",
        arrowprops=leader,
        path_effects=effects,
        zorder=6,
        **options,
        **label.style,
    )

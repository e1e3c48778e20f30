"""Errata on the loss as a surface: its dimensions, and the slope of a slice."""

import numpy as np

import manual.article
import manual.sgd
from compare.agreement import NAMES, stack
from compare.errata.entry import Cell, Shown, erratum
from compare.errata.example import XS, YS, drawn, mean_loss
from compare.experiment import Settings
from manual.article import Parameters

#: Offsets of w1 from the start of the training.
PLACES = (-1.0, 0.0, 1.0)

#: A central difference with a step h is off by about h² and by the rounding of L over h: least near
#: the cube root of a float64's 2e-16.
DIFFERENCE = 6e-6


@erratum(
    8,
    title="The plot has ten dimensions",
    section="Backpropagation",
    printed="the 2D slice (x, y) = (w1, L) of a 9D plot",
    right="L: R⁹ → R has nine inputs and one output, so its graph lies in R¹⁰; "
    "the slice along w1 holds the other eight parameters",
    why="A plot needs an axis for every input and one more for the result: a curve for one input "
    "is flat, a surface for two is 3D. Nine parameters and the loss make ten.",
    printed_latex=r"(x, y) = (w_1, L) \text{ of a 9D plot}",
    right_latex=r"L: \mathbb{R}^9 \to \mathbb{R}, \quad \{(\theta, L(\theta))\} \subset "
    r"\mathbb{R}^{10}",
)
def ten_dimensions() -> Shown:
    """List three points of the slice, with all their coordinates."""
    start = drawn()
    thetas = [start._replace(w1=start.w1 + by) for by in PLACES]
    points = np.array([[*theta, mean_loss(theta)] for theta in thetas]).T
    held = [bool((coordinate == coordinate[0]).all()) for coordinate in points]
    rows = [
        (name, *map(float, coordinate), "held" if still else "moves")
        for name, coordinate, still in zip((*NAMES, "L"), points, held, strict=True)
    ]
    return Shown(
        ("coordinate", *(f"w1 {by:+g}" for by in PLACES), "along the slice"),
        tuple(rows),
        f"A point of the graph has {len(points)} coordinates. Along the slice {sum(held)} of them "
        f"are held, and {len(points) - sum(held)} move: the parameter, and the loss.",
        {
            "inputs": len(NAMES),
            "coordinates": len(points),
            "held": [name for name, still in zip((*NAMES, "L"), held, strict=True) if still],
            "losses": points[-1].tolist(),
        },
    )


@erratum(
    9,
    title="The slope of a slice is no gradient",
    section="Backpropagation",
    printed="the gradient of the 2D slice (x, y) = (w1, L) … is partial derivative",
    right="the slope of the slice is the partial derivative ∂L/∂w1, one number; "
    "the gradient is the vector of all nine",
    why="A slice shows one parameter, and its slope is one number. The gradient collects the "
    "slopes of all nine slices, and points where the loss rises most steeply.",
    right_latex=r"\nabla L = \left( \frac{\partial L}{\partial w_1}, \ldots, "
    r"\frac{\partial L}{\partial w_6}, \frac{\partial L}{\partial b_1}, "
    r"\frac{\partial L}{\partial b_2}, \frac{\partial L}{\partial b_3} \right)",
)
def slope_of_a_slice() -> Shown:
    """Compare each slice's slope, by a difference, with the gradient, and a step against either."""
    start, rate = drawn(), Settings().learning_rate
    # The mean loss's gradient is the mean of the four people's.
    gradient = Parameters(*stack(manual.article.gradient(start, XS, YS)).mean(axis=1))
    slopes = [_slope(start, name) for name in NAMES]
    only_w1 = Parameters(*np.where(np.array(NAMES) == "w1", gradient, 0.0))
    drops = [
        mean_loss(start) - mean_loss(manual.sgd.update(start, direction, rate))
        for direction in (only_w1, gradient)
    ]
    rows: list[tuple[Cell, ...]] = [
        (name, slope, float(component))
        for name, slope, component in zip(NAMES, slopes, gradient, strict=True)
    ]
    return Shown(
        ("", "slope of the slice", "component of the gradient"),
        tuple(rows),
        f"Each slice has one slope; the gradient has {len(gradient)} components. A step with η = "
        f"{rate:g} against the slope along w1 alone lowers the mean loss by {drops[0]:.6f}, "
        f"against the gradient by {drops[1]:.6f}.",
        {
            "slopes": slopes,
            "gradient": [float(component) for component in gradient],
            "drop_along_w1": drops[0],
            "drop_along_gradient": drops[1],
        },
    )


def _slope(start: Parameters, name: str) -> float:
    """Compute the slope of the mean loss along one parameter by a central difference."""
    w = getattr(start, name)
    right = mean_loss(start._replace(**{name: w + DIFFERENCE}))
    left = mean_loss(start._replace(**{name: w - DIFFERENCE}))
    return (right - left) / (2 * DIFFERENCE)

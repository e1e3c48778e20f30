"""An erratum on regression: a fit can pass through all points."""

import numpy as np

from compare.data import table_named
from compare.errata.entry import Shown, erratum
from manual.regression import least_squares, predict

#: Errors here are either tenths of a pound and more, or rounding, 1e-12 lb at most; the threshold
#: lies far from both.
HAIR = 1e-6


@erratum(
    14,
    title="A regression can pass through all points",
    section="Loss",
    printed="any of the avaliable regression cannot pass through all of the points of (x, y)",
    right="it can: through points that lie on a line, and through any n points in general position "
    "if it has n parameters (a design of full row rank)",
    why="Two points always have a line through them, three a parabola. What a fit leaves over says "
    "that there are more points than parameters; that nothing is left over does not make it "
    "a good one.",
    right_latex=r"\operatorname{rank} X = n \;\Rightarrow\; \exists\, \beta: X \beta = y",
)
def through_all_points() -> Shown:
    """Fit lines and parabolas to three and four points, with the largest error of each."""
    table = table_named("article")
    height, weight = table.x[:, 0] - table.x[:, 0].mean(), table.y
    on_a_line = np.array([1.0, 2.0, 3.0])
    cases = (
        ("the four people", "line", height, weight, 1),
        ("the first three", "line", height[:3], weight[:3], 1),
        ("three points of y = 2x + 1", "line", on_a_line, 2 * on_a_line + 1, 1),
        ("the first three", "parabola", height[:3], weight[:3], 2),
        ("the four people", "parabola", height, weight, 2),
    )
    rows, residuals = [], []
    for points, curve, x, y, degree in cases:
        features = np.stack([x**power for power in range(1, degree + 1)], axis=1)
        largest = float(np.abs(y - predict(least_squares(features, y), features)).max())
        residuals.append(largest)
        through = largest < HAIR
        rows.append((points, curve, f"{len(y)}", f"{degree + 1}", largest, _yes(through)))
    through = [f"{curve}, {points}" for points, curve, *_, yes in rows if yes == "yes"]
    return Shown(
        ("points", "curve", "n", "parameters", "largest error", "through all"),
        tuple(rows),
        f"{len(through)} of {len(cases)} pass through all points within rounding: "
        f"{'; '.join(through)}.",
        {"residuals": residuals, "through": [row[-1] == "yes" for row in rows]},
        digits=4,
    )


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"

"""Errata on regression: what m is, which axis is which, what is averaged, what a fit can do."""

import numpy as np

from compare.data import table_named
from compare.errata.entry import Shown, erratum
from compare.errata.example import trained
from compare.experiment import Settings
from compare.people import INCHES_PER_CM, PEOPLE, POUNDS_PER_KG
from compare.regression import compare_regressions
from manual.losses import mse
from manual.regression import least_squares, line, predict


@erratum(
    11,
    title="m is the slope, not the correlation coefficient",
    section="Linear Regression",
    printed="Where m called correlation coefficient",
    right="m is the slope of the line; the correlation coefficient is r = m · s_x / s_y, "
    "between −1 and 1",
    why="The slope has a unit, pounds per inch, and changes when you measure in kilograms and "
    "centimetres. The correlation says how closely the points follow a line and has no unit.",
    printed_latex=r"m = r",
    right_latex=r"r = m \, \frac{s_x}{s_y}",
)
def slope_or_correlation() -> Shown:
    """Fit weight by height of the four people, in two systems of units."""
    table = table_named("article")
    height, weight = table.x[:, 0], table.y
    units = {
        "lb by in": (height, weight),
        "kg by cm": (height / INCHES_PER_CM, weight / POUNDS_PER_KG),
    }
    rows = []
    for name, (x, y) in units.items():
        slope, _ = line(x, y)
        # Dividing by n or n - 1 makes no difference: it cancels in the quotient.
        r, check = slope * x.std() / y.std(), np.corrcoef(x, y)[0, 1]
        rows.append((name, slope, x.std(), y.std(), r, check))
    (_, a, *_, r_a, _), (_, b, *_, r_b, _) = rows
    return Shown(
        ("", "slope m", "s_x", "s_y", "m s_x / s_y", "np.corrcoef"),
        rows,
        f"The slope is {a:.4f} lb per in and {b:.4f} kg per cm; the correlation is {r_a:.4f} and "
        f"{r_b:.4f}.",
    )


@erratum(
    12,
    title="Price and area are exchanged",
    section="Linear Regression",
    printed="(x_i, y_i) … represents (rental price, house area); then: to predict the house "
    "rental price",
    right="to predict the price, y is the price and x the area",
    why="The line is made for guessing y from x: it keeps the errors in y small. Guessing x from y "
    "takes another line. Turning the first one round does worse, unless all points lie on it.",
    printed_latex=r"(x_i, y_i) = (\text{price}, \text{area})",
    right_latex=r"(x_i, y_i) = (\text{area}, \text{price})",
)
def exchanged_axes() -> Shown:
    """Fit weight by height, and height by weight solved for the weight, of 507 people."""
    table = table_named("bdims", "wgt", ["hgt"])
    height, weight = table.x[:, 0], table.y
    slope, intercept = line(height, weight)
    back, offset = line(weight, height)
    lines = {
        "weight by height": (slope, intercept),
        # height = back * weight + offset, solved for the weight
        "height by weight, turned": (1 / back, -offset / back),
    }
    rows = [(name, m, c, mse(weight, m * height + c)) for name, (m, c) in lines.items()]
    r_squared = np.corrcoef(height, weight)[0, 1] ** 2
    right, wrong = (row[-1] for row in rows)
    return Shown(
        ("bdims, kg from cm", "slope", "intercept", "MSE of the weight"),
        rows,
        f"The two slopes, {slope:.4f} kg per cm and {back:.4f} cm per kg, multiply to "
        f"{slope * back:.4f}: r² = {r_squared:.4f}, not 1. The line made for the other direction "
        f"has {wrong / right:.2f} times the mean squared error.",
    )


@erratum(
    15,
    title="The red lines are not what MSE averages",
    section="Loss",
    printed="The red lines describe absolute value of y_accurate - y_predict. As an example, we "
    "use the mean squared error (MSE) loss",
    right="the mean of the red lines' lengths |y − y_pred| is the MAE; the MSE averages their "
    "squares",
    why="A line that is twice as long counts twice in the mean absolute error, and four times in "
    "the mean squared error. The two have different units: lb and lb².",
    printed_latex=r"|y - y_{pred}|",
    right_latex=r"\text{MAE} = \frac{1}{n} \sum_{i=1}^{n} |y_i - y_{pred,i}|, \quad "
    r"\text{MSE} = \frac{1}{n} \sum_{i=1}^{n} (y_i - y_{pred,i})^2",
)
def absolute_or_squared() -> Shown:
    """Compute the four residuals of the article's line, as lengths and as squares."""
    table = table_named("article")
    height, weight = table.x[:, 0], table.y
    slope, intercept = line(height, weight)
    ypred = slope * height + intercept
    lengths, squares = np.abs(weight - ypred), (weight - ypred) ** 2
    mean_absolute, mean_squared = lengths.mean(), mse(weight, ypred)
    shares = [[f"{part:.0%}" for part in parts / parts.sum()] for parts in (lengths, squares)]
    names = [person.name for person in PEOPLE]
    rows = [*zip(names, weight, ypred, lengths, squares, *shares, strict=True)]
    rows.append(("mean", "", "", mean_absolute, mean_squared, "", ""))
    longest = lengths.argmax()
    return Shown(
        ("lb", "weight", "line", "red line", "squared", "of MAE", "of MSE"),
        rows,
        f"MAE is {mean_absolute:.4f} lb, MSE {mean_squared:.4f} lb². {PEOPLE[longest].name}'s red "
        f"line is {lengths[longest] / lengths.sum():.0%} of the one and "
        f"{squares[longest] / squares.sum():.0%} of the other.",
        digits=5,
    )


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
    rows = []
    for points, curve, x, y, degree in cases:
        features = np.stack([x**power for power in range(1, degree + 1)], axis=1)
        largest = np.abs(y - predict(least_squares(features, y), features)).max()
        through = "yes" if largest < HAIR else "no"
        rows.append((points, curve, f"{len(y)}", f"{degree + 1}", largest, through))
    through = [f"{curve}, {points}" for points, curve, *_, yes in rows if yes == "yes"]
    return Shown(
        ("points", "curve", "n", "parameters", "largest error", "through all"),
        rows,
        f"{len(through)} of {len(cases)} pass through all points within rounding: "
        f"{'; '.join(through)}.",
        digits=4,
    )


#: Steps of descent, enough to agree with the closed form in all digits shown.
STEPS = 300

#: Two of the seeds that end in the article's predictions.
SEEDS = (44, 77)


@erratum(
    13,
    title="Multiple regression has a closed form",
    section="Linear Regression",
    printed="for Multiple Linear Regression with many parameter x's, it will become complex. … So "
    "we should determine another method",
    right="β = (XᵀX)⁻¹ Xᵀy for any number of features, if none is a combination of the "
    "others; it is the network that has no closed form",
    why="The derivative of a squared error that is linear in its coefficients is linear, too: "
    "setting it to 0 gives as many linear equations as unknowns. With a sigmoid inside they are "
    "no longer linear, and that is why a network has to descend.",
    right_latex=r"\beta = (X^\top X)^{-1} X^\top y",
)
def closed_form() -> Shown:
    """Fit 507 people's weight in closed form and by descent; train a network from two seeds."""
    result = compare_regressions(table_named("bdims"), STEPS)
    fits = (result.closed_form, result.by_hand, result.autodiff)
    values = np.array([[*fit.slopes, fit.intercept] for fit in fits]).T
    ends = np.array([trained(Settings(seed=seed))[:, -1] for seed in SEEDS])
    apart = np.abs(ends[0] - ends[1]).max()
    return Shown(
        ("bdims: wgt", "closed form", f"{STEPS} steps by hand", "by autodiff"),
        [(name, *row) for name, row in zip(result.names, values, strict=True)],
        f"The descents end within {result.remaining:.1e} of the closed form, in standard "
        f"deviations. Two trainings of the network, seeds {SEEDS[0]} and {SEEDS[1]}, end up to "
        f"{apart:.2f} apart in a parameter: there is no one answer to solve for.",
        digits=9,
    )

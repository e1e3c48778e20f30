"""Errata on the regression line: what m is, which axis is which, what the red lines measure."""

import numpy as np

from compare.data import table_named
from compare.errata.entry import Cell, Shown, erratum
from compare.people import INCHES_PER_CM, PEOPLE, POUNDS_PER_KG
from manual.losses import mse
from manual.regression import line


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
    numbers, rows = {}, []
    for name, (x, y) in units.items():
        slope, _ = line(x, y)
        # Dividing by n or n - 1 makes no difference: it cancels in the quotient.
        r = slope * x.std() / y.std()
        check = float(np.corrcoef(x, y)[0, 1])
        rows.append((name, slope, float(x.std()), float(y.std()), float(r), check))
        numbers[name] = {"slope": slope, "r": float(r), "corrcoef": check}
    (a, b) = numbers.values()
    return Shown(
        ("", "slope m", "s_x", "s_y", "m s_x / s_y", "np.corrcoef"),
        tuple(rows),
        f"The slope is {a['slope']:.4f} lb per in and {b['slope']:.4f} kg per cm; the correlation "
        f"is {a['r']:.4f} and {b['r']:.4f}.",
        numbers,
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
    # height = back * weight + offset, solved for the weight
    turned_slope, turned_intercept = 1 / back, -offset / back
    lines = {
        "weight by height": (slope, intercept),
        "height by weight, turned": (turned_slope, turned_intercept),
    }
    errors = {name: float(mse(weight, m * height + c)) for name, (m, c) in lines.items()}
    r_squared = float(np.corrcoef(height, weight)[0, 1]) ** 2
    rows: list[tuple[Cell, ...]] = [(name, m, c, errors[name]) for name, (m, c) in lines.items()]
    right, wrong = errors.values()
    return Shown(
        ("bdims, kg from cm", "slope", "intercept", "MSE of the weight"),
        tuple(rows),
        f"The two slopes, {slope:.4f} kg per cm and {back:.4f} cm per kg, multiply to "
        f"{slope * back:.4f}: r² = {r_squared:.4f}, not 1. The line made for the other direction "
        f"has {wrong / right:.2f} times the mean squared error.",
        {
            "slope": slope,
            "slope_back": back,
            "product": slope * back,
            "r_squared": r_squared,
            "mse_right": right,
            "mse_wrong": wrong,
        },
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
    mean_absolute, mean_squared = float(lengths.mean()), float(mse(weight, ypred))
    shares = [[f"{part:.0%}" for part in parts / parts.sum()] for parts in (lengths, squares)]
    columns = (weight.tolist(), ypred.tolist(), lengths.tolist(), squares.tolist(), *shares)
    rows: list[tuple[Cell, ...]] = [
        (person.name, *row) for person, row in zip(PEOPLE, zip(*columns, strict=True), strict=True)
    ]
    rows.append(("mean", "", "", mean_absolute, mean_squared, "", ""))
    longest = int(lengths.argmax())
    return Shown(
        ("lb", "weight", "line", "red line", "squared", "of MAE", "of MSE"),
        tuple(rows),
        f"MAE is {mean_absolute:.4f} lb, MSE {mean_squared:.4f} lb². {PEOPLE[longest].name}'s red "
        f"line is {lengths[longest] / lengths.sum():.0%} of the one and "
        f"{squares[longest] / squares.sum():.0%} of the other.",
        {
            "mae": mean_absolute,
            "mse": mean_squared,
            "share_of_mae": float(lengths[longest] / lengths.sum()),
            "share_of_mse": float(squares[longest] / squares.sum()),
        },
        digits=5,
    )

"""`compare regress`: least squares in closed form, by descent by hand, and by autodiff."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import PLOT_FILE, column_options, learning_rate_option
from handgrad.commands.options import option, whole

if TYPE_CHECKING:
    from compare.regression import Regression

#: A descent that ends this close to the closed form has converged: standardised coefficients are of
#: size 1, and the difference is a thousandth of the last digit that the table shows.
ARRIVED = 1e-6


@click.command(short_help="Fit least squares: in closed form, and by descent by both.")
@click.argument("table", default="article")
@column_options("The column to predict.", "the last one of a CSV file")
@option("--steps", type=whole(1, 100_000), default=1000, help="Steps of gradient descent.")
@learning_rate_option(otherwise="0.1, or less if the table needs it")
@option("--plot", "plot_file", type=PLOT_FILE, help="Draw the residuals to this file.")
def regress(
    table: str,
    target: str | None,
    features: tuple[str, ...],
    steps: int,
    learning_rate: float | None,
    plot_file: Path | None,
) -> int:
    """Fit least squares to TABLE: in closed form, by descent by hand, and by descent by autodiff.

    TABLE is a CSV file with a header line, or a table that comes with the project: article (weight
    in lb by height in in, the default) or bdims (507 people: wgt in kg by hgt in cm and sex, which
    is 1 for men).
    """
    from compare import plots
    from compare.data import table_named
    from compare.regression import compare_regressions
    from compare.terminal import console, progress

    chosen = table_named(table, target, features)
    with progress(steps, "steps") as on_step:
        result = compare_regressions(chosen, steps, learning_rate, on_step=on_step)
    agree = result.first_divergence is None
    if plot_file:
        plots.save(plots.residuals(result), plot_file)
    _show(console(), result, plot_file, agree)
    return int(not agree)


def _show(out: Any, result: "Regression", plot_file: Path | None, agree: bool) -> None:
    from compare import terminal

    table = result.table
    out.print(
        f"{table.name}: {table.target} by {', '.join(table.features)}, {len(table.y)} rows; "
        f"{result.steps} steps of descent with η = {result.learning_rate:.3g}\n"
    )
    terminal.show_regression(out, result)
    out.print(f"\nThe fit explains {result.r_squared:.1%} of the variance of {table.target}.")
    if result.remaining > ARRIVED:
        out.print(
            f"Warning: the descent is still {result.remaining:.2g} standard deviations away from "
            "the closed form: give it more --steps or, if that changes nothing, other columns."
        )
    else:
        out.print(f"The descents end within {result.remaining:.2g} of the closed form.")
    if plot_file:
        out.print(f"Residuals: {plot_file}", soft_wrap=True)
    because = "by hand and by autodiff, every gradient and every step within rounding"
    if divergence := result.first_divergence:
        because = f"step {divergence.update}, {terminal.described(divergence)}"
    terminal.show_verdict(out, "agree" if agree else "disagree", because)

"""`compare regress`: least squares in closed form, by descent by hand, and by autodiff."""

from pathlib import Path

from compare import plots, terminal
from compare.data import table_named
from compare.regression import compare_regressions

#: A descent that ends this close to the closed form has converged: standardised coefficients are of
#: size 1, and the difference is a thousandth of the last digit that the table shows.
ARRIVED = 1e-6


def regress(
    table: str,
    target: str | None,
    features: tuple[str, ...],
    steps: int,
    learning_rate: float | None,
    plot_file: Path | None,
) -> int:
    """Fit a table in three ways, and print the coefficients; 1 if the descents disagree."""
    data = table_named(table, target, features)
    with terminal.progress(steps, "steps") as on_step:
        result = compare_regressions(data, steps, learning_rate, on_step=on_step)
    if plot_file:
        plots.save(plots.residuals(result), plot_file)
    out = terminal.console()
    out.print(
        f"{data.name}: {data.target} by {', '.join(data.features)}, {len(data.y)} rows; "
        f"{steps} steps of descent with η = {result.learning_rate:.3g}\n"
    )
    rows = terminal.table(data.target, "closed form", "descent by hand", "descent by autodiff")
    fits = (result.closed_form, result.by_hand, result.autodiff)
    for name, *values in zip(
        result.names, *([*fit.slopes, fit.intercept] for fit in fits), strict=True
    ):
        rows.add_row(name, *(terminal.number(value, digits=12) for value in values))
    out.print(rows)
    out.print(f"\nThe fit explains {result.r_squared:.1%} of the variance of {data.target}.")
    if result.remaining > ARRIVED:
        out.print(
            f"Warning: the descent is still {result.remaining:.2g} standard deviations away from "
            "the closed form: give it more --steps or, if that changes nothing, other columns."
        )
    else:
        out.print(f"The descents end within {result.remaining:.2g} of the closed form.")
    if plot_file:
        out.print(f"Residuals: {plot_file}", soft_wrap=True)
    if found := result.first_divergence:
        because = f"step {found.update}, {terminal.described(found)}"
        return terminal.show_verdict(out, "disagree", because)
    because = "by hand and by autodiff, every gradient and every step within rounding"
    return terminal.show_verdict(out, "agree", because)

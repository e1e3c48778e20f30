"""How results read on a terminal: tables, a small loss curve, a progress bar, one closing line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import plotille
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from compare.agreement import Partial
from compare.experiment import Prediction
from compare.regression import Regression
from compare.trajectory import Divergence, Trainings

#: Digits that every float64 holds; the 16th and 17th differ between machines.
DIGITS = 15

#: Above this many ulps a row of partial derivatives has lost digits that are worth a word.
MANY_ULPS = 2**20


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line: rich itself ends the process with 1, a disagreement."""
        raise BrokenPipeError


def console() -> Console:
    """Standard output: coloured on a terminal unless NO_COLOR is set, plain in a pipe."""
    return _Output(highlight=False, emoji=False, markup=False)


def show_partials(out: Console, partials: list[Partial]) -> None:
    """The nine partial derivatives by both, and what became of their digits."""
    table = _table("∂L/∂", "by hand", "autodiff", "ulps", "verdict")
    for row in partials:
        table.add_row(
            row.name,
            _number(row.by_hand),
            _number(row.autodiff),
            f"{row.ulps:.3g}",
            _verdict(row.verdict),
        )
    out.print(table)
    lossy = [row for row in partials if row.verdict == "agree" and row.ulps > MANY_ULPS]
    if lossy:
        gap, room = (
            max(size(row) / abs(row.by_hand) for row in lossy if row.by_hand)
            for size in (lambda row: abs(row.by_hand - row.autodiff), lambda row: row.bound)
        )
        out.print(
            f"{', '.join(row.name for row in lossy)}: {gap:.2g} apart relative to the value, and "
            f"rounding explains up to {room:.2g}: autodiff takes σ′ as σ(1 - σ), "
            "which cancels here. σ(z)σ(-z) keeps the digits."
        )


def show_losses(out: Console, trainings: Trainings) -> None:
    """The mean loss every so often by both, and a small curve of the loss by hand."""
    table = _table("epoch", "mean loss by hand", "autodiff")
    every = max(1, trainings.epochs // 10)
    for epoch in sorted({*range(0, trainings.epochs, every), trainings.epochs - 1}):
        by_hand, auto = trainings.losses[epoch]
        table.add_row(str(epoch), _number(by_hand), _number(auto))
    out.print(table)
    if trainings.epochs > 1:
        out.print(_loss_curve(trainings.losses[:, 0]), soft_wrap=True)


def show_trainings(out: Console, trainings: Trainings, names: list[str]) -> None:
    """The judged updates and the reported drift."""
    updates = trainings.epochs * len(names)
    if trainings.first_divergence:
        out.print(f"First divergence: {describe(trainings.first_divergence, names)}")
    else:
        out.print(
            f"{updates} updates, each taken by both from common parameters along either path: "
            "all agree."
        )
    drift = f"{trainings.max_drift_ulps:.3g} ulp(max(|θ|, 1))"
    out.print(f"Free-running, the two drift at most {drift} apart.")


def describe(divergence: Divergence, names: list[str]) -> str:
    """One sentence for the first divergence of two trainings."""
    whose = "by hand" if divergence.along == "by_hand" else "by autodiff"
    return (
        f"epoch {divergence.epoch}, {names[divergence.sample]}, {divergence.quantity} of "
        f"{divergence.parameter}: by hand {_number(divergence.by_hand)}, autodiff "
        f"{_number(divergence.autodiff)}, {divergence.ulps:.3g} ulps apart where rounding explains "
        f"a difference of {divergence.bound:.2g} (at the parameters of the training {whose})"
    )


def show_predictions(out: Console, predictions: list[Prediction]) -> None:
    """Probability and label by both."""
    table = _table("", "weight", "height", "by hand", "autodiff")
    for p in predictions:
        table.add_row(
            p.person.name,
            f"{p.person.weight:.4g} lb",
            f"{p.person.height:.4g} in",
            f"{p.by_hand:.3f} {p.label}",
            f"{p.autodiff:.3f} {p.label_by_autodiff}",
        )
    out.print(table)


def show_regression(out: Console, result: Regression) -> None:
    """The coefficients three ways."""
    table = _table(result.table.target, "closed form", "descent by hand", "descent by autodiff")
    columns = (result.closed_form, result.by_hand, result.autodiff)
    for j, name in enumerate(result.names):
        values = ([*column.slopes, column.intercept][j] for column in columns)
        table.add_row(name, *(_number(value, digits=12) for value in values))
    out.print(table)


def show_verdict(out: Console, verdict: str, because: str) -> None:
    """The closing line."""
    out.print(Text.assemble(_verdict(verdict), f": {because}"))


@contextmanager
def progress(epochs: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error where that is a terminal; yields what to call per epoch."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs"),
        TimeRemainingColumn(),
    )
    err = Console(stderr=True)
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=epochs)
        yield lambda epoch: bar.update(task, completed=epoch)


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _verdict(verdict: str) -> Text:
    return Text(verdict, style="green" if verdict == "agree" else "bold red")


def _number(value: float, digits: int = DIGITS) -> str:
    return f"{value: .{digits}g}"


def _loss_curve(losses: np.ndarray) -> str:
    figure = plotille.Figure()
    figure.width, figure.height = 60, 8
    figure.with_colors = False
    figure.x_label, figure.y_label = "epoch", "loss"
    figure.set_x_limits(0, len(losses))
    figure.set_y_limits(0, float(losses.max()) or 1.0)
    figure.x_ticks_fkt = lambda low, high: f"{low:.0f}"
    figure.y_ticks_fkt = lambda low, high: f"{low:.3f}"
    figure.plot(range(len(losses)), losses.tolist())
    return figure.show()

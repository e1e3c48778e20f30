"""Print results on a terminal: tables, a small loss curve, a progress bar, a closing line."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import plotille
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from compare.people import PEOPLE, UNDECIDED
from compare.wording import BY_AUTODIFF, BY_HAND, SIDE_LABELS

if TYPE_CHECKING:
    from compare import lockstep
    from compare.agreement import Partial
    from compare.experiment import Prediction, Settings
    from compare.regression import Regression

#: Digits printed; the 16th and 17th of a float64 may differ between machines.
DIGITS = 15

#: A float64 has 16 digits. Explain a number whose bound allows to lose more than half of them.
HALF_THE_DIGITS = 1e-8


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line: rich would exit with 1, the code for a disagreement."""
        raise BrokenPipeError


#: Tables are laid out for at least so many columns; in a narrower terminal their lines wrap, rather
#: than cut off numbers.
NARROWEST = 80


def console() -> Console:
    """Return standard output: coloured on a terminal unless NO_COLOR is set, plain in a pipe."""
    made = _Output(highlight=False, emoji=False, markup=False)
    made.width = max(made.width, NARROWEST)
    return made


def show_start(out: Console, settings: "Settings", person: str, partials: "list[Partial]") -> None:
    """Print where a training starts, the nine partial derivatives there, and any loss of digits."""
    start = f"drawn from N(0, 1) with seed {settings.seed}"
    if settings.init == "ones":
        start = "all weights 1 and all biases 0"
    out.print("The article's 2-2-1 network, by hand in NumPy and by jax.grad under jit.\n")
    out.print(f"Start: {start}. There, the partial derivatives of {person.title()}'s loss:\n")
    rows = table("∂L/∂", "exact", "", "", "ulps", "verdict")
    for row in partials:
        exact, by_hand, by_autodiff = map(number, (float(row.exact), row.by_hand, row.autodiff))
        verdict = _verdict(row.verdict)
        rows.add_row(row.name, exact, "by hand", by_hand, ulps(row.ulps_by_hand), verdict)
        rows.add_row("", "", "autodiff", by_autodiff, ulps(row.ulps_autodiff))
    out.print(rows)
    lossy = [row for row in partials if row.verdict == "agree" and _lost_digits(row)]
    if lossy:
        article = settings.sigmoid_derivative == "article"
        side = "both sides take" if article else "autodiff takes"
        out.print(
            f"{', '.join(row.name for row in lossy)}: {side} σ′ as σ(1 - σ), which cancels where σ "
            "is close to 1; what is lost is rounding, and allowed for. σ(z)σ(-z) loses nothing."
        )
    out.print(
        f"\nTraining: η = {settings.learning_rate:g}, {len(PEOPLE)} updates an epoch in "
        f"fixed order, epochs: {settings.epochs}.\n"
    )


def _lost_digits(row: "Partial") -> bool:
    return row.bound > HALF_THE_DIGITS * max(abs(row.by_hand), abs(row.autodiff))


def show_trainings(out: Console, trainings: "lockstep.Progress", every: int | None = None) -> None:
    """Print the losses every so many epochs, the result of the judged updates, and the drift."""
    if not (epochs := len(trainings.losses)):
        out.print("No epochs: the parameters stay where they are.")
        return
    rows = table("epoch", "mean loss by hand", "autodiff")
    every = every or max(1, epochs // 10)
    for epoch in sorted({*range(0, epochs, every), epochs - 1}):
        rows.add_row(str(epoch), *map(number, trainings.losses[epoch]))
    out.print(rows)
    if epochs > 1:
        out.print(_loss_curve(trainings.losses[:, 0]), soft_wrap=True)
    out.print()
    loss = float(trainings.losses[-1, 0])
    if loss >= UNDECIDED:
        out.print(
            f"Warning: the loss ends at {loss:.3g}, no better than always answering one half; try "
            "another --learning-rate, --seed or more --epochs."
        )
    if trainings.first_divergence:
        epoch, person = divmod(trainings.first_divergence.update, len(PEOPLE))
        where = f"epoch {epoch}, {PEOPLE[person].name}"
        out.print(f"First divergence: {where}, {described(trainings.first_divergence)}")
    else:
        out.print(
            f"{epochs * len(PEOPLE)} updates, each taken by both from common parameters "
            "along either path: all agree."
        )
    drift = f"{trainings.max_drift_ulps:.3g} ulp(max(|θ|, 1))"
    out.print(f"Free-running, the two drift at most {drift} apart.")


def described(found: "lockstep.Divergence") -> str:
    """Describe what is wrong in an update, by how much, and whose fault it is."""
    of = f" of {found.parameter}" if found.parameter else ""
    off = {BY_HAND: "the one by hand", BY_AUTODIFF: "the one by autodiff", "both": "each of them"}
    return (
        f"{found.quantity}{of}: by hand {found.by_hand:.{DIGITS}g}, by autodiff "
        f"{found.autodiff:.{DIGITS}g}, {found.ulps:.3g} ulps apart along the path "
        f"{SIDE_LABELS[found.along]}; two right answers differ by at most {found.bound:.2g}, and "
        f"{off[found.off]} is off"
    )


def show_predictions(out: Console, predictions: "list[Prediction]") -> None:
    """Print probability and label by both."""
    rows = table("", "weight", "height", "by hand", "autodiff")
    for p in predictions:
        rows.add_row(
            p.person.name,
            f"{p.person.weight:.4g} lb",
            f"{p.person.height:.4g} in",
            f"{p.by_hand:.3f} {p.label}",
            f"{p.autodiff:.3f} {p.label_by_autodiff}",
        )
    out.print(rows)


def show_regression(out: Console, result: "Regression") -> None:
    """Print the coefficients in closed form and by both descents."""
    rows = table(result.table.target, "closed form", "descent by hand", "descent by autodiff")
    columns = (result.closed_form, result.by_hand, result.autodiff)
    for j, name in enumerate(result.names):
        values = ([*column.slopes, column.intercept][j] for column in columns)
        rows.add_row(name, *(number(value, digits=12) for value in values))
    out.print(rows)


def show_verdict(out: Console, verdict: str, because: str) -> None:
    """Print the closing line."""
    out.print(Text.assemble(_verdict(verdict), f": {because}"))


@contextmanager
def progress(total: int, what: str, transient: bool = True) -> Iterator[Callable[..., None]]:
    """Show a progress bar on standard error, if that is a terminal; it stays unless `transient`.

    Yields a function to call with the amount done and, optionally, a function that returns a status
    text, which is called at most ten times a second.

    Raises:
        KeyboardInterrupt: with a message that says how far it got.
    """
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn())
    state, err = TextColumn("{task.description}"), Console(stderr=True)
    reached, shown = 0, float("-inf")
    with Progress(
        *columns, state, console=err, transient=transient, disable=not err.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)

        def advance(done: int, say: Callable[[], str] = str) -> None:
            nonlocal reached, shown
            reached = done
            if not err.is_terminal:
                return
            bar.update(task, completed=done)
            if time.monotonic() - shown > 0.1 or done == total:
                bar.update(task, description=say())
                shown = time.monotonic()

        try:
            yield advance
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"after {reached} of {total} {what}") from None


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show a spinner on standard error, if that is a terminal."""
    err = Console(stderr=True)
    if not err.is_terminal:
        yield
        return
    with err.status(what):
        yield


def show_scores(out: Console, scores: dict[str, dict[str, float | None]]) -> None:
    """Print losses and accuracies on both parts, one column per side."""
    rows = table("", *scores)
    for key, name in (
        ("train_loss", "loss, training part"),
        ("test_loss", "loss, held out"),
        ("train_accuracy", "accuracy, training part"),
        ("test_accuracy", "accuracy, held out"),
    ):
        values = [score[key] for score in scores.values()]
        if None not in values:
            rows.add_row(name, *(f"{value:.6g}" for value in values))
    out.print(rows)


def table(*headings: str) -> Table:
    """Make an empty table in the project's style."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        made.add_column(heading, no_wrap=True)
    return made


def _verdict(verdict: str) -> Text:
    good = verdict.startswith(("agree", "proved"))
    return Text(verdict, style="green" if good else "bold red")


def number(value: float, digits: int = DIGITS) -> str:
    """Format a number with room for its sign, by default to 15 digits."""
    return f"{value: .{digits}g}"


def ulps(distance: float) -> str:
    """Format a distance in whole ulps; fractions of one are chance."""
    return f"{distance:.0f}" if distance < 1000 else f"{distance:.3g}"


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

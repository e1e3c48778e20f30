"""`compare run`: train the article's network by hand and by autodiff, and compare."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import click
import numpy as np
import plotille
from rich.console import Console

from compare import people, plots, terminal
from compare.agreement import Partial, compare_gradients
from compare.experiment import Settings, outside_training_range, predict, train
from compare.lockstep import Progress
from compare.people import PEOPLE, Person, label
from compare.terminal import number, table, ulps

#: A float64 has 16 digits. Explain a number whose bound allows to lose more than half of them.
HALF_THE_DIGITS = 1e-8


def run(
    person: str,
    weight: float | None,
    height: float | None,
    units: str | None,
    every: int | None,
    plot_file: Path | None,
    as_json: bool,
    **training: Any,
) -> int:
    """Print derivatives, trainings and predictions; 1 if one of these disagrees."""
    you = _you(weight, height, units)
    settings, out, one = Settings(**training), terminal.console(), (people.person_named(person),)
    (x,), (y,) = people.shifted(people.raw(one)), people.targets(one)
    rows = compare_gradients(settings.start(), x, y, settings.sigmoid_derivative)
    if not as_json:
        _show_start(out, settings, person, rows)
    with terminal.progress(settings.epochs, "epochs") as on_epoch:
        trainings = train(settings, on_epoch)
    predictions = predict(trainings, (*people.NEWCOMERS, *you))
    warnings = {of: outside_training_range(of) for of in you}
    found, reason = trainings.first_divergence, None
    if wrong := [row.name for row in rows if row.verdict != "agree"]:
        reason = f"{', '.join(wrong)} at the start differ by more than rounding explains"
    elif found:
        reason = "the trainings differ by more than rounding explains, see above"
    elif not all(prediction.agree for prediction in predictions):
        reason = "the predictions differ by more than rounding explains"
    verdict = "disagree" if reason else "agree"
    if plot_file:
        plots.save(plots.losses(trainings), plot_file)
    if as_json:
        losses = [[epoch, *map(float, loss)] for epoch, loss in enumerate(trainings.losses)]
        shown = {name: training[name] for name in ("seed", "epochs", "learning_rate")}
        shown |= {"person": person, "sigmoid_derivative": settings.sigmoid_derivative}
        shown["partials"] = [
            {key: value for key, value in asdict(row).items() if key != "bound"} for row in rows
        ]
        if found:
            epoch, sample = _place(found.update)
            found = {"update": found.update, "epoch": epoch, "sample": sample} | asdict(found)
        shown["training"] = {
            "loss": losses[::10],
            "first_divergence": found,
            "max_drift_ulps": trainings.max_drift_ulps,
        }
        shown["predictions"] = {
            p.person.name: {"by_hand": p.by_hand, "autodiff": p.autodiff, "label": label(p.by_hand)}
            | ({"warnings": warnings[p.person]} if p.person in you else {})
            for p in predictions
        }
        terminal.print_object(shown | {"verdict": verdict})
        return int(verdict == "disagree")
    _show_trainings(out, trainings, every)
    out.print("\nPredictions, the probability of F:\n")
    rows = table("", "weight", "height", "by hand", "autodiff")
    for p in predictions:
        measures = f"{p.person.weight:.4g} lb", f"{p.person.height:.4g} in"
        sides = (f"{side:.3f} {label(side)}" for side in (p.by_hand, p.autodiff))
        rows.add_row(p.person.name, *measures, *sides)
    out.print(rows)
    for warning in chain.from_iterable(warnings.values()):
        out.print(f"Warning: {warning}; the network extrapolates.")
    if plot_file:
        out.print(f"\nLoss curves: {plot_file}", soft_wrap=True)
    what = "every gradient and every update" if len(trainings.losses) else "every gradient"
    out.print()
    agreed = f"by hand and by autodiff, {what} within rounding"
    return terminal.show_verdict(out, verdict, reason or agreed)


def _you(weight: float | None, height: float | None, units: str | None) -> tuple[Person, ...]:
    """Return the person with these measures; an empty tuple where they are not given."""
    if weight is None and height is None and units is None:
        return ()
    if weight is None or height is None:
        missing = "--weight" if weight is None else "--height"
        raise click.UsageError(f"no {missing}; expected --weight and --height, or neither.")
    measures = people.from_metric(weight, height) if units == "metric" else (weight, height)
    return (Person("You", *measures, None),)


def _place(update: int) -> tuple[int, str]:
    """Return the epoch of an update, and the name of the person whose it is."""
    epoch, person = divmod(update, len(PEOPLE))
    return epoch, PEOPLE[person].name


def _show_start(out: Console, settings: Settings, person: str, rows: list[Partial]) -> None:
    """Print where a training starts, the nine partial derivatives there, and any loss of digits."""
    start = f"drawn from N(0, 1) with seed {settings.seed}"
    if settings.init == "ones":
        start = "all weights 1 and all biases 0"
    out.print("The article's 2-2-1 network, by hand in NumPy and by jax.grad under jit.\n")
    out.print(f"Start: {start}. There, the partial derivatives of {person.title()}'s loss:\n")
    shown, lossy = table("∂L/∂", "exact", "", "", "ulps", "verdict"), []
    for row in rows:
        exact, by_hand, by_autodiff = map(number, (float(row.exact), row.by_hand, row.autodiff))
        verdict = terminal.coloured(row.verdict)
        shown.add_row(row.name, exact, "by hand", by_hand, ulps(row.ulps_by_hand), verdict)
        shown.add_row("", "", "autodiff", by_autodiff, ulps(row.ulps_autodiff))
        most = HALF_THE_DIGITS * max(abs(row.by_hand), abs(row.autodiff))
        lossy += [row.name] * (row.verdict == "agree" and row.bound > most)
    out.print(shown)
    if lossy:
        article = settings.sigmoid_derivative == "article"
        side = "both sides take" if article else "autodiff takes"
        out.print(
            f"{', '.join(lossy)}: {side} σ′ as σ(1 - σ), which cancels where σ "
            "is close to 1; what is lost is rounding, and allowed for. σ(z)σ(-z) loses nothing."
        )
    out.print(
        f"\nTraining: η = {settings.learning_rate:g}, {len(PEOPLE)} updates an epoch in "
        f"fixed order, epochs: {settings.epochs}.\n"
    )


def _show_trainings(out: Console, trainings: Progress, every: int | None) -> None:
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
    if loss >= people.UNDECIDED:
        out.print(
            f"Warning: the loss ends at {loss:.3g}, no better than always answering one half; try "
            "another --learning-rate, --seed or more --epochs."
        )
    if found := trainings.first_divergence:
        epoch, person = _place(found.update)
        out.print(f"First divergence: epoch {epoch}, {person}, {terminal.described(found)}")
    else:
        out.print(
            f"{epochs * len(PEOPLE)} updates, each taken by both from common parameters "
            "along either path: all agree."
        )
    drift = f"{trainings.max_drift_ulps:.3g} ulp(max(|θ|, 1))"
    out.print(f"Free-running, the two drift at most {drift} apart.")


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

"""`compare run`: train the article's network by hand and by autodiff, and compare."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import click

from compare.commands.options import LOSS_PLOT, Name, person_option, training_options
from compare.limits import MOST_EPOCHS
from handgrad.commands.options import JSON, Number, option, whole

MEASURE = Number("a number above 0, at most 10000", above=0, at_most=10_000)


@click.command(short_help="Train the article's network by both, compared at every step.")
@person_option(default="alice")
@option("--weight", type=MEASURE, help="Of a person to predict as well, say of you.")
@option("--height", type=MEASURE, help="Of the same person.")
@option(
    "--units",
    type=Name("imperial", "metric"),
    help="Of both: lb and in, or kg and cm.",
    otherwise="imperial",
)
@training_options
@option(
    "--every",
    type=whole(1, MOST_EPOCHS),
    help="Print the loss every so many epochs, say 10 as in the article.",
    otherwise="ten rows",
)
@LOSS_PLOT
@JSON
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
    """Train the article's network by hand and by autodiff, compared at every step.

    Shows the nine partial derivatives at the starting parameters, trains twice, judges every update
    from common parameters, and predicts Emily and Frank, and whoever has the given --weight and
    --height, with a warning if the network extrapolates. Ends with 0 if the two sides agree within
    rounding, with 1 if they do not.
    """
    from compare import terminal
    from compare.commands.output import print_object
    from compare.experiment import Settings, outside_training_range, partials, predict, train
    from compare.people import NEWCOMERS, person_named

    you = _you(weight, height, units)
    settings, out = Settings(**training), terminal.console()
    rows = partials(settings, person_named(person))
    if not as_json:
        terminal.show_start(out, settings, person, rows)
    with terminal.progress(settings.epochs, "epochs") as on_epoch:
        trainings = train(settings, on_epoch)
    predictions = predict(trainings, (*NEWCOMERS, *you))
    warnings = {of: outside_training_range(of) for of in you}
    reason = _disagreement(rows, trainings, predictions)
    if plot_file:
        from compare import plots

        plots.save(plots.losses(trainings), plot_file)
    verdict = "disagree" if reason else "agree"
    if as_json:
        losses = [[epoch, *map(float, loss)] for epoch, loss in enumerate(trainings.losses)]
        found = trainings.first_divergence
        answer = {
            "seed": settings.seed,
            "epochs": settings.epochs,
            "learning_rate": settings.learning_rate,
            "person": person,
            "sigmoid_derivative": settings.sigmoid_derivative,
            "partials": [
                {key: value for key, value in asdict(row).items() if key != "bound"} for row in rows
            ],
            "training": {
                "loss": losses[::10],
                "first_divergence": found and _placed(found),
                "max_drift_ulps": trainings.max_drift_ulps,
            },
            "predictions": {
                p.person.name: {"by_hand": p.by_hand, "autodiff": p.autodiff, "label": p.label}
                | ({"warnings": warnings[p.person]} if p.person in you else {})
                for p in predictions
            },
            "verdict": verdict,
        }
        print_object(answer)
        return int(verdict == "disagree")
    terminal.show_trainings(out, trainings, every)
    out.print("\nPredictions, the probability of F:\n")
    terminal.show_predictions(out, predictions)
    for warning in chain.from_iterable(warnings.values()):
        out.print(f"Warning: {warning}; the network extrapolates.")
    if plot_file:
        out.print(f"\nLoss curves: {plot_file}", soft_wrap=True)
    what = "every gradient and every update" if len(trainings.losses) else "every gradient"
    out.print()
    agreed = f"by hand and by autodiff, {what} within rounding"
    terminal.show_verdict(out, verdict, reason or agreed)
    return int(verdict == "disagree")


def _you(weight: float | None, height: float | None, units: str | None) -> tuple[Any, ...]:
    """Return the person with these measures; an empty tuple where they are not given."""
    from compare.people import Person, from_metric

    if weight is None and height is None and units is None:
        return ()
    if weight is None or height is None:
        missing = "--weight" if weight is None else "--height"
        raise click.UsageError(f"no {missing}; expected --weight and --height, or neither.")
    measures = from_metric(weight, height) if units == "metric" else (weight, height)
    return (Person("You", *measures, None),)


def _disagreement(rows: Any, trainings: Any, predictions: Any) -> str | None:
    """Return where the two sides differ, or None."""
    if wrong := [row.name for row in rows if row.verdict != "agree"]:
        return f"{', '.join(wrong)} at the start differ by more than rounding explains"
    if trainings.first_divergence:
        return "the trainings differ by more than rounding explains, see above"
    if not all(prediction.agree for prediction in predictions):
        return "the predictions differ by more than rounding explains"
    return None


def _placed(found: Any) -> dict[str, Any]:
    """Return a divergence for JSON, with its epoch, and the person whose update it is."""
    from compare.people import PEOPLE

    epoch, person = divmod(found.update, len(PEOPLE))
    where = {"update": found.update, "epoch": epoch, "sample": PEOPLE[person].name}
    return where | asdict(found)

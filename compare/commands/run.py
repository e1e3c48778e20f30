"""`compare run`: train the article's network by hand and by autodiff, and compare."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import LOSS_PLOT, Name, person_option, training_options
from compare.limits import MOST_EPOCHS
from handgrad.commands.options import JSON, Number, option, whole

if TYPE_CHECKING:
    from compare.agreement import Partial
    from compare.experiment import Prediction, Settings, Trainings
    from compare.lockstep import Divergence
    from compare.people import Person

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
    from compare.commands.output import print_object
    from compare.experiment import Settings, partials, predict, train
    from compare.people import NEWCOMERS, person_named
    from compare.terminal import console, progress

    you = _you(weight, height, units)
    settings = Settings(**training)
    rows = partials(settings, person_named(person))
    if not as_json:
        _show_start(console(), settings, person, rows)
    with progress(settings.epochs, "epochs") as on_epoch:
        trainings = train(settings, on_epoch)
    predictions = predict(trainings, (*NEWCOMERS, *you))
    agree = (
        trainings.first_divergence is None
        and all(row.verdict == "agree" for row in rows)
        and all(prediction.agree for prediction in predictions)
    )
    if plot_file:
        from compare import plots

        plots.save(plots.loss(trainings), plot_file)
    if as_json:
        print_object(_as_object(settings, person, rows, trainings, predictions, agree))
    else:
        _show_result(console(), rows, trainings, predictions, every, plot_file, agree)
    return int(not agree)


def _you(weight: float | None, height: float | None, units: str | None) -> "tuple[Person, ...]":
    """Return the person with these measures; an empty tuple where they are not given."""
    from compare.people import Person, from_metric

    if weight is None and height is None and units is None:
        return ()
    if weight is None or height is None:
        missing = "--weight" if weight is None else "--height"
        raise click.UsageError(f"no {missing}; expected --weight and --height, or neither.")
    measures = from_metric(weight, height) if units == "metric" else (weight, height)
    return (Person("You", *measures, None),)


def _show_start(out: Any, settings: "Settings", person: str, rows: "list[Partial]") -> None:
    from compare.people import PEOPLE
    from compare.terminal import show_partials

    start = f"drawn from N(0, 1) with seed {settings.seed}"
    if settings.init == "ones":
        start = "all weights 1 and all biases 0"
    out.print("The article's 2-2-1 network, by hand in NumPy and by jax.grad under jit.\n")
    out.print(f"Start: {start}. There, the partial derivatives of {person.title()}'s loss:\n")
    show_partials(out, rows, settings.sigmoid_derivative)
    out.print(
        f"\nTraining: η = {settings.learning_rate:g}, {len(PEOPLE)} updates an epoch in "
        f"fixed order, epochs: {settings.epochs}.\n"
    )


def _show_result(
    out: Any,
    rows: "list[Partial]",
    trainings: "Trainings",
    predictions: "list[Prediction]",
    every: int | None,
    plot_file: Path | None,
    agree: bool,
) -> None:
    from compare import terminal
    from compare.experiment import outside_training_range
    from compare.people import NEWCOMERS, PEOPLE

    names = [person.name for person in PEOPLE]
    if trainings.epochs:
        terminal.show_losses(out, trainings, every)
        out.print()
        terminal.show_trainings(out, trainings, names)
    else:
        out.print("No epochs: the parameters stay where they are.")
    out.print("\nPredictions, the probability of F:\n")
    terminal.show_predictions(out, predictions)
    for prediction in predictions[len(NEWCOMERS) :]:
        for warning in outside_training_range(prediction.person):
            out.print(f"Warning: {warning}; the network extrapolates.")
    if plot_file:
        out.print(f"\nLoss curves: {plot_file}", soft_wrap=True)
    wrong = [row.name for row in rows if row.verdict != "agree"]
    if agree:
        what = "every gradient and every update" if trainings.epochs else "every gradient"
        because = f"by hand and by autodiff, {what} within rounding"
    elif wrong:
        because = f"{', '.join(wrong)} at the start differ by more than rounding explains"
    elif trainings.first_divergence is None:
        because = "the predictions differ by more than rounding explains"
    else:
        because = "the trainings differ by more than rounding explains, see above"
    out.print()
    terminal.show_verdict(out, "agree" if agree else "disagree", because)


def _as_object(
    settings: "Settings",
    person: str,
    rows: "list[Partial]",
    trainings: "Trainings",
    predictions: "list[Prediction]",
    agree: bool,
) -> dict[str, Any]:
    from compare.experiment import outside_training_range
    from compare.people import NEWCOMERS

    found = trainings.first_divergence
    return {
        "seed": settings.seed,
        "epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "person": person,
        "sigmoid_derivative": settings.sigmoid_derivative,
        "partials": [
            {key: value for key, value in asdict(row).items() if key != "bound"} for row in rows
        ],
        "training": {
            "loss": [
                [epoch, *map(float, trainings.losses[epoch])]
                for epoch in range(0, trainings.epochs, 10)
            ],
            "first_divergence": found and _placed(found),
            "max_drift_ulps": trainings.max_drift_ulps,
        },
        "predictions": {
            p.person.name: {"by_hand": p.by_hand, "autodiff": p.autodiff, "label": p.label}
            | ({} if p.person in NEWCOMERS else {"warnings": outside_training_range(p.person)})
            for p in predictions
        },
        "verdict": "agree" if agree else "disagree",
    }


def _placed(found: "Divergence") -> dict[str, Any]:
    """Return a divergence for JSON, with its epoch, and the person whose update it is."""
    from compare.people import PEOPLE

    epoch, person = divmod(found.update, len(PEOPLE))
    where = {"update": found.update, "epoch": epoch, "sample": PEOPLE[person].name}
    return where | asdict(found)

"""`compare predict`: try your personal data."""

from typing import Any

import click

from compare.commands.options import JSON, Name, Number, training_options

MEASURE = Number("a number above 0, at most 10000", above=0, at_most=10_000)


@click.command(short_help="Your personal data, by both trained networks.")
@click.option("--weight", type=MEASURE, required=True, help="In lb, or kg with --units metric.")
@click.option("--height", type=MEASURE, required=True, help="In in, or cm with --units metric.")
@click.option(
    "--units",
    type=Name("imperial", "metric"),
    default="imperial",
    show_default=True,
    help="lb and in, or kg and cm.",
)
@training_options
@JSON
def predict(weight: float, height: float, units: str, as_json: bool, **training: Any) -> int:
    """Train on the article's four people, then predict somebody's gender by both networks.

    The article's shift is applied, and a warning says if the person lies outside what the network
    has seen: it extrapolates there.
    """
    from compare import experiment, terminal
    from compare.commands.output import print_object
    from compare.commands.training import trained
    from compare.people import Person, from_metric

    pounds, inches = (weight, height) if units == "imperial" else from_metric(weight, height)
    person = Person("You", pounds, inches, None)
    settings = experiment.Settings(**training)
    trainings = trained(settings)
    (prediction,) = experiment.predict(settings, trainings, (person,))
    warnings = experiment.outside_training_range(person)
    agree = trainings.first_divergence is None
    verdict = "agree" if agree else "disagree"
    if as_json:
        print_object(
            {
                "weight": weight,
                "height": height,
                "units": units,
                "by_hand": prediction.by_hand,
                "autodiff": prediction.autodiff,
                "label": prediction.label,
                "warnings": warnings,
                "verdict": verdict,
            }
        )
        return int(not agree)
    out = terminal.console()
    out.print("Probability of F, by the network trained by hand and the one trained by autodiff:\n")
    if units == "metric":
        out.print(f"{weight:g} kg and {height:g} cm are {pounds:.4g} lb and {inches:.4g} in.\n")
    terminal.show_predictions(out, [prediction])
    out.print()
    for warning in warnings:
        out.print(f"Warning: {warning}; the network extrapolates.")
    terminal.show_verdict(
        out, verdict, "by hand and by autodiff, every update of the trainings within rounding"
    )
    return int(not agree)

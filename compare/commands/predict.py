"""`compare predict`: try your personal data."""

import difflib
from pathlib import Path
from typing import Any

import click

from compare.commands.options import OVERWRITE, Name, file_option, training_options
from handgrad.commands.options import JSON, Number, option

#: The help of weight and height, but for the units.
MEASURED = "In {}, or in {} with --units metric; with --model, in the units that it was trained on."

MEASURE = Number("a number above 0, at most 10000", above=0, at_most=10_000)


@click.command(
    short_help="Predict from your personal data, or for a file.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@option("--weight", metavar="NUMBER", help=MEASURED.format("lb", "kg"))
@option("--height", metavar="NUMBER", help=MEASURED.format("in", "cm"))
@option(
    "--units", type=Name("imperial", "metric"), default="imperial", help="lb and in, or kg and cm."
)
@file_option("--model", "A model that train has written; features follow as NAME=VALUE.")
@file_option("--csv", "Predict for every row of this file.", "table")
@file_option("--out", "Write the rows of --csv to this file, with the predictions.")
@OVERWRITE
@training_options
@JSON
@click.pass_context
def predict(
    context: click.Context,
    weight: str | None,
    height: str | None,
    units: str,
    model: Path | None,
    table: Path | None,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    **training: Any,
) -> int:
    """Predict from features, by hand and by autodiff.

    With --model, by a network that `compare train` has trained: for one example, its features as
    NAME=VALUE or --NAME VALUE, or for the rows of a CSV file, which is written back with the
    prediction, and the probability of the predicted class, as new columns. Without, the article's
    network is trained first and then given weight and height; its shift is applied. A warning says
    if the network has to extrapolate.
    """
    given = {"weight": weight, "height": height}
    features = {name: value for name, value in given.items() if value is not None}
    if model is None:
        _refuse_extra(context, table, out)
        measures = {name: _measure(context, name, value) for name, value in given.items()}
        return _article(measures["weight"], measures["height"], units, as_json, training)
    from compare.commands.predict_by_model import predict_rows, show

    for name in ("units", *training):
        if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
            option = name.replace("_", "-")
            raise click.UsageError(
                f"--{option} beside --model; expected features of the model as NAME=VALUE."
            )
    answer = predict_rows(model, features, context.args, table, out, overwrite)
    show(answer, table, out, as_json)
    return int(answer.verdict == "disagree")


def _refuse_extra(context: click.Context, table: Path | None, out: Path | None) -> None:
    """Refuse the extra arguments that click would refuse by itself; only --model takes them."""
    if table or out:
        raise click.UsageError("--csv and --out without --model; expected a model as well.")
    for argument in context.args:
        if argument.startswith("-"):
            known = [name for param in context.command.params for name in param.opts]
            name = argument.partition("=")[0]
            near = difflib.get_close_matches(name, known, n=3)
            raise click.NoSuchOption(name, possibilities=near, ctx=context)
        raise click.UsageError(f"Got unexpected extra argument ({argument}).")


def _measure(context: click.Context, name: str, value: str | None) -> float:
    option = next(param for param in context.command.params if param.name == name)
    if value is None:
        raise click.MissingParameter(ctx=context, param=option)
    return MEASURE.convert(value, option, context)


def _article(
    weight: float, height: float, units: str, as_json: bool, training: dict[str, Any]
) -> int:
    """Train the article's network, then predict with it."""
    from compare import experiment, terminal
    from compare.commands.output import print_object
    from compare.people import Person, from_metric

    pounds, inches = (weight, height) if units == "imperial" else from_metric(weight, height)
    person = Person("You", pounds, inches, None)
    settings = experiment.Settings(**training)
    with terminal.progress(settings.epochs, "epochs") as on_epoch:
        trainings = experiment.train(settings, on_epoch)
    (prediction,) = experiment.predict(trainings, (person,))
    warnings = experiment.outside_training_range(person)
    agree = trainings.first_divergence is None and prediction.agree
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
    because = (
        "by hand and by autodiff, every update of the trainings and the prediction within rounding"
    )
    if not prediction.agree:
        because = "the predictions differ by more than rounding explains"
    elif not agree:
        because = "the trainings differ by more than rounding explains; `compare run` tells where"
    terminal.show_verdict(out, verdict, because)
    return int(not agree)

"""`compare train`: train a network of any shape on real data, by hand and by autodiff."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import (
    ACTIVATION,
    CHECKPOINT_EVERY,
    JSON,
    L2,
    LEARNING_RATE,
    LOSS,
    LOSS_PLOT,
    OVERWRITE,
    SEED,
    Name,
    Number,
    OutFile,
    Sizes,
    epochs_option,
    option,
)
from compare.limits import (
    LARGEST_BATCH,
    LARGEST_SINGLE_RATE,
    LARGEST_TEST_FRACTION,
    SMALLEST_SINGLE_RATE,
)

if TYPE_CHECKING:
    from compare.dataset import Dataset
    from compare.networks.plan import Plan

OPTIMISER = Name("sgd", "momentum", "adam")

#: Default η by optimiser: found by trial, large enough to be quick on standardised data.
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.01}


@click.command(short_help="Any network on real data, by hand, by autodiff, or by both.")
@click.option(
    "--data",
    "text",
    required=True,
    help="article, davis, bdims, digits, iris, wine, breast-cancer, diabetes, or a CSV file.",
)
@click.option("--target", help="The column to predict; needed for a CSV file.")
@click.option(
    "--feature",
    "features",
    multiple=True,
    help="A column to predict from, repeated for several; all others unless given.",
)
@option(
    "--target-kind",
    "kind",
    type=Name("auto", "classes", "number"),
    default="auto",
    help="What the target of a CSV file is.",
)
@click.option("--raw", is_flag=True, help="davis with the error of row 12 left in.")
@click.option(
    "--network",
    "sizes",
    type=Sizes(),
    help="Inputs, hidden units of each layer, outputs: 2-8-1. One hidden layer of 8 unless given.",
)
@option("--activation", type=ACTIVATION, default="sigmoid", help="Of hidden layers.")
@click.option(
    "--output",
    type=ACTIVATION,
    help="Of the last layer; sigmoid for mse and huber on classes, else identity.",
)
@click.option(
    "--loss",
    type=LOSS,
    help="mse for a number, bce for two classes and one output, else softmax-ce.",
)
@option("--l2", type=L2, default=0.0, help="λ, the weight of Σ w².")
@option("--optimiser", type=OPTIMISER, default="adam")
@click.option("--learning-rate", type=LEARNING_RATE, help="η; unless given, one that suits.")
@option(
    "--by",
    type=Name("hand", "autodiff", "both"),
    default="both",
    help="Who trains; both are compared at every update.",
)
@epochs_option(100)
@option(
    "--batch",
    type=Number("a whole number from 1 up", convert=int, at_least=1, at_most=LARGEST_BATCH),
    default=32,
    help="Rows an update.",
)
@option(
    "--seed", type=SEED, default=0, help="Draws the split, the start, and the order of each epoch."
)
@option(
    "--test",
    "fraction",
    type=Number(
        f"a number above 0, at most {LARGEST_TEST_FRACTION}",
        above=0,
        at_most=LARGEST_TEST_FRACTION,
    ),
    default=0.2,
    help="The share of rows that is held out.",
)
@option("--dtype", type=Name("float32", "float64"), default="float64")
@click.option("--out", type=OutFile(".npz"), help="Checkpoints and the trained model: model.npz.")
@OVERWRITE
@CHECKPOINT_EVERY
@LOSS_PLOT
@JSON
def train(
    text: str,
    target: str | None,
    features: tuple[str, ...],
    kind: str,
    raw: bool,
    by: str,
    epochs: int,
    fraction: float,
    out: Path | None,
    overwrite: bool,
    every: float,
    plot_file: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Train a network of any shape, by hand, by autodiff, or by both in lockstep.

    The data are split, and standardised by what the training part shows. With --by both, every
    update is taken by both from common parameters and judged; exit code 1 says that they disagree.
    With --out, the training can be stopped at any moment: `compare resume` goes on.
    """
    from compare.commands.networks import run
    from compare.datasets import dataset_named
    from compare.networks.job import Job, complaint, source_of
    from compare.networks.trainers import BY_AUTODIFF, BY_HAND

    if out and os.path.lexists(out) and not overwrite:
        raise click.UsageError(
            f"'{out}' is there already; expected a new file for --out, or --overwrite, or "
            "`compare resume` to go on with it."
        )
    data = dataset_named(text, target, features, kind, raw)
    plan = _plan(data, options)
    if reason := complaint(plan, data):
        raise click.UsageError(f"--network: {reason}.")
    sides = {"hand": (BY_HAND,), "autodiff": (BY_AUTODIFF,), "both": (BY_HAND, BY_AUTODIFF)}
    job = Job(data, source_of(data, text, raw), plan, sides[by], epochs, fraction)
    return run(job, None, out, every, plot_file, as_json)


def _plan(data: "Dataset", options: dict[str, Any]) -> "Plan":
    """Return the plan; options that were not given depend on the data."""
    from compare.networks.plan import Plan
    from manual.network import Network

    classes = 0 if data.classes is None else len(data.classes)
    outputs = 1 if classes <= 2 and options["loss"] != "softmax-ce" else max(classes, 1)
    sizes = options["sizes"] or (len(data.features), 8, outputs)
    loss = options["loss"] or ("mse" if not classes else "bce" if sizes[-1] == 1 else "softmax-ce")
    on_probabilities = classes and loss in ("mse", "huber")
    output = options["output"] or ("sigmoid" if on_probabilities else "identity")
    optimiser = options["optimiser"]
    rate = options["learning_rate"] or RATES[optimiser]
    single = SMALLEST_SINGLE_RATE < rate < LARGEST_SINGLE_RATE
    if options["dtype"] == "float32" and not single:
        raise click.UsageError(f"--learning-rate {rate:g}; expected one that float32 can hold.")
    try:
        return Plan(
            Network(sizes, options["activation"], output, loss, options["l2"]),
            optimiser,
            rate,
            options["batch"],
            options["seed"],
            options["dtype"],
        )
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error

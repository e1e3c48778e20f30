"""`compare train`: train a network of any shape on real data, by hand and by autodiff."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import (
    CHECKPOINT_EVERY,
    DTYPE,
    LOSS_PLOT,
    OVERWRITE,
    SEED,
    Name,
    OutFile,
    column_options,
    epochs_option,
    kind_options,
    learning_rate_option,
    network_option,
)
from compare.limits import (
    LARGEST_BATCH,
    LARGEST_SINGLE_RATE,
    LARGEST_TEST_FRACTION,
    SMALLEST_SINGLE_RATE,
)
from handgrad.commands.options import JSON, Number, option, seed_option, whole

if TYPE_CHECKING:
    from compare.data import Dataset
    from compare.networks.plan import Plan

OPTIMISER = Name("sgd", "momentum", "adam")

#: Default η by optimiser: found by trial, large enough to be quick on standardised data.
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.01}


@click.command(short_help="Train any network on real data, by hand, by autodiff, or both.")
@option(
    "--data",
    "text",
    metavar="TABLE",
    required=True,
    help="The data: article, davis, bdims, digits, iris, wine, breast-cancer, diabetes, or a CSV "
    "file.",
)
@column_options("The column to predict; needed for a CSV file.")
@network_option("one hidden layer of 8")
@kind_options(
    "sigmoid for mse and huber on classes, else identity",
    "mse for a number, bce for two classes and one output, else softmax-ce",
)
@option("--optimiser", type=OPTIMISER, default="adam", help="How a gradient becomes an update.")
@learning_rate_option(otherwise=", ".join(f"{rate:g} for {name}" for name, rate in RATES.items()))
@option(
    "--by",
    type=Name("hand", "autodiff", "both"),
    default="both",
    help="Who trains; both are compared at every update.",
)
@epochs_option(default=100)
@option("--batch", type=whole(1, LARGEST_BATCH), default=32, help="Rows an update.")
@seed_option("the split, the start, and the order of each epoch", type=SEED, default=0)
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
@option("--dtype", type=DTYPE, default="float64", help="Of all numbers.")
@option(
    "--out",
    type=OutFile(".npz"),
    help="Write checkpoints and the trained model to this file, as they come.",
)
@OVERWRITE
@CHECKPOINT_EVERY
@LOSS_PLOT
@JSON
def train(
    text: str,
    target: str | None,
    features: tuple[str, ...],
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
    from compare.data import dataset_named
    from compare.networks.job import Job, complaint, source_of
    from compare.networks.trainers import BY_AUTODIFF, BY_HAND

    if out and os.path.lexists(out) and not overwrite:
        raise click.UsageError(
            f"'{out}' is there already; expected a new file for --out, or --overwrite, or "
            "`compare resume` to go on with it."
        )
    data = dataset_named(text, target, features)
    plan = _plan(data, options)
    if reason := complaint(plan, data):
        raise click.UsageError(f"--network: {reason}.")
    sides = {"hand": (BY_HAND,), "autodiff": (BY_AUTODIFF,), "both": (BY_HAND, BY_AUTODIFF)}
    job = Job(data, source_of(data, text), plan, sides[by], epochs, fraction)
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
            Network(sizes, options["activation"] or "sigmoid", output, loss, options["l2"] or 0.0),
            optimiser,
            rate,
            options["batch"],
            options["seed"],
            options["dtype"],
        )
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error

"""`compare train`: train a network of any shape on real data, by hand and by autodiff."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import (
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
    refuse_what_is_there,
)
from compare.limits import (
    LARGEST_BATCH,
    LARGEST_SINGLE_RATE,
    LARGEST_TEST_FRACTION,
    SMALLEST_SINGLE_RATE,
    shape,
)
from compare.wording import BY_AUTODIFF, BY_HAND, SIDE_LABELS, Disagreement
from handgrad.commands.options import JSON, Number, option, seed_option, whole

if TYPE_CHECKING:
    from compare.data import Dataset
    from compare.lockstep import Progress
    from compare.training import Plan, Training

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
    help="Write the trained weights and biases to this file.",
)
@OVERWRITE
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
    plot_file: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Train a network of any shape, by hand, by autodiff, or by both in lockstep.

    The data are split, and standardised by what the training part shows. With --by both, every
    update is taken by both from common parameters and judged; exit code 1 says that they disagree.
    --out takes weights and biases, by hand if that side trained, as arrays w0, b0, w1, b1 and so
    on, which numpy.load reads; beside them are x_mean, x_sd, y_mean and y_sd, by which the data
    were standardised.
    """
    from compare.commands.output import print_object
    from compare.data import dataset_named
    from compare.memory import keep_freed_memory
    from compare.prepared import prepare
    from compare.training import Training, refuse_misfit

    refuse_what_is_there(out, overwrite)
    data = dataset_named(text, target, features)
    plan = _plan(data, options)
    refuse_misfit(plan.network, data)
    keep_freed_memory()
    prepared = prepare(data, plan.network.sizes[-1], fraction, plan.seed, plan.dtype)
    sides = {"hand": (BY_HAND,), "autodiff": (BY_AUTODIFF,), "both": (BY_HAND, BY_AUTODIFF)}
    training, classes = Training(plan, prepared, sides[by]), data.classes is not None
    if not as_json:
        _announce(data, training, epochs)
    progress = _trained(training, epochs, classes)
    scores = {side: training.score(side, point, classes) for side, point in progress.points.items()}
    if plot_file:
        from compare import plots

        plots.save(plots.losses(progress, "The loss on the training part", "loss", 1), plot_file)
    if out:
        _write(out, training, progress)
    if as_json:
        found = progress.first_divergence
        between = {
            "first_divergence": found and asdict(found),
            "max_drift_ulps": progress.max_drift_ulps,
        }
        answer = {
            "data": data.name,
            "network": shape(plan.network.sizes),
            "seed": plan.seed,
            "by": {side.removeprefix("by_"): of for side, of in scores.items()},
            "training": between if by == "both" else None,
            "model": out and str(out),
            "verdict": progress.verdict,
        }
        print_object(answer)
    else:
        _report(data, progress, scores, plot_file, out)
    return int(progress.verdict == "disagree")


def _plan(data: "Dataset", options: dict[str, Any]) -> "Plan":
    """Return the plan; options that were not given depend on the data."""
    from compare.traced.kinds import KINDS, network_of
    from compare.training import Plan

    classes = 0 if data.classes is None else len(data.classes)
    outputs = 1 if classes <= 2 and options["loss"] != "softmax-ce" else max(classes, 1)
    sizes = options["sizes"] or (len(data.features), 8, outputs)
    loss = options["loss"] or ("mse" if not classes else "bce" if sizes[-1] == 1 else "softmax-ce")
    on_probabilities = classes and loss in ("mse", "huber")
    output = options["output"] or ("sigmoid" if on_probabilities else "identity")
    kinds = {name: options[name] for name in KINDS} | {"loss": loss, "output": output}
    optimiser, dtype = options["optimiser"], options["dtype"]
    rate = options["learning_rate"] or RATES[optimiser]
    if dtype == "float32" and not SMALLEST_SINGLE_RATE < rate < LARGEST_SINGLE_RATE:
        raise click.UsageError(f"--learning-rate {rate:g}; expected one that float32 can hold.")
    network = network_of(sizes, kinds)
    return Plan(network, optimiser, rate, options["batch"], options["seed"], dtype)


def _announce(data: "Dataset", training: "Training", epochs: int) -> None:
    from compare.terminal import console

    out, plan, network = console(), training.plan, training.plan.network
    out.print(
        f"{data.name}: {data.target} by {len(data.features)} features, {len(training.data.x)} "
        f"rows to train on, {len(training.data.test_x)} to test on."
    )
    if data.note:
        out.print(data.note)
    penalty = f", λ = {network.l2:g}" if network.l2 else ""
    hidden = f"{network.activation} inside, " if len(network.sizes) > 2 else ""
    out.print(
        f"Network {shape(network.sizes)}, {hidden}{network.output} at the end, "
        f"loss {network.loss}{penalty}; {plan.optimiser} with η = {plan.learning_rate:g}, "
        f"{plan.batch} rows an update, epochs: {epochs}, seed {plan.seed}, {plan.dtype}.\n"
    )


def _trained(training: "Training", epochs: int, classes: bool) -> "Progress":
    """Train with a progress bar.

    Raises:
        RanAwayError: the training diverges.
        Disagreement: the training cannot go on, because a gradient is not shaped like the
            parameters or both sides diverged after they had disagreed.
        KeyboardInterrupt: with a message that says how far it got.
    """
    from compare.lockstep import RanAwayError
    from compare.terminal import described, progress
    from compare.training import train

    def state(now: "Progress") -> str:
        loss, (side, point) = f"loss {now.losses[-1, 0]:.4g}", next(iter(now.points.items()))
        if not classes:
            return loss
        right = training.accuracy(side, point, training.data.x, training.data.y)
        return f"{loss}, accuracy {right:.3f}"

    try:
        with progress(epochs, "epochs", transient=False) as show:
            return train(training, epochs, lambda now: show(len(now.losses), lambda: state(now)))
    except RanAwayError as error:
        if found := error.divergence:
            raise Disagreement(
                f"update {found.update}, {described(found)}; then it ran away"
            ) from error
        raise


def _write(out: Path, training: "Training", progress: "Progress") -> None:
    """Write weights, biases, and how the data were standardised, whole or not at all.

    w0, w1 and so on have shape (n_in, n_out), b0 and so on (n_out,), in the dtype of the training;
    x_mean and x_sd have shape (n_in,), y_mean and y_sd (1,), in float64.

    Raises:
        OSError: the file cannot be written.
    """
    import numpy as np

    from compare.files import write_whole
    from compare.trees import layers_like, split

    params = next(iter(progress.points.values())).params
    arrays = {}
    for k, layer in enumerate(split(params, layers_like(training.plan.network.sizes))):
        arrays |= {f"w{k}": layer.w, f"b{k}": layer.b}
    for name, scale in (("x", training.data.scale), ("y", training.data.target)):
        arrays |= {f"{name}_mean": scale.mean, f"{name}_sd": scale.sd}

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    write_whole(out.resolve(), write)  # a link stays a link


def _report(
    data: "Dataset",
    progress: "Progress",
    scores: dict[str, Any],
    plot: Path | None,
    out: Path | None,
) -> None:
    """Print the scores, the drift, and the verdict."""
    from compare.terminal import console, described, show_scores, show_verdict

    screen = console()
    show_scores(screen, {SIDE_LABELS[side]: of for side, of in scores.items()})
    if data.classes is None:
        screen.print("The target is standardised: a loss of 1 is that of always saying its mean.")
    for what, path in (("Loss curves", plot), ("Model", out)):
        if path:
            screen.print(f"{what}: {path}", soft_wrap=True)
    if progress.verdict is None:
        screen.print("Not compared; --by both holds the two against each other.")
        return
    screen.print(
        f"\nFree-running, the two drift at most {progress.max_drift_ulps:.3g} ulp(max(|θ|, 1)) "
        "apart, which is not judged: trainings amplify rounding."
    )
    if found := progress.first_divergence:
        screen.print(
            "One step by hand at a time is judged by handgrad.check_backward; see docs/networks.md."
        )
        because = f"update {found.update}, {described(found)}"
    else:
        because = (
            f"{next(iter(progress.points.values())).count} updates, each taken by both from common "
            "parameters along either path, all within rounding"
        )
    show_verdict(screen, progress.verdict, because)

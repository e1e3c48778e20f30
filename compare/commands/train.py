"""`compare train`: train a network of any shape on real data, by hand and by autodiff."""

from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np

from compare import plots
from compare.data import Dataset, dataset_named, prepare
from compare.files import write_whole
from compare.limits import shape
from compare.lockstep import Progress, RanAwayError
from compare.memory import keep_freed_memory
from compare.terminal import console, described, print_object, progress, show_verdict, table
from compare.traced.kinds import KINDS, network_of
from compare.training import Plan, Training, refuse_misfit
from compare.trees import layers_like, split
from compare.wording import BY_AUTODIFF, BY_HAND, SIDE_LABELS, Disagreement

#: Learning rates for float32: they and their products with float32 numbers stay in range.
SMALLEST_SINGLE_RATE, LARGEST_SINGLE_RATE = 1e-30, 1e30


def train(
    text: str,
    target: str | None,
    features: tuple[str, ...],
    by: str,
    epochs: int,
    fraction: float,
    out: Path | None,
    plot_file: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Train, and print how good the network is; 1 if both sides train, and disagree."""
    data = dataset_named(text, target, features)
    plan = _plan(data, **options)
    refuse_misfit(plan.network, data)
    keep_freed_memory()
    prepared = prepare(data, plan.network.sizes[-1], fraction, plan.seed, plan.dtype)
    sides = {"hand": (BY_HAND,), "autodiff": (BY_AUTODIFF,), "both": (BY_HAND, BY_AUTODIFF)}
    training, classes = Training(plan, prepared, sides[by]), data.classes is not None
    if not as_json:
        network, screen = plan.network, console()
        screen.print(
            f"{data.name}: {data.target} by {len(data.features)} features, {len(prepared.x)} "
            f"rows to train on, {len(prepared.test_x)} to test on."
        )
        if data.note:
            screen.print(data.note)
        penalty = f", λ = {network.l2:g}" if network.l2 else ""
        hidden = f"{network.activation} inside, " if len(network.sizes) > 2 else ""
        screen.print(
            f"Network {shape(network.sizes)}, {hidden}{network.output} at the end, "
            f"loss {network.loss}{penalty}; {plan.optimiser} with η = {plan.learning_rate:g}, "
            f"{plan.batch} rows an update, epochs: {epochs}, seed {plan.seed}, {plan.dtype}.\n"
        )
    progress = _trained(training, epochs, classes)
    scores = {side: training.score(side, point, classes) for side, point in progress.points.items()}
    if plot_file:
        plots.save(plots.losses(progress, "The loss on the training part", "loss", 1), plot_file)
    if out:
        _write(out, training, progress)
    if as_json:
        found, drift = progress.first_divergence, progress.max_drift_ulps
        between = {"first_divergence": found and asdict(found), "max_drift_ulps": drift}
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
        _report(data, progress, scores, {"Loss curves": plot_file, "Model": out})
    return int(progress.verdict == "disagree")


def _plan(
    data: Dataset,
    optimiser: str,
    learning_rate: float,
    batch: int,
    seed: int,
    dtype: str,
    **of: Any,
) -> Plan:
    """Return the plan; what is not given of the network depends on the data."""
    classes = 0 if data.classes is None else len(data.classes)
    outputs = 1 if classes <= 2 and of["loss"] != "softmax-ce" else max(classes, 1)
    sizes = of["sizes"] or (len(data.features), 8, outputs)
    loss = of["loss"] or ("mse" if not classes else "bce" if sizes[-1] == 1 else "softmax-ce")
    on_probabilities = classes and loss in ("mse", "huber")
    output = of["output"] or ("sigmoid" if on_probabilities else "identity")
    kinds = {name: of[name] for name in KINDS} | {"loss": loss, "output": output}
    if dtype == "float32" and not SMALLEST_SINGLE_RATE < learning_rate < LARGEST_SINGLE_RATE:
        raise click.UsageError(
            f"--learning-rate {learning_rate:g}; expected one that float32 can hold."
        )
    return Plan(network_of(sizes, kinds), optimiser, learning_rate, batch, seed, dtype)


def _trained(training: Training, epochs: int, classes: bool) -> Progress:
    """Train with a progress bar.

    Raises:
        RanAwayError: the training diverges.
        Disagreement: the training cannot go on, because a gradient is not shaped like the
            parameters or both sides diverged after they had disagreed.
        KeyboardInterrupt: with a message that says how far it got.
    """

    def state(now: Progress) -> str:
        loss, (side, point) = f"loss {now.losses[-1, 0]:.4g}", next(iter(now.points.items()))
        if not classes:
            return loss
        right = training.accuracy(side, point, training.data.x, training.data.y)
        return f"{loss}, accuracy {right:.3f}"

    try:
        with progress(epochs, "epochs", transient=False) as show:
            return training.train(epochs, lambda now: show(len(now.losses), lambda: state(now)))
    except RanAwayError as error:
        if found := error.divergence:
            raise Disagreement(
                f"update {found.update}, {described(found)}; then it ran away"
            ) from error
        raise


def _write(out: Path, training: Training, progress: Progress) -> None:
    """Write weights, biases, and how the data were standardised, whole or not at all.

    w0, w1 and so on have shape (n_in, n_out), b0 and so on (n_out,), in the dtype of the training;
    x_mean and x_sd have shape (n_in,), y_mean and y_sd (1,), in float64.

    Raises:
        OSError: the file cannot be written.
    """
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
    data: Dataset, progress: Progress, scores: dict[str, Any], files: dict[str, Path | None]
) -> None:
    """Print losses and accuracies on both parts, the drift, and the verdict."""
    screen, rows = console(), table("", *(SIDE_LABELS[side] for side in scores))
    parts = {"train": "training part", "test": "held out"}
    for kind, (part, name) in product(("loss", "accuracy"), parts.items()):
        values = [score[f"{part}_{kind}"] for score in scores.values()]
        if None not in values:
            rows.add_row(f"{kind}, {name}", *(f"{value:.6g}" for value in values))
    screen.print(rows)
    if data.classes is None:
        screen.print("The target is standardised: a loss of 1 is that of always saying its mean.")
    for what, path in files.items():
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

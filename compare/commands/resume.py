"""`compare resume`: continue a training from its newest checkpoint."""

from pathlib import Path

import click

from compare.commands.options import (
    CHECKPOINT_EVERY,
    FILE,
    LOSS_PLOT,
    epochs_option,
)
from handgrad.commands.options import JSON, option


@click.command(short_help="Go on with a training from its newest checkpoint.")
@click.argument("file", type=FILE)
@option("--data", "text", metavar="TABLE", help="The data, if their file has moved.")
@epochs_option(otherwise="as many as at first")
@CHECKPOINT_EVERY
@LOSS_PLOT
@JSON
def resume(
    file: Path,
    text: str | None,
    epochs: int | None,
    every: float,
    plot_file: Path | None,
    as_json: bool,
) -> int:
    """Go on with the training that FILE holds, as if it had never stopped: bit for bit.

    --epochs sets another end than the one that was asked for at first.
    """
    from dataclasses import replace

    from compare.commands.networks import run
    from compare.networks.files import load
    from compare.networks.job import job_of

    model = load(file)
    job = job_of(file, model, text)
    done = model.progress.epochs
    if epochs is not None and epochs < done:
        raise click.UsageError(f"--epochs {epochs}; expected at least {done}, which are done.")
    job = replace(job, epochs=job.epochs if epochs is None else epochs)
    return run(job, model.progress, file, every, plot_file, as_json)

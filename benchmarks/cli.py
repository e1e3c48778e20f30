"""The command line of the measurements, `python -m benchmarks`.

Exit codes: 0 measured, 1 an answer was wrong or a row became worse, 70 the harness itself failed;
the others are in `compare.exit_codes`. What was measured until then is stored.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from benchmarks import names
from benchmarks.commands.checkers import checkers
from benchmarks.commands.shared import ENDINGS as ENDINGS
from benchmarks.commands.shared import OUT, limit_option, progress, several
from compare.commands.options import FILE, OVERWRITE, Name, refuse_what_is_there
from handgrad.commands.options import JSON, SETTINGS, option, version_option, whole
from handgrad.commands.process import json_text

#: What --gpu asks for where the options do not: all is done after eight minutes, a fifth of the
#: limit being for first calls. Compiling takes longer than timing on a GPU, so there are three
#: processes with ten rounds each; besides what runs there, the hand lines on the processor.
ON_GPU: dict[str, Any] = {
    "processes": 3,
    "limit": 420.0,
    "for_times": 0.8,
    "contenders": (names.HAND_JIT, names.GRAD, names.FROM_HOST, names.HAND, names.TORCH),
    "device": "gpu",
    "out": Path("gpu.json"),
}


@click.group(
    invoke_without_command=True,
    context_settings=SETTINGS,
    epilog="Without a command the gradients are timed, as the options say.",
)
@option("--full", is_flag=True, help="Time everything, not the quick set.")
@option(
    "--gpu",
    is_flag=True,
    help="Time what says most on a GPU, in eight minutes, into gpu.json or the file of --out, "
    "and print a short table; not measured yet.",
)
@several("--case", "cases", "width", table=lambda: import_module("benchmarks.cases").CASES)
@several(
    *("--contender", "contenders"),
    "hand-numpy",
    table=lambda: names.CONTENDERS,
    otherwise=f"all, with --gpu five; {names.REFERENCE}, to which ratios are, is always there",
)
@option(
    "--device",
    type=Name("cpu", "gpu"),
    help="Where JAX's programs run; on a GPU nothing is measured yet.",
    otherwise="a GPU if JAX finds one",
)
@several(
    *("--dtype", "dtypes"),
    "Of all numbers",
    *("float32", "float64"),
    otherwise="each case's first, with --full both",
)
@several(
    *("--threads", "threads"),
    "How many threads compute",
    *("all", "1"),
    otherwise="1, with --full some cells on all as well",
)
@option(
    "--rounds",
    type=whole(2, 10_000),
    help="At least so many samples of each row.",
    otherwise="30",
)
@option(
    "--processes",
    type=whole(1, 100),
    help="How many processes the samples come from.",
    otherwise="5, with --gpu 3",
)
@limit_option(
    "Begin no cell after so long; what is left out is named.",
    otherwise="none, with --gpu 420",
)
@OUT
@OVERWRITE
@JSON
@version_option("benchmarks")
@click.pass_context
def cli(context: click.Context, overwrite: bool, as_json: bool, **given: Any) -> int:
    """Time one loss and its gradient, by hand and by autodiff, against the floor."""
    if context.invoked_subcommand:
        return 0
    from benchmarks.cases import specs
    from benchmarks.machine import fingerprint
    from benchmarks.protocol import Job, run
    from benchmarks.report.whole import busy, show, show_short
    from benchmarks.results import Results
    from compare.terminal import console

    if given["gpu"]:
        given |= {name: value for name, value in ON_GPU.items() if not given.get(name)}
    out, contenders = given.pop("out"), given.pop("contenders")
    refuse_what_is_there(out, overwrite)
    numbers = ("rounds", "processes", "limit", "for_times")
    asked = {name: value for name in numbers if (value := given.pop(name, None))}
    given["device"] = _device(given["device"])
    chosen = specs(**given)
    if not chosen:
        where = ", ".join(given["dtypes"]) or "--gpu"
        raise click.UsageError(f"no cell: {', '.join(given['cases'])} is not timed in {where}")
    weigh = bool(given["full"] or given["gpu"] or given["cases"])
    job = Job(chosen, only=contenders, weigh=weigh, out=out, **asked)
    settings = {"rounds": job.rounds, "processes": job.processes, "contenders": [*contenders]}
    results = Results(fingerprint(given["device"]) | settings)
    with progress(busy(results)) as on_step:
        run(job, results, on_step)
    if as_json:
        click.echo(results.as_json(), nl=False)
    elif given["gpu"]:
        show_short(results, console())
        click.echo(f"Results: {out}")
    else:
        show(results, console())
    return int(not results.right)


def _device(wanted: str | None) -> str:
    """Return the device requested, or the one that is available."""
    from benchmarks.machine import gpus, why_no_gpu

    if wanted is None:
        return "gpu" if gpus() and not why_no_gpu() else "cpu"
    if wanted == "gpu" and (reason := why_no_gpu()):
        raise click.UsageError(f"--device gpu: {reason}")
    return wanted


@cli.command(short_help="Print stored results as tables for a document.")
@click.argument("file", type=FILE)
def table(file: Path) -> None:
    """Print the tables of stored results as Markdown."""
    from benchmarks.report.whole import markdown
    from benchmarks.results import Results

    click.echo(markdown(Results.load(file)), nl=False)


@cli.command(short_help="Compare two runs: which rows became faster or slower.")
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@JSON
def compare(before: Path, after: Path, as_json: bool) -> int:
    """Say of every row whether it is better or worse in AFTER, or a tie as far as noise shows.

    Times are compared if both were taken on the same machine with the same versions; else ratios to
    the floor. Ends with 1 if a row is worse, or has become wrong.
    """
    from benchmarks.comparing import WORSE, compare
    from benchmarks.results import Results
    from compare.terminal import console

    found = compare(Results.load(before), Results.load(after))
    if not found.changes:
        raise click.UsageError(f"{before} and {after} have no row in common that has times")
    if as_json:
        click.echo(json_text(found.as_dict()))
    else:
        found.show(console())
    return int(bool(found.of(WORSE) or found.wrong))


@cli.command(short_help="Draw stored times over sizes, as SVG.")
@click.argument("file", type=FILE)
@click.argument("folder", type=FILE)
def plot(file: Path, folder: Path) -> None:
    """Draw each case with times of two sizes into FOLDER, which is made if it is not there."""
    from benchmarks.figures import draw
    from benchmarks.results import Results

    if folder.is_file():
        raise click.UsageError(f"{folder} is a file; expected a folder for the figures.")
    try:
        files = draw(Results.load(file), folder)
    except OSError as error:
        raise click.UsageError(f"{folder}: cannot be written: {error.strerror}") from error
    for made in files:
        click.echo(str(made))


@cli.command(short_help="Write the documents' tables and figures from stored results.")
def document() -> None:
    """Write the tables of the documents anew, and the figures of docs/benchmarks.md.

    All numbers are taken from benchmarks/results/: cpu.json for docs/benchmarks.md and the README,
    those in checkers/ for others.
    """
    from benchmarks.document import build

    for file in build():
        click.echo(str(file))


cli.add_command(checkers)

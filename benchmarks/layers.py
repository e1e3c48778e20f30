"""One loss and gradient of a large network: by hand and by autodiff against its matrix products.

    python -m benchmarks.layers

The floor is the matrix products alone, with the shapes and transpositions that the chain rule asks
for, by NumPy and by `jax.numpy` under `jit`; the faster library's time is the floor of all. Gate
first (`benchmarks.gate`): what does not lie where a right float32 program's answer would gets no
time, and the last timed answer is held to the same. Then rounds (`benchmarks.rounds`); ratios are
taken within a round. One contender runs twice: its ratio to itself is the noise.

    speed-up of jax.grad over NumPy = compiler gain / autodiff tax

are geometric means over the rounds, so they multiply. The three contenders compute the loss, too.
"""

import json
import os
import statistics
import sys
from dataclasses import asdict
from typing import Any

import click
import jax
import numpy as np

from benchmarks.deviation import AtAKinkError
from benchmarks.network_contenders import FLOORS, GRAD, HAND, HAND_JITTED
from benchmarks.network_timings import AGAIN, PRECISION, Row, Timings, factors, measure
from benchmarks.rounds import middle
from compare.memory import keep_freed_memory
from compare.terminal import progress
from manual.activations import ACTIVATIONS
from manual.network import Network

#: At most so many times the floor is aimed at, by hand.
GOAL = 1.10


def closing(timings: Timings) -> list[str]:
    """What the times say, a line each; nothing about a contender that has none."""
    floor, lines = FLOORS[timings.floor], []
    for name, label, goal in (
        (HAND, "by hand", f" (goal: at most {GOAL:.2f})"),
        (HAND_JITTED, "hand lines jitted", ""),
        (GRAD, "jax.grad", ""),
    ):
        if ratios := timings.ratios(name, floor):
            lines.append(f"{label} / GEMM floor {statistics.median(ratios):.2f}{goal}")
    if noise := timings.ratios(AGAIN, HAND):
        low, median, high = middle(noise)
        lines.append(f"by hand again / by hand {median:.3f} ({low:.3f} to {high:.3f}): the noise")
    found = factors(timings)
    if found:
        lines.append(
            f"jax.grad is {found['speed_up']:.3f} times as fast as by hand = compiler gain "
            f"{found['compiler_gain']:.3f} / autodiff tax {found['autodiff_tax']:.3f}"
        )
    return lines


def sizes_of(_context: Any, _option: Any, text: str) -> tuple[int, ...]:
    """The numbers in 784-1024-1024-10."""
    parts = text.split("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise click.BadParameter(f"got {text!r}, expected numbers of units as 784-1024-1024-10")
    return tuple(map(int, parts))


@click.command()
@click.option(
    "--rounds",
    type=click.IntRange(3, 1000),
    default=30,
    show_default=True,
    help="How often all contenders run, in shuffled order.",
)
@click.option(
    "--activation",
    type=click.Choice(list(ACTIVATIONS)),
    default="relu",
    show_default=True,
    help="Of the hidden layers.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 100_000),
    default=512,
    show_default=True,
    help="Examples in one gradient.",
)
@click.option(
    "--sizes",
    callback=sizes_of,
    default="784-1024-1024-10",
    show_default=True,
    help="Inputs, units of each hidden layer, outputs.",
)
@click.option(
    "--give-back",
    is_flag=True,
    help="Let the C library give freed memory back to the system, as it does by itself.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def command(
    rounds: int,
    activation: str,
    batch: int,
    sizes: tuple[int, ...],
    give_back: bool,
    as_json: bool,
) -> int:
    """Time one loss and gradient, by hand and by jax.grad, against its matrix products."""
    kept = False if give_back else keep_freed_memory()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    try:
        network = Network(sizes, activation=activation, loss="softmax-ce")
        with progress(rounds, "rounds") as on_round:
            timings = measure(network, batch, rounds, on_round)
    except (AtAKinkError, MemoryError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    about = {
        "sizes": sizes,
        "batch": batch,
        "dtype": "float32",
        "activation": activation,
        "loss": network.loss,
        "rounds": rounds,
        "keeps_freed_memory": kept,
        "floor": timings.floor,
        "matmul_precision": PRECISION,
        "device": jax.devices()[0].device_kind,
        "versions": {"numpy": np.__version__, "jax": jax.__version__},
        "threads": threads(),
        "load": load,
    }
    if as_json:
        rows = [asdict(row) for row in timings.rows]
        found = {"rows": rows, "factors": factors(timings), "gate_sees": timings.sees}
        click.echo(json.dumps(about | found))
    else:
        _show(timings, about, give_back)
    return int(any(row.note.startswith("wrong") for row in timings.rows))


def threads() -> dict[str, Any]:
    """The processors that this process may use, and what the environment says about threads."""
    usable = getattr(os, "sched_getaffinity", None)
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS")
    set_here = {name: os.environ[name] for name in names if name in os.environ}
    return {"processors": len(usable(0)) if usable else os.cpu_count(), **set_here}


def _show(timings: Timings, about: dict[str, Any], give_back: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    out = Console(highlight=False)
    what = f"{'-'.join(map(str, about['sizes']))}, {about['batch']} examples, {about['dtype']}"
    table = Table(what, "median ms", "min ms", "times the floor", box=None)
    for row in timings.rows:
        table.add_row(row.name, *_cells(row))
    out.print(table)
    memory = (
        "given back to the system, as the C library does by itself"
        if give_back
        else "kept for the next array (mallopt)"
        if about["keeps_freed_memory"]
        else "not to be told to the C library, which is not glibc"
    )
    load = about["load"]
    busy = load is not None and load > about["threads"]["processors"] / 2
    set_here = ", ".join(f"{name} {value}" for name, value in about["threads"].items())
    for line in (
        f"{about['activation']}, {about['loss']}; floor: the products by {timings.floor}; "
        f"jax {jax.__version__} on {about['device']}, products at precision {PRECISION}; "
        f"numpy {np.__version__}; {set_here}",
        *([f"load {load:.1f} before the start: others run here, take it again"] if busy else []),
        f"freed memory: {memory}",
        f"gate: {timings.sees:.2%} of the gradient's elements could not be 0 unnoticed",
        *(f"{row.name}: {row.note}" for row in timings.rows if row.note),
        *closing(timings),
    ):
        out.print(line, soft_wrap=True)


def _cells(row: Row) -> tuple[str, ...]:
    if row.ratio is None:
        return ("no time", "", "")
    low, median, high = row.ratio
    ms = [1e3 * seconds for seconds in row.seconds]
    ratio = f"{median:.3f} ({low:.3f} to {high:.3f})"
    return f"{statistics.median(ms):.2f}", f"{min(ms):.2f}", ratio


def main(arguments: list[str] | None = None) -> None:
    """Run the script and end the process: 0 all are right, 1 one is not, 2 bad options."""
    try:
        code = command.main(arguments, "python -m benchmarks.layers", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"Error: {' '.join(error.format_message().split())}", err=True)
        code = 2
    except click.Abort:
        click.echo("\nStopped.", err=True)
        code = 130
    sys.exit(code or 0)


if __name__ == "__main__":
    main()

"""Take all measurements on a GPU in eight minutes: every answer is judged, then timed.

    python -m benchmarks.on_gpu --out benchmarks/results/gpu.json

Nothing is measured yet. It needs a GPU and the group `cuda`. It prints a short table last and
writes JSON. If time runs out, the cells left are named. `--device cpu` does the same on the
processor, as a test without a GPU.

Compiling takes longer than timing on a GPU, so there are three processes with ten rounds each. Each
has a third of four fifths of the limit and takes the cells in the order below; the remaining fifth
is for measuring the first calls.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks import names
from benchmarks.commands.shared import (
    CELLS_LIMIT,
    ENDINGS,
    limit_option,
    processes_option,
    rounds_option,
    several,
)
from compare import exit_codes
from compare.commands.options import Name, file_option
from handgrad.commands.options import SETTINGS, option

if TYPE_CHECKING:
    from benchmarks.cases import Spec

#: Seconds after which no measurement starts, so that all is done after eight minutes.
LIMIT = 420.0

#: The share of the limit for timing; the rest is for tracing, compiling, and the first call.
FOR_TIMES = 0.8

PROCESSES, ROUNDS = 3, 30

#: The contenders on the device, and the hand lines on the processor for comparison.
CONTENDERS = (names.HAND_JIT, names.GRAD, names.FROM_HOST, names.HAND, names.TORCH)

#: Sizes by case, the most informative first, as the last ones may be left out.
SIZES = {
    "digits": (512,),
    "mass": (10**6, 10**3),
    "width": (64, 1024, 4096),
    "sample": (1,),
    "training": (1000,),
    "batch-2-2-1": (4**10, 4),
    "batch": (8192,),
}


def specs(device: str) -> "list[Spec]":
    """Return the cells, in both precisions where there are two."""
    from benchmarks.cases import CASES, Spec

    return [
        Spec(case, (size,), CASES[case].dtype, precision=precision, device=device)
        for case, sizes in SIZES.items()
        for size in sizes
        for precision in ("highest", "default")
        if precision == "highest" or CASES[case].dtype == "float32"
    ]


@click.command(context_settings=SETTINGS)
@option(
    "--device",
    type=Name("cpu", "gpu"),
    default="gpu",
    help="Where JAX's programs run; on a GPU nothing is measured yet.",
)
@file_option(
    "--out",
    "Write the results to this file, as they come; one that is there is replaced.",
    default=Path("gpu.json"),
)
@several("--case", "cases", "What is computed", *SIZES)
@limit_option(CELLS_LIMIT, default=LIMIT)
@processes_option(default=PROCESSES)
@rounds_option(default=ROUNDS)
def command(
    device: str, out: Path, cases: tuple[str, ...], limit: float, processes: int, rounds: int
) -> int:
    """Judge and time gradients on a GPU (not measured yet); a short table last, JSON beside it."""
    from benchmarks.commands.time import progress
    from benchmarks.fingerprint import fingerprint
    from benchmarks.protocol.gpu import why_not
    from benchmarks.protocol.session import Job, run
    from benchmarks.report.lines import busy
    from benchmarks.report.short import short
    from benchmarks.results import Results

    if device == "gpu" and (reason := why_not()):
        raise click.UsageError(reason)
    chosen = [spec for spec in specs(device) if not cases or spec.case in cases]
    job = Job(chosen, rounds, processes, CONTENDERS, limit=limit, for_times=FOR_TIMES, out=out)
    results = Results(fingerprint(device), job.settings)
    with progress(busy(results)) as on_step:
        run(job, results, on_step)
    click.echo(short(results))
    click.echo(f"Results: {out}")
    return int(not results.right)


def main() -> None:
    """Run the script and end the process: 0 all are right, 1 one is not, 2 bad options."""
    exit_codes.run(command, "python -m benchmarks.on_gpu", ENDINGS)


if __name__ == "__main__":
    main()

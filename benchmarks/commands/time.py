"""`python -m benchmarks`: time gradients by hand and by autodiff against the floor."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks import names
from benchmarks.commands import shared
from benchmarks.commands.shared import (
    CELLS_LIMIT,
    OUT,
    limit_option,
    processes_option,
    rounds_option,
    several,
)
from compare.commands.options import OVERWRITE, Name, together
from handgrad.commands.options import JSON, option

if TYPE_CHECKING:
    from benchmarks.cases import Spec
    from benchmarks.protocol.session import Step
    from benchmarks.results import Results

options = together(
    option("--full", is_flag=True, help="Time everything, not the quick set."),
    several("--case", "cases", "width", table=lambda: import_module("benchmarks.cases").CASES),
    several(
        *("--contender", "contenders"),
        "hand-numpy",
        table=lambda: names.CONTENDERS,
        otherwise=f"all; {names.REFERENCE}, to which ratios are, is always there",
    ),
    option(
        "--device",
        type=Name("cpu", "gpu"),
        help="Where JAX's programs run; on a GPU nothing is measured yet.",
        otherwise="a GPU if JAX finds one",
    ),
    several(
        *("--dtype", "dtypes"),
        "Of all numbers",
        *("float32", "float64"),
        otherwise="each case's first, with --full both",
    ),
    several(
        *("--threads", "threads"),
        "How many threads compute",
        *("all", "1"),
        otherwise="1, with --full some cells on all as well",
    ),
    rounds_option(otherwise="30"),
    processes_option(otherwise="5"),
    limit_option(CELLS_LIMIT, otherwise="none"),
    OUT,
    OVERWRITE,
    JSON,
)


def timed(out: Path | None, overwrite: bool, as_json: bool, **wanted: Any) -> int:
    """Time, store and show; return 1 if an answer was wrong, a cell refused, or nothing timed."""
    from benchmarks.protocol.session import run
    from benchmarks.report.lines import busy

    if out is not None and os.path.exists(out) and not overwrite:
        raise click.UsageError(f"{out} is there already; expected another --out, or --overwrite")
    job, results = prepared(out, **wanted)
    with progress(busy(results)) as on_step:
        run(job, results, on_step)
    if as_json:
        click.echo(results.as_json(), nl=False)
    else:
        from benchmarks.report.terminal import show
        from compare.terminal import console

        show(results, console())
    return int(not results.right)


def prepared(
    out: Path | None,
    contenders: tuple[str, ...],
    rounds: int | None,
    processes: int | None,
    limit: float | None,
    **choice: Any,
) -> tuple[Any, "Results"]:
    """Return the job that the options describe, and empty results for it."""
    from benchmarks.fingerprint import fingerprint
    from benchmarks.protocol import session, worker
    from benchmarks.results import Results

    device = _device(choice.pop("device"))
    specs = _specs(**choice, device=device)
    thorough = choice["full"] or choice["cases"]
    job = session.Job(
        specs=specs,
        rounds=rounds or session.ROUNDS,
        processes=processes or session.PROCESSES,
        only=contenders,
        apart=session.APART if thorough else (worker.FIRST,),
        limit=limit,
        out=out,
    )
    return job, Results(fingerprint(device), job.settings)


def _specs(
    full: bool,
    cases: tuple[str, ...],
    device: str,
    dtypes: tuple[str, ...],
    threads: tuple[str, ...],
) -> "list[Spec]":
    from benchmarks.cases import Choice

    choice = Choice(
        full=full,
        cases=cases,
        dtypes=dtypes,
        threads=threads,
        device=device,
    )
    found = choice.specs()
    if not found:
        raise click.UsageError(f"no cell: {', '.join(cases)} is not timed in {', '.join(dtypes)}")
    return found


def _device(wanted: str | None) -> str:
    """Return the device requested, or the one that is available."""
    from benchmarks.machine import gpus
    from benchmarks.protocol.gpu import why_not

    if wanted is None:
        return "gpu" if gpus() and not why_not() else "cpu"
    if wanted == "gpu" and (reason := why_not()):
        raise click.UsageError(f"--device gpu: {reason}")
    return wanted


@contextmanager
def progress(first: Sequence[str] = ()) -> "Iterator[Callable[[Step], None]]":
    """Show the running cell and the time left; without a terminal, a plain line per cell.

    The lines `first` are printed with the first step, so a run that cannot start prints only its
    error.
    """
    said = list(first)
    with shared.progress() as show:

        def on_step(step: "Step") -> None:
            while said:
                click.echo(said.pop(0), err=True)
            running = f"{_left(step.left)}{step.running} {step.row}"
            line = "" if step.row else f"{step.done}/{step.total} {step.running}"
            show(step.done, step.total, running, line)

        yield on_step


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"about {minutes}:{rest:02} left, "

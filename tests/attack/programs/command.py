"""Random programs before the judge, in processes that share what XLA compiled."""

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from evaluation.rows import Row

#: How many programs a run is for.
COUNT = 1000

#: Programs of one seed of the command; each has a seed of its own for all that is drawn.
SEEDS = 1_000_000

#: JAX keeps each program that it compiled: after so many, a process gives them back.
CLEAR_AFTER = 200

#: What XLA compiled is found again here: mostly small operations that most programs have.
COMPILED = Path(tempfile.gettempdir(), "handgrad-attack-compiled")


def _start() -> None:
    """Set a process up: XLA's flags as in the quick tests, whose programs run once each, too."""
    import tests.conftest  # noqa: F401, I001 (before JAX, which reads the flags)

    import jax

    jax.config.update("jax_compilation_cache_dir", str(COMPILED))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _one(task: tuple[int, int, bool]) -> list[Row]:
    import jax

    from tests.attack.programs.attack import attack

    if task[0] % CLEAR_AFTER == 0:
        jax.clear_caches()
    try:
        return attack(*task)
    except Exception as error:  # a program that JAX cannot differentiate is no case, and is counted
        name = str(task[1])
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return [{"id": name, "seed": int(name), "outcome": "not run", "headline": said}]


OPTIONS = (
    click.Option(["--count"], default=COUNT, show_default=True, help="Programs in all."),
    click.Option(["--seed"], default=0, show_default=True, help="Of the first program."),
    click.Option(["--processes"], default=1, show_default=True),
    click.Option(["--diagnosed"], default=1, show_default=True, help="Diagnose each Nth."),
)


def rows(
    wanted: Callable[[str], bool], count: int, seed: int, processes: int, diagnosed: int
) -> Iterator[list[Row]]:
    """Attack with the programs of which no row is stored."""
    tasks = [
        (number, of, number % diagnosed == 0)
        for number, of in enumerate(range(seed * SEEDS, seed * SEEDS + count))
        if wanted(f"{of}") and wanted(f"{of}-right")
    ]
    # JAX's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(processes, _start) as pool:
        yield from pool.imap_unordered(_one, tasks)

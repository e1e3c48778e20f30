"""The command line of the random programs."""

import multiprocessing
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from tests.attack.stored import add, read

RESULTS = Path(__file__).with_name("results.jsonl")

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


def _one(task: tuple[int, int, bool]) -> list[dict[str, Any]]:
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


@click.command()
@click.option("--count", default=COUNT, show_default=True, help="Programs in all.")
@click.option("--seed", default=0, show_default=True, help="Of the first program.")
@click.option("--processes", default=1, show_default=True)
@click.option("--diagnosed", default=1, show_default=True, help="Ask for a diagnosis of each Nth.")
@click.option("--seconds", type=float, default=float("inf"), help="Begin no other after so long.")
@click.option("--results", default=RESULTS, type=Path, show_default=True, help="Rows are added.")
def programs(
    count: int, seed: int, processes: int, diagnosed: int, seconds: float, results: Path
) -> None:
    """Random losses of every operation: the right gradient, and one of an edited loss.

    Programs whose rows are stored already are left out, so that a run can be broken off.
    """
    done = {str(row["seed"]) for row in read(results).values()}
    start = time.monotonic()
    tasks = [
        (number, seed * SEEDS + number, number % diagnosed == 0)
        for number in range(count)
        if str(seed * SEEDS + number) not in done
    ]
    command = ["git", "-C", str(RESULTS.parent), "rev-parse", "--short=10", "HEAD"]
    revision = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    # JAX's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(processes, _start) as pool:
        for rows in pool.imap_unordered(_one, tasks):
            add(results, [row | {"revision": revision} for row in rows])
            for row in rows:
                if row["outcome"] not in ("right", "caught", "no value changed"):
                    click.echo(f"{row['id']}: {row['outcome']}; {row.get('headline', '')}")
            if time.monotonic() - start > seconds:
                pool.terminate()
                break
    for outcome, number in sorted(Counter(r["outcome"] for r in read(results).values()).items()):
        click.echo(f"{outcome:<20} {number}")

"""The command line of the hostile inputs."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import click

from tests.attack.hostile.files import KINDS
from tests.attack.measured import Clock, revision
from tests.attack.stored import add, read

RESULTS = Path(__file__).with_name("results.jsonl")

#: Inputs in all; of a batch of files; and how many command lines of each program.
COUNT, BATCH = 1_000_000, 5000
LINES = {"compare": 4000, "handgrad": 2000, "study": 1000, "benchmarks": 3000}
LINES_BATCH = 100


@click.command()
@click.option("--count", default=COUNT, show_default=True, help="Files of all kinds.")
@click.option("--only", multiple=True, help="Kinds of files, or programs; repeatable.")
@click.option("--seconds", type=float, default=float("inf"), help="Begin no other after so long.")
@click.option("--results", default=RESULTS, type=Path, show_default=True, help="Rows are added.")
def hostile(count: int, only: tuple[str, ...], seconds: float, results: Path) -> None:
    """Mutated files and command lines: no traceback, hang, gigabyte, half-written file or code run.

    Batches whose rows are stored already are left out, so that a run can be broken off.
    """
    from tests.attack.hostile import fuzz, lines

    done, clock, now = read(results), Clock(), revision()

    def seeds(name: str, size: int, wanted: int) -> list[int]:
        chosen = not only or name in only
        left = (n for n in range(-(-wanted // size)) if f"{name} {size} {n}" not in done)
        return [*left] if chosen else []

    def rows() -> Iterator[dict[str, Any]]:
        for program, wanted in LINES.items():
            for seed in seeds(program, LINES_BATCH, wanted):
                row = lines.batch(program, LINES_BATCH, Random(f"{program} {seed}"))
                yield {"id": f"{program} {LINES_BATCH} {seed}"} | row
        files = {k: seeds(k, BATCH, count * kind.share // 1000) for k, kind in KINDS.items()}
        yield from fuzz.batches([k for k in files if files[k]], BATCH, files)

    for row in rows():
        add(results, [row | {"revision": now}])
        for defect, text in row["defects"]:
            click.echo(f"{row['id']}: {defect} <- {text[:200]}")
        if clock.seconds > seconds:
            break
    total: Counter[str] = Counter()
    for row in read(results).values():
        total.update({key: row.get(key, 0) for key in ("tried", "refused", "accepted", "found")})
    click.echo(", ".join(f"{number:,} {what}" for what, number in total.items()))

"""Batches of hostile inputs, and what the stored ones say."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import click

from evaluation.rows import Row
from tests.attack.hostile.limits import MEGABYTES, SECONDS

#: Files in all, of which kinds have their shares; of a batch; and how many command lines of each
#: program.
COUNT, BATCH = 1_000_000, 5000
LINES = {"compare": 4000, "handgrad": 2000, "study": 1000, "benchmarks": 3000}
LINES_BATCH = 100

SUMS, LARGEST = ("tried", "refused", "accepted", "stopped", "found"), ("slowest", "megabytes")

OPTIONS = (click.Option(["--count"], default=COUNT, show_default=True, help="Files in all."),)


def rows(wanted: Callable[[str], bool], count: int) -> Iterator[list[Row]]:
    """Try the batches that are wanted: command lines first, then files of each kind in turn."""
    from tests.attack.hostile import fuzz, lines
    from tests.attack.hostile.files import KINDS

    def left(name: str, size: int, inputs: int) -> list[int]:
        return [n for n in range(-(-inputs // size)) if wanted(f"{name} {size} {n}")]

    for program, inputs in LINES.items():
        for seed in left(program, LINES_BATCH, inputs):
            row = lines.batch(program, LINES_BATCH, Random(f"{program} {seed}"))
            yield [{"id": f"{program} {LINES_BATCH} {seed}"} | row]
    files = {k: left(k, BATCH, count * kind.share // 1000) for k, kind in KINDS.items()}
    for row in fuzz.batches(BATCH, {kind: seeds for kind, seeds in files.items() if seeds}):
        yield [row]


def figures(stored: list[Row]) -> dict[str, Any]:
    """Return what the section shows: a row for each kind of input, with sums and extremes."""
    from tests.attack.hostile.files import KINDS

    kinds = []
    for name in dict.fromkeys(row["kind"] for row in stored):
        of = [row for row in stored if row["kind"] == name]
        about = f"{name}: {KINDS[name].about}" if name in KINDS else name
        sums = {key: sum(row.get(key, 0) for row in of) for key in SUMS}
        largest = {key: max(row[key] for row in of) for key in LARGEST}
        kinds.append({"kind": about} | sums | largest)
    return {
        "kinds": kinds,
        "seconds": SECONDS,
        "megabytes": MEGABYTES,
        "batch": BATCH,
        "lines": LINES_BATCH,
    }

"""Batches of hostile command lines, and what the stored ones say."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import click

from evaluation.rows import Row
from tests.attack.hostile.limits import MEGABYTES, SECONDS

#: How many command lines of each program; and of a batch.
LINES = {"compare": 4000, "handgrad": 2000, "study": 1000, "benchmarks": 3000}
LINES_BATCH = 100

SUMS, LARGEST = ("tried", "refused", "accepted", "stopped", "found"), ("slowest", "megabytes")

OPTIONS: tuple[click.Option, ...] = ()


def rows(wanted: Callable[[str], bool]) -> Iterator[list[Row]]:
    """Try the batches that are wanted."""
    from tests.attack.hostile import lines

    for program, inputs in LINES.items():
        for seed in range(-(-inputs // LINES_BATCH)):
            name = f"{program} {LINES_BATCH} {seed}"
            if wanted(name):
                row = lines.batch(program, LINES_BATCH, Random(f"{program} {seed}"))
                yield [{"id": name} | row]


def figures(stored: list[Row]) -> dict[str, Any]:
    """Return what the section shows: a row for each kind of input, with sums and extremes."""
    kinds = []
    for name in dict.fromkeys(row["kind"] for row in stored):
        of = [row for row in stored if row["kind"] == name]
        sums = {key: sum(row.get(key, 0) for row in of) for key in SUMS}
        largest = {key: max(row[key] for row in of) for key in LARGEST}
        kinds.append({"kind": name} | sums | largest)
    return {
        "kinds": kinds,
        "seconds": SECONDS,
        "megabytes": MEGABYTES,
        "lines": LINES_BATCH,
    }

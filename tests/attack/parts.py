"""The parts of the attack: what each runs, and what it tells; a new part is a row here."""

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from click import Option

from evaluation.rows import Row, add, read
from tests.attack import cases
from tests.attack.families import attempt as of_families
from tests.attack.families import command as families
from tests.attack.faults import table as of_faults
from tests.attack.hostile import command as hostile
from tests.attack.mutants import command as mutants
from tests.attack.programs import command as programs
from tests.attack.programs import section as of_programs

HERE = Path(__file__).parent

#: Outcomes that need no second run, by which a row is in order.
FINE = ("held", "right", "caught", "no value changed", "killed", "timeout")


@dataclass(frozen=True)
class Part:
    """What is attacked, and stored as `NAME/results.jsonl`, of which the document has a section."""

    name: str
    about: str
    #: Yields rows that are stored together: of what is `wanted` by its id, with the part's options.
    rows: Callable[..., Iterator[list[Row]]]
    #: What the document shows of the stored rows.
    figures: Callable[[list[Row]], dict[str, Any]]
    options: tuple[Option, ...] = ()

    @property
    def results(self) -> Path:
        """Where its rows are."""
        return HERE / self.name / "results.jsonl"

    def stored(self) -> list[Row]:
        """Return its rows."""
        return [*read(self.results).values()]

    def run(
        self, only: tuple[str, ...], again: bool, seconds: float, results: Path, **options: Any
    ) -> None:
        """Run what is not stored yet, and store it."""
        start, revision, stored = time.monotonic(), _revision(), read(results)
        done = {key for key, row in stored.items() if not again or row.get("outcome") in FINE}

        def wanted(key: str) -> bool:
            return key not in done and (not only or any(word in key for word in only))

        last = start
        for rows in self.rows(wanted=wanted, **options):
            took = round((time.monotonic() - last) / len(rows), 3)
            add(results, [{"took": took} | row | {"revision": revision} for row in rows])
            last = time.monotonic()
            for row in rows:
                outcome = row.get("outcome", f"{row.get('found', 0)} failed")
                says = row.get("says") or row.get("headline") or row.get("defects") or ""
                click.echo(f"{row['id']}: {outcome}; {says}")
            if time.monotonic() - start > seconds:
                break
        counts = Counter(row.get("outcome", "batches") for row in read(results).values())
        click.echo(", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())))

    @property
    def command(self) -> click.Command:
        """The command; a run that is broken off goes on at the next call."""
        options = (
            Option(["--only"], multiple=True, help="What has this in its name; repeatable."),
            Option(["--again"], is_flag=True, help="Run anew what did not hold."),
            Option(["--seconds"], default=float("inf"), help="Begin no other after so long."),
            Option(["--results"], default=self.results, type=Path, help="Where rows are added."),
        )
        params: list[click.Parameter] = [*self.options, *options]
        return click.Command(self.name, callback=self.run, params=params, help=self.about)


def _revision() -> str:
    command = ["git", "-C", str(HERE), "rev-parse", "--short=10", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _of_cases(name: str, about: str, table: Any, limit: float) -> Part:
    """A part that is a table of cases, none of which may take more seconds of processor time."""
    return Part(name, about, partial(cases.rows, table, limit), partial(cases.figures, table))


def _extremes() -> Mapping[str, cases.Case]:
    from tests.attack.extremes.table import table  # which imports JAX

    return table()


PARTS = (
    Part(
        "programs",
        "Random losses of every operation: the right gradient, and one of an edited loss.",
        *(programs.rows, of_programs.figures, programs.OPTIONS),
    ),
    Part(
        "hostile",
        "Command lines: no traceback, hang, gigabyte or half a file.",
        *(hostile.rows, hostile.figures, hostile.OPTIONS),
    ),
    _of_cases(
        "faults",
        "Kills, full disks and broken environments: what a run leaves behind, and what it says.",
        *(of_faults.table, 1000),
    ),
    _of_cases(
        "extremes",
        "Extreme values, arrays and sizes: a verdict that is right, or one clear line.",
        *(_extremes, 1800),  # ten million parameters, twice, take 850
    ),
    Part(
        "mutants",
        "Edits of the kernel, one at a time: whether its tests notice.",
        *(mutants.rows, mutants.figures, mutants.OPTIONS),
    ),
    Part(
        "families",
        "Functions that are easily taken for others: in place, one triangle, NaN, solvers, loops.",
        *(families.rows, of_families.figures, families.OPTIONS),
    ),
)

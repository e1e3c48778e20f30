"""Parts that are tables of named cases: each is run once, stored, and counted in a section."""

import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from tests.attack.measured import Clock, OverrunError, at_most, cost, revision
from tests.attack.stored import add, filled, read

#: A case says in a few words what it saw, and raises what it must not see.
Case = Callable[[], str]


class BrokenError(Exception):
    """What is attacked did not hold."""


class SkippedError(Exception):
    """A case that this machine cannot run, and why."""


def require(holds: Any, otherwise: str) -> None:
    """Raise `BrokenError` unless something holds."""
    if not holds:
        raise BrokenError(otherwise)


def run(case: Case, limit: float) -> dict[str, Any]:
    """Run a case: its outcome, what it says, and what it cost."""
    before = cost()
    try:
        with at_most(limit):
            outcome, says = "held", case()
    except BrokenError as error:
        outcome, says = "broken", str(error)
    except SkippedError as error:
        outcome, says = "skipped", str(error)
    except OverrunError as error:
        outcome, says = "broken", str(error)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        outcome, says = "broken", f"{type(error).__name__}: {error} ({where})"
    after = cost()
    return {
        "outcome": outcome,
        "says": says[:1000],
        "seconds": round(after.seconds - before.seconds, 2),
        "megabytes": round(after.megabytes),
    }


def command(
    name: str, about: str, table: Callable[[], Mapping[str, Case]], results: Path, limit: float
) -> click.Command:
    """Return the command that runs a table's cases, named `group: case`, and stores their rows."""

    @click.command(name=name, help=about)
    @click.option("--only", multiple=True, help="Cases whose names have this in them; repeatable.")
    @click.option("--again", is_flag=True, help="Run anew what did not hold.")
    @click.option(
        "--seconds", type=float, default=float("inf"), help="Begin no other after so long."
    )
    @click.option("--results", default=results, type=Path, show_default=True)
    def part(only: tuple[str, ...], again: bool, seconds: float, results: Path) -> None:
        stored, clock, now = read(results), Clock(), revision()
        done = {key for key, row in stored.items() if not again or row["outcome"] == "held"}
        for key, case in table().items():
            if key in done or (only and not any(word in key for word in only)):
                continue
            if clock.seconds > seconds:
                break
            row = {"id": key} | run(case, limit) | {"revision": now}
            add(results, [row])
            click.echo(f"{key}: {row['outcome']}; {row['says']} ({row['seconds']} s)")
        counts = Counter(row["outcome"] for row in read(results).values())
        click.echo(", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())))

    return part


def section(template: Path, results: Path, table: Mapping[str, Case]) -> str:
    """Write a section: a row for each group of cases, and what did not hold or was skipped."""
    rows = [row for key, row in read(results).items() if key in table]
    groups = []
    for name in dict.fromkeys(key.partition(": ")[0] for key in table):
        of = [row for row in rows if row["id"].partition(": ")[0] == name]
        counts = Counter(row["outcome"] for row in of)
        each = {outcome: counts[outcome] for outcome in ("held", "broken", "skipped")}
        asked = sum(key.partition(": ")[0] == name for key in table)
        largest = {
            key: max((row[key] for row in of), default=0) for key in ("seconds", "megabytes")
        }
        groups.append({"name": name, "asked": asked, "run": len(of)} | each | largest)
    return filled(
        template,
        large=[row for row in rows if row["id"].startswith("sizes: ")],
        groups=groups,
        rows=rows,
        warned=sum("NumPy warns" in row["says"] for row in rows),
        odd=[row for row in rows if row["outcome"] != "held"],
        minutes=sum(row["seconds"] for row in rows) / 60,
        revisions=sorted({row["revision"] for row in rows}),
    )

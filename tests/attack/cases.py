"""Parts that are tables of named cases: each is run once, and counted by its group in a section."""

import resource
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.rows import Row

#: A case says in a few words what it saw, and raises what it must not see.
Case = Callable[[], str]

ROOT = Path(__file__).parents[2]


class BrokenError(Exception):
    """What is attacked did not hold."""


class SkippedError(Exception):
    """A case that this machine cannot run, and why."""


class OverrunError(BaseException):
    """More processor time than was allowed; no `except Exception` holds it up."""


def require(holds: Any, otherwise: str) -> None:
    """Raise `BrokenError` unless something holds."""
    if not holds:
        raise BrokenError(otherwise)


def cost() -> tuple[float, float]:
    """Return the seconds of processor time and the peak memory in MB, of ended children as well."""
    own, others = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return seconds, max(own.ru_maxrss, others.ru_maxrss) / 1024


@contextmanager
def at_most(seconds: float, by_interrupt: bool = False) -> Iterator[None]:
    """Raise `OverrunError` in the work within when it has used so much processor time, or Ctrl-C.

    Again and again after that, since Python drops what is raised inside a callback.
    """

    def ring(number: int, frame: Any) -> None:  # noqa: ARG001 (the signal module's signature)
        if by_interrupt:
            signal.raise_signal(signal.SIGINT)
            return
        raise OverrunError(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def described(error: BaseException) -> str:
    """Return what would be a traceback in a line: the error, its text, and where it was raised."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = f"{type(error).__name__}: {str(error)[:600]}"
    return f"{said} ({Path(place.filename).name}, line {place.lineno})"


def run(case: Case, limit: float) -> Row:
    """Run a case: its outcome, what it says, and what it cost."""
    before, _ = cost()
    try:
        with at_most(limit):
            outcome, says = "held", case()
    except SkippedError as error:
        outcome, says = "skipped", str(error)
    except (BrokenError, OverrunError) as error:
        outcome, says = "broken", str(error)
    except Exception as error:
        outcome, says = "broken", described(error)
    after, megabytes = cost()
    row = {"outcome": outcome, "says": says[:1000]}
    return row | {"seconds": round(after - before, 2), "megabytes": round(megabytes)}


def rows(
    table: Callable[[], Mapping[str, Case]], limit: float, wanted: Callable[[str], bool]
) -> Iterator[list[Row]]:
    """Run what is wanted of a table, whose cases are named `group: case`."""
    for key, case in table().items():
        if wanted(key):
            yield [{"id": key} | run(case, limit)]


def figures(table: Callable[[], Mapping[str, Case]], stored: list[Row]) -> dict[str, Any]:
    """Return what the document shows: a row for each group, and what did not hold."""
    keys = table()
    rows = [row for row in stored if row["id"] in keys]
    groups = []
    for name, asked in Counter(key.partition(": ")[0] for key in keys).items():
        of = [row for row in rows if row["id"].partition(": ")[0] == name]
        counts = Counter(row["outcome"] for row in of)
        known = {each: counts[each] for each in ("held", "broken", "skipped")}
        groups.append({"name": name, "asked": asked} | known)
    return {
        "groups": groups,
        "rows": rows,
        "odd": [row for row in rows if row["outcome"] != "held"],
        "large": [row for row in rows if row["id"].startswith("sizes: ")],
    }

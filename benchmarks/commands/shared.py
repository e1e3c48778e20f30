"""Shared by the commands: options, showing progress, and how they end."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from benchmarks.process import WorkerError
from compare.commands.options import Name, file_option
from compare.exit_codes import Endings
from handgrad.commands.options import DURATION, option, whole

if TYPE_CHECKING:
    from benchmarks.files import Stored

#: How our own errors end, of whatever command; 1 is a wrong answer, or a row that became worse.
_FAILED = ("Error: the harness failed: {}.", 70)
ENDINGS: Endings = {WorkerError: _FAILED, OSError: _FAILED}

OUT = file_option("--out", "Write the results to this file, as they come.")
RESUME = option(
    "--resume", is_flag=True, help="Go on with the run whose results the file of --out holds."
)
TABLE = file_option("--table", "Measure nothing: print the tables of the results in this file.")


#: Parts of a fingerprint that may differ between an interrupted run and its continuation.
MAY_DIFFER = ("date", "load")

Results = TypeVar("Results", bound="Stored")


def several(
    name: str, dest: str, about: str, *few: str, otherwise: str | None = None, **table: Callable
) -> Callable:
    """An option that may be repeated, for names: a few, or those of a table.

    Args:
        name: of the option.
        dest: of the parameter.
        about: what is named, or one of the names in a table.
        *few: the names, which help lists.
        otherwise: the default in words.
        **table: returns the names, which an error lists.

    """
    hint = "" if few else ", say"
    more = "" if few else " A wrong name lists the right ones."
    how: dict[str, Any] = {"type": Name(*few, **table), "metavar": None if few else "NAME"}
    how |= {"help": f"{about}{hint}; repeatable.{more}", "otherwise": otherwise or "all"}
    return option(name, dest, multiple=True, **how)


#: The help of --limit where cells are timed.
CELLS_LIMIT = "Begin no cell after so long; what is left out is named."


def rounds_option(**settings: Any) -> Callable:
    """--rounds."""
    about = "At least so many samples of each row."
    return option("--rounds", type=whole(2, 10_000), help=about, **settings)


def processes_option(**settings: Any) -> Callable:
    """--processes."""
    about = "How many processes the samples come from."
    return option("--processes", type=whole(1, 100), help=about, **settings)


def limit_option(about: str, **settings: Any) -> Callable:
    """--limit, in seconds."""
    return option("--limit", type=DURATION, help=about, **settings)


def begun(
    fresh: Results, out: Path | None, resume: bool, overwrite: bool, *settings: str
) -> Results:
    """Return the results that a file holds, to go on with them, or the fresh ones.

    Raises:
        click.UsageError: the file is there and neither flag is given, or it was made elsewhere, or
            with other values of the named settings.
    """
    if out is None or not os.path.exists(out) or overwrite:
        return fresh
    if not resume:
        raise click.UsageError(f"{out} is there already; expected --resume or --overwrite")
    found = type(fresh).load(out)
    old, new = found.fingerprint, fresh.fingerprint
    other = [n for n in {**old, **new} if n not in MAY_DIFFER and old.get(n) != new.get(n)]
    if other:
        raise click.UsageError(
            f"{out} was made with another {', '.join(other)}; expected a run to go on where it "
            "began, or --overwrite"
        )
    for name in settings:
        was, now = getattr(found, name), getattr(fresh, name)
        if was != now:
            was, now = (f"{one:g}" if isinstance(one, float) else one for one in (was, now))
            raise click.UsageError(f"{out} was made with --{name} {was}, got {now}")
    return found


@contextmanager
def progress(first: Sequence[str] = ()) -> Iterator[Callable[..., None]]:
    """Show a progress bar and the time left; yields a function to call at every step.

    It takes how many steps are done, of how many, what runs, and a line that is printed instead
    where there is no terminal. The lines `first` are printed with the first step, so that a run
    that cannot start prints only its error.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    err = Console(stderr=True, highlight=False, markup=False, emoji=False)
    columns, said = [BarColumn(20), MofNCompleteColumn(), TimeLeft()], list(first)
    text = TextColumn("{task.description}", markup=False)
    # Redrawing takes time from what is timed: once a second is enough.
    options = {"console": err, "disable": not err.is_terminal, "refresh_per_second": 1}
    with Progress(*columns, text, **options) as bar:
        task = bar.add_task("")

        def show(done: int, total: int, running: str, line: str = "") -> None:
            while said:
                err.print(said.pop(0), soft_wrap=True)
            bar.update(task, total=total, completed=done, description=running)
            if line and not err.is_terminal:
                print(line, file=sys.stderr, flush=True)

        yield show

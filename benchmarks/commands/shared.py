"""Shared by the commands: options, showing progress, and how they end."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.process import WorkerError
from compare.commands.options import Name, file_option
from compare.exit_codes import Endings
from handgrad.commands.options import DURATION, option

#: How our own errors end, of whatever command; 1 is a wrong answer, or a row that became worse.
_FAILED = ("Error: the harness failed: {}.", 70)
ENDINGS: Endings = {WorkerError: _FAILED, OSError: _FAILED}

OUT = file_option("--out", "Write the results to this file, as they come.")


def several(
    name: str, dest: str, about: str, *few: str, otherwise: str | None = None, **table: Callable
) -> Callable:
    """An option that may be repeated, for names: a few, which help lists, or those of a table.

    Args:
        name: of the option.
        dest: of the parameter.
        about: what is named, or one of the names in a table.
        *few: the names, if they are few.
        otherwise: the default in words.
        **table: returns the names, which an error lists.

    """
    words = "; repeatable." if few else ", say; repeatable. A wrong name lists the right ones."
    how: dict[str, Any] = {"type": Name(*few, **table), "metavar": None if few else "NAME"}
    how |= {"help": about + words, "otherwise": otherwise or "all"}
    return option(name, dest, multiple=True, **how)


def limit_option(about: str, **settings: Any) -> Callable:
    """--limit, in seconds."""
    return option("--limit", type=DURATION, help=about, **settings)


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

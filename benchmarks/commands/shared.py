"""What the commands that measure share: names that are checked, and how far a run is."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click


def expect(option: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is not known.

    Raises:
        UsageError: with the names that are.
    """
    for name in given:
        if name not in known:
            raise click.UsageError(f"{option}: got {name!r}, expected one of {', '.join(known)}")


@contextmanager
def progress(time_left: bool = False) -> Iterator[Callable[..., None]]:
    """A bar, to be called with what is done, of how many, and what is running.

    Without a terminal it is a plain line, where `line` has one.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    err = Console(stderr=True, highlight=False, markup=False, emoji=False)
    columns = [BarColumn(20), MofNCompleteColumn(), *([TimeLeft()] if time_left else [])]
    text = TextColumn("{task.description}", markup=False)
    # Redrawing takes time from what is timed: once a second is enough to see that it goes on.
    options = {"console": err, "disable": not err.is_terminal, "refresh_per_second": 1}
    with Progress(*columns, text, **options) as bar:
        task = bar.add_task("")

        def show(done: int, total: int, running: str, line: str = "") -> None:
            bar.update(task, total=total, completed=done, description=running)
            if line and not err.is_terminal:
                print(line, file=sys.stderr, flush=True)

        yield show

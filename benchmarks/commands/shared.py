"""Shared by the commands: options, checking names, showing progress, exit codes and errors."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from compare import streams
from compare.wording import escaped, unavailable

FILE = click.Path(path_type=Path, dir_okay=False)

OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")


def file_option(name: str, about: str) -> Callable:
    """An option that takes a file."""
    return click.option(name, type=FILE, metavar="FILE", help=about)


def several(name: str, dest: str, about: str, among: list[str] | None = None) -> Callable:
    """An option that may be repeated, for names; `among` lists them where they are few."""
    how: dict[str, Any] = {"type": click.Choice(among)} if among else {"metavar": "NAME"}
    return click.option(name, dest, multiple=True, help=about, **how)


def limit_option(about: str) -> Callable:
    """--limit, in seconds."""
    kind = click.FloatRange(0, min_open=True)
    return click.option("--limit", type=kind, metavar="SECONDS", help=about)


def expect(option: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse an unknown name.

    Raises:
        UsageError: with the names that are.
    """
    for name in given:
        if name not in known:
            raise click.UsageError(f"{option}: got {name!r}, expected one of {', '.join(known)}")


@contextmanager
def progress(time_left: bool = False) -> Iterator[Callable[..., None]]:
    """Show a progress bar; yields a function to call with done, total and a label.

    Without a terminal, print `line` if there is one.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    err = Console(stderr=True, highlight=False, markup=False, emoji=False)
    columns = [BarColumn(20), MofNCompleteColumn(), *([TimeLeft()] if time_left else [])]
    text = TextColumn("{task.description}", markup=False)
    # Redrawing takes time from what is timed: once a second is enough.
    options = {"console": err, "disable": not err.is_terminal, "refresh_per_second": 1}
    with Progress(*columns, text, **options) as bar:
        task = bar.add_task("")

        def show(done: int, total: int, running: str, line: str = "") -> None:
            bar.update(task, total=total, completed=done, description=running)
            if line and not err.is_terminal:
                print(line, file=sys.stderr, flush=True)

        yield show


def ended(command: click.Command, arguments: list[str] | None, program: str) -> int:
    """Run a command and return its exit code.

    0 measured, 1 an answer was wrong or a row became worse, 2 bad input, 70 the harness itself
    failed, 130 interrupted.
    """
    from benchmarks.files import BadResultsError
    from benchmarks.process import WorkerError

    streams.prepare()
    try:
        # Not click's own main: it ends a closed pipe with 1, which means a wrong answer here.
        words = sys.argv[1:] if arguments is None else [*arguments]
        with command.make_context(program, words) as context:
            code = command.invoke(context) or 0
        sys.stdout.flush()
        return code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except BadResultsError as error:
        return _said(str(error), 2)
    except click.ClickException as error:
        return _said(escaped(" ".join(error.format_message().split())), 2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped.", err=True)
        return 130
    except BrokenPipeError:
        streams.discard_output()
        return 0
    except (WorkerError, OSError) as error:
        return _said(f"the harness failed: {error}", 70)
    except Exception as error:  # whatever is raised where a package or a device is missing
        if line := unavailable(error):
            return _said(line, 2)
        raise


def _said(message: str, code: int) -> int:
    click.echo(f"Error: {message}", err=True)
    return code

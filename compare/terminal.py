"""Print results: tables, a progress bar, a closing line, a JSON object."""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.table import Table
from rich.text import Text

from compare.wording import BY_AUTODIFF, BY_HAND, SIDE_LABELS
from handgrad.commands.process import json_text

if TYPE_CHECKING:
    from compare.lockstep import Divergence

#: Digits printed; the 16th and 17th of a float64 may differ between machines.
DIGITS = 15


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line: rich would exit with 1, the code for a disagreement."""
        raise BrokenPipeError


#: Tables are laid out for at least so many columns; in a narrower terminal their lines wrap, rather
#: than cut off numbers.
NARROWEST = 80


def console() -> Console:
    """Return standard output: coloured on a terminal unless NO_COLOR is set, plain in a pipe."""
    made = _Output(highlight=False, emoji=False, markup=False)
    made.width = max(made.width, NARROWEST)
    return made


def print_object(value: Any) -> None:
    """Print one JSON object; floats round-trip, NaN and infinities become null."""
    finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
    click.echo(json_text(finite))


def described(found: "Divergence") -> str:
    """Describe what is wrong in an update, by how much, and whose fault it is."""
    of = f" of {found.parameter}" if found.parameter else ""
    off = {BY_HAND: "the one by hand", BY_AUTODIFF: "the one by autodiff", "both": "each of them"}
    return (
        f"{found.quantity}{of}: by hand {found.by_hand:.{DIGITS}g}, by autodiff "
        f"{found.autodiff:.{DIGITS}g}, {found.ulps:.3g} ulps apart along the path "
        f"{SIDE_LABELS[found.along]}; two right answers differ by at most {found.bound:.2g}, and "
        f"{off[found.off]} is off"
    )


def show_verdict(out: Console, verdict: str, because: str) -> int:
    """Print the closing line; return 1 for a disagreement, else 0."""
    out.print(Text.assemble(coloured(verdict), f": {because}"))
    return int(verdict == "disagree")


def coloured(verdict: str) -> Text:
    """Return a verdict, green if it is good, else red."""
    good = verdict.startswith(("agree", "proved"))
    return Text(verdict, style="green" if good else "bold red")


@contextmanager
def progress(total: int, what: str, transient: bool = True) -> Iterator[Callable[..., None]]:
    """Show a progress bar on standard error, if that is a terminal; it stays unless `transient`.

    Yields a function to call with the amount done and, optionally, a function that returns a status
    text, which is called at most ten times a second.

    Raises:
        KeyboardInterrupt: with a message that says how far it got.
    """
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn())
    state, err = TextColumn("{task.description}"), Console(stderr=True)
    reached, shown = 0, -math.inf
    with Progress(
        *columns, state, console=err, transient=transient, disable=not err.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)

        def advance(done: int, say: Callable[[], str] = str) -> None:
            nonlocal reached, shown
            reached = done
            if not err.is_terminal:
                return
            bar.update(task, completed=done)
            if time.monotonic() - shown > 0.1 or done == total:
                bar.update(task, description=say())
                shown = time.monotonic()

        try:
            yield advance
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"after {reached} of {total} {what}") from None


def waiting(what: str) -> Status:
    """Show a spinner on standard error, if that is a terminal, while this context lasts."""
    return Console(stderr=True).status(what)


def table(*headings: str) -> Table:
    """Make an empty table in the project's style."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        made.add_column(heading, no_wrap=True)
    return made


def number(value: float, digits: int = DIGITS) -> str:
    """Format a number with room for its sign, by default to 15 digits."""
    return f"{value: .{digits}g}"


def ulps(distance: float) -> str:
    """Format a distance in whole ulps; fractions of one are chance."""
    return f"{distance:.0f}" if distance < 1000 else f"{distance:.3g}"

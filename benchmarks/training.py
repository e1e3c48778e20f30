"""Training for 1000 epochs: compiled autodiff against C, by hand, and the article's own loop.

    python -m benchmarks.training

Gate first: every update of every contender must agree with autodiff's update from the same
parameters, within rounding, or no time is printed for it; the last timed answer must have the bits
of the gated one. Then rounds in which all contenders run in shuffled order, garbage collector off;
ratios are taken within a round. The first contender runs twice: its ratio to itself is the noise.
"""

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import click
import numpy as np

from benchmarks.contenders import CONTENDERS, Contender, Unavailable
from benchmarks.rounds import middle, time_rounds
from compare.experiment import Settings
from compare.people import PEOPLE, targets
from compare.terminal import progress
from compare.trajectory import Problem, judge_path

FIRST = next(iter(CONTENDERS))
AGAIN = f"{FIRST} (again)"


@dataclass(frozen=True)
class Row:
    """One contender's result."""

    name: str
    median_ms: float | None  #: of one training
    min_ms: float | None
    ratio: float | None  #: median over rounds of its time over the first contender's
    ratio_range: tuple[float, float] | None  #: the middle half of those ratios
    note: str  #: why there is no time, or ""


def measure(
    rounds: int,
    settings: Settings | None = None,
    on_round: Callable[[int], None] = lambda _: None,
) -> list[Row]:
    """Gate and time all contenders, in the order of `CONTENDERS`; the noise row comes last."""
    settings = Settings(init="ones") if settings is None else settings
    ready: dict[str, Contender] = {}
    answers: dict[str, np.ndarray] = {}
    notes: dict[str, str] = {}
    for name, (make, form) in CONTENDERS.items():
        arguments = (settings.start(), settings.inputs(PEOPLE), targets(PEOPLE))
        try:
            contender = make(*arguments, settings.learning_rate, settings.sample_order())
        except Unavailable as reason:
            notes[name] = f"absent: {reason}"
            continue
        answers[name] = contender.read(contender.run())
        problem = Problem(*arguments[1:], settings.learning_rate, form)
        order = settings.sample_order()
        wrong = judge_path(arguments[0], problem, order, after_hand=answers[name])
        if wrong:
            notes[name] = f"wrong: {wrong.parameter} in epoch {wrong.epoch}, no time"
        else:
            ready[name] = contender
    times = _times(ready, rounds, on_round)
    for name, contender in ready.items():
        if contender.read(contender.run()).tobytes() != answers[name].tobytes():
            notes[name] = "wrong: another answer than before timing, no time"
            del times[name]
    return [_row(name, times, notes.get(name, "")) for name in (*CONTENDERS, AGAIN)]


def _times(
    contenders: dict[str, Contender], rounds: int, on_round: Callable[[int], None]
) -> dict[str, list[float]]:
    """Seconds per training, by contender and round."""
    running = {name: contender.run for name, contender in contenders.items()}
    if FIRST in running:
        running[AGAIN] = running[FIRST]
    return time_rounds(running, rounds, on_round)[0]


def _row(name: str, times: dict[str, list[float]], note: str) -> Row:
    if name not in times:
        return Row(name, None, None, None, None, note or "not timed")
    ms = [1e3 * seconds for seconds in times[name]]
    if FIRST not in times:
        return Row(name, statistics.median(ms), min(ms), None, None, note)
    ratios = [a / b for a, b in zip(times[name], times[FIRST], strict=True)]
    low, median, high = middle(ratios)
    return Row(name, statistics.median(ms), min(ms), median, (low, high), note)


@click.command()
@click.option(
    "--rounds",
    type=click.IntRange(3, 1000),
    default=30,
    show_default=True,
    help="How often all contenders run, in shuffled order.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def main(rounds: int, as_json: bool) -> None:
    """Time 1000 epochs of the article's training: jax.grad compiled, C, by hand, the article."""
    from rich.console import Console
    from rich.table import Table

    with progress(rounds, "rounds") as on_round:
        rows = measure(rounds, on_round=on_round)
    if as_json:
        click.echo(json.dumps({"rounds": rounds, "rows": [asdict(row) for row in rows]}))
    else:
        table = Table("1000 epochs, float64", "median ms", "min ms", f"times {FIRST!r}", box=None)
        for row in rows:
            table.add_row(row.name, *_cells(row))
        out = Console(highlight=False)
        out.print(table)
        for sentence in _goals(rows):
            out.print(sentence, soft_wrap=True)
    if any(row.note.startswith("wrong") for row in rows):
        raise SystemExit(1)


def _goals(rows: list[Row]) -> list[str]:
    """How the compiled training stands to what was aimed at."""
    ratio = {row.name: row.ratio for row in rows}
    c, article = ratio["C, cc -O3 -march=native"], ratio["the article's loop"]
    return [
        f"{FIRST}: {times:.3g} times {what} (goal: {goal})"
        for times, what, goal in (
            (c and 1 / c, "the time of the C loop", "at most 2"),
            (article, "as fast as the article's loop", "at least 100"),
        )
        if times
    ]


def _cells(row: Row) -> tuple[Any, ...]:
    if row.median_ms is None or row.ratio is None or row.ratio_range is None:
        return (row.note, "", "")
    low, high = row.ratio_range
    return f"{row.median_ms:.3f}", f"{row.min_ms:.3f}", f"{row.ratio:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()

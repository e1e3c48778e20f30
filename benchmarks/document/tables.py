"""What takes more than a number to say: contenders, goals and their reasons, programs, two runs.

Each takes the stored results and answers with Markdown.
"""

from pathlib import Path

from benchmarks.comparing import WORSE, compare
from benchmarks.document.asked import Asked, UnknownError
from benchmarks.document.reasons import MOVES, evidence, reason
from benchmarks.goals import QUIET, TAX, Goal
from benchmarks.goals import goals as aims
from benchmarks.names import LABELS
from benchmarks.report import units
from benchmarks.results import Results
from benchmarks.statistics import TIE

#: Three runs of the quick set, the last one with every contender slowed by a tenth.
COMPARISON = Path(__file__).parents[1] / "results" / "comparison"
RUNS = ("first", "again", "slowed")

#: Operations that take time: on numbers, calls of pieces that are compiled as a whole, and copies.
COMPUTES = (
    *("call", "copy", "transpose"),
    *("dot", "add", "subtract", "multiply", "divide", "exponential", "log", "logistic", "tanh"),
    *("maximum", "minimum", "abs", "negate", "select", "compare", "reduce"),
)


def contenders(asked: Asked) -> str:
    """Every row that has a time somewhere, and what it is."""
    timed = {row.name for cell in asked.results.cells for row in cell.rows if row.timed}
    rows = [f"| `{name}` | {what} |" for name, what in LABELS.items() if name in timed]
    return "\n".join(["| row | what it is |", "| :-- | :-- |", *rows])


def goals(asked: Asked) -> str:
    """A table of the goals but for the taxes, of which there are many."""
    head = [
        "| cell | what | asked | found | 95 % interval | |",
        "| :-- | :-- | :-- | --: | --: | :-- |",
    ]
    rows = [
        f"| `{goal.cell}` | {goal.what} | {goal.asked} | {_enclosed(goal)} | {goal.word} |"
        for goal in aims(asked.results)
        if goal.what != TAX
    ]
    return "\n".join([*head, *rows])


def _enclosed(goal: Goal) -> str:
    """The ratio and its interval, in two columns; goals are missed by less than a hundredth."""
    middle, *ends = (f"{found:.3f}" if found < 10 else units.digits(found) for found in goal.found)
    return f"{middle} | {' to '.join(ends)}"


def taxed(asked: Asked) -> str:
    """In how many cells the tax is 1, is not, or cannot be said."""
    found = [goal for goal in aims(asked.results) if goal.what == TAX]
    met, hidden = (sum(goal.met is word for goal in found) for word in (True, None))
    return (
        f"{met} of {len(found)}; in {hidden} more the noise, above {units.percent(QUIET)}, is too "
        f"large to say, and in the other {len(found) - met - hidden} it is not"
    )


def exceptions(asked: Asked) -> str:
    """The taxes that are not 1, with what the compiled programs say."""
    head = [
        "| cell | tax | 95 % interval | by hand and by `jax.grad` | |",
        "| :-- | --: | --: | :-- | :-- |",
    ]
    rows = [
        f"| `{goal.cell}` | {_enclosed(goal)} | {evidence(asked.cell(goal.cell))} | "
        f"{_reason(asked, goal)} |"
        for goal in aims(asked.results)
        if goal.what == TAX and goal.met is False
    ]
    return "\n".join([*head, *rows])


def misses(asked: Asked) -> str:
    """Every other goal that is missed, by how much, and why."""
    lines = [
        f"- `{goal.cell}`: {goal.what} is {goal.found.middle:.3f}, asked {goal.asked}: "
        f"{_reason(asked, goal)}."
        for goal in aims(asked.results)
        if goal.what != TAX and goal.met is False
    ]
    lines += [
        f"- `{goal.cell}`: {goal.what}: the noise is too large to say."
        for goal in aims(asked.results)
        if goal.what != TAX and goal.met is None
    ]
    return "\n".join(lines) if lines else "All of it was reached."


def _reason(asked: Asked, goal: Goal) -> str:
    why = reason(goal, asked.cell(goal.cell))
    if why is None:
        found = f"{goal.found.middle:.3f}"
        raise UnknownError(f"{goal.cell}: {goal.what} is {found}, and no reason is written")
    return why


def operations(asked: Asked, label: str, *rows: str) -> str:
    """The operations that the compiled programs of some rows have not equally many of."""
    programs = [asked.row(label, name)[1].operations for name in rows]
    if not all(programs):
        raise UnknownError(f"{label}: the compiled programs were not looked into")
    counts = {
        operation: [_counted(program.get(operation), operation) for program in programs]
        for operation in sorted({*COMPUTES}.intersection(set().union(*programs)))
    }
    return "\n".join(
        [
            f"| operation | {' | '.join(f'`{name}`' for name in rows)} |",
            f"| :-- |{' --: |' * len(rows)}",
            *(
                f"| `{operation}` | {' | '.join(found)} |"
                for operation, found in counts.items()
                if len(set(found)) > 1
            ),
        ]
    )


def _counted(found: list[int] | None, operation: str) -> str:
    """How often an operation is there; of one that moves numbers, how many at most."""
    count, largest = found or (0, 0)
    moves = operation in MOVES and largest > 0
    return f"{count}, of {largest:,} numbers at most" if moves else str(count)


def compared(asked: Asked) -> str:  # noqa: ARG001 (the form of every verb)
    """Of the three stored quick runs: the same again, and one that is slower, by `compare`."""
    first, again, slowed = (Results.load(COMPARISON / f"{name}.json") for name in RUNS)
    same, slower = compare(first, again), compare(first, slowed)
    computing = [change for change in slower.changes if not change.dispatch_bound]
    worse = sum(change.verdict == WORSE for change in computing)
    return (
        f"- the same again: {len(same.of(TIE))} of {len(same.changes)} rows are a tie\n"
        f"- a tenth slower: {worse} of {len(computing)} rows that are not mostly their call are "
        f"worse, and {len(slower.of(WORSE))} of all {len(slower.changes)}"
    )


def quick(asked: Asked) -> str:  # noqa: ARG001 (the form of every verb)
    """How long the stored quick run took."""
    seconds = Results.load(COMPARISON / f"{RUNS[0]}.json").settings["seconds"]
    return f"{seconds / 60:.1f} minutes"

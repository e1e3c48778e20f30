"""Write results as the tables of docs/checking.md; the same file gives the same text."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.checkers import counts
from benchmarks.checkers.cases import AT_A_KINK, ELEMENTS, MISTAKES, RIGHT
from benchmarks.checkers.question import NO_ANSWER
from benchmarks.checkers.results import Check, Results
from benchmarks.templates import templates
from models import elements as of_elements
from models.mistakes import MISTAKES as OF_MISTAKES

#: A row: two cells of text, its checks, and the function that makes a cell of a checker's checks.
Row = tuple[str, str, Sequence[Check], Callable[[Sequence[Check]], object]]

#: What was written, by the mistake's slug.
WORDS = {slug: words for slug, (words, _) in OF_MISTAKES.items()} | {
    AT_A_KINK: f"{OF_MISTAKES[AT_A_KINK][0]} [^kink]"
}

#: By kind, a description of the points.
OF_RIGHT_POINTS = {
    "ordinary": "the models above",
    "saturated": "saturated units",
    "tiny": "tiny losses",
    "huge": "huge losses",
    "badly conditioned": "badly conditioned",
    "kinked": "on a kink",
}

#: How each checker is called.
HOW = {
    "handgrad.check_gradient": "`check_gradient` at the given point and eight others",
    "jax.test_util.check_grads": "`check_grads` at the given point alone, about a `custom_vjp` "
    "function in reverse mode",
    "torch.autograd.gradcheck": "`gradcheck` at the given point alone, about a "
    "`torch.autograd.Function`",
    "scipy.optimize.check_grad": "`check_grad` at the given point alone, about the parameters as "
    "one vector",
}


def markdown(results: Results) -> str:
    """Write all tables, with the conditions above them and the notes below."""
    names = available(results)
    planted, elements, right = (
        [check for check in results.checks if check.part == part]
        for part in (MISTAKES, ELEMENTS, RIGHT)
    )
    return (
        templates(Path(__file__).parent)
        .get_template("table.md.j2")
        .render(
            results=results,
            found=results.fingerprint,
            checks=results.checks,
            planted=planted,
            available=names,
            how=[HOW[name] for name in names if name in HOW],
            kink=AT_A_KINK,
            mistakes=_by(planted, WORDS, counts.tally_caught, "`{0}`", "{1}"),
            elements=_elements(elements),
            right=_by(right, OF_RIGHT_POINTS, counts.tally_false_alarms, "{1}", ""),
            said=_said(results),
        )
    )


def in_brief(results: Results) -> str:
    """Write the table of the README: four numbers for each checker that could run."""
    rows: list[tuple[str, str, Callable[[Sequence[Check]], object]]] = [
        ("planted mistakes, caught", MISTAKES, lambda checks: counts.tally_caught(checks).yes),
        ("single wrong elements, caught", ELEMENTS, lambda found: counts.tally_caught(found).yes),
        ("right gradients, called wrong", RIGHT, lambda of: counts.tally_false_alarms(of).yes),
    ]
    each = {
        name: [check for check in results.checks if check.contender == name]
        for name in available(results)
    }
    lines = [["", *map(_with_library, each)], ["---", *("--:" for _ in each)]]
    for words, part, cell in rows:
        asked = [[check for check in checks if check.part == part] for checks in each.values()]
        lines.append([f"{len(asked[0])} {words}", *(str(cell(checks)) for checks in asked)])
    # Seconds of processors, once they are recorded of all.
    recorded = all(map(counts.cpu_seconds, each.values()))
    word, cell = ("CPU-seconds", cpu_seconds) if recorded else ("seconds", seconds)
    lines.append([f"{word}, median", *(cell(checks).split(";")[0] for checks in each.values())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def available(results: Results) -> list[str]:
    """Return the names of the checkers that could run."""
    return [name for name, reason in results.contenders.items() if reason is None]


def _with_library(name: str) -> str:
    """Write `torch.autograd.gradcheck` as torch's `gradcheck`, in two words."""
    library, *_, function = name.split(".")
    return f"{library} `{function}`"


def _by(
    checks: list[Check], words: Mapping[str, str], cell: Callable, first: str, second: str
) -> list[Row]:
    """Make a row for each kind of case in the results, and one for all."""
    rows: list[Row] = [
        (first.format(what, text), second.format(what, text), found, cell)
        for what, text in words.items()
        if (found := [check for check in checks if check.what == what])
    ]
    return [*rows, ("**all**", "", checks, cell)] if checks else []


def _elements(checks: list[Check]) -> list[Row]:
    return [
        (mistake.says, f"{size:,}", found, counts.tally_caught)
        for size in sorted({int(check.subject) for check in checks})
        for what, mistake in of_elements.MISTAKES.items()
        if (found := [c for c in checks if (c.what, int(c.subject)) == (what, size)])
    ]


def _said(results: Results) -> list[Row]:
    planted = [check for check in results.checks if check.part != RIGHT]
    several, named = "of those caught, in models of several", "of those caught that have a name"
    return [
        ("named the parameter", several, planted, counts.tally_leaf_named),
        ("named the mistake", named, planted, counts.tally_mistake_named),
        ("named another mistake", "of those caught", planted, counts.tally_misnamed),
        ("no answer", "", results.checks, no_answer),
        ("CPU seconds", "median; longest", results.checks, cpu_seconds),
        ("seconds on the clock", "median; longest", results.checks, seconds),
    ]


def no_answer(checks: Sequence[Check]) -> str:
    """Write how many checks have no answer, and why."""
    reasons = [check.reason for check in checks if check.verdict == NO_ANSWER]
    each = ", ".join(f"{reasons.count(reason)} {reason}" for reason in sorted(set(reasons)))
    return f"{len(reasons)} of {len(checks)}{f' ({each})' if each else ''}"


def seconds(checks: Sequence[Check]) -> str:
    """Write the median and the longest time on the clock."""
    return _times(counts.seconds(checks))


def cpu_seconds(checks: Sequence[Check]) -> str:
    """Write the same of processors."""
    return _times(counts.cpu_seconds(checks))


def _times(found: tuple[float, float] | None) -> str:
    return f"{found[0]:.2g}; {found[1]:.2g}" if found else "-"

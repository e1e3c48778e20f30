"""Results as the tables of docs/checking.md; the same file gives the same text."""

from collections.abc import Callable, Iterator, Sequence

from benchmarks.checkers import counts, wording
from benchmarks.checkers.cases import AT_A_KINK, ELEMENTS, MISTAKES, RIGHT
from benchmarks.checkers.results import Check, Results

#: What a cell shows of the checks it is about.
Cell = Callable[[Sequence[Check]], object]

#: How each checker is asked, and what is ours in it; said of those that were.
EACH = "Each is asked with its defaults, about float64 parameters: "

ASKED = {
    "handgrad.check_gradient": "`check_gradient` at the given point and eight others",
    "jax.test_util.check_grads": "`check_grads` at the given point alone, about a `custom_vjp` "
    "function in reverse mode",
    "torch.autograd.gradcheck": "`gradcheck` at the given point alone, about a "
    "`torch.autograd.Function`",
    "scipy.optimize.check_grad": "`check_grad` at the given point alone, about the parameters as "
    "one vector",
}

COMPILED = "All but `check_gradient` are given the loss compiled."

NOTES = {
    "scipy.optimize.check_grad": (
        "`check_grad` returns a number and leaves the verdict to its caller. The rule here is "
        "ours: wrong is what exceeds a hundred times its step (1.5e-8) times the gradient's norm, "
        "or one."
    ),
    "torch.autograd.gradcheck": (
        "`gradcheck` sums what a backward pass returns to the parameter's shape, where that is "
        "possible, as PyTorch does in training: a bias gradient that was not summed is right there."
    ),
}

EXCEPTIONS = (
    "An exception that says what is wrong with a gradient's shape, type or structure counts as "
    "caught."
)

KINK = (
    "[^kink]: At a kink more than one gradient is right. Counted is who says that this one is "
    "another choice, or rejects it; who rejects it also rejects right ones, see the false alarms."
)


def markdown(results: Results) -> str:
    """All tables, with what they rest on above them and the notes below."""
    parts = [_about(results), *_absent(results)]
    asked = {check.part for check in results.checks}
    for part, title, table in (
        (MISTAKES, "Mistakes planted in whole models, caught:", _mistakes),
        (ELEMENTS, "Mistakes planted in one element of a gradient, caught:", _elements),
        (RIGHT, "Right gradients that were called wrong (fewer is better):", _right),
    ):
        parts += [title, table(results)] if part in asked else []
    parts += ["What was said, and how long it took:", _said(results), *_notes(results)]
    return "\n\n".join(parts) + "\n"


def _notes(results: Results) -> list[str]:
    """What is to be known of the checkers that were asked, and of the tables that there are."""
    asked = _asked(results)
    known = [ASKED[name] for name in asked if name in ASKED]
    how = [f"{EACH}{'; '.join(known)}."] if known else []
    compiled = [COMPILED] if known and asked != ["handgrad.check_gradient"] else []
    notes = [text for name, text in NOTES.items() if name in asked]
    kink = any(check.what == AT_A_KINK for check in results.checks if check.part == MISTAKES)
    found = [" ".join([*how, *compiled]), EXCEPTIONS, *notes, *([KINK] if kink else [])]
    return [text for text in found if text]


def _about(results: Results) -> str:
    found = results.fingerprint
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    subjects = {check.subject for check in results.checks if check.part == MISTAKES}
    cases = {check.case for check in results.checks}
    return (
        f"{len(cases)} gradients, right and wrong, {len(subjects)} models. A check that takes "
        f"longer than {results.limit:g} seconds is stopped and has given no answer. Measured on "
        f"{found['date']} at revision {found['revision']}, on {_processors(found['processors'])} "
        f"({found['processor']}, {found['machine']}, {found['system']}), with {versions}."
    )


def _processors(count: int) -> str:
    return f"{count} processor{'s' * (count != 1)}"


def _absent(results: Results) -> list[str]:
    return [
        f"Not asked: `{name}`, {reason}." for name, reason in results.contenders.items() if reason
    ]


def _asked(results: Results) -> list[str]:
    return [name for name, reason in results.contenders.items() if reason is None]


def _mistakes(results: Results) -> str:
    planted = [check for check in results.checks if check.part == MISTAKES]
    rows = [
        (f"`{slug}`", text, [check for check in planted if check.what == slug])
        for slug, text in wording.OF_MISTAKES.items()
    ]
    rows.append(("**all**", "", planted))
    return _table(results, ["mistake", "what was written"], rows, counts.tally_caught)


def _elements(results: Results) -> str:
    planted = [check for check in results.checks if check.part == ELEMENTS]
    sizes = sorted({int(check.subject) for check in planted})
    rows = [
        (text, f"{size:,}", [c for c in planted if (c.what, int(c.subject)) == (what, size)])
        for size in sizes
        for what, text in wording.OF_ELEMENTS.items()
    ]
    return _table(results, ["one element", "of so many"], rows, counts.tally_caught)


def _right(results: Results) -> str:
    right = [check for check in results.checks if check.part == RIGHT]
    rows = [
        (text, "", [check for check in right if check.what == sort])
        for sort, text in wording.OF_RIGHT_POINTS.items()
    ]
    rows.append(("**all**", "", right))
    return _table(results, ["right gradients", ""], rows, counts.tally_false_alarms)


def _said(results: Results) -> str:
    planted = [check for check in results.checks if check.part != RIGHT]
    everything = results.checks
    rows: list[tuple[str, str, Sequence[Check], Cell]] = [
        (
            "named the parameter",
            "of those caught, in models of several",
            planted,
            counts.tally_leaf_named,
        ),
        (
            "named the mistake",
            "of those caught that have a name",
            planted,
            counts.tally_mistake_named,
        ),
        ("named another mistake", "of those caught", planted, counts.tally_misnamed),
        ("no answer", "", everything, _no_answer),
        ("seconds", "median; longest", everything, _seconds),
    ]
    lines = _head(results, ["", ""])
    for first, second, checks, cell in rows:
        lines.append(_row([first, second, *_cells(results, checks, cell)]))
    return "\n".join(lines)


def _no_answer(checks: Sequence[Check]) -> str:
    reasons = [check.reason for check in checks if check.verdict == "no answer"]
    each = ", ".join(f"{reasons.count(reason)} {reason}" for reason in sorted(set(reasons)))
    return f"{len(reasons)} of {len(checks)}{f' ({each})' if each else ''}"


def _seconds(checks: Sequence[Check]) -> str:
    found = counts.seconds(checks)
    return f"{found[0]:.2g}; {found[1]:.2g}" if found else "-"


def _table(
    results: Results,
    headings: list[str],
    rows: Sequence[tuple[str, str, Sequence[Check]]],
    cell: Cell,
) -> str:
    """A table with a row for each group that was asked about, and a column for each checker."""
    lines = _head(results, headings)
    for first, second, checks in rows:
        if checks:
            lines.append(_row([first, second, *_cells(results, checks, cell)]))
    return "\n".join(lines)


def _cells(results: Results, checks: Sequence[Check], cell: Cell) -> Iterator[str]:
    for name in _asked(results):
        yield str(cell([check for check in checks if check.contender == name]))


def _head(results: Results, headings: list[str]) -> list[str]:
    columns = [*headings, *(f"`{name.split('.')[-1]}`" for name in _asked(results))]
    return [_row(columns), _row(["---"] * len(columns))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

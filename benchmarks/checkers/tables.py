"""Write answers of checkers as the tables of documents; the same file gives the same text.

A row of a table counts the checks with the same first cells, for each checker in its column.
"""

import math
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.checkers.cases import (
    AS_WRITTEN,
    AT_A_KINK,
    DERIVATIVES,
    ELEMENTS,
    GRADIENTS,
    MISTAKES,
    NO_ANSWER,
    RIGHT,
    SIZED,
    TIMES,
    TORCH,
    WRONG,
    models,
)
from benchmarks.checkers.contenders import OURS
from benchmarks.checkers.planted import limit
from benchmarks.checkers.results import Check, Planted, Results
from benchmarks.report.table import markdown as written
from models import mistakes
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE

Checks = Sequence[Check]

#: Whether something is so of a check, given the mistake; None if it does not count.
Found = Callable[[Check, Planted], bool | None]

#: Kinds that name no mistake: "unknown", and a remark on lost digits.
NO_NAME = {"unknown", "rounding"}

#: By kind, a description of the right gradients of losses.
OF_RIGHT_POINTS = {
    "ordinary": "the models above",
    "saturated": "saturated units",
    "tiny": "tiny losses",
    "huge": "huge losses",
    "badly conditioned": "badly conditioned",
    "kinked": "on a kink",
}

#: What the rows about each kind of derivative are headed by, and the kind of each, by its name.
WORDS = {
    JACOBIAN: "Jacobians",
    HESSIAN: "Hessians",
    PRODUCT: "products with Hessians",
    COMPLEX: "complex gradients",
    RULE: "rules of JAX",
}
OF_KIND = {name: model.kind for name, model in models(DERIVATIVES).items()}

#: Sizes of mistakes that are counted together, each from the first number on.
SIZES = (math.inf, 1e-2, 1e-4, 1e-7, 1e-10, 0.0)

#: What is known of what is right.
NOTHING = Planted(says="", kinds=[], lines=[], size=None, times=None)


#: A cell of a row, made of one checker's checks.
Cell = Callable[[Checks], str]

#: Rows of a table: checks, the first cells of the row in which each stands, and the other cells.
Row = tuple[Checks, Callable[[Check], tuple[str, ...]], Cell]


def markdown(results: Results) -> str:
    """Write all tables of a run, with the conditions above them."""
    conditions, *said = _of_times(results) if results.questions == TIMES else _compared(results)
    absent = [f"Not asked: `{name}`, {why}." for name, why in results.contenders.items() if why]
    return "\n\n".join([conditions, *absent, *said]) + "\n"


def in_brief(results: Results) -> str:
    """Write what is most important about gradients, for the README."""
    rows = list[Row]()
    for words, part in (
        ("planted mistakes, caught", MISTAKES),
        ("single wrong elements, caught", ELEMENTS),
        ("right gradients, called wrong", RIGHT),
    ):
        checks = _part(results, part)
        first = f"{len({check.case for check in checks})} {words}"
        rows.append((checks, lambda _, f=first: (f,), _count(results, caught)))
    word, times = _times(results)
    rows.append((results.checks, lambda _: (f"{word}, median",), times))
    names = results.available
    cells = [
        [first, *(re.split("[ ;]", cell)[0] for cell in row)] for first, *row in _cells(rows, names)
    ]
    heads = ["", *(f"{name.split('.')[0]} {_short(name)}" for name in names)]
    return written(heads, ["---", *["--:"] * len(names)], cells)


def _cells(rows: Iterable[Row], names: Sequence[str]) -> list[list[str]]:
    """Return the cells of rows, with one for each of these checkers."""
    return [
        [*cells, *(cell([check for check in alike if check.contender == name]) for name in names)]
        for checks, first, cell in rows
        for cells, alike in _grouped(checks, first).items()
    ]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], names: Sequence[str]) -> str:
    every = [*heads, *map(_short, names)]
    return written(every, ["---"] * len(every), rows)


def _short(name: str) -> str:
    return f"`{name.split('.')[-1]}`"


def _grouped(checks: Iterable[Check], key: Callable[[Check], Any]) -> dict[Any, list[Check]]:
    groups: dict[Any, list[Check]] = {}
    for check in checks:
        groups.setdefault(key(check), []).append(check)
    return groups


def _part(results: Results, *parts: str) -> Checks:
    return [check for check in results.checks if check.part in parts]


def _measured(results: Results) -> str:
    """Write the limit, the machine and the versions."""
    found = results.fingerprint
    unit = "CPU seconds" if any(check.cpu is not None for check in results.checks) else "seconds"
    plural = "s" if found["processors"] != 1 else ""
    load = f"; load before: {found['load']}" if "load" in found else ""
    return (
        f"A check is stopped after {results.limit:g} {unit}. Measured on {found['date']} at "
        f"revision {found['revision']}, on {found['processors']} processor{plural} "
        f"({found['processor']}, {found['machine']}, {found['system']}{load}), with "
        f"{', '.join(f'{name} {version}' for name, version in found['versions'].items())}."
    )


# What is so of a check.


def caught(check: Check, _: Planted = NOTHING) -> bool:
    """Whether a mistake was reported, of what is right a false alarm.

    At a kink `>=` for `>` is another valid choice: passing it with that remark counts as caught.
    """
    return check.verdict == WRONG or (check.what == AT_A_KINK and "convention" in check.kinds)


def is_larger(check: Check, mistake: Planted) -> bool:
    """Whether a mistake is larger than rounding explains; another shape is."""
    return mistake["times"] is None or mistake["times"] >= limit(check.format)


def leaf_named(check: Check, _: Planted) -> bool | None:
    """Whether a caught mistake, where there are several parameters, is blamed on wrong ones only.

    Where every parameter is wrong, blaming one of them is right as well. At a kink none is wrong.
    """
    several = caught(check) and check.parameters > 1 and check.what != AT_A_KINK
    if not (several and check.wrong_leaves):
        return None
    return bool(check.leaves) and {*check.leaves} <= {*check.wrong_leaves}


def named(check: Check, mistake: Planted) -> bool | None:
    """Whether a caught mistake that has a name was called by it, or by its line."""
    lines, kinds = mistake["lines"], {*mistake["kinds"]} - NO_NAME
    if not caught(check) or not (kinds or lines):
        return None
    quoted = any(text in line for text in lines for line in check.lines)
    return quoted or not kinds.isdisjoint(check.kinds)


def misnamed(check: Check, mistake: Planted) -> bool | None:
    """Whether a caught mistake was given a wrong name."""
    wrong = {*check.kinds} - NO_NAME - {*mistake["kinds"]}
    return bool(wrong) if caught(check) else None


def answered(checks: Checks) -> Checks:
    """Return the checks with an answer."""
    return [check for check in checks if check.verdict != NO_ANSWER]


# Rows of comparisons.


def _compared(results: Results) -> list[str]:
    """Return the conditions, and the tables that compare what checkers say."""
    planted, right = _part(results, MISTAKES, ELEMENTS), _part(results, RIGHT)
    subjects = len({check.subject for check in _part(results, MISTAKES) or results.checks})
    wrong_ones, right_ones = (len({check.case for check in part}) for part in (planted, right))
    conditions = f"{subjects} models, {wrong_ones} wrong derivatives and {right_ones} right ones."
    names = results.available
    # Where all say the same there is nothing to compare.
    cells = [r for r in _cells(_rows(results), names) if len({*r[2:]}) > 1 or len(names) == 1]
    found = [f"{conditions} {_measured(results)}", _table(["", ""], cells, names)]
    return found + (_missed(results) if results.questions != GRADIENTS else [])


def _count(results: Results, found: Found) -> Cell:
    """Return what counts the checks of which something is so, among those that count."""

    def cell(checks: Checks) -> str:
        each = [(c, found(c, results.planted.get(c.case, NOTHING))) for c in checks]
        known = [(check, is_so) for check, is_so in each if is_so is not None]
        none = sum(check.verdict == NO_ANSWER and not is_so for check, is_so in known)
        unanswered = f" ({none} no answer)" if none else ""
        return f"{sum(so for _, so in known)} of {len(known)}{unanswered}" if known else "-"

    return cell


def _rows(results: Results) -> Iterator[Row]:
    """Yield the rows of a comparison: what was caught, called wrong, named, and in what time."""
    planted, single, right = (_part(results, part) for part in (MISTAKES, ELEMENTS, RIGHT))
    every, about, is_caught = [*planted, *single], results.planted, _count(results, caught)
    if results.questions == GRADIENTS:
        order = {what: place for place, what in enumerate(mistakes.MISTAKES)}
        planted = sorted(planted, key=lambda c: order.get(c.what, len(order)))
        kinds = len({check.what for check in planted})

        def says(check: Check) -> str:
            note = " [^kink]" if check.what == AT_A_KINK else ""
            return f"{about[check.case]['says']}{note}"

        yield planted, lambda c: ("caught", f"`{c.what}`: {says(c)}"), is_caught
        yield planted, lambda _: ("caught", f"all {kinds} kinds in whole models"), is_caught
        yield single, lambda c: ("caught", f"in one element: {says(c)}"), is_caught
        yield right, lambda c: ("called wrong", f"right ones: {OF_RIGHT_POINTS[c.what]}"), is_caught
        yield right, lambda _: ("called wrong", "all right ones"), is_caught
    else:
        groups = _grouped(results.checks, lambda c: c.format or WORDS[OF_KIND[c.subject]])
        for group, checks in groups.items():
            wrong, others = ([c for c in checks if c.part == part] for part in (MISTAKES, RIGHT))
            by_size = _grouped(wrong, lambda c: is_larger(c, about[c.case]))
            for words, alike, found in (
                ("mistakes larger than rounding, caught", by_size.get(True, []), caught),
                ("smaller mistakes, caught", by_size.get(False, []), caught),
                ("right ones called wrong", others, caught),
                ("named the mistake, of those caught", wrong, named),
            ):
                yield alike, lambda _, cells=(group, words): cells, _count(results, found)
    if results.questions == DERIVATIVES:
        by_size = sorted(planted, key=lambda c: _size(about[c.case]), reverse=True)
        yield by_size, lambda c: ("caught", _of_size(about[c.case])), is_caught
        yield right, lambda c: ("called wrong", f"right ones {_way(c)}"), is_caught
    elif results.questions == TORCH:
        first = {(c.subject, c.what): about[c.case] for c in reversed(planted)}

        def sized(check: Check) -> tuple[str, str]:
            of = first[check.subject, check.what]
            size = "" if of["size"] is None else f", size {of['size']:.1g}"
            return f"caught in{size}", f"{check.subject}: {of['says']}"

        yield planted, sized, _caught_in
    whose = {GRADIENTS: "the parameter, of several", TORCH: "the argument"}
    element = whose.get(results.questions, "a wrong element")
    yield every, lambda _: ("named", f"{element}, of those caught"), _count(results, leaf_named)
    if results.questions == GRADIENTS:
        yield every, lambda _: ("named", "the mistake"), _count(results, named)
    yield every, lambda _: ("named", "another mistake"), _count(results, misnamed)
    yield results.checks, lambda _: ("no answer", ""), _no_answer
    word, times = _times(results)
    yield results.checks, lambda _: (word, "median; longest"), times


def _size(mistake: Planted) -> float:
    """Return a mistake's size, infinite for another shape."""
    return math.inf if mistake["size"] is None else mistake["size"]


def _of_size(mistake: Planted) -> str:
    above, least = next(two for two in pairwise(SIZES) if _size(mistake) >= two[1])
    first = "another shape, or " if above == math.inf else f"below {above:g}, "
    return f"{first}from {least:g} on" if least else f"below {above:g}"


def _way(check: Check) -> str:
    if not check.case.endswith("/0"):
        return "at points that are hard"
    return "as written" if check.what == AS_WRITTEN else "rewritten"


def _caught_in(checks: Checks) -> str:
    """Write the formats in which a mistake is caught, of those with an answer."""
    asked = answered(checks)
    formats = [check.format for check in asked if caught(check)]
    if not asked:
        return "-"
    return "all" if len(formats) == len(asked) else ", ".join(formats) or "none"


def _no_answer(checks: Checks) -> str:
    """Write how many checks have no answer, and why."""
    reasons = [check.reason for check in checks if check.verdict == NO_ANSWER]
    each = ", ".join(f"{reasons.count(reason)} {reason}" for reason in sorted({*reasons}))
    return f"{len(reasons)} of {len(checks)}{f' ({each})' if each else ''}"


def _times(results: Results) -> tuple[str, Cell]:
    """Return the unit, and what writes the median and the longest time of those with an answer.

    Seconds of processors, once they are recorded of all, else those on the clock.
    """
    recorded = all(check.cpu is not None for check in answered(results.checks))

    def spread(checks: Checks) -> str:
        known = [(c.cpu if recorded else c.seconds) or 0.0 for c in answered(checks)]
        return f"{statistics.median(known):.2g}; {max(known):.2g}" if known else "-"

    return "CPU seconds" if recorded else "seconds", spread


def _missed(results: Results) -> list[str]:
    """Write the largest mistake, beside rounding, of those that each checker missed."""
    each = []
    for name, checks in _grouped(answered(_part(results, MISTAKES)), lambda c: c.contender).items():
        sizes = {
            f"({c.subject}{f' in {c.format}' if c.format else ''}, `{c.what}`)": times
            for c in checks
            if not caught(c) and (times := results.planted[c.case]["times"] or math.inf)
        }
        if sizes:
            largest = max(sizes, key=lambda which: (sizes[which], which))
            each.append(f"{_short(name)} {sizes[largest]:.2g} times rounding {largest}")
    return [f"The largest that were missed: {', '.join(each)}."] if each else []


# Times of checks: those of one checker about one model are the calls of one row.


def _of_times(results: Results) -> list[str]:
    """Return the conditions, and the tables of times."""
    ours = _ours(results)
    names = [name for name in results.available if name != OURS]

    def first(check: Check) -> tuple[str, ...]:
        calls = ours[check.subject]
        return SIZED[check.subject].name, f"{max(c.elements for c in calls):,}", points(calls)

    heads = ["network, examples", "parameters", "points judged", "first, later calls"]
    # Earlier runs have networks at one point alone as well.
    checks = [c for c in results.checks if c.subject in ours and c.subject in SIZED]
    rows = _cells([(checks, first, both)], [OURS, *names])
    return [_measured(results), *([_table(heads, rows, names)] if rows else [])]


def _ours(results: Results) -> dict[str, list[Check]]:
    """Return the calls of our check about each model."""
    ours = (check for check in results.checks if check.contender == OURS)
    return _grouped(ours, lambda check: check.subject)


def failed(results: Results) -> list[str]:
    """Return our checks that have no time, a line for each model."""
    asked = _ours(results) if results.questions == TIMES else {}
    return [f"{name}: {why}" for name, calls in asked.items() if (why := no_time(calls))]


def no_time(calls: Checks) -> str:
    """Return why there is no time: it was stopped, or the first verdict that is not right."""
    others = [call for call in calls if call.verdict != RIGHT or call.reason]
    first = min(others, key=lambda call: call.verdict != NO_ANSWER, default=None)
    return (first.reason or first.verdict) if first else ""


def points(calls: Checks) -> str:
    """Write how many points were judged, and how many elements if not all were."""
    least, most = (which(call.points for call in calls) for which in (min, max))
    text = f"{least} to {most}" if least < most else str(most)
    if all(call.judged == call.elements for call in calls):
        return text
    return f"{text}, and {min(c.judged for c in calls):,} of {calls[0].elements:,} elements"


def both(calls: Checks) -> str:
    """Write the medians of the first and the later calls; a peer's count whatever it says."""
    if not calls:
        return "-"
    said = no_time(calls)
    if said and (calls[0].contender == OURS or len(answered(calls)) < len(calls)):
        return f"no time: {said}"
    each = ([c.seconds for c in calls if bool(c.call) == later] for later in (False, True))
    medians = (statistics.median(times) if times else math.nan for times in each)
    two = (f"{s:.2g}" if s < 99.5 else f"{s:.0f}" for s in medians)
    return f"{', '.join(two)} s{f' ({said})' if said else ''}"

"""Write answers of checkers as the tables of documents; the same file gives the same text.

A row of a table counts the checks with the same first cells, for each checker in its column.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from benchmarks.checkers.cases import (
    AS_WRITTEN,
    AT_A_KINK,
    DERIVATIVES,
    ELEMENTS,
    GRADIENTS,
    MISTAKES,
    RIGHT,
    SIZED,
    TIMES,
    TORCH,
    subjects,
)
from benchmarks.checkers.contenders import OURS
from benchmarks.checkers.planted import limit
from benchmarks.checkers.question import NO_ANSWER, WRONG
from benchmarks.checkers.question import RIGHT as SAYS_RIGHT
from benchmarks.checkers.results import Check, Planted, Results
from benchmarks.checkers.run import BITS, SIDES
from benchmarks.report import units
from benchmarks.report.table import markdown as written
from benchmarks.statistics import CONFIDENCE, Interval
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
OF_KIND = {subject.name: subject.kind for subject in subjects(DERIVATIVES)}

#: What rows are about.
CAUGHT, ALARMS, NAMED = "caught", "called wrong", "named"

#: Sizes of mistakes that are counted together, each from the first number on.
SIZES = (math.inf, 1e-2, 1e-4, 1e-7, 1e-10, 0.0)

#: What is known of what is right.
NOTHING = Planted(says="", kinds=[], lines=[], size=None, times=None)


#: A cell of a row, made of one checker's checks.
Cell = Callable[[Checks], str]

#: Rows of a table: checks, the first cells of the row in which each stands, and the other cells.
Rows = tuple[Checks, Callable[[Check], tuple[str, ...]], Cell]


def markdown(results: Results) -> str:
    """Write all tables of a run, with the conditions above them."""
    conditions, *said = _of_times(results) if results.questions == TIMES else _compared(results)
    absent = [f"Not asked: `{name}`, {why}." for name, why in results.contenders.items() if why]
    return "\n\n".join([conditions, *absent, *said]) + "\n"


def in_brief(results: Results) -> str:
    """Write what is most important about gradients, for the README."""
    count, rows = _count(results, caught), list[Rows]()
    for words, part in (
        ("planted mistakes, caught", MISTAKES),
        ("single wrong elements, caught", ELEMENTS),
        ("right gradients, called wrong", RIGHT),
    ):
        checks = _part(results, part)
        first = f"{len({check.case for check in checks})} {words}"
        rows.append((checks, lambda _, f=first: (f,), lambda of: count(of).split()[0]))
    word, times = _times(results)
    rows.append(
        (results.checks, lambda _: (f"{word}, median",), lambda of: times(of).split(";")[0])
    )
    names = results.available
    heads = ["", *(f"{name.split('.')[0]} {_short(name)}" for name in names)]
    return written(heads, ["---", *["--:"] * len(names)], _cells(rows, names))


def _cells(rows: Iterable[Rows], names: Sequence[str]) -> list[list[str]]:
    """Return the cells of rows, with one for each of these checkers."""
    return [
        [*cells, *(cell([check for check in alike if check.contender == name]) for name in names)]
        for checks, first, cell in rows
        for cells, alike in _grouped(checks, first).items()
    ]


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
        f"{_calibrated(results.calibration)}"
    )


def _calibrated(samples: Sequence[float]) -> str:
    if not samples:
        return ""
    product = "{} × {} by {} × {}".format(*SIDES[:2], *SIDES[1:])
    return (
        f" To compare machines by: a product of balls, {product} at {BITS} bits, takes "
        f"{units.seconds(statistics.median(samples))} (in its processes "
        f"{units.interval(min(samples), max(samples))}) there."
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
    models = len({check.subject for check in _part(results, MISTAKES) or results.checks})
    wrong_ones, right_ones = (len({check.case for check in part}) for part in (planted, right))
    conditions = f"{models} models, {wrong_ones} wrong derivatives and {right_ones} right ones."
    names = results.available
    cells = _cells([*_ROWS[results.questions](results), *_said(results)], names)
    # Where all say the same there is nothing to compare.
    rows = [row for row in cells if len({*row[2:]}) > 1 or len(names) == 1]
    found = [f"{conditions} {_measured(results)}", _table(["", ""], rows, names)]
    return found + (_missed(results) if results.questions != GRADIENTS else [])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], names: Sequence[str]) -> str:
    every = [*heads, *map(_short, names)]
    return written(every, ["---"] * len(every), rows)


def _count(results: Results, found: Found) -> Cell:
    """Return what counts the checks of which something is so, among those that count."""

    def cell(checks: Checks) -> str:
        each = [(c, found(c, results.planted.get(c.case, NOTHING))) for c in checks]
        known = [(check, is_so) for check, is_so in each if is_so is not None]
        none = sum(check.verdict == NO_ANSWER and not is_so for check, is_so in known)
        unanswered = f" ({none} no answer)" if none else ""
        return f"{sum(so for _, so in known)} of {len(known)}{unanswered}" if known else "-"

    return cell


def _of_gradients(results: Results) -> list[Rows]:
    order = {what: place for place, what in enumerate(mistakes.MISTAKES)}
    whole = sorted(_part(results, MISTAKES), key=lambda c: order.get(c.what, len(order)))
    kinds, right = len({check.what for check in whole}), _part(results, RIGHT)
    is_caught = _count(results, caught)

    def says(check: Check) -> str:
        note = " [^kink]" if check.what == AT_A_KINK else ""
        return f"{results.planted[check.case]['says']}{note}"

    return [
        (whole, lambda c: (CAUGHT, f"`{c.what}`: {says(c)}"), is_caught),
        (whole, lambda _: (CAUGHT, f"all {kinds} kinds in whole models"), is_caught),
        (_part(results, ELEMENTS), lambda c: (CAUGHT, f"in one element: {says(c)}"), is_caught),
        (right, lambda c: (ALARMS, f"right ones: {OF_RIGHT_POINTS[c.what]}"), is_caught),
        (right, lambda _: (ALARMS, "all right ones"), is_caught),
    ]


def _of_derivatives(results: Results) -> list[Rows]:
    def least(check: Check) -> float:
        """Return the first of the sizes that a mistake is counted with."""
        size = results.planted[check.case]["size"]
        return SIZES[1] if size is None else next(least for least in SIZES if size >= least)

    def of_size(check: Check) -> tuple[str, str]:
        above, size = SIZES[SIZES.index(least(check)) - 1], least(check)
        first = "another shape, or " if above == math.inf else f"below {above:g}, "
        return CAUGHT, f"{first}from {size:g} on" if size else f"below {above:g}"

    def how(check: Check) -> tuple[str, str]:
        if not check.case.endswith("/0"):
            return ALARMS, "right ones at points that are hard"
        return ALARMS, "right ones " + ("as written" if check.what == AS_WRITTEN else "rewritten")

    by_size = sorted(_part(results, MISTAKES), key=least, reverse=True)
    return [
        *_by_group(results),
        (by_size, of_size, _count(results, caught)),
        (_part(results, RIGHT), how, _count(results, caught)),
    ]


def _of_torch(results: Results) -> list[Rows]:
    """Return also a row for each mistake, with its size and the formats in which it is caught."""
    planted = _part(results, MISTAKES)
    known = {(c.subject, c.what): results.planted[c.case] for c in reversed(planted)}

    def first(check: Check) -> tuple[str, str]:
        about = known[check.subject, check.what]
        size = "" if about["size"] is None else f", size {about['size']:.1g}"
        return f"caught in{size}", f"{check.subject}: {about['says']}"

    return [*_by_group(results), (planted, first, _caught_in)]


def _by_group(results: Results) -> Iterator[Rows]:
    """Yield the rows about each format of torch or kind of derivative."""
    groups = _grouped(results.checks, lambda c: c.format or WORDS[OF_KIND[c.subject]])
    for group, every in groups.items():
        planted, right = ([c for c in every if c.part == part] for part in (MISTAKES, RIGHT))
        by_size = _grouped(planted, lambda c: is_larger(c, results.planted[c.case]))
        for words, checks, found in (
            ("mistakes larger than rounding, caught", by_size.get(True, []), caught),
            ("smaller mistakes, caught", by_size.get(False, []), caught),
            ("right ones called wrong", right, caught),
            ("named the mistake, of those caught", planted, named),
        ):
            yield checks, lambda _, cells=(group, words): cells, _count(results, found)


def _caught_in(checks: Checks) -> str:
    """Write the formats in which a mistake is caught, of those with an answer."""
    asked = answered(checks)
    formats = [check.format for check in asked if caught(check)]
    if not asked:
        return "-"
    return "all" if len(formats) == len(asked) else ", ".join(formats) or "none"


def _said(results: Results) -> list[Rows]:
    """Return the rows of what was named, and how long it took."""
    every, planted = results.checks, _part(results, MISTAKES, ELEMENTS)
    whose = {GRADIENTS: "the parameter, of several", TORCH: "the argument"}
    element = whose.get(results.questions, "a wrong element")
    word, times = _times(results)
    whole = planted if results.questions == GRADIENTS else []
    return [
        (planted, lambda _: (NAMED, f"{element}, of those caught"), _count(results, leaf_named)),
        (whole, lambda _: (NAMED, "the mistake"), _count(results, named)),
        (planted, lambda _: (NAMED, "another mistake"), _count(results, misnamed)),
        (every, lambda _: ("no answer", ""), _no_answer),
        (every, lambda _: (word, "median; longest"), times),
    ]


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


#: The rows of each comparison, before those that all have.
_ROWS: dict[str, Callable[[Results], list[Rows]]] = {
    GRADIENTS: _of_gradients,
    DERIVATIVES: _of_derivatives,
    TORCH: _of_torch,
}


# Times of checks: those of one checker about one model are the calls of one row.


def _of_times(results: Results) -> list[str]:
    """Return the conditions, and the tables of times."""
    asked = _grouped(results.checks, lambda check: (check.subject, check.contender == OURS))
    names = [name for name in results.available if name != OURS]
    rows, equal, alone = [], [], []
    for subject, of in SIZED.items():
        if calls := asked.get((subject, True)):
            judged, why = points(calls), no_time(calls)
            if of.one_point:
                some = "" if whole(calls) else f"; points: {judged}"
                equal.append(calls)
                alone.append(f"{both(calls)} ({of.words}{some})")
            else:
                size, times = max(c.elements for c in calls), f"no time: {why}"
                first = of.words, f"{size:,}", judged, times if why else both(calls)
                others = _grouped(asked.get((subject, False), ()), lambda c: c.contender)
                rows.append([*first, *(both(others.get(name, ())) for name in names)])
    found = [_measured(results)]
    if rows:
        heads = ["network, examples", "parameters", "points judged", "first, later calls"]
        found.append(_table(heads, rows, names))
    if equal:
        found.append(
            "At one point alone (`points=0`), with one batch, the first and the later calls take "
            f"{'; '.join(alone)}."
        )
    if power := growth(equal):
        (middle, low, high), steps = power
        found[-1] += (
            f" The later calls of these {len(steps) + 1} grow with the number of parameters "
            f"to the power of {middle:.2f} (with 95 % confidence {low:.2f} to {high:.2f}; "
            f"least squares of the logarithms); from each size to the next by "
            f"{', '.join(f'{step:.2f}' for step in steps)}."
        )
    return found


def failed(results: Results) -> list[str]:
    """Return our checks that have no time, a line for each model."""
    ours = [check for check in results.checks if check.contender == OURS]
    asked = _grouped(ours if results.questions == TIMES else (), lambda check: check.subject)
    return [f"{name}: {why}" for name, calls in asked.items() if (why := no_time(calls))]


def no_time(calls: Checks) -> str:
    """Return why there is no time: it was stopped, or the first verdict that is not right."""
    others = [call for call in calls if call.verdict != SAYS_RIGHT or call.reason]
    first = min(others, key=lambda call: call.verdict != NO_ANSWER, default=None)
    return (first.reason or first.verdict) if first else ""


def whole(calls: Checks) -> bool:
    """Whether every element was judged in every call."""
    return all(call.judged == call.elements for call in calls)


def points(calls: Checks) -> str:
    """Write how many points were judged, and how many elements if not all were."""
    least, most = (which(call.points for call in calls) for which in (min, max))
    text = f"{least} to {most}" if least < most else str(most)
    if whole(calls):
        return text
    return f"{text}, and {min(c.judged for c in calls):,} of {calls[0].elements:,} elements"


def both(calls: Checks) -> str:
    """Write the first and the later calls of a peer, whose time counts whatever it says."""
    if not calls:
        return "-"
    said = no_time(calls)
    if len(answered(calls)) < len(calls):
        return f"no time: {said}"
    two = (f"{s:.2g}" if s < 99.5 else f"{s:.0f}" for s in _first_and_later(calls))
    return f"{', '.join(two)} s{f' ({said})' if said else ''}"


def _first_and_later(calls: Checks) -> tuple[float, float]:
    """Return the medians of the first calls in their processes and of the others; NaN of none."""
    each = ([c.seconds for c in calls if bool(c.call) == later] for later in (False, True))
    first, later = (statistics.median(times) if times else math.nan for times in each)
    return first, later


def growth(rows: Iterable[Checks]) -> tuple[Interval, list[float]] | None:
    """Fit the exponent of the later calls' time in the number of parameters, with its interval.

    By least squares of the logarithms; the interval is Student's. Then the exponents from each size
    to the next larger one. What counts is right, every element judged; None of fewer than three.
    """
    import numpy as np
    from scipy.special import stdtrit

    right = (calls for calls in rows if not no_time(calls) and whole(calls))
    found = {calls[0].elements: _first_and_later(calls)[1] for calls in right}
    if len(found) < 3:
        return None
    x, y = np.log(sorted(found.items())).T
    (slope, _), covariance = np.polyfit(x, y, 1, cov=True)
    half = math.sqrt(covariance[0, 0]) * float(stdtrit(len(x) - 2, (1 + CONFIDENCE) / 2))
    interval = Interval(float(slope), float(slope) - half, float(slope) + half)
    return interval, (np.diff(y) / np.diff(x)).tolist()

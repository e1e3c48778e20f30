"""Write answers of checkers as the tables of documents; the same file gives the same text."""

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, Self

from benchmarks.checkers.cases import (
    AS_WRITTEN,
    AT_A_KINK,
    DERIVATIVES,
    ELEMENTS,
    GRADIENTS,
    MISTAKES,
    RIGHT,
    TIMES,
    TORCH,
    subjects,
)
from benchmarks.checkers.contenders import OURS
from benchmarks.checkers.limits import limit
from benchmarks.checkers.question import NO_ANSWER, WRONG
from benchmarks.checkers.question import RIGHT as SAYS_RIGHT
from benchmarks.checkers.results import Check, Planted, Results
from benchmarks.checkers.run import BITS, SIDES
from benchmarks.checkers.subjects import EQUAL, NETWORKS, OTHERS, SIZED
from benchmarks.report import units
from benchmarks.report.table import markdown as written
from benchmarks.statistics import CONFIDENCE, Interval
from models import mistakes
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE

Checks = Sequence[Check]
Known = Mapping[str, Planted]  #: what is known of mistakes, by case

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
SIZES = (1e-2, 1e-4, 1e-7, 1e-10, 0.0)


class Tally(NamedTuple):
    """A count out of a total."""

    yes: int
    of: int
    no_answer: int = 0

    @classmethod
    def counted(cls, found: Iterable[object], no_answer: int = 0) -> Self:
        """Count what is true."""
        each = [*map(bool, found)]
        return cls(sum(each), len(each), no_answer)

    def __str__(self) -> str:
        if not self.of:
            return "-"
        unanswered = f" ({self.no_answer} no answer)" if self.no_answer else ""
        return f"{self.yes} of {self.of}{unanswered}"


class Row(NamedTuple):
    """A row of a table: its first cells, and what makes a cell of each checker's checks."""

    first: Sequence[str]
    checks: Checks
    cell: Callable[[Checks], object]


def markdown(results: Results) -> str:
    """Write all tables of a run, with the conditions above them."""
    conditions, *said = _of_times(results) if results.questions == TIMES else _compared(results)
    absent = [f"Not asked: `{name}`, {why}." for name, why in results.contenders.items() if why]
    return "\n\n".join([conditions, *absent, *said]) + "\n"


def in_brief(results: Results) -> str:
    """Write what is most important about gradients, for the README."""
    names = results.available
    asked = _grouped(results.checks, lambda check: (check.contender, check.part))
    word, times = _times(results)
    rows = [
        Row(
            [f"{len(asked.get((names[0], part), ()))} {words}"],
            _part(results, part),
            lambda checks, tally=tally: tally(checks).yes,
        )
        for words, part, tally in (
            ("planted mistakes, caught", MISTAKES, tally_caught),
            ("single wrong elements, caught", ELEMENTS, tally_caught),
            ("right gradients, called wrong", RIGHT, tally_false_alarms),
        )
    ]
    median = Row([f"{word}, median"], results.checks, lambda found: times(found).split(";")[0])
    heads = ["", *(f"{name.split('.')[0]} {_short(name)}" for name in names)]
    cells = [[*row.first, *_said_by(row, names)] for row in (*rows, median)]
    return written(heads, ["---", *["--:"] * len(names)], cells)


def table(heads: Sequence[str], rows: Iterable[Row], names: Sequence[str]) -> str:
    """Write rows as a table with a column for each of these checkers."""
    every = [*heads, *map(_short, names)]
    cells = [[*row.first, *_said_by(row, names)] for row in rows]
    return written(every, ["---"] * len(every), cells)


def _said_by(row: Row, names: Sequence[str]) -> list[str]:
    each = _grouped(row.checks, lambda check: check.contender)
    return [str(row.cell(each.get(name, ()))) for name in names]


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


def _compared(results: Results) -> list[str]:
    """Return the conditions, and the tables that compare what checkers say."""
    planted, right = _part(results, MISTAKES, ELEMENTS), _part(results, RIGHT)
    models = len({check.subject for check in _part(results, MISTAKES) or results.checks})
    wrong_ones, right_ones = (len({check.case for check in part}) for part in (planted, right))
    conditions = f"{models} models, {wrong_ones} wrong derivatives and {right_ones} right ones."
    names = results.available
    every = [row for made in _ROWS[results.questions] for row in made(results) if row.checks]
    # Where all say the same there is nothing to compare.
    rows = [row for row in every if len({*_said_by(row, names)}) > 1 or len(names) == 1]
    found = [f"{conditions} {_measured(results)}", table(["", ""], rows, names)]
    return found + ([_missed(results)] if results.questions != GRADIENTS else [])


# Counts.


def caught(check: Check) -> bool:
    """Whether the mistake was reported.

    At a kink `>=` for `>` is another valid choice: passing it with that remark counts as caught.
    """
    return check.verdict == WRONG or (check.what == AT_A_KINK and "convention" in check.kinds)


def answered(checks: Checks) -> Checks:
    """Return the checks with an answer."""
    return [check for check in checks if check.verdict != NO_ANSWER]


def tally_caught(checks: Checks) -> Tally:
    """Count the planted mistakes that were caught."""
    unanswered = sum(check.verdict == NO_ANSWER and not caught(check) for check in checks)
    return Tally.counted(map(caught, checks), unanswered)


def tally_false_alarms(checks: Checks) -> Tally:
    """Count the right derivatives that were called wrong."""
    alarms = (check.verdict == WRONG for check in checks)
    return Tally.counted(alarms, len(checks) - len(answered(checks)))


def tally_leaf_named(checks: Checks) -> Tally:
    """Count caught mistakes, where there are several parameters, blamed on wrong ones only.

    Where every parameter is wrong, blaming one of them is right as well. At a kink none is wrong.
    """
    several = (c for c in checks if caught(c) and c.parameters > 1 and c.wrong_leaves)
    return Tally.counted(
        c.leaves and {*c.leaves} <= {*c.wrong_leaves} for c in several if c.what != AT_A_KINK
    )


def tally_named(planted: Known, checks: Checks) -> Tally:
    """Count caught mistakes that have a name and were called by it, or by their line."""
    named = []
    for check in filter(caught, checks):
        lines, kinds = planted[check.case]["lines"], {*planted[check.case]["kinds"]} - NO_NAME
        if kinds or lines:
            quoted = any(text in line for text in lines for line in check.lines)
            named.append(quoted or kinds & {*check.kinds})
    return Tally.counted(named)


def tally_misnamed(planted: Known, checks: Checks) -> Tally:
    """Count caught mistakes that were given a wrong name."""
    return Tally.counted(
        {*check.kinds} - NO_NAME - {*planted[check.case]["kinds"]}
        for check in filter(caught, checks)
    )


def is_larger(planted: Known, check: Check) -> bool:
    """Whether a mistake is larger than rounding explains; another shape is."""
    times = planted[check.case]["times"]
    return times is None or times >= limit(check.format)


def no_answer(checks: Checks) -> str:
    """Write how many checks have no answer, and why."""
    reasons = [check.reason for check in checks if check.verdict == NO_ANSWER]
    each = ", ".join(f"{reasons.count(reason)} {reason}" for reason in sorted({*reasons}))
    return f"{len(reasons)} of {len(checks)}{f' ({each})' if each else ''}"


def seconds(checks: Checks) -> str:
    """Write the median and the longest time on the clock of the checks with an answer."""
    return _spread([check.seconds for check in answered(checks)])


def cpu_seconds(checks: Checks) -> str:
    """Write the same of processors, where it is recorded of all."""
    return _spread([check.cpu for check in answered(checks)])


def _spread(found: Sequence[float | None]) -> str:
    known = [time for time in found if time is not None]
    if not known or len(known) < len(found):
        return "-"
    return f"{statistics.median(known):.2g}; {max(known):.2g}"


# Rows of comparisons.


def _rows(
    checks: Iterable[Check],
    key: Callable[[Check], Any],
    first: Callable[[Check], Sequence[str]],
    cell: Callable[[Checks], object],
) -> list[Row]:
    """Return a row for the checks that are alike, with first cells for one of them."""
    return [Row(first(alike[0]), alike, cell) for alike in _grouped(checks, key).values()]


def _by_mistake(results: Results) -> Iterator[Row]:
    order = {what: place for place, what in enumerate(mistakes.MISTAKES)}
    checks = sorted(_part(results, MISTAKES), key=lambda c: order.get(c.what, len(order)))

    def first(check: Check) -> Sequence[str]:
        note = " [^kink]" if check.what == AT_A_KINK else ""
        return CAUGHT, f"`{check.what}`: {results.planted[check.case]['says']}{note}"

    yield from _rows(checks, lambda check: check.what, first, tally_caught)
    kinds = len({check.what for check in checks})
    yield Row((CAUGHT, f"all {kinds} kinds in whole models"), checks, tally_caught)


def _by_element(results: Results) -> list[Row]:
    def first(check: Check) -> Sequence[str]:
        return CAUGHT, f"in one element: {results.planted[check.case]['says']}"

    checks = _part(results, ELEMENTS)
    return _rows(checks, lambda check: check.what, first, tally_caught)


def _by_point(results: Results) -> Iterator[Row]:
    checks = _part(results, RIGHT)

    def first(check: Check) -> Sequence[str]:
        return ALARMS, f"right ones: {OF_RIGHT_POINTS[check.what]}"

    yield from _rows(checks, lambda check: check.what, first, tally_false_alarms)
    yield Row((ALARMS, "all right ones"), checks, tally_false_alarms)


def _said(results: Results) -> Iterator[Row]:
    """Yield what was named, and how long it took."""
    every, known = results.checks, results.planted
    planted = _part(results, MISTAKES, ELEMENTS)
    whose = {GRADIENTS: "the parameter, of several", TORCH: "the argument"}
    element = whose.get(results.questions, "a wrong element")
    yield Row((NAMED, f"{element}, of those caught"), planted, tally_leaf_named)
    if results.questions == GRADIENTS:
        yield Row((NAMED, "the mistake"), planted, partial(tally_named, known))
    yield Row((NAMED, "another mistake"), planted, partial(tally_misnamed, known))
    yield Row(("no answer", ""), every, no_answer)
    word, times = _times(results)
    yield Row((word, "median; longest"), every, times)


def _times(results: Results) -> tuple[str, Callable[[Checks], str]]:
    """Return seconds of processors, once they are recorded of all, else those on the clock."""
    recorded = all(check.cpu is not None for check in answered(results.checks))
    return ("CPU seconds", cpu_seconds) if recorded else ("seconds", seconds)


def _by_group(results: Results) -> Iterator[Row]:
    """Yield the rows about each format of torch or kind of derivative."""
    torch, known = results.questions == TORCH, results.planted
    found = _grouped(results.checks, lambda check: check.format or OF_KIND[check.subject])
    for group in found if torch else filter(found.get, WORDS):
        every, first = found[group], WORDS.get(group, group)
        planted = [check for check in every if check.part == MISTAKES]
        right = [check for check in every if check.part == RIGHT]
        by_size = _grouped(planted, partial(is_larger, known))
        each: list[tuple[str, Checks, Callable[[Checks], object]]] = [
            ("mistakes larger than rounding, caught", by_size.get(True, []), tally_caught),
            ("smaller mistakes, caught", by_size.get(False, []), tally_caught),
            ("right ones called wrong", right, tally_false_alarms),
            ("named the mistake, of those caught", planted, partial(tally_named, known)),
        ]
        for words, checks, cell in each:
            if checks or torch:
                yield Row((first, words), checks, cell)


def _by_size(results: Results) -> Iterator[Row]:
    """Yield a row for the mistakes of each range of sizes, relative to the largest element."""

    def least(check: Check) -> float:
        size = results.planted[check.case]["size"]
        return SIZES[0] if size is None else next(least for least in SIZES if size >= least)

    found = _grouped(_part(results, MISTAKES), least)
    for above, size in pairwise((math.inf, *SIZES)):
        first = "another shape, or " if above == math.inf else f"below {above:g}, "
        words = f"{first}from {size:g} on" if size else f"below {above:g}"
        if size in found:
            yield Row((CAUGHT, words), found[size], tally_caught)


def _right_ones(results: Results) -> list[Row]:
    def how(check: Check) -> str:
        if not check.case.endswith("/0"):
            return "right ones at points that are hard"
        return "right ones " + ("as written" if check.what == AS_WRITTEN else "rewritten")

    return _rows(_part(results, RIGHT), how, lambda c: (ALARMS, how(c)), tally_false_alarms)


def _by_format(results: Results) -> list[Row]:
    """Return a row for each mistake, with its size and the formats in which it is caught."""

    def first(check: Check) -> Sequence[str]:
        known = results.planted[check.case]
        size = "" if known["size"] is None else f", size {known['size']:.1g}"
        return f"caught in{size}", f"{check.subject}: {known['says']}"

    checks = _part(results, MISTAKES)
    return _rows(checks, lambda check: (check.subject, check.what), first, _caught_in)


def _caught_in(checks: Checks) -> str:
    """Write the formats in which a mistake is caught, of those with an answer."""
    asked = answered(checks)
    formats = [check.format for check in asked if caught(check)]
    if not asked:
        return "-"
    return "all" if len(formats) == len(asked) else ", ".join(formats) or "none"


def _missed(results: Results) -> str:
    """Write the largest mistake, beside rounding, of those that each checker missed."""
    missed: dict[str, tuple[float, str]] = {}
    for check in answered(_part(results, MISTAKES)):
        if not caught(check):
            times = results.planted[check.case]["times"] or math.inf
            of = f" in {check.format}" if check.format else ""
            text = f"{times:.2g} times rounding ({check.subject}{of}, `{check.what}`)"
            missed[check.contender] = max((times, text), missed.get(check.contender, (times, text)))
    each = ", ".join(f"{_short(name)} {of}" for name, (_, of) in missed.items())
    return f"The largest that were missed: {each}." if each else ""


#: The rows of each comparison.
_ROWS: dict[str, Sequence[Callable[[Results], Iterable[Row]]]] = {
    GRADIENTS: (_by_mistake, _by_element, _by_point, _said),
    DERIVATIVES: (_by_group, _by_size, _right_ones, _said),
    TORCH: (_by_group, _by_format, _said),
}


# Times of checks: those of one checker about one model are the calls of one row.


def _of_times(results: Results) -> list[str]:
    """Return the conditions, and the tables of times."""
    peers = [name for name in results.available if name != OURS]
    asked = _grouped(results.checks, lambda check: (check.subject, check.contender == OURS))

    def of(group: str) -> list[Checks]:
        every = (asked.get((name, True), []) for name, of in SIZED.items() if of.group == group)
        return [*filter(None, every)]

    found = [f"{_measured(results)}{_calibrated(results.calibration)}"]
    heads = ["network, examples", "parameters", "points judged", "first, later calls"]
    if groups := of(NETWORKS) + of(OTHERS):
        rows = [Row(_cells(c), asked.get((c[0].subject, False), ()), both) for c in groups]
        found.append(table(heads, rows, peers))
    if equal := of(EQUAL):
        found.append(
            "At one point alone (`points=0`), with one batch, the first and the later calls take "
            + "; ".join(f"{both(c)} ({_what(c)})" for c in equal)
            + "."
        )
    if power := exponent(equal):
        found[-1] += (
            f" The later calls of these {len(_fitted(equal))} grow with the number of parameters "
            f"to the power of {power.middle:.2f} (with 95 % confidence {power.low:.2f} to "
            f"{power.high:.2f}; least squares of the logarithms); from each size to the next by "
            f"{', '.join(f'{step:.2f}' for step in steps(equal))}."
        )
    return found


def _what(calls: Checks) -> str:
    """Write what the calls are about, and how much of it was judged if not all was."""
    return SIZED[calls[0].subject].words + ("" if whole(calls) else f"; points: {points(calls)}")


def _cells(calls: Checks) -> list[str]:
    why, elements = no_time(calls), max(call.elements for call in calls)
    times = f"no time: {why}" if why else both(calls)
    return [SIZED[calls[0].subject].words, f"{elements:,}", points(calls), times]


def _calibrated(samples: Sequence[float]) -> str:
    if not samples:
        return ""
    product = "{} × {} by {} × {}".format(*SIDES[:2], *SIDES[1:])
    return (
        f" To compare machines by: a product of balls, {product} at {BITS} bits, takes "
        f"{units.seconds(statistics.median(samples))} (in its processes "
        f"{units.interval(min(samples), max(samples))}) there."
    )


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
    first, later = map(_two, _first_and_later(calls))
    return f"{first}, {later} s{f' ({said})' if said else ''}"


def _first_and_later(calls: Checks) -> tuple[float, float]:
    """Return the medians of the first calls in their processes and of the others; NaN of none."""
    each = ([c.seconds for c in calls if bool(c.call) == later] for later in (False, True))
    first, later = (statistics.median(times) if times else math.nan for times in each)
    return first, later


def _fitted(rows: Iterable[Checks]) -> list[tuple[int, float]]:
    """Return the parameters, and the seconds of later calls, where the cost may be compared.

    It may where all is right, and every element judged.
    """
    right = (calls for calls in rows if not no_time(calls) and whole(calls))
    return sorted((calls[0].elements, _first_and_later(calls)[1]) for calls in right)


def exponent(rows: Iterable[Checks]) -> Interval | None:
    """Fit the exponent of the later calls' time in the number of parameters, with its interval.

    By least squares of the logarithms; the interval is Student's. None of fewer than three rows.
    """
    import numpy as np
    from scipy.special import stdtrit

    found = _fitted(rows)
    if len({size for size, _ in found}) < 3:
        return None
    x, y = np.log(found).T
    (slope, _), covariance = np.polyfit(x, y, 1, cov=True)
    half = math.sqrt(covariance[0, 0]) * float(stdtrit(len(x) - 2, (1 + CONFIDENCE) / 2))
    return Interval(float(slope), float(slope) - half, float(slope) + half)


def steps(rows: Iterable[Checks]) -> list[float]:
    """Return the exponent from each size to the next larger one."""
    found = pairwise(_fitted(rows))
    return [math.log(b / a) / math.log(n / m) for (m, a), (n, b) in found if n > m]


def _two(value: float) -> str:
    """Write seconds with two digits."""
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}"

"""Write times as the tables of docs/checking.md; the same file gives the same text."""

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.check_times.measure import BITS, PRODUCT
from benchmarks.check_times.results import OURS, Call, Results, Row, median
from benchmarks.check_times.run import LARGEST, LIMIT
from benchmarks.check_times.subjects import EQUAL, NETWORKS, OTHERS, SUBJECTS, WORDS
from benchmarks.report import units
from benchmarks.statistics import CONFIDENCE, Interval
from benchmarks.templates import templates


def markdown(results: Results) -> str:
    """Write all tables, with the conditions above them."""
    peers = [name for name, reason in results.contenders.items() if reason is None and name != OURS]
    groups = {group: _rows(results, group) for group in (NETWORKS, OTHERS, EQUAL)}
    return (
        templates(Path(__file__).parent)
        .get_template("table.md.j2")
        .render(
            results=results,
            found=results.fingerprint,
            tables=[
                ("network, examples", groups[NETWORKS]),
                ("other models", groups[OTHERS]),
            ],
            equal=groups[EQUAL],
            exponent=exponent(groups[EQUAL]),
            steps=[f"{step:.2f}" for step in steps(groups[EQUAL])],
            counted=len(fitted(groups[EQUAL])),
            peers=peers,
            row=results.row,
            words=WORDS,
            points=points,
            time=time,
            both=both,
            special=[row for row in groups[NETWORKS] if row.options],
            product="{} × {} by {} × {}".format(*PRODUCT[:2], *PRODUCT[1:]),
            bits=BITS,
            calibration=_spread(results.calibration),
            limit=LIMIT,
            few={name: LARGEST[name] for name in peers if name in LARGEST},
        )
    )


def _spread(samples: Sequence[float]) -> str:
    if not samples:
        return ""
    around = units.interval(min(samples), max(samples))
    return f"{units.seconds(statistics.median(samples))} (in its processes {around})"


def _rows(results: Results, group: str) -> list[Row]:
    found = (results.row(subject.name) for subject in SUBJECTS if subject.group == group)
    return [row for row in found if row is not None]


def fitted(rows: Sequence[Row]) -> list[Row]:
    """Return the rows whose cost may be compared: right, with every element judged."""
    return [row for row in rows if not row.wrong and row.whole]


def exponent(rows: Sequence[Row]) -> Interval | None:
    """Fit the exponent of the later calls' time in the number of parameters, with its interval.

    By least squares of the logarithms; the interval is Student's. None of fewer than three rows.
    """
    import numpy as np
    from scipy.special import stdtrit

    found = fitted(rows)
    x = np.log([row.parameters for row in found])
    y = np.log([median(row.later) for row in found])
    if len({*x}) < 3:
        return None
    (slope, _), covariance = np.polyfit(x, y, 1, cov=True)
    half = math.sqrt(covariance[0, 0]) * float(stdtrit(len(x) - 2, (1 + CONFIDENCE) / 2))
    return Interval(float(slope), float(slope) - half, float(slope) + half)


def steps(rows: Sequence[Row]) -> list[float]:
    """Return the exponent from each size to the next larger one."""
    found = sorted((row.parameters, median(row.later)) for row in fitted(rows))
    return [math.log(b / a) / math.log(n / m) for (m, a), (n, b) in pairwise(found) if n > m]


def points(row: Row) -> str:
    """Format how many points were judged, and how many elements if not all were."""
    if not (calls := row.calls):
        return "-"
    least, most = (which(call.points for call in calls) for which in (min, max))
    text = f"{least} to {most}" if least < most else str(most)
    if row.whole:
        return text
    judged = min(call.judged for call in calls)
    return f"{text}, and {judged:,} of {row.parameters:,} elements"


def time(row: Row, calls: Sequence[Call]) -> str:
    """Format the median; a row that is not right has none."""
    return f"no time: {row.wrong}" if row.wrong else f"{seconds(median(calls))} s"


def both(row: Row | None) -> str:
    """Format the first and the later calls; a peer's time counts whatever it says."""
    if row is None:
        return "-"
    if row.stopped or (row.wrong and row.contender == OURS):
        return f"no time: {row.wrong}"
    said = f" ({row.wrong})" if row.wrong else ""
    return f"{seconds(median(row.first))}, {seconds(median(row.later))} s{said}"


def seconds(value: float) -> str:
    """Format seconds with two digits."""
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}"

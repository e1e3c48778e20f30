"""Warm up before the rounds of `handgrad.speed`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

#: A slow row is called once per round; a fast one until a sample takes this long.
SAMPLE_SECONDS = 0.02

#: Before the first round a row is called for at least so long and so often, and until its times no
#: longer fall, but at most for the last of these.
WARM_SECONDS, WARM_CALLS, WARM_AT_MOST = 0.2, 10, 2.0

#: Times no longer fall if the median of the last third of the calls is at least this share of that
#: of the third before.
STEADY = 0.95


@dataclass(frozen=True)
class Warm:
    """The result of warming up."""

    steady_after: int  #: the number of calls until the times no longer fell
    each: float  #: seconds of a call by then


def warm_up(run: Callable[[], Any], least: float = WARM_SECONDS) -> Warm:
    """Call a function until it is warm: for a minimum time and count, and until times settle."""
    times: list[float] = []
    begin = time.perf_counter()
    while True:
        before = time.perf_counter()
        run()
        now = time.perf_counter()
        times.append(now - before)
        enough = now - begin >= least and len(times) >= WARM_CALLS
        if now - begin >= WARM_AT_MOST or (enough and _falls_no_more(times)):
            break
    each = median(times[-max(len(times) // 3, 1) :])
    return Warm(_steady_after(times, each), each)


def _falls_no_more(times: list[float]) -> bool:
    third = len(times) // 3
    return median(times[-third:]) >= STEADY * median(times[-2 * third : -third])


def _steady_after(times: list[float], each: float) -> int:
    """Find the first of three successive calls as fast as the last ones, within 1 / STEADY."""
    limit = each / STEADY
    for at in range(len(times) - 2):
        if all(seconds <= limit for seconds in times[at : at + 3]):
            return at
    return len(times)

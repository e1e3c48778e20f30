"""Warm up before the rounds of `handgrad.speed`."""

import time
from collections.abc import Callable
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


def warm_up(run: Callable[[], Any], least: float = WARM_SECONDS) -> tuple[int, float]:
    """Call a function until it is warm: for a minimum time and count, and until times settle.

    Returns:
        The number of calls until the times no longer fell, and the seconds of a call by then.
    """
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
    # The first of three successive calls as fast as the last ones.
    fast = [seconds <= each / STEADY for seconds in times]
    steady = (at for at in range(len(times) - 2) if all(fast[at : at + 3]))
    return next(steady, len(times)), each


def _falls_no_more(times: list[float]) -> bool:
    third = len(times) // 3
    return median(times[-third:]) >= STEADY * median(times[-2 * third : -third])

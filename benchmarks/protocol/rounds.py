"""Rounds: all rows in every one, in shuffled order, garbage collector off.

A sample, and the pause before it, are those of `handgrad.speed`, which times gradients of others.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handgrad.speed.rounds import PAUSE_SECONDS, collector_off, median, sample

#: A slow row is called once in every round; a fast one until a sample takes this long.
SAMPLE_SECONDS = 0.02

#: Before the first round a row is called for so long and so often, and until its times no longer
#: fall, but not for longer than the last of these.
WARM_SECONDS, WARM_CALLS, WARM_AT_MOST = 0.2, 10, 2.0

#: Times no longer fall when the median of the last third of the calls is at most so much below that
#: of the third before.
STEADY = 0.95

Run = Callable[[], Any]


@dataclass(frozen=True)
class Warm:
    """What the calls before the rounds showed."""

    steady_after: int  #: how many calls were made until the times no longer fell
    each: float  #: seconds of a call by then


def warm_up(run: Run, least: float = WARM_SECONDS) -> Warm:
    """Call until it is warm: for seconds at least, by count, and by the times themselves."""
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
    """The first call from which three in a row are as fast as the last ones, within 1 / STEADY."""
    limit = each / STEADY
    for at in range(len(times) - 2):
        if all(seconds <= limit for seconds in times[at : at + 3]):
            return at
    return len(times)


def time_rounds(
    running: Mapping[str, Run],
    each: Mapping[str, float],
    rounds: int,
    seed: int,
    pause: bool = True,
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of one call, by name and round, and what the last timed call of each answered.

    Before each sample comes a call that is not timed: another row's arrays have just had the
    caches; and where `pause` says so, a pause before it, for threads to go to sleep.

    Args:
        running: what to time; an answer must be complete when the function returns.
        each: about how long a call takes, by name.
        rounds: how many.
        seed: of the order within the rounds.
        pause: whether rows have threads that spin after their work.
    """
    repeats = {name: max(1, round(SAMPLE_SECONDS / max(each[name], 1e-9))) for name in running}
    times: dict[str, list[float]] = {name: [] for name in running}
    last: dict[str, Any] = {}
    shuffle = random.Random(seed).shuffle
    with collector_off():
        for done in range(1, rounds + 1):
            order = list(running)
            shuffle(order)
            for name in order:
                if pause:
                    time.sleep(PAUSE_SECONDS)
                running[name]()
                seconds, answer = sample(running[name], repeats[name])
                times[name].append(seconds)
                if done == rounds:
                    last[name] = answer
                del answer
    return times, last

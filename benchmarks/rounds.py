"""Rounds: all contenders in every one, in shuffled order, garbage collector off."""

import gc
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

#: A contender this slow is run in every round, but once; a fast one until a sample takes this long.
SAMPLE_SECONDS = 0.02

#: OpenBLAS's threads spin for some 20 ms after their work before they sleep. A contender that has
#: threads of its own would share the processors with them: measured, 45 ms instead of 25.
PAUSE_SECONDS = 0.1

#: Runs of each before the first round.
WARM_UP = 3


def time_rounds(
    running: Mapping[str, Callable[[], Any]],
    rounds: int,
    on_round: Callable[[int], None] = lambda _: None,
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of one run, by name and round, and what the last timed run of each answered.

    Before each sample comes a pause, for the threads of the contender before it to go to sleep, and
    a run that is not timed: another contender's arrays have just had the caches.

    Args:
        running: what to time; an answer must be complete when the function returns.
        rounds: how many.
        on_round: called with the number of rounds done.
    """
    repeats = {}
    for name, run in running.items():
        seconds = min(_sample(run, 1)[0] for _ in range(WARM_UP))
        repeats[name] = max(1, round(SAMPLE_SECONDS / max(seconds, 1e-9)))
    times: dict[str, list[float]] = {name: [] for name in running}
    last: dict[str, Any] = {}
    shuffle = random.Random(0).shuffle
    was_on = gc.isenabled()
    gc.disable()
    try:
        for done in range(1, rounds + 1):
            order = list(running)
            shuffle(order)
            for name in order:
                time.sleep(PAUSE_SECONDS)
                running[name]()
                seconds, answer = _sample(running[name], repeats[name])
                times[name].append(seconds)
                if done == rounds:
                    last[name] = answer
                del answer
            on_round(done)
    finally:
        if was_on:
            gc.enable()
    return times, last


def _sample(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Seconds of one run, the mean over some, and the last answer."""
    begin = time.perf_counter()
    for _ in range(repeats - 1):
        run()
    answer = run()
    return (time.perf_counter() - begin) / repeats, answer


def middle(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile."""
    low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75]).tolist()
    return low, median, high

"""Time contenders in rounds, each round all of them, and compare the times of two."""

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import jax

#: Calls are repeated until a sample takes this long: ten thousand times the clock's resolution.
SAMPLE_SECONDS = 0.005

#: The pause before each sample. OpenBLAS's threads spin for some 20 ms after their work, and would
#: compete with the threads of the next contender.
PAUSE_SECONDS = 0.025

#: The confidence level of the bounds of a ratio.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """A ratio of two times, with bounds that enclose its median with 95 % confidence.

    From fewer than six rounds, the bounds are the smallest and the largest ratio there was.
    """

    median: float  #: over the rounds
    low: float  #: the lower bound
    high: float  #: the upper bound


@dataclass(frozen=True)
class Rival:
    """The time of autodiff, compared with that of the gradient."""

    seconds: float  #: of one call, the median over the rounds
    ratio: Ratio  #: of the time of `yours` to this one
    comparison: str  #: yours is `faster`, `slower`, or `as fast` up to the noise
    #: the number of calls after which the faster one has repaid its longer first call; None for
    #: `as fast`, and if nothing is compiled.
    break_even: int | None


def time_rounds(
    running: Mapping[str, Callable[[], Any]],
    rounds: int,
    seconds: float = math.inf,
    repeats: Mapping[str, int] | None = None,
    pause: bool = True,
    shuffle: Callable[[list[str]], None] | None = None,
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Time all contenders in every round, in alternating or shuffled order.

    Each sample follows a pause and a call that is not timed, since the previous contender's arrays
    have filled the caches.

    Args:
        running: the contenders by name; JAX's results are awaited.
        rounds: the number of rounds, if there is time.
        seconds: the time after which no further round is started.
        repeats: calls in a sample, by name, for contenders that await their results themselves;
            measured by default.
        pause: whether to pause, for contenders with threads that spin after their work.
        shuffle: shuffles the names of a round in place.

    Returns:
        Seconds of one call, by name and round, and the result of the last timed call of each.
    """
    waits = dict.fromkeys(running, False)
    if repeats is None:
        waits = {name: _has_jax_arrays(run()) for name, run in running.items()}
        repeats = {}
        for name, run in running.items():
            once = min(sample(run, 1, waits[name])[0] for _ in range(2))
            repeats[name] = calls_of_a_sample(once, SAMPLE_SECONDS)
    times: dict[str, list[float]] = {name: [] for name in running}
    last: dict[str, Any] = {}
    until = time.perf_counter() + seconds
    with collector_off():
        for done in range(rounds):
            if done and time.perf_counter() > until:
                break
            order = list(running)[:: -1 if done % 2 else 1]
            if shuffle:
                shuffle(order)
            for name in order:
                if pause:
                    time.sleep(PAUSE_SECONDS)
                sample(running[name], 1, waits[name])
                taken, answer = sample(running[name], repeats[name], waits[name])
                times[name].append(taken)
                if seconds < math.inf or done == rounds - 1:  # this round may be the last one
                    last[name] = answer
                del answer
    return times, last


@contextmanager
def collector_off() -> Iterator[None]:
    """Collect garbage, then disable the collector while times are taken."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def sample(run: Callable[[], Any], repeats: int, waits: bool = False) -> tuple[float, Any]:
    """Return the mean seconds of one call, and the last result.

    With `waits`, results that hold JAX arrays are awaited; without it, not even the search for them
    is timed.
    """
    answer = None
    begin = time.perf_counter()
    for _ in range(repeats):
        answer = jax.block_until_ready(run()) if waits else run()
    return (time.perf_counter() - begin) / repeats, answer


def _has_jax_arrays(answer: Any) -> bool:
    return any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(answer))


def calls_of_a_sample(once: float, seconds: float) -> int:
    """Return the number of calls of `once` seconds each that fill a sample."""
    return max(1, round(seconds / max(once, 1e-9)))


def ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """Return the median of the ratios within rounds, with distribution-free bounds.

    The median of the distribution lies outside the k-th smallest and the k-th largest of n values
    if fewer than k are on one side of it: as likely as fewer than k heads, or tails, of n coins.
    """
    ratios = sorted(a / b for a, b in zip(times, others, strict=True))
    n, k = len(ratios), 1
    while 1 - 2 * sum(math.comb(n, heads) for heads in range(k + 1)) / 2**n >= CONFIDENCE:
        k += 1
    return Ratio(median(ratios), ratios[k - 1], ratios[-k])


def rival(
    yours: Sequence[float], theirs: Sequence[float], noise: Ratio, late: float | None
) -> Rival:
    """Compare the seconds of one call of the gradient and of autodiff, one number per round each.

    `noise` is the ratio of the gradient to itself; `late` is how many seconds longer autodiff takes
    to compile, None if nothing is compiled.
    """
    between = ratio(yours, theirs)
    word = comparison(between, noise)
    calls = None
    if word != "as fast" and late is not None:
        saved = median(yours) * (1 - 1 / between.median)  # by every call of autodiff
        calls = max(0, math.ceil(late / saved))
    return Rival(median(theirs), between, word, calls)


def comparison(between: Ratio, noise: Ratio) -> str:
    """Return whether yours is `faster`, `slower`, or `as fast` up to the noise."""
    hidden = max(noise.high, 1 / noise.low)
    if between.low > hidden:
        return "slower"
    return "faster" if between.high < 1 / hidden else "as fast"

"""Rounds: all contenders in every one of them, and what the times of two say of each other."""

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import jax

#: Calls are repeated until a sample takes this long: ten thousand times what the clock resolves.
SAMPLE_SECONDS = 0.005

#: Before each sample. OpenBLAS's threads spin for some 20 ms after their work before they sleep; a
#: contender with threads of its own would share the processors with them.
PAUSE_SECONDS = 0.025

#: What the bounds of a ratio enclose its median with.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """A ratio of two times: the median over the rounds, and bounds of it."""

    median: float
    low: float  #: the bounds enclose the median with 95 % confidence; from fewer than six rounds
    high: float  #: they are the smallest and the largest ratio there was


@dataclass(frozen=True)
class Rival:
    """Autodiff beside the gradient."""

    seconds: float  #: of one call, the median over the rounds
    ratio: Ratio  #: yours / this one
    comparison: str  #: yours is `faster` or `slower`, or `as fast`: what the noise may hide
    break_even: int | None
    """After how many calls the faster one has made up for what its first call costs beyond that of
    the other; None for `as fast`, and where nothing is compiled."""


def time_rounds(
    running: Mapping[str, Callable[[], Any]],
    rounds: int,
    seconds: float = math.inf,
    repeats: Mapping[str, int] | None = None,
    pause: bool = True,
    shuffle: Callable[[list[str]], None] | None = None,
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Time all contenders in every round, each time in the reverse order, or in a shuffled one.

    Before each sample comes a pause, and a call that is not timed: another contender's arrays have
    just had the caches.

    Args:
        running: what to time; what JAX answers is awaited.
        rounds: how many, if there is time.
        seconds: after which no further round is begun.
        repeats: the calls of a sample, by name, of contenders that await their answers themselves;
            found out here by default.
        pause: whether contenders have threads that spin after their work.
        shuffle: puts the names of a round in another order.

    Returns:
        Seconds of one call, by name and round, and what the last timed call of each answered.
    """
    waits = dict.fromkeys(running, False)
    if repeats is None:
        waits = {name: _has_jax_arrays(run()) for name, run in running.items()}
        repeats = {name: _repeats(run, waits[name]) for name, run in running.items()}
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
    """No garbage is collected while times are taken; what there is, before."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def sample(run: Callable[[], Any], repeats: int, waits: bool = False) -> tuple[float, Any]:
    """Seconds of one call, the mean over some, and the last answer.

    Args:
        run: what is called.
        repeats: how often.
        waits: whether an answer must be awaited; where no array is JAX's, not even looking for one
            is timed.
    """
    answer = None
    begin = time.perf_counter()
    for _ in range(repeats):
        answer = jax.block_until_ready(run()) if waits else run()
    return (time.perf_counter() - begin) / repeats, answer


def _has_jax_arrays(answer: Any) -> bool:
    return any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(answer))


def _repeats(run: Callable[[], Any], waits: bool) -> int:
    once = min(sample(run, 1, waits)[0] for _ in range(2))
    return calls_of_a_sample(once, SAMPLE_SECONDS)


def calls_of_a_sample(once: float, seconds: float) -> int:
    """How often what takes `once` is called until it has taken so many seconds."""
    return max(1, round(seconds / max(once, 1e-9)))


def ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """The median of the ratios within a round, with bounds that assume no distribution.

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
    """What the times of the gradient and of autodiff, a number a round, say of each other.

    Args:
        yours: seconds of one call of the gradient.
        theirs: of autodiff.
        noise: the gradient beside itself.
        late: how many seconds later than yours autodiff is compiled; None where nothing is.
    """
    between = ratio(yours, theirs)
    word = comparison(between, noise)
    calls = None
    if word != "as fast" and late is not None:
        saved = median(yours) * (1 - 1 / between.median)  # by every call of autodiff
        calls = max(0, math.ceil(late / saved))
    return Rival(median(theirs), between, word, calls)


def comparison(between: Ratio, noise: Ratio) -> str:
    """Whether yours is `faster` or `slower`, or `as fast`, as far as the noise lets one see."""
    hidden = max(noise.high, 1 / noise.low)
    if between.low > hidden:
        return "slower"
    return "faster" if between.high < 1 / hidden else "as fast"

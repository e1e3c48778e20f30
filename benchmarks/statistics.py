"""Statistics of samples: times and ratios with intervals, and significance of differences.

A sample is the seconds of one call, the mean over some calls; there is one per round and process.
Processes differ by more than rounds do (placement of arrays, load of the system), so intervals come
from a two-level bootstrap: processes are drawn with replacement, then rounds of each. SciPy's
bootstrap has one level.

The width of an interval is the standard deviation of the draws times Student's factor for the
number of processes. Draws of n processes vary only by √((n - 1) / n) of the variation of processes,
which is corrected. (Percentile intervals, which need neither, cover 70 to 90 % instead of 95 for
two to four processes.)

Sources: Kalibera & Jones, Rigorous benchmarking in reasonable time, ISMM 2013; on bootstraps of few
processes, Hesterberg, What teachers should know about the bootstrap, The American Statistician 69,
2015.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

Samples = Sequence[Sequence[float]]  #: [process][round], as many rounds of every process

#: The confidence level of an interval, and the number of draws.
CONFIDENCE, DRAWS = 0.95, 1000


class Interval(NamedTuple):
    """A number and its 95 % confidence interval."""

    middle: float
    low: float
    high: float

    def exp(self) -> "Interval":
        """Return the interval of the number, if this is that of its logarithm."""
        return Interval(*np.exp(self).tolist())


def typical(samples: Samples) -> float:
    """Compute the median of all samples together, in seconds."""
    return float(np.quantile(samples, 0.5))


def time(samples: Samples) -> Interval:
    """Compute the median time in seconds, with its interval."""
    values = np.array(samples)
    drawn = np.log(np.median(draws(values), axis=-1))
    return enclosing(math.log(np.median(values)), drawn, independent(values)).exp()


def ratio(samples: Samples, others: Samples) -> Interval:
    """Compute the geometric mean of the ratios within rounds, with its interval.

    A geometric mean, so that ratios of ratios multiply exactly; within rounds, so that a temporary
    slowdown of the machine affects both.
    """
    logs = log_ratios(samples, others)
    return enclosing(float(logs.mean()), draws(logs).mean(axis=-1), independent(logs)).exp()


def log_ratios(samples: Samples, others: Samples) -> np.ndarray:
    """Compute the logarithms of the ratios within rounds, an array [process, round]."""
    return np.log(samples) - np.log(others)


def change(
    before: Samples,
    after: Samples,
    below_before: Samples | None = None,
    below_after: Samples | None = None,
) -> Interval:
    """Compute the ratio after / before of the times of two rows from different runs.

    It uses their lowest deciles, as disturbances only ever add to a sample.

    Args:
        before: the samples of the first run.
        after: the samples of the second run.
        below_before: the floor in the first run, to divide by.
        below_after: the floor in the second run.
    """
    middle, drawn = _low(after, below_after, seed=2)
    other, others = _low(before, below_before, seed=1)
    n = min(independent(np.array(samples)) for samples in (before, after))
    return enclosing(math.log(middle / other), np.log(drawn) - np.log(others), n).exp()


def _low(samples: Samples, below: Samples | None, seed: int) -> tuple[float, np.ndarray]:
    """Compute the lowest decile, over that of the floor, and bootstrap draws of it."""
    values = np.array(samples)
    middle = float(np.quantile(values, 0.1))
    drawn = np.quantile(draws(values, seed), 0.1, axis=-1)
    if below is None:
        return middle, drawn
    middle_below, drawn_below = _low(below, None, seed)
    return middle / middle_below, drawn / drawn_below


def enclosing(middle: float, drawn: np.ndarray, n: int) -> Interval:
    """Compute the interval of a number from its bootstrap draws of n independent units."""
    if n < 2:
        return Interval(middle, middle, middle)
    factor = math.sqrt(n / (n - 1)) * float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))
    half = factor * float(np.std(drawn))
    return Interval(middle, middle - half, middle + half)


def independent(values: np.ndarray) -> int:
    """Return the number of independent units: processes, or the rounds of a single one."""
    processes, rounds = values.shape
    return processes if processes > 1 else rounds


def draws(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draw processes, then rounds of each; shape (DRAWS, processes × rounds)."""
    rng = np.random.default_rng(seed)
    processes, rounds = values.shape
    which = rng.integers(processes, size=(DRAWS, processes, 1))
    when = rng.integers(rounds, size=(DRAWS, processes, rounds))
    return values[which, when].reshape(DRAWS, -1)


def band(again: Interval) -> float:
    """Compute the noise from the ratio of a contender to itself: ratios up to it are a tie."""
    return max(again.high, 1 / again.low)


#: The verdicts on a ratio of times.
FASTER, SLOWER, TIE = "faster", "slower", "tie"


def word(between: Interval, noise: float) -> str:
    """Return `tie` where noise may explain a ratio of times, else `faster` or `slower`."""
    if between.low > noise:
        return SLOWER
    return FASTER if between.high < 1 / noise else TIE

"""What samples say: times and ratios with intervals, and when a difference is none.

A sample is the seconds of one call, the mean over some calls; there is one for every round of every
process. Processes differ from one another by more than rounds do (where the arrays lie, what the
system was doing), so intervals come from a bootstrap of two levels: processes are drawn with
replacement, then rounds of each. SciPy's bootstrap has one level.

An interval is as wide as the draws vary, times Student's factor for so many processes. Draws of n
processes vary by √((n - 1) / n) of what processes do, which is made up for. (Percentiles of the
draws, which need neither, hold 70 to 90 % instead of 95 for two to four processes.)

Sources: Kalibera & Jones, Rigorous benchmarking in reasonable time, ISMM 2013; what few processes
do to a bootstrap, Hesterberg, What teachers should know about the bootstrap, The American
Statistician 69, 2015.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t

Samples = Sequence[Sequence[float]]  #: [process][round]

#: Of an interval; and how many draws it rests on.
CONFIDENCE, DRAWS = 0.95, 1000


class Interval(NamedTuple):
    """A number and the interval that encloses it with 95 % confidence."""

    middle: float
    low: float
    high: float

    def exp(self) -> "Interval":
        """Of a logarithm, the number itself."""
        return Interval(*np.exp(self).tolist())

    def overlaps(self, low: float, high: float) -> bool:
        """Whether it has anything in common with another interval."""
        return self.low <= high and self.high >= low


class Spread(NamedTuple):
    """Of all samples together, seconds."""

    least: float
    lower: float  #: quartile
    median: float
    upper: float  #: quartile


def table(samples: Samples) -> np.ndarray:
    """As an array [process, round]; of processes that were cut short, the rounds that all have."""
    rounds = min(len(process) for process in samples)
    return np.array([list(process[:rounds]) for process in samples])


def spread(samples: Samples) -> Spread:
    """The least, the median and the quartiles."""
    flat = np.concatenate([np.asarray(process) for process in samples])
    return Spread(*np.quantile(flat, [0.0, 0.25, 0.5, 0.75]).tolist())


def time(samples: Samples) -> Interval:
    """The median time, seconds."""
    return _enclosed(table(samples), lambda drawn: np.median(drawn, axis=-1))


def ratio(samples: Samples, others: Samples) -> Interval:
    """The geometric mean of the ratios within a round.

    A geometric mean, so that ratios of ratios multiply exactly; within a round, so that what slows
    the machine for a while slows both.
    """
    logs = log_ratios(samples, others)
    return enclosing(float(logs.mean()), draws(logs).mean(axis=-1), independent(logs)).exp()


def log_ratios(samples: Samples, others: Samples) -> np.ndarray:
    """The logarithms of the ratios within a round, an array [process, round]."""
    return np.log(table(samples)) - np.log(table(others))


def change(
    before: Samples,
    after: Samples,
    below_before: Samples | None = None,
    below_after: Samples | None = None,
) -> Interval:
    """The ratio of the times of two rows that did not share their rounds, after / before.

    Of their lowest deciles: what disturbs a sample only ever adds to it.

    Args:
        before: of the row that is compared with.
        after: of the row that is compared.
        below_before: what the first is to be divided by, its floor.
        below_after: what the second is.
    """
    middle, drawn = _low(after, below_after, seed=2)
    other, others = _low(before, below_before, seed=1)
    n = min(independent(table(samples)) for samples in (before, after))
    return enclosing(math.log(middle / other), np.log(drawn) - np.log(others), n).exp()


def _low(samples: Samples, below: Samples | None, seed: int) -> tuple[float, np.ndarray]:
    """The lowest decile, over that of the floor, and draws of it: both of the same rounds."""

    def decile(values: np.ndarray) -> np.ndarray:
        return np.quantile(values, 0.1, axis=-1)

    values = table(samples)
    middle, drawn = float(decile(values.reshape(-1))), decile(draws(values, seed))
    if below is None:
        return middle, drawn
    middle_below, drawn_below = _low(below, None, seed)
    return middle / middle_below, drawn / drawn_below


def _enclosed(values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> Interval:
    """Of a positive number: in logarithms, so that it stays one."""
    middle, drawn = np.log(statistic(values.reshape(-1))), np.log(statistic(draws(values)))
    return enclosing(float(middle), drawn, independent(values)).exp()


def enclosing(middle: float, drawn: np.ndarray, n: int) -> Interval:
    """A number and its interval, from what draws of n independent things make of it."""
    if n < 2:
        return Interval(middle, middle, middle)
    factor = math.sqrt(n / (n - 1)) * float(t.ppf((1 + CONFIDENCE) / 2, n - 1))
    half = factor * float(np.std(drawn))
    return Interval(middle, middle - half, middle + half)


def independent(values: np.ndarray) -> int:
    """Of how many things that differ values [process, round] are: processes, or one's rounds."""
    processes, rounds = values.shape
    return processes if processes > 1 else rounds


def draws(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draws of all samples, shape (DRAWS, processes × rounds): processes, then rounds of each."""
    rng = np.random.default_rng(seed)
    processes, rounds = values.shape
    which = rng.integers(processes, size=(DRAWS, processes, 1))
    when = rng.integers(rounds, size=(DRAWS, processes, rounds))
    return values[which, when].reshape(DRAWS, -1)


class Band(NamedTuple):
    """What the noise may hide: ratios from `low` to `high` are a tie."""

    low: float
    high: float


def band(again: Interval) -> Band:
    """From the ratio of a contender to itself: as far to either side as its interval reaches."""
    most = max(again.high, 1 / again.low)
    return Band(1 / most, most)


#: What is said of a ratio of times.
FASTER, SLOWER, TIE = "faster", "slower", "tie"


def word(between: Interval, noise: Band) -> str:
    """`tie` where noise may explain a ratio of times, else `faster` or `slower`."""
    if between.overlaps(*noise):
        return TIE
    return SLOWER if between.low > noise.high else FASTER

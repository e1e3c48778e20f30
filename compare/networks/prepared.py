"""From a data set to what a network is trained and tested on: split, standardised, encoded.

Means and scales are learned on the training part alone and go with the model: what the network is
tested on, or asked about later, has not been looked at.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from compare.dataset import Dataset


class Scale(NamedTuple):
    """Subtract a mean, divide by a standard deviation, column by column."""

    mean: np.ndarray  #: float64, shape (columns,)
    sd: np.ndarray  #: float64, shape (columns,); 1 for a column that does not vary

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """Values of shape (n, columns) without unit."""
        return (values - self.mean) / self.sd

    def in_units(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `standardised`."""
        return values * self.sd + self.mean


def scale_of(values: np.ndarray) -> Scale:
    """The scale of columns, of shape (n, columns)."""
    sd = values.std(axis=0)
    # Rounding of the mean may leave a constant column a deviation of some units of rounding.
    noise = 4 * len(values) * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
    return Scale(values.mean(axis=0), np.where(sd <= noise, 1.0, sd))


def unscaled(columns: int) -> Scale:
    """The scale that changes nothing."""
    return Scale(np.zeros(columns), np.ones(columns))


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a network sees; arrays in the dtype of the training."""

    x: np.ndarray  #: to train on, standardised, shape (n, features)
    y: np.ndarray  #: shape (n, outputs)
    test_x: np.ndarray
    test_y: np.ndarray
    scale: Scale  #: of the features
    target: Scale  #: of a target that is a number; of classes it changes nothing


def split(y: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to train on and to test on, each part with its share of every class.

    The rows are shuffled, put in the order of their targets, and taken for the test at equal
    distances; so no class of two rows or more is missing from the training.

    Args:
        y: targets, shape (n,).
        fraction: of the rows to test on, above 0 and at most one half; at least one row is taken.
        seed: a whole number from 0 up.
    """
    # The 2 keeps these draws apart from others that begin with the same seed.
    shuffled = np.random.default_rng([seed, 0, 2]).permutation(len(y))
    ordered = shuffled[np.argsort(y[shuffled], kind="stable")]
    tests = max(1, round(fraction * len(y)))
    chosen = np.zeros(len(y), dtype=bool)
    chosen[ordered[((np.arange(tests) + 0.5) * len(y) / tests).astype(int)]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def prepare(data: Dataset, outputs: int, fraction: float, seed: int, dtype: Any) -> Prepared:
    """Split, standardise and encode.

    Args:
        data: features and target.
        outputs: how many the network has: 1 for a number or for two classes (the probability of
            the second), else one for each class.
        fraction, seed: see `split`.
        dtype: of the arrays.
    """
    train, test = split(data.y, fraction, seed)
    scale = scale_of(data.x[train])
    y, target = data.y[:, None].astype(np.float64), unscaled(1)
    if data.classes is None:
        target = scale_of(y[train])
        y = target.standardised(y)
    elif outputs > 1:
        y = np.eye(outputs)[data.y]
    x = scale.standardised(data.x)
    x, y = x.astype(dtype), y.astype(dtype)
    return Prepared(x[train], y[train], x[test], y[test], scale, target)


def hits(outputs: np.ndarray, y: np.ndarray) -> float:
    """The share of rows whose class is the predicted one; both of shape (n, outputs)."""
    return float(np.mean(codes(outputs) == codes(y)))


def codes(outputs: np.ndarray) -> np.ndarray:
    """The predicted class of each row: from one half upwards the second, or the largest output."""
    return (outputs[:, 0] >= 0.5).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)

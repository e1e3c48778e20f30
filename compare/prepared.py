"""Prepare a data set for training and testing: split, standardise, encode.

Means and scales are computed on the training part alone, so nothing leaks from the test part.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from compare.data import Dataset


class Scale(NamedTuple):
    """Subtract a mean, divide by a standard deviation, column by column; of one, nothing at all."""

    mean: np.ndarray = np.zeros(1)  #: float64, shape (columns,)
    sd: np.ndarray = np.ones(1)  #: float64, shape (columns,); 1 for a column that does not vary

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """Standardise values of shape (n, columns)."""
        return (values - self.mean) / self.sd


def scale_of(values: np.ndarray) -> Scale:
    """Compute the scale of the columns of `values`, shape (n, columns)."""
    sd = values.std(axis=0)
    # Rounding of the mean may leave a constant column with a tiny nonzero deviation.
    noise = 4 * len(values) * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
    return Scale(values.mean(axis=0), np.where(sd <= noise, 1.0, sd))


@dataclass(frozen=True, eq=False)
class Prepared:
    """The prepared training and test data; arrays in the dtype of the training."""

    x: np.ndarray  #: to train on, standardised, shape (n, features)
    y: np.ndarray  #: shape (n, outputs)
    test_x: np.ndarray
    test_y: np.ndarray
    scale: Scale  #: of the features
    target: Scale  #: of a numeric target; the identity for classes


def split(y: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose row numbers to train on and to test on, each part with its share of every class.

    The rows are shuffled, put in the order of their targets, and taken for the test at equal
    distances; so no class of two rows or more is missing from the training.

    Args:
        y: targets, shape (n,).
        fraction: of the rows to test on, above 0 and at most one half; at least one row is taken.
        seed: a whole number from 0 up.
    """
    # The 2 makes these draws independent of others from the same seed.
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
    y, target = data.y[:, None].astype(np.float64), Scale()
    if data.classes is None:
        target = scale_of(y[train])
        y = target.standardised(y)
    elif outputs > 1:
        y = np.eye(outputs)[data.y]
    x = scale.standardised(data.x)
    x, y = x.astype(dtype), y.astype(dtype)
    return Prepared(x[train], y[train], x[test], y[test], scale, target)


def codes(outputs: np.ndarray) -> np.ndarray:
    """Return the predicted class of each row: output at least one half, or the largest output."""
    return (outputs[:, 0] >= 0.5).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)

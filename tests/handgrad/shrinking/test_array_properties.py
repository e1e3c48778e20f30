"""What arrays have in common, and that simpler and shorter ones in their place have it as well."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from handgrad.shrinking.choices import choices

RNG = np.random.default_rng(3)
SQUARE = RNG.normal(size=(5, 5))


def symmetric(a: Any) -> bool:
    return bool(np.array_equal(a, a.T))


#: An array, and what holds of each that stands in its place, besides its shape and dtype.
GIVEN: dict[str, tuple[np.ndarray, Callable[[Any], Any]]] = {
    "labels of one": (
        np.eye(5)[[4, 1, 2]],
        lambda a: (a.sum(axis=-1) == 1).all() and np.isin(a, (0, 1)).all(),
    ),
    "a simplex": (
        RNG.dirichlet(np.ones(5), size=3).astype(np.float32),
        lambda a: np.allclose(a.sum(axis=-1), 1, rtol=1e-6) and (a >= 0).all(),
    ),
    "a covariance": (
        SQUARE @ SQUARE.T + np.eye(5),
        lambda a: symmetric(a) and np.linalg.eigvalsh(a).min() > 0,
    ),
    "a symmetric matrix": (SQUARE + SQUARE.T - 9 * np.eye(5), symmetric),
    "a factor": (np.tril(SQUARE), lambda a: np.array_equal(a, np.tril(a))),
    "an order": (RNG.permutation(6), lambda a: sorted(a) == [*range(len(a))]),
    "times": (np.sort(RNG.exponential(size=6)), lambda a: (np.diff(a) > 0).all()),
    "class labels": (np.array([4, 1, 2, 2, 3]), lambda a: np.isin(a, range(1, 5))),
    "a mask": (RNG.random((4, 5)) < 0.5, lambda a: True),
    "truth as floats": (np.array([1.0, 0.0, 0.0, 1.0]), lambda a: np.isin(a, (0, 1))),
    "probabilities": (np.array([0.25, 0.5, 0.125]), lambda a: (a > 0) & (a < 1)),
    "lengths": (np.array([0.5, 3.5, 2.0]), lambda a: a > 0),
    "counts": (np.array([4.0, 0.0, 7.0]), lambda a: (a >= 0) & (a == np.round(a))),
}


def drawn(given: np.ndarray, length: int, below: int | None = None) -> list[np.ndarray]:
    options = choices(given, given[(slice(length),) * given.ndim], below)
    rng, count = np.random.default_rng(0), len(options.arrays)
    return [options.chosen(rng.integers(0, count, options.count).tolist()) for _ in range(50)]


@pytest.mark.parametrize("name", GIVEN)
def test_what_stands_in_its_place_has_what_it_has(name: str) -> None:
    given, still = GIVEN[name]
    for length in (1, 2, 5):
        cut = given[(slice(length),) * given.ndim]
        for array in drawn(given, length):
            assert (array.shape, array.dtype) == (cut.shape, cut.dtype)
            assert np.all(still(array))
    assert np.array_equal(choices(given, given, None).arrays[-1], given, equal_nan=True)


def test_labels_stay_below_the_number_of_classes() -> None:
    labels = GIVEN["class labels"][0]
    assert {int(n) for array in drawn(labels, 2, below=2) for n in array} <= {0, 1}

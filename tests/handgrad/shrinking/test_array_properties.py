"""What arrays look like, and that simpler and shorter ones still look like it."""

from typing import Any

import numpy as np
import pytest

from handgrad.shrinking.array_properties import PROPERTIES
from handgrad.shrinking.choices import MANY, choices, free_choices

RNG = np.random.default_rng(3)
SQUARE = RNG.normal(size=(5, 5))

GIVEN: dict[str, tuple[str, np.ndarray]] = {
    "labels of one": ("rows that sum to one", np.eye(5)[[4, 1, 2]]),
    "a simplex": ("rows that sum to one", RNG.dirichlet(np.ones(5), size=3)),
    "a simplex in float32": (
        "rows that sum to one",
        RNG.dirichlet(np.ones(5), size=3).astype(np.float32),
    ),
    "a covariance": ("symmetric positive definite", SQUARE @ SQUARE.T + np.eye(5)),
    "a symmetric matrix": ("symmetric", SQUARE + SQUARE.T - 9 * np.eye(5)),
    "a factor": ("triangular", np.tril(SQUARE)),
    "an order": ("a permutation", RNG.permutation(6)),
    "times": ("ascending", np.sort(RNG.exponential(size=6))),
    "class labels": ("whole numbers", np.array([4, 0, 2, 2, 3])),
    "a mask": ("anything else", RNG.random((4, 5)) < 0.5),
    "missing values": ("anything else", np.array([1.0, np.nan])),
    "truth as floats": ("numbers", np.array([1.0, 0.0, 0.0, 1.0, 1.0])),
    "probabilities": ("numbers", np.array([0.25, 0.5, 0.125])),
    "lengths": ("numbers", np.array([0.5, 3.5, 2.0])),
    "counts": ("numbers", np.array([4.0, 0.0, 7.0, 2.0])),
    "anything": ("numbers", np.array([0.5, -3.0, 2.0])),
}


def look_of(array: np.ndarray) -> str:
    return next(look.name for look in PROPERTIES if look.fits(array))


def drawn(given: np.ndarray, cut: np.ndarray, below: int | None = None) -> list[np.ndarray]:
    options = choices(given, cut, below)
    rng = np.random.default_rng(0)
    count = len(options.arrays)
    return [options.chosen(rng.integers(0, count, options.count).tolist()) for _ in range(50)]


@pytest.mark.parametrize("name", GIVEN)
def test_its_look(name: str) -> None:
    look, array = GIVEN[name]
    assert look_of(array) == look


@pytest.mark.parametrize("name", GIVEN)
def test_what_stands_in_its_place_has_its_shape_and_dtype(name: str) -> None:
    _, given = GIVEN[name]
    cut = given[tuple(slice(2) for _ in given.shape)]
    for array in drawn(given, cut):
        assert (array.shape, array.dtype) == (cut.shape, cut.dtype)
    assert np.array_equal(choices(given, given, None).arrays[-1], given, equal_nan=True)


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("name", ["labels of one", "a simplex", "a simplex in float32"])
def test_rows_go_on_summing_to_one(name: str, width: int) -> None:
    _, given = GIVEN[name]
    for array in drawn(given, given[:2, :width]):
        assert np.allclose(array.sum(axis=-1), 1, rtol=1e-6)  # as float32 sums to one
        assert (array >= 0).all()
    if name == "labels of one":
        assert all(np.isin(array, (0, 1)).all() for array in drawn(given, given[:2, :width]))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_matrices_stay_what_they_are(size: int) -> None:
    holds: dict[str, Any] = {
        "a covariance": lambda a: np.array_equal(a, a.T) and np.linalg.eigvalsh(a).min() > 0,
        "a symmetric matrix": lambda a: np.array_equal(a, a.T),
        "a factor": lambda a: np.array_equal(a, np.tril(a)),
    }
    for name, still in holds.items():
        _, given = GIVEN[name]
        assert all(still(array) for array in drawn(given, given[:size, :size])), name


def test_sequences_stay_in_order_and_integers_in_their_range() -> None:
    order, times = GIVEN["an order"][1], GIVEN["times"][1]
    assert all(sorted(array) == [0, 1, 2] for array in drawn(order, order[:3]))
    assert all((np.diff(array) > 0).all() for array in drawn(times, times[:3]))
    # Integers stay within their range and below a length.
    labels = np.array([4, 1, 2, 2, 3])
    assert {int(n) for array in drawn(labels, labels[:2]) for n in array} <= {1, 2, 3, 4}
    assert {int(n) for array in drawn(labels, labels[:2], below=2) for n in array} <= {0, 1}


KEPT: dict[str, Any] = {
    "truth as floats": lambda a: np.isin(a, (0, 1)).all(),
    "probabilities": lambda a: (a > 0).all() and (a < 1).all(),
    "lengths": lambda a: (a > 0).all(),
    "counts": lambda a: (a >= 0).all() and (a == np.round(a)).all(),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_all_numbers_have_in_common_is_kept(name: str) -> None:
    _, given = GIVEN[name]
    assert all(KEPT[name](array) for array in drawn(given, given[:2]))


def test_the_simplest_numbers_come_first_and_large_arrays_are_one_choice() -> None:
    assert free_choices(np.array([0.123])).arrays[0] == 0.0
    lengths = GIVEN["lengths"][1]
    assert choices(lengths, lengths, None).arrays[0].tolist() == [1.0, 1.0, 1.0]
    # Large arrays are one choice.
    assert free_choices(np.zeros(MANY)).count == MANY
    assert free_choices(np.zeros(MANY + 1)).count == 1

"""Arrays of objects and their namespace."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from flint import arb

from manual.objects import Namespace, ObjectArray


class Sized(Fraction):
    """A number that can be the largest."""

    def largest(self, other: Fraction) -> Fraction:
        return max(self, other)


def test_whole_numbers_stay_exact() -> None:
    """Beside floats too, and beyond 64 bits."""
    x = ObjectArray([2**62 + 1, 0.5])
    assert (x * x).numbers.tolist() == [(2**62 + 1) ** 2, 0.25]
    assert x.astype(np.float64) is x


def test_a_ball_around_the_bound_is_above_it_or_not() -> None:
    xp, balls = Namespace(), np.array([arb(2), arb(-2), arb(0, 1)], dtype=object)
    for compared in (xp.greater(balls, 0), xp.greater_equal(balls, 0)):
        assert compared[:2].tolist() == [1, 0]
        assert compared[2].contains(0)
        assert compared[2].contains(1)


def test_the_logarithm_of_1_plus_a_number_where_a_library_has_only_that_of_a_number() -> None:
    x = sympy.Symbol("x")
    assert Namespace().log1p(np.array([x])).tolist() == [sympy.log(1 + x)]


def test_sums_are_from_first_to_last_however_the_array_lies_in_memory() -> None:
    xp = Namespace(ObjectArray)
    letters = ObjectArray([["a", "b", "c"], ["d", "e", "f"]])
    assert xp.sum(letters.T).numbers.item() == "adbecf"
    assert xp.sum(letters, axis=1).numbers.tolist() == ["abc", "def"]


def test_the_identity_matrix_is_of_whole_numbers() -> None:
    third = Fraction(1, 3) * Namespace().eye(2)
    assert third.tolist() == [[Fraction(1, 3), 0], [0, Fraction(1, 3)]]


@pytest.mark.parametrize("numbers", [[[2]], [[2], [5]], [[5, 1, 2], [3, 8, 9]]])
def test_the_largest_is_that_of_the_objects_or_else_zero(numbers: list[list[int]]) -> None:
    xp = Namespace(ObjectArray)
    sized = ObjectArray([[Sized(number) for number in row] for row in numbers])
    assert xp.max(sized).numbers.item() == max(map(max, numbers))
    rows = xp.max(sized, axis=1, keepdims=True).numbers
    assert rows.tolist() == [[max(row)] for row in numbers]
    assert xp.max(ObjectArray(numbers), axis=1, keepdims=True).numbers.tolist() == [
        [0] for _ in numbers
    ]


def test_it_has_axes_and_what_is_compared_stays_an_object() -> None:
    x = sympy.Symbol("x")
    array = ObjectArray([[x, 2 * x]])
    assert (array.ndim, array.shape) == (2, (1, 2))
    assert (array > 1).numbers.tolist() == [[x > 1, 2 * x > 1]]

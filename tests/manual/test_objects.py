"""Arrays of objects and their namespace."""

from fractions import Fraction

import pytest

from manual.objects import Namespace, ObjectArray


class Sized(Fraction):
    """A number that can be the largest."""

    def largest(self, other: Fraction) -> Fraction:
        return max(self, other)


def test_whole_numbers_stay_exact() -> None:
    """Beside floats too, and beyond 64 bits."""
    x = ObjectArray([2**62 + 1, 0.5])
    assert (x * x).numbers.tolist() == [(2**62 + 1) ** 2, 0.25]


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

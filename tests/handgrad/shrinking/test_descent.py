"""The least lengths at which something shows, with few tries."""

from collections.abc import Callable

import pytest

from handgrad.shrinking.descent import Numbers, descended

CASES: dict[str, tuple[Numbers, Callable[[Numbers], bool], Numbers]] = {
    "at one of everything": ((5, 4, 3), lambda n: True, (1, 1, 1)),
    "nowhere else": ((5, 4, 3), lambda n: n == (5, 4, 3), (5, 4, 3)),
    "at two equal widths": ((7, 3, 3, 2), lambda n: n[1] == n[2] >= 2, (1, 2, 2, 1)),
    "where two differ": ((5, 3, 7), lambda n: n[0] != n[1], (1, 2, 1)),
    "at six, below which one has to come twice": ((10, 10), lambda n: n[1] >= 6, (1, 6)),
    "without a length": ((), lambda n: True, ()),
}


@pytest.mark.parametrize("name", CASES)
def test_none_can_be_lowered(name: str) -> None:
    full, shows, least = CASES[name]
    assert descended(full, shows) == least


def test_one_dimension_of_many_is_found_in_few_tries() -> None:
    asked: set[Numbers] = set()

    def shows(lengths: Numbers) -> bool:
        asked.add(lengths)
        return lengths[11] >= 2

    assert descended((9,) * 16, shows) == (*(1,) * 11, 2, *(1,) * 4)
    # All at one and at two, then both halves of four groups on the way to it, and itself.
    assert len(asked) <= 2 + 2 * 4 + 1

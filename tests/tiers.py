"""The three tiers: `make test` runs one of each kind, `make test-slow` more, and the night all.

By day a test tries a few of its slow parameters, drawn by their names, or as many as its mark
`by_day` says. With HANDGRAD_NIGHT=1 in the environment it tries all, and what has the mark `night`
runs.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import pytest
from hypothesis import settings

#: With this in the environment `make test-slow` tries all: that takes hours.
NIGHT = "HANDGRAD_NIGHT" in os.environ

#: How many slow parameters of a test are tried by day.
BY_DAY = 2


def slowly(*values: Any) -> Any:
    """A test's parameters that only `make test-all` tries."""
    return pytest.param(*values, marks=pytest.mark.slow)


def one_of_each(values: Iterable[Any], quick: Any) -> list[Any]:
    """A test's parameters: those in `quick` are tried by `make test`, and the others are slow."""
    values = list(values)
    assert set(quick) <= set(values)
    return [value if value in quick else slowly(value) for value in values]


def left_to_the_night(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return what the day does not try of all tests that were chosen."""
    left_out, slow = set[pytest.Item](), defaultdict[Any, list[pytest.Item]](list)
    for item in items:
        if item.get_closest_marker("night"):
            left_out.add(item)
        elif item.get_closest_marker("slow") and isinstance(item, pytest.Function):
            slow[item.parent, item.originalname].append(item)
    for of_test in slow.values():
        mark = of_test[0].get_closest_marker("by_day")
        drawn = sorted(of_test, key=lambda item: crc32(item.name.encode()))
        left_out.update(drawn[mark.args[0] if mark else BY_DAY :])
    return left_out


def fewer(times: int) -> settings:
    """A part of the profile's examples, where each takes long and most would show a mistake.

    In the thorough profile at most 200, as in the quick one, which are others in every run; what
    the project is about, tests/test_equivalence.py, draws all 3,000 there.
    """
    return settings(max_examples=min(settings().max_examples // times, 200))


def examples_are_fixed() -> bool:
    """Whether Hypothesis draws the same in every run, so that shares of examples can be asserted.

    The thorough profile draws at random; there the shares of seven runs were 0.28 to 0.52.
    """
    return settings().derandomize

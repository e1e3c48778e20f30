"""The three tiers: `make test` runs one of each kind, `make test-slow` more, and the night all.

What has the mark `night` beside `slow` runs where HANDGRAD_NIGHT=1 is in the environment.
"""

import os
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import pytest
from hypothesis import settings

#: With this in the environment `make test-slow` tries all: that takes hours.
NIGHT = "HANDGRAD_NIGHT" in os.environ


def slowly(*values: Any) -> Any:
    """A test's parameters that only `make test-all` tries."""
    return pytest.param(*values, marks=pytest.mark.slow)


def nightly(values: Iterable[Any], slow: int) -> list[Any]:
    """Slow parameters, of which one in so many, drawn by their names, is tried without the night.

    A value that is a tuple stands for several parameters.
    """
    marks = [pytest.mark.slow, pytest.mark.night]
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            marks=marks[: 1 + (crc32(repr(value).encode()) % slow > 0)],
        )
        for value in values
    ]


def one_of_each(values: Any, quick: Any, slow: int = 1) -> list[Any]:
    """All values: those in `quick` are tried by `make test`, of others one in so many by day."""
    assert set(quick) <= set(values)
    others = iter(nightly(((value,) for value in values if value not in quick), slow))
    return [value if value in quick else next(others) for value in values]


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

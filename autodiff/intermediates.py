"""Observe or replace the intermediate values of a loss, for instance to differentiate by them."""

from collections.abc import Callable
from typing import Any

#: (name, value) -> value: called with every intermediate value and its name; returns the value, or
#: a replacement. With value + nudge a loss can be differentiated by any of them.
See = Callable[[str, Any], Any]


def as_it_is(name: str, value: Any) -> Any:  # noqa: ARG001 (the form of every `See`)
    """Return the value unchanged."""
    return value

"""Looking at the values on the way from the inputs to a loss, and differentiating by them."""

from collections.abc import Callable
from typing import Any

#: (name, value) -> value: is shown every value on the way, by its name, and returns it, or puts
#: another in its place. With value + nudge a loss can be differentiated by any of them.
See = Callable[[str, Any], Any]


def as_it_is(name: str, value: Any) -> Any:  # noqa: ARG001 (the form of every `See`)
    """The value."""
    return value

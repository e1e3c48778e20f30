"""Find the line of a function that does something else on JAX's arrays than on the caller's.

The function is called on both, each line of the caller's own code is watched, and the first after
which a variable differs, or another line follows, is the one.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.data.frames import is_own, quoted_line
from handgrad.data.point import Point, copied
from handgrad.data.pytrees import split, wide

#: The most lines to watch, and the most numbers to keep of each.
MOST_LINES, MOST_NUMBERS = 2_000, 10_000


@dataclass(frozen=True)
class _Line:
    """A line that is about to be run, or the end of a function, and the variables there."""

    file: str
    number: int
    variables: dict[str, list[np.ndarray]]

    def differs(self, other: "_Line") -> bool:
        """Tell whether it is another line, or some variable has another value."""
        if (self.file, self.number) != (other.file, other.number):
            return True
        names = self.variables.keys() & other.variables.keys()
        return any(_differ(self.variables[name], other.variables[name]) for name in names)


def diverging_line(function: Callable[..., Any], given: Point) -> str:
    """Return the place of the line, as " (file, line 3: `v *= 2`)"; "" if none is found."""
    real, together = split((given.params, *given.inputs))
    with best_effort(Exception), wide(real):
        yours = _lines(function, copied((given.params, *given.inputs)))
        theirs = _lines(function, together([jax.numpy.asarray(array) for array in real]))
        pairs = enumerate(zip(yours, theirs, strict=False))
        k = next((k for k, (one, other) in pairs if one.differs(other)), 0)
        if k:
            return f" ({quoted_line(yours[k - 1].file, yours[k - 1].number)})"
    return ""


def _lines(function: Callable[..., Any], arguments: Any) -> list[_Line]:
    """Call a function, and return the lines that were run; up to an error, if it raises one."""
    found: list[_Line] = []

    def watched(frame: FrameType, event: str, result: Any) -> Any:
        if not is_own(frame.f_code.co_filename) or len(found) > MOST_LINES:
            return None
        if event in ("line", "return"):
            values = {**frame.f_locals, "return": result if event == "return" else None}
            kept = {name: _numbers(value) for name, value in values.items()}
            found.append(_Line(frame.f_code.co_filename, frame.f_lineno, kept))
        return watched

    before = sys.gettrace()
    try:
        sys.settrace(watched)
        with best_effort(Exception):
            function(*arguments)
    finally:
        sys.settrace(before)
    return found


def _numbers(value: Any) -> list[np.ndarray]:
    """Copy the arrays and numbers of a value, as far as it is a pytree of some."""
    leaves = [leaf for leaf in jax.tree_util.tree_leaves(value) if _is_number(leaf)]
    return [np.array(leaf) for leaf in leaves] if sum(map(np.size, leaves)) < MOST_NUMBERS else []


def _is_number(leaf: Any) -> bool:
    arrays = np.ndarray | np.generic | jax.Array
    return isinstance(leaf, float | int) or (isinstance(leaf, arrays) and leaf.dtype != object)


def _differ(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Tell whether arrays differ by more than rounding: by more than half of the digits."""
    if [a.shape for a in one] != [b.shape for b in other]:
        return True
    half = float(np.finfo(np.float32).eps) ** 0.5
    return any(
        not np.allclose(a, b, rtol=half, atol=half * np.max(np.abs(a), initial=0), equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )

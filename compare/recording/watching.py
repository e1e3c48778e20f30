"""What the hand lines call their numbers, seen while the lines run.

Nothing is patched and nothing is copied: Python reports every line of the functions that are
watched, and what has been bound to a name since the line before is taken down with the statement
that did it. `# (5)` in the lines says which step of the forward pass they take, or undo.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from compare.recording.arrays import Array

ROOT = Path(__file__).parents[2]

#: The name of what a function returns.
RETURN = "return"


class Statement(NamedTuple):
    """One statement of a function."""

    file: str  #: from the root of the project
    line: int
    text: str
    step: str  #: the comment that numbers the step, without its sign: `(1)`, or `(6) o1 = ...`


class Binding(NamedTuple):
    """A name, what was bound to it, and where."""

    function: str
    variable: str
    value: Array
    statement: Statement


@dataclass(frozen=True)
class Watch:
    """What to look at.

    Args:
        functions: whose names are taken down.
        marked: functions of one array whose results are known by a sign, by that sign; they are
            then written down as σ(z), and not as what is inside.
    """

    functions: tuple[Callable[..., Any], ...]
    marked: Mapping[str, Callable[..., Any]]

    def run(self, lines: Callable[[], Any]) -> list[Binding]:
        """Run the lines, and return the arrays of recorded numbers that they gave names to.

        Another tracer, a debugger's or one that measures coverage, does not see these lines.
        """
        bindings: list[Binding] = []
        watched = {function.__code__: function for function in self.functions}
        marked = {function.__code__: sign for sign, function in self.marked.items()}

        def entered(frame: FrameType, event: str, _: Any) -> Any:
            if event != "call":
                return None
            if frame.f_code in watched:
                return _names_of(watched[frame.f_code], frame, bindings)
            return _marker(frame, marked[frame.f_code]) if frame.f_code in marked else None

        before = sys.gettrace()
        sys.settrace(entered)
        try:
            with np.errstate(all="ignore"):  # NumPy looks at what its objects have computed, too
                lines()
        finally:
            sys.settrace(before)
        return bindings


def _names_of(function: Callable[..., Any], frame: FrameType, bindings: list[Binding]) -> Any:
    """Takes down what each line of a frame has bound."""
    known, line = dict(frame.f_locals), frame.f_lineno

    def on_line(frame: FrameType, event: str, result: Any) -> Any:
        nonlocal known, line
        if event in ("line", "return"):
            now = dict(frame.f_locals)
            if event == "return":
                now[RETURN] = result
            statement = statements(function).get(line)  # none for the head of a loop
            for name, value in now.items():
                if isinstance(value, Array) and known.get(name) is not value and statement:
                    bindings.append(Binding(function.__name__, name, value, statement))
            known, line = now, frame.f_lineno
        return on_line

    return on_line


def _marker(frame: FrameType, sign: str) -> Any:
    """Marks what a function returns with its sign and its argument."""
    (name,) = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    given = frame.f_locals[name]

    def on_return(_: FrameType, event: str, result: Any) -> Any:
        if event == "return":
            result = result[0] if isinstance(result, tuple) else result
            _mark(sign, given, result)
        return on_return

    return on_return


def _mark(sign: str, given: Any, result: Any) -> None:
    """Element by element, or, of a function of whole rows, with the whole row."""
    if not (isinstance(given, Array) and isinstance(result, Array)):
        return
    of_rows = sign.endswith("[]")
    for at in np.ndindex(result.shape):
        number = result.numbers[at]
        if of_rows:
            number.called = (sign.replace("[]", f"[{at[-1]}]"), tuple(given.numbers[at[:-1]]))
        elif number.operands and number is not given.numbers[at]:
            number.called = (sign, (given.numbers[at],))


@cache
def statements(function: Callable[..., Any]) -> Mapping[int, Statement]:
    """The statements of a function by the number of every line that they stand on."""
    source, first = inspect.getsourcelines(function)
    file = Path(inspect.getsourcefile(function) or "")
    file = file.resolve().relative_to(ROOT) if file.is_file() else file  # lines compiled anew
    tree = ast.parse(dedent("".join(source)))
    steps = dict(_steps(source))
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return):
            end = node.end_lineno or node.lineno
            step = steps.get(end - 1, "")
            made = Statement(str(file), first + node.lineno - 1, ast.unparse(node), step)
            found |= {first + line - 1: made for line in range(node.lineno, end + 1)}
    return found


def _steps(source: list[str]) -> Iterator[tuple[int, str]]:
    """For each line the comment that numbers its step: its own, else the last one above it."""
    above = ""
    for at, line in enumerate(source):
        comment = re.search(r"#\s*(\(\d+\).*)", line)
        own = comment.group(1).strip() if comment else ""
        if own and not line[: line.index("#")].strip():
            above = own
        yield at, own or above

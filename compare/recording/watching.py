"""Record the names that the hand-written lines give to their numbers, while the lines run.

Nothing is patched or copied: a trace function sees every line of the watched functions, and records
what was bound to a name since the line before, with the statement. `# (5)` in the lines numbers the
step of the forward pass that they compute, or undo.
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

from compare.recording.number import Array

ROOT = Path(__file__).parents[2]

#: The name for a function's return value.
RETURN = "return"


class Statement(NamedTuple):
    """One statement of a function."""

    file: str  #: relative to the root of the project
    line: int
    text: str
    step: str  #: the comment that numbers the step, without its sign: `(1)`, or `(6) o1 = ...`


class Binding(NamedTuple):
    """A name, the value bound to it, and the statement."""

    function: str
    variable: str
    value: Array
    statement: Statement


@dataclass(frozen=True)
class Watch:
    """Which functions to watch.

    Args:
        functions: the functions whose names are recorded.
        marked: functions of one array, by their sign; formulas show a result as σ(z), not the
            function's inner operations.
    """

    functions: tuple[Callable[..., Any], ...]
    marked: Mapping[str, Callable[..., Any]]

    def run(self, lines: Callable[[], Any]) -> tuple[list[Binding], Any]:
        """Run the lines; return the arrays of recorded numbers that they named, and the result.

        Another tracer, of a debugger or for coverage, does not see these lines.
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
            with np.errstate(all="ignore"):  # NumPy checks the results of object arrays, too
                result = lines()
        finally:
            sys.settrace(before)
        return bindings, result


def _names_of(function: Callable[..., Any], frame: FrameType, bindings: list[Binding]) -> Any:
    """Return a trace function that records what each line of a frame binds."""
    known, line = dict(frame.f_locals), frame.f_lineno

    def on_line(frame: FrameType, event: str, result: Any) -> Any:
        nonlocal known, line
        if event in ("line", "return"):
            now = dict(frame.f_locals)
            if event == "return":
                now[RETURN] = result
            statement = statements(function).get(line)  # None for the head of a loop
            for name, value in now.items():
                if isinstance(value, Array) and known.get(name) is not value and statement:
                    bindings.append(Binding(function.__name__, name, value, statement))
            known, line = now, frame.f_lineno
        return on_line

    return on_line


def _marker(frame: FrameType, sign: str) -> Any:
    """Return a trace function that marks a function's result with its sign and argument.

    It does so element by element or, for a function of whole rows, with the whole row.
    """
    (name,) = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    given = frame.f_locals[name]

    def on_return(_: FrameType, event: str, result: Any) -> Any:
        result = result[0] if isinstance(result, tuple) else result
        if event == "return" and isinstance(given, Array) and isinstance(result, Array):
            for at in np.ndindex(result.shape):
                number = result.numbers[at]
                if sign.endswith("[]"):
                    row = tuple(given.numbers[at[:-1]])
                    number.called = (sign.replace("[]", f"[{at[-1]}]"), row)
                elif number.operands and number is not given.numbers[at]:
                    number.called = (sign, (given.numbers[at],))
        return on_return

    return on_return


@cache
def statements(function: Callable[..., Any]) -> Mapping[int, Statement]:
    """Return the statements of a function by the number of each of their lines."""
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
    """Yield for each line the comment that numbers its step: its own, else the last one above."""
    above = ""
    for at, line in enumerate(source):
        comment = re.search(r"#\s*(\(\d+\).*)", line)
        own = comment.group(1).strip() if comment else ""
        if own and not line[: line.index("#")].strip():
            above = own
        yield at, own or above

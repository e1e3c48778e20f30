"""Turn a recording into a program: the same operations in order, for the page to run."""

from collections.abc import Mapping
from typing import NamedTuple

from compare.recording.number import Number

CONSTANT = "constant"


class Line(NamedTuple):
    """One operation."""

    operation: str  #: as `Number.operation`
    operands: tuple[int, ...]  #: the lines whose results it uses
    value: float | None = None  #: the value of a constant
    #: The sign of the function whose result it is, and the lines of its arguments.
    called: tuple[str, tuple[int, ...]] | None = None


class Program(NamedTuple):
    """All operations that compute some numbers, each after its operands."""

    lines: tuple[Line, ...]
    at: Mapping[str, int]  #: for each name the line that computes it, or that is its input


def program(named: Mapping[str, Number]) -> Program:
    """Build the program that computes named numbers, its inputs among them."""
    at: dict[Number, int] = {}
    lines: list[Line] = []

    def add(number: Number) -> int:
        if number not in at:
            operands = tuple(map(add, number.operands))
            called = number.called and (number.called[0], tuple(map(add, number.called[1])))
            value = number.value if number.operation == CONSTANT else None
            at[number] = len(lines)
            lines.append(Line(number.operation, operands, value, called))
        return at[number]

    places = {name: add(number) for name, number in named.items()}
    return Program(tuple(lines), places)

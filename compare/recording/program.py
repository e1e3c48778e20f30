"""Turn a recording into a program: the same operations in order, for the page to run."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from compare.recording.number import Number

GIVEN, CONSTANT = "given", "constant"


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
    """Build the program that computes named numbers. Its inputs need names, too.

    Raises:
        ValueError: an input has no name, so it could not be set.
    """
    at: dict[Number, int] = {}
    lines: list[Line] = []
    known = set(named.values())
    for number in _in_order(named.values()):
        if number.operation == GIVEN and number not in known:
            raise ValueError(f"program: a given number, {number.value}, has no name")
        at[number] = len(lines)
        lines.append(_line(number, at))
    return Program(tuple(lines), {name: at[number] for name, number in named.items()})


def _line(number: Number, at: Mapping[Number, int]) -> Line:
    value = number.value if number.operation == CONSTANT else None
    operands = tuple(at[operand] for operand in number.operands)
    called = None
    if number.called:
        sign, arguments = number.called
        called = (sign, tuple(at[argument] for argument in arguments))
    return Line(number.operation, operands, value, called)


def _in_order(numbers: Iterable[Number]) -> Iterator[Number]:
    """Yield each number once, after its operands. Not recursive: sums may be long."""
    done: set[Number] = set()
    for number in numbers:
        open_ = [number]
        while open_:
            if (top := open_[-1]) in done:
                open_.pop()
                continue
            needed = (*top.operands, *(top.called[1] if top.called else ()))
            missing = [operand for operand in needed if operand not in done]
            if missing:
                open_ += reversed(missing)
            else:
                done.add(open_.pop())
                yield top

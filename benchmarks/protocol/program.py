"""What a compiled program says of itself: operations, their count, and the memory it takes."""

import math
import re
from typing import Any

#: A line of a program's text: `%name = f32[64,10]{1,0} multiply(%a, %b), ...`; several results are
#: a tuple, `(f32[], f32[3]{0})`.
LINE = re.compile(r"^\s+(?:ROOT )?%\S+ = (\([^()]*\)|\S+) ([a-z][a-z0-9-]*)\(", re.MULTILINE)

#: The lengths of an array's axes, within its type.
SHAPE = re.compile(r"\[([\d,]*)\]")


def operations(text: str) -> dict[str, list[int]]:
    """Of each operation in a compiled program's text: how often it is there, its largest result.

    The result's size is in numbers. `dot` is a product.
    """
    found: dict[str, list[int]] = {}
    for made, operation in LINE.findall(text):
        count, largest = found.get(operation, (0, 0))
        found[operation] = [count + 1, max(largest, _numbers(made))]
    return dict(sorted(found.items()))


def _numbers(made: str) -> int:
    """In all arrays of a type."""
    return sum(
        math.prod(int(length) for length in shape.split(",") if length)
        for shape in SHAPE.findall(made)
    )


def flops(program: Any) -> float | None:
    """The compiler's own count of a program's operations on numbers, where it has one."""
    found = program.cost_analysis()
    found = found[0] if isinstance(found, list) else found
    return (found or {}).get("flops")


def memory(program: Any) -> int | None:
    """Bytes that a call takes beside its arguments, as the compiler has planned; None untold."""
    found = program.memory_analysis()
    return None if found is None else found.temp_size_in_bytes + found.output_size_in_bytes

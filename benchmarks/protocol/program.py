"""Analyse a compiled program: its operations, their count, and its memory."""

import math
import re
from typing import Any

#: A line of a program's text: `%name = f32[64,10]{1,0} multiply(%a, %b), ...`; several results form
#: a tuple, `(f32[], f32[3]{0})`.
LINE = re.compile(r"^\s+(?:ROOT )?%\S+ = (\([^()]*\)|\S+) ([a-z][a-z0-9-]*)\(", re.MULTILINE)

#: The lengths of an array's axes, within its type.
SHAPE = re.compile(r"\[([\d,]*)\]")


def operations(text: str) -> dict[str, list[int]]:
    """Count each operation in a compiled program's text, with the size of its largest result.

    The size is in numbers. `dot` is a matrix product.
    """
    found: dict[str, list[int]] = {}
    for made, operation in LINE.findall(text):
        count, largest = found.get(operation, (0, 0))
        shapes = (filter(None, shape.split(",")) for shape in SHAPE.findall(made))
        numbers = sum(math.prod(map(int, lengths)) for lengths in shapes)
        found[operation] = [count + 1, max(largest, numbers)]
    return dict(sorted(found.items()))


def flops(program: Any) -> float | None:
    """Return the compiler's own count of FLOPs, if it has one."""
    found = program.cost_analysis()
    found = found[0] if isinstance(found, list) else found
    return (found or {}).get("flops")


def memory(program: Any) -> int | None:
    """Return the memory of a call besides its arguments in bytes, as planned by the compiler."""
    found = program.memory_analysis()
    return None if found is None else found.temp_size_in_bytes + found.output_size_in_bytes

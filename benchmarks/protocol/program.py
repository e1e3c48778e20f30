"""What a compiled program says of itself: operations, their count, and the memory it takes."""

import re
from collections import Counter
from typing import Any

#: A line of a program's text: `%name = f32[64,10]{1,0} multiply(%a, %b), ...`; several results are
#: a tuple, `(f32[], f32[3]{0})`.
LINE = re.compile(r"^\s+(?:ROOT )?%\S+ = (?:\([^()]*\)|\S+) ([a-z][a-z0-9-]*)\(", re.MULTILINE)


def operations(text: str) -> dict[str, int]:
    """How often each operation stands in the text of a compiled program; `dot` is a product."""
    return dict(sorted(Counter(LINE.findall(text)).items()))


def flops(program: Any) -> float | None:
    """The compiler's own count of a program's operations on numbers, where it has one."""
    found = program.cost_analysis()
    found = found[0] if isinstance(found, list) else found
    return (found or {}).get("flops")


def memory(program: Any) -> int | None:
    """Bytes that a call takes beside its arguments, as the compiler has planned; None untold."""
    found = program.memory_analysis()
    return None if found is None else found.temp_size_in_bytes + found.output_size_in_bytes

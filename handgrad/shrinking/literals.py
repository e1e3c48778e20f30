"""Write numbers, text and arrays as Python code, broken into lines."""

import itertools
import re
from typing import Any

import numpy as np

from handgrad.data.formats import is_half

#: The width of a line of code, less the indentation of a test's body.
WIDTH = 96

#: A constant array of more elements is written by `full`, `zeros` or `ones`.
FEW = 9

#: A quoted text, brackets that hold nothing, or a sign that opens, closes or separates.
_SIGN = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\(\)|\[\]|\{\}|[()\[\]{},]""")
_OPENING, _CLOSING = tuple("([{"), tuple(")]}")


def laid_out(line: str, indent: int = 0) -> list[str]:
    """Write code on lines: what is too long is broken within its last brackets."""
    start, parts, end = _within_brackets(line)
    if indent + len(line) <= WIDTH or not parts:
        return [" " * indent + line]
    inner = [laid_out(part, indent + 4) for part in parts]
    broken = [text for lines in inner for text in (*lines[:-1], f"{lines[-1]},")]
    return [" " * indent + start, *broken, " " * indent + end]


def _within_brackets(line: str) -> tuple[str, list[str], str]:
    """Return what is before a line's last brackets that hold something, its parts, and the rest."""
    depth, ends = 0, [0]
    for found in _SIGN.finditer(line):
        opens, closes = found[0] in _OPENING, found[0] in _CLOSING
        depth += opens - closes
        if opens and depth == 1:
            ends = [found.end()]
        elif (found[0] == "," and depth == 1) or (closes and depth == 0):
            ends.append(found.end())
    parts = [line[a : b - 1].strip() for a, b in itertools.pairwise(ends)]
    return line[: ends[0]], [part for part in parts if part], line[ends[-1] - 1 :]


def text(text: str) -> str:
    """Quote a text."""
    plain = repr(text)
    return f'"{text}"' if plain[1:-1] == text and '"' not in text else plain


def number(value: Any) -> str:
    """Write a number with as few digits as restore it in its own dtype."""
    if is_half(getattr(value, "dtype", None)):
        value = _shortest(value)
    elif isinstance(value, np.floating) and not isinstance(value, float):
        short = str(value)
        # The short form is parsed as float64 first, and so may be rounded twice.
        value = short if type(value)(float(short)) == value else repr(float(value))
    text = (
        value if isinstance(value, str) else repr(value.item() if hasattr(value, "item") else value)
    )
    if text.startswith("(") and {"n"} & set(text):
        return f'complex("{text[1:-1]}")'  # nan or inf in a part
    return f'float("{text}")' if text in ("nan", "inf", "-inf") else text


def _shortest(value: Any) -> str:
    """Write a number of a short format with as few digits as restore it."""
    exact = float(value)
    texts = (f"{exact:.{digits}g}" for digits in range(1, 17))
    text = next((t for t in texts if type(value)(float(t)) == value), repr(exact))
    return text if not np.isfinite(exact) or {".", "e"} & set(text) else f"{text}.0"


def filled(kind: str, values: np.ndarray, dtype: tuple[str, ...]) -> str:
    """Write the call that makes an array: a function of the module `kind`."""
    first = values.reshape(-1)[0] if values.size else values.dtype.type(0)
    same = values.size != 1 and values.tobytes() == np.full_like(values, first).tobytes()
    if same and (values.size > FEW or not values.size):
        name = {"0.0": "zeros", "0": "zeros", "1.0": "ones", "1": "ones"}.get(number(first))
        fill = () if name else (number(first),)
        return f"{kind}.{name or 'full'}({', '.join((str(values.shape), *fill, *dtype))})"
    maker = "tensor" if kind == "torch" else "array"
    return f"{kind}.{maker}({', '.join((nested(values), *dtype))})"


def nested(values: np.ndarray) -> str:
    """Write the elements of an array as nested lists."""
    if values.ndim == 0:
        return number(values[()])
    return f"[{', '.join(map(nested, values))}]"

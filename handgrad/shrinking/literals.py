"""Write numbers, text and arrays as Python code, broken into lines."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handgrad.data.formats import is_half

#: The width of a line of code, less the indentation of a test's body.
WIDTH = 96

#: A constant array of more elements is written by `full`, `zeros` or `ones`.
FEW = 9


@dataclass(frozen=True)
class Group:
    """Brackets with parts between them, written on one line if they fit."""

    opening: str
    parts: tuple["Node", ...]
    closing: str


Node = str | Group


def laid_out(start: str, node: Node, indent: int = 0) -> list[str]:
    """Write lines of code: `start`, then the node, broken within brackets if it is too long."""
    line = start + flat(node)
    if isinstance(node, str) or indent + len(line) <= WIDTH or not node.parts:
        return [" " * indent + line]
    lines = [" " * indent + start + node.opening]
    for part in node.parts:
        inner = laid_out("", part, indent + 4)
        lines += [*inner[:-1], f"{inner[-1]},"]
    return [*lines, " " * indent + node.closing.lstrip(",")]


def flat(node: Node) -> str:
    """Write a node on one line."""
    if isinstance(node, str):
        return node
    return node.opening + ", ".join(map(flat, node.parts)) + node.closing


def after(start: str, node: Node) -> Node:
    """Prefix a node."""
    if isinstance(node, str):
        return start + node
    return replace(node, opening=start + node.opening)


def end(parts: tuple[Any, ...]) -> str:
    """Return the closing bracket of a tuple."""
    return ",)" if len(parts) == 1 else ")"


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


def filled(kind: str, values: np.ndarray, dtype: tuple[str, ...], maker: str = "array") -> Group:
    """Write the call that makes an array: a function of the module `kind`."""
    first = values.reshape(-1)[0] if values.size else values.dtype.type(0)
    same = values.size != 1 and values.tobytes() == np.full_like(values, first).tobytes()
    if same and (values.size > FEW or not values.size):
        name = {"0.0": "zeros", "0": "zeros", "1.0": "ones", "1": "ones"}.get(number(first))
        fill = () if name else (number(first),)
        return Group(f"{kind}.{name or 'full'}(", (str(values.shape), *fill, *dtype), ")")
    return Group(f"{kind}.{maker}(", (nested(values), *dtype), ")")


def nested(values: np.ndarray) -> Node:
    """Write the elements of an array as nested lists."""
    if values.ndim == 0:
        return number(values[()])
    return Group("[", tuple(nested(values[i]) for i in range(len(values))), "]")

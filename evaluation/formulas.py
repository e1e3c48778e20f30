"""Tables of text, and the formulas in them, which run wherever their functions are found."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

#: What a formula may use that is neither a name of its own nor a function of `xp`; not `max`, which
#: a package may not have. What C code imports, it imports by `__import__`.
BUILTINS = {"len": len, "range": range, "int": int, "float": float, "__import__": __import__}


class Namespace:
    """Attributes looked for in several modules, with names of its own first."""

    def __init__(self, *homes: Any, **own: Any) -> None:
        self._homes = homes
        vars(self).update(own)

    def __getattr__(self, name: str) -> Any:
        for home in self._homes:
            if hasattr(home, name):
                return getattr(home, name)
        raise AttributeError(name)


def table(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row, `name | cell | cell`; an indented line goes on with its row."""
    for row in re.split(r"\n(?=\S)", text.strip()):
        yield [" ".join(cell.split()) for cell in row.split(" | ")]


def filled(text: str) -> Iterator[list[str]]:
    """Yield what the rows of tables make, blank lines between all of them.

    Above each table are the rows that say what its columns, {0}, {1} and on, make.
    """
    parts = text.strip().split("\n\n")
    for top, rows in zip(parts[::2], parts[1::2], strict=True):
        for cells in table(rows):
            for made in table(top):
                yield [cell.format(*cells) for cell in made]


def formula(
    arguments: str, text: str, names: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """Return `f(xp, *arguments)` of a text, whose other names are among `names`, or of `xp`."""
    code = compile(f"lambda {arguments}: {text}", f"<{text}>", "eval")
    known = names or {}
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}

    def f(xp: Any, *args: Any) -> Any:
        found = {name: getattr(xp, name) for name in used - known.keys() if hasattr(xp, name)}
        return eval(code, {**known, **found, "xp": xp, "__builtins__": BUILTINS})(*args)

    return f


def modules(*paths: str) -> dict[str, Any]:
    """Import modules, each by the last part of its path."""
    return {path.rpartition(".")[2]: import_module(path) for path in paths}

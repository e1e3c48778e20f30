"""What the comments `#: ...` say of an attribute, as its docstring: an extension of Griffe."""

import ast
from pathlib import Path
from typing import Any

from griffe import Attribute, Docstring, Extension, ObjectNode

_MARK = "#:"


class Comments(Extension):
    """Reads the comment behind an attribute, or the lines of comment above it."""

    def on_attribute_instance(
        self, *, node: ast.AST | ObjectNode, attr: Attribute, **_: Any
    ) -> None:
        """Give an attribute without a docstring that of its comment."""
        if attr.docstring is not None or not isinstance(node, ast.stmt):
            return
        assert isinstance(attr.filepath, Path)  # only a namespace package has several
        lines = attr.module.lines_collection[attr.filepath]
        if text := _comment(lines, node.lineno - 1, node.end_lineno or node.lineno):
            attr.docstring = Docstring(
                text[0].upper() + text[1:], parent=attr, parser="google", lineno=node.lineno
            )


def _comment(lines: list[str], first: int, after: int) -> str:
    """Return the text on the last line of a statement or, if there is none, above the first."""
    _, behind, text = lines[after - 1].partition(_MARK)
    if behind:
        return text.strip()
    above: list[str] = []
    while first > 0 and lines[first - 1].strip().startswith(_MARK):
        first -= 1
        above.insert(0, lines[first].strip().removeprefix(_MARK).strip())
    return " ".join(above)

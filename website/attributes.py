"""What Griffe does not read by itself: comments `#: ...`, and signatures that are another's."""

import ast
from pathlib import Path
from typing import Any

from griffe import Attribute, Docstring, ExprCall, Extension, Function, ObjectNode

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
            attr.docstring = Docstring(text, parent=attr, parser="google", lineno=node.lineno)


class Signatures(Extension):
    """Reads the decorator `asserting` of `handgrad`."""

    def on_function_instance(self, *, func: Function, **_: Any) -> None:
        """Give an assertion the parameters of its check, which stands above it."""
        for decorator in func.decorators:
            if decorator.callable_path.endswith(".asserting"):
                assert isinstance(decorator.value, ExprCall)
                func.parameters = func.module[str(decorator.value.arguments[0])].parameters


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

"""Edits of one place in a function: how they are made, and how they are found again later."""

import ast
import hashlib
import itertools
import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]

#: The rooms whose functions may have an edit.
ROOMS = ("manual", "autodiff", "handgrad", "compare", "study", "benchmarks", "models")

_OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.MatMult: ("@", "*"),
    ast.Pow: ("**", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}

_Definition = ast.FunctionDef | ast.AsyncFunctionDef


class LostError(LookupError):
    """The text of a mutant is in no function of the tree, or at several places."""


@dataclass(frozen=True)
class Mutant:
    """One edit: in `function` of `file`, the text `old` becomes `new`."""

    file: str
    function: str
    old: str
    new: str

    @property
    def id(self) -> str:
        """A name that stays while the edit stays."""
        parts = "\0".join((self.file, self.function, self.old, self.new))
        return hashlib.sha1(parts.encode()).hexdigest()[:10]


def python_files(root: Path = ROOT) -> list[str]:
    """The files whose functions may have an edit."""
    command = ["git", "ls-files", "-z", "--", *(f"{room}/*.py" for room in ROOMS)]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in found.split("\0") if name and (root / name).is_file())


def locate(mutant: Mutant, root: Path, files: list[str]) -> tuple[str, int, str]:
    """Find where a mutant's text stands now, up to white space.

    It is looked for in the stored file, then in the function of that name in any of the files, then
    in any function.

    Returns:
        The file, the line, and the whole text of the file with the edit.

    Raises:
        LostError: it is nowhere, or at several places.
    """
    for whole_name, where in ((True, [mutant.file]), (True, files), (False, files)):
        name = mutant.function if whole_name else None
        found = {(file, *span) for file in where for span in _spans(mutant.old, root / file, name)}
        if len(found) == 1:
            ((file, start, end),) = found
            text = (root / file).read_text("utf-8")
            line = text.count("\n", 0, start) + 1
            return file, line, text[:start] + mutant.new + text[end:]
        if found:
            raise LostError(f"{mutant.old!r} is at {len(found)} places")
    raise LostError(f"{mutant.function} of {mutant.file} has no {mutant.old!r} any more")


def _spans(old: str, file: Path, function: str | None) -> Iterator[tuple[int, int]]:
    """From which to which character of a file the text stands, within functions of that name."""
    text = file.read_text("utf-8") if file.exists() else ""
    if not (pattern := _pattern(old)).search(text):
        return
    starts = [0, *itertools.accumulate(len(line) for line in text.splitlines(keepends=True))]
    for name, node in functions(ast.parse(text)):
        if function in (None, name):
            bounds = starts[node.lineno - 1], starts[node.end_lineno or node.lineno]
            yield from (match.span() for match in pattern.finditer(text, *bounds))


def _pattern(text: str) -> re.Pattern[str]:
    """The text up to white space, and not as a part of longer words."""
    words = r"\s+".join(re.escape(word) for word in text.split())
    return re.compile(
        (r"(?<!\w)" if re.match(r"\w", text) else "")
        + words
        + (r"(?!\w)" if re.search(r"\w$", text) else "")
    )


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, _Definition]]:
    """All functions of a module under their qualified names, those in functions included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, prefix)


def functions_of(root: Path, file: str) -> Iterator["Function"]:
    """The functions of a file, whose edits can be made."""
    source = (root / file).read_text("utf-8")
    for name, node in functions(ast.parse(source)):
        yield Function(file, name, node, source)


class Function:
    """One function's text, whose positions the parser counts in bytes."""

    def __init__(self, file: str, name: str, node: _Definition, source: str):
        lines = source.splitlines(keepends=True)
        self.file, self.name, self.node = file, name, node
        self.source = source.encode()
        self.starts = [0, *itertools.accumulate(len(line.encode()) for line in lines)]
        self.text = "".join(lines[node.lineno - 1 : node.end_lineno])
        names = {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}
        stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
        names |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
        self.names = sorted(names - {"self", "cls", "_"})

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.text.count("\n")

    def edits(self) -> Iterator[tuple[str, Mutant]]:
        """All edits of the body whose text is unique in the function, each with its kind."""
        for statement in self.node.body[ast.get_docstring(self.node) is not None :]:
            yield from self._below(statement, [])

    def _below(self, node: ast.AST, above: list[ast.AST]) -> Iterator[tuple[str, Mutant]]:
        """The edits of a node and of what is in it; messages and functions within are left out."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.JoinedStr):
            return
        path = [*above, node]
        for kind, start, end, new in self._changes(node, above[-1] if above else None):
            if (mutant := self._mutant(path, start, end, new)) is not None:
                yield kind, mutant
        if not isinstance(node, ast.Raise):
            for field, value in ast.iter_fields(node):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST) and field != "annotation":
                        yield from self._below(child, path)

    def _mutant(self, path: list[ast.AST], start: int, end: int, new: str) -> Mutant | None:
        """The edit with as much of its statement around it as makes it unique in the function."""
        for node in reversed(path):
            if isinstance(node, ast.expr | ast.stmt):
                first, last = self._span(node)
                old = self.source[first:last].decode()
                changed = (self.source[first:start] + new.encode() + self.source[end:last]).decode()
                unique = len(_pattern(old).findall(self.text)) == 1
                whole = isinstance(node, ast.stmt)
                if unique and end <= last and (whole or len(old) >= 8):
                    return self._compiled(old, changed)
                if whole:
                    return None
        return None

    def _compiled(self, old: str, new: str) -> Mutant | None:
        """The mutant, if it can be compiled and changes the syntax tree."""
        before = textwrap.dedent(self.text)
        after = textwrap.dedent(_pattern(old).sub(lambda _: new, self.text))
        try:
            same = ast.dump(ast.parse(before)) == ast.dump(ast.parse(after))
        except SyntaxError:
            return None
        return None if same else Mutant(self.file, self.name, old, new)

    def _span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """The bytes from and to: of a statement with a body, those before its body."""
        start = self.starts[node.lineno - 1] + node.col_offset
        body = getattr(node, "body", None) or getattr(node, "cases", None)
        if isinstance(node, ast.stmt) and body:
            first = body[0] if isinstance(body[0], ast.stmt) else body[0].pattern
            end = self.starts[first.lineno - 1] + first.col_offset
            return start, start + len(self.source[start:end].rstrip())
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def _of(self, node: ast.expr | ast.stmt) -> str:
        return self.source[slice(*self._span(node))].decode()

    def _changes(self, node: ast.AST, above: ast.AST | None) -> Iterator[tuple[str, int, int, str]]:
        """What a node may be mistaken for: kind, the bytes from and to, and what stands there."""
        if isinstance(node, ast.BinOp):
            yield from self._between("operator", node.left, node.op, node.right)
        elif isinstance(node, ast.AugAssign):
            yield from self._between("operator", node.target, node.op, node.value)
            yield "removed", *self._span(node), "pass"
        elif isinstance(node, ast.Compare):
            yield from self._between("comparison", node.left, node.ops[0], node.comparators[0])
        elif isinstance(node, ast.BoolOp):
            yield from self._between("and/or", node.values[0], node.op, node.values[1])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
            kind = "not" if isinstance(node.op, ast.Not) else "sign"
            yield kind, *self._span(node), self._of(node.operand)
        elif isinstance(node, ast.Constant):
            yield from self._constant(node, above)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield from self._name(node)
        elif isinstance(node, ast.Call):
            yield from self._call(node)
        elif isinstance(node, ast.Return) and node.value is not None:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                yield "return", *self._span(node), "return None"
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            yield "condition", *self._span(node.test), f"not ({self._of(node.test)})"
            if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
                yield "removed", *self._span(node.test), "False"
        elif isinstance(node, ast.Continue | ast.Break) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            yield "removed", *self._span(node), "pass"

    def _between(
        self, kind: str, left: ast.expr, operator: ast.AST, right: ast.expr
    ) -> Iterator[tuple[str, int, int, str]]:
        """The change of the operator between two operands."""
        if type(operator) in _OPERATORS:
            before, after = _OPERATORS[type(operator)]
            start, end = self._span(left)[1], self._span(right)[0]
            yield kind, start, end, self.source[start:end].decode().replace(before, after, 1)

    def _name(self, node: ast.Name) -> Iterator[tuple[str, int, int, str]]:
        """The next of its names; as w1 and w2, of those that differ by digits, if there are."""
        stem = re.sub(r"\d", "", node.id)
        alike = [name for name in self.names if re.sub(r"\d", "", name) == stem]
        names = alike if len(alike) > 1 else self.names
        if node.id in names and len(names) > 1:
            other = names[(names.index(node.id) + 1) % len(names)]
            yield "name" if names is alike else "other name", *self._span(node), other

    def _constant(
        self, node: ast.Constant, above: ast.AST | None
    ) -> Iterator[tuple[str, int, int, str]]:
        """A number that is another, a truth that is the opposite, a key that is not there."""
        value = node.value
        key = isinstance(above, ast.Subscript | ast.Dict | ast.Compare)
        if isinstance(value, bool):
            yield "constant", *self._span(node), str(not value)
        elif isinstance(value, int):
            yield "constant", *self._span(node), str(value + 1)
        elif isinstance(value, float):
            yield "constant", *self._span(node), repr(2 * value or 1.0)
        elif isinstance(value, str) and value and key:
            yield "key", *self._span(node), repr(value + "_")

    def _call(self, node: ast.Call) -> Iterator[tuple[str, int, int, str]]:
        """A call that is only its first argument, and one without its last argument by name."""
        if node.args and not isinstance(node.args[0], ast.Starred | ast.Constant | ast.JoinedStr):
            yield "call", *self._span(node), self._of(node.args[0])
        values = [*node.args, *(k.value for k in node.keywords)]
        if node.keywords and len(values) > 1 and node.keywords[-1].arg not in (None, "strict"):
            before = max(self._span(v)[1] for v in values[:-1])
            yield "argument", before, self._span(values[-1])[1], ""


def statement(text: str, line: int) -> range:
    """The lines of the statement at a line; of one with a body, those before the body."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            body = getattr(node, "body", None)
            end = body[0].lineno if body else (node.end_lineno or line) + 1
            if line < end or end == node.lineno:
                found = range(node.lineno, max(end, node.lineno + 1))
    return found

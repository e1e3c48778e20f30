"""One plausible edit of one line of a program: what a tired person writes instead."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.corpus.programs import Program

#: Functions that are taken for one another, and those that are taken for another one.
_PAIRS = """sin/cos tanh/arctan sinh/cosh exp/expm1 log/log1p max/min maximum/minimum argmax/argmin
floor/ceil sum/mean cumsum/cumprod cummax/cummin igamma/igammac add/subtract"""
_ONE_WAY = "sqrt/cbrt arcsin/arctan erf/tanh erfc/erf bessel_i0e/bessel_i1e softmax/log_softmax"
SIBLINGS: dict[str, str] = {}
for _pair in f"{_PAIRS} {_ONE_WAY}".split():
    _one, _other = _pair.split("/")
    SIBLINGS[_one] = _other
    if _pair in _PAIRS.split():
        SIBLINGS[_other] = _one

#: By operator: the kind of the edit, how it is written, and what it becomes.
OPERATORS: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.Add: ("sign", "+", "-"),
    ast.Sub: ("sign", "-", "+"),
    ast.Mult: ("operator", "*", "+"),
    ast.Div: ("operator", "/", "*"),
    ast.Gt: ("operator", ">", "<"),
    ast.Lt: ("operator", "<", ">"),
    ast.GtE: ("operator", ">=", "<"),
    ast.LtE: ("operator", "<=", ">"),
    ast.Eq: ("operator", "==", "!="),
    ast.NotEq: ("operator", "!=", "=="),
}


@dataclass(frozen=True)
class Edit:
    """One line with one place changed."""

    kind: str  #: names, factor, axis, sign, index, operator, transpose
    line: int
    old: str
    new: str

    def of(self, program: Program) -> Program:
        """Return the program with the edit."""
        lines = [*program.lines]
        lines[self.line] = (lines[self.line][0], self.new)
        return Program(tuple(lines))


def edits(program: Program, shapes: dict[str, Any]) -> Iterator[Edit]:
    """Propose every edit of every line; `shapes` has the shape of each value by name."""
    for at, (_, text) in enumerate(program.lines):
        before = [*shapes][: 4 + at]  # parameters, data, and the lines above
        for node in ast.walk(ast.parse(text, mode="eval")):
            for kind, place, new in _of(node, text, {name: shapes[name] for name in before}):
                yield Edit(kind, at, text, _replaced(text, place, new))


def _replaced(text: str, node: Any, new: str) -> str:
    return text[: node.col_offset] + new + text[node.end_col_offset :]


def _of(node: Any, text: str, shapes: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Propose (kind, place, what it becomes) at one node of a line."""

    def said(part: Any) -> str:
        found = text[part.col_offset : part.end_col_offset]
        return found if isinstance(part, ast.Name | ast.Constant | ast.Call) else f"({found})"

    match node:
        case ast.BinOp(left=left, op=op, right=right):
            if type(op) in OPERATORS:
                yield _other_operator(text, left, op, right)
            if isinstance(op, ast.Mult):
                yield "factor", node, said(left)
                yield "factor", node, said(right)
            if isinstance(op, ast.Div | ast.Pow):
                yield "factor", node, said(left)
            if isinstance(op, ast.Sub | ast.Div | ast.MatMult):
                sign = {ast.Sub: "-", ast.Div: "/", ast.MatMult: "@"}[type(op)]
                yield "names", node, f"({said(right)} {sign} {said(left)})"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield _other_operator(text, left, op, right)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name() | ast.BinOp() | ast.Call() as operand):
            yield "sign", node, said(operand)
        case ast.Attribute(value=value, attr="T"):
            yield "transpose", node, said(value)
        case ast.Attribute(value=ast.Name(id="jnp" | "lax") as module, attr=attr):
            if attr in SIBLINGS:
                yield "operator", node, f"{module.id}.{SIBLINGS[attr]}"
        case ast.Call(args=[ast.Name(id=a) as first, ast.Name(id=b) as second, *_]) if (
            a != b and shapes.get(a) == shapes.get(b) is not None
        ):
            place = _Span(first.col_offset, second.end_col_offset)
            yield "names", place, f"{b}{text[first.end_col_offset : second.col_offset]}{a}"
        case ast.keyword(arg="axis", value=ast.Constant(value=int(axis)) as place):
            yield "axis", place, str(1 - axis if axis in (0, 1) else 0)
        case ast.keyword(arg="reverse"):
            yield "axis", node.value, "False"
        case ast.Subscript(slice=ast.Constant(value=int(at)) as place):
            yield "index", place, str((at + 1) % 3)
        case ast.List(elts=[ast.Constant(value=int()), *_] as entries):
            for entry in entries:
                if isinstance(entry, ast.Constant) and type(entry.value) is int:
                    yield "index", entry, str((entry.value + 1) % 3)
        case ast.Name(id=name) if name in shapes:
            for other, shape in shapes.items():
                if other != name and shape == shapes[name]:
                    yield "names", node, other
        case _:
            pass


@dataclass(frozen=True)
class _Span:
    """A part of a line, for what is no node of its own."""

    col_offset: int
    end_col_offset: int | None


def _other_operator(text: str, left: Any, op: ast.AST, right: Any) -> tuple[str, Any, str]:
    """Propose another operator in one's place, and leave the brackets around it as they are."""
    kind, old, new = OPERATORS[type(op)]
    place = _Span(left.end_col_offset, right.col_offset)
    return kind, place, text[place.col_offset : place.end_col_offset].replace(old, new, 1)


def drawn(program: Program, shapes: dict[str, Any], seed: int) -> Iterator[Edit]:
    """Draw edits, the kinds in turn, so that the many names do not drown the few axes."""
    rng = np.random.default_rng([seed, 2])
    by_kind: dict[str, list[Edit]] = {}
    for edit in edits(program, shapes):
        by_kind.setdefault(edit.kind, []).append(edit)
    while by_kind:
        kind = str(rng.choice(sorted(by_kind)))
        yield by_kind[kind].pop(int(rng.integers(len(by_kind[kind]))))
        if not by_kind[kind]:
            del by_kind[kind]

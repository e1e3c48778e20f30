"""Mistakes of one place in a function of a module, made systematically."""

import ast
import inspect
import types
from collections.abc import Iterable, Iterator

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


def mutants(
    module: types.ModuleType, function: str, arguments: Iterable[str] = ()
) -> Iterator[tuple[str, types.ModuleType]]:
    """The module with one thing in a function changed: name, operator, comparison, constant, call.

    Args:
        module: where the function is.
        function: its name.
        arguments: those of its arguments that are mistaken for others, as names of its own are.

    Yields:
        What was changed, as `line: before -> after`, and the changed module.
    """
    tree = ast.parse(inspect.getsource(module))
    definition = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    line = tree.body.index(definition)
    before, after = map(_compiled, (tree.body[:line], tree.body[line + 1 :]))
    places = list(_places(definition))
    stored = (node for *_, node in places if isinstance(node, ast.Name))
    names = {node.id for node in stored if isinstance(node.ctx, ast.Store)} | set(arguments)
    for parent, field, at, node in places:
        for replacement in _replacements(node, names):
            _put(parent, field, at, ast.copy_location(replacement, node))
            try:
                changed = _compiled([definition])
            except SyntaxError:
                continue  # nobody could have written it
            finally:
                _put(parent, field, at, node)
            mutant = types.ModuleType(module.__name__)
            for part in (before, changed, after):
                exec(part, vars(mutant))
            what = f"{ast.unparse(node)} -> {ast.unparse(replacement)}"
            yield f"{function}, line {getattr(node, 'lineno', '?')}: {what}", mutant


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Each node of a function's body with where it stands; error messages are left out."""
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.FunctionDef) and field != "body":
            continue
        for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.Raise):
                yield node, field, at, child
                yield from _places(child)


def _compiled(statements: list[ast.stmt]) -> types.CodeType:
    return compile(ast.Module(statements, []), "<mutant>", "exec")


def _put(parent: ast.AST, field: str, at: int | None, node: ast.AST) -> None:
    if at is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[at] = node


def _replacements(node: ast.AST, names: set[str]) -> Iterator[ast.expr]:
    """What one node of the tree may be mistaken for."""
    if isinstance(node, ast.BinOp):
        for operator in _OPERATORS.get(type(node.op), ()):
            yield ast.BinOp(node.left, operator(), node.right)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        yield from (ast.Name(name, ast.Load()) for name in sorted(names - {node.id}))
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        yield ast.Compare(node.left, [_COMPARISONS[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call) and node.args:
        yield node.args[0]

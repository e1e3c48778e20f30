"""Mistakes of one place in a function of a module, made systematically."""

import ast
import copy
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
    nodes = _nodes(tree, function)
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= set(arguments)
    for at, node in enumerate(nodes):
        for replacement in _replacements(node, names):
            changed = copy.deepcopy(tree)
            _Replace(_nodes(changed, function)[at], replacement).visit(changed)
            mutant = types.ModuleType(module.__name__)
            try:
                code = compile(ast.fix_missing_locations(changed), "<mutant>", "exec")
            except SyntaxError:
                continue  # nobody could have written it
            exec(code, vars(mutant))
            what = f"{ast.unparse(node)} -> {ast.unparse(replacement)}"
            yield f"{function}, line {getattr(node, 'lineno', '?')}: {what}", mutant


def _nodes(tree: ast.Module, function: str) -> list[ast.AST]:
    """The body of the function, node by node, always in the same order; error messages are not."""
    definition = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    messages = {
        id(m) for n in ast.walk(definition) if isinstance(n, ast.Raise) for m in ast.walk(n)
    }
    body = (node for statement in definition.body for node in ast.walk(statement))
    return [node for node in body if id(node) not in messages]


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


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.expr):
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self.replacement if node is self.target else self.generic_visit(node)

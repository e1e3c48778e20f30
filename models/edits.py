"""How a mistake is planted in a hand-written gradient: by editing a line of it."""

import dis
import inspect
import linecache
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import count
from textwrap import indent
from types import CodeType, FunctionType
from typing import Any

Gradient = Callable[..., Any]

#: A text that occurs exactly once, and its replacement.
Edit = tuple[str, str]

#: Edits of functions that many gradients call, by the function's name; see `models.lines`.
Shared = dict[str, Edit]

_NUMBERS = count()


def edited(gradient: Gradient, *edits: Edit | Shared) -> Gradient:
    """Compile a gradient with edits of it, or of what it calls in its package or in `manual`.

    Raises:
        ValueError: an edit's text does not occur exactly once, or its function is not called.
    """
    if isinstance(gradient, partial):
        return partial(edited(gradient.func, *edits), *gradient.args, **gradient.keywords)
    functions = called(gradient)
    sources = {name: _source(function) for name, function in functions.items()}
    for shared in edits:
        if not isinstance(shared, tuple):
            sources |= _shared(shared, sources)
    source = "\n\n".join(sources.values())
    for edit in edits:
        if isinstance(edit, tuple):
            source = changed(source, *edit)
    namespace: dict[str, Any] = _names(functions) | {"__name__": gradient.__module__}
    _run(source, gradient.__module__, namespace)
    return namespace[gradient.__name__]


def edited_class(of: type, *edits: Edit) -> Any:
    """Compile a class with edits of its methods; those without any stay in their own file.

    Raises:
        ValueError: an edit's text does not occur exactly once.
    """
    source = _source(of)
    for edit in edits:
        source = changed(source, *edit)
    namespace = {**vars(sys.modules[of.__module__])}
    _run(source, of.__module__, namespace)
    made = namespace[of.__name__]
    for name, method in vars(of).items():
        if isinstance(method, staticmethod) and _source(method.__func__) in source:
            setattr(made, name, method)
    return made


def changed(source: str, old: str, new: str) -> str:
    """Replace the one occurrence of `old` by `new`, whose further lines are indented alike.

    Raises:
        ValueError: `old` does not occur exactly once.
    """
    if source.count(old) != 1:
        raise ValueError(f"{old!r} occurs {source.count(old)} times, expected once, in\n{source}")
    before, after = source.split(old)
    line = before.rpartition("\n")[2]
    margin = line[: len(line) - len(line.lstrip())]
    first, *rest = new.split("\n")
    return before + "\n".join([first, *(indent(each, margin) for each in rest)]) + after


def _run(source: str, module: str, namespace: dict[str, Any]) -> None:
    """Run edited lines of a module; a traceback into a mistake then shows them."""
    file = f"<{module}, mistake {next(_NUMBERS)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)


def _shared(edits: Shared, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the edits of those functions that have one."""
    found = {name: changed(sources[name], *edits[name]) for name in edits if name in sources}
    if not found:
        raise ValueError(f"expected one of {list(edits)} among what is called: {list(sources)}")
    return found


@cache
def called(gradient: FunctionType) -> dict[str, FunctionType]:
    """Return the functions that a gradient calls in its package or `manual`; itself is last."""
    rooms = {"manual", _room(gradient)}
    found: dict[str, FunctionType] = {}
    left = [gradient]
    while left:
        function = left.pop()
        found[function.__name__] = function
        for name in sorted(_used(function.__code__) - found.keys()):
            value = function.__globals__.get(name)
            # Under another name it would not be found anew, so it stays as it is.
            if isinstance(value, FunctionType) and value.__name__ == name and _room(value) in rooms:
                left.append(value)
    return dict(reversed(found.items()))


def _room(function: FunctionType) -> str:
    return function.__module__.partition(".")[0]


#: Returns the source of a function or a class, cached.
_source = cache(inspect.getsource)


@cache
def _used(code: CodeType) -> set[str]:
    """Return the global names that code uses, those of nested functions included."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    within = [_used(const) for const in code.co_consts if isinstance(const, CodeType)]
    return names.union(*within)


def _names(functions: Mapping[str, FunctionType]) -> dict[str, Any]:
    """Merge the globals of the functions' modules; every name they use must mean one thing."""
    names: dict[str, Any] = {}
    used: dict[str, Any] = {}
    for function in functions.values():
        names |= function.__globals__
        for name in _used(function.__code__) & function.__globals__.keys():
            if used.setdefault(name, function.__globals__[name]) is not function.__globals__[name]:
                raise ValueError(f"{function.__name__}: {name} is another thing to what it calls")
    return names | used

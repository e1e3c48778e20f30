"""How a mistake is planted in a hand-written gradient: by editing a line of it."""

import dis
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import count
from textwrap import indent
from types import CodeType, FunctionType
from typing import Any

Gradient = Callable[..., Any]

#: A line as it is wrongly written, or a text that occurs exactly once with its replacement.
Edit = str | tuple[str, str]

#: Edits of functions that many gradients call, by the function's name; see `models.helpers`.
Shared = dict[str, Edit]

_NUMBERS = count()


def edited(by_hand: Any, *edits: Edit | Shared) -> Any:
    """Compile a function or a class with edits of it, or of what it calls in its room or `manual`.

    It calls functions that a partial call gives it, or a table, too. The methods of a class without
    any edit stay in their own file.

    Raises:
        ValueError: an edit's place is not exactly one, or its function is not called.
    """
    call = by_hand if isinstance(by_hand, partial) else partial(by_hand)
    of = call.func
    functions = {} if isinstance(of, type) else called(by_hand)
    sources = {name: _source(of) for name, of in (functions or {"": of}).items()}
    for shared in edits:
        if isinstance(shared, dict):
            sources |= _shared(shared, sources)
    source = "\n\n".join(sources.values())
    for edit in edits:
        if not isinstance(edit, dict):
            source = changed(source, edit)
    names = _names(functions) if functions else vars(sys.modules[of.__module__])
    namespace: dict[str, Any] = {**names, "__name__": of.__module__}
    _run(source, of.__module__, namespace)
    for name, table in _tables(functions).items():
        namespace[name] = _mapped(lambda f: namespace.get(_name(f), f), table)
    made = namespace[of.__name__]
    for name, method in vars(of).items() if isinstance(of, type) else ():
        if isinstance(method, staticmethod) and _source(method.__func__) in source:
            setattr(made, name, method)
    args = (namespace[a.__name__] if isinstance(a, FunctionType) else a for a in call.args)
    return partial(made, *args, **call.keywords) if call is by_hand else made


def changed(source: str, edit: Edit) -> str:
    """Make an edit of source code; further lines are indented like the one in its place.

    A line takes the place of the one that assigns to the same, or returns as well; of several
    lines, the last one does, and the others come before it. Where only a line that assigns to
    several names at once fits, all come after it. A text takes another one's place.

    Raises:
        ValueError: there is not exactly one such place.
    """
    if isinstance(edit, str):
        old, new = _left(edit.rpartition("\n")[2].strip()), edit
        lines = {m.span(1): m[1] for m in re.finditer(r"^ *(\S.*)", source, re.MULTILINE)}
        places = [span for span, line in lines.items() if old and _left(line) == old]
        if not places and old:
            name = re.split(r"\W", old)[0]
            places = [span for span, line in lines.items() if name in _left(line).split(", ")]
            new = f"{source[slice(*places[0])]}\n{edit}" if places else edit
    else:
        old, new = edit
        places = [found.span() for found in re.finditer(re.escape(old), source)]
    if len(places) != 1:
        raise ValueError(f"{old!r} has {len(places)} places, expected one, in\n{source}")
    ((start, end),) = places
    line = source[:start].rpartition("\n")[2]
    margin = line[: len(line) - len(line.lstrip())]
    first, *rest = new.split("\n")
    return source[:start] + "\n".join([first, *(indent(x, margin) for x in rest)]) + source[end:]


def _left(line: str) -> str:
    """Return what a line assigns to, or that it returns."""
    found = re.match(r"return\b|[^=]*?(?= *[-+*/@]?=(?!=))", line)
    return found[0] if found else ""


def _run(source: str, module: str, namespace: dict[str, Any]) -> None:
    """Run edited lines of a module; a traceback into a mistake then shows them."""
    file = f"<{module}, mistake {next(_NUMBERS)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)


def _shared(edits: Shared, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the edits of those functions that have one."""
    found = {name: changed(sources[name], edits[name]) for name in edits if name in sources}
    if not found:
        raise ValueError(f"expected one of {list(edits)} among what is called: {list(sources)}")
    return found


@cache
def called(gradient: Gradient) -> dict[str, FunctionType]:
    """Return the functions that a gradient calls in its package or `manual`; itself is last."""
    call = gradient if isinstance(gradient, partial) else partial(gradient)
    left: Any = [*(each for each in call.args if isinstance(each, FunctionType)), call.func]
    rooms = {"manual", _room(left[-1])}
    found: dict[str, FunctionType] = {}
    while left:
        function = left.pop()
        found[function.__name__] = function
        used = {name: function.__globals__.get(name) for name in sorted(_used(function.__code__))}
        # Under another name it would not be found anew, so it stays as it is.
        values = [value for name, value in used.items() if _name(value) == name]
        for table in _tables({"": function}).values():
            _mapped(values.append, table)
        left += [v for v in values if _name(v) and _name(v) not in found and _room(v) in rooms]
    return dict(reversed(found.items()))


def _tables(functions: Mapping[str, FunctionType]) -> dict[str, Any]:
    """Return the tables that functions use, by name."""
    used = {name: f.__globals__ for f in functions.values() for name in _used(f.__code__)}
    return {name: at[name] for name, at in used.items() if isinstance(at.get(name), dict)}


def _mapped(change: Callable[[Any], Any], table: Any) -> Any:
    """Map the functions of a table, or of its rows; by `jax.tree` a list would wait for JAX."""
    if isinstance(table, dict):
        return {key: _mapped(change, value) for key, value in table.items()}
    return table._make(map(change, table)) if hasattr(table, "_make") else change(table)


def _name(value: Any) -> str:
    """Return a function's name; of all else none."""
    return value.__name__ if isinstance(value, FunctionType) else ""


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

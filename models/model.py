"""`Model`, and how a mistake is planted in it: by editing a line of its right gradient."""

import dis
import inspect
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from textwrap import indent
from types import CodeType, FunctionType
from typing import Any

import numpy as np

Gradient = Callable[..., Any]

#: A text that occurs exactly once, and its replacement.
Edit = tuple[str, str]

#: Edits of functions that many gradients call, by the function's name; see `models.lines`.
Shared = dict[str, Edit]

#: One edit, several at once, or a function that makes the wrong gradient from the right one.
Mistake = Edit | Shared | list[Edit | Shared] | Callable[[Gradient], Gradient]

#: Draws a point: (params, *inputs) in float64.
Draw = Callable[[np.random.Generator], tuple[Any, ...]]

_NUMBERS = count()


@dataclass(frozen=True, eq=False)
class Model:
    """A loss, its gradient by hand, a draw of points, and planted mistakes."""

    name: str
    loss: Callable[..., Any]  #: loss(params, *inputs), a scalar, in JAX
    gradient: Gradient  #: gradient(params, *inputs), a pytree like params, in NumPy
    draw: Draw
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)  #: by slug
    draw_single: Draw | None = None  #: within float32's range, where `draw` is not

    def point(self, rng: np.random.Generator, dtype: Any = np.float64) -> tuple[Any, ...]:
        """A draw with its float leaves rounded to a dtype; integers stay."""
        import jax

        def cast(leaf: Any) -> Any:
            leaf = np.asarray(leaf)
            return leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf

        draw = self.draw if dtype == np.float64 else self.draw_single or self.draw
        return jax.tree.map(cast, draw(rng))

    def wrong(self, slug: str) -> Gradient:
        """Make the gradient with a mistake; each call makes a new one, which shares no state.

        Raises:
            ValueError: a text to replace does not occur exactly once.
        """
        mistake = self.mistakes[slug]
        if callable(mistake):
            return mistake(self.gradient)
        return edited(self.gradient, *(mistake if isinstance(mistake, list) else [mistake]))


def edited(gradient: Gradient, *edits: Edit | Shared) -> Gradient:
    """Compile a gradient with edits of it, or of functions in its package that it calls.

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
    file = f"<{gradient.__module__}, mistake {next(_NUMBERS)}>"
    # A traceback into a mistake then shows its lines.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = _names(functions) | {"__name__": gradient.__module__}
    exec(compile(source, file, "exec"), namespace)
    return namespace[gradient.__name__]


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


def _shared(edits: Shared, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the edits of those functions that have one."""
    found = {name: changed(sources[name], *edits[name]) for name in edits if name in sources}
    if not found:
        raise ValueError(f"expected one of {list(edits)} among what is called: {list(sources)}")
    return found


@cache
def called(gradient: FunctionType) -> dict[str, FunctionType]:
    """Return the functions in its package that a gradient calls, by name, and itself last."""
    room = _room(gradient)
    found: dict[str, FunctionType] = {}
    left = [gradient]
    while left:
        function = left.pop()
        found[function.__name__] = function
        for name in sorted(_used(function.__code__) - found.keys()):
            value = function.__globals__.get(name)
            # Under another name it would not be found anew, so it stays as it is.
            if isinstance(value, FunctionType) and value.__name__ == name and _room(value) == room:
                left.append(value)
    return dict(reversed(found.items()))


def _room(function: FunctionType) -> str:
    return function.__module__.partition(".")[0]


#: Returns a function's source, cached.
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

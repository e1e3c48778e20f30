"""Put a mistake into a function in place, so that every reference to it has the mistake.

A test may have imported a derivative under any name, or holds it in a list. So the function's code
is replaced, and no name.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import jax

from handgrad.power.planting import Planting

#: What stands in the compiled code below, until it is replaced by what is called.
_HOOK = 12345.5


def function_in(derivative: Any) -> FunctionType | None:
    """Return the function in Python that a derivative calls; None if it is none or wraps none."""
    for _ in range(8):  # jit of a partial of a method of ...
        if isinstance(derivative, FunctionType):
            return derivative
        names = ("__wrapped__", "__func__", "func")
        derivative = next((getattr(derivative, n) for n in names if hasattr(derivative, n)), None)
    return None


@contextmanager
def planted_in_place(planting: Planting, function: FunctionType) -> Iterator[None]:
    """Let a function, and copies that other imports of its file have made, call a planting."""
    copies = [function, *_copies(function)]
    before = [(f, f.__code__, f.__defaults__, f.__kwdefaults__) for f in copies]
    try:
        for each in copies:
            hook = _Hook(planting, _original(each))
            each.__code__ = _calling(hook, len(each.__code__.co_freevars))
            each.__defaults__ = each.__kwdefaults__ = None
        yield
    finally:
        for each, code, defaults, keywords in before:
            each.__code__, each.__defaults__, each.__kwdefaults__ = code, defaults, keywords
        forget(planting)


def forget(planting: Planting) -> None:
    """Forget what JAX has compiled, if it has traced the derivative."""
    if planting.traced:
        jax.clear_caches()


class _Hook:
    """Calls the original function, and plants the mistake in what it returns."""

    def __init__(self, planting: Planting, original: Callable[..., Any]) -> None:
        self._planting, self._original = planting, original
        self._inside = threading.local()

    def __call__(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if getattr(self._inside, "running", False):  # it calls itself
            return self._original(*args, **keywords)
        self._inside.running = True
        try:
            result = self._original(*args, **keywords)
        finally:
            self._inside.running = False
        return self._planting.returned(args, keywords, result)


def _original(function: FunctionType) -> FunctionType:
    found = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    found.__kwdefaults__ = function.__kwdefaults__
    return found


def _calling(hook: _Hook, free: int) -> CodeType:
    """Return code that calls a hook, with so many free variables, which it does not use."""
    names = ", ".join(f"_{i}" for i in range(free))
    lines = (
        f"def around({names}):",
        "    def planted(*args, **keywords):",
        f"        hook = {_HOOK}",
        "        return hook(args, keywords)",
        *([f"        {names}"] if names else []),
        "    return planted",
    )
    scope: dict[str, Any] = {}
    exec("\n".join(lines), scope)
    code = next(c for c in scope["around"].__code__.co_consts if isinstance(c, CodeType))
    return code.replace(co_consts=tuple(hook if c == _HOOK else c for c in code.co_consts))


def _copies(function: FunctionType) -> Iterator[FunctionType]:
    """Yield the functions of other modules that were made from the same file, under its name."""
    file = Path(function.__code__.co_filename)
    for module in list(sys.modules.values()):
        if Path(getattr(module, "__file__", None) or ".").name != file.name:
            continue
        found: Any = module
        for part in function.__qualname__.split("."):
            found = getattr(found, part, None)
        other = function_in(found)
        if other is None or other is function:
            continue
        place, own = other.__code__, function.__code__
        if place.co_firstlineno == own.co_firstlineno and Path(place.co_filename).samefile(file):
            yield other

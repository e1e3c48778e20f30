"""A loss that JAX cannot trace: the call that stopped it, and how to write it in jax.numpy."""

import ast
import linecache
import sys
from collections.abc import Iterable
from pathlib import Path
from traceback import FrameSummary
from types import FrameType, ModuleType
from typing import Any

from handgrad.frames import near, own_frames

#: What JAX raises where a traced array is taken for a value; by name, so that JAX is not loaded.
_RAISED = {"TracerArrayConversionError", "ConcretizationTypeError"}

#: Which module's functions have a twin in JAX, and in which of its modules.
_TWINS = {"numpy": "jax.numpy", "math": "jax.numpy", "scipy": "jax.scipy"}

#: A longer call is quoted by its name.
LONG = 40


def explanation(error: BaseException, named: Iterable[Path] = ()) -> str | None:
    """Why JAX could not trace somebody's function, in one line.

    Args:
        error: what was raised.
        named: as for `handgrad.frames.is_own`.

    Returns:
        The line, file and line number in front; None if the error is another one.
    """
    if not _RAISED & {cls.__name__ for cls in type(error).__mro__}:
        return None
    frames = own_frames(error.__traceback__, named)
    if not frames:
        return None
    frame, place = frames[-1]
    stopped = _source(place)
    where = f"{near(place.filename)}, line {place.lineno}"
    return f"{where}: JAX cannot trace {_shown(stopped)}; {_advice(stopped, frame, error)}"


def _advice(stopped: str, frame: FrameType, error: BaseException) -> str:
    name = _called(stopped)
    twin = name and _twin(name, frame)
    if name and twin:
        rest = stopped[len(name) :] if len(stopped) <= LONG else "(...)"
        jnp = " (import jax.numpy as jnp)" if twin.startswith("jnp.") else ""
        return f"write {twin}{rest}{jnp}"
    if name in ("float", "int", "bool", "complex") or (name or "").endswith((".item", ".tolist")):
        return "leave the array as it is"
    if "Bool" in type(error).__name__:
        return "a choice by value is jnp.where(condition, a, b), or jax.lax.cond"
    return "write it with jax.numpy"


def _source(place: FrameSummary) -> str:
    """The expression that was being evaluated, or its whole line where that is not known."""
    if place.colno is None or place.end_colno is None or place.end_lineno != place.lineno:
        return place.line or ""
    # The offsets count bytes.
    line = linecache.getline(place.filename, place.lineno or 0).encode()
    return line[place.colno : place.end_colno].decode()


def _shown(stopped: str) -> str:
    name = _called(stopped)
    return f"{name}(...)" if name and len(stopped) > LONG else stopped


def _called(text: str) -> str | None:
    """The name of the function that an expression calls, as it is written there."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
    return ast.unparse(tree.func) if isinstance(tree, ast.Call) else None


def _twin(name: str, frame: FrameType) -> str | None:
    """JAX's function for the one that is called `name` in a frame."""
    root, *rest = name.split(".")
    found = frame.f_locals.get(root, frame.f_globals.get(root))
    if isinstance(found, ModuleType):
        full = ".".join([found.__name__, *rest])
    else:
        full = f"{_home(root, found)}.{name}"
    top, _, path = full.partition(".")
    if top not in _TWINS or not _exists(f"{_TWINS[top]}.{path}"):
        return None
    return f"jnp.{path}" if _TWINS[top] == "jax.numpy" else f"{_TWINS[top]}.{path}"


def _home(name: str, found: Any) -> str:
    """The module that a function was imported from, `from numpy import exp`."""
    homes = [home for home in ("numpy", "math", "scipy.special") if home in sys.modules]
    same = [home for home in homes if getattr(sys.modules[home], name, None) is found]
    return same[0] if found is not None and same else ""


def _exists(path: str) -> bool:
    import importlib

    *parents, name = path.split(".")
    try:
        return hasattr(importlib.import_module(".".join(parents)), name)
    except ImportError:
        return False

"""Explain why JAX cannot trace a loss: the call that stopped it, and how to write it in JAX."""

import ast
import linecache
import sys
from collections.abc import Iterable
from pathlib import Path
from traceback import FrameSummary
from types import FrameType, ModuleType
from typing import Any

from handgrad.data.frames import near, own_frames

#: What JAX raises where a tracer is used as a value; by name, so that JAX is not loaded.
_RAISED = {"TracerArrayConversionError", "ConcretizationTypeError"}

#: Modules whose functions have a counterpart in JAX, and the module of the counterpart.
_JAX_MODULES = {"numpy": "jax.numpy", "math": "jax.numpy", "scipy": "jax.scipy"}

#: Modules that functions, and distributions with functions, are imported from.
HOMES = ("numpy", "math", "scipy.special", "scipy.stats", "scipy.linalg")

#: Longer calls are quoted without their arguments.
LONG = 40


def explanation(error: BaseException, named: Iterable[Path] = ()) -> str | None:
    """Explain in one line, with its place, why JAX could not trace the caller's function.

    None for any other error; `named` is as for `handgrad.data.frames.is_own`.
    """
    frames = own_frames(error.__traceback__, named)
    return _explained(*frames[-1], error) if frames and _of_tracing(error) else None


def _of_tracing(error: BaseException) -> bool:
    """Tell whether an error, or its cause, is JAX's refusal to use a tracer as a value."""
    raised = {cls.__name__ for cls in type(error).__mro__}
    if not raised.isdisjoint(_RAISED) or "JAX arrays are immutable" in str(error):
        return True
    return error.__cause__ is not None and _of_tracing(error.__cause__)


def stopped(by_jax: BaseException, on_series: BaseException | None) -> str | None:
    """Explain in one line why a loss that runs in floats can be judged neither by JAX nor by NumPy.

    Args:
        by_jax: what was raised when JAX traced it.
        on_series: what was raised when NumPy ran it on power series, if that was tried.
    """
    line = explanation(by_jax)
    frames = own_frames(on_series.__traceback__) if line and on_series else []
    if not frames:
        return line
    frame, place = frames[-1]
    text = _source(place)
    advice = _advice_for_numpy(text, frame)
    if text == _source(own_frames(by_jax.__traceback__)[-1][1]):
        return f"{line}{advice and f'; in NumPy, {advice}'}"
    where = f"In NumPy, on power series, line {place.lineno} stopped it"
    return f"{line}. {where}: {_shown(text)}{advice and f'; {advice}'}"


def _advice_for_numpy(stopped: str, frame: FrameType) -> str:
    name = _called(stopped)
    module, _, function = (_full(name, frame) if name else "").partition(".")
    if module == "math" and _exists(f"numpy.{function}"):
        return f"write np.{function}"
    if name is None and stopped.endswith("]"):
        return "an array of floats holds no series, one of np.zeros_like(params) does"
    return ""


def _explained(frame: FrameType, place: FrameSummary, error: BaseException) -> str:
    stopped = _source(place)
    where = f"{near(place.filename)}, line {place.lineno}"
    return f"{where}: JAX cannot trace {_shown(stopped)}; {_advice(stopped, frame, error)}"


def _advice(stopped: str, frame: FrameType, error: BaseException) -> str:
    name = _called(stopped)
    counterpart = name and _counterpart(name, frame)
    if name and counterpart:
        rest = stopped[len(name) :] if len(stopped) <= LONG else "(...)"
        jnp = " (import jax.numpy as jnp)" if counterpart.startswith("jnp.") else ""
        return f"write {counterpart}{rest}{jnp}"
    if name in ("float", "int", "bool", "complex") or (name or "").endswith((".item", ".tolist")):
        return "leave the array as it is"
    if "JAX arrays are immutable" in str(error):
        return "write x = x.at[i].set(value)"
    if "Bool" in type(error).__name__:
        return "a choice by value is jnp.where(condition, a, b), or jax.lax.cond"
    return "write it with jax.numpy"


def _source(place: FrameSummary) -> str:
    """Return the expression that was being evaluated, or its line if that is not known."""
    if place.colno is None or place.end_colno is None or place.end_lineno != place.lineno:
        return place.line or ""
    # The offsets count bytes.
    line = linecache.getline(place.filename, place.lineno or 0).encode()
    return line[place.colno : place.end_colno].decode()


def _shown(stopped: str) -> str:
    name = _called(stopped)
    return f"{name}(...)" if name and len(stopped) > LONG else stopped


def _called(text: str) -> str | None:
    """Return the name of the function that an expression calls, as it is written there."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
    return ast.unparse(tree.func) if isinstance(tree, ast.Call) else None


def _counterpart(name: str, frame: FrameType) -> str | None:
    """Return JAX's counterpart of the function called `name` in a frame; None if none."""
    top, _, path = _full(name, frame).partition(".")
    if top not in _JAX_MODULES or not _exists(f"{_JAX_MODULES[top]}.{path}"):
        return None
    return f"jnp.{path}" if _JAX_MODULES[top] == "jax.numpy" else f"{_JAX_MODULES[top]}.{path}"


def _full(name: str, frame: FrameType) -> str:
    """Return the full name of a function, from its top module on."""
    root, *rest = name.split(".")
    found = frame.f_locals.get(root, frame.f_globals.get(root))
    if isinstance(found, ModuleType):
        return ".".join([found.__name__, *rest])
    return f"{_home(root, found)}.{name}"


def _home(name: str, found: Any) -> str:
    """Return the module that an object was imported from, as by `from numpy import exp`."""
    homes = [home for home in HOMES if home in sys.modules]
    same = [home for home in homes if getattr(sys.modules[home], name, None) is found]
    return same[0] if found is not None and same else ""


def _exists(path: str) -> bool:
    import importlib

    *parents, name = path.split(".")
    try:
        return hasattr(importlib.import_module(".".join(parents)), name)
    except ImportError:
        return False

"""Explain errors of the caller's functions whose own text does not help.

Above all why JAX cannot trace a loss: the call that stopped it, and how to write it in JAX.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import FrameSummary
from types import FrameType, ModuleType
from typing import Any

from handgrad.data.advised import AdvisedError, UntraceableError
from handgrad.data.attempts import RAISED
from handgrad.data.frames import expression, frames_of, in_one_line, near, own_frames

#: What JAX raises where a tracer is used as a value; by name, so that JAX is not loaded.
_RAISED = {"TracerArrayConversionError", "ConcretizationTypeError"}

#: Modules whose functions have a counterpart in JAX, and the module of the counterpart.
_JAX_MODULES = {"numpy": "jax.numpy", "math": "jax.numpy", "scipy": "jax.scipy"}

#: What of these is a series that ends early: its derivative is not the function's.
_FITTED = ("special.hyp2f1",)

#: Modules that functions, and distributions with functions, are imported from.
HOMES = ("numpy", "math", "scipy.special", "scipy.stats", "scipy.linalg")

#: Where PyTorch checks the parameters of distributions.
_DISTRIBUTIONS = "/torch/distributions/"

#: The folder of the code that runs PyTorch's operations.
_OF_TORCH = Path(__file__).parents[1] / "program" / "aten"

#: Longer calls are quoted without their arguments.
LONG = 40

_NO_TYPE = "JAX has no type for a value that it gets here; it takes numbers, and arrays of floats, "
_NO_TYPE += "integers or booleans in this machine's byte order (np.asarray(x, float) is one)"
_LEFT_BEHIND = "this uses a value that an earlier call under JAX left behind; expected a function "
_LEFT_BEHIND += "of its arguments alone"

#: What other errors mean, by the name of their class or a part of their text.
_MEANINGS = {
    "StopIteration": "this raised StopIteration, which would end a loop around it; expected a "
    "result, or an error of another kind",
    "SystemExit": "this ends the process; expected a result, or an error of another kind",
    "UnexpectedTracerError": _LEFT_BEHIND,
    "does not support reverse-mode": "JAX cannot differentiate an operation of this; expected a "
    "jax.custom_vjp or jax.custom_jvp around it",
    "using defvjp.": "a jax.custom_vjp without its rule; call its defvjp(forward, backward) first",
    "using defjvp.": "a jax.custom_jvp without its rule; call its defjvp(rule) first",
    "Custom VJP bwd rule": "the backward rule of a jax.custom_vjp must return a tuple "
    "with one cotangent for each argument, shaped like it",
    "must produce a pair (list or tuple of length two) where": "the forward rule of a "
    "jax.custom_vjp must return (output, residuals)",
    "must produce a pair (list or tuple of length two) representing": "the rule of a "
    "jax.custom_jvp must return (output, tangent)",
    "Custom JVP rule must produce": "the rule of a jax.custom_jvp must return a tangent shaped and "
    "typed like the output",
    "must be Tensor, not": "this is a function of PyTorch's tensors, and gets arrays; expected one "
    "in JAX or NumPy",
    "is not a valid JAX type": _NO_TYPE,
    "as an abstract array": _NO_TYPE,
    "as a JAX value": _NO_TYPE,
}


@contextmanager
def calling(name: str) -> Iterator[None]:
    """Raise errors that `explanation` explains as a TypeError: its line, about a function."""
    try:
        yield
    except RAISED as error:
        line = explanation(error)
        if line is None:
            raise
        raise UntraceableError(f"{name.removeprefix('the ')}: {line}") from error


def explanation(error: BaseException, named: Iterable[Path] = ()) -> str | None:
    """Explain an error of the caller's function in one line, with its place if that is known.

    None if its own text says enough; `named` is as for `handgrad.data.frames.is_own`.
    """
    if isinstance(error, AdvisedError):
        return None
    frames = own_frames(error.__traceback__, named)
    if _of_tracing(error):
        return _explained(*frames[-1], error) if frames else _of_a_package(error)
    text = f"{[cls.__name__ for cls in type(error).__mro__]}: {error}"
    meaning = next((says for part, says in _MEANINGS.items() if part in text), None)
    if meaning is None or not frames:
        return meaning
    place = frames[-1][1]
    shown = _shown(" ".join(expression(place).split()))
    return f"{near(place.filename)}, line {place.lineno}: {shown}: {meaning}"


def _of_tracing(error: BaseException) -> bool:
    """Tell whether an error, or its cause, is JAX's refusal to use a tracer as a value."""
    raised = {cls.__name__ for cls in type(error).__mro__}
    if not raised.isdisjoint(_RAISED) or "JAX arrays are immutable" in str(error):
        return True
    return error.__cause__ is not None and _of_tracing(error.__cause__)


def _on_tracers(by_jax: BaseException) -> str | None:
    """Name the line that raised when JAX ran it; None if the error is explained elsewhere."""
    frames = own_frames(by_jax.__traceback__)
    where = _installed(by_jax)
    if frames:
        place = frames[-1][1]
        where = f"{near(place.filename)}, line {place.lineno}: {_shown(expression(place))}"
    if where is None or explanation(by_jax) is not None or isinstance(by_jax, AdvisedError):
        return None
    return (
        f"{where}: this runs in floats, but JAX, which traces it, raised {in_one_line(by_jax)}; "
        "expected code that asks for no types and values, such as np.isscalar does"
    )


def stopped(by_jax: BaseException, on_series: BaseException | None) -> str | None:
    """Explain in one line why a loss that runs in floats can be judged neither by JAX nor by NumPy.

    Args:
        by_jax: what was raised when JAX traced it.
        on_series: what was raised when NumPy ran it on power series, if that was tried.
    """
    if not _of_tracing(by_jax):
        return _on_tracers(by_jax)
    line = explanation(by_jax)
    frames = own_frames(on_series.__traceback__) if line and on_series else []
    if not frames:
        return line
    place = frames[-1][1]
    text, own = expression(place), own_frames(by_jax.__traceback__)
    if own and text == expression(own[-1][1]):
        return line
    return f"{line}. In NumPy, on power series, line {place.lineno} stopped it: {_shown(text)}"


def _explained(frame: FrameType, place: FrameSummary, error: BaseException) -> str:
    stopped = expression(place)
    where = f"{near(place.filename)}, line {place.lineno}"
    if _of_torch(error):
        needs = "needs the numbers of a tensor that the gradient depends on, which is traced"
        return f"{where}: {_shown(stopped)} {needs}; {_advice_for_torch(error)}"
    return f"{where}: JAX cannot trace {_shown(stopped)}; {_advice(stopped, frame, error)}"


def _of_a_package(error: BaseException) -> str | None:
    """Explain it of an installed function that is the loss itself: no frame is the caller's own."""
    name = _installed(error)
    if name is None:
        return None
    is_there = name.startswith("scipy.") and _exists(f"jax.{name}")
    return f"JAX cannot trace {name}; write {f'jax.{name}' if is_there else 'it with jax.numpy'}"


def _installed(error: BaseException) -> str | None:
    """Return the public name of the first function that is neither handgrad's nor JAX's."""
    for frame, _ in frames_of(error.__traceback__):
        module = str(frame.f_globals.get("__name__")).split(".")
        if module[0] not in ("handgrad", "jax"):
            public = [part for part in module if not part.startswith("_")]
            return ".".join([*public, frame.f_code.co_qualname])
    return None


def _of_torch(error: BaseException) -> bool:
    """Tell whether an error was raised when a function in PyTorch was traced."""
    frames = frames_of(error.__traceback__)
    return any(Path(frame.filename).is_relative_to(_OF_TORCH) for _, frame in frames)


def _advice_for_torch(error: BaseException) -> str:
    frames = frames_of(error.__traceback__)
    if any(_DISTRIBUTIONS in Path(frame.filename).as_posix() for _, frame in frames):
        return "pass validate_args=False to the distribution"
    if "Bool" in type(error).__name__:
        return "a choice by value is torch.where(condition, a, b)"
    return "leave the tensor as it is, and compute with PyTorch"


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
    if "Bool" in type(error).__name__ and name is None:
        return "a choice by value is jnp.where(condition, a, b), or jax.lax.cond"
    return "write it with jax.numpy"


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
    if top not in _JAX_MODULES or path in _FITTED or not _exists(f"{_JAX_MODULES[top]}.{path}"):
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

"""The interface of a prepared contender: a function to time, and how to read its result."""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from benchmarks.results import JAX, PYTHON
from compare.wording import install

#: A loss and its gradient as arrays: the loss, then the leaves in the order of the parameters.
Leaves = list[np.ndarray]

#: How to install the libraries that may be missing.
HINT = f"not installed: {install('peers')}"


class Unavailable(Exception):  # noqa: N818 (nothing is in error: it cannot or should not run here)
    """The contender cannot or should not run on this problem or machine; the message is why."""


def error_line(error: Exception) -> str:
    """Return an error's class and the first line of its message."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")


def module(name: str) -> Any:
    """Import a module of a library that may not be installed, by its full name."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]
        raise Unavailable(HINT if absent else f"cannot be imported: {error_line(error)}") from error


def leaves(answer: Any) -> Leaves:
    """Return the arrays of a nested result."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(answer)]


@dataclass(frozen=True)
class Ready:
    """A prepared contender."""

    run: Callable[[], Any]  #: the work to time; its result is complete when it returns
    read: Callable[[Any], Leaves] = leaves  #: converts a result to arrays, untimed
    called: str = PYTHON  #: PYTHON or JAX
    phases: dict[str, float] = field(default_factory=dict)  #: seconds of tracing and compiling
    compiled: Callable[[], Any] | None = None  #: returns the compiled program for analysis
    judge: Callable[[Any], Any] = lambda gate: gate
    """Turns the problem's gate into that of an inexact method, or of the loss alone."""


def jitted(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    read: Callable[[Any], Leaves] = leaves,
    judge: Callable[[Any], Any] = lambda gate: gate,
    ahead: bool = False,
) -> Ready:
    """Prepare a function under `jax.jit`, its arguments on the device, waiting for its result.

    With `ahead` it is compiled here, and the phases are timed.
    """
    run, given = jax.jit(function), jax.block_until_ready(jax.device_put(tuple(arguments)))
    phases: dict[str, float] = {}
    for phase, taken in (("trace", given), ("lower", ()), ("compile", ())) if ahead else ():
        begin = time.perf_counter()
        run = getattr(run, phase)(*taken)
        phases[phase] = time.perf_counter() - begin
    return Ready(
        lambda: jax.block_until_ready(run(*given)),
        called=JAX,
        phases=phases,
        compiled=lambda: run.lower(*given).compile(),
        read=read,
        judge=judge,
    )

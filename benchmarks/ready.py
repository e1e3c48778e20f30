"""The interface of a prepared contender: a function to time, and how to read its result."""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks import names
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
) -> Ready:
    """Prepare a function under `jax.jit`, its arguments on the device, waiting for its result."""
    run, given = jax.jit(function), jax.block_until_ready(jax.device_put(tuple(arguments)))
    return Ready(
        lambda: jax.block_until_ready(run(*given)),
        called=JAX,
        compiled=lambda: run.lower(*given).compile(),
        read=read,
        judge=judge,
    )


def _ahead_of_time(
    function: Callable[..., Any], arguments: Sequence[Any], read: Callable[[Any], Leaves]
) -> Ready:
    """Prepare a function compiled ahead of time, with the times of the phases."""
    given = jax.block_until_ready(jax.device_put(tuple(arguments)))
    at = [time.perf_counter()]
    traced = jax.jit(function).trace(*given)
    at.append(time.perf_counter())
    lowered = traced.lower()
    at.append(time.perf_counter())
    run = lowered.compile()
    at.append(time.perf_counter())
    seconds: list[float] = np.diff(at).tolist()
    phases = {name: seconds.pop(0) for name in ("trace", "lower", "compile")}
    return Ready(lambda: jax.block_until_ready(run(*given)), read, JAX, phases, lambda: run)


def _from_host(finish: Callable[[Any], Any]) -> Callable[..., Ready]:
    """Return how to prepare a function under `jax.jit` that gets NumPy arrays in every call."""

    def prepared(function: Any, arguments: Any, read: Callable[[Any], Leaves]) -> Ready:
        run, given = jax.jit(function), tuple(arguments)
        return Ready(lambda: finish(run(*given)), read, JAX)

    return prepared


#: The ways to call a function by JAX, by the name of the row.
CALLS: dict[str, Callable[..., Ready]] = {
    names.GRAD: jitted,
    names.GRAD_AOT: _ahead_of_time,
    names.FROM_HOST: _from_host(jax.block_until_ready),
    # `jax.device_get` takes three times as long for ten numbers.
    names.IN_NUMPY: _from_host(partial(jax.tree.map, np.asarray)),
}


def called(of: Callable[[Any], Sequence[Any]]) -> dict[str, Callable[[Any], Ready]]:
    """Return the contenders that call a problem's function, in each of the ways.

    Args:
        of: returns the function, its arguments, and what turns its result into arrays.
    """
    return {name: lambda problem, way=way: way(*of(problem)) for name, way in CALLS.items()}

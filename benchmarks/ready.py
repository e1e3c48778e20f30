"""What every contender makes of a problem: something to call, and how to read what it answers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from benchmarks.results import JAX, PYTHON

#: A loss and its gradient as arrays: the loss, then the leaves in the order of the parameters.
Leaves = list[np.ndarray]


class Unavailable(Exception):  # noqa: N818 (nothing is in error: it cannot or should not run here)
    """A contender that is not timed on this problem or machine, with the reason."""


def error_line(error: Exception) -> str:
    """An error's class and the first line of what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")


def leaves(answer: Any) -> Leaves:
    """The arrays of an answer, whatever it is nested in."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(answer)]


@dataclass(frozen=True)
class Ready:
    """Something to time."""

    run: Callable[[], Any]  #: the work; its answer is complete when it returns
    read: Callable[[Any], Leaves] = leaves  #: turns an answer into arrays, untimed
    called: str = PYTHON  #: PYTHON or JAX
    phases: dict[str, float] = field(default_factory=dict)  #: seconds of what came before
    compiled: Callable[[], Any] | None = None  #: the compiled program, to be looked into
    extra: Callable[[Any], Leaves] | None = None
    """For a method that is not exact: given the gate, how much further off than it allows an answer
    may be, leaf by leaf."""


def jitted(function: Callable[..., Any], arguments: Sequence[Any], **options: Any) -> Ready:
    """A function under `jax.jit`, its arguments on the device beforehand, its answer awaited."""
    run, given = jax.jit(function), jax.block_until_ready(jax.device_put(tuple(arguments)))
    return Ready(
        lambda: jax.block_until_ready(run(*given)),
        called=JAX,
        compiled=lambda: run.lower(*given).compile(),
        **options,
    )


def ahead_of_time(function: Callable[..., Any], arguments: Sequence[Any], **options: Any) -> Ready:
    """The same, traced, lowered and compiled one by one, each with its time."""
    given = jax.block_until_ready(jax.device_put(tuple(arguments)))
    begin = time.perf_counter()
    traced = jax.jit(function).trace(*given)
    at_trace = time.perf_counter()
    lowered = traced.lower()
    at_lower = time.perf_counter()
    run = lowered.compile()
    phases = {
        "trace": at_trace - begin,
        "lower": at_lower - at_trace,
        "compile": time.perf_counter() - at_lower,
    }
    return Ready(
        lambda: jax.block_until_ready(run(*given)),
        called=JAX,
        phases=phases,
        compiled=lambda: run,
        **options,
    )


def from_host(function: Callable[..., Any], arguments: Sequence[Any], **options: Any) -> Ready:
    """A function under `jax.jit` that is handed NumPy arrays in every call."""
    run, given = jax.jit(function), tuple(arguments)
    return Ready(lambda: jax.block_until_ready(run(*given)), called=JAX, **options)

"""What is measured apart from the times: the first call, peak memory, time without kept memory.

Each has a separate process. JAX was started there by another program and has traced and compiled
nothing else, so no part of a first call was done before. Each yields a field of the row, and what
it is.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import jax
import psutil

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.contenders.families import contenders
from benchmarks.protocol.worker import started
from benchmarks.ready import Ready
from compare.memory import give_back_freed_memory
from handgrad.speed.rounds import collector_off, sample

#: Calls over which the peak is taken, after one that compiles.
CALLS = 3

#: Calls over which the median time is taken.
TIMED_CALLS = 15

#: Time after which freed memory has been returned to the system.
SETTLE_SECONDS = 0.5


def phases(spec: Spec, _name: str) -> Iterator[tuple[str, Any]]:
    """Measure the seconds of each phase of `jax.grad`."""
    with _prepared(spec, names.GRAD_AOT) as ready:
        yield "phases", {**ready.phases, "first call": sample(ready.run, 1)[0]}


def peak(spec: Spec, name: str) -> Iterator[tuple[str, Any]]:
    """Measure the peak memory of a call in bytes, result included, above that between calls.

    Nothing is yielded where the system does not report it.
    """
    give_back_freed_memory()
    with _prepared(spec, name) as ready, contextlib.suppress(OSError):
        ready.run()
        # JAX frees a result's memory asynchronously.
        time.sleep(SETTLE_SECONDS)
        # This resets the system's peak of this process to the current memory.
        Path("/proc/self/clear_refs").write_text("5")
        before = psutil.Process().memory_info().rss
        for _ in range(CALLS):
            ready.run()
        found = re.findall(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
        yield "peak_bytes", max(int(found[0]) * 1024 - before, 0)


def untuned(spec: Spec, name: str) -> Iterator[tuple[str, Any]]:
    """Measure the median seconds of a call with the C library's default settings."""
    with _prepared(spec, name) as ready, collector_off():
        ready.run()
        yield "untuned", median(sample(ready.run, 1)[0] for _ in range(TIMED_CALLS))


@contextlib.contextmanager
def _prepared(spec: Spec, name: str) -> Iterator[Ready]:
    started()
    problem, wide = spec.problem(), jax.enable_x64(spec.dtype == "float64")
    with wide, jax.default_matmul_precision(spec.precision):
        yield contenders(problem)[name](problem)

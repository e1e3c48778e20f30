"""What is measured apart from the times: the first call, peak memory, time without kept memory.

Each has a separate process. JAX was started there by another program and has traced and compiled
nothing else, so no part of a first call was done before.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import jax
import psutil

from benchmarks.cases import Spec
from benchmarks.contenders.families import contenders
from benchmarks.process import started
from benchmarks.ready import Ready
from compare.memory import give_back_freed_memory
from handgrad.speed.rounds import collector_off, sample

#: Calls over which the peak is taken, after one that compiles.
CALLS = 3

#: Calls over which the median time is taken.
TIMED_CALLS = 15

#: Time after which freed memory has been returned to the system.
SETTLE_SECONDS = 0.5


def measure(spec: Spec, name: str, field: str) -> Iterator[Any]:
    """Measure a field of a row in a process that has just started; yield it if it is known."""
    if field == "peak_bytes":
        give_back_freed_memory()
    started()
    problem, wide = spec.problem(), jax.enable_x64(spec.dtype == "float64")
    with wide, jax.default_matmul_precision(spec.precision):
        value = FIELDS[field](contenders(problem)[name](problem))
    if value is not None:
        yield value


def _phases(ready: Ready) -> dict[str, float]:
    """Return the seconds of each phase of a program compiled ahead of time."""
    return {**ready.phases, "first call": sample(ready.run, 1)[0]}


def _peak(ready: Ready) -> int | None:
    """Return the peak memory of a call in bytes, result included, above that between calls."""
    ready.run()
    # JAX frees a result's memory asynchronously.
    time.sleep(SETTLE_SECONDS)
    try:
        # This resets the system's peak of this process to the current memory.
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # the system does not report it
        return None
    before = psutil.Process().memory_info().rss
    for _ in range(CALLS):
        ready.run()
    found = re.findall(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    return max(int(found[0]) * 1024 - before, 0)


def _untuned(ready: Ready) -> float:
    """Return the median seconds of a call with the C library's default settings."""
    with collector_off():
        ready.run()
        return median(sample(ready.run, 1)[0] for _ in range(TIMED_CALLS))


#: What is measured, by the field of the row.
FIELDS: dict[str, Callable[[Ready], Any]] = {
    "phases": _phases,
    "peak_bytes": _peak,
    "untuned": _untuned,
}

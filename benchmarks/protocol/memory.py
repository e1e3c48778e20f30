"""Measure a contender's peak memory, and its time with the C library's default settings.

Each contender and cell has a separate process, never the one of the other times.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import jax

from benchmarks.cases import Spec
from benchmarks.contenders.families import contenders
from benchmarks.ready import Ready
from compare.memory import give_back_freed_memory
from handgrad.speed.rounds import collector_off, sample

#: Calls over which the peak is taken, after one that compiles.
CALLS = 3

#: Calls over which the median time is taken.
TIMED_CALLS = 15

#: Time after which freed memory has been returned to the system.
SETTLE_SECONDS = 0.5


def peak(spec: Spec, name: str) -> int | None:
    """Measure the peak memory of a call in bytes, result included, above that between calls.

    Returns:
        None where the system does not report it.

    Raises:
        Unavailable: the contender cannot run here.
    """
    give_back_freed_memory()
    with _made(spec, name) as ready:
        # JAX frees a result's memory asynchronously.
        time.sleep(SETTLE_SECONDS)
        before = _forget_the_peak()
        for _ in range(CALLS):
            ready.run()
        after = _status("VmHWM")
        return None if before is None or after is None else max(after - before, 0)


def time_untuned(spec: Spec, name: str) -> float:
    """Measure the median seconds of a call with the C library's default settings.

    Raises:
        Unavailable: the contender cannot run here.
    """
    with _made(spec, name) as ready, collector_off():
        return median([sample(ready.run, 1)[0] for _ in range(TIMED_CALLS)])


@contextlib.contextmanager
def _made(spec: Spec, name: str) -> Iterator[Ready]:
    """Yield the contender, called once."""
    problem, wide = spec.problem(), jax.enable_x64(spec.dtype == "float64")
    precise = jax.default_matmul_precision(spec.precision)
    with wide, precise:
        ready = contenders(problem)[name](problem)
        ready.run()
        yield ready


def _forget_the_peak() -> int | None:
    """Reset the system's peak of this process to the current memory, and return that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _status(field: str) -> int | None:
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None

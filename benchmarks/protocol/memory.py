"""Memory: what a contender takes at most, and its time where none is told to be kept.

One contender on one cell in a process of its own, never where the other times are taken.
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

#: Calls of which the highest moment is taken, after one that compiles.
CALLS = 3

#: Calls whose median is the time of one.
TIMED_CALLS = 15

#: After which what is freed has been given back.
SETTLE_SECONDS = 0.5


def peak(spec: Spec, name: str) -> int | None:
    """Bytes at the highest moment of a call, its answer included, beyond those held between calls.

    Returns:
        None where the system does not count them.

    Raises:
        Unavailable: the contender cannot run here.
    """
    give_back_freed_memory()
    with _made(spec, name) as ready:
        # JAX frees an answer's memory in its own time.
        time.sleep(SETTLE_SECONDS)
        before = _forget_the_peak()
        for _ in range(CALLS):
            ready.run()
        after = _status("VmHWM")
        return None if before is None or after is None else max(after - before, 0)


def time_untuned(spec: Spec, name: str) -> float:
    """Seconds of a call, the median of some, in a process that has told the C library nothing.

    Raises:
        Unavailable: the contender cannot run here.
    """
    with _made(spec, name) as ready, collector_off():
        return median([sample(ready.run, 1)[0] for _ in range(TIMED_CALLS)])


@contextlib.contextmanager
def _made(spec: Spec, name: str) -> Iterator[Ready]:
    """The contender, called once."""
    problem, wide = spec.problem(), jax.enable_x64(spec.dtype == "float64")
    precise = jax.default_matmul_precision(spec.precision)
    with wide, precise:
        ready = contenders(problem)[name](problem)
        ready.run()
        yield ready


def _forget_the_peak() -> int | None:
    """Set the system's record of this process back to what it holds now, and return that."""
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

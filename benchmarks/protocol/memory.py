"""Peak memory: one contender on one cell in a process of its own, never where times are taken."""

import contextlib
import re
from pathlib import Path
from typing import Any

import jax

from benchmarks.cases import Spec
from benchmarks.contenders.ready import Unavailable

#: Calls of which the highest moment is taken, after one that compiles.
CALLS = 3


def peak(spec: Spec, name: str) -> int | None:
    """Bytes at the highest moment of a call, its answer included, beyond those held between calls.

    Returns:
        None where the contender or the system's count is not available.
    """
    problem, wide = spec.problem(), jax.enable_x64(spec.dtype == "float64")
    precise = jax.default_matmul_precision(spec.precision)
    with wide, precise, contextlib.suppress(Unavailable):
        ready = problem.contenders[name](problem)
        ready.run()
        before = _forget_the_peak()
        for _ in range(CALLS):
            ready.run()
        after = _device_peak() if spec.device == "gpu" else _status("VmHWM")
        return None if before is None or after is None else max(after - before, 0)
    return None


def _forget_the_peak() -> int | None:
    """Set the system's record of this process back to what it holds now, and return that."""
    if jax.default_backend() == "gpu":
        return _device_stats().get("bytes_in_use")
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


def _device_peak() -> int | None:
    return _device_stats().get("peak_bytes_in_use")


def _device_stats() -> dict[str, Any]:
    return jax.devices()[0].memory_stats() or {}

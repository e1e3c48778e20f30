"""The fingerprint of a run, machine and versions, and the comparison of two."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from benchmarks.machine import caches, described, gpus

#: Packages whose versions affect times.
PEERS = ("torch", "autograd", "scikit-learn")
PACKAGES = ("numpy", "scipy", "jax", "jaxlib", "optax", *PEERS)

#: Environment variables that affect the speed of libraries.
VARIABLES = ("XLA_FLAGS", "JAX_DEFAULT_MATMUL_PRECISION", "OPENBLAS_CORETYPE", "GLIBC_TUNABLES")

#: The part of pyperf's metadata about the processor; the rest may contain personal names and paths.
SET_UP = ("aslr", "cpu_config", "cpu_freq", "timer")

#: Times of two runs may be compared if they differ in none of these.
SAME = (
    *("machine", "system", "processor", "processors", "caches", "memory", "versions"),
    *("variables", "workers", "gpus", "set_up"),
)

#: Entries compared only where both runs have them: a run may lack some threads or libraries.
PARTIAL = ("workers", "versions")


def fingerprint(device: str) -> dict[str, Any]:
    """Collect everything that times depend on; each worker adds its own facts to `workers`."""
    return described(PACKAGES) | {
        "caches": caches(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "set_up": _set_up(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "gpus": gpus() if device == "gpu" else [],
        "workers": {},
    }


def _set_up() -> dict[str, str]:
    """Return the processor's settings by pyperf; {} if that fails."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired),
    ):
        out = Path(folder) / "metadata.json"
        command = [sys.executable, "-m", "pyperf", "collect_metadata", "-o", str(out)]
        subprocess.run(command, capture_output=True, check=False, timeout=60)
        found = json.loads(out.read_text())
        common = found.get("metadata", {})
        return {name: str(common[name]) for name in SET_UP if name in common}
    return {}


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """List the differences of two fingerprints that forbid comparing times, a line each."""
    found = []
    for name in SAME:
        here, there = _comparable(name, one.get(name)), _comparable(name, other.get(name))
        if name in PARTIAL:
            here, there = (
                {key: side[key] for key in here if key in there} for side in (here, there)
            )
        if here != there:
            found.append(f"{name}: {_short(here, there)} and {_short(there, here)}")
    return found


def _comparable(name: str, value: Any) -> Any:
    if name == "workers":
        # The time to start JAX is no property of the machine.
        kept = ("device", "platform", "blas", "keeps freed memory")
        return {kind: {k: found.get(k) for k in kept} for kind, found in (value or {}).items()}
    if name == "set_up":
        # Nor is the momentary frequency.
        return {k: found for k, found in (value or {}).items() if k == "cpu_config"}
    return value or {} if name in PARTIAL else value


def _short(value: Any, other: Any) -> str:
    """Shorten a value; of several, keep those that the other lacks."""
    if isinstance(value, dict) and isinstance(other, dict):
        value = {key: found for key, found in value.items() if other.get(key) != found}
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."

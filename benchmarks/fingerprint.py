"""On what a run was made, and whether two runs were made on the same."""

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from benchmarks.machine import caches, gpus, processor, revision, today, usable, versions

#: Packages whose versions decide how long things take.
PACKAGES = (
    "numpy",
    "scipy",
    "jax",
    "jaxlib",
    "optax",
    "torch",
    "autograd",
    "mygrad",
    "micrograd",
    "scikit-learn",
)

#: Variables that a worker passes on to libraries, which take more or less time for them.
VARIABLES = ("XLA_FLAGS", "JAX_DEFAULT_MATMUL_PRECISION", "OPENBLAS_CORETYPE", "GLIBC_TUNABLES")

#: Of what pyperf collects: how the processor is set up. The rest names people and folders.
SET_UP = ("aslr", "cpu_config", "cpu_freq", "timer")

#: Where two runs differ in none of these, their times may be compared.
SAME = (
    "machine",
    "system",
    "processor",
    "processors",
    "caches",
    "memory",
    "versions",
    "variables",
    "workers",
    "gpus",
    "set_up",
)

#: Of which only what both runs have is compared: one of a single thread says nothing of how all of
#: them are, and a library that one of the two has not is timed in the other only.
PARTIAL = ("workers", "versions")


def fingerprint(device: str) -> dict[str, Any]:
    """Everything that times depend on; what only a worker can know, it adds to `workers`."""
    return {
        "date": today(),
        "revision": revision(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": processor(),
        "processors": usable(),
        "caches": caches(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "set_up": _set_up(),
        "load": round(psutil.getloadavg()[0], 2),
        "versions": versions(PACKAGES),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "gpus": gpus() if device == "gpu" else [],
        "workers": {},
    }


def _set_up() -> dict[str, str]:
    """Frequencies, governor, randomisation of addresses, by pyperf; {} where it fails."""
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
    """What of two fingerprints differs, a line each, so that times cannot be compared."""
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
        # How long JAX took to start is a time, not a property of the machine.
        kept = ("device", "platform", "blas", "keeps freed memory")
        return {kind: {k: found.get(k) for k in kept} for kind, found in (value or {}).items()}
    if name == "set_up":
        # The frequency of this moment is none either.
        return {k: found for k, found in (value or {}).items() if k == "cpu_config"}
    return value or {} if name in PARTIAL else value


def _short(value: Any, other: Any) -> str:
    """In few characters, of several values those that the other has not."""
    if isinstance(value, dict) and isinstance(other, dict):
        value = {key: found for key, found in value.items() if other.get(key) != found}
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."

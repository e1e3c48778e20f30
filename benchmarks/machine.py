"""What times depend on: the machine, the checkout and versions; and how two of them differ."""

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyperf

from compare.wording import install

#: Packages whose versions affect times.
PEERS = ("torch", "autograd", "scikit-learn")
PACKAGES = ("numpy", "scipy", "jax", "jaxlib", "optax", *PEERS)

#: Environment variables that affect the speed of libraries.
VARIABLES = ("XLA_FLAGS", "JAX_DEFAULT_MATMUL_PRECISION", "OPENBLAS_CORETYPE", "GLIBC_TUNABLES")

#: Times of two runs may be compared if they differ in none of these. The momentary frequency and
#: load are no property of a machine.
SAME = (
    *("machine", "system", "processor", "processors", "versions"),
    *("variables", "workers", "gpus", "cpu_config"),
)

#: Entries compared only where both runs have them: a run may lack some threads or libraries.
PARTIAL = ("workers", "versions")


#: Run in another process, so that this one does not reserve the device's memory.
PROBE = "import jax; print(jax.devices('gpu')[0].device_kind)"

#: Seconds that JAX may take to find a device, including the first start of its driver.
PATIENCE = 120

HINT = f"expected a GPU, and {install('cuda')}"


def described(packages: Iterable[str]) -> dict[str, Any]:
    """Return date (UTC), revision, machine, its load, and the versions of installed packages."""
    named = pyperf.Run([1.0]).get_metadata().get("cpu_model_name")
    versions = {"python": platform.python_version()}
    for package in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            # Without the build tag after a plus.
            versions[package] = importlib.metadata.version(package).partition("+")[0]
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "revision": revision(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": named or platform.processor() or "unknown",
        "processors": usable(),
        "load": round(psutil.getloadavg()[0], 2),
        "versions": versions,
    }


def fingerprint(device: str) -> dict[str, Any]:
    """Collect everything that times depend on; each worker adds its own facts to `workers`."""
    return {
        **described(PACKAGES),
        # Of pyperf's metadata; others may contain personal names and paths.
        "cpu_config": pyperf.Run([1.0]).get_metadata().get("cpu_config", ""),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "gpus": gpus() if device == "gpu" else [],
        "workers": {},
    }


def revision() -> str:
    """Return the commit of the checkout, with `+` if files have changed since, or "unknown"."""
    commit = _said("git", "rev-parse", "--short=12", "HEAD")
    # Results, which the run itself writes, do not count as changes.
    changed = _said("git", "status", "--porcelain", "--", ":/", ":(exclude,top)benchmarks/results")
    return f"{commit}{'+' if changed else ''}" if commit else "unknown"


def usable() -> int:
    """Return the number of processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def gpus() -> list[str]:
    """Return name, driver and memory of each GPU that the driver knows, a line each."""
    query = "--query-gpu=name,driver_version,memory.total"
    return _said("nvidia-smi", query, "--format=csv,noheader").splitlines()


def _said(*command: str) -> str:
    """Return what a command prints, run beside this file; "" if it is not there or fails."""
    run = _ran(command, 30)
    return run.stdout.strip() if run and run.returncode == 0 else ""


def _ran(command: Sequence[str], limit: float, **variables: str) -> Any:
    """Run a command with more environment variables; None if it is not there or takes too long."""
    how: dict[str, Any] = {"cwd": Path(__file__).parent, "env": os.environ | variables}
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=limit, **how
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def why_no_gpu() -> str:
    """Return why JAX cannot use a GPU here; "" if it can."""
    command = [sys.executable, "-c", PROBE]
    probe = _ran(command, PATIENCE, JAX_PLATFORMS="cuda", XLA_PYTHON_CLIENT_PREALLOCATE="false")
    if probe is None:
        return f"JAX found none in {PATIENCE} seconds; {HINT}"
    said = (probe.stderr.strip().splitlines() or [""])[-1]
    # The last line of a traceback, unless it is an exception without a message.
    why = f" ({said[:120]})" if ": " in said else ""
    return f"JAX finds none{why}; {HINT}" if probe.returncode else ""


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
    return value or {} if name in (*PARTIAL, "variables") else value


def _short(value: Any, other: Any) -> str:
    """Shorten a value; of several, keep those that the other lacks."""
    if isinstance(value, dict) and isinstance(other, dict):
        value = {key: found for key, found in value.items() if other.get(key) != found}
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."

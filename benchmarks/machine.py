"""Facts about the machine and the checkout: processor, versions, revision."""

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil


def described(packages: Iterable[str]) -> dict[str, Any]:
    """Return date (UTC), revision, machine, its load, and the versions of installed packages."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "revision": revision(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": processor(),
        "processors": usable(),
        "load": round(psutil.getloadavg()[0], 2),
        "versions": versions(packages),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of the installed packages."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            # Without the build tag after a plus.
            found[package] = importlib.metadata.version(package).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def revision() -> str:
    """Return the commit of the checkout, with `+` if files have changed since, or "unknown"."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    # Results, which the run itself writes, do not count as changes.
    changed = _git("status", "--porcelain", "--", ":/", ":(exclude,top)benchmarks/results")
    return f"{commit}{'+' if changed else ''}" if commit else "unknown"


def _git(*words: str) -> str:
    command = ["git", *words]
    here = Path(__file__).parent
    try:
        run = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def usable() -> int:
    """Return the number of processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def processor() -> str:
    """Return the processor's name, as the system gives it."""
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or "unknown"


def caches() -> dict[str, str]:
    """Return the first processor's caches, `L1 Data: 32K`, where the system lists them."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((folder / name).read_text().strip() for name in CACHE)
        except OSError:
            continue
        found[f"L{level} {kind}"] = size
    return found


CACHE = ("level", "type", "size")


def gpus() -> list[str]:
    """Return name, driver and memory of each GPU that the driver knows, a line each."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        run = subprocess.run(query, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return run.stdout.strip().splitlines() if run.returncode == 0 else []

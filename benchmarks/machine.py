"""On what a run was made: the machine, the versions, the date, the revision."""

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

#: Packages whose versions decide what the checkers answer.
PACKAGES = ("numpy", "jax", "scipy", "torch", "python-flint")


def fingerprint() -> dict[str, Any]:
    """Everything that a reader needs to judge whether another run can be compared with this one."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "revision": revision(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": processor(),
        "processors": usable(),
        "versions": {"python": platform.python_version(), **versions()},
    }


def versions() -> dict[str, str]:
    """Of the packages that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            # Without how it was built, which comes after a plus.
            found[package] = importlib.metadata.version(package).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def revision() -> str:
    """The commit of the checkout, with `+` where files have changed since, or "unknown"."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    # Results, which the run itself writes, are no change of the code.
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
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or "unknown"

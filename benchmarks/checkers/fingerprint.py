"""The machine and versions of a comparison of checkers."""

import platform
from typing import Any

from benchmarks.machine import processor, revision, today, usable, versions

#: Packages whose versions affect the checkers' answers.
PACKAGES = ("numpy", "jax", "scipy", "torch", "python-flint")


def fingerprint() -> dict[str, Any]:
    """Collect everything needed to judge whether two runs can be compared."""
    return {
        "date": today(),
        "revision": revision(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": processor(),
        "processors": usable(),
        "versions": versions(PACKAGES),
    }

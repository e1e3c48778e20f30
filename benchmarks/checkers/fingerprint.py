"""On what the checkers were asked."""

import platform
from typing import Any

from benchmarks.machine import processor, revision, today, usable, versions

#: Packages whose versions decide what the checkers answer.
PACKAGES = ("numpy", "jax", "scipy", "torch", "python-flint")


def fingerprint() -> dict[str, Any]:
    """Everything that a reader needs to judge whether another run can be compared with this one."""
    return {
        "date": today(),
        "revision": revision(),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": processor(),
        "processors": usable(),
        "versions": versions(PACKAGES),
    }

"""Freed memory is kept for the next array, where the C library can be told so."""

import subprocess
import sys

import pytest

from compare import memory


@pytest.mark.slow
def test_freed_memory_is_kept() -> None:
    """In a process of its own: page faults of arrays that are made again and again, both ways."""
    code = """
import resource, sys
import numpy as np
from compare.memory import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else None
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    return np.ones(2**21) + np.ones(2**21)
work()
before = faults()
for _ in range(20):
    work()
print(kept, faults() - before)
"""

    def run(how: str) -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, "-c", code, how], capture_output=True, text=True, check=True
        )
        kept, faults = done.stdout.split()
        return kept, int(faults)

    (kept, few), (_, many) = run("keep"), run("give back")
    if kept == "False":
        pytest.skip("the C library is not glibc")
    assert few < many / 10


def test_without_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    assert memory.keep_freed_memory() is False

"""Freed memory is kept for the next array, where the C library is glibc."""

import subprocess
import sys

import pytest

from compare import memory


@pytest.mark.slow
@pytest.mark.parametrize("where", ["main", "thread"])
def test_freed_memory_is_kept(where: str) -> None:
    """In a process of its own: page faults of arrays made again and again, in both settings.

    Of 64 MiB, which no pool of a thread's own keeps.
    """
    code = """
import ctypes, resource, sys, threading
from compare.memory import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else None
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def arrays(count):
    for _ in range(count):
        array = libc.malloc(2**26)
        libc.memset(array, 1, 2**26)
        libc.free(array)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    arrays(1)
    before = faults()
    arrays(20)
    print(kept, faults() - before)
if sys.argv[2] == "main":
    work()
else:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""

    def run(how: str) -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, "-c", code, how, where], capture_output=True, text=True, check=True
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
    assert memory.give_back_freed_memory() is False


@pytest.mark.slow
def test_what_is_freed_is_given_back() -> None:
    """In a process of its own: its memory after arrays of 32 MB came and went many times."""
    code = """
import re
import numpy as np
from compare.memory import give_back_freed_memory
given = give_back_freed_memory()
def held():
    try:
        status = open("/proc/self/status").read()
    except OSError:
        return 0
    return int(re.search(r"VmRSS:\\s+(\\d+)", status)[1])
before = held()
for _ in range(20):
    np.ones(2**22) + np.ones(2**22)
print(given, held() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    given, more = done.stdout.split()
    if given == "False":
        pytest.skip("the C library is not glibc")
    assert int(more) < 4096  # kB, of 32,768 an array

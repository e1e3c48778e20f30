"""Freed memory is kept for the next array or given back, where the C library is glibc."""

import subprocess
import sys

import pytest

from compare import memory

#: Makes arrays again and again, and prints what the setting returned, the page faults meanwhile,
#: and by how many kB the process has grown.
ARRAYS = """
import ctypes, re, resource, sys, threading
from compare import memory
setting, size, where = sys.argv[1], int(sys.argv[2]), sys.argv[3]
done = getattr(memory, setting)() if setting else None
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def arrays(count):
    for _ in range(count):
        array = libc.malloc(size)
        libc.memset(array, 1, size)
        libc.free(array)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def held():
    try:
        return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])
    except OSError:
        return 0
def work():
    more = held()
    arrays(1)
    before = faults()
    arrays(20)
    print(done, faults() - before, held() - more)
thread = threading.Thread(target=work)
thread.start() if where == "thread" else work()
"""


def arrays(setting: str, size: int, where: str = "main") -> tuple[int, int]:
    """Page faults and kB that are held, in a process of its own."""
    command = [sys.executable, "-c", ARRAYS, setting, str(size), where]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    done, faults, held = ended.stdout.split()
    if done == "False":
        pytest.skip("the C library is not glibc")
    return int(faults), int(held)


@pytest.mark.slow
def test_freed_memory_is_kept_or_given_back() -> None:
    """Of 64 MiB, which no pool of a thread's own keeps; of 16 MiB, which glibc keeps by itself."""
    for where in ("main", "thread"):
        few, many = (arrays(how, 2**26, where)[0] for how in ("keep_freed_memory", ""))
        assert few < many / 10
    assert arrays("give_back_freed_memory", 2**24)[1] < 4096 < arrays("", 2**24)[1]


def test_without_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    assert memory.keep_freed_memory() is False
    assert memory.give_back_freed_memory() is False

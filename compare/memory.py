"""Memory that a process has freed: give it back to the system, or keep it for the next array."""

import ctypes
from typing import Any

#: Numbers of glibc's settings, from its malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8

#: Bytes from which on an array has a mapping of its own, where memory is counted.
COUNTED = 2**16

#: Bytes. An int must hold it; older glibc refuse more than 32 MiB for arrays of their own mapping.
MOST, MOST_OF_OLD = 2**30, 2**25


def keep_freed_memory() -> bool:
    """Have glibc keep freed memory for the rest of this process.

    By itself glibc hands large arrays back to the system when they are freed. The next array of
    that size is then mapped anew, zeroed by the system, and faults once for every page of 4 KiB. A
    NumPy program that makes the same arrays again and again, as a gradient in a training loop does,
    pays that in every call: the gradient of 784-1024-1024-10 for 512 examples took 1.2 times as
    long as its matrix products instead of 1.05 times, those of a million networks of three neurons
    twice as long. Libraries that keep a pool of their own,
    PyTorch on a GPU for instance, never show this.

    Threads have pools of their own in glibc, and those keep no array of 64 MiB or more, whatever
    they are told. So all threads that have not asked for memory yet share the first one: XLA
    computes on threads of its own, and its gradient of two layers 4096 wide took 1.3 times as long
    when each call mapped 64 MiB anew. To be called before JAX has computed anything.

    Returns:
        Whether it could be done; False, and nothing has changed, where the C library is not glibc.
    """
    mallopt = _mallopt()
    if mallopt is None:
        return False
    mapped = mallopt(MMAP_THRESHOLD, MOST) or mallopt(MMAP_THRESHOLD, MOST_OF_OLD)
    shared = mallopt(ARENA_MAX, 1)
    return bool(mallopt(TRIM_THRESHOLD, MOST) and mapped and shared)


def give_back_freed_memory() -> bool:
    """Have glibc give back every larger array's memory as soon as it is freed, in this process.

    By itself glibc raises the size from which on it does so as the program runs, and what a process
    holds then says little of what its arrays take.

    Returns:
        Whether it could be done.
    """
    mallopt = _mallopt()
    return mallopt is not None and bool(mallopt(MMAP_THRESHOLD, COUNTED))


def _mallopt() -> Any:
    """The C library's function for its settings; None where it is not glibc's."""
    try:
        library = ctypes.CDLL(None)
        mallopt, _ = library.mallopt, library.gnu_get_libc_version
    except (AttributeError, OSError, TypeError):
        return None
    return mallopt

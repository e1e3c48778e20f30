"""Control whether glibc keeps freed memory for the next array or returns it to the system."""

import ctypes

#: Numbers of glibc's settings, from its malloc.h.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8

#: Bytes from which an array gets its own mapping, while memory is measured.
COUNTED = 2**16

#: Bytes. It must fit an int; older glibc refuse more than 32 MiB for the mapping threshold.
MOST, MOST_OF_OLD = 2**30, 2**25


def keep_freed_memory() -> bool:
    """Have glibc keep freed memory for the rest of this process.

    By default glibc returns large arrays to the system when they are freed. The next array of
    that size is then mapped again, zeroed by the system, and faults once for every page of 4 KiB. A
    NumPy program that allocates the same arrays again and again, like a gradient in a training
    loop, pays for that in every call: the gradient of 784-1024-1024-10 for 512 examples took 1.2
    times as long as its matrix products instead of 1.05 times, those of a million networks of three
    neurons twice as long. Libraries with their own memory pool, PyTorch on a GPU for instance,
    never show this.

    Each thread has its own pool in glibc, and those never keep an array of 64 MiB or more. So all
    threads that have not allocated yet are made to share the first pool: XLA computes on its own
    threads, and its gradient of two layers 4096 wide took 1.3 times as long when each call mapped
    64 MiB anew. Call this before JAX computes anything.

    Returns:
        Whether the settings were changed; False where the C library is not glibc.
    """
    return _set((MMAP_THRESHOLD, MOST, MOST_OF_OLD), (ARENA_MAX, 1), (TRIM_THRESHOLD, MOST))


def give_back_freed_memory() -> bool:
    """Have glibc return every larger array's memory as soon as it is freed, in this process.

    By default glibc raises the threshold for this as the program runs, so the memory of a process
    says little about the size of its arrays.

    Returns:
        Whether the setting was changed.
    """
    return _set((MMAP_THRESHOLD, COUNTED))


def _set(*settings: tuple[int, ...]) -> bool:
    """Give each of glibc's settings the first value that it takes; return whether all have one."""
    try:
        library = ctypes.CDLL(None)
        mallopt, _ = library.mallopt, library.gnu_get_libc_version
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    taken = [any(mallopt(number, of) for of in values) for number, *values in settings]
    return all(taken)

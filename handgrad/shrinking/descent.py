"""Minimise lengths at which a property holds: lower all together, then halves, then each.

All together first, because equal lengths may have to stay equal, and because JAX compiles for each
try: a property that holds with lengths 1 or 2 is found at once.
"""

from collections.abc import Callable, Iterator, Sequence

Numbers = tuple[int, ...]


def descended(full: Numbers, shows: Callable[[Numbers], bool]) -> Numbers:
    """Return lengths from 1 to `full` at which `shows` holds; none can be lowered by itself.

    `shows` holds at `full`, and may be called with the same lengths again.
    """
    lengths = full
    while (lower := _lowered(lengths, range(len(full)), shows)) != lengths:
        lengths = lower
    return lengths


def _lowered(lengths: Numbers, group: Sequence[int], shows: Callable[[Numbers], bool]) -> Numbers:
    """Lower the lengths of a group together as far as possible, then those of its halves."""
    top = max((lengths[i] for i in group), default=1)
    for level in _levels(top, alone=len(group) == 1):
        lower = tuple(min(n, level) if i in group else n for i, n in enumerate(lengths))
        if shows(lower):
            lengths = lower
            break
    if len(group) > 1:
        half = len(group) // 2
        for part in (group[:half], group[half:]):
            lengths = _lowered(lengths, part, shows)
    return lengths


def _levels(top: int, alone: bool) -> Iterator[int]:
    """Yield lengths below the top, further and further apart: 1, 2, 3, 5, 8; if alone, top - 1."""
    level, after = 1, 2
    while level < top:
        yield level
        level, after = after, level + after
    if alone and top > 1:
        yield top - 1

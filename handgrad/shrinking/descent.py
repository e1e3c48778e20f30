"""The least lengths at which something shows: all are lowered together, then by halves, then each.

Together first, because what is equal may have to stay equal, and because each try takes JAX a
compilation: what shows with two of everything is found at once, and what shows with one.
"""

from collections.abc import Callable, Iterator, Sequence

Numbers = tuple[int, ...]


def descended(full: Numbers, shows: Callable[[Numbers], bool]) -> Numbers:
    """Lengths from 1 to `full` at which something shows, none of which can be lowered by itself.

    Args:
        full: lengths at which it shows.
        shows: whether it shows at others; may be asked about the same ones again.
    """
    lengths = full
    while (lower := _lowered(lengths, range(len(full)), shows)) != lengths:
        lengths = lower
    return lengths


def _lowered(lengths: Numbers, group: Sequence[int], shows: Callable[[Numbers], bool]) -> Numbers:
    """The lengths with those of a group as low as it can be, and then with those of its halves."""
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
    """Lengths below the top, ever further apart: 1, 2, 3, 5, 8; for a single one, the next, too."""
    level, after = 1, 2
    while level < top:
        yield level
        level, after = after, level + after
    if alone and top > 1:
        yield top - 1

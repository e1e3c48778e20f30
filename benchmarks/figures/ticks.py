"""Where ticks stand on logarithmic axes, and how they read."""

import math
from collections.abc import Sequence

from benchmarks.report.units import UNITS

#: Of a range that spans fewer decades than this, 2 and 5 have ticks as well: a range of a factor of
#: 2.5 or more has one at least.
FEW_DECADES = 2.5

#: At most so many decades have a tick each.
MANY_DECADES = 9

#: Points that a digit takes, and the room on either side of a label.
DIGIT, SIDE = 6.4, 4.0


def whole(size: float) -> str:
    """A size with all of its digits: `64`, `65,536`."""
    return f"{round(size):,}"


def times(low: float, high: float) -> tuple[list[float], list[str]]:
    """Ticks of an axis of times, and how they read: `1 µs`, `10 µs`."""
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < FEW_DECADES else (1,)
    every = 2 if decades > MANY_DECADES else 1
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1, every)
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    inside = [tick for tick in ticks if low <= tick <= high]
    return inside, [_round(tick) for tick in inside]


def _round(tick: float) -> str:
    unit, name = next((pair for pair in UNITS if tick >= 0.9995 * pair[0]), UNITS[-1])
    return f"{tick / unit:g} {name}"


def ratios(low: float, high: float) -> list[float]:
    """Ticks of an axis of ratios about 1, at most some ten, 1 among them."""
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0):
        first, last = max(math.ceil(low / step), 1), math.floor(high / step)
        if last - first <= 9:
            return [round(count * step, 2) for count in range(first, last + 1)]
    return [float(f"1e{power}") for power in range(-3, 7) if low <= float(f"1e{power}") <= high]


def sparse(sizes: Sequence[float], room: float) -> list[float]:
    """The sizes to write on an axis that is so many points long: no two labels touch.

    The last one is always there, and from it downwards whichever still have room.
    """
    span = math.log(sizes[-1] / sizes[0]) or 1.0
    kept, free = [], math.inf
    for size in reversed(sizes):
        place = room * math.log(size / sizes[0]) / span
        half = DIGIT / 2 * len(whole(size)) + SIDE
        if place + half <= free:
            kept.append(size)
            free = place - half
    return kept[::-1]

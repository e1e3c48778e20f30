"""Check that slopes are the same on all sides of the ties at a point."""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import EQUAL, GREATER, LESS, Compared

#: Evaluates the loss and its gradient with ties decided by the comparisons.
Evaluate = Callable[[Compared], tuple[arb, np.ndarray]]

#: The same for a small step in a direction, objects (1, size); None for that of the given side.
Step = Callable[[Compared, np.ndarray | None], tuple[arb, np.ndarray]]

#: How many directions are tried besides. Of three numbers that are equal another one is the median
#: in two of three, so one in 6,561 times none of them shows that.
TRIED = 8


class UndecidableKinkError(ArithmeticError):
    """The gradients around a point cannot be found: too many ties, or the loss itself jumps."""


def check_flat_ties(evaluate: Evaluate[Compared], found: Compared, here: tuple[arb, Any]) -> None:
    """Check that flat ties, which no small step decides to first order, do not matter.

    Raises:
        UndecidableKinkError: they do matter, as in where(x·x > 0, 5·x, 0) at 0.
    """
    if not found.flat:
        return
    mixed = np.random.default_rng(0).choice([LESS, GREATER], size=len(found.flat)).tolist()
    below, above = [LESS] * len(mixed), [GREATER] * len(mixed)
    for outcomes in (below, above, mixed):
        forced = dict(zip(sorted(found.flat), outcomes, strict=True))
        loss, gradient = evaluate(found.for_rerun(forced))
        if not loss.overlaps(here[0]) or not balls.overlap(gradient, here[1]):
            raise UndecidableKinkError("a tie that no small step decides to first order")


def check_smooth(
    step: Step[Compared], found: Compared, here: tuple[arb, np.ndarray], size: int
) -> None:
    """Check that loss and slopes are the same on other sides of the ties, for a few of them.

    Args:
        step: the loss and the slopes, by how ties are decided.
        found: the ties on the given side.
        here: loss and slopes on that side.
        size: the number of parameters.

    Raises:
        UndecidableKinkError: they are different.
    """
    check_flat_ties(lambda how: step(how, None), found, here)
    if not found.ties:
        return
    at_the_point, _ = step(found.for_rerun(dict.fromkeys(found.ties, EQUAL)), None)
    check_continuous(here[0], at_the_point)
    # Perhaps no small step flips all ties, but this reaches cells that no direction lies in.
    flipped = found.for_rerun({where: -tie.outcome for where, tie in found.ties.items()})
    rng = np.random.default_rng(size)
    for how in (flipped, *(found.for_rerun() for _ in range(TRIED))):
        direction = None if how is flipped else balls.exact(at_random(rng, size)[None])
        loss, slopes = step(how, direction)
        if not loss.overlaps(here[0]) or not balls.overlap(slopes, here[1]):
            raise UndecidableKinkError("a kink in a gradient of so many elements")


def at_random(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a direction whose components are very different, floats, (size,)."""
    return rng.normal(size=size) * np.exp(2 * rng.normal(size=size))


def check_continuous(a: arb, b: arb) -> None:
    """Raise UndecidableKinkError unless a loss has the same value on two sides of a tie."""
    if not a.overlaps(b):
        raise UndecidableKinkError("the loss jumps at this point")

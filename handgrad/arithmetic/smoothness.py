"""Check that slopes are the same on all sides of the ties at a point."""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import GREATER, LESS, Compared

#: Evaluates the loss and its gradient with ties decided by the comparisons.
Evaluate = Callable[[Compared], tuple[arb, np.ndarray]]


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
    evaluate: Evaluate[Compared], found: Compared, here: tuple[arb, np.ndarray], generic: int = 1
) -> None:
    """Check that loss and slopes are the same on other sides of the ties, for a few of them.

    Args:
        evaluate: the loss and the slopes, by how ties are decided.
        found: the ties on the given side.
        here: loss and slopes on that side.
        generic: how many of the directions, from the first on, may decide ties.

    Raises:
        UndecidableKinkError: they are different.
    """
    check_flat_ties(evaluate, found, here)
    if not found.ties:
        return
    others = [found.for_rerun(backwards=True)]
    for k in range(1, generic):
        others += [found.for_rerun(direction=k), found.for_rerun(direction=k, backwards=True)]
    # Perhaps no small step flips all ties, but this reaches cells that no direction lies in.
    others.append(found.for_rerun({where: -tie.outcome for where, tie in found.ties.items()}))
    for other in others:
        loss, slopes = evaluate(other)
        if not loss.overlaps(here[0]) or not balls.overlap(slopes, here[1]):
            raise UndecidableKinkError("a kink in a gradient of so many elements")


def check_continuous(a: arb, b: arb) -> None:
    """Raise UndecidableKinkError unless a loss has the same value on two sides of a tie."""
    if not a.overlaps(b):
        raise UndecidableKinkError("the loss jumps at this point")

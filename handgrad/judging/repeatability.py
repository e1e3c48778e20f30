"""Whether the caller's functions give the same at the same arguments.

A loss that draws random numbers, counts its calls or remembers an earlier one has no gradient that
a hand-written one could be compared with, so such a point is undecidable.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from flint import arb

from handgrad.clock import Clock
from handgrad.data.advised import NotAFunctionError
from handgrad.data.attempts import best_effort

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: How often a function is called with the same arguments: at the given point, and at others. Each
#: call whose result is judged is one more.
CALLS, CALLS_ELSEWHERE = 8, 2

#: How often a kernel is called at the given point: what differs in one call of ten shows in 32 of
#: them with a probability of 0.96, in 8 of 0.57.
CALLS_OF_KERNEL = 32

#: The processor time after which it is not called again. Only a function whose result is not
#: decided by its arguments can be judged otherwise for it.
SECONDS = 0.05


def not_a_function(
    name: str, what: str, one: Any, other: Any, call: int | None = None
) -> NotAFunctionError:
    """Return the error for a function, called `name`, that gave one result and another.

    `call` is the call that gave the other, if the first result is that of the first.
    """
    both = f"{one} and then {other}" if call is None else f"{one}, and in call {call} {other}"
    return NotAFunctionError(
        f"{name} is not a function of its arguments: at the same point its {what} was {both}"
    )


def calls(call: Callable[[], Any], most: int, least: int) -> Iterator[Any]:
    """Yield the results of up to `most` calls, no more than `least` once `SECONDS` are over."""
    clock = Clock(SECONDS)
    for k in range(most):
        if k >= least and clock.over:
            return
        yield call()


def raises_always(call: Callable[[], Any]) -> bool:
    """Tell whether a call that has raised raises again, each time that it is made."""

    def returns() -> bool:
        with best_effort():
            call()
            return True
        return False

    return not any(calls(returns, CALLS, least=1))


def check_same(
    name: str,
    one: tuple[arb, np.ndarray],
    other: tuple[arb, np.ndarray],
    call: int | None = None,
) -> None:
    """Compare two runs of a loss on series in one direction: (loss, slope of shape (1,)) each.

    Both enclose what the code computes in exact arithmetic, so where they do not overlap, it
    computed something else. Sums of the same terms in another order overlap, or are NaN in both.

    Raises:
        NotAFunctionError: they do not overlap.
    """
    (loss, slope), (loss_again, slope_again) = one, other
    for what, a, b in (("value", loss, loss_again), ("slope", slope[0], slope_again[0])):
        if a.is_finite() != b.is_finite() or (a.is_finite() and not a.overlaps(b)):
            raise not_a_function(name, what, *_told_apart(a, b), call)


def _told_apart(a: arb, b: arb) -> tuple[str, str]:
    """Write two numbers in as many digits as tell them apart, at least those of floats."""
    one, other = (repr(float(ball.mid())) for ball in (a, b))
    return (one, other) if one != other else (a.str(40, radius=False), b.str(40, radius=False))

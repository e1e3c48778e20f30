"""The exact gradient of a loss, for whoever needs reference numbers."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arguments import Arguments, arguments
from handgrad.judging.judge import Case, check_referee
from handgrad.referee import balls
from handgrad.report import Enclosure

#: Decimal digits of an exact value at most.
DIGITS = 40

#: And of its size: beyond this power of ten, up or down, Python's decimals compute no more, and all
#: that is said is on which side of every float64 it lies. e^-x² comes there with an x of 2000.
EXPONENT = 999_999


def exact_gradient(
    loss: Callable[..., Any], params: Any, *inputs: Any, referee: str = "auto"
) -> Any:
    """The exact gradient of a loss at a point, every element between rigorous bounds.

    Args:
        loss: `loss(params, *inputs)`, a real scalar that JAX can trace, or NumPy run on objects.
        params: any pytree of float64 or float32 arrays.
        inputs: whatever the loss takes besides.
        referee: as for `handgrad.check_gradient`; "series" gives the same digits on every machine,
            however many elements there are.

    Returns:
        A pytree like `params` with an `Enclosure` for each leaf without axes, and an object array
        of them for each other leaf.

    Raises:
        TypeError, ValueError: as `handgrad.check_gradient`, of the referee, too.
        ArithmeticError: the gradient is not finite, has more than one value (at a kink), or cannot
            be enclosed at 6,000 bits.
        NotImplementedError: the loss has an operation without a rule.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> exact_gradient(lambda w: jnp.exp(w), np.float64(1.0)).midpoint
        '2.718281828459045235360287471352662497757'
    """
    check_referee(referee)
    given = arguments(params, inputs)
    truth = Case(loss, loss, referee=referee).way(given).truth(given)
    if truth.kink is not None:
        raise ArithmeticError("the loss has a kink at this point: more than one gradient is right")
    return _like(given, [enclosure(ball, truth.bits) for ball in truth.gradient])


def _like(given: Arguments, enclosures: list[Enclosure]) -> Any:
    leaves = []
    for part, leaf in zip(given.parts(), given.leaves, strict=True):
        numbers = balls.boxed(enclosures[part], leaf.shape)
        leaves.append(numbers[()])
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(given.params), leaves)


def enclosure(ball: arb, bits: int, certified: bool = True) -> Enclosure:
    """A ball in as many decimal digits as are certain; beyond `EXPONENT` as 0 and a bound.

    Args:
        ball: the number.
        bits: the precision that it was computed with.
        certified: whether its bounds are proved.
    """
    if ball.contains(0):
        return Enclosure("0", float(ball.abs_upper()), certified)
    digits = int(np.clip(min(bits, ball.rel_accuracy_bits()) * np.log10(2), 1, DIGITS))
    with balls.precision(max(bits, 192)):
        text = _plain(ball.mid().str(digits, radius=False))
    exponent = int(text.partition("e")[2] or 0)
    if abs(exponent) > EXPONENT:
        return Enclosure("0", float(np.nextafter(0, 1)) if exponent < 0 else np.inf, certified)
    return Enclosure(text, float(ball.rad()), certified)


def _plain(text: str) -> str:
    """Without the zeros at the end of a number that has fewer digits."""
    head, e, exponent = text.partition("e")
    return (head.rstrip("0").rstrip(".") if "." in head else head) + e + exponent

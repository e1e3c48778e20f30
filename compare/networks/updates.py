"""The ranges of one update of an optimiser, computed by any right program.

All arrays are flat: n updates in rows, all parameters of a network side by side in columns.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.lockstep import Point, Ranges
from compare.rounding import Format, Range, between, exactly, nearly, quotient, square, widened

#: The constants of the optimisers, repeated here: if they were taken from one of the two sides, a
#: mistake in them would be blamed on the other. Momentum: the common value of Polyak's μ; Adam:
#: Kingma & Ba, arXiv:1412.6980, algorithm 1.
MOMENTUM = 0.9
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def update_ranges(optimiser: str, rate: float, before: Point, grads: Range) -> Ranges:
    """Compute the ranges after an update, from the range of its gradient.

    Args:
        optimiser: one of `manual.optimisers.OPTIMISERS`.
        rate: η.
        before: the n points that the updates start from.
        grads: the range of the gradients, shape (n, p).

    Raises:
        KeyError: no optimiser of that name.
    """
    floats = grads.floats
    w = exactly(before.params, floats)
    moments = [exactly(before.moments[:, at], floats) for at in range(before.moments.shape[1])]
    return UPDATES[optimiser](nearly(rate, floats), w, moments, before.count, grads)


def _sgd(rate: Range, w: Range, moments: list[Range], counts: Any, grads: Range) -> Ranges:  # noqa: ARG001 (one form for all)
    return Ranges(grads, w - rate * grads, [])


def _momentum(rate: Range, w: Range, moments: list[Range], counts: Any, grads: Range) -> Ranges:  # noqa: ARG001 (one form for all)
    velocity = nearly(MOMENTUM, w.floats) * moments[0] + grads
    return Ranges(grads, w - rate * velocity, [velocity])


def _adam(rate: Range, w: Range, moments: list[Range], counts: Any, grads: Range) -> Ranges:
    m = _average(BETA1, moments[0], grads)
    v = _average(BETA2, moments[1], square(grads))
    m_hat = m / _weights(BETA1, counts, w.floats)
    v_hat = v / _weights(BETA2, counts, w.floats)
    epsilon = nearly(EPSILON, w.floats)
    step = quotient(m_hat, _root(v_hat) + epsilon, epsilon.lo)
    return Ranges(grads, w - rate * step, [m, v])


def _average(beta: float, moment: Range, value: Range) -> Range:
    """β·moment + (1 - β)·value; both sides take 1 - β in Python's floats and round it then."""
    return nearly(beta, value.floats) * moment + nearly(1 - beta, value.floats) * value


def _weights(beta: float, counts: np.ndarray, floats: Format) -> Range:
    """1 - βᵗ after t updates, shape (n, 1): β is rounded, t times, and the power as a function."""
    t = counts[:, None] + 1.0
    return 1 - widened(nearly(beta**t, floats), 2 * (t + 8))


def _root(x: Range) -> Range:
    """Compute the range of √x for a number that is never negative, even if its range is."""
    root = between(np.sqrt(np.maximum(x.lo, 0)), np.sqrt(np.maximum(x.hi, 0)), x.floats)
    # A program that flushes subnormals to 0 is off by the root of the smallest normal number.
    wide = widened(root, 2) + Range(0.0, np.sqrt(x.floats.tiny), x.floats)
    return between(np.maximum(wide.lo, 0.0), wide.hi, x.floats)


#: By the names of `manual.optimisers.OPTIMISERS`.
UPDATES: dict[str, Callable[[Range, Range, list[Range], Any, Range], Ranges]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "adam": _adam,
}

"""The bounds of one update of an optimiser, computed by any right program.

All arrays are flat: n updates in rows, all parameters of a network side by side in columns.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from compare.lockstep import Point, Ranges
from handgrad.tolerance.rounding import Bounded, bounded

#: The constants of the optimisers, repeated here: if they were taken from one of the two sides, a
#: mistake in them would be blamed on the other. Momentum: the common value of Polyak's μ; Adam:
#: Kingma & Ba, arXiv:1412.6980, algorithm 1. These are how far μ, β₁ and β₂ are from 1, and ε.
CONSTANTS = {"momentum": (0.1,), "adam": (0.1, 0.001, 1e-8), "sgd": ()}


def update_ranges(optimiser: str, rate: float, before: Point, grads: Bounded) -> Ranges:
    """Bound an update, from the bounds of its gradient.

    Args:
        optimiser: one of `manual.optimisers.OPTIMISERS`.
        rate: η.
        before: the n points that the updates start from.
        grads: the bounds of the gradients, shape (n, p).

    Raises:
        KeyError: no optimiser of that name.
    """
    # Each side rounds the constants for itself.
    constants = [_rounded(number, grads.value.dtype) for number in (rate, *CONSTANTS[optimiser])]
    moments = [before.moments[:, at] for at in range(before.moments.shape[1])]
    counts = np.asarray(before.count, grads.value.dtype)[:, None]
    with jax.enable_x64(True):
        found = _compiled(optimiser)(constants, before.params, moments, counts, grads)
        params, *moments = [Bounded(*pair) for pair in zip(*jax.device_get(found), strict=True)]
    return Ranges(grads, params, moments)


def _rounded(number: float, dtype: Any) -> Bounded:
    value = np.asarray(number, dtype)
    return Bounded(value, np.asarray(2 * abs(value) * np.finfo(dtype).eps, dtype))


@cache
def _compiled(optimiser: str) -> Callable[..., Any]:
    return jax.jit(bounded(UPDATES[optimiser]))


def _sgd(constants: Any, w: Any, moments: Any, counts: Any, dw: Any) -> Any:  # noqa: ARG001 (one form for all)
    (rate,) = constants
    return (w - rate * dw,)


def _momentum(constants: Any, w: Any, moments: Any, counts: Any, dw: Any) -> Any:  # noqa: ARG001 (one form for all)
    rate, less = constants
    velocity = (1 - less) * moments[0] + dw
    return w - rate * velocity, velocity


def _adam(constants: Any, w: Any, moments: Any, counts: Any, dw: Any) -> Any:
    rate, less1, less2, epsilon = constants
    m = (1 - less1) * moments[0] + less1 * dw
    v = (1 - less2) * moments[1] + less2 * jnp.square(dw)
    m_hat, v_hat = (
        moment / (1 - (1 - less) ** (counts + 1)) for moment, less in ((m, less1), (v, less2))
    )
    return w - rate * m_hat / (jnp.sqrt(v_hat) + epsilon), m, v


#: By the names of `manual.optimisers.OPTIMISERS`.
UPDATES: dict[str, Callable[..., Any]] = {"sgd": _sgd, "momentum": _momentum, "adam": _adam}

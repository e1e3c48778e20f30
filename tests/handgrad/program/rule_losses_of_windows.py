"""The same for windows, and for reductions by any function."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from tests.handgrad.program.rule_losses import TALL, Loss, of

#: Everything different: two axes, overlaps, gaps between windows, padding on every side.
UNEVEN: dict[str, Any] = {
    "window_dimensions": (2, 3),
    "window_strides": (1, 2),
    "padding": ((1, 0), (0, 2)),
}


def pooled(p: Any, worst: float, best: Any, **options: Any) -> Any:
    return lax.reduce_window(p, worst, best, **{**UNEVEN, **options})


def largest(p: Any) -> Any:
    return pooled(p, -jnp.inf, lax.max)


def smallest(p: Any) -> Any:
    return pooled(p, jnp.inf, lax.min)


@jax.custom_vjp
def log_sums(p: Any) -> Any:
    """log Σ exp of each window; reverse mode has no rule for `reduce_window`."""
    return pooled(p, -jnp.inf, jnp.logaddexp, padding="VALID")


def _log_sums_forward(p: Any) -> tuple[Any, Any]:
    return log_sums(p), p


def _log_sums_backward(p: Any, cotangent: Any) -> tuple[Any]:
    def by_sums(p: Any) -> Any:
        return jnp.log(pooled(jnp.exp(p), 0.0, lax.add, padding="VALID"))

    return jax.vjp(by_sums, p)[1](cotangent)


log_sums.defvjp(_log_sums_forward, _log_sums_backward)


def together(a: Any, b: Any) -> Any:
    """(1 + a)(1 + b) - 1, which has 0 for its neutral element."""
    return a + b + a * b


WINDOWS: dict[str, tuple[Loss, Any]] = {
    "reduce_window_sum": of(lambda p: pooled(p, 0.0, lax.add, base_dilation=(2, 1)), TALL),
    "reduce_window_max": of(lambda p: largest(p) * 2.0, TALL),
    "reduce_window_min": of(lambda p: smallest(p) * 2.0, TALL),
    "reduce_window": of(log_sums, TALL),
    "select_and_scatter_add": of(lambda p: largest(p) * smallest(p), TALL),
    "select_and_gather_add": of(lambda p: jax.jvp(largest, (p,), (p * p * p,))[1], TALL),
    "reduce": of(lambda p: lax.reduce(p, 0.0, together, (0,)), TALL),
}

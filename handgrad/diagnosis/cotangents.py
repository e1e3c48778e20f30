"""Functions that return a value as it is, and change what comes back to it."""

from typing import Any

import jax
import jax.numpy as jnp


@jax.custom_vjp
def scaled(value: Any, factor: Any) -> Any:  # noqa: ARG001 (it is for the derivative)
    """Return the value; the cotangent is multiplied by the factor."""
    return value


scaled.defvjp(
    lambda value, factor: (value, factor),
    lambda factor, g: (factor.astype(g.dtype) * g, jnp.zeros_like(factor)),
)


@jax.custom_vjp
def joined(value: Any, changed: Any, chosen: Any) -> Any:  # noqa: ARG001 (as above)
    """Return the value, with the derivative of `changed` where that is chosen."""
    return value


joined.defvjp(
    lambda value, changed, chosen: (value, chosen),
    lambda chosen, g: (jnp.where(chosen, 0, g), jnp.where(chosen, g, 0), None),
)


@jax.custom_vjp
def both(value: Any, other: Any) -> Any:  # noqa: ARG001 (as above)
    """Return the value, with the derivatives of both."""
    return value


both.defvjp(lambda value, other: (value, None), lambda _, g: (g, g))

"""Activations and losses on numbers with their errors: the links of the chain rule.

As in `compare.networks.ranges`, nothing is taken from either side. An error is that of both forms
in which right programs compute a slope: the hand lines', and that of `jax.nn` and optax, where a
difference of nearly equal numbers loses digits.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.scipy.special import ndtr

from compare.networks.ranges import FUNCTION, LEAK
from compare.sweep.rounded import Charge, Rounded, exact, tail


class Activated(NamedTuple):
    """What becomes of a pre-activation."""

    a: Rounded
    slope: Rounded


def sigmoid(z: Rounded, charge: Charge) -> Activated:
    """σ, and σ' = σ(z)σ(-z); as σ(1 - σ), 1 - σ is off by `FUNCTION` units of σ.

    σ' is at most e^-|z| and 1/4, and σ'' no larger in size.
    """
    rounding = FUNCTION * charge.u
    e = jnp.exp(-abs(z.value))
    large = 1 / (1 + e)
    a = jnp.where(z.value >= 0, large, e * large)
    steepest = jnp.minimum(tail(z, e), 0.25)
    moved = steepest * jnp.minimum(z.error, 4)
    of_slope = moved + rounding * (steepest + a * a)
    return Activated(
        Rounded(a, jnp.minimum(moved + rounding * a, 1)),
        Rounded(e * large * large, jnp.minimum(of_slope, 0.26)),
    )


def tanh(z: Rounded, charge: Charge) -> Activated:
    """tanh z, and its slope, at most 4 e^-2|z| and 1; 1 - tanh² is off by some units of tanh."""
    rounding = FUNCTION * charge.u
    a = jnp.tanh(z.value)
    e = jnp.exp(-2 * abs(z.value))
    slope = 4 * e / ((1 + e) * (1 + e))
    steepest = jnp.minimum(4 * tail(Rounded(2 * z.value, 2 * z.error), e), 1)
    moved = steepest * jnp.minimum(z.error, 2)
    lost = (2 * FUNCTION + 8) * charge.u * abs(a)
    return Activated(
        Rounded(a, jnp.minimum(moved + rounding * abs(a), 2)),
        Rounded(slope, jnp.minimum(2 * moved + rounding * steepest + lost, 1.1)),
    )


def relu(z: Rounded, charge: Charge) -> Activated:  # noqa: ARG001 (the form of every activation)
    """max(z, 0)."""
    return Activated(Rounded(jnp.maximum(z.value, 0), z.error), _kinked(z, 0.0))


def leaky_relu(z: Rounded, charge: Charge) -> Activated:
    """max(z, LEAK z)."""
    a, slope = jnp.maximum(z.value, LEAK * z.value), _kinked(z, LEAK)
    return Activated(
        Rounded(a, z.error + 4 * charge.u * abs(a)),
        Rounded(slope.value, slope.error + 4 * charge.u * LEAK),
    )


def _kinked(z: Rounded, below: float) -> Rounded:
    """1 above 0, and another slope below; either one where z may lie on either side."""
    one = jnp.ones_like(z.value)
    slope = jnp.where(z.value > 0, one, below * one)
    return Rounded(slope, jnp.where(abs(z.value) <= z.error, (1 - below) * one, 0 * one))


def gelu(z: Rounded, charge: Charge) -> Activated:
    """z Φ(z), whose slope is within ±1.13 and changes by at most 0.8 for a step of 1.

    Rounding z²/2, or z/√2, moves the tail of Φ, and φ, by some u z².
    """
    rounding = (FUNCTION + 4 * jnp.minimum(z.value * z.value, 1e4)) * charge.u
    phi, density = ndtr(z.value), jnp.exp(-z.value * z.value / 2) * 0.3989422804014327
    a = z.value * phi
    sizes = phi + abs(z.value) * density
    return Activated(
        Rounded(a, 1.13 * z.error + rounding * abs(a)),
        Rounded(phi + z.value * density, 0.8 * z.error + 2 * rounding * sizes),
    )


def softplus(z: Rounded, charge: Charge) -> Activated:
    """log(1 + e^z), and σ; as e^(z - softplus z) the exponent's rounding comes on top."""
    units = jnp.minimum(40 * (1 + abs(z.value)), 0.01 / charge.u)
    e, rise = jnp.exp(-abs(z.value)), sigmoid(z, charge).a
    a = jnp.maximum(z.value, 0) + jnp.log1p(e)
    # The slope σ is e^z below 0, and its largest where z is.
    steepest = jnp.where(z.value < 0, jnp.minimum(tail(z, e), 1), 1)
    of_slope = rise.error + units * charge.u * rise.size
    return Activated(
        Rounded(a, steepest * z.error + FUNCTION * charge.u * a),
        Rounded(rise.value, jnp.minimum(of_slope, 1)),
    )


def identity(z: Rounded, charge: Charge) -> Activated:  # noqa: ARG001 (the form of every activation)
    """z."""
    return Activated(z, exact(jnp.ones_like(z.value)))


ACTIVATIONS: dict[str, Callable[[Rounded, Charge], Activated]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky-relu": leaky_relu,
    "gelu": gelu,
    "softplus": softplus,
    "identity": identity,
}


def _difference(a: Rounded, y: Any, charge: Charge) -> Rounded:
    value = a.value - y
    return Rounded(value, a.error + 2 * charge.u * abs(value))


def mse(a: Rounded, y: Any, charge: Charge) -> Rounded:
    """2 (a - y)."""
    r = _difference(a, y, charge)
    return Rounded(2 * r.value, 2 * r.error)


def huber(a: Rounded, y: Any, charge: Charge) -> Rounded:
    """The residual within ±1; optax adds up ±(|r| - 1) and ±1, off by some units of 1."""
    r = _difference(a, y, charge)
    return Rounded(jnp.clip(r.value, -1, 1), jnp.minimum(r.error, 2) + 8 * charge.u)


def bce(z: Rounded, y: Any, charge: Charge) -> Rounded:
    """(1 - y) σ(z) - y σ(-z), both σ as slopes of softplus."""
    one, zero = softplus(z, charge).slope, softplus(Rounded(-z.value, z.error), charge).slope
    parts = (1 - y) * one.value, y * zero.value
    error = (1 - y) * one.error + y * zero.error
    return Rounded(parts[0] - parts[1], error + 4 * charge.u * (parts[0] + parts[1]))


def softmax_ce(z: Rounded, y: Any, charge: Charge) -> Rounded:
    """p_j Σ y - y_j, or the same without the term that cancels.

    Exponents are gaps to the largest z, within the errors of both, and rounded.
    """
    classes = z.value.shape[-1]
    gap = z.value.max(axis=-1, keepdims=True) - z.value
    e = jnp.exp(-gap)
    p = e / e.sum(axis=-1, keepdims=True)
    moved = 2 * z.error.max(axis=-1, keepdims=True) + 4 * charge.u * gap
    # p_j moves by e^moved at most, for gaps that are moved all at once; it is at most e^-gap.
    relative = 2 * moved * (1 + moved) + 2 * (FUNCTION + classes) * charge.u
    near = jnp.exp(-jnp.maximum(gap - moved, 0))
    of_p = jnp.minimum(jnp.where(moved <= 0.5, p * relative, near) + charge.tiny, 1)
    whole = y.sum(axis=-1, keepdims=True)
    value = p * whole - y
    spread = whole * of_p + y * of_p.sum(axis=-1, keepdims=True)
    return Rounded(value, spread + (2 * classes + 8) * charge.u * (p * whole + y))


#: n ∂L/∂a of an example: (outputs, targets, charge).
RESIDUALS: dict[str, Callable[[Rounded, Any, Charge], Rounded]] = {
    "mse": mse,
    "huber": huber,
    "bce": bce,
    "softmax-ce": softmax_ce,
}

"""Activation functions and the wrong derivatives that people write for them; a new one is a row.

`z` is the pre-activation, `a` the activation. A wrong derivative stands in the backward pass in
place of f′(z).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Wrong:
    """A wrong derivative that people write."""

    says: str  #: completes "the derivative of tanh ..."
    #: A function of z, a and f′; None for the mask cotangent > 0.
    factor: Callable[[Any, Any, Function], Any] | None


@dataclass(frozen=True)
class Activation:
    """A function by name, and the mistakes that are specific to it."""

    name: str
    f: Function
    mistakes: tuple[Wrong, ...] = ()


_sigmoid = jax.nn.sigmoid


def _normal_cdf(z: Any) -> Any:
    return jax.scipy.special.erfc(-z * math.sqrt(0.5)) / 2


def _normal_density(z: Any) -> Any:
    return jnp.exp(-z * z / 2) / math.sqrt(2 * np.pi)


MISSING = Wrong("is missing", lambda z, *_: jnp.ones_like(z))
NEGATIVE = Wrong("has the wrong sign", lambda z, a, slope: -slope(z))

#: Mistakes with any function, the simplest first.
OF_ANY = (
    MISSING,
    Wrong("is taken at the activation, not at the sum before it", lambda z, a, slope: slope(a)),
    Wrong("is there twice", lambda z, a, slope: slope(z) ** 2),
    NEGATIVE,
)

#: Mistakes with known activations. (Not with any function: the derivative of exp is itself.)
OF_ACTIVATIONS = (*OF_ANY, Wrong("is replaced by the activation itself", lambda z, a, _: a))

ACTIVATIONS = (
    Activation(
        "sigmoid",
        _sigmoid,
        (
            Wrong("is z(1 - z), not σ(1 - σ)", lambda z, *_: z * (1 - z)),
            Wrong("is 1 - σ, not σ(1 - σ)", lambda z, a, _: 1 - a),
            Wrong("is σ(1 + σ), not σ(1 - σ)", lambda z, a, _: a * (1 + a)),
            Wrong("is that of tanh, 1 - σ²", lambda z, a, _: 1 - a * a),
        ),
    ),
    Activation(
        "tanh",
        jnp.tanh,
        (
            Wrong("is 1 - h, not 1 - h²", lambda z, a, _: 1 - a),
            Wrong("is 1 - z², not 1 - h²", lambda z, *_: 1 - z * z),
            Wrong("is 1 + h², not 1 - h²", lambda z, a, _: 1 + a * a),
            Wrong("is (1 - h)², not 1 - h²", lambda z, a, _: (1 - a) ** 2),
            Wrong("is h², not 1 - h²", lambda z, a, _: a * a),
            Wrong("is that of sigmoid, h(1 - h)", lambda z, a, _: a * (1 - a)),
        ),
    ),
    Activation(
        "relu",
        jax.nn.relu,
        (
            Wrong("passes what it should stop", lambda z, *_: (z < 0).astype(z.dtype)),
            Wrong("is z", lambda z, *_: z),
            Wrong("takes its mask from what comes back, not from the sum", None),
        ),
    ),
    Activation(
        "softplus",
        jax.nn.softplus,
        (
            Wrong("is σ′(z), not σ(z)", lambda z, *_: _sigmoid(z) * _sigmoid(-z)),
            Wrong("is 1 - σ(z), not σ(z)", lambda z, *_: _sigmoid(-z)),
        ),
    ),
    Activation(
        "silu",
        jax.nn.silu,
        (
            Wrong("is σ(z) alone, without zσ′(z)", lambda z, *_: _sigmoid(z)),
            Wrong("is zσ′(z) alone, without σ(z)", lambda z, *_: z * _sigmoid(z) * _sigmoid(-z)),
            Wrong("is that of sigmoid, σ(z)(1 - σ(z))", lambda z, *_: _sigmoid(z) * _sigmoid(-z)),
        ),
    ),
    Activation(
        "gelu",
        lambda z: z * _normal_cdf(z),
        (
            Wrong("is Φ(z) alone, without zφ(z)", lambda z, *_: _normal_cdf(z)),
            Wrong("is zφ(z) alone, without Φ(z)", lambda z, *_: z * _normal_density(z)),
            Wrong(
                "is that of its approximation by tanh",
                lambda z, *_: slope_of(lambda t: jax.nn.gelu(t, approximate=True), z),
            ),
            Wrong(
                "is that of its approximation zσ(1.702 z)",
                lambda z, *_: slope_of(lambda t: t * _sigmoid(1.702 * t), z),
            ),
        ),
    ),
    Activation(
        "gelu (by tanh)",
        lambda z: jax.nn.gelu(z, approximate=True),
        (
            Wrong(
                "is that of the exact gelu", lambda z, *_: _normal_cdf(z) + z * _normal_density(z)
            ),
        ),
    ),
    Activation(
        "elu",
        jax.nn.elu,
        (
            Wrong("is that of relu", lambda z, *_: (z > 0).astype(z.dtype)),
            Wrong("is exp(z) where z > 0 as well", lambda z, *_: jnp.exp(z)),
            Wrong(
                "is elu(z), not elu(z) + 1, where z < 0", lambda z, a, _: jnp.where(z > 0, 1.0, a)
            ),
        ),
    ),
    Activation(
        "leaky relu",
        lambda z: jax.nn.leaky_relu(z, 0.01),
        (Wrong("is that of relu", lambda z, *_: (z > 0).astype(z.dtype)),),
    ),
    Activation("softsign", jax.nn.soft_sign),
    Activation("hard tanh", jax.nn.hard_tanh),
    Activation("relu6", jax.nn.relu6),
    Activation("selu", jax.nn.selu),
    Activation("arctan", jnp.arctan),
)

#: Activations whose derivative people write twice: a loss of logits already contains it.
EXTRA = ("sigmoid", "tanh", "relu")

#: The slope of a leaky relu below 0 is smaller than this.
STEEPEST = 0.9

#: Arguments at which the functions differ.
PROBES = np.array([-3.1, -1.7, -0.6, -0.05, 0.04, 0.45, 1.3, 2.9, 7.5])


def slope_of(f: Function, z: Any) -> Any:
    """Return f′(z)."""
    return jax.jvp(f, (z,), (jnp.ones_like(z),))[1]


def recognised(values: np.ndarray, dtype: Any = np.float64) -> Activation | None:
    """Return the activation that has these values at `PROBES`; None if there is none.

    Args:
        values: float64.
        dtype: of the loss there, which constants in it are rounded to.
    """
    # Equal up to rounding; different functions differ by at least 1e-4 somewhere.
    rtol = 1e-9 if dtype == np.float64 else 1e-6
    for activation, theirs in zip(ACTIVATIONS, _values(), strict=True):
        if np.allclose(values, theirs, rtol=rtol, atol=rtol / 1000):
            return activation
    return _leaky(values, rtol)


@cache
def _values() -> list[np.ndarray]:
    """Return the values of each activation at the probes."""
    with jax.enable_x64(True):
        found = jax.jit(lambda t: [activation.f(t) for activation in ACTIVATIONS])(PROBES)
        return [np.asarray(values) for values in found]


def _leaky(values: np.ndarray, rtol: float) -> Activation | None:
    """Recognise a leaky relu: z for z > 0, and a constant times z below."""
    slope = float(values[0] / PROBES[0])
    expected = np.where(PROBES > 0, PROBES, slope * PROBES)
    # A slope of about 1 is more likely p + ε.
    close = np.allclose(values, expected, rtol=rtol, atol=rtol / 1000)
    if not 0 < abs(slope) < STEEPEST or not close:
        return None
    (like,) = (a for a in ACTIVATIONS if a.name == "leaky relu")
    default = Wrong("has the slope 0.01", lambda z, *_: jnp.where(z > 0, 1.0, 0.01).astype(z.dtype))
    exchanged = Wrong(
        "has its two slopes exchanged", lambda z, a, own: jnp.where(z > 0, slope, 1.0)
    )
    mistakes = (*like.mistakes, default, exchanged)
    return Activation(like.name, lambda z: jnp.where(z > 0, z, slope * z), mistakes)


def named(name: str) -> Activation:
    """Return the activation of that name."""
    return next(a for a in ACTIVATIONS if a.name == name)

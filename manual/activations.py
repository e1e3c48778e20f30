"""Activations, and what the chain rule makes of each: pairs of a forward and a backward step.

Source of step, sigmoid and f(1 - f): the article, "Activation Function" and "Backpropagation".
Every pair has the same form, element by element:

    forward(z) -> (a, cache)          a = f(z), the activation of the pre-activation z
    backward(da, cache) -> dz         dz = da f'(z)

with arrays of any one shape and floating dtype; the cache is z. Slopes are computed so that they
keep their digits where the unit is saturated: as products of accurate numbers, never as differences
of numbers that are nearly equal.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from manual.arrays import Array, as_array, erfc, namespace


def step(z: Array) -> Array:
    """The hard threshold: 1 where z >= 0, else 0. At z = 0 it is 1 ("lower than 50 ... otherwise").

    Args:
        z: pre-activation, any shape, floating point.

    Returns:
        Zeros and ones of z's shape and dtype.
    """
    z = as_array(z)
    xp = namespace(z)
    return xp.where(z >= 0, xp.ones_like(z), xp.zeros_like(z))


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e^-z), computed so that no exponential can overflow.

    Multiplying numerator and denominator by e^min(z, 0) turns the denominator into 1 + e^-|z|:
    for z >= 0 nothing changes, for z < 0 it is e^z / (1 + e^z).

    Args:
        z: pre-activation, any shape, floating point.

    Returns:
        The activation, z's shape and dtype, in [0, 1]; within 3 units in the last place.
    """
    z = as_array(z)
    xp = namespace(z)
    return xp.exp(xp.minimum(z, 0)) / (1 + xp.exp(-abs(z)))


def sigmoid_derivative(z: Array) -> Array:
    """σ'(z) = σ(z) σ(-z): a product of two accurate numbers, so it keeps its digits everywhere.

    Differentiating 1 / (1 + e^-z) gives e^-z / (1 + e^-z)², which is σ(z) σ(-z), since
    σ(-z) = e^-z / (1 + e^-z). Of σ(z) and σ(-z) one is 1 / (1 + e), the other e / (1 + e), with
    e = e^-|z|.

    Args:
        z: pre-activation, any shape, floating point.

    Returns:
        The slope of σ at z, z's shape and dtype, in [0, 1/4].
    """
    z = as_array(z)
    e = namespace(z).exp(-abs(z))
    return 1 / (1 + e) * (e / (1 + e))


def sigmoid_derivative_article(z: Array) -> Array:
    """σ'(z) = f (1 - f) with f = σ(z), the article's form (and that of `jax.nn.sigmoid`).

    Where f is close to 1 the subtraction cancels: at z = 31 four digits are left, from z = 37 on
    the result is exactly 0. `sigmoid_derivative` is the same number without the subtraction.

    Args:
        z: pre-activation, any shape, floating point.

    Returns:
        The slope of σ at z, z's shape and dtype, in [0, 1/4].
    """
    f = sigmoid(z)
    return f * (1 - f)


#: The two forms by the names that the command line uses.
SIGMOID_DERIVATIVES: dict[str, Callable[[Array], Array]] = {
    "stable": sigmoid_derivative,
    "article": sigmoid_derivative_article,
}


def sigmoid_forward(z: Array) -> tuple[Array, Array]:
    """a = σ(z)."""
    return sigmoid(z), z


def sigmoid_backward(da: Array, z: Array) -> Array:
    """a = σ(z), so dz = da σ'(z)."""
    return da * sigmoid_derivative(z)


def tanh_forward(z: Array) -> tuple[Array, Array]:
    """a = tanh(z) = 2 σ(2z) - 1."""
    return namespace(z).tanh(z), z


def tanh_backward(da: Array, z: Array) -> Array:
    """a = 2 σ(2z) - 1, so dz = da 4 σ'(2z), which is da (1 - a²) without the subtraction."""
    return da * (4 * sigmoid_derivative(2 * z))


def relu_forward(z: Array) -> tuple[Array, Array]:
    """a = max(z, 0)."""
    xp = namespace(z)
    # Zeros of z's shape: beside a single 0 NumPy takes three times as long.
    return xp.maximum(z, xp.zeros_like(z)), z


def relu_backward(da: Array, z: Array) -> Array:
    """a = z where z > 0, else 0, so dz = da where z > 0, else 0. At z = 0 the slope is taken as 0.

    0 is one of the slopes between 0 and 1 that are valid at the kink.
    """
    xp = namespace(z)
    return da * xp.astype(xp.greater(z, 0), z.dtype)


#: The slope of the leaky ReLU below 0.
LEAK = 0.01


def leaky_relu_forward(z: Array) -> tuple[Array, Array]:
    """a = max(z, LEAK z): z where z >= 0, else LEAK z (Maas, Hannun & Ng, ICML 2013)."""
    return namespace(z).maximum(z, LEAK * z), z


def leaky_relu_backward(da: Array, z: Array) -> Array:
    """a = z where z >= 0, else LEAK z, so dz = da or LEAK da. At z = 0 the slope is taken as 1."""
    xp = namespace(z)
    return da * xp.maximum(xp.astype(xp.greater_equal(z, 0), z.dtype), LEAK)


_SQRT_HALF = math.sqrt(0.5)


def gelu_forward(z: Array) -> tuple[Array, Array]:
    """a = z Φ(z), exact, with Φ(z) = erfc(-z/√2) / 2, the normal distribution's function.

    Hendrycks & Gimpel, arXiv:1606.08415. Far below 0, where Φ is as steep as e^(-z²/2), rounding
    z/√2 moves it by some z² units of rounding, as rounding z itself does; 1 - Φ(-z) would lose all.
    """
    return z * (erfc(-_SQRT_HALF * z) / 2), z


def gelu_backward(da: Array, z: Array) -> Array:
    """a = z Φ(z), so dz = da (Φ(z) + z φ(z)) with φ(z) = Φ'(z) = e^(-z²/2) / √(2π).

    φ comes from d erfc(t)/dt = -(2/√π) e^-t² at t = -z/√2. Digits are kept as in the forward step.
    """
    t = _SQRT_HALF * z
    density = namespace(z).exp(-t * t) * (_SQRT_HALF / math.sqrt(math.pi))
    return da * (erfc(-t) / 2 + z * density)


def softplus_forward(z: Array) -> tuple[Array, Array]:
    """a = log(1 + e^z) = max(z, 0) + log(1 + e^-|z|), which neither overflows nor cancels."""
    xp = namespace(z)
    return xp.maximum(z, 0) + xp.log1p(xp.exp(-abs(z))), z


def softplus_backward(da: Array, z: Array) -> Array:
    """a = log(1 + e^z), so dz = da e^z / (1 + e^z) = da σ(z)."""
    return da * sigmoid(z)


def identity_forward(z: Array) -> tuple[Array, None]:
    """a = z."""
    return z, None


def identity_backward(da: Array, cache: None) -> Array:  # noqa: ARG001 (the form of every pair)
    """a = z, so dz = da."""
    return da


class Activation(NamedTuple):
    """A pair; see above."""

    forward: Callable[[Array], tuple[Array, Array]]
    backward: Callable[[Array, Array], Array]
    gain: int = 1  #: of random weights' variance: 2 if it is zero, or nearly, on one side


#: The pairs by the names that a network's description uses.
ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(sigmoid_forward, sigmoid_backward),
    "tanh": Activation(tanh_forward, tanh_backward),
    "relu": Activation(relu_forward, relu_backward, gain=2),
    "leaky-relu": Activation(leaky_relu_forward, leaky_relu_backward, gain=2),
    "gelu": Activation(gelu_forward, gelu_backward, gain=2),
    "softplus": Activation(softplus_forward, softplus_backward),
    "identity": Activation(identity_forward, identity_backward),
}

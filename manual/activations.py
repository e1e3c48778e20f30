"""Step and sigmoid, and the sigmoid's derivative in two forms: one keeps its digits, one is famous.

Source: the article, sections "Activation Function" and "Backpropagation". The forms of the
derivative follow from e^-z = σ(-z) / σ(z):  σ'(z) = e^-z / (1 + e^-z)² = σ(z) σ(-z) = f (1 - f).
"""

from collections.abc import Callable

from manual.arrays import Array, as_array, namespace


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
    """σ(z) = 1 / (1 + e^-z), computed from e = e^-|z| so that no exponential can overflow.

    For z >= 0, e = e^-z and σ = 1 / (1 + e). For z < 0, e = e^z, and multiplying numerator and
    denominator of 1 / (1 + e^-z) by e gives σ = e / (1 + e).

    Args:
        z: pre-activation, any shape, floating point.

    Returns:
        The activation, z's shape and dtype, in [0, 1]; within 3 units in the last place.
    """
    z = as_array(z)
    xp = namespace(z)
    e = xp.exp(-abs(z))
    return xp.where(z >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z: Array) -> Array:
    """σ'(z) = σ(z) σ(-z): a product of two accurate numbers, so it keeps its digits everywhere.

    Args:
        z: pre-activation, any shape, floating point.

    Returns:
        The slope of σ at z, z's shape and dtype, in [0, 1/4].
    """
    return sigmoid(z) * sigmoid(-as_array(z))


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

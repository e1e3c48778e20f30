"""One sample on Python's floats: the lines of `manual.article`, with σ and σ' by `math.exp`.

For a single number, an array library's overhead exceeds the computation: here the same nine partial
derivatives take a third of the time of `manual.article.gradient`.

The formulas are derived in `manual.activations`. The results differ only by the rounding of
`math.exp` and `numpy.exp`.
"""

from collections.abc import Callable, Iterable
from math import exp
from typing import SupportsFloat

from manual.article import Parameters, forward_lines, gradient_lines


def sigmoid(z: float) -> float:
    """σ(z) = 1 / (1 + e^-z), for z < 0 as e^z / (1 + e^z), so that no exponential can overflow."""
    if z >= 0:
        return 1 / (1 + exp(-z))
    e = exp(z)
    return e / (1 + e)


def sigmoid_derivative(z: float) -> float:
    """σ'(z) = σ(z) σ(-z), which is 1 / (1 + e) times e / (1 + e) with e = e^-|z|."""
    e = exp(-abs(z))
    return 1 / (1 + e) * (e / (1 + e))


def sigmoid_derivative_article(z: float) -> float:
    """σ'(z) = f (1 - f) with f = σ(z), the article's form, which cancels where f is close to 1."""
    f = sigmoid(z)
    return f * (1 - f)


#: The two forms by the names that the command line uses.
SIGMOID_DERIVATIVES: dict[str, Callable[[float], float]] = {
    "stable": sigmoid_derivative,
    "article": sigmoid_derivative_article,
}


def gradient(
    params: Parameters,
    x: Iterable[SupportsFloat],
    y: SupportsFloat,
    derivative: Callable[[float], float] = sigmoid_derivative,
) -> Parameters:
    """The nine partial derivatives of one sample's loss (y - ypred)².

    Args:
        params: nine numbers.
        x: the two inputs.
        y: the target.
        derivative: σ' as a function of z; one of the two forms above.

    All numbers are turned into Python floats, NumPy's scalars too: left as they are, they would be
    right, and slow.

    Returns:
        ∂L/∂w1 .. ∂L/∂b3, Python floats; infinite or NaN where `manual.article.gradient` is.

    Raises:
        ValueError: x is not two numbers.
        TypeError: y or one of the parameters is not a number, an array of many for example.

    Example:
        >>> from manual.article import ones_parameters
        >>> print(f"{gradient(ones_parameters(), [-2, -1], 1).w1:.12f}")
        0.021469535266
    """
    return value_and_gradient(params, x, y, derivative)[1]


def value_and_gradient(
    params: Parameters,
    x: Iterable[SupportsFloat],
    y: SupportsFloat,
    derivative: Callable[[float], float] = sigmoid_derivative,
) -> tuple[float, Parameters]:
    """One sample's loss (y - ypred)², and what `gradient` returns; arguments as there."""
    params, (x1, x2), y = Parameters(*map(float, params)), _pair(x), float(y)
    steps = forward_lines(params, x1, x2, sigmoid)
    error = y - steps.ypred
    # Not error**2: where a product of floats overflows it is infinite, but a power raises an error.
    return error * error, gradient_lines(params, x1, x2, y, steps, derivative)


def _pair(x: Iterable[SupportsFloat]) -> tuple[float, float]:
    try:
        x1, x2 = map(float, x)
    except (TypeError, ValueError):
        # The lines of an array's text are joined: a message has one line.
        shown = " ".join(str(x).split())
        raise ValueError(f"gradient: x is {shown}, expected two numbers") from None
    return x1, x2

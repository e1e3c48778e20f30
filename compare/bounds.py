"""Where every right program must answer: the ranges of the nine partial derivatives.

The factors of the chain rule are multiplied here once more, on ranges: the judge of the two
derivations takes no line from either of them. (The tests hold these ranges against the truth from
power series in ball arithmetic, which differentiates nothing by a rule.)

A witness that computes σ' as σ(z)σ(-z) must answer in the ranges of that form, one that computes it
as σ(1 - σ) in the wider ones of that. Both contain the exact value.
"""

from typing import Any

from compare.rounding import Range, exactly, product, sigmoid
from manual.article import Parameters


def gradient_ranges(params: Any, x: Any, y: Any, sigmoid_derivative: str) -> Parameters:
    """The ranges of ∂L/∂w1 .. ∂L/∂b3 of one sample's loss, for many samples at once.

    Args:
        params: nine float64 numbers or arrays of shape (...).
        x: inputs, float64, shape (..., 2).
        y: targets, float64, shape (...).
        sigmoid_derivative: how the witness computes σ': `stable` or `article`.

    Returns:
        Nine `Range` of shape (...).

    Raises:
        KeyError: there is no form of that name.
    """
    slope = _FACTORS_OF_SLOPE[sigmoid_derivative]
    w5, w6 = exactly(params[4]), exactly(params[5])
    target, (x1, x2) = exactly(y), _columns(x)
    z1, z2, h1, h2, z3 = _forward(params, x)
    to_output = (-2 * (target - sigmoid(z3)), *slope(z3))
    to_first, to_second = (*to_output, w5, *slope(z1)), (*to_output, w6, *slope(z2))
    return Parameters(
        w1=product(*to_first, x1),
        w2=product(*to_first, x2),
        w3=product(*to_second, x1),
        w4=product(*to_second, x2),
        w5=product(*to_output, h1),
        w6=product(*to_output, h2),
        b1=product(*to_first),
        b2=product(*to_second),
        b3=product(*to_output),
    )


def output_range(params: Any, x: Any) -> Range:
    """The range of the network's output; arguments and shape as for `gradient_ranges`."""
    return sigmoid(_forward(params, x)[-1])


def sigmoid_slope(z: Range, form: str) -> Range:
    """The range of σ'(z) as a witness computes it in that form, `stable` or `article`."""
    return product(*_FACTORS_OF_SLOPE[form](z))


def _forward(params: Any, x: Any) -> tuple[Range, Range, Range, Range, Range]:
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = map(exactly, params)
    x1, x2 = _columns(x)
    z1 = w1 * x1 + w2 * x2 + b1
    z2 = w3 * x1 + w4 * x2 + b2
    h1, h2 = sigmoid(z1), sigmoid(z2)
    return z1, z2, h1, h2, w5 * h1 + w6 * h2 + b3


def _columns(x: Any) -> tuple[Range, Range]:
    inputs = exactly(x)
    x1, x2 = (Range(inputs.lo[..., i], inputs.hi[..., i]) for i in (0, 1))
    return x1, x2


#: σ'(z) as factors, for each form.
_FACTORS_OF_SLOPE = {
    "stable": lambda z: (sigmoid(z), sigmoid(-z)),
    "article": lambda z: (sigmoid(z), 1 - sigmoid(z)),
}

"""The ranges in which every right program's nine partial derivatives lie.

The factors of the chain rule are multiplied here once more, on ranges: the judge of the two
derivations takes no line from either of them. (The tests hold these ranges against the truth from
power series in ball arithmetic, which differentiates nothing by a rule.)

A witness that computes σ' as σ(z)σ(-z) must answer in the ranges of that form, one that computes it
as σ(1 - σ) in the wider ones of that. Both contain the exact value.
"""

from typing import Any

from compare.rounding import Range, exactly, product, sigmoid, square
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
    links = derivative_ranges(params, x, y, sigmoid_derivative)
    return Parameters(*(links[f"dL_d{name}"] for name in Parameters._fields))


def derivative_ranges(params: Any, x: Any, y: Any, sigmoid_derivative: str) -> dict[str, Range]:
    """The ranges of every derivative in the chain, ∂ypred/∂h1 as `dypred_dh1` and so on.

    Arguments, shapes and errors as for `gradient_ranges`.
    """
    slope = _FACTORS_OF_SLOPE[sigmoid_derivative]
    w5, w6, (x1, x2) = exactly(params[4]), exactly(params[5]), _columns(x)
    z1, z2, h1, h2, z3 = _forward(params, x)
    slope1, slope2, slope3 = slope(z1), slope(z2), slope(z3)
    error = (-2 * (exactly(y) - sigmoid(z3)),)
    factors = {
        "dL_dypred": error,
        "dypred_dz3": slope3,
        "dypred_dw5": (*slope3, h1),
        "dypred_dw6": (*slope3, h2),
        "dypred_db3": slope3,
        "dypred_dh1": (*slope3, w5),
        "dypred_dh2": (*slope3, w6),
        "dh1_dz1": slope1,
        "dh1_dw1": (*slope1, x1),
        "dh1_dw2": (*slope1, x2),
        "dh1_db1": slope1,
        "dh2_dz2": slope2,
        "dh2_dw3": (*slope2, x1),
        "dh2_dw4": (*slope2, x2),
        "dh2_db2": slope2,
    }
    for hidden, names in {"h1": ("w1", "w2", "b1"), "h2": ("w3", "w4", "b2")}.items():
        before = (*error, *factors[f"dypred_d{hidden}"])
        factors |= {f"dL_d{name}": (*before, *factors[f"d{hidden}_d{name}"]) for name in names}
    factors |= {f"dL_d{name}": (*error, *factors[f"dypred_d{name}"]) for name in ("w5", "w6", "b3")}
    return {name: product(*ranges) for name, ranges in factors.items()}


def value_ranges(params: Any, x: Any, y: Any) -> dict[str, Range]:
    """The ranges of what the forward pass computes, z1 to ypred, and of the loss L."""
    z1, z2, h1, h2, z3 = _forward(params, x)
    ypred = sigmoid(z3)
    values = {"z1": z1, "h1": h1, "z2": z2, "h2": h2, "z3": z3, "ypred": ypred}
    return values | {"L": square(exactly(y) - ypred)}


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
    return inputs[..., 0], inputs[..., 1]


#: σ'(z) as factors, for each form.
_FACTORS_OF_SLOPE = {
    "stable": lambda z: (sigmoid(z), sigmoid(-z)),
    "article": lambda z: (sigmoid(z), 1 - sigmoid(z)),
}

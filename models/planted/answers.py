"""Mistakes around a right chain rule: in its arguments, its result, or the method."""

from functools import partial
from typing import Any

import numpy as np

import manual.article
from manual.arrays import namespace
from manual.article import Parameters, loss
from models.planted.plant import NAMES, WEIGHTS, Derivative, Gradient, Plant

#: The line that calls the right gradient, and that most mistakes replace or go on from.
GRADS = "grads = gradient(params, x, y)"


def _answer(says: str, wrong: tuple[str, ...], lines: str) -> Plant:
    """Run `lines` in place of the call of the right gradient.

    They use `gradient`, `params`, `x` and `y`, and leave the answer in `grads`.
    """
    code = compile(lines, f"<{__name__}: {says}>", "exec")

    def make(derivative: Derivative) -> Gradient:
        right = partial(manual.article.gradient, derivative=derivative)

        def gradient(params: Parameters, x: Any, y: Any) -> Parameters:
            named = {**_NAMES, "gradient": right, "params": params, "x": x, "y": y}
            exec(code, named)
            return named["grads"]

        return gradient

    return Plant(says, wrong, make, shown=((GRADS, lines),))


def _then(says: str, wrong: tuple[str, ...], line: str) -> Plant:
    """Run a line after the call of the right gradient."""
    return _answer(says, wrong, f"{GRADS}\n{line}")


def _single(part: Any) -> Any:
    return np.asarray(part, dtype=np.float32)


def _clip(part: Any, low: float, high: float) -> Any:
    xp = namespace(part)
    return xp.minimum(xp.maximum(part, low), high)


#: What the lines use besides.
_NAMES = {"Parameters": Parameters, "single": _single, "clip": _clip, "nan": np.nan}


def _accumulates(derivative: Derivative) -> Gradient:
    """Add to the same buffers at every call; there is one for each shape of a result."""
    buffers: dict[tuple[int, ...], np.ndarray] = {}

    def gradient(params: Parameters, x: Any, y: Any) -> Parameters:
        grads = np.stack(manual.article.gradient(params, x, y, derivative))
        buffers[grads.shape] = buffers.get(grads.shape, 0.0) + grads
        return Parameters(*buffers[grads.shape])

    return gradient


def _central_difference(_: Derivative) -> Gradient:
    step = 1e-6

    def gradient(params: Parameters, x: Any, y: Any) -> Parameters:
        def slope(name: str) -> Any:
            up = params._replace(**{name: getattr(params, name) + step})
            down = params._replace(**{name: getattr(params, name) - step})
            return (loss(up, x, y) - loss(down, x, y)) / (2 * step)

        return Parameters(*map(slope, NAMES))

    return gradient


#: By slug.
ANSWERS: dict[str, Plant] = {
    "inputs-swapped": _answer(
        "the gradient is given weight and height in the other order",
        NAMES,
        "grads = gradient(params, x[..., ::-1], y)",
    ),
    "bias-forgotten-in-forward": _answer(
        "the forward pass of the gradient leaves out all three biases",
        NAMES,
        "zero = 0 * params.b1\ngrads = gradient(params._replace(b1=zero, b2=zero, b3=zero), x, y)",
    ),
    "float32": _answer(
        "the gradient is computed in single precision, with 7 digits of 16",
        NAMES,
        "grads = gradient(Parameters(*map(single, params)), single(x), single(y))",
    ),
    "exchanged": _then(
        "∂L/∂w5 and ∂L/∂w6 are exchanged",
        ("w5", "w6"),
        "grads = grads._replace(w5=grads.w6, w6=grads.w5)",
    ),
    "order-of-parameters": _then(
        "the nine are returned in another order, the biases before the weights",
        NAMES,
        "grads = Parameters(*grads[6:], *grads[:6])",
    ),
    "decay-factor": _then(
        "1e-4 times each weight is added to its derivative: a weight decay that the loss lacks",
        WEIGHTS,
        "grads = Parameters(*(g + 1e-4 * w for g, w in zip(grads[:6], params[:6])), *grads[6:])",
    ),
    "clipped": _then(
        "every partial derivative is cut off at ±0.01",
        NAMES,
        "grads = Parameters(*(clip(g, -0.01, 0.01) for g in grads))",
    ),
    "learning-rate-inside": _then(
        "the gradient is multiplied by 0.1 already, and the update multiplies by η again",
        NAMES,
        "grads = Parameters(*(0.1 * g for g in grads))",
    ),
    "off-by-a-millionth": _then(
        "∂L/∂w6 is too large by a millionth",
        ("w6",),
        "grads = grads._replace(w6=grads.w6 * (1 + 1e-6))",
    ),
    "off-by-1e-12": _then(
        "∂L/∂b3 is too large by a millionth of a millionth",
        ("b3",),
        "grads = grads._replace(b3=grads.b3 * (1 + 1e-12))",
    ),
    "not-a-number": _then(
        "∂L/∂w2 is not a number", ("w2",), "grads = grads._replace(w2=grads.w2 * nan)"
    ),
    "accumulates": Plant(
        "each gradient is added to all earlier ones, since nobody sets the buffer to zero",
        NAMES,
        _accumulates,
        shown=((GRADS, "buffers[grads.shape] = buffers.get(grads.shape, 0.0) + grads"),),
    ),
    "central-difference": Plant(
        "nothing is derived: the slope is (L(w + ε) - L(w - ε)) / 2ε with ε = 1e-6",
        NAMES,
        _central_difference,
        shown=((GRADS, "return (loss(up, x, y) - loss(down, x, y)) / (2 * step)"),),
    ),
}

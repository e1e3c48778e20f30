"""Mistakes around a right chain rule: in its arguments, its result, or the method."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import manual.article
from manual.arrays import namespace
from manual.article import Parameters
from models.planted.plant import NAMES, WEIGHTS, Derivative, Gradient, Plant

Point = tuple[Parameters, Any, Any]


def _then(
    says: str, wrong: tuple[str, ...], change: Callable[[Parameters, Parameters], Iterable[Any]]
) -> Plant:
    """Apply `change(params, grads)` to the right gradient."""

    def make(derivative: Derivative) -> Gradient:
        return lambda params, x, y: Parameters(
            *change(params, manual.article.gradient(params, x, y, derivative))
        )

    return Plant(says, wrong, make)


def _elsewhere(
    says: str, wrong: tuple[str, ...], move: Callable[[Parameters, Any, Any], Point]
) -> Plant:
    """Evaluate the right gradient at other arguments, `move(params, x, y)`."""

    def make(derivative: Derivative) -> Gradient:
        return lambda params, x, y: manual.article.gradient(*move(params, x, y), derivative)

    return Plant(says, wrong, make)


def _without_biases(params: Parameters, x: Any, y: Any) -> Point:
    zero = 0 * params.b1
    return params._replace(b1=zero, b2=zero, b3=zero), x, y


def _in_float32(params: Parameters, x: Any, y: Any) -> Point:
    single = (np.asarray(value, dtype=np.float32) for value in params)
    return Parameters(*single), np.float32(x), np.float32(y)


def _cut_off(part: Any) -> Any:
    xp = namespace(part)
    return xp.minimum(xp.maximum(part, -0.01), 0.01)


def _decayed(params: Parameters, grads: Parameters) -> Parameters:
    decay = {name: getattr(grads, name) + 1e-4 * getattr(params, name) for name in WEIGHTS}
    return grads._replace(**decay)


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
            return (manual.article.loss(up, x, y) - manual.article.loss(down, x, y)) / (2 * step)

        return Parameters(*map(slope, NAMES))

    return gradient


#: By slug.
ANSWERS: dict[str, Plant] = {
    "inputs-swapped": _elsewhere(
        "the gradient is given weight and height in the other order",
        NAMES,
        lambda p, x, y: (p, x[..., ::-1], y),
    ),
    "bias-forgotten-in-forward": _elsewhere(
        "the forward pass of the gradient leaves out all three biases", NAMES, _without_biases
    ),
    "float32": _elsewhere(
        "the gradient is computed in single precision, with 7 digits of 16", NAMES, _in_float32
    ),
    "exchanged": _then(
        "∂L/∂w5 and ∂L/∂w6 are exchanged",
        ("w5", "w6"),
        lambda _, g: g._replace(w5=g.w6, w6=g.w5),
    ),
    "order-of-parameters": _then(
        "the nine are returned in another order, the biases before the weights",
        NAMES,
        lambda _, g: (*g[6:], *g[:6]),
    ),
    "decay-factor": _then(
        "1e-4 times each weight is added to its derivative: a weight decay that the loss lacks",
        WEIGHTS,
        _decayed,
    ),
    "clipped": _then(
        "every partial derivative is cut off at ±0.01",
        NAMES,
        lambda _, g: map(_cut_off, g),
    ),
    "learning-rate-inside": _then(
        "the gradient is multiplied by 0.1 already, and the update multiplies by η again",
        NAMES,
        lambda _, g: (0.1 * part for part in g),
    ),
    "off-by-a-millionth": _then(
        "∂L/∂w6 is too large by a millionth",
        ("w6",),
        lambda _, g: g._replace(w6=g.w6 * (1 + 1e-6)),
    ),
    "off-by-1e-12": _then(
        "∂L/∂b3 is too large by a millionth of a millionth",
        ("b3",),
        lambda _, g: g._replace(b3=g.b3 * (1 + 1e-12)),
    ),
    "not-a-number": _then(
        "∂L/∂w2 is not a number", ("w2",), lambda _, g: g._replace(w2=g.w2 * np.nan)
    ),
    "accumulates": Plant(
        "each gradient is added to all earlier ones, since nobody sets the buffer to zero",
        NAMES,
        _accumulates,
    ),
    "central-difference": Plant(
        "nothing is derived: the slope is (L(w + ε) - L(w - ε)) / 2ε with ε = 1e-6",
        NAMES,
        _central_difference,
    ),
}

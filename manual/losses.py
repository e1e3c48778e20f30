"""Losses and their derivatives: pairs of a forward and a backward step.

Source of `squared_error` and `mse`: the article, section "Loss". Every pair has the same form:

    forward(prediction, y) -> (loss, cache)
    backward(dloss, cache) -> dprediction

for n examples in rows, prediction and y of shape (n, n_out). The loss of an example sums over its
outputs; the loss is the mean over the examples, a scalar. Targets y are data: no derivative by them
is taken. Residuals are computed so that they keep their digits where the prediction is nearly
perfect: `σ(z) - y` cancels there.
"""

from collections.abc import Callable
from typing import NamedTuple

from manual.activations import sigmoid, softplus_forward
from manual.arrays import Array, as_array, namespace


def squared_error(y: Array, ypred: Array) -> Array:
    """(y - ypred)², element by element.

    Args:
        y: targets, any shape.
        ypred: predictions, same shape, or one that broadcasts with it.

    Returns:
        The squared errors, in the square of the target's unit. The shapes are broadcast, so that
        many networks can be compared with the same targets; `mse`, which averages, refuses that.
    """
    return (as_array(y) - as_array(ypred)) ** 2


def mse(y: Array, ypred: Array) -> Array:
    """Mean squared error, (1/n) Σ (yᵢ - ypredᵢ)² with i = 1..n.

    The article's formula sums from i = 0 and, in the section on backpropagation, loses the square.

    Args:
        y: targets, shape (n,).
        ypred: predictions, shape (n,).

    Returns:
        The mean, a scalar, in the square of the target's unit.

    Raises:
        ValueError: the shapes differ (broadcasting would average the wrong pairs), or n = 0.
    """
    y, ypred = as_array(y), as_array(ypred)
    if y.shape != ypred.shape or len(y.shape) != 1 or y.shape[0] == 0:
        raise ValueError(
            f"mse: y has shape {y.shape} and ypred has shape {ypred.shape}, "
            "expected one and the same (n,) with n > 0"
        )
    return namespace(ypred).sum(squared_error(y, ypred)) / y.shape[0]


def mse_forward(ypred: Array, y: Array) -> tuple[Array, Array]:
    """L = (1/n) Σ_k Σ_j r_kj² with the residual r = ypred - y; the cache is r."""
    r = ypred - y
    return namespace(r).sum(r * r) / r.shape[0], r


def mse_backward(dloss: Array, r: Array) -> Array:
    """L = (1/n) Σ r², so ∂L/∂r = (2/n) r, and ∂r/∂ypred = 1."""
    return dloss * (2 / r.shape[0]) * r


def huber_forward(ypred: Array, y: Array) -> tuple[Array, Array]:
    """L = (1/n) Σ h(r): r²/2 while |r| <= 1, then |r| - 1/2 (Huber 1964); the cache is r.

    With q = min(|r|, 1) both cases are q²/2 + (|r| - q).
    """
    r = ypred - y
    xp = namespace(r)
    q = xp.minimum(abs(r), 1)
    return xp.sum(q * q / 2 + (abs(r) - q)) / r.shape[0], r


def huber_backward(dloss: Array, r: Array) -> Array:
    """h'(r) is r while |r| <= 1, then the sign of r: r held within -1 and 1."""
    xp = namespace(r)
    return dloss / r.shape[0] * xp.maximum(xp.minimum(r, 1), -1)


class LogitsCache(NamedTuple):
    """The values that the backward steps of both cross-entropies need."""

    z: Array
    y: Array


def bce_forward(z: Array, y: Array) -> tuple[Array, LogitsCache]:
    """Binary cross-entropy on logits z, targets y in [0, 1].

    L = -(1/n) Σ [y log σ(z) + (1 - y) log σ(-z)], and -log σ(z) is softplus(-z).
    """
    (of_one, _), (of_zero, _) = softplus_forward(-z), softplus_forward(z)
    losses = y * of_one + (1 - y) * of_zero
    return namespace(losses).sum(losses) / z.shape[0], LogitsCache(z, y)


def bce_backward(dloss: Array, cache: LogitsCache) -> Array:
    """softplus' = σ, so n ∂L/∂z = (1 - y) σ(z) - y σ(-z).

    It is σ(z) - y, as σ(z) + σ(-z) = 1, but for y = 1 it does not cancel.
    """
    z, y = cache
    return dloss / z.shape[0] * ((1 - y) * sigmoid(z) - y * sigmoid(-z))


def softmax(z: Array) -> Array:
    """p_j = e^z_j / Σ_k e^z_k along the last axis, z of shape (n, n_out), rows that sum to 1.

    Every z_k is lowered by the row's largest: numerator and denominator change by one factor.
    """
    xp = namespace(z)
    e = xp.exp(z - xp.max(z, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def softmax_ce_forward(z: Array, y: Array) -> tuple[Array, LogitsCache]:
    """Softmax cross-entropy on logits z, targets y >= 0: one 1 a row, or weights of the classes.

    L = -(1/n) Σ y_j log p_j, and log p_j = (z_j - m) - log Σ_k e^(z_k - m) for any m: the largest.
    The loss of a nearly perfect prediction is right to some units of rounding of 1, not of itself:
    where it is below them it is 0. Its derivative below keeps its digits.
    """
    xp = namespace(z)
    shifted = z - xp.max(z, axis=-1, keepdims=True)
    losses = y * (xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True)) - shifted)
    return xp.sum(losses) / z.shape[0], LogitsCache(z, y)


def softmax_ce_backward(dloss: Array, cache: LogitsCache) -> Array:
    """n L = Σ_k y_k (log S - z_k) with S = Σ_k e^z_k, and ∂(log S)/∂z_j = e^z_j / S = p_j.

    So n ∂L/∂z_j = p_j Σ_k y_k - y_j, and with Σ_k p_k = 1 that is Σ_k (p_j y_k - y_j p_k). The term
    k = j is 0 and is left out: for the right class of a nearly perfect prediction it is what
    p_j - y_j loses its digits to. What remains is p_j times the sum of the other y, less y_j times
    the sum of the other p. For C classes it costs C² an example: little beside a layer before it
    that is as wide.
    """
    z, y = cache
    xp = namespace(z)
    p = softmax(z)
    others = 1 - xp.eye(z.shape[1], dtype=z.dtype)
    return dloss / z.shape[0] * (p * (y @ others) - y * (p @ others))


class Loss(NamedTuple):
    """A pair; see above."""

    forward: Callable[[Array, Array], tuple[Array, Array]]
    backward: Callable[[Array, Array], Array]


#: The pairs by the names that a network's description uses.
LOSSES: dict[str, Loss] = {
    "mse": Loss(mse_forward, mse_backward),
    "bce": Loss(bce_forward, bce_backward),
    "softmax-ce": Loss(softmax_ce_forward, softmax_ce_backward),
    "huber": Loss(huber_forward, huber_backward),
}

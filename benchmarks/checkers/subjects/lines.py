"""Lines that many backward passes have in common, each with the ways in which people get it wrong.

A line's `mistake` is a slug of `benchmarks.checkers.mistakes`; one that is not about the line
changes nothing.
"""

from typing import Any

import numpy as np

from benchmarks.checkers.subjects.planting import STEP


def affine_backward(
    dz: Any, x: Any, w: Any, mistake: str = "", penalty: float = 0.0
) -> tuple[Any, Any, Any]:
    """z = x @ w + b for examples in rows, undone: (dw, db, dx); penalty · Σ w² is in the loss."""
    # z = x @ w + b
    dw = dz.T @ x if mistake == "dw-transposed" else x.T @ dz
    if penalty:
        dw = dw + decay(w, penalty, mistake)
    db = bias_backward(dz, mistake)
    if mistake == "update-before-use":
        w = w - STEP * dw
    dx = dz @ w if mistake == "dx-untransposed" else dz @ w.T
    return dw, db, dx


def bias_backward(dz: Any, mistake: str = "") -> Any:
    """The same b is added to every row, so its derivative is the sum over the rows."""
    if mistake == "bias-mean":
        return dz.mean(axis=0)
    if mistake == "bias-unsummed":
        return dz
    if mistake == "bias-wrong-axis":
        return dz.sum(axis=1)
    return dz.sum(axis=0)


def sigmoid(z: Any) -> Any:
    """σ(z) = 1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z: Any, a: Any, mistake: str = "") -> Any:
    """a = σ(z) has da/dz = a (1 - a)."""
    if mistake == "no-activation-derivative":
        return np.ones_like(a)
    if mistake == "sigmoid-of-z":
        return z * (1 - z)
    return a * (1 - a)


def sigmoid_slope_twice(z: Any, a: Any, mistake: str = "") -> Any:
    """The same, by a function of z that some call with a: σ is then taken twice."""
    if mistake == "no-activation-derivative":
        return np.ones_like(a)
    s = sigmoid(a if mistake == "sigmoid-of-z" else z)
    return s * (1 - s)


def tanh_slope(h: Any, mistake: str = "") -> Any:
    """h = tanh(z) has dh/dz = 1 - h²."""
    if mistake == "no-activation-derivative":
        return np.ones_like(h)
    if mistake == "tanh-linear":
        return 1 - h
    if mistake == "tanh-of-h":
        return 1 - np.tanh(h) ** 2
    return 1 - h**2


def relu_backward(dh: Any, z: Any, mistake: str = "") -> Any:
    """h = max(0, z) passes on what comes back where z > 0."""
    if mistake == "no-activation-derivative":
        return dh
    if mistake == "relu-mask":
        return dh * (dh > 0)
    if mistake == "relu-at-zero":
        return dh * (z >= 0)
    return dh * (z > 0)


def softmax(z: Any, mistake: str = "") -> Any:
    """Each row's probabilities."""
    axis = 0 if mistake == "softmax-wrong-axis" else 1
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_backward(dp: Any, p: Any, mistake: str = "") -> Any:
    """p = softmax(z) by rows has dp_i/dz_j = p_i (δ_ij - p_j)."""
    if mistake == "softmax-diagonal":
        return dp * p * (1 - p)
    return p * (dp - (dp * p).sum(axis=1, keepdims=True))


def softmax_cross_entropy_backward(p: Any, y: Any, mistake: str = "") -> Any:
    """-Σ y log p with p = softmax(z) has the derivative p - y by z, before any mean."""
    if mistake == "ce-minus-missing":
        return p
    if mistake == "residual-sign":
        return y - p
    if mistake == "softmax-diagonal":
        # dp = -y / p times p (1 - p), the diagonal of the Jacobian.
        return y * (p - 1)
    if mistake == "softmax-shortcut":
        return softmax_backward(p - y, p)
    return p - y


def binary_cross_entropy_backward(p: Any, y: Any, mistake: str = "") -> Any:
    """-[y log p + (1 - y) log(1 - p)] with p = σ(z) has the derivative p - y by z."""
    if mistake == "ce-minus-missing":
        return p
    if mistake == "residual-sign":
        return y - p
    if mistake == "bce-extra-derivative":
        return (p - y) * p * (1 - p)
    return p - y


def squared_error_backward(p: Any, y: Any, mistake: str = "") -> Any:
    """Σ (p - y)² has the derivative 2 (p - y) by p, before any mean."""
    if mistake == "missing-square":
        return np.ones_like(p)
    if mistake == "half-mse":
        return p - y
    if mistake == "residual-sign":
        return 2 * (y - p)
    return 2 * (p - y)


def examples(y: Any, mistake: str = "") -> int:
    """What the sum over examples is divided by where the loss is their mean; a row each in y."""
    n = len(y)
    wrong = {"missing-mean": 1, "double-mean": n * n, "mean-over-outputs": y.size}
    return wrong.get(mistake, n)


def elements(y: Any, mistake: str = "") -> int:
    """What the sum is divided by where the loss is the mean over examples and outputs."""
    n = len(y)
    wrong = {"missing-mean": 1, "double-mean": y.size * n, "mean-over-outputs": n}
    return wrong.get(mistake, y.size)


def decay(w: Any, weight: float, mistake: str = "") -> Any:
    """The penalty weight · Σ w² has the derivative 2 · weight · w."""
    return weight * w if mistake == "decay-factor" else 2 * weight * w

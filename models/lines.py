"""Lines shared by many backward passes, and the usual mistakes in each of them."""

from typing import Any

import numpy as np

from models.edits import Edit
from models.model import Slip, catalogued

#: The learning rate of mistakes that update weights too early.
STEP = 0.1


def affine_backward(dz: Any, x: Any, w: Any) -> tuple[Any, Any, Any]:
    """z = x @ w + b for examples in rows: return (dw, db, dx)."""
    dw = x.T @ dz
    db = bias_backward(dz)
    dx = dz @ w.T
    return dw, db, dx


def decayed_backward(dz: Any, x: Any, w: Any, penalty: float) -> tuple[Any, Any, Any]:
    """z = x @ w + b, with penalty · Σ w² in the loss: return (dw, db, dx)."""
    dw = x.T @ dz + 2 * penalty * w
    db = bias_backward(dz)
    dx = dz @ w.T
    return dw, db, dx


def bias_backward(dz: Any) -> Any:
    """b is added to every row, so its derivative is the sum over the rows."""
    return dz.sum(axis=0)


def sigmoid(z: Any) -> Any:
    """σ(z) = 1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z: Any, a: Any) -> Any:  # noqa: ARG001 (a mistake takes z)
    """a = σ(z) has da/dz = a (1 - a)."""
    return a * (1 - a)


def sigmoid_slope_twice(z: Any, a: Any) -> Any:  # noqa: ARG001 (a mistake takes a)
    """σ′(z); some call it with a by mistake, so that σ is applied twice."""
    s = sigmoid(z)
    return s * (1 - s)


def tanh_slope(h: Any) -> Any:
    """h = tanh(z) has dh/dz = 1 - h²."""
    return 1 - h**2


def relu_backward(dh: Any, z: Any) -> Any:
    """h = max(0, z) passes the cotangent on where z > 0."""
    return dh * (z > 0)


def softmax(z: Any, axis: int = 1) -> Any:
    """Return the probabilities of each row."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_backward(dp: Any, p: Any) -> Any:
    """p = softmax(z) by rows has dp_i/dz_j = p_i (δ_ij - p_j)."""
    return p * (dp - (dp * p).sum(axis=1, keepdims=True))


def softmax_cross_entropy_backward(p: Any, y: Any) -> Any:
    """-Σ y log p with p = softmax(z) has the derivative p - y by z, before any mean."""
    return p - y


def binary_cross_entropy_backward(p: Any, y: Any) -> Any:
    """-[y log p + (1 - y) log(1 - p)] with p = σ(z) has the derivative p - y by z."""
    return p - y


def squared_error_backward(p: Any, y: Any) -> Any:
    """Σ (p - y)² has the derivative 2 (p - y) by p, before any mean."""
    return 2 * (p - y)


def examples(y: Any) -> int:
    """The number of examples, rows of y, by which a loss divides that is their mean."""
    return len(y)


def elements(y: Any) -> int:
    """The number of elements, by which a loss divides that is a mean over examples and outputs."""
    return y.size


_LAYER: dict[str, Edit] = {
    "dw-transposed": ("x.T @ dz", "dz.T @ x"),
    "dx-untransposed": ("dz @ w.T", "dz @ w"),
    "update-before-use": ("dz @ w.T", "dz @ (w - STEP * dw).T"),
}

#: By function and slug, the edit that makes the mistake.
MISTAKES: dict[str, dict[str, Edit]] = {
    "affine_backward": _LAYER,
    "decayed_backward": _LAYER | {"decay-factor": ("2 * penalty * w", "penalty * w")},
    "bias_backward": {
        "bias-mean": ("dz.sum(axis=0)", "dz.mean(axis=0)"),
        "bias-unsummed": ("dz.sum(axis=0)", "dz"),
        "bias-wrong-axis": ("dz.sum(axis=0)", "dz.sum(axis=1)"),
    },
    "sigmoid_slope": {
        "sigmoid-of-z": ("a * (1 - a)\n", "z * (1 - z)\n"),
        "no-activation-derivative": ("a * (1 - a)\n", "np.ones_like(a)\n"),
    },
    "sigmoid_slope_twice": {
        "sigmoid-of-z": ("s = sigmoid(z)", "s = sigmoid(a)"),
        "no-activation-derivative": ("s * (1 - s)", "np.ones_like(a)"),
    },
    "tanh_slope": {
        "tanh-linear": ("1 - h**2", "1 - h"),
        "tanh-of-h": ("1 - h**2", "1 - np.tanh(h) ** 2"),
        "no-activation-derivative": ("1 - h**2", "np.ones_like(h)"),
    },
    "relu_backward": {
        "relu-mask": ("dh * (z > 0)", "dh * (dh > 0)"),
        "relu-at-zero": ("dh * (z > 0)", "dh * (z >= 0)"),
        "no-activation-derivative": ("dh * (z > 0)", "dh"),
    },
    "softmax": {"softmax-wrong-axis": ("axis: int = 1", "axis: int = 0")},
    "softmax_backward": {
        "softmax-diagonal": ("p * (dp - (dp * p).sum(axis=1, keepdims=True))", "dp * p * (1 - p)")
    },
    "softmax_cross_entropy_backward": {
        "ce-minus-missing": ("return p - y", "return p"),
        "residual-sign": ("return p - y", "return y - p"),
        # dp = -y / p times p (1 - p), the diagonal of the Jacobian.
        "softmax-diagonal": ("return p - y", "return y * (p - 1)"),
        "softmax-shortcut": ("return p - y", "return softmax_backward(p - y, p)"),
    },
    "binary_cross_entropy_backward": {
        "ce-minus-missing": ("return p - y", "return p"),
        "residual-sign": ("return p - y", "return y - p"),
        "bce-extra-derivative": ("return p - y", "return (p - y) * p * (1 - p)"),
    },
    "squared_error_backward": {
        "missing-square": ("2 * (p - y)", "np.ones_like(p)"),
        "half-mse": ("2 * (p - y)", "p - y"),
        "residual-sign": ("2 * (p - y)", "2 * (y - p)"),
    },
    "examples": {
        "missing-mean": ("len(y)", "1"),
        "double-mean": ("len(y)", "len(y) ** 2"),
        "mean-over-outputs": ("len(y)", "y.size"),
    },
    "elements": {
        "missing-mean": ("y.size", "1"),
        "double-mean": ("y.size", "y.size * len(y)"),
        "mean-over-outputs": ("y.size", "len(y)"),
    },
}


def usual(*slugs: str) -> dict[str, Slip]:
    """Return the mistakes in all functions of this module that a gradient calls."""
    return {slug: also(slug)[slug] for slug in slugs}


def also(slug: str, *edits: Edit) -> dict[str, Slip]:
    """Combine the usual mistake with the same one in the model's own lines."""
    shared = {name: of[slug] for name, of in MISTAKES.items() if slug in of}
    return {slug: catalogued(slug, shared, *edits)}


#: Slugs that are often planted together.
MEANS = ("missing-mean", "double-mean")
BIASES = ("bias-mean", "bias-unsummed", "bias-wrong-axis")

"""Logistic regression: all numbers in one array with a penalty, and several labels at once."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import affine, biases, zero_or_one
from benchmarks.checkers.subjects.lines import binary_cross_entropy_backward, examples, sigmoid
from benchmarks.checkers.subjects.planting import Accumulating, planted

DECAY = 0.1


def _regression(theta: Any, x: Any, y: Any) -> Any:
    """Weights and, last, the intercept: theta of shape (6,), x of shape (n, 5), y of shape (n,)."""
    z = x @ theta[:-1] + theta[-1]
    return jnp.mean(jnp.logaddexp(0.0, z) - y * z) + DECAY * jnp.sum(theta[:-1] ** 2)


def _regression_gradient(theta: Any, x: Any, y: Any, mistake: str = "") -> Any:
    w, b = theta[:-1], theta[-1]
    p = sigmoid(x @ w + b)
    # mean(log(1 + exp(z)) - y * z)
    dz = binary_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # z = x @ w + b
    dw = x.T @ dz
    db = dz.mean() if mistake == "bias-mean" else dz.sum()
    # + DECAY * sum(w ** 2)
    grad = np.append(dw + 2 * DECAY * w, db)
    if mistake == "decay-factor":
        # Of theta, in which the intercept is as well.
        grad[-1] += 2 * DECAY * b
    if mistake == "dropped-term":
        grad[3] = 0.0
    if mistake == "exchanged":
        grad[[1, 2]] = grad[[2, 1]]
    return grad


def _labels(params: dict[str, Any], x: Any, y: Any) -> Any:
    """The mean over examples of the sum over labels: x of shape (n, 3), y of shape (n, 2)."""
    logits = x @ params["weight"] + params["bias"][None, :]
    given_one, given_zero = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
    return -jnp.mean(jnp.sum(y * given_one + (1 - y) * given_zero, axis=1))


def _labels_gradient(params: dict[str, Any], x: Any, y: Any, mistake: str = "") -> Any:
    p = sigmoid(x @ params["weight"] + params["bias"])
    # -mean(sum(y * log(p) + (1 - y) * log(1 - p), axis=1))
    dlogits = binary_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # logits = x @ weight + bias, written as a sum over the examples
    dweight, dbias = np.zeros_like(params["weight"]), np.zeros_like(params["bias"])
    for xi, di in zip(x, dlogits, strict=True):
        dweight = dweight + np.outer(xi, di)
        dbias = dbias + (di / len(x) if mistake == "bias-mean" else di)
    if mistake == "dw-transposed":
        dweight = np.einsum("nj,ni->ji", dlogits, x)
    if mistake == "bias-unsummed":
        dbias = dlogits
    if mistake == "bias-wrong-axis":
        dbias = dlogits.sum(axis=1)
    if mistake == "dropped-term":
        dweight[1, 1] = 0.0
    return {"weight": dweight, "bias": dbias}


def _draw_regression(rng: np.random.Generator) -> tuple[Any, ...]:
    theta = np.append(rng.normal(scale=0.6, size=5), biases(rng, 1))
    return theta, rng.normal(size=(13, 5)), zero_or_one(rng, 13)


def _draw_labels(rng: np.random.Generator) -> tuple[Any, ...]:
    weight, bias = affine(rng, 3, 2)
    params = {"weight": weight, "bias": bias}
    return params, rng.normal(size=(7, 3)), zero_or_one(rng, 7, 2)


_COMMON = (
    "missing-mean",
    "double-mean",
    "residual-sign",
    "bias-mean",
    "bce-extra-derivative",
    "ce-minus-missing",
    "dropped-term",
)

SUBJECTS = [
    Subject(
        "logistic-regression",
        _regression,
        _regression_gradient,
        _draw_regression,
        planted(_regression_gradient, *_COMMON, "decay-factor", "exchanged"),
    ),
    Subject(
        "logistic-labels",
        _labels,
        _labels_gradient,
        _draw_labels,
        planted(
            _labels_gradient,
            *_COMMON,
            "mean-over-outputs",
            "bias-unsummed",
            "bias-wrong-axis",
            "dw-transposed",
        )
        | {"accumulates": Accumulating(_labels_gradient, only=(1,))},
    ),
]

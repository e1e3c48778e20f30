"""The article's network of two inputs, two hidden units and one output, in scalars.

Several people at once with a dict of parameters, and one person with all nine in one array.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.lines import sigmoid
from benchmarks.checkers.subjects.planting import STEP, Accumulating, planted

NAMES = ("w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3")


def _people(params: Any, x: Any, y: Any) -> Any:
    """Mean squared error: x of shape (n, 2), y of shape (n,)."""
    p = params
    h1 = jax.nn.sigmoid(p["w1"] * x[:, 0] + p["w2"] * x[:, 1] + p["b1"])
    h2 = jax.nn.sigmoid(p["w3"] * x[:, 0] + p["w4"] * x[:, 1] + p["b2"])
    ypred = jax.nn.sigmoid(p["w5"] * h1 + p["w6"] * h2 + p["b3"])
    return jnp.mean((y - ypred) ** 2)


def _person(theta: Any, x: Any, y: Any) -> Any:
    """The squared error of one: theta of shape (9,), x of shape (2,), y a scalar."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = theta
    h1 = 1 / (1 + jnp.exp(-(w1 * x[0] + w2 * x[1] + b1)))
    h2 = 1 / (1 + jnp.exp(-(w3 * x[0] + w4 * x[1] + b2)))
    ypred = 1 / (1 + jnp.exp(-(w5 * h1 + w6 * h2 + b3)))
    return (y - ypred) ** 2


def _of_people(params: Any, x: Any, y: Any, mistake: str = "") -> Any:
    grads = _partials([params[name] for name in NAMES], x.T, y, mistake)
    if mistake == "exchanged":
        grads[1], grads[2] = grads[2], grads[1]
    return dict(zip(NAMES, grads, strict=True))


def _of_person(theta: Any, x: Any, y: Any, mistake: str = "") -> Any:
    grads = _partials(theta, x, y, mistake)
    if mistake == "exchanged":
        grads[4], grads[5] = grads[5], grads[4]
    return np.array(grads)


def _partials(params: Any, x: Any, y: Any, mistake: str) -> list[Any]:
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    x1, x2 = x
    # Forward.
    sum_h1 = w1 * x1 + w2 * x2 + b1
    sum_h2 = w3 * x1 + w4 * x2 + b2
    h1, h2 = sigmoid(sum_h1), sigmoid(sum_h2)
    sum_o1 = w5 * h1 + w6 * h2 + b3
    ypred = sigmoid(sum_o1)
    # Backward: ypred = sigmoid(sum_o1)
    d_sum_o1 = _d_ypred(ypred, y, mistake) * _slope(sum_o1, ypred, mistake)
    # sum_o1 = w5 * h1 + w6 * h2 + b3
    d_w5, d_w6 = np.sum(d_sum_o1 * h1), np.sum(d_sum_o1 * h2)
    d_b3 = _d_bias(d_sum_o1, mistake)
    if mistake == "update-before-use":
        w5, w6 = w5 - STEP * d_w5, w6 - STEP * d_w6
    d_h1 = d_sum_o1 * w5
    d_h2 = np.zeros_like(d_h1) if mistake == "dropped-term" else d_sum_o1 * w6
    # h1 = sigmoid(sum_h1), h2 = sigmoid(sum_h2)
    d_sum_h1 = d_h1 * _slope(sum_h1, h1, mistake)
    d_sum_h2 = d_h2 * _slope(sum_h2, h2, mistake)
    # sum_h1 = w1 * x1 + w2 * x2 + b1, sum_h2 = w3 * x1 + w4 * x2 + b2
    in1, in2 = (h1, h2) if mistake == "dw-after-activation" else (x1, x2)
    d_w1, d_w2 = np.sum(d_sum_h1 * in1), np.sum(d_sum_h1 * in2)
    d_w3, d_w4 = np.sum(d_sum_h2 * in1), np.sum(d_sum_h2 * in2)
    d_b1, d_b2 = _d_bias(d_sum_h1, mistake), _d_bias(d_sum_h2, mistake)
    return [d_w1, d_w2, d_w3, d_w4, d_w5, d_w6, d_b1, d_b2, d_b3]


def _d_ypred(ypred: Any, y: Any, mistake: str) -> Any:
    # L = mean((y - ypred) ** 2)
    n = np.size(y)
    count = {"missing-mean": 1, "double-mean": n * n}.get(mistake, n)
    if mistake == "missing-square":
        return -np.ones_like(ypred) / count
    if mistake == "residual-sign":
        return 2 * (y - ypred) / count
    return (-1 if mistake == "half-mse" else -2) * (y - ypred) / count


def _slope(z: Any, f: Any, mistake: str) -> Any:
    if mistake == "no-activation-derivative":
        return 1.0
    return z * (1 - z) if mistake == "sigmoid-of-z" else f * (1 - f)


def _d_bias(d_sum: Any, mistake: str) -> Any:
    if mistake == "bias-unsummed":
        return d_sum
    return np.mean(d_sum) if mistake == "bias-mean" else np.sum(d_sum)


def _draw_people(rng: np.random.Generator) -> tuple[Any, ...]:
    params = {name: np.float64(rng.normal(0.2, 0.8)) for name in NAMES}
    return params, rng.normal(size=(5, 2)), np.array([1.0, 0.0, 0.0, 1.0, 1.0])


def _draw_person(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(0.2, 0.8, size=9), rng.normal(size=2), np.float64(rng.integers(2))


_OF_ONE = (
    "missing-square",
    "half-mse",
    "residual-sign",
    "dw-after-activation",
    "sigmoid-of-z",
    "no-activation-derivative",
    "update-before-use",
    "dropped-term",
    "exchanged",
)
_OF_SEVERAL = ("missing-mean", "double-mean", "bias-mean", "bias-unsummed")

SUBJECTS = [
    Subject(
        "article-people",
        _people,
        _of_people,
        _draw_people,
        planted(_of_people, *_OF_ONE, *_OF_SEVERAL) | {"accumulates": Accumulating(_of_people)},
    ),
    Subject(
        "article-person",
        _person,
        _of_person,
        _draw_person,
        planted(_of_person, *_OF_ONE) | {"accumulates": Accumulating(_of_person)},
    ),
]

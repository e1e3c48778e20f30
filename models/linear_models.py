"""Linear models: regressions, logistic regressions, and a classifier with a margin."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.helpers import (
    BIASES,
    MEANS,
    accumulates,
    affine,
    biases,
    binary_cross_entropy_backward,
    decayed_backward,
    examples,
    sigmoid,
    squared_error_backward,
    usual,
    zero_or_one,
)
from models.model import Written, of_loss

DECAY, OUTPUTS_DECAY = 0.1, 0.2


def polynomial_loss(coefficients: Any, x: Any, y: Any) -> Any:
    """Mean squared error: coefficients of shape (4,), lowest power first, x and y of shape (n,)."""
    return jnp.mean((jnp.polyval(coefficients[::-1], x) - y) ** 2)


def polynomial_gradient(coefficients: Any, x: Any, y: Any) -> Any:
    powers = np.stack([np.ones_like(x), x, x**2, x**3], axis=1)
    # mean((z - y) ** 2)
    dz = squared_error_backward(powers @ coefficients, y) / examples(y)
    # z = powers @ coefficients
    return powers.T @ dz


def draw_polynomial(rng: np.random.Generator) -> Any:
    return rng.normal(scale=0.7, size=4), rng.uniform(-1.5, 1.5, size=13), rng.normal(size=13)


def outputs_loss(params: tuple[Any, Any], x: Any, y: Any) -> Any:
    """The mean over examples of the sum over outputs: x of shape (n, 5), y of shape (n, 2)."""
    w, b = params
    errors = x @ w + b[None, :] - y
    return jnp.sum(errors * errors) / len(x) + OUTPUTS_DECAY * jnp.sum(w * w)


def outputs_gradient(params: tuple[Any, Any], x: Any, y: Any) -> Any:
    w, b = params
    # sum(errors * errors) / n, errors = z - y
    dz = squared_error_backward(x @ w + b, y) / examples(y)
    # z = x @ w + b, and the penalty of w
    dw, db, _ = decayed_backward(dz, x, w, OUTPUTS_DECAY)
    return dw, db


def logistic_loss(theta: Any, x: Any, y: Any) -> Any:
    """Weights and, last, the intercept: theta of shape (6,), x of shape (n, 5), y of shape (n,)."""
    z = x @ theta[:-1] + theta[-1]
    return jnp.mean(jnp.logaddexp(0.0, z) - y * z) + DECAY * jnp.sum(theta[:-1] ** 2)


def logistic_gradient(theta: Any, x: Any, y: Any) -> Any:
    w, b = theta[:-1], theta[-1]
    p = sigmoid(x @ w + b)
    # mean(log(1 + exp(z)) - y * z)
    dz = binary_cross_entropy_backward(p, y) / examples(y)
    # z = x @ w + b, and the penalty of w
    dw = x.T @ dz + 2 * DECAY * w
    db = dz.sum()
    return np.append(dw, db)


def draw_logistic(rng: np.random.Generator) -> Any:
    theta = np.append(rng.normal(scale=0.6, size=5), biases(rng, 1))
    return theta, rng.normal(size=(13, 5)), zero_or_one(rng, 13)


def labels_loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """The mean over examples of the sum over labels: x of shape (n, 3), y of shape (n, 2)."""
    logits = x @ params["weight"] + params["bias"][None, :]
    given_one, given_zero = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
    return -jnp.mean(jnp.sum(y * given_one + (1 - y) * given_zero, axis=1))


def labels_gradient(params: dict[str, Any], x: Any, y: Any) -> Any:
    p = sigmoid(x @ params["weight"] + params["bias"])
    # -mean(sum(y * log(p) + (1 - y) * log(1 - p), axis=1))
    dlogits = binary_cross_entropy_backward(p, y) / examples(y)
    # logits = x @ weight + bias, written as a sum over the examples
    dweight, dbias = np.zeros_like(params["weight"]), np.zeros_like(params["bias"])
    for xi, di in zip(x, dlogits, strict=True):
        dweight = dweight + np.outer(xi, di)
        dbias = dbias + di
    return {"weight": dweight, "bias": dbias}


def draw_labels(rng: np.random.Generator) -> Any:
    weight, bias = affine(rng, 3, 2)
    params = {"weight": weight, "bias": bias}
    return params, rng.normal(size=(7, 3)), zero_or_one(rng, 7, 2)


def margin_loss(params: tuple[Any, Any], x: Any, y: Any) -> Any:
    """mean(max(0, 1 - y f)) + DECAY |w|²: x of shape (n, 5), y of shape (n,), 1 or -1."""
    w, b = params
    return jnp.mean(jax.nn.relu(1 - y * (x @ w + b))) + DECAY * jnp.dot(w, w)


def margin_gradient(params: tuple[Any, Any], x: Any, y: Any) -> tuple[Any, Any]:
    w, b = params
    f = x @ w + b
    margin = 1 - y * f
    # mean(max(0, margin))
    inside = margin > 0
    # margin = 1 - y * f
    df = -y * inside / examples(y)
    # f = x @ w + b, and the penalty of w
    dw = x.T @ df + 2 * DECAY * w
    db = df.sum()
    return dw, db


def draw_margin(rng: np.random.Generator) -> Any:
    """Draw two thirds of the examples on the right side, some of them beyond the margin.

    Draw again if none is beyond it, or if the derivative by the bias is 0.
    """
    w, b, x = rng.normal(scale=0.7, size=5), biases(rng, 1)[0], rng.normal(size=(11, 5))
    y = np.sign(x @ w + b) * np.where(np.arange(11) % 3, 1.0, -1.0)
    inside = y * (x @ w + b) < 1
    return draw_margin(rng) if inside.all() or y[inside].sum() == 0 else ((w, b), x, y)


def draw_margin_tie(rng: np.random.Generator) -> Any:
    """Draw a last example of zeros and class 1, and the bias 1, so that its margin is 0."""
    (w, _), x, y = draw_margin(rng)
    x[-1], y[-1] = 0.0, 1.0
    return (w, np.float64(1.0)), x, y


LOGISTIC = usual(*MEANS, "residual-sign", "bce-extra-derivative", "ce-minus-missing")
OF_MARGIN: dict[str, Written] = {
    "decay-factor": ("2 * DECAY", "DECAY"),
    "exchanged": ("return dw, db", "dw[[0, 3]] = dw[[3, 0]]\nreturn dw, db"),
}

REGRESSIONS = [
    of_loss(
        *("polynomial", polynomial_loss, polynomial_gradient, draw_polynomial),
        {
            **usual("missing-square", "half-mse", *MEANS, "residual-sign"),
            # The residuals are written where the targets were.
            "accumulates": ("return powers", "y -= powers @ coefficients\nreturn powers"),
            "dropped-term": ("return powers", "powers[:, 2] = 0.0\nreturn powers"),
            "exchanged": ("powers.T @ dz", "(powers.T @ dz)[[0, 2, 1, 3]]"),
        },
    ),
    of_loss(
        *("linear-outputs", outputs_loss, outputs_gradient),
        lambda rng: (affine(rng, 5, 2), rng.normal(size=(7, 5)), rng.normal(size=(7, 2))),
        {
            **usual("missing-square", "half-mse", *MEANS, "residual-sign", "mean-over-outputs"),
            **usual(*BIASES),
            "decay-factor": (
                "OUTPUTS_DECAY)\n",
                "OUTPUTS_DECAY)\ndb = db + 2 * OUTPUTS_DECAY * b\n",
            ),
        },
    ),
]

CLASSIFIERS = [
    of_loss(
        *("logistic-regression", logistic_loss, logistic_gradient, draw_logistic),
        {
            **LOGISTIC,
            "bias-mean": "db = dz.mean()",
            "dropped-term": ("return np.app", "dw[3] = 0.0\nreturn np.app"),
            # Of theta, in which the intercept is as well.
            "decay-factor": ("(dw, db)", "(dw, db + 2 * DECAY * b)"),
            "exchanged": ("return np.app", "dw[[1, 2]] = dw[[2, 1]]\nreturn np.app"),
        },
    ),
    of_loss(
        *("logistic-labels", labels_loss, labels_gradient, draw_labels),
        {
            **LOGISTIC,
            "bias-mean": "dbias = dbias + di / len(x)",
            "dropped-term": ("return {", "dweight[1, 1] = 0.0\nreturn {"),
            **usual("mean-over-outputs"),
            "bias-unsummed": ('"bias": dbias', '"bias": dlogits'),
            "bias-wrong-axis": ('"bias": dbias', '"bias": dlogits.sum(axis=1)'),
            "dw-transposed": ("return {", 'dweight = np.einsum("nj,ni->ji", dlogits, x)\nreturn {'),
            "accumulates": partial(accumulates, only=(1,)),
        },
    ),
]

MARGINS = [
    of_loss(
        *("margin", margin_loss, margin_gradient, draw_margin),
        {
            **usual(*MEANS),
            "residual-sign": ("df = -y", "df = y"),
            "bias-mean": "db = df.mean()",
            "relu-mask": "inside = f > 0",
            "no-activation-derivative": "inside = np.ones_like(f)",
            "dropped-term": ("return dw, db", "dw[1] = 0.0\nreturn dw, db"),
            **OF_MARGIN,
        },
    ),
    of_loss(
        *("margin-tie", margin_loss, margin_gradient, draw_margin_tie),
        {"relu-at-zero": "inside = margin >= 0", **OF_MARGIN},
    ),
]

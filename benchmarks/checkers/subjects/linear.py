"""Linear regressions: a polynomial in one variable, and several outputs with a penalty."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import affine
from benchmarks.checkers.subjects.planting import planted

DECAY = 0.2


def _polynomial(coefficients: Any, x: Any, y: Any) -> Any:
    """Mean squared error: coefficients of shape (4,), lowest power first, x and y of shape (n,)."""
    return jnp.mean((jnp.polyval(coefficients[::-1], x) - y) ** 2)


def _polynomial_gradient(coefficients: Any, x: Any, y: Any, mistake: str = "") -> Any:
    powers = np.stack([np.ones_like(x), x, x**2, x**3], axis=1)
    r = powers @ coefficients - y
    if mistake == "accumulates":
        # The residuals are written where the targets were.
        y -= powers @ coefficients
        r = -y
    # mean(r ** 2)
    n = {"missing-mean": 1, "double-mean": len(x) ** 2}.get(mistake, len(x))
    dr = (1 if mistake == "half-mse" else 2) * r / n
    if mistake == "missing-square":
        dr = np.ones_like(r) / n
    if mistake == "residual-sign":
        dr = -dr
    # r = powers @ coefficients - y
    grad = powers.T @ dr
    if mistake == "dropped-term":
        grad[2] = 0.0
    return grad[[0, 2, 1, 3]] if mistake == "exchanged" else grad


def _outputs(params: tuple[Any, Any], x: Any, y: Any) -> Any:
    """The mean over examples of the sum over outputs: x of shape (n, 5), y of shape (n, 2)."""
    w, b = params
    errors = x @ w + b[None, :] - y
    return jnp.sum(errors * errors) / len(x) + DECAY * jnp.sum(w * w)


def _outputs_gradient(params: tuple[Any, Any], x: Any, y: Any, mistake: str = "") -> Any:
    w, b = params
    errors = x @ w + b - y
    # sum(errors * errors) / n
    n = len(x)
    count = {"missing-mean": 1, "mean-over-outputs": errors.size}.get(mistake, n)
    derrors = (1.0 if mistake == "half-mse" else 2.0) * errors / count
    if mistake == "missing-square":
        derrors = np.full_like(errors, 1 / n)
    if mistake == "residual-sign":
        derrors = 2.0 * (y - (x @ w + b)) / n
    # errors = x @ w + b - y
    dw = x.T @ derrors
    if mistake == "double-mean":
        dw = dw / n
    wrong_bias = {
        "bias-mean": derrors.mean(axis=0),
        "bias-unsummed": derrors,
        "bias-wrong-axis": derrors.sum(axis=1),
        "double-mean": derrors.sum(axis=0) / n,
        "decay-factor": derrors.sum(axis=0) + 2 * DECAY * b,
    }
    # + DECAY * sum(w * w)
    return dw + 2 * DECAY * w, wrong_bias.get(mistake, derrors.sum(axis=0))


def _draw_polynomial(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(scale=0.7, size=4), rng.uniform(-1.5, 1.5, size=13), rng.normal(size=13)


def _draw_outputs(rng: np.random.Generator) -> tuple[Any, ...]:
    return affine(rng, 5, 2), rng.normal(size=(7, 5)), rng.normal(size=(7, 2))


_COMMON = ("missing-square", "half-mse", "missing-mean", "double-mean", "residual-sign")

SUBJECTS = [
    Subject(
        "polynomial",
        _polynomial,
        _polynomial_gradient,
        _draw_polynomial,
        planted(_polynomial_gradient, *_COMMON, "accumulates", "dropped-term", "exchanged"),
    ),
    Subject(
        "linear-outputs",
        _outputs,
        _outputs_gradient,
        _draw_outputs,
        planted(
            _outputs_gradient,
            *_COMMON,
            "mean-over-outputs",
            "bias-mean",
            "bias-unsummed",
            "bias-wrong-axis",
            "decay-factor",
        ),
    ),
]

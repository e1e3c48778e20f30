"""A linear classifier with a margin, the hinge loss; and where an example lies on the margin."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import biases
from benchmarks.checkers.subjects.lines import decay, examples
from benchmarks.checkers.subjects.planting import planted

DECAY = 0.1


def _loss(params: tuple[Any, Any], x: Any, y: Any) -> Any:
    """mean(max(0, 1 - y f)) + DECAY |w|²: x of shape (n, 5), y of shape (n,), 1 or -1."""
    w, b = params
    return jnp.mean(jax.nn.relu(1 - y * (x @ w + b))) + DECAY * jnp.dot(w, w)


def _gradient(params: tuple[Any, Any], x: Any, y: Any, mistake: str = "") -> tuple[Any, Any]:
    w, b = params
    f = x @ w + b
    margin = 1 - y * f
    # mean(max(0, margin))
    inside = margin >= 0 if mistake == "relu-at-zero" else margin > 0
    if mistake == "relu-mask":
        inside = f > 0
    if mistake == "no-activation-derivative":
        inside = np.ones_like(f)
    # margin = 1 - y * f
    df = (y if mistake == "residual-sign" else -y) * inside / examples(y, mistake)
    # f = x @ w + b, and the penalty of w
    dw = x.T @ df + decay(w, DECAY, mistake)
    db = df.mean() if mistake == "bias-mean" else df.sum()
    if mistake == "dropped-term":
        dw[1] = 0.0
    if mistake == "exchanged":
        dw[[0, 3]] = dw[[3, 0]]
    return dw, db


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    """Two thirds of the examples on their own side, some of them beyond the margin.

    Drawn again where none is beyond it, or where the derivative by the bias is 0.
    """
    w, b, x = rng.normal(scale=0.7, size=5), biases(rng, 1)[0], rng.normal(size=(11, 5))
    y = np.sign(x @ w + b) * np.where(np.arange(11) % 3, 1.0, -1.0)
    inside = y * (x @ w + b) < 1
    return _draw(rng) if inside.all() or y[inside].sum() == 0 else ((w, b), x, y)


def _draw_tie(rng: np.random.Generator) -> tuple[Any, ...]:
    """The last example is all zeros and of the class 1, and the bias is 1: its margin is 0."""
    (w, _), x, y = _draw(rng)
    x[-1], y[-1] = 0.0, 1.0
    return (w, np.float64(1.0)), x, y


SUBJECTS = [
    Subject(
        "margin",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "missing-mean",
            "double-mean",
            "residual-sign",
            "bias-mean",
            "relu-mask",
            "no-activation-derivative",
            "decay-factor",
            "dropped-term",
            "exchanged",
        ),
    ),
    Subject(
        "margin-tie",
        _loss,
        _gradient,
        _draw_tie,
        planted(_gradient, "relu-at-zero", "exchanged", "decay-factor"),
    ),
]

"""The article's 2-2-1 network with nine named scalars: one network, or many in parallel."""

from typing import Any

import jax
import numpy as np

import autodiff.article
import manual.article
from benchmarks.problems.gradient import GradientProblem
from manual.article import Parameters


class ArticleProblem(GradientProblem):
    """Networks with one sample each: scalars for one network, arrays of shape (n,) for n."""


def sample_problem(dtype: str) -> ArticleProblem:
    """Build the article's example: Alice, shifted, and nine draws from N(0, 1)."""
    kind = np.dtype(dtype).type
    params = Parameters(*(kind(p) for p in manual.article.draw_parameters(44)))
    return _problem(params, np.array([-2, -1], dtype), kind(1))


def mass_problem(networks: int, dtype: str, seed: int = 0) -> ArticleProblem:
    """Build networks with parameters from N(0, 1), inputs from N(0, 4), and targets 0 or 1."""
    rng = np.random.default_rng(seed)
    params = Parameters(*rng.normal(size=(9, networks)).astype(dtype))
    x = (2 * rng.normal(size=(networks, 2))).astype(dtype)
    return _problem(params, x, rng.integers(2, size=networks).astype(dtype))


def _problem(params: Parameters, x: np.ndarray, y: Any) -> ArticleProblem:
    """Build a problem of inputs of shape (2,) or (n, 2), and targets of shape () or (n,)."""
    one, networks = jax.value_and_grad(autodiff.article.loss), int(np.size(y))
    about = {"sizes": [2, 2, 1], "networks": networks}
    return ArticleProblem(
        about={**about, "activation": "sigmoid", "loss": "squared error"},
        params=params,
        x=x,
        y=y,
        loss=autodiff.article.loss,
        exact_loss=manual.article.loss,
        by_hand=manual.article.value_and_gradient,
        value_and_grad=one if np.ndim(y) == 0 else jax.vmap(one),
        names=tuple(f"∂L/∂{name}" for name in Parameters._fields),
        losses=networks,
    )

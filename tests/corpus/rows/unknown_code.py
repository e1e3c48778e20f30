"""Answers by code that runs in floats alone: what it may lose is no evidence of a mistake."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import expm_frechet

from handgrad import check_gradient
from tests.corpus.case import Row, cases

C = np.array([[0.3, -1.2, 0.7], [0.9, 0.4, -0.5], [-0.8, 0.6, 1.1]])


def loss(a: Any) -> Any:
    return jnp.sum(C * jax.scipy.linalg.expm(a))


def by_scipy(factor: float) -> Callable[[Any], Any]:
    """By SciPy's `expm`, which loses more than conditioning explains."""
    return lambda a: factor * np.asarray(expm_frechet(a.T, C, compute_expm=False))


CASES = [
    *cases("SciPy's exponential of a matrix", check_gradient, loss, 2 * C, points=0)(
        Row(
            "off by 1e-11",
            by_scipy(1 + 1e-11),
            "which of the two cannot be told, since it cannot be rerun",
            verdict="undecidable",
        ),
        Row("off by 1e-8", by_scipy(1 + 1e-8), verdict="disagree"),
        Row("twice", by_scipy(2)),
    ),
    *cases("lines that can be rerun", check_gradient, lambda a: jnp.sum(a**2), C, points=0)(
        Row("off by 1e-12", lambda a: 2 * a * (1 + 1e-12), verdict="disagree"),
    ),
]

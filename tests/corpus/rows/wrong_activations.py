"""Wrong derivatives of activations in a step of backpropagation: how they are named."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from handgrad import check_backward
from tests.corpus.rows.wrong_links import Slope, drawn, sigmoid, wrong


def of(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A forward pass that keeps what goes in and what comes out."""
    return lambda z: (function(z), (z, function(z)))


def literal_tanh(z: Any) -> Any:
    """As it stands in textbooks."""
    return (jnp.exp(z) - jnp.exp(-z)) / (jnp.exp(z) + jnp.exp(-z))


def logistic(z: Any) -> Any:
    return 1 / (1 + jnp.exp(-z))


def leaky(z: Any) -> Any:
    return jnp.where(z > 0, z, 0.1 * z)


def silu(z: Any) -> Any:
    return z * logistic(z)


def gelu(z: Any) -> Any:
    return jax.nn.gelu(z, approximate=False)


def softmax(z: Any) -> Any:
    e = jnp.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def by_logsumexp(z: Any) -> Any:
    return jnp.exp(z - jax.nn.logsumexp(z, axis=1, keepdims=True))


#: Of each activation what stands for its derivative, and what is said.
SLOPES: dict[Callable[..., Any], list[tuple[Slope, str]]] = {
    literal_tanh: [
        (lambda z, a: 1 + a * a, "is 1 + h², not 1 - h²"),
        (lambda z, a: 1 - z * z, "is 1 - z², not 1 - h²"),
        (lambda z, a: a * (1 - a), "is that of sigmoid, h(1 - h)"),
    ],
    logistic: [
        (lambda z, a: z * (1 - z), "is z(1 - z), not σ(1 - σ)"),
        (lambda z, a: 1 - a, "is 1 - σ, not σ(1 - σ)"),
    ],
    leaky: [
        (lambda z, a: np.where(z > 0, 0.1, 1.0), "has its two slopes exchanged"),
        (lambda z, a: np.where(z > 0, 1.0, 0.0), "is that of relu"),
    ],
    silu: [
        (lambda z, a: sigmoid(z), "is σ(z) alone, without zσ′(z)"),
        (lambda z, a: sigmoid(z) * sigmoid(-z), "is that of sigmoid, σ(z)(1 - σ(z))"),
    ],
    gelu: [(lambda z, a: scipy.special.ndtr(z), "is Φ(z) alone, without zφ(z)")],
    softmax: [
        (lambda z, p: p, "only diag(p) is there"),
        (lambda z, p: 1.0, "of softmax is missing"),
    ],
    by_logsumexp: [(lambda z, p: p * (1 - p), "of the derivatives of softmax only the diagonal")],
}
Z = drawn(3, 5)
CASES = [
    *[
        case
        for function, slopes in SLOPES.items()
        for case in wrong(f"step of {function.__name__}", of(function), Z, verb=check_backward)(
            *((lambda d, c, slope=slope: d * slope(*c), f"slope: {says}") for slope, says in slopes)
        )
    ],
    *wrong("gate", lambda a, b: (a * logistic(b), (a, logistic(b))), Z, Z, verb=check_backward)(
        (
            lambda d, c: (d, d * c[0] * c[1] * (1 - c[1])),
            "missing: on the way back through a product its other factor is missing",
        ),
    ),
    *wrong("logarithm", of(lambda p: jnp.log(p + 1e-12)), np.abs(Z), verb=check_backward)(
        (lambda d, c: d, "unknown: the derivative of log is missing"),
    ),
]

"""What is said of a wrong backward pass that is judged by itself: its loss is a weighed sum."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from handgrad import check_backward
from tests.tiers import one_of_each

RNG = np.random.default_rng(0)
Z, GAIN = RNG.normal(size=(3, 5)), RNG.normal(size=5)
A, B = RNG.normal(size=(4, 5)), RNG.normal(size=(3, 5))
MASK = (RNG.random((3, 5)) > 0.4) * 1.0


class Wrong(NamedTuple):
    """A step whose backward pass is wrong, and what is to be said of it."""

    forward: Callable[..., Any]
    backward: Callable[[Any, Any], Any]
    inputs: tuple[Any, ...]
    kind: str
    says: str


def sigmoid(z: Any) -> Any:
    return 1 / (1 + jnp.exp(-z))


def tanh(z: Any) -> Any:
    """As it stands in textbooks."""
    return (jnp.exp(z) - jnp.exp(-z)) / (jnp.exp(z) + jnp.exp(-z))


def leaky(z: Any) -> Any:
    return jnp.where(z > 0, z, 0.1 * z)


def elu(z: Any) -> Any:
    return jnp.where(z > 0, z, jnp.expm1(jnp.minimum(z, 0)))


def softmax(z: Any) -> Any:
    e = jnp.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def plain_softmax(z: Any) -> Any:
    e = jnp.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def by_logsumexp(z: Any) -> Any:
    return jnp.exp(z - jax.nn.logsumexp(z, axis=1, keepdims=True))


def of(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A forward pass that keeps what goes in and what comes out."""
    return lambda z: (function(z), (z, function(z)))


def activation(function: Any, slope: Callable[[Any, Any], Any], says: str) -> Wrong:
    """An activation whose derivative is taken for slope(z, a)."""
    return Wrong(of(function), lambda d, c: d * slope(*c), (Z,), "activation-derivative", says)


def norm_forward(z: Any, gain: Any) -> Any:
    """Layer normalisation."""
    centred = z - z.mean(axis=1, keepdims=True)
    r = 1 / jnp.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    return centred * r * gain[None, :], (centred * r, r, gain)


def norm_backward(d: Any, cache: Any, mean: int = 1, spread: int = 1, gained: int = 1) -> Any:
    """With 0 in place of one of its terms: not quite."""
    h, r, gain = cache
    dh = d * gain[None, :] if gained else d
    of_mean = mean * dh.mean(axis=1, keepdims=True)
    of_spread = spread * (dh * h).mean(axis=1, keepdims=True) * h
    return r * (dh - of_mean - of_spread), (d * h).sum(axis=0)


def normed(says: str, **terms: int) -> Wrong:
    """Layer normalisation without some terms."""
    return Wrong(
        norm_forward, lambda d, c: norm_backward(d, c, **terms), (Z, GAIN), "unknown", says
    )


def scores(q: Any, k: Any) -> Any:
    return q @ k.T / np.sqrt(5.0), (q, k)


DIAGONAL = "of the derivatives of softmax only the diagonal p(1 - p) is there"

WRONG = {
    "sigmoid of z": activation(sigmoid, lambda z, a: z * (1 - z), "is z(1 - z), not σ(1 - σ)"),
    "tanh as 1 - h": activation(tanh, lambda z, a: 1 - a, "of tanh is 1 - h, not 1 - h²"),
    "tanh as 1 + h²": activation(tanh, lambda z, a: 1 + a * a, "of tanh is 1 + h², not 1 - h²"),
    "tanh as sigmoid": activation(tanh, lambda z, a: a * (1 - a), "is that of sigmoid, h(1 - h)"),
    "leaky without slope": activation(
        leaky, lambda z, a: np.where(z > 0, 1.0, 0.0), "leaky relu is that of relu"
    ),
    "leaky exchanged": activation(
        leaky, lambda z, a: np.where(z > 0, 0.1, 1.0), "has its two slopes exchanged"
    ),
    "leaky missing": activation(leaky, lambda z, a: 1.0, "of leaky relu is missing"),
    "elu as relu": activation(
        elu, lambda z, a: np.where(z > 0, 1.0, 0.0), "of elu is that of relu"
    ),
    "silu as sigmoid": activation(
        lambda z: z * sigmoid(z),
        lambda z, a: sigmoid(z) * (1 - sigmoid(z)),
        "of silu is that of sigmoid",
    ),
    "silu without zσ′": activation(
        lambda z: z * sigmoid(z), lambda z, a: sigmoid(z), "of silu is σ(z) alone, without zσ′(z)"
    ),
    "gelu without zφ": activation(
        lambda z: jax.nn.gelu(z, approximate=False),
        lambda z, a: scipy.stats.norm.cdf(z),
        "of gelu is Φ(z) alone, without zφ(z)",
    ),
    "gelu missing": activation(
        lambda z: jax.nn.gelu(z, approximate=False), lambda z, a: 1.0, "of gelu is missing"
    ),
    "softmax diagonal": activation(softmax, lambda z, p: p * (1 - p), DIAGONAL),
    "plain softmax diagonal": activation(plain_softmax, lambda z, p: p * (1 - p), DIAGONAL),
    "exp(log softmax) diagonal": activation(by_logsumexp, lambda z, p: p * (1 - p), DIAGONAL),
    "softmax times p": activation(softmax, lambda z, p: p, "only diag(p) is there"),
    "softmax missing": activation(softmax, lambda z, p: 1.0, "of softmax is missing"),
    "norm without mean": normed("nothing comes back from mean to", mean=0),
    "norm without spread": normed("a term is missing", spread=0),
    "norm without either": normed("two terms are missing", mean=0, spread=0),
    "norm without gain": normed("on the way back through a product its other factor", gained=0),
    "log of p + ε": Wrong(
        of(lambda p: jnp.log(p + 1e-12)),
        lambda d, c: d,
        (np.abs(Z),),
        "unknown",
        "the derivative of log is missing",
    ),
    "scores not scaled": Wrong(
        scores,
        lambda d, c: (d @ c[1], d.T @ c[0]),
        (A, B),
        "factor",
        "every element is √5 times exact (5 is also the length of axis 1",
    ),
    "mask forgotten": Wrong(
        lambda x: (x * MASK / 0.6, None),
        lambda d, _: d / 0.6,
        (Z,),
        "unknown",
        "on the way back through a product its other factor is missing",
    ),
    "gate forgotten": Wrong(
        lambda a, b: (a * sigmoid(b), (a, sigmoid(b))),
        lambda d, c: (d, d * c[0] * c[1] * (1 - c[1])),
        (A, RNG.normal(size=(4, 5))),
        "unknown",
        "on the way back through a product its other factor is missing",
    ),
}


QUICK = ("tanh as 1 + h²",)


@pytest.mark.parametrize("name", one_of_each(WRONG, QUICK))
def test_it_is_told_what_the_mistake_is(name: str) -> None:
    wrong = WRONG[name]
    report = check_backward(wrong.forward, wrong.backward, *wrong.inputs, points=2)
    assert report.verdict == "disagree"
    (told,) = report.diagnoses
    assert (told.kind, wrong.says in told.says) == (wrong.kind, True), told

"""Backward passes of another forward pass: without its mask or weights, or of another cotangent."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 5))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.flat[0], "its first element everywhere"),
        (np.sum, "its sum everywhere"),
        (np.mean, "its mean everywhere"),
        (np.square, "its square: yours uses it twice"),
    ],
    ids=["first", "sum", "mean", "square"],
)
def test_another_cotangent(change: Any, says: str) -> None:
    def weighed(z: Any) -> Any:
        p = jnp.tanh(z) ** 2 * jnp.exp(z)
        return p, z

    def backward(dp: Any, z: Any) -> Any:
        dp = np.asarray(dp)
        dp = np.broadcast_to(change(dp), dp.shape)
        t = np.tanh(z)
        return dp * np.exp(z) * (2 * t * (1 - t * t) + t * t)

    (found,) = check_backward(weighed, backward, X).diagnoses
    assert found.kind == "cotangent"
    assert says in found.says


@pytest.mark.slow
def test_another_cotangent_in_a_rule() -> None:
    """Which has several arguments, and whose cotangents are constants of what is judged."""

    def product(a: Any, b: Any) -> Any:
        return a * b, a

    def rule(change: Any) -> Any:
        f = jax.custom_vjp(product)
        f.defvjp(lambda a, b: (product(a, b), (a, b)), lambda ab, d: change(ab, *d))
        return f

    def of_means(ab: Any, d: Any, e: Any) -> Any:
        d, e = jnp.mean(d), jnp.mean(e)
        return ab[1] * d + e, ab[0] * d

    (found,) = check_custom(rule(of_means), X[0], X[1], points=1).diagnoses
    assert (found.kind, found.leaves) == ("cotangent", ("a", "b"))
    assert "taken for its mean everywhere" in found.says
    right = rule(lambda ab, d, e: (ab[1] * d + e, ab[0] * d))
    assert check_custom(right, X[0], X[1], points=1)


def test_the_cotangent_is_not_used() -> None:
    def backward(_: Any, z: Any) -> Any:
        return np.cos(z)

    (found,) = check_backward(lambda z: (jnp.sin(z), z), backward, X).diagnoses
    assert (found.kind, "does not use it" in found.says) == ("cotangent", True)


def test_a_mask_that_the_backward_pass_forgets() -> None:
    mask = np.tri(3, 5, 1, dtype=bool)

    def forward(z: Any, mask: Any) -> Any:
        return jax.nn.softmax(jnp.where(mask, z, -jnp.inf)), z

    def backward(dp: Any, z: Any) -> Any:
        p = jax.nn.softmax(z)
        return p * (dp - (dp * p).sum(axis=-1, keepdims=True)), None

    (found,) = check_backward(forward, backward, X, mask).diagnoses
    assert found.kind == "mask"
    assert "jnp.where(mask, z, -jnp.inf)" in found.says


@pytest.mark.parametrize(("left_out", "as_if"), [("gains", 1.0), ("mask", 0.0)])
def test_an_input_that_the_backward_pass_forgets(left_out: str, as_if: float) -> None:
    given = {
        "gains": RNG.uniform(0.5, 2, (3, 1)),
        "mask": np.where(np.tri(3, 5, 1), 0.0, -4.0),
        "c": RNG.standard_normal((3, 5)),
    }

    def loss(z: Any, gains: Any, mask: Any, c: Any) -> Any:
        return (c * jax.nn.softmax(gains * z + mask)).sum()

    def wrong(z: Any, **kept: Any) -> Any:
        gains, mask, c = ((kept | {left_out: as_if})[name] for name in given)
        p = np.asarray(jax.nn.softmax(gains * z + mask))
        return gains * p * (c - (c * p).sum(axis=-1, keepdims=True))

    (found,) = check_gradient(
        lambda z, *inputs: wrong(z, **dict(zip(given, inputs, strict=True))),
        loss,
        X,
        *given.values(),
    ).diagnoses
    assert found.kind == "unknown"
    assert f"{left_out} is left out, as if it were {as_if:g}" in found.says


def test_of_two_mistakes_each_is_told_for_its_own_leaves() -> None:
    """Neither explains all of the gradient."""

    def forward(h: Any, b: Any, x: Any, s: Any) -> Any:
        return x * s[None] + jax.nn.gelu(h + b[None], approximate=False), (h, b, x, s)

    def backward(dy: Any, cache: Any) -> Any:
        h, b, x, _ = cache
        du = dy * jax.scipy.stats.norm.cdf(h + b[None])  # lacks u φ(u)
        return du, du.sum(axis=0), dy, (dy * x).sum(axis=0)  # dx lacks s

    inputs = (X, RNG.standard_normal(5), RNG.standard_normal((3, 5)), RNG.uniform(0.5, 2, 5))
    found = check_backward(forward, backward, *inputs).diagnoses
    assert {d.leaves: d.kind for d in found} == {
        ("h", "b"): "activation-derivative",
        ("x",): "missing-factor",
    }


@pytest.mark.parametrize(
    ("power", "says"), [(0, "is not multiplied by"), (2, "is multiplied twice by")]
)
def test_a_cotangent_of_one_number(power: int, says: str) -> None:
    """To the numbers it is a factor, and one that the check has drawn."""
    step = (lambda z: (jnp.sum(jnp.sin(z)), z), lambda d, z: d**power * np.cos(z))
    (found,) = check_backward(*step, X).diagnoses
    assert found.kind == "cotangent"
    assert f"yours {says} the cotangent" in found.says

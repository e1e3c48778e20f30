"""The seconds of a check and of reading its report, of losses that would take far longer.

What is measured is processor time, so other load does not count.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from jax import lax

from handgrad import check_gradient, check_hessian, clock, report
from handgrad.judging import trial

SECONDS = 4.0

#: What may be begun before the time is up and not be interrupted: a call of compiled code, a
#: compilation by XLA.
BEGUN = 1.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits as users have them, which other tests have not."""
    monkeypatch.setattr(trial, "limited", clock.limited)
    monkeypatch.setattr(report, "FOR_READING", 1 / 4)


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def newton(a: Any, tolerance: Any) -> Any:
    """The square root of a, by an iteration that ends at a tolerance."""
    return lax.while_loop(
        lambda s: jnp.abs(s * s - a) > tolerance, lambda s: (s + a / s) / 2, jnp.ones_like(a)
    )


def elsewhere(a: Any) -> Any:
    """The same, which ends within a thousandth of 2 alone."""
    return newton(a, jnp.where(jnp.abs(a - 2) < 1e-3, 1e-12, -1.0))


def in_python(a: Any) -> Any:
    """The same in Python."""
    s, tolerance = 1.0, 1e-12 if abs(a - 2) < 1e-3 else -1.0
    while abs(s * s - a) > tolerance:
        s = (s + a / s) / 2
    return s


ended = jax.jit(lambda a: newton(a, jnp.where(a < 1.5, 1e-12, -1.0)))


def root(a: Any) -> Any:
    return 0.5 / jnp.sqrt(a)


#: (gradient, loss, whether the given point can be judged).
ENDLESS: dict[str, tuple[Any, Any, bool]] = {
    "the loss, in JAX, at other points": (root, elsewhere, True),
    "the loss, compiled by the caller": (root, jax.jit(elsewhere), True),
    "the gradient, in JAX": (lambda a: 0.5 / elsewhere(a), lambda a: newton(a, 1e-12), True),
    "the loss, in JAX, everywhere": (root, lambda a: newton(a, -1.0), False),
    "the gradient, in JAX, everywhere": (lambda a: 0.5 / newton(a, -1.0), jnp.sqrt, False),
    "the gradient, in JAX, of a loss in NumPy": (lambda a: 0.5 / newton(a, -1.0), np.sqrt, False),
    "the gradient, compiled": (jax.jit(lambda a: 0.5 / newton(a, -1.0)), jnp.sqrt, False),
    "the gradient, compiled and run elsewhere before": (lambda a: 0.5 / ended(a), jnp.sqrt, False),
    "the loss, in Python": (lambda a: 0.5 / np.sqrt(a), in_python, True),
    "the gradient, in Python": (lambda a: 0.5 / in_python(a), lambda a: np.sqrt(a), True),
    "a map of loops": (
        lambda x: jax.vmap(root)(x),
        lambda x: jnp.sum(jax.vmap(elsewhere)(x)),
        True,
    ),
    "a loop in a loop": (
        lambda a: 3 * root(a),
        lambda a: lax.scan(lambda c, _: (c + elsewhere(a), None), 0.0 * a, None, 3)[0],
        True,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
def test_a_loop_that_does_not_end_ends_with_the_seconds(name: str) -> None:
    gradient, loss, judged = ENDLESS[name]
    point = np.array([2.0, 2.0]) if "map" in name else np.float64(2.0)
    with jax.enable_x64(True):
        ended(np.float64(1.0))
    took, found = spent(lambda: check_gradient(gradient, loss, point, seconds=SECONDS))
    assert took <= SECONDS + BEGUN
    if judged:
        assert found.verdict == "agree"
        assert any(said.startswith("time ran out after 0 of 8") for said in found.warnings)
    else:
        assert found.headline.startswith(f"undecidable: {SECONDS:g} s were too short for one point")
        assert "in a loop that had not ended after" in found.headline


RNG = np.random.default_rng(7)
VECTOR = RNG.standard_normal(3000)
SERIES, STEPS = RNG.standard_normal((23, 5)), 12
WEIGHTS = {k: RNG.standard_normal(s) / 2 for k, s in {"w": (5, 7), "u": (7, 7), "b": (7,)}.items()}
LARGE = {k: RNG.standard_normal(s) / 9 for k, s in {"a": (211, 97), "c": (97, 211)}.items()}


def recurrent(np_: Any, steps: int) -> Callable[..., Any]:
    """A loss of an unrolled recurrent network."""

    def loss(p: Any) -> Any:
        h = np_.zeros(7)
        for x in SERIES[:steps]:
            gate = 1 / (1 + np_.exp(-(x @ p["w"] - h @ p["u"])))
            h = gate * h + (1 - gate) * np_.tanh(x @ p["w"] + h @ p["u"] + p["b"])
        return (h * h).sum()

    return loss


def scanned(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = jnp.tanh(x @ p["w"] + h @ p["u"] + p["b"])
        return h, jnp.sum(h * h)

    return jnp.sum(lax.scan(step, jnp.zeros(7), jnp.tile(SERIES, (40, 1)))[1])


def layers(p: Any) -> Any:
    return jnp.sum(jnp.tanh(jnp.tanh(SERIES @ jnp.ones((5, 211)) @ p["a"]) @ p["c"]) ** 3)


def outside(x: Any) -> float:
    """A loss that can only be called."""
    return float(sum(float(v) ** 2 * float(w) for v, w in zip(x, np.roll(x, 1), strict=True)))


def of_outside(x: Any) -> Any:
    return 2 * x * np.roll(x, 1) + np.roll(x, -1) ** 2


HEAVY: dict[str, tuple[Any, Any, Any]] = {
    "many parameters": (scipy.optimize.rosen_der, scipy.optimize.rosen, np.tile(VECTOR, 3)),
    "many kinds of operations": (
        jax.jit(jax.grad(lambda x: jnp.sum(lax.cumlogsumexp(x)))),
        lambda x: jnp.sum(lax.cumlogsumexp(x)),
        VECTOR,
    ),
    "a NumPy loop": (jax.jit(jax.grad(recurrent(jnp, STEPS))), recurrent(np, STEPS), WEIGHTS),
    "an unrolled loop": (
        jax.jit(jax.grad(recurrent(jnp, STEPS))),
        recurrent(jnp, STEPS),
        WEIGHTS,
    ),
    "a long scan": (jax.jit(jax.grad(scanned)), scanned, WEIGHTS),
    "a large model": (jax.jit(jax.grad(layers)), layers, LARGE),
    "a black box": (of_outside, outside, VECTOR[:500]),
}


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.0, 1.5])
@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_loss_and_its_report_keep_to_the_seconds(name: str, factor: float) -> None:
    right, loss, point = HEAVY[name]
    with jax.enable_x64(True):
        right(point)  # what the caller compiles is not the check's

    def gradient(p: Any) -> Any:
        return jax.tree_util.tree_map(lambda leaf: factor * leaf + (factor - 1) * leaf**2, right(p))

    took, found = spent(lambda: check_gradient(gradient, loss, point, seconds=SECONDS))
    assert took <= 1.1 * SECONDS + BEGUN
    assert found.verdict in ({"agree"} if factor == 1 else {"disagree"}) | {"undecidable"}
    took, _ = spent(lambda: str(found))
    assert took <= SECONDS / 4 + BEGUN


@pytest.mark.slow
def test_a_hessian_and_its_report_keep_to_the_seconds() -> None:
    x = VECTOR[:90]

    def loss(x: Any) -> Any:
        return jnp.sum(jnp.tanh(jnp.outer(x, x)) ** 2)

    hessian = jax.jit(jax.hessian(loss))
    with jax.enable_x64(True):
        hessian(x)
    work = lambda: check_hessian(lambda x: 1.1 * hessian(x), loss, x, seconds=SECONDS)  # noqa: E731
    took, found = spent(work)
    assert took <= 1.1 * SECONDS + BEGUN
    took, _ = spent(lambda: str(found))
    assert took <= SECONDS / 4 + BEGUN

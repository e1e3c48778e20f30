"""What another order of sums may cost: random orders stay within, and not all rounds otherwise."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core as jex

from handgrad.clock import limited
from handgrad.data.point import Point, point_at
from handgrad.judging.case import Case
from handgrad.judging.jax_loss import JaxLoss
from handgrad.tolerance.other_order import LOOPS, Moved, moved_by_sums

F = np.float32


def bound(loss: Callable[..., Any], *at: Any) -> np.ndarray | None:
    given: Point = point_at(at[0], at[1:])
    return JaxLoss(Case(loss, loss)).other_order(given)


def summed(rng: np.random.Generator, terms: Any, axis: int) -> np.ndarray:
    """Add in a random order, one term after the other, in float32."""
    moved = np.moveaxis(np.asarray(terms, F), axis, 0)
    return np.cumsum(moved[rng.permutation(len(moved))], axis=0, dtype=F)[-1]


def of_layer_norm(rng: np.random.Generator, x: Any, c: Any) -> np.ndarray:
    n = F(x.shape[1])
    d = x - (summed(rng, x, 1) / n)[:, None]
    r = F(1) / np.sqrt((summed(rng, d * d, 1) / n)[:, None] + F(1e-5))
    h = d * r
    return r * (c - (summed(rng, c, 1) / n)[:, None] - h * (summed(rng, c * h, 1) / n)[:, None])


def layer_norm(x: Any, c: Any) -> Any:
    d = x - x.mean(1, keepdims=True)
    return jnp.sum(c * d / jnp.sqrt((d * d).mean(1, keepdims=True) + 1e-5))


def of_affine(rng: np.random.Generator, w: Any, x: Any) -> np.ndarray:
    return summed(rng, x * (2 * (summed(rng, x * w, 1) - 1))[:, None], 0)


def affine(w: Any, x: Any) -> Any:
    return jnp.sum((x @ w - 1) ** 2)


def drawn(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(F) for shape in shapes]


@pytest.mark.parametrize("n", [7, pytest.param(61, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("loss", "gradient", "shapes"),
    [
        (layer_norm, of_layer_norm, lambda n: ((3, n), (3, n))),
        (affine, of_affine, lambda n: ((3,), (n, 3))),
    ],
)
def test_random_orders_stay_within_it(loss: Any, gradient: Any, shapes: Any, n: int) -> None:
    """By a factor of 7, see the module; and they come near enough that it means something."""
    at, rng = drawn(n, *shapes(n)), np.random.default_rng(1)
    answers = np.array([gradient(rng, *at).ravel() for _ in range(33)], dtype=np.float64)
    allowed = bound(loss, *at)
    assert allowed is not None
    ratio = np.max(np.ptp(answers, axis=0) / allowed[1:])
    assert 1 / 100 < ratio < 1 / 4


def test_what_comes_before_all_sums_is_the_same_in_each_call() -> None:
    (x,) = drawn(0, (5,))
    for loss in (lambda x: jnp.sum(jnp.exp(x) / 3), lambda x: jnp.sum(jnp.tanh(x) ** 2)):
        allowed = bound(loss, x)
        assert allowed is not None
        assert not allowed[1:].any()
        assert allowed[0] > 0  # the loss itself is a sum


def test_what_comes_after_a_sum_is_rounded_otherwise() -> None:
    """As 1 + s for a small s: the sum hardly varies, what is computed from it by an ulp of 1."""
    (x,) = drawn(0, (5,))
    allowed = bound(lambda x: jnp.sum(x) + jnp.sum(x) ** 2 / 2, x * F(1e-6))
    assert allowed is not None
    assert (allowed[1:] >= np.spacing(F(1)) / 2).all()


def moved(f: Callable[..., Any], *at: Any) -> dict[str, Moved]:
    program = jax.make_jaxpr(f)(*at).jaxpr
    found = moved_by_sums(program)
    names = {id(eqn): eqn.primitive.name for eqn in _all(program)}
    return {names[key]: value for key, value in found.items()}


def _all(jaxpr: Any) -> Any:
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in jex.jaxprs_in_params(eqn.params):
            yield from _all(getattr(inner, "jaxpr", inner))


def test_what_the_order_of_sums_moves() -> None:
    def f(x: Any) -> Any:
        return jnp.sin(jax.jit(lambda y: jnp.sum(jnp.exp(y)))(x)) + jnp.cos(x[0])

    found = moved(f, np.ones(3))
    assert found["exp"] == (False, False)
    assert found["reduce_sum"] == (False, True)
    assert (found["sin"], found["cos"]) == ((True, True), (False, False))
    assert moved(lambda x: jnp.sin(jnp.sum(x)), np.ones(1))["sin"] == (False, False)  # one term


def test_a_loop_comes_back_to_what_its_sums_moved() -> None:
    def loop(x: Any) -> Any:
        return jax.lax.scan(lambda c, _: (jnp.sin(c) * jnp.sum(x), None), x[0], length=2)[0]

    assert LOOPS == ("scan", "while")
    assert moved(loop, np.ones(3))["sin"] == (True, True)


def test_without_a_program_or_time_it_is_not_known() -> None:
    (x,) = drawn(0, (5,))
    given = point_at(x, ())
    loss = JaxLoss(Case(affine, lambda w: jnp.sum(w)))
    assert loss.other_order(given) is not None
    with limited(1e-9):
        assert loss.other_order(given) is None

"""Runs that imitate rounding: what moves, by how much, and that it covers what JAX really does."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.oracle.certify import certify
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from handgrad.tolerance.measuring import measure
from handgrad.tolerance.monte_carlo import MonteCarlo
from tests.handgrad.oracle.problems import flat, problem
from tests.tiers import one_of_each

#: Half the spacing at 1, by format.
UNIT = {np.float64: 2.0**-53, np.float32: 2.0**-24}
formats = pytest.mark.parametrize("dtype", UNIT)


def moves(f: Any, *arrays: np.ndarray, draws: int = 6) -> np.ndarray:
    """How far the results of a program lie from the exact ones: draws along the first axis."""
    with jax.enable_x64(True), balls.precision(300):
        program = jax.make_jaxpr(f)(*arrays)
        given = [Dual(balls.exact(a)) for a in arrays]
        exact = Run(RULES, Comparisons(final=True), {}).closed(program, given)[0]
        rng, memory = np.random.default_rng(5), {}
        found = [
            Run(RULES, Comparisons(final=True), memory, MonteCarlo(rng)).closed(program, given)[0]
            for _ in range(draws)
        ]
        return np.array([balls.midpoints(run.value - exact.value) for run in found])


@formats
@pytest.mark.parametrize("f", [jnp.exp, jnp.sin, jnp.tanh, lambda x: x * x, lambda x: 3.0 / x])
def test_a_result_moves_by_half_the_spacing_at_1(f: Any, dtype: Any) -> None:
    x = np.array([0.3, -1.7, 2.9], dtype)
    with jax.enable_x64(True):
        value = np.asarray(f(jnp.asarray(x, dtype=np.float64)))
    found = moves(f, x)
    np.testing.assert_allclose(abs(found), np.broadcast_to(UNIT[dtype] * abs(value), found.shape))
    assert {1.0, -1.0} <= set(np.sign(found).ravel().tolist())


@formats
def test_what_only_moves_numbers_rounds_nothing(dtype: Any) -> None:
    x = np.array([0.3, -1.7, 2.9], dtype)
    for f in (lambda x: x[::-1], lambda x: -x, jnp.abs, lambda x: jnp.maximum(x, x[0]), jnp.sort):
        assert not moves(f, x).any()


def test_a_shorter_format_rounds_and_a_longer_one_does_not() -> None:
    x = np.array([0.3, -1.7])
    shorter = moves(lambda x: x.astype(jnp.float32), x)
    assert abs(shorter[0]) == pytest.approx(2.0**-24 * abs(x))
    assert not moves(lambda x: x.astype(jnp.float64), x.astype(np.float32)).any()
    assert moves(lambda x: lax.reduce_precision(x, 8, 23), x).all()


X, W = np.cos(np.arange(1.0, 36.0)).reshape(7, 5), np.sin(np.arange(1.0, 16.0)).reshape(5, 3)
WHERE = np.array([[0], [3], [0]])

#: A sum, how many terms it has, and Σ|terms|.
SUMS = {
    "reduce_sum": (lambda x, w: jnp.sum(x, axis=0), 7, abs(X).sum(axis=0)),
    "dot_general": (lambda x, w: x @ w, 5, abs(X) @ abs(W)),
    "cumsum": (lambda x, w: lax.cumsum(x, 0), 7, np.cumsum(abs(X), axis=0)),
    "scatter-add": (
        lambda x, w: x[0].at[np.array([0, 3, 0])].add(w[:, 0][:3]),
        (5 + 3 + 3) / 5,  # on average, and the indices counted as well
        abs(X[0]) + np.bincount([0, 3, 0], abs(W[:3, 0]), 5),
    ),
    "conv_general_dilated": (
        lambda x, w: lax.conv_general_dilated(x[None, None, 0], w[None, None, :, 0], (1,), "VALID"),
        5,
        [[[abs(X[0]) @ abs(W[:, 0])]]],
    ),
}


@formats
@pytest.mark.parametrize("name", one_of_each(SUMS, ["dot_general"]))
def test_a_sum_moves_with_the_root_of_its_terms(name: str, dtype: Any) -> None:
    f, terms, sizes = SUMS[name]
    found = abs(moves(f, X.astype(dtype), W.astype(dtype)))
    expected = UNIT[dtype] * np.sqrt(terms) * np.asarray(sizes)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-5)


@pytest.mark.slow
@formats
def test_factorisations_move_with_their_arguments(dtype: Any) -> None:
    a = (W @ W.T + 2 * np.eye(5)).astype(dtype)
    found = abs(moves(lambda a: lax.linalg.cholesky(a, symmetrize_input=False), a))
    factor = np.linalg.cholesky(a.astype(np.float64))
    first = UNIT[dtype] * np.sqrt(5) / 2 * factor[0, 0]  # √(a(1 ± √5·u))
    np.testing.assert_allclose(found[:, 0, 0], first, rtol=1e-3)
    assert (found <= 10 * np.sqrt(5) * UNIT[dtype] * np.abs(factor).max()).all()


@formats
def test_exact_zeros_stay_and_tiny_numbers_may_vanish(dtype: Any) -> None:
    tiny = float(np.finfo(dtype).smallest_normal)
    x = np.array([0.0, 4.0, tiny * 4, tiny * 2.0**20], dtype)
    found = abs(moves(lambda x: x * x[1:2] * 0.25, x))
    assert not found[:, 0].any()
    assert (found[:, 1] < 1e-6).all()
    assert (found[:, 2] > 0.9 * tiny).any()
    assert (found[:, 2] < 2.1 * tiny).all()
    assert ((found[:, 3] > 0.6 * tiny) & (found[:, 3] < 1.5 * tiny)).all()
    far = np.array([tiny * 2.0**60], dtype)
    assert (abs(moves(lambda x: x * 1.0, far)) == UNIT[dtype] * far).all()
    summed = abs(moves(lambda x: jnp.sum(x[None, :] * 0.0 + x[None, :], axis=0), x))
    assert not summed[:, 0].any()


def deep(p: Any, x: Any) -> Any:
    for w in p:
        x = jnp.tanh(x @ w)
    return jnp.mean(x**2)


def recurrent(p: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> tuple[Any, Any]:
        h = jnp.tanh(p[0] @ h + p[1] @ row)
        return h, h

    _, kept = lax.scan(step, jnp.zeros_like(x[0, :3]), x)
    return jnp.mean(kept**2)


def softmax_of_large(p: Any, x: Any) -> Any:
    return -jnp.mean(jax.nn.log_softmax(x @ p[0] * 9.0)[:, 0])


def cancelling(p: Any, x: Any) -> Any:
    return jnp.log(jnp.exp(x @ p[0]) + 1e3).sum() - jnp.sum(jnp.sin(x @ p[0] * 20.0) ** 2)


def orders(p: Any, x: Any) -> Any:
    """In its gradient an order is the sum 2 + 1, which rounding does not move to another one."""
    return jnp.sum(lax.polygamma(jnp.full_like(x @ p[0], 2.0), 0.5 + (x @ p[0]) ** 2))


#: A loss, its shapes, and how many units of rounding the median element may be allowed: some
#: hundred roundings sixteenfold, and twenty times that where sin(20 z) takes digits.
MODELS = {
    "deep": (deep, [(5, 7), (7, 3), (3, 2), (2, 2)], 5000),
    "recurrent": (recurrent, [(3, 3), (3, 5)], 2500),
    "softmax": (softmax_of_large, [(5, 3)], 2500),
    "orders": (orders, [(5, 3)], 5000),
    "cancelling": (cancelling, [(5, 3)], 100_000),
}


@formats
@pytest.mark.parametrize("name", one_of_each(MODELS, []))
def test_the_loose_yardstick_covers_what_jax_does_and_little_more(name: str, dtype: Any) -> None:
    loss, shapes, most = MODELS[name]
    rng = np.random.default_rng(3)
    params = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    x = rng.normal(size=(7, 5)).astype(dtype)
    case = problem(loss, params, x)
    reference = certify(case, "series")
    measures = measure(case, reference, seed=1).full
    with jax.enable_x64(True):
        error = np.abs(
            flat(jax.jit(jax.grad(loss))(params, x)) - balls.midpoints(reference.gradient)
        )
    assert (error <= measures.loose).all()
    assert error.any()
    relative = measures.loose / np.abs(balls.midpoints(reference.gradient))
    assert np.median(relative) < most * UNIT[dtype]

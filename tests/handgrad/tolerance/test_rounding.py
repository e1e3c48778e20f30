"""Runs that imitate rounding, in balls and in floats: by how much results move, and JAX's do."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from handgrad.tolerance import linearised
from handgrad.tolerance.monte_carlo import MonteCarlo
from handgrad.tolerance.runs import half_an_ulp_away
from tests.tiers import one_of_each

#: Half the spacing at 1, by format.
UNIT = {np.float64: 2.0**-53, np.float32: 2.0**-24}
U = UNIT[np.float64]


def in_balls(f: Any, *arrays: np.ndarray, draws: int = 6) -> np.ndarray:
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


def in_floats(
    f: Any, *arrays: np.ndarray, rounded: bool = True, seed: int = 0
) -> tuple[np.ndarray, bool]:
    """The largest changes of a program's results, flattened, and whether they hold."""
    with jax.enable_x64(True):
        program = jax.make_jaxpr(f)(*arrays)
        run = linearised.run(program, arrays, np.random.default_rng(seed), rounded)
    return run.changes, run.holds


Z = np.array([0.3, -1.7, 2.9])
X, W = np.cos(np.arange(1.0, 36.0)).reshape(7, 5), np.sin(np.arange(1.0, 16.0)).reshape(5, 3)
SCATTERED = abs(X[0]) + np.bincount([0, 3, 0], abs(W[:3, 0]), 5)

#: A function, its arguments, and by how many roundoffs its results move: those of arithmetic by
#: their own size, sums by the root of their terms times Σ|terms|, what selects or moves by none.
MOVES: dict[str, tuple[Any, tuple[np.ndarray, ...], Any]] = {
    "exp": (jnp.exp, (Z,), np.exp(Z)),
    "tanh": (jnp.tanh, (Z,), abs(np.tanh(Z))),
    "a square": (lambda x: x * x, (Z,), Z**2),
    "what is reversed": (lambda x: -x[::-1], (Z,), 0),
    "a maximum": (lambda x: jnp.maximum(x, x[0]), (Z,), 0),
    "what is sorted": (jnp.sort, (Z,), 0),
    "a sum": (lambda x: jnp.sum(x, axis=0), (X,), np.sqrt(7) * abs(X).sum(axis=0)),
    "a product of matrices": (lambda x, w: x @ w, (X, W), np.sqrt(5) * (abs(X) @ abs(W))),
    "sums of sums": (lambda x: lax.cumsum(x, 0), (X,), np.sqrt(7) * np.cumsum(abs(X), axis=0)),
    "a sum by indices": (
        lambda x, w: x[0].at[np.array([0, 3, 0])].add(w[:, 0][:3]),
        *((X, W), np.sqrt((5 + 3 + 3) / 5) * SCATTERED),  # on average, and the indices counted
    ),
    "a convolution": (
        lambda x, w: lax.conv_general_dilated(x[None, None, 0], w[None, None, :, 0], (1,), "VALID"),
        *((X, W), np.sqrt(5) * (abs(X[0]) @ abs(W[:, 0]))),
    ),
}


@pytest.mark.parametrize("name", one_of_each(MOVES, ["exp", "a maximum", "a product of matrices"]))
def test_results_move_by_their_rounding(name: str) -> None:
    f, arrays, units = MOVES[name]
    with jax.enable_x64(True):
        exact = np.asarray(f(*map(jnp.asarray, arrays)))
    for dtype, u in UNIT.items():
        given = [a.astype(dtype) for a in arrays]
        found = in_balls(f, *given)
        np.testing.assert_allclose(abs(found), np.broadcast_to(u * units, found.shape), rtol=1e-5)
        assert not found.any() or {1.0, -1.0} <= set(np.sign(found).ravel())
    found, holds = in_floats(f, *arrays)
    np.testing.assert_allclose(found, U * np.ravel(units + 0 * exact), rtol=1e-5)
    assert holds


def test_data_move_by_half_an_ulp_and_formats_by_theirs() -> None:
    """0 and ±1 are exact; the spacing of the largest float is infinite for NumPy.

    `stop_gradient` stops a derivative and no change of data.
    """
    x = np.array([0.3, -1.7e9, 1.0, 0.0])
    for f in (lambda x: x, lax.stop_gradient):
        found, _ = in_floats(f, x, rounded=False)
        np.testing.assert_array_equal(found, [*np.spacing(np.abs(x[:2])) / 2, 0, 0])
    shorter = in_balls(lambda x: x.astype(jnp.float32), Z)
    assert abs(shorter[0]) == pytest.approx(2.0**-24 * abs(Z))
    assert not in_balls(lambda x: x.astype(jnp.float64), Z.astype(np.float32)).any()
    assert in_balls(lambda x: lax.reduce_precision(x, 8, 23), Z).all()
    for dtype in UNIT:
        numbers = [0.3, -1.7, 1e-40, np.finfo(dtype).max, 0.0, -0.0, 1.0, -1.0, np.inf]
        at, rng = np.array(numbers, dtype), np.random.default_rng(0)
        with balls.precision(300):
            moved = [half_an_ulp_away([at], rng)[0] for _ in range(8)]
            gaps = balls.midpoints(np.array([m[:-1] - balls.exact(at[:-1]) for m in moved]))
        sizes = np.abs(at[:4])
        below = sizes.astype(float) - np.nextafter(sizes, dtype(0)).astype(float)
        np.testing.assert_array_equal(np.abs(gaps[:, :4]), np.tile(below / 2, (8, 1)))
        assert ((gaps[:, :4] > 0).any(axis=0) & (gaps[:, :4] < 0).any(axis=0)).all()
        assert not gaps[:, 4:].any()
        assert float(moved[0][-1]) == np.inf


NEAR = 1 + 4 * U
#: What is not of first order: some function and where. A tenth away it is.
NOT_LINEAR: dict[str, tuple[Any, Any]] = {
    "a comparison": (lambda x: jnp.where(x * 1.5 > 1.5, x, 2 * x), NEAR),
    "the larger": (lambda x: jnp.maximum(x * 1.5, 1.5), NEAR),
    "a kink": (lambda x: jnp.abs(x * 1.5 - 1.5), NEAR),
    "a logarithm of noise": (lambda x: jnp.log(x * 1.5 - 1.5), NEAR),
    "a square of noise": (lambda x: (x * 1.5 - 1.5) ** 2, NEAR),
    "a scalar product of noise": (
        lambda x: (x * 1.5 - 1.5) @ (x * 1.7 - 1.7),
        np.array([NEAR, NEAR, 1 - 2 * U]),
    ),
}


@pytest.mark.parametrize("name", one_of_each(NOT_LINEAR, ["a comparison", "a square of noise"]))
def test_it_is_seen_where_the_first_order_does_not_hold(name: str) -> None:
    """Whichever way the draws go."""
    f, where = NOT_LINEAR[name]
    assert not any(in_floats(f, np.asarray(where), seed=seed)[1] for seed in range(20))
    assert in_floats(f, np.asarray(where) + 0.1)[1]

"""Runs that imitate rounding, in balls and in floats: by how much results move, and JAX's do."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import check_gradient
from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.oracle.certify import certify
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from handgrad.tolerance import first_order, linearised
from handgrad.tolerance.measuring import measure
from handgrad.tolerance.monte_carlo import MonteCarlo
from tests.handgrad.oracle.problems import flat, problem
from tests.handgrad.test_times import network
from tests.tiers import one_of_each

#: Half the spacing at 1, by format.
UNIT = {np.float64: 2.0**-53, np.float32: 2.0**-24}
U = UNIT[np.float64]
large = pytest.mark.usefixtures("however_small")
formats = pytest.mark.parametrize("dtype", UNIT)


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


def test_a_shorter_format_rounds_and_a_longer_one_does_not() -> None:
    x = Z[:2]
    shorter = in_balls(lambda x: x.astype(jnp.float32), x)
    assert abs(shorter[0]) == pytest.approx(2.0**-24 * abs(x))
    assert not in_balls(lambda x: x.astype(jnp.float64), x.astype(np.float32)).any()
    assert in_balls(lambda x: lax.reduce_precision(x, 8, 23), x).all()


def test_data_move_by_half_an_ulp_and_so_does_what_has_no_derivative() -> None:
    """0 and ±1 are exact; `stop_gradient` stops a derivative and no change of data."""
    x = np.array([0.3, -1.7e9, 1.0, 0.0])
    for f in (lambda x: x, lax.stop_gradient):
        found, _ = in_floats(f, x, rounded=False)
        np.testing.assert_array_equal(found, [*np.spacing(np.abs(x[:2])) / 2, 0, 0])


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


@pytest.fixture
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients are taken for large ones, which floats are tried for."""
    monkeypatch.setattr(first_order, "LARGE", 0)


def estimated(loss: Any, params: Any, *inputs: Any) -> np.ndarray | None:
    case = problem(loss, params, *inputs)
    return first_order.estimate(case, certify(case, "program"), 0)


@large
def test_the_estimate_for_an_element_that_is_a_number_is_half_an_ulp_of_it() -> None:
    """0 and ±1 are exact."""
    x = np.array([0.3, -1.7e9, 1e-300, 1.0, 0.0, -1.0])
    found = estimated(lambda w, x: jnp.sum(w * x), np.full(6, 3.0), x)
    assert found is not None
    np.testing.assert_allclose(found[1:4], np.spacing(np.abs(x[:3])) / 2, rtol=1e-15)
    assert found[4:].tolist() == [0, 0, 0]


@large
def test_the_estimate_is_what_runs_in_balls_show(monkeypatch: pytest.MonkeyPatch) -> None:
    _, loss, *point = network((16, 32, 12, 4), 3)
    case = problem(loss, *point)
    found = estimated(loss, *point)
    monkeypatch.setattr(first_order, "LARGE", np.inf)
    measured = measure(case, certify(case), seed=0)
    without = next(measured.estimated()).unit
    *_, last = (tolerance.unit for tolerance in measured.drawn())
    assert found is not None
    ratio = found[1:] / (last - without)
    assert 0.55 < np.median(ratio) < 0.75  # 1 / E max |N| of four
    assert ratio.min() > 0.3


@large
def test_the_estimate_excuses_no_error_that_it_has_itself() -> None:
    """At z = 32 few digits of the gradient are left, and of the estimate, too."""

    def literal(w: Any, x: Any) -> Any:
        s = 1 / (1 + np.exp(-(w @ x)))
        return 2 * s * s * (1 - s) * x

    at = np.ones(32), np.linspace(0.9, 1.1, 32)
    report = check_gradient(
        literal, lambda w, x: jnp.sum(jax.nn.sigmoid(w @ x) ** 2), *at, points=0
    )
    assert report.verdict == "imprecise"
    w = np.linspace(0.1, 1.2, 32)
    report = check_gradient(lambda w: np.cos(w) * (1 + 1e-8), lambda w: jnp.sin(w).sum(), w)
    assert report.verdict == "disagree"


@pytest.mark.slow
@large
def test_both_tolerances_in_floats_are_those_of_runs_in_balls() -> None:
    """Two samples of few draws: alike in the median, and seldom far from each other."""
    _, loss, *point = network((5, 32, 7), 3)
    case = problem(loss, *point)
    mine = measure(case, certify(case), seed=0)
    floats, exact = mine.in_floats, mine.in_balls
    assert floats is not None
    for one, other in ((floats.unit, exact.unit), (floats.loose, exact.loose)):
        ratio = one / other
        assert 0.8 < np.median(ratio) < 1.25
        assert np.mean((ratio > 4) | (ratio < 1 / 4)) < 0.02
        assert 0.05 < ratio.min() < ratio.max() < 20
    assert (balls.midpoints(floats.program) == balls.midpoints(exact.program)).all()


def recurrent(p: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> tuple[Any, Any]:
        h = jnp.tanh(p[0] @ h + p[1] @ row)
        return h, h

    return jnp.mean(lax.scan(step, jnp.zeros_like(x[0, :3]), x)[1] ** 2)


def softmax_of_large(p: Any, x: Any) -> Any:
    return -jnp.mean(jax.nn.log_softmax(x @ p[0] * 9.0)[:, 0])


def cancelling(p: Any, x: Any) -> Any:
    return jnp.log(jnp.exp(x @ p[0]) + 1e3).sum() - jnp.sum(jnp.sin(x @ p[0] * 20.0) ** 2)


#: A loss, its shapes, and how many units of rounding the median element may be allowed: some
#: hundred roundings sixteenfold, and twenty times that where sin(20 z) takes digits.
MODELS = {
    "recurrent": (recurrent, [(3, 3), (3, 5)], 2500),
    "softmax": (softmax_of_large, [(5, 3)], 2500),
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
    exact, loose = balls.midpoints(reference.gradient), measure(case, reference, 1).full.loose
    with jax.enable_x64(True):
        error = np.abs(flat(jax.jit(jax.grad(loss))(params, x)) - exact)
    assert error.any()
    assert (error <= loose).all()
    assert np.median(loose / np.abs(exact)) < most * UNIT[dtype]

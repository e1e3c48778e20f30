"""Tolerances of large gradients in floats: the same model as in balls, where it holds."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import check_gradient
from handgrad.arithmetic import balls
from handgrad.oracle.certify import certify
from handgrad.tolerance import first_order, linearised, measuring
from handgrad.tolerance.measuring import measure
from handgrad.tolerance.tolerances import OTHER, Tolerances
from tests.handgrad.oracle.problems import problem
from tests.handgrad.test_times import network
from tests.handgrad.tolerance.test_rounding import SUMS, UNIT, W, X
from tests.tiers import one_of_each

U = UNIT[np.float64]


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_order, "LARGE", 0)


def ran(
    f: Any, *arrays: np.ndarray, rounded: bool = True, seed: int = 0
) -> tuple[np.ndarray, bool]:
    """The largest changes of a program's results, flattened, and whether they hold."""
    with jax.enable_x64(True):
        program = jax.make_jaxpr(f)(*arrays)
        run = linearised.run(program, arrays, np.random.default_rng(seed), rounded)
    return run.changes, run.holds


@pytest.mark.parametrize("name", one_of_each(SUMS, ["dot_general"]))
def test_a_sum_is_rounded_as_in_balls(name: str) -> None:
    f, terms, sizes = SUMS[name]
    found, holds = ran(f, X, W)
    np.testing.assert_allclose(found, np.ravel(U * np.sqrt(terms) * np.asarray(sizes)), rtol=1e-12)
    assert holds


def test_results_are_rounded_and_what_moves_or_selects_is_not() -> None:
    x = np.array([0.3, -1.7, 1e-200])
    found, holds = ran(lambda x: jnp.concatenate([jnp.exp(x), -x[::-1], jnp.maximum(x, 0.1)]), x)
    np.testing.assert_allclose(found[:3], U * np.exp(x))
    assert not found[3:].any()
    assert holds


def test_data_move_by_half_an_ulp_and_so_does_what_has_no_derivative() -> None:
    """0 and ±1 are exact; `stop_gradient` stops a derivative and no change of data."""
    x = np.array([0.3, -1.7e9, 1.0, 0.0])
    for f in (lambda x: x, lax.stop_gradient):
        found, _ = ran(f, x, rounded=False)
        np.testing.assert_array_equal(found, [*np.spacing(np.abs(x[:2])) / 2, 0, 0])
    assert not ran(lambda x: x, x, rounded=True)[0].any()


@pytest.mark.slow
def test_roundings_add_up_at_random() -> None:
    """The largest of four sums of n signs is 1.5·√n in the median."""

    def products(x: Any) -> Any:
        for _ in range(36):
            x = x * 1.1
        return x

    x = np.linspace(0.3, 1.7, 997)
    found = ran(products, x)[0] / (U * x * 1.1**36)
    assert 1.2 < np.median(found) / 6 < 1.8
    assert found.max() < 36


@pytest.mark.slow
def test_a_loop_is_run_step_by_step() -> None:
    """Backwards, with a constant, a carried number and rows; beside the same without a loop.

    The rows are exact, so that one datum moves.
    """
    w, rows = np.array(0.3), np.array([1.0, -1.0, 0.0, -1.0])

    def looped(w: Any, rows: Any) -> Any:
        last, kept = lax.scan(lambda h, x: (h * w + x, h), w, rows, reverse=True)
        return jnp.append(kept, last)

    def unrolled(w: Any, rows: Any) -> Any:
        kept = [w]
        for i in reversed(range(4)):
            kept.append(kept[-1] * w + rows[i])
        return jnp.stack([*kept[3::-1], kept[4]])

    found, expected = (ran(f, w, rows, rounded=False)[0] for f in (looped, unrolled))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.unique(found).size == 5
    assert (ran(looped, w, rows)[0] > 0).tolist() == [True, True, True, False, True]


def test_what_is_infinite_stays_so() -> None:
    """As the entries of an attention that a mask leaves out."""
    x = np.array([0.3, 1.2, -np.inf])
    found, holds = ran(lambda x: jnp.exp(x - lax.stop_gradient(jnp.max(x))) * 1.5, x)
    assert found[:2].all()
    assert found[2] == 0
    assert holds


@pytest.mark.slow
def test_numbers_near_the_smallest_may_vanish() -> None:
    tiny = np.finfo(np.float64).smallest_normal
    found, _ = ran(lambda x: x * 0.5, np.array([0.0, 4 * tiny, tiny * 2.0**70]))
    assert found[0] == 0
    assert 0.9 * tiny < found[1] < 1.1 * tiny
    np.testing.assert_allclose(found[2], U * 2.0**69 * tiny)


NEAR = 1 + 4 * U

#: What is not of first order: some function and where. At 1.1, where given, it is.
NOT_LINEAR: dict[str, tuple[Any, float]] = {
    "a comparison": (lambda x: jnp.where(x * 1.5 > 1.5, x, 2 * x), NEAR),
    "the larger": (lambda x: jnp.maximum(x * 1.5, 1.5), NEAR),
    "the largest": (lambda x: jnp.max(jnp.stack([x * 1.5, 1.5])), NEAR),
    "a kink": (lambda x: jnp.abs(x * 1.5 - 1.5), NEAR),
    "a whole number": (lambda x: jnp.floor(x * 1.5 - 0.5), NEAR),
    "an index": (lambda x: (x * 4.0).astype(int).astype(float), NEAR),
    "a logarithm of noise": (lambda x: jnp.log(x * 1.5 - 1.5), NEAR),
    "a square of noise": (lambda x: (x * 1.5 - 1.5) ** 2, NEAR),
}


@pytest.mark.parametrize("name", one_of_each(NOT_LINEAR, ["a comparison", "a square of noise"]))
def test_it_is_seen_where_the_first_order_does_not_hold(name: str) -> None:
    f, where = NOT_LINEAR[name]
    assert not ran(f, np.array(where))[1]
    assert ran(f, np.array(1.1))[1]


@pytest.mark.slow
def test_it_is_seen_whichever_way_the_draws_go() -> None:
    """All four draws lead away from the tie once in 16 times."""
    where = np.array(NEAR)
    seen = [ran(lambda x: jnp.maximum(x * 1.5, 1.5), where, seed=seed)[1] for seed in range(60)]
    assert not any(seen)


#: Products of two operands that both move, as a function of both and of a matrix.
BILINEAR: dict[str, Any] = {
    "a scalar product": lambda x, y: x @ y,
    "a product of matrices": lambda x, y: jnp.einsum("i,j->ij", x, y),
    "a convolution": lambda x, y: lax.conv_general_dilated(
        x[None, None], y[None, None], (1,), "VALID"
    ),
}


@pytest.mark.parametrize("name", one_of_each(BILINEAR, ["a scalar product"]))
@pytest.mark.parametrize("rounded", [True, False])
def test_a_product_of_noise_is_not_of_first_order(name: str, rounded: bool) -> None:
    """Of x·1.5 - 1.5 and x - 1, where x is 1 up to ulps: their changes are as large."""
    f, x = BILINEAR[name], np.array([NEAR, NEAR, 1 - 2 * U])

    def noise(x: Any) -> Any:
        return f(x * 1.5 - 1.5, x * 1.7 - 1.7)

    assert not ran(noise, x, rounded=rounded)[1]
    assert ran(noise, x + 0.1, rounded=rounded)[1]
    one_moves = ran(lambda x: f(x * 1.5 - 1.5, jnp.array([0.3, 0.5, 0.7])), x, rounded=rounded)
    assert one_moves[1]


def test_changes_that_are_no_numbers_do_not_hold() -> None:
    """∞ - ∞: the terms of sums that are 0 are too large for the rounding of these to be a float."""
    x = np.array([1.5e308, -1.5e308] * 7).reshape(7, 2)
    found, holds = ran(lambda x: jnp.sum(jnp.sum(x, axis=1)), x)
    assert np.isnan(found).all()
    assert not holds


def measured(loss: Any, *point: Any) -> Tolerances:
    case = problem(loss, *point)
    return measure(case, certify(case), seed=0)


@pytest.mark.slow
def test_both_tolerances_are_those_of_runs_in_balls() -> None:
    """Two samples of few draws: alike in the median, and seldom far from each other."""
    _, loss, *point = network((5, 32, 7), 3)
    mine = measured(loss, *point)
    assert mine.in_floats is not None
    floats, (*_, drawn) = mine.full, mine.drawn()
    assert mine.full.unit.tolist() == np.fmax(floats.unit, drawn.unit).tolist()
    exact = mine.in_balls
    assert mine.full is exact
    for one, other in ((floats.unit, exact.unit), (floats.loose, exact.loose)):
        ratio = one / other
        assert 0.8 < np.median(ratio) < 1.25
        assert np.mean((ratio > OTHER) | (ratio < 1 / OTHER)) < 0.02
        assert 0.05 < ratio.min() < ratio.max() < 20
    assert not floats.jump.any()
    assert (balls.midpoints(floats.program) == balls.midpoints(exact.program)).all()


@pytest.mark.slow
def test_other_draws_may_show_a_quarter_or_four_times_as_much_but_the_estimate_counts() -> None:
    mine = measured(lambda w, x: jnp.sum(jnp.sin(x @ w)), W, X)
    *_, estimate = mine.estimated()
    of_loose, of_unit = set(), set()
    for other in mine.others():
        of_loose |= {*np.round(other.loose / mine.full.loose, 6)}
        of_unit |= {*np.round(other.unit / mine.full.unit, 6)}
        assert (other.unit >= estimate.unit).all()
    assert of_loose == {1 / OTHER, OTHER}
    assert max(of_unit) == OTHER
    assert 1 / OTHER < min(of_unit) < 1


def squares(w: Any) -> Any:
    """The sum of squares of residuals that are exactly 0 at (0.5, 0.25)."""
    r = w @ np.array([[1.5, 0.75, -1.25], [0.5, -2.5, 3.0]]) - np.array([0.875, -0.25, 0.125])
    return r @ r


#: Losses that are measured in balls: w, and why.
IN_BALLS: dict[str, tuple[Any, Any]] = {
    "squares of residuals of 0": (lambda w: w[0] * squares(w[1:]), np.array([0.3, 0.5, 0.25])),
    "digits lost in 1 - tanh²": (lambda w: jnp.sum(1 - jnp.tanh(w) ** 2), np.full(4, 17.3)),
    "a factorisation": (lambda w: lax.linalg.cholesky(w)[0, 0], np.array([[2.3]])),
    "selected by rounding": (lambda w: jnp.sum(jnp.maximum(jnp.exp(w), np.e - 4 * U)), np.ones(4)),
    "selected by data": (lambda w: jnp.sum(jnp.maximum(w, 0.3 + 8 * U) * w), np.full(4, 0.3)),
}


@pytest.mark.parametrize("name", one_of_each(IN_BALLS, ["digits lost in 1 - tanh²"]))
def test_else_it_is_measured_in_balls(name: str) -> None:
    loss, w = IN_BALLS[name]
    mine = measured(loss, w)
    assert mine.in_floats is None
    assert mine.full.loose.any()


@pytest.mark.slow
@pytest.mark.parametrize(("off", "shown"), [(20, True), (40, False)])
def test_a_result_that_its_rounding_does_not_explain_shows_nothing(
    off: float, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = linearised.changes

    def less_exact(*args: Any, **options: Any) -> Any:
        found = compute(*args, **options)
        assert found is not None
        return found._replace(result=found.result + off * found.changes)

    monkeypatch.setattr(linearised, "changes", less_exact)
    assert (measured(lambda w: jnp.sum(jnp.sin(w)), np.full(4, 0.3)).in_floats is not None) == shown


def test_a_ruling_needs_no_run_in_balls_unless_it_depends_on_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a wrong gradient does, nor one with lost digits, nor a report."""
    gradient, loss, *point = network((5, 32, 7), 3)

    def judged(error: float) -> Any:
        def answer(*point: Any) -> Any:
            grads = gradient(*point)
            grads[0]["w"][2, 3] *= 1 + error
            return grads

        return check_gradient(answer, loss, *point, points=0)

    limit = judged(0.0).leaves[1]
    one = float(limit.sharp / abs(gradient(*point)[0]["w"][2, 3]))

    def drawn(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(measuring, "_changes_by_program", drawn)
    for error, verdict in ((0.0, "agree"), (1.0, "disagree"), (1e-3, "disagree")):
        report = judged(error)
        assert report.verdict == verdict
        assert all(0 < leaf.sharp < leaf.loose for leaf in report.leaves)
    with pytest.raises(ZeroDivisionError):
        judged(2 * one)


@pytest.mark.slow
def test_each_leaf_that_other_draws_may_judge_otherwise_is_measured_in_balls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where another one is wrong whatever they show."""
    loss, params = (lambda p: sum(jnp.sum(jnp.sin(w)) for w in p)), [W, X]

    def gradient(p: Any) -> Any:
        return [2 * np.cos(p[0]), np.cos(p[1]) * (1 + off)]

    off = 0.0
    exact = check_gradient(gradient, loss, params, points=0).leaves[1]
    between = 2 * exact.sharp / abs(exact.yours)

    def drawn(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(measuring, "_changes_by_program", drawn)
    off = 1e-3
    assert check_gradient(gradient, loss, params, points=0).verdict == "disagree"
    off = between
    with pytest.raises(ZeroDivisionError):
        check_gradient(gradient, loss, params, points=0)

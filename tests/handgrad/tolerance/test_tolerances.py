"""The two tolerances: how far from the reference an answer may be."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.arithmetic import balls
from handgrad.clock import OutOfTimeError
from handgrad.data.point import point_at
from handgrad.judging.case import Case
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.oracle import evaluate
from handgrad.oracle.certify import certify
from handgrad.oracle.numpy_losses import certify as numpy_certify
from handgrad.oracle.truncation import Changes
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.tolerance import first_order as estimates
from handgrad.tolerance import measuring, tolerances_numpy
from handgrad.tolerance.measuring import measure
from handgrad.tolerance.monte_carlo import MonteCarlo
from handgrad.tolerance.runs import LOOSE_DRAWS, SHARP, SHARP_DRAWS, half_an_ulp_away
from handgrad.tolerance.tolerances import LOOSE, Tolerance, Tolerances
from tests.corpus.operations import log_sums
from tests.handgrad.oracle.problems import by_jax, hidden, problem

BOTH = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def measured(loss: Any, params: Any, *inputs: Any, seed: int = 0) -> tuple[Tolerance, np.ndarray]:
    case = problem(loss, params, *inputs)
    reference = certify(case)
    return measure(case, reference, seed).full, balls.midpoints(reference.gradient)


@BOTH
def test_floats_stand_for_values_half_an_ulp_away(dtype: Any) -> None:
    x = np.array([0.3, -1.7, 1e-40, 3e7, 0.0, -0.0, 1.0, -1.0, np.inf], dtype)
    with balls.precision(300):
        (moved,) = half_an_ulp_away([x], np.random.default_rng(0))
        gaps = balls.midpoints(np.array(moved[:-1] - balls.exact(x[:-1])))
    np.testing.assert_array_equal(np.abs(gaps[:4]), np.abs(np.spacing(x[:4])).astype(float) / 2)
    assert not gaps[4:].any()
    assert float(moved[-1]) == np.inf


def test_half_ulps_go_both_ways_and_differ_from_draw_to_draw() -> None:
    rng = np.random.default_rng(0)
    x = np.full(64, 0.3)
    with balls.precision(300):
        gaps = [half_an_ulp_away([x], rng)[0] - balls.exact(x) for _ in range(2)]
    draws = [np.sign(balls.midpoints(gap)) for gap in gaps]
    assert all(20 < np.sum(draw > 0) < 44 for draw in draws)
    assert (draws[0] != draws[1]).any()


def hilbert(n: int) -> np.ndarray:
    i = np.arange(n)
    return 1.0 / (i[:, None] + i[None, :] + 1.0)


def least_squares(p: Any, a: Any, b: Any) -> Any:
    return jnp.sum((a @ p - b) ** 2)


def first_order(p: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The most that half an ulp in every number moves 2 aᵀ(a p - b), to first order; 0 and ±1
    stay.
    """
    half = [np.where(np.abs(v) == 1, 0, np.spacing(np.abs(v)) / 2) for v in (p, a, b)]
    r = np.abs(a @ p - b)
    of_a = half[1].T @ r + np.abs(a).T @ (half[1] @ np.abs(p))
    return 2 * (np.abs(a.T @ a) @ half[0] + of_a + np.abs(a).T @ half[2])


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_sharp_yardstick_is_the_conditioning(n: int) -> None:
    """Near the solution of Hilbert's system the residual is small and every digit of it counts."""
    a, p = hilbert(n), np.linspace(0.7, 1.9, n)
    b = a @ p + 1e-9 * np.cos(np.arange(n))
    measures, reference = measured(least_squares, p, a, b)
    most = first_order(p, a, b)
    assert (measures.unit <= most + np.spacing(np.abs(reference))).all()
    assert (measures.unit >= most / 20).all()
    assert (measures.unit / np.abs(reference) > 1e-9).all()
    assert (np.abs(by_jax(least_squares, p, a, b)[1] - reference) <= measures.sharp).all()


def test_without_a_gradient_program_series_show_the_conditioning() -> None:
    a, p = hilbert(3), np.linspace(0.7, 1.9, 3)
    b = a @ p + 1e-9 * np.cos(np.arange(3))
    case = problem(least_squares, p, a, b)
    case = replace(case, traced=replace(case.traced, gradient=None, plain=lambda: None))
    reference = certify(case)
    assert reference.program is None
    unit, most = measure(case, reference, seed=0).full.unit, first_order(p, a, b)
    assert (unit <= most + np.spacing(np.abs(balls.midpoints(reference.gradient)))).all()
    assert (unit >= most / 20).all()


def test_a_wrong_rule_does_not_change_the_units() -> None:
    def f(p: Any) -> Any:
        return jnp.sum(jnp.exp(9.0 * p))

    x = np.array([0.3, -1.7])
    (right, _), (wrong, _) = (measured(loss, x) for loss in (f, hidden(f)))
    np.testing.assert_allclose(wrong.unit, right.unit, rtol=1e-6)


def test_each_draw_adds_to_the_sharp_tolerance_until_it_is_full() -> None:
    case = problem(lambda p: jnp.exp(jnp.sum(jnp.sin(9.0 * p))), np.cos(np.arange(5.0)))
    reference = certify(case)
    tolerances = measure(case, reference, seed=0)
    tolerances.truncation = Changes(0.5, np.arange(1.0, 6.0))
    steps = [*tolerances.estimated(), *tolerances.drawn()]
    units = [step.unit for step in steps]
    for step in (*steps, tolerances.full):
        np.testing.assert_allclose(step.sharp, np.arange(1.0, 6.0), rtol=1e-9)
        assert step.sharp_of_loss == pytest.approx(0.5)
    assert len(units) == 1 + SHARP_DRAWS
    half_ulps = np.spacing(np.abs(balls.midpoints(reference.gradient))) / 2
    assert units[0].tolist() == half_ulps.tolist()
    assert all((before <= after).all() for before, after in pairwise(units))
    assert (units[-1] > units[0]).all()
    assert units[-1].tolist() == tolerances.full.unit.tolist()


def by_program() -> Tolerances:
    case = problem(lambda p: jnp.exp(jnp.sum(jnp.sin(9.0 * p))), np.cos(np.arange(5.0)))
    return measure(case, certify(case), seed=0)


def by_series() -> Tolerances:
    case = problem(lambda p: jnp.exp(jnp.sum(jnp.sin(9.0 * p))), np.cos(np.arange(5.0)))
    case = replace(case, traced=replace(case.traced, gradient=None, plain=lambda: None))
    return measure(case, certify(case), seed=0)


def of_numpy() -> Tolerances:
    case = Case(np.exp, lambda x: np.exp(np.sum(np.sin(9.0 * x))))
    case = NumpyLoss(case).problem(point_at(np.cos(np.arange(5.0)), ()))
    return tolerances_numpy.measure(case, numpy_certify.certify(case), seed=0)


#: How changes are drawn, what every run calls, how many runs there are for the sharp tolerance (by
#: series one of them at the point), and for the loose one.
DRAWN: dict[str, tuple[Any, Any, str, int, int]] = {
    "program": (by_program, measuring, "run", SHARP_DRAWS, LOOSE_DRAWS),
    "series": (by_series, evaluate, "slopes", 1 + SHARP_DRAWS, 0),
    "numpy": (of_numpy, tolerances_numpy.Around, "_run", SHARP_DRAWS, LOOSE_DRAWS),
}


def same(one: Tolerance, other: Tolerance) -> bool:
    arrays = ("unit", "loose", "unit_of_loss", "loose_of_loss", "jump")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutOfTimeError])
@pytest.mark.parametrize("name", DRAWN)
def test_a_draw_that_is_broken_off_is_done_again(
    name: str, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever it is; of those for the sharp tolerance no other one is."""
    made, owner, called, sharp, loose = DRAWN[name]
    undisturbed, calls = made().full, []
    run = getattr(owner, called)

    def broken_off(*args: Any, **options: Any) -> Any:
        found = run(*args, **options)
        calls.append(0)
        if len(calls) == at:
            raise error
        return found

    for at in range(1, sharp + loose + 1):
        mine = made()
        with monkeypatch.context() as patched:
            patched.setattr(owner, called, broken_off)
            calls.clear()
            with pytest.raises(error):
                _ = mine.full
            assert same(mine.full, undisturbed)
        assert len(calls) == at + sharp + loose - min(at - 1, sharp)


def test_an_estimate_that_is_broken_off_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "LARGE", 0)
    estimate, undisturbed, calls = estimates.estimate, by_program().full, []

    def broken_off(*args: Any) -> Any:
        calls.append(0)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return estimate(*args)

    monkeypatch.setattr(estimates, "estimate", broken_off)
    mine = by_program()
    with pytest.raises(KeyboardInterrupt):
        _ = [*mine.estimated()]
    assert same(mine.full, undisturbed)
    assert len(calls) == 2


def test_a_branch_on_an_undefined_number_at_a_kink_has_units() -> None:
    """The comparison with the logarithm of a negative number is false at every precision."""
    measures, _ = measured(
        lambda p: jnp.where(jnp.log(-jnp.exp(p[0])) > 0, 5.0, 7.0) * p[1] + jnp.abs(p[2]),
        np.array([0.7, 0.3, 0.0]),
    )
    assert (measures.unit[1:] > 0).all()
    assert (measures.unit < 1e-15).all()


def test_where_nothing_moves_half_an_ulp_of_the_largest_about_it_counts() -> None:
    def loss(p: Any) -> Any:
        return p["a"][0] * 3.0 + p["a"][1] * 0.0 + jnp.sum(p["b"].astype(jnp.float64) * 0.0)

    at = {"a": np.ones(2), "b": np.ones(2, np.float32)}
    measures, _ = measured(loss, at)
    assert measures.unit.tolist() == [2.0**-52, 3 * 2.0**-53, *[3 * 2.0**-24] * 2]
    assert measures.sharp.tolist() == (SHARP * measures.unit).tolist()


def test_where_all_is_zero_rounding_is_the_size() -> None:
    def loss(p: Any) -> Any:
        return jnp.sum(jnp.sin(p) ** 2 + jnp.cos(p) ** 2)

    measures, reference = measured(loss, np.array([0.3, 1.2, -0.7]))
    assert np.max(np.abs(reference)) < 1e-300
    assert ((measures.unit > 1e-17) & (measures.unit < 1e-15)).all()


@BOTH
def test_each_leaf_has_the_units_of_its_format(dtype: Any) -> None:
    measures, reference = measured(lambda p: jnp.sum(jnp.exp(p)), np.array([0.3, -1.7], dtype))
    spacing = float(np.finfo(dtype).eps)
    assert (measures.unit >= spacing / 4 * np.abs(reference)).all()
    assert (measures.unit <= 2 * spacing * np.abs(reference)).all()
    assert (measures.loose >= LOOSE * spacing / 4 * np.abs(reference)).all()
    assert (measures.loose <= LOOSE * 4 * spacing * np.abs(reference)).all()
    assert 0 < measures.unit_of_loss < measures.loose_of_loss < 100 * spacing


def test_lost_digits_are_rounding_and_not_conditioning() -> None:
    """σ(1 - σ) at 31 has four digits left; the number itself is well conditioned."""

    def loss(z: Any) -> Any:
        return jax.nn.sigmoid(z)

    measures, reference = measured(loss, 31.0)
    error = np.abs(by_jax(loss, 31.0)[1] - reference)
    assert (error > 1e-5 * reference).all()
    assert (measures.sharp < 1e-11 * reference).all()
    assert (error <= measures.loose).all()
    assert np.max(np.abs(balls.midpoints(measures.program) / reference - 1)) < 1e-15


def test_a_tie_does_not_fall_to_either_side_by_chance() -> None:
    """max(a, b) where both are equal numbers, each moved by itself."""
    at = np.full(7, 0.3, np.float32)
    b = jnp.asarray(at)

    def loss(p: Any, c: Any) -> Any:
        return jnp.sum(jnp.maximum(p, c) * 5.0 + jnp.maximum(p, b) + p**2)

    measures, reference = measured(loss, at, at)
    assert (measures.unit < 1e-6).all()
    assert (measures.loose < 1e-4).all()
    assert np.abs(reference).max() > 0.5


def test_constants_in_the_closure_move_as_well() -> None:
    x = np.array([0.3, 0.7, 1.9])
    inside, _ = measured(lambda p: jnp.exp(jnp.sum(p * jnp.asarray(x)) * 100.0), np.zeros(3))
    outside, _ = measured(lambda p, x: jnp.exp(jnp.sum(p * x) * 100.0), np.zeros(3), x)
    assert (inside.unit > 2e-15).all()
    np.testing.assert_allclose(inside.unit, outside.unit, rtol=1.0)


def test_the_seed_decides() -> None:
    x = np.cos(np.arange(5.0))
    one, same, other = (
        measured(lambda p: jnp.sum(jnp.sin(p) ** 3), x, seed=seed)[0] for seed in (1, 1, 2)
    )
    assert one.unit.tolist() == same.unit.tolist()
    assert one.loose.tolist() == same.loose.tolist()
    assert one.loose.tolist() != other.loose.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_a_window_whose_start_is_infinite_is_certified(factor: float) -> None:
    """logaddexp leaves a number as it is beside -inf, but not one that simulated rounding moves."""
    x = np.random.default_rng(0).normal(size=(4, 3))

    def loss(w: Any) -> Any:
        return jnp.sum(log_sums(w) * jnp.cos(w[1:, :2]))

    def gradient(w: Any) -> Any:
        with jax.enable_x64(True):
            return factor * np.asarray(jax.grad(loss)(w))

    report = check_gradient(gradient, loss, x, points=1)
    assert report.verdict == ("agree" if factor == 1 else "disagree")
    assert all(leaf.loose >= 0 for leaf in report.leaves)
    assert report.certificate.startswith("every element by power series")


@pytest.mark.parametrize("what", ["after", "before"])
def test_where_a_perturbed_run_has_no_rule_nothing_is_excused(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_rule(*_: Any) -> Any:
        raise UncertifiedPrimitiveError("tanh")

    monkeypatch.setattr(MonteCarlo, what, without_rule)
    x = np.array([0.3, -1.2])
    for factor, verdict in ((1.0, "agree"), (1 + 1e-9, "disagree")):
        report = check_gradient(
            lambda w, f=factor: f * (1 - np.tanh(w) ** 2),
            lambda w: jnp.sum(jnp.tanh(w)),
            x,
            points=1,
        )
        assert report.verdict == verdict
        assert [leaf.loose for leaf in report.leaves] == [0.0]


def test_eigenvalues_that_rounding_leaves_too_near_to_tell_apart() -> None:
    x = np.random.default_rng(7).standard_normal(17)

    def loss(x: Any) -> Any:
        near = jnp.exp(-((x[:, None] - x[None]) ** 2)) + jnp.eye(len(x))
        return jnp.sum(jnp.linalg.eigvalsh(near) ** 1.5)

    wrong = check_gradient(lambda x: 1.5 * jax.grad(loss)(x), loss, x, points=0)
    assert wrong.verdict == "disagree"

"""The certified gradient: numbers known otherwise, precision, zeros, programs held to series."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax import lax

from handgrad import check_gradient
from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, MorePrecisionNeededError
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.oracle import certify as certifying
from handgrad.oracle import evaluate, random_directions
from handgrad.oracle.certify import QUICK, certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import BITS, Reference, UndecidableError, element_scale
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.tolerance.measuring import measure
from tests.handgrad.oracle.problems import certified, gradient, problem
from tests.tiers import slowly

START = np.array([1.0, 1, 1, 1, 1, 1, 0, 0, 0])


def article(p: Any, x: Any, y: Any) -> Any:
    h1 = jax.nn.sigmoid(p[0] * x[0] + p[1] * x[1] + p[6])
    h2 = jax.nn.sigmoid(p[2] * x[0] + p[3] * x[1] + p[7])
    return (y - jax.nn.sigmoid(p[4] * h1 + p[5] * h2 + p[8])) ** 2


@pytest.mark.parametrize("method", ["series", "program"])
def test_alice_has_the_printed_gradient(method: str) -> None:
    w1, w2, w5, b3 = 0.0214695352658111, 0.0107347676329056, -0.0112692202429582, -0.237617559528428
    reference = certified(article, START, np.array([-2.0, -1.0]), 1.0, method=method)
    expected = [w1, w2, w1, w2, w5, w5, -w2, -w2, b3]
    np.testing.assert_allclose(balls.midpoints(reference.gradient), expected, rtol=5e-15)
    assert float(reference.loss.mid()) == pytest.approx(0.226866287190871, rel=3e-15)


@pytest.mark.parametrize("e", [80, slowly(550)])
def test_cancellation_that_takes_more_bits(e: int) -> None:
    """((x + 2^2e) - 2^2e)² by factors that floats can hold."""

    def loss(x: Any) -> Any:
        large = lax.optimization_barrier(jnp.float64(2.0**e)) ** 2
        return ((x + large) - large) ** 2

    reference = certified(loss, 0.3)
    assert reference.bits >= 2 * e + 80
    assert (reference.gradient[0] - 2 * arb(0.3)).contains(0)
    assert balls.radii(reference.gradient)[0] < 2.0**-80


def test_an_exact_zero_by_cancellation() -> None:
    """d/dx of sin² x + cos² x is 0, and no precision gives it relative bits."""
    reference = certified(
        lambda p: jnp.sin(p[0]) ** 2 + jnp.cos(p[0]) ** 2 + p[1], np.array([0.7, 2])
    )
    assert reference.gradient[0].contains(0)
    assert abs(reference.gradient[0]) < arb(2) ** -1400
    assert reference.gradient[1] == 1


@pytest.mark.parametrize("tiny", [1e-60, -1e-290])
def test_a_tiny_number_beside_large_ones_is_no_zero(tiny: float) -> None:
    """Its enclosure contains 0 until there are bits enough."""

    def loss(p: Any, c: Any) -> Any:
        return (p[0] + c) * 1e10 - p[0] * 1e10 + p[1] * 1e10 + (jnp.exp(p[0] * c) - 1.0)

    reference = gradient(loss, np.array([0.7, 1.0]), np.float64(tiny))
    assert reference[0] == pytest.approx(tiny, rel=1e-15)
    assert reference[1] == 1e10


def test_a_tie_that_no_precision_proves_and_that_does_not_matter() -> None:
    reference = certified(
        lambda p: jnp.abs(jnp.exp(p[0]) / jnp.exp(p[1]) - 1.0) ** 2 + p[2], np.array([0.7, 0.7, 1])
    )
    assert reference.bits == BITS[-1]
    assert balls.midpoints(reference.gradient).tolist() == [0.0, 0.0, 1.0]
    assert reference.kink is None
    assert reference.program is not None


def network(p: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ p["w"] + p["b"][None, :])
    return jnp.mean((h @ p["v"] - y) ** 2)


def network_at(n_in: int, n_hidden: int, n_out: int) -> Any:
    rng = np.random.default_rng(11)
    params = {
        "w": rng.normal(size=(n_in, n_hidden)),
        "b": rng.normal(size=n_hidden),
        "v": rng.normal(size=(n_hidden, n_out)),
    }
    return params, rng.normal(size=(2, n_in)), rng.normal(size=(2, n_out))


def test_both_methods_agree_on_a_network_of_a_hundred_parameters() -> None:
    point = network_at(7, 11, 3)
    series, program = (certified(network, *point, method=m) for m in ("series", "program"))
    assert series.gradient.size == 121
    assert "every element" in series.how
    assert "held to" in program.how
    for p, q in zip(series.gradient, program.gradient, strict=True):
        assert p.overlaps(q)
        # What a random direction does not see belongs to the enclosure.
        assert arb(2) ** -59 * abs(p) <= q.rad() <= arb(2) ** -57 * abs(p)
    assert series.program is not None
    assert series.known.all()
    assert program.known.all()


@pytest.mark.parametrize("element", [0, 40, 120])
def test_holding_catches_one_tiny_element_that_is_off_by_2_to_the_minus_50(element: int) -> None:
    params, x, y = network_at(7, 11, 3)
    params["w"][:] *= 1e-30  # some elements are far smaller than others
    case = problem(network, params, x, y)
    assert case.traced.gradient is not None

    def is_consistent(gradient: np.ndarray) -> bool:
        scale = element_scale(case, gradient)
        return random_directions.is_consistent(case, gradient, scale, bits=768)

    with balls.precision(768):
        _, right = evaluate.gradient(case, case.traced.gradient, case.arguments(), Comparisons())
        assert is_consistent(right)
        wrong = right.copy()
        wrong[element] = wrong[element] * (1 + arb(2) ** -50)
        assert not is_consistent(wrong)
        wrong[element] = right[element] + arb(0, 2.0**-50) * right[element]
        with pytest.raises(MorePrecisionNeededError):
            is_consistent(wrong)


def test_data_in_the_closure_is_data() -> None:
    c = np.array([0.1, -0.3, 0.7])
    at = np.array([1.5, 2.5, -3.5])
    reference = gradient(lambda p: jnp.sum(p * p * jnp.asarray(c)), at)
    np.testing.assert_array_equal(reference, 2 * at * c)


def test_what_has_no_rule_is_named() -> None:
    """A sampler that rejects what it draws has no derivative, though JAX has a rule for one."""
    with pytest.raises(UncertifiedPrimitiveError, match="random_gamma") as caught:
        certified(lambda p: jax.random.gamma(jax.random.key(0), p[0]), np.array([0.3]))
    assert caught.value.name == "random_gamma"


@pytest.mark.parametrize("at", [0.0, -1.0])
def test_what_is_not_finite_is_undecidable(at: float) -> None:
    with pytest.raises(UndecidableError, match="not finite"):
        certified(lambda x: jnp.sqrt(x), at)


@pytest.mark.parametrize("method", ["series", "program"])
def test_what_is_finite_at_more_bits_is_certified(method: str) -> None:
    """At few bits exp(tiny) - 1 may be 0, which has no logarithm."""

    def loss(p: Any) -> Any:
        return jnp.sum(jnp.log(jnp.exp(p * 1e-100) - 1.0))

    assert gradient(loss, np.array([0.7, 2.0]), method=method).tolist() == [1 / 0.7, 0.5]


@pytest.mark.parametrize("method", ["series", "program"])
def test_a_loss_of_data_alone_has_a_gradient_of_zeros(method: str) -> None:
    reference = certified(lambda p, x: jnp.sum(x), np.ones(3), START, method=method)
    assert balls.midpoints(reference.gradient).tolist() == [0.0, 0.0, 0.0]


def sampled(
    loss: Any, at: np.ndarray, suspects: tuple[int, ...] = (), seconds: float = 0.0
) -> tuple[Problem, Reference]:
    """Return a problem and what is certified of it at 192 bits, if a run takes a second."""
    case = replace(problem(loss, at), suspects=suspects)
    with balls.precision(192):
        return case, random_directions.by_sample(case, 192, seconds, took=1.0)


def test_a_sample_has_a_unit_for_each_known_element() -> None:
    at = np.linspace(0.1, 2, 11)
    at[1] = at[0]  # a tie that does not matter
    case, reference = sampled(
        lambda p: jnp.sum(jnp.exp(9 * p)) + jnp.abs(p[0] - p[1]) ** 2, at, suspects=(0, 1)
    )
    known = reference.known
    assert known.sum() == random_directions.FEWEST
    where = "drawn at random and from where the witnesses differ,"
    assert reference.how == f"8 of 11 elements, {where} by power series in ball arithmetic"
    assert known[:2].all()
    assert not balls.midpoints(reference.gradient[~known]).any()
    expected = 9 * np.exp(9 * at)
    np.testing.assert_allclose(balls.midpoints(reference.gradient)[known], expected[known], 1e-14)
    # Half an ulp of the parameter, and of the slope itself.
    half = 9 * expected * np.spacing(at) / 2 + np.spacing(expected) / 2
    unit = measure(case, reference, seed=0).full.unit
    np.testing.assert_allclose(unit[known], half[known], 0.02)


def test_of_a_sample_without_suspects_all_are_drawn() -> None:
    _, reference = sampled(jnp.sum, np.zeros(11))
    assert reference.how.startswith("8 of 11 elements, drawn at random by power series")
    _, reference = sampled(jnp.sum, np.zeros(11), seconds=66.0)
    assert reference.how.startswith("every element by power series")


@pytest.mark.parametrize(("seconds", "how"), [(9.9, "8 of"), (10.0, "JAX's gradient program")])
def test_a_point_that_takes_as_long_as_it_may_is_certified_as_a_whole(
    seconds: float, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifying, "_probed", lambda *_: (QUICK, 1.0))
    case = problem(lambda p: jnp.sum(jnp.sin(p)), np.ones(50))
    assert certify(case, seconds=seconds).how.startswith(how)


def test_a_kink_in_a_sample_is_undecidable() -> None:
    with pytest.raises(UndecidableKinkError, match="a kink in a gradient of so many elements"):
        sampled(lambda p: jnp.sum(jnp.abs(p)), np.zeros(11))


def test_no_parameters_in_a_leaf() -> None:
    reference = certified(lambda p: p[0] ** 2 + p[1].sum(), (3.0, np.zeros((0, 2))))
    assert balls.midpoints(reference.gradient).tolist() == [6.0]


def test_a_trusted_rule_is_taken_at_its_word() -> None:
    @jax.custom_vjp
    def straight(x: Any) -> Any:
        return jnp.tanh(x)

    straight.defvjp(lambda x: (straight(x), None), lambda _, ct: (ct,))
    case = problem(lambda p: jnp.sum(straight(p) * 3.0), np.array([0.3, 0.5]))
    own = certify(case)
    taken = certify(replace(case, trusted=frozenset({"straight"})))
    expected = 3 * (1 - np.tanh([0.3, 0.5]) ** 2)
    np.testing.assert_allclose(balls.midpoints(own.gradient), expected, rtol=1e-15)
    assert own.program is None or own.program is case.traced.plain()
    assert balls.midpoints(taken.gradient).tolist() == [3.0, 3.0]


def test_of_a_trusted_rule_that_is_not_linear_no_run_of_another_program_is_kept() -> None:
    """The tolerances repeat the comparisons of a run, and only clipping makes some."""

    @jax.custom_vjp
    def clipped(x: Any) -> Any:
        return x

    clipped.defvjp(lambda x: (x, None), lambda _, ct: (jnp.clip(ct, -1.0, 1.0),))
    w = np.linspace(0.2, 0.8, 30)
    case = problem(lambda w: jnp.sum(clipped(w) ** 3), w, trusted=frozenset({"clipped"}))
    reference = certify(case, "program")
    assert reference.program is case.traced.gradient
    tolerance = measure(case, reference, seed=0).full
    expected = np.clip(3 * w**2, -1.0, 1.0)
    np.testing.assert_allclose(balls.midpoints(tolerance.program), expected, rtol=1e-15)


def test_exact_zeros_beside_a_verified_program_need_no_further_draw() -> None:
    """It may be off by 2⁻⁵⁸ of what is around them, which no draw for other data explains."""
    w = np.array([0.0, -0.0, 0.75])
    report = check_gradient(
        lambda w: 2 * w, lambda w: jnp.sum(w**2), w, points=0, referee="program"
    )
    assert report.trial.outcomes[0].ruling.sufficed is not None

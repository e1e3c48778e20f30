"""By hand and by autodiff: the two gradients agree at random weights, inputs and targets.

"Agree" means: within what rounding explains, as `compare.rounding` derives it. Both are compared
with the exact gradient as well, because two that agree may both be wrong. Where rounding explains
much, agreement is weak evidence, so the tests count the examples at which it is strong.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

import autodiff.article
import manual.article
import manual.network
from compare.agreement import AUTODIFF_FORM, NAMES, hand_gradient, stack
from compare.bounds import gradient_ranges, output_range
from compare.networks.ranges import output_ranges
from compare.rounding import TINY, U, exactly
from manual.activations import SIGMOID_DERIVATIVES
from manual.article import Parameters
from manual.network import Network
from tests import exact, network_strategies
from tests.equivalence import NetworkVerdicts, by_autodiff, says_much, verdict_on
from tests.network_strategies import Described
from tests.strategies import Point, drawn_points, points
from tests.tiers import examples_are_fixed, fewer

forms = pytest.mark.parametrize("form", SIGMOID_DERIVATIVES)


#: Where an intermediate product underflows in one order of multiplication and not in the other.
UNDERFLOWS = [
    Point(
        Parameters(*map(np.float64, (0, 0, 0, 0, w5, 1, b1, 0, 0))),
        np.array([x1, 1.0]),
        np.float64(1),
    )
    for w5, b1, x1 in [(1e-300, -37, 1e60), (1e-200, -300, 1e30), (1e-160, -368, 1e60)]
]


@pytest.mark.hypothesis  # which is not seen from outside: the thorough profile runs it, too
@forms
def test_by_hand_and_by_autodiff_agree(form: str) -> None:
    """At every example, of which three in ten and more know all nine elements to six digits."""
    informative, targets = [], []

    @fewer(1 if form == "stable" else 3)  # of the other form, autodiff's own
    @given(point=points)
    @example(point=UNDERFLOWS[0])
    @example(point=UNDERFLOWS[1])
    @example(point=UNDERFLOWS[2])
    def agree(point: Point) -> None:
        verdict = verdict_on(hand_gradient(form), point, form)
        note(f"{verdict}")
        assert np.isfinite(verdict.bound).all()
        assert verdict.agree.all()
        apart = np.abs(verdict.by_hand - verdict.autodiff)
        assert np.all((verdict.ulps == 0) | (apart <= verdict.bound))
        informative.append(says_much(verdict).all())
        targets.append(float(point.y))

    agree()
    if examples_are_fixed():
        assert np.mean(informative) > 0.3
        assert np.mean([not 0 <= target <= 1 for target in targets]) > 0.3
        assert np.mean(np.isin(targets, (0, 1))) > 0.3


#: Both kinds of loss on logits, and one on outputs; one, two and three layers.
NETWORKS = (
    Described(Network((3, 2, 5), "tanh", loss="softmax-ce", l2=0.01), 11),
    Described(Network((2, 7, 5, 3), "gelu", "sigmoid", loss="mse"), 13),
    Described(Network((5, 3), loss="bce"), 7),
)


@pytest.mark.hypothesis
@pytest.mark.parametrize("of", NETWORKS, ids=str)
def test_general_networks_agree_by_hand_and_by_autodiff(of: Described) -> None:
    verdict_at, informative = NetworkVerdicts(of), []

    @fewer(4)  # of whole networks
    @given(point=network_strategies.points(of))
    def agree(point: network_strategies.Point) -> None:
        verdict = verdict_at(point)
        note(f"{verdict}")
        assert verdict.agree.all()
        informative.append(np.mean(says_much(verdict)) >= 0.9)

    agree()
    if examples_are_fixed():
        assert np.mean(informative) > 0.4


@pytest.mark.parametrize("of", NETWORKS, ids=str)
def test_predictions_of_general_networks_lie_where_they_must(of: Described) -> None:
    """Probabilities where the loss is on logits."""
    for kind in network_strategies.SCALES:
        params, x, _ = network_strategies.draw_point(of, seed=7, kind=kind)
        span = output_ranges(of.network, [(w[None], b[None]) for w, b in params], x[None])
        by_hand = manual.network.predict(of.network, params, x)
        assert span.contains(by_hand).all()
        if kind == "ordinary":
            assert np.all(span.hi - span.lo <= 1e-11 * np.abs(by_hand))


@pytest.mark.slow
def test_examples_are_the_same_whatever_is_imported(tmp_path: Path) -> None:
    """Hypothesis takes constants from modules that are not installed; none reaches our draws."""
    of_networks = network_strategies.points(NETWORKS[2]).map(lambda point: point.x[0, 0].item())
    drawn = st.tuples(points, *[of_networks] * 5)
    reached = st.lists(st.floats(-8, 8), min_size=30)
    before, reached_before = _examples(drawn), _examples(reached)
    path = tmp_path / "full_of_constants.py"
    path.write_text(f"CONSTANTS = {[(n, n / 7, -n / 7) for n in range(-100, 250)]}\n")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    with pytest.MonkeyPatch.context() as patch:
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        assert _examples(reached) != reached_before
        assert _examples(drawn) == before


def _examples(drawn: st.SearchStrategy[Any], count: int = 40) -> list[str]:
    """What the quick profile draws."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None)
    @given(drawn)
    def keep(value: Any) -> None:
        found.append(repr(value))

    keep()
    return found


@forms
@fewer(2)  # the truth takes most of the time
@given(point=points)
@example(point=UNDERFLOWS[0])
def test_the_exact_gradient_lies_in_the_ranges_of_both(form: str, point: Point) -> None:
    """The ranges that judge both contain the exact derivative."""
    truth = exact.gradient(*point)
    for name, true, span in zip(NAMES, truth, gradient_ranges(*point, form), strict=True):
        note(f"{name}: truth {true}, range [{span.lo}, {span.hi}]")
        assert exact.contained(true, span.lo, span.hi)


@fewer(2)
@given(point=points)
def test_the_losses_agree(point: Point) -> None:
    """By hand and by autodiff, both within the rounding of (y - ypred)²."""
    params = autodiff.article.Parameters(*point.params)
    value, grads = autodiff.article.value_and_gradient(params, point.x, point.y)
    # Not the bits of `gradient`: XLA compiles another program, which may round in another order.
    spans = gradient_ranges(*point, AUTODIFF_FORM)
    assert all(span.contains(part) for span, part in zip(spans, grads, strict=True))
    ypred = manual.article.feedforward(point.params, point.x)
    # ∂L/∂b3 has the factor -2 (y - ypred); ypred itself lies within 4 ulp of 1 of the truth, or
    # within what the rounding of a huge z3 leaves of it, which the range of the output contains.
    span = output_range(point.params, point.x)
    assert span.contains(ypred)
    error = exactly(point.y) - span
    squares = (error * error).magnitude
    assert manual.article.loss(*point) <= squares
    assert value <= squares
    smallest = np.maximum(0.0, np.maximum(error.lo, -error.hi)) ** 2 * (1 - 4 * U)
    assert manual.article.loss(*point) >= smallest - TINY
    assert value >= smallest - TINY


@forms
def test_the_bound_is_sharp(form: str) -> None:
    """On ordinary points a relative error of 1e-12 is seen in nine elements of ten.

    Where σ saturates at 1, autodiff's σ(1 - σ) loses digits and its range must allow for it; the
    stable form is held to its own, narrow range even there.
    """
    point = drawn_points(4096, seed=2, scale=0.3)
    verdict = verdict_on(hand_gradient(form), point, form)
    assert verdict.agree.all()
    assert np.quantile(verdict.bound / np.abs(verdict.by_hand), 0.9) < 1e-12


def test_at_saturated_points_the_stable_form_keeps_its_digits() -> None:
    """Where autodiff answers 0, a zero or a flipped sign by hand is still seen."""
    point = drawn_points(4096, seed=8, scale=3.0)
    right = stack(manual.article.gradient(*point))
    lost = (by_autodiff(point) == 0) & (np.abs(right) > 1e-290)
    assert lost.sum() > 1000
    for factor in (0, -1):
        agree = verdict_on(lambda *_, by=factor: by * right, point).agree
        assert not agree[lost].any()


@forms
def test_the_same_lines_under_jit(form: str) -> None:
    point = drawn_points(1024, seed=3)
    with jax.enable_x64(True):
        jitted = stack(jax.jit(hand_gradient(form))(*jax.tree.map(jnp.asarray, point)))
    for name, answer, span in zip(NAMES, jitted, gradient_ranges(*point, form), strict=True):
        assert np.all((span.lo <= answer) & (answer <= span.hi)), name


@forms
def test_the_same_lines_under_array_api_strict(form: str) -> None:
    """The standard's strict implementation computes with NumPy: every bit must be the same."""
    point = drawn_points(1024, seed=4)
    params, x, y = jax.tree.map(array_api_strict.asarray, point)
    strict = [np.asarray(part) for part in hand_gradient(form)(params, x, y)]
    assert stack(strict).tobytes() == stack(hand_gradient(form)(*point)).tobytes()


def test_in_float32_the_lines_stay_in_float32() -> None:
    point = jax.tree.map(np.float32, drawn_points(16, seed=6))
    grads = manual.article.gradient(*point)
    assert {np.asarray(part).dtype for part in grads} == {np.dtype(np.float32)}

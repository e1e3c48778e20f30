"""By hand and by autodiff: the two gradients agree at random weights, inputs and targets.

The first test is all of it at ordinary points. The rigorous ones after it go to any points, and
"agree" means there: within what rounding explains, by the bounds of a third program
(`compare.reference`), or by a judge's ruling where these do not say so. Bounds and judge are held
against exact gradients as well, because two that agree may both be wrong. `make test` draws the
same examples in every run, 200 of the article's network; `make test-slow` draws 3,000 fresh ones.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import array_api_strict
import jax
import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import autodiff.article
import autodiff.network
import manual.article
import manual.network
from autodiff.precision import in_float64
from compare.agreement import FORMS, ruling
from compare.reference import (
    CANCELLING,
    STABLE,
    article_gradient,
    flattened,
    network_gradient,
)
from compare.trees import join
from handgrad.tolerance.rounding import Bounded
from manual.activations import SIGMOID_DERIVATIVES, sigmoid_derivative
from manual.article import Parameters
from manual.network import Network
from models.edits import edited
from tests import network_strategies
from tests.network_strategies import Described
from tests.strategies import Point, drawn_points, points
from tests.tiers import examples_are_fixed, fewer

number = st.floats(-2, 2)
ORDINARY = st.tuples(*[number] * 9), st.tuples(number, number), st.sampled_from([0.0, 1.0])


@given(*ORDINARY)
def test_by_hand_and_by_autodiff(weights: Any, x: Any, y: float) -> None:
    by_hand = manual.article.gradient(manual.article.Parameters(*weights), x, y)
    by_autodiff = autodiff.article.gradient(autodiff.article.Parameters(*weights), x, y)
    # σ is rounded by up to 2.2e-16. Autodiff's σ' = σ(1 - σ) and y - ypred are the worse for it
    # the closer σ is to 1: |z| is at most 10 here and 1 - σ at least 4.5e-5, of which that is
    # 5e-12. All other roundings are some dozen times 1.1e-16. XLA makes 0 of what is below 1e-307.
    np.testing.assert_allclose(by_hand, by_autodiff, rtol=1e-11, atol=1e-300)


NAMES = Parameters._fields
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
def test_they_agree_within_rounding_wherever_it_is() -> None:
    """In both forms of σ'; two examples in three know all nine derivatives to six digits."""
    informative, targets = [], []

    @given(point=points)
    @example(point=UNDERFLOWS[0])
    @example(point=UNDERFLOWS[1])
    @example(point=UNDERFLOWS[2])
    def agree(point: Point) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            by_hand = {
                form: manual.article.gradient(*point, slope)
                for form, slope in SIGMOID_DERIVATIVES.items()
            }
        params = autodiff.article.Parameters(*point.params)
        by_autodiff = autodiff.article.gradient(params, point.x, point.y)
        bounds = article_gradient(*point)
        for form, grads in by_hand.items():
            gradient = partial(manual.article.gradient, derivative=SIGMOID_DERIVATIVES[form])
            right = (
                outside(bounds[FORMS[form]], grads) == []
                or ruling(gradient, FORMS[form], autodiff.article.loss, *point) == "agree"
            )
            assert right, form
        assert (
            outside(bounds[CANCELLING], by_autodiff) == []
            or ruling(
                autodiff.article.gradient, CANCELLING, autodiff.article.loss, params, *point[1:]
            )
            == "agree"
        )
        informative.append(all(map(says_much, bounds[CANCELLING], by_autodiff)))
        targets.append(float(point.y))

    agree()
    if examples_are_fixed():
        assert np.mean(informative) > 0.6  # 0.65 of 203; of 3,003 drawn afresh 0.67 and 0.70
        assert np.mean([not 0 <= target <= 1 for target in targets]) > 0.3
        assert np.mean(np.isin(targets, (0, 1))) > 0.3


def outside(bounds: Iterable[Bounded], grads: Iterable[Any]) -> list[str]:
    """The parameters whose derivative no rounding explains."""
    together = zip(NAMES, bounds, grads, strict=True)
    return [name for name, span, value in together if not span.contains(value)]


def says_much(span: Bounded, value: Any) -> Any:
    """Where a right number is known to six digits, or to be 0 but for what underflows."""
    return 2 * span.error <= 1e-6 * np.abs(value) + 1e-300


#: Both kinds of loss on logits, and one on outputs; one, two and three layers. With the share of
#: examples that must be informative: of 50 there were 1, 0.6 (σ saturates behind GELUs) and 1.
NETWORKS = {
    Described(Network((3, 2, 5), "tanh", loss="softmax-ce", l2=0.01), 11): 0.95,
    Described(Network((2, 7, 5, 3), "gelu", "sigmoid", loss="mse"), 13): 0.55,
    Described(Network((5, 3), loss="bce"), 7): 0.95,
}


@pytest.mark.hypothesis
@pytest.mark.parametrize("of", NETWORKS, ids=str)
def test_general_networks_agree_by_hand_and_by_autodiff(of: Described) -> None:
    gradient = in_float64(jax.jit(jax.grad(partial(autodiff.network.loss, of.network))))
    informative = []

    @fewer(4)  # of whole networks
    @given(point=network_strategies.points(of))
    def agree(point: network_strategies.Point) -> None:
        params, x, y = point
        by_hand = join(manual.network.gradient(of.network, params, x, y), params)
        layers = [autodiff.network.Layer(*layer) for layer in params]
        by_autodiff = join(gradient(layers, x, y), params)
        one = [(w[None], b[None]) for w, b in params]
        bounds = network_gradient(of.network, one, x[None], y[None])
        narrow, wide = (flattened(bounds[form], params) for form in (STABLE, CANCELLING))
        loss = partial(autodiff.network.loss, of.network)
        assert (
            narrow.contains(by_hand).all()
            or ruling(partial(manual.network.gradient, of.network), STABLE, loss, *point) == "agree"
        )
        assert (
            wide.contains(by_autodiff).all()
            or ruling(gradient, CANCELLING, loss, layers, x, y) == "agree"
        )
        informative.append(np.mean(says_much(wide, by_autodiff)) >= 0.9)

    agree()
    if examples_are_fixed():
        assert np.mean(informative) >= NETWORKS[of]


#: A slip in one line for each parameter: another's factor, or none.
SLIPS = {
    "w1": ("dh1_dw1 = dh1_dz1 * x1", "dh1_dw1 = dh1_dz1 * x2"),
    "w2": ("dh1_dw2 = dh1_dz1 * x2", "dh1_dw2 = dh2_dz2 * x2"),
    "w3": ("dL_dw3 = dL_dypred * dypred_dh2 * dh2_dw3", "dL_dw3 = dypred_dh2 * dh2_dw3"),
    "w4": ("dL_dw4 = dL_dypred * dypred_dh2", "dL_dw4 = dL_dypred * dypred_dh1"),
    "w5": ("dypred_dw5 = dypred_dz3 * h1", "dypred_dw5 = dypred_dz3 * h2"),
    "w6": ("dypred_dw6 = dypred_dz3 * h2", "dypred_dw6 = dypred_dz3 * z2"),
    "b1": ("dh1_db1 = dh1_dz1", "dh1_db1 = h1"),
    "b2": ("dL_db2 = dL_dypred * dypred_dh2", "dL_db2 = -dL_dypred * dypred_dh2"),
    "b3": ("dypred_db3 = dypred_dz3", "dypred_db3 = 1"),
}


def off_by(share: float) -> Any:
    """Return σ' with a relative error."""
    return edited(sigmoid_derivative, ("1 / (1 + e) *", f"(1 + {share}) / (1 + e) *"))


@pytest.fixture
def first_failure(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Leave out the search for a simpler example, most of the time that a failing test takes."""
    settings.register_profile("first failure", settings(), phases=[Phase.explicit, Phase.generate])
    before = settings.get_current_profile_name()
    settings.load_profile("first failure")
    yield monkeypatch
    settings.load_profile(before)


@pytest.mark.parametrize("slip", [*SLIPS, "σ'"])
def test_the_first_test_fails_for(slip: str, first_failure: pytest.MonkeyPatch) -> None:
    right = manual.article.gradient
    wrong = edited(right, SLIPS[slip]) if slip in SLIPS else partial(right, derivative=off_by(1e-6))
    first_failure.setattr(manual.article, "gradient", wrong)
    first: Any = test_by_hand_and_by_autodiff
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        given(*ORDINARY)(first.hypothesis.inner_test)()


def test_the_rigorous_one_fails_for_an_error_of_1e_12(first_failure: pytest.MonkeyPatch) -> None:
    first_failure.setitem(SIGMOID_DERIVATIVES, "stable", off_by(1e-12))
    with pytest.raises(AssertionError, match="stable"):
        test_they_agree_within_rounding_wherever_it_is()


@forms
def test_the_same_lines_under_jit(form: str) -> None:
    point = drawn_points(1024, seed=3)
    lines = partial(manual.article.gradient, derivative=SIGMOID_DERIVATIVES[form])
    bounds = article_gradient(*point)[FORMS[form]]
    for name, answer, span in zip(NAMES, in_float64(jax.jit(lines))(*point), bounds, strict=True):
        assert span.contains(answer).all(), name


@forms
def test_the_same_lines_under_array_api_strict(form: str) -> None:
    """The standard's strict implementation computes with NumPy: every bit must be the same."""
    point = drawn_points(1024, seed=4)
    lines = partial(manual.article.gradient, derivative=SIGMOID_DERIVATIVES[form])
    strict = lines(*jax.tree.map(array_api_strict.asarray, point))
    for under_strict, by_numpy in zip(strict, lines(*point), strict=True):
        assert np.asarray(under_strict).tobytes() == by_numpy.tobytes()


def test_in_float32_the_lines_stay_in_float32() -> None:
    point = jax.tree.map(np.float32, drawn_points(16, seed=6))
    grads = manual.article.gradient(*point)
    assert {np.asarray(part).dtype for part in grads} == {np.dtype(np.float32)}

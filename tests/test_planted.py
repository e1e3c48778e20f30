"""Planted mistakes: each is caught, in the parameters that it makes wrong."""

import numpy as np
import pytest

import manual.article
import manual.sgd
from compare.agreement import NAMES, hand_gradient, stack
from manual.activations import sigmoid_derivative
from manual.sgd import sample_order
from models.planted import LOOPS, MISTAKES, PLANTS
from tests.equivalence import by_autodiff, disagreements, verdict_on
from tests.reference import XS, YS
from tests.strategies import drawn_points


def test_the_right_gradient_is_not_caught() -> None:
    assert disagreements(manual.article.gradient) == {}
    assert disagreements(hand_gradient("article"), "article") == {}


@pytest.mark.parametrize("form", ["stable", "article"])
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


@pytest.mark.parametrize("form", ["stable", "article"])
def test_a_plant_uses_the_form_of_the_derivative_of_its_name(form: str) -> None:
    """Where it is not wrong it is right to the last bit."""
    point = drawn_points(64, seed=7)
    right = hand_gradient(form)(*point)._asdict()
    for slug in ("zeroed-element", "exchanged"):
        planted = PLANTS[slug].gradient_in(form)(*point)._asdict()
        for name in set(NAMES) - set(PLANTS[slug].wrong):
            assert planted[name].tobytes() == right[name].tobytes()


def test_a_fresh_gradient_keeps_nothing_of_an_earlier_one() -> None:
    point, plant = drawn_points(3, seed=7), PLANTS["accumulates"]
    right = stack(manual.article.gradient(*point))
    for gradient in (plant.gradient, plant.gradient_in("stable")):
        first, second = stack(gradient(*point)), stack(gradient(*point))
        assert first.tobytes() == right.tobytes()
        assert second.tobytes() == (2 * right).tobytes()


@pytest.mark.parametrize("slug", MISTAKES)
def test_a_mistake_is_described(slug: str) -> None:
    """In one sentence of its own, which fits any place in a text."""
    says = MISTAKES[slug].says
    assert 10 < len(says) < 100
    assert not says.endswith(".")
    assert "\n" not in says
    assert [plant.says for plant in MISTAKES.values()].count(says) == 1
    assert set(MISTAKES[slug].wrong) <= set(NAMES)
    assert MISTAKES[slug].wrong


@pytest.mark.parametrize("slug", PLANTS)
def test_a_wrong_derivation_is_caught(slug: str) -> None:
    """At some of 512 ordinary points, in every parameter that is wrong and in no other."""
    with np.errstate(invalid="ignore"):
        caught = disagreements(PLANTS[slug].gradient)
    assert set(caught) == set(PLANTS[slug].wrong), caught


@pytest.mark.parametrize("slug", LOOPS)
def test_a_wrong_loop_is_wrong_where_it_is_said_to_be(slug: str) -> None:
    """The last update of an epoch from parameters that are all different, beside the right one."""
    start, order = manual.article.draw_parameters(44), sample_order(4, 1)
    walks = [
        stack(list(train(start, XS, YS, manual.article.gradient, 0.1, order))[-1])
        for train in (LOOPS[slug].train, manual.sgd.train)
    ]
    wrong = {name for name, a, b in zip(NAMES, *walks, strict=True) if a != b}
    assert wrong >= set(LOOPS[slug].wrong)


def test_the_published_bug_updates_the_output_rightly() -> None:
    """And the hidden units with the output's new weights: σ' and ypred are still the old ones."""
    start = manual.article.draw_parameters(44)
    x, y = XS[0], YS[0]
    grads, steps = manual.article.gradient(start, x, y), manual.article.forward(start, x)
    (after,) = LOOPS["update-before-use"].train(
        start, XS, YS, manual.article.gradient, 0.1, np.array([[0]])
    )
    right = manual.sgd.update(start, grads, 0.1)
    assert (after.w5, after.w6, after.b3) == (right.w5, right.w6, right.b3)
    slope = -2 * (y - steps.ypred) * sigmoid_derivative(steps.z3)
    late = slope * right.w5 * sigmoid_derivative(steps.z1) * x[0]
    assert abs(after.w1 - (start.w1 - 0.1 * late)) < 1e-15  # a few roundings of numbers below 1
    assert after.w1 != right.w1

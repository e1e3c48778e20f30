"""Errata on the loss, the chain rule and descent: each claim, by the numbers of its run."""

import numpy as np
import pytest

from compare.agreement import NAMES
from compare.experiment import Settings, hand_path
from manual.article import Parameters, mean_loss
from tests.compare.errata.runs import numbers, shown
from tests.reference import PARTIALS, XS, YS, close


@pytest.mark.slow
def test_without_the_square_everybody_is_female() -> None:
    found = numbers(1)
    assert f"{found['loss_printed']:.4f}" == "0.4996"
    assert found["loss_right"] < 0.003
    assert len(found["answers_printed"]) == 6
    assert min(found["answers_printed"]) > 0.99
    assert [answer >= 0.5 for answer in found["answers_right"]] == [1, 0, 0, 1, 1, 0]
    assert "6 of 6" in shown(1).says


def test_a_sum_from_0_has_a_term_too_many() -> None:
    found = numbers(2)
    assert (found["terms"], found["people"]) == (5, 4)
    assert (found["single"], found["loss_single"]) == (0.5, 0.25)
    assert found["loss_own"] < 0.01
    assert found["loss_of_zeros"] == 0.5


def test_the_product_through_ypred_is_autodiffs() -> None:
    found = numbers(3)
    assert found["agree"] == 9
    assert found["dloss"] < -1
    np.testing.assert_allclose(found["products"], found["autodiff"], rtol=1e-14)


def test_through_h1_three_of_nine_are_right() -> None:
    found = numbers(4)
    assert found["word_for_word"] == ["w1"]
    assert found["through_h1"] == ["w1", "w2", "b1"]
    zero = [name for name, value in zip(NAMES, found["values"], strict=True) if value == 0]
    assert zero == ["w3", "w4", "w5", "w6", "b2", "b3"]


def test_the_open_factors() -> None:
    found = numbers(5)
    for side in ("by_hand", "autodiff"):
        assert close(found[side]["∂L/∂y_pred"], -0.952609651832001, 15)
        assert close(found[side]["σ′(z3)"], 0.249438538725129, 15)
        assert close(found[side]["σ′(z1)"], 0.0451766597309121, 15)
        assert close(found[side]["∂L/∂w1"], PARTIALS["w1"], 15)


def test_a_positive_derivative_is_a_rising_loss() -> None:
    found = numbers(6)
    for name, sign in (("w1", 1), ("w5", -1)):
        left, middle, right = (sign * loss for loss in found["losses"][name])
        assert sign * found["slopes"][name] > 0
        assert left < middle < right
        # The slope is that of the curve: the cubic term of L over so short a step is below 1e-3.
        assert (right - left) / 0.02 == pytest.approx(sign * found["slopes"][name], rel=1e-3)
    assert [row[-1] for row in shown(6).rows] == ["rises", "falls"]


def test_first_order_is_kept_by_short_steps_only() -> None:
    found = numbers(7)
    ratios = found["kept"]
    assert abs(ratios[0] - 1) < 1e-3
    # What is missing is of second order in η: ten times the step, ten times the share.
    assert (ratios[1] - 1) / (ratios[0] - 1) == pytest.approx(10, rel=0.05)
    assert ratios[-1] < 0.1
    assert all(change < 0 for change in found["changes"])
    assert found["rises"] == [["Alice", 100.0], ["Bob", 0.1]]
    assert all(change < 0 for change in found["mean_changes"][:3])


def test_a_slice_holds_eight_of_ten_coordinates() -> None:
    found = numbers(8)
    assert (found["inputs"], found["coordinates"]) == (9, 10)
    assert found["held"] == [name for name in NAMES if name != "w1"]
    assert len(set(found["losses"])) == 3


def test_nine_slopes_make_one_gradient() -> None:
    found = numbers(9)
    assert len(found["gradient"]) == 9
    # A central difference is right to about 1e-11 here: h² and 2e-16 / h, with h = 6e-6.
    np.testing.assert_allclose(found["slopes"], found["gradient"], atol=1e-9)
    assert found["drop_along_gradient"] > 10 * found["drop_along_w1"] > 0


@pytest.mark.slow
def test_a_fixed_order_is_no_chance() -> None:
    found = numbers(10)
    assert found["repeats"] == {"in turn": True, "shuffled": False, "drawn": False}
    assert found["people_each_epoch"]["shuffled"] == [4]
    assert min(found["people_each_epoch"]["drawn"]) < 4
    assert found["losses"]["in turn"] == pytest.approx(0.00226825092278254, rel=1e-10)
    assert max(found["losses"].values()) < 0.003
    assert len(set(found["losses"].values())) == 3


@pytest.mark.slow
def test_four_of_200_seeds_print_the_published_numbers() -> None:
    found = numbers(21)
    assert found["seeds"] == [44, 77, 115, 185]
    trained = hand_path(Settings(seed=44, epochs=991))[:, -1]
    alone = mean_loss(Parameters(*trained), XS, YS)
    assert found["loss_of_the_first_hit"] == pytest.approx(alone, rel=1e-12)


def test_rounding_on_the_way_costs_the_last_digit() -> None:
    found = numbers(22)
    blog = {"h1": 0.0474, "h1 + h2": 0.0948, "y_pred": 0.524}
    blog |= {"∂L/∂y_pred": -0.952, "σ′(h1 + h2)": 0.249, "∂L/∂w1": 0.0214}
    assert found["on_the_way"] == blog
    right = blog | {"h1 + h2": 0.0949, "∂L/∂y_pred": -0.953, "∂L/∂w1": 0.0215}
    assert found["at_the_end"] == right
    assert close(found["full"]["∂L/∂w1"], PARTIALS["w1"], 14)

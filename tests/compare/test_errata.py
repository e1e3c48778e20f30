"""Each claim of an erratum, by the numbers of its run, and `compare errata`, which shows it."""

import json
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from compare.agreement import NAMES
from compare.cli import ERRATA as COUNT
from compare.errata import catalogue
from compare.errata.catalogue import ERRATA
from compare.errata.entry import Shown
from compare.experiment import Settings, hand_path
from manual.article import Parameters, mean_loss
from tests.compare.calls import compare
from tests.reference import PARTIALS, XS, YS, close
from tests.tiers import one_of_each


@cache
def shown(number: int) -> Shown:
    """Every run is run once, and its numbers are looked at by several tests."""
    return ERRATA[number - 1].run()


def numbers(number: int) -> dict[str, Any]:
    return shown(number).numbers


BLOG = {"h1": 0.0474, "h1 + h2": 0.0948, "y_pred": 0.524}
BLOG |= {"∂L/∂y_pred": -0.952, "σ′(h1 + h2)": 0.249, "∂L/∂w1": 0.0214}

#: Some numbers of a run, by the number of the erratum.
NUMBERS: dict[int, dict[str, Any]] = {
    2: {"terms": 5, "people": 4, "single": 0.5, "loss_single": 0.25, "loss_of_zeros": 0.5},
    3: {"agree": 9},
    4: {"word_for_word": ["w1"], "through_h1": ["w1", "w2", "b1"]},
    7: {"rises": [["Alice", 100.0], ["Bob", 0.1]]},
    8: {"inputs": 9, "coordinates": 10, "held": [name for name in NAMES if name != "w1"]},
    14: {"through": [False, False, True, True, False]},
    18: {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "not x1": [1, 1, 0, 0], "xor": [0, 1, 1, 0]},
    20: {"fires_at": 3, "threshold": 3, "outputs": [0, 0, 1, 1, 1]},
    22: {
        "on_the_way": BLOG,
        "at_the_end": BLOG | {"h1 + h2": 0.0949, "∂L/∂y_pred": -0.953, "∂L/∂w1": 0.0215},
    },
}


@pytest.mark.parametrize("erratum", NUMBERS)
def test_the_numbers_are_these(erratum: int) -> None:
    found = numbers(erratum)
    assert {name: found[name] for name in NUMBERS[erratum]} == NUMBERS[erratum]


def test_what_a_unit_says_and_a_loss_is() -> None:
    step, sigmoid = numbers(17)["step"], numbers(17)["sigmoid"]
    assert [step[mark] for mark in ("49", "50", "51")] == [0, 1, 1]
    assert sigmoid["50"] == 0.5
    assert sigmoid["49"] + sigmoid["51"] == pytest.approx(1, rel=1e-15)
    assert numbers(2)["loss_own"] < 0.01
    assert len(set(numbers(8)["losses"])) == 3


def test_alices_numbers_are_the_articles_by_hand_and_by_autodiff() -> None:
    found = numbers(5)
    for side in ("by_hand", "autodiff"):
        assert close(found[side]["∂L/∂y_pred"], -0.952609651832001, 15)
        assert close(found[side]["σ′(z3)"], 0.249438538725129, 15)
        assert close(found[side]["σ′(z1)"], 0.0451766597309121, 15)
        assert close(found[side]["∂L/∂w1"], PARTIALS["w1"], 15)
    assert close(numbers(22)["full"]["∂L/∂w1"], PARTIALS["w1"], 14)


@pytest.mark.slow
def test_without_the_square_everybody_is_female() -> None:
    found = numbers(1)
    assert f"{found['loss_printed']:.4f}" == "0.4996"
    assert found["loss_right"] < 0.003
    assert len(found["answers_printed"]) == 6
    assert min(found["answers_printed"]) > 0.99
    assert [answer >= 0.5 for answer in found["answers_right"]] == [1, 0, 0, 1, 1, 0]
    assert "6 of 6" in shown(1).says


def test_the_product_through_ypred_is_autodiffs() -> None:
    found = numbers(3)
    assert found["dloss"] < -1
    np.testing.assert_allclose(found["products"], found["autodiff"], rtol=1e-14)
    through_h1 = dict(zip(NAMES, numbers(4)["values"], strict=True))
    zero = [name for name, value in through_h1.items() if value == 0]
    assert zero == ["w3", "w4", "w5", "w6", "b2", "b3"]


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
    assert all(change < 0 for change in found["mean_changes"][:3])


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


def test_the_slope_has_a_unit_and_the_correlation_has_none() -> None:
    found = numbers(11)
    imperial, metric = found["lb by in"], found["kg by cm"]
    assert imperial["slope"] == pytest.approx(291.25 / 86.75, rel=1e-14)
    assert metric["slope"] == pytest.approx(imperial["slope"] * 0.45359237 / 2.54, rel=1e-14)
    for units in (imperial, metric):
        assert units["r"] == pytest.approx(units["corrcoef"], rel=1e-14)
        assert units["r"] < 1 < abs(imperial["slope"])
    assert imperial["r"] == pytest.approx(metric["r"], rel=1e-14)


def test_a_line_turned_round_is_another_line() -> None:
    found = numbers(12)
    assert found["product"] == pytest.approx(found["r_squared"], rel=1e-12)
    assert 0.5 < found["product"] < 0.52
    # With r² explained, the line the other way round has 1/r² times the error.
    ratio = found["mse_wrong"] / found["mse_right"]
    assert ratio == pytest.approx(1 / found["r_squared"], rel=1e-12)


@pytest.mark.slow
def test_the_closed_form_is_where_descent_ends() -> None:
    found = numbers(13)
    assert found["agree"]
    assert found["remaining"] < 1e-8
    for way in ("by_hand", "autodiff"):
        np.testing.assert_allclose(found[way], found["closed_form"], rtol=1e-8)
    assert found["networks_apart"] > 1


def test_a_regression_through_all_points() -> None:
    found = numbers(14)
    on_the_line, parabola = found["residuals"][2:4]
    assert max(on_the_line, parabola) < 1e-12
    assert min(found["residuals"][k] for k in (0, 1, 4)) > 0.1


def test_squares_weigh_the_long_line_more() -> None:
    found = numbers(15)
    slope = 291.25 / 86.75
    heights, weights = np.array([65, 72, 70, 60.0]), np.array([133, 160, 152, 120.0])
    errors = weights - (141.25 + slope * (heights - 66.75))
    assert found["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-12)
    assert found["mse"] == pytest.approx((errors**2).mean(), rel=1e-12)
    assert found["share_of_mse"] > found["share_of_mae"] > 0.4


def test_a_shift_leaves_the_spread() -> None:
    found = numbers(16)
    raw, shift, centred, standard = found.values()
    assert raw["means"] == [141.25, 66.75]
    assert shift["means"] == [6.25, 0.75]
    assert raw["deviations"] == shift["deviations"] == centred["deviations"]
    np.testing.assert_allclose([centred["means"], standard["means"]], 0, atol=1e-14)
    np.testing.assert_allclose(standard["deviations"], 1, rtol=1e-14)


def test_what_is_released_is_received() -> None:
    found = numbers(19)
    released = [0.9525741268224334, 0.9525741268224334, 0.7216325609518421]
    assert found["released"] == pytest.approx(released, rel=1e-15)  # exponentials differ in an ulp
    assert found["received_by_o1"] == found["released"][:2]


@pytest.mark.parametrize(
    "entry", one_of_each(ERRATA, ERRATA[:1]), ids=lambda entry: str(entry.number)
)
def test_it_is_shown_with_its_run(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = (replace(entry, shows=partial(shown, entry.number)) for entry in ERRATA)
    monkeypatch.setattr(catalogue, "ERRATA", tuple(known))
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = compare("errata", entry.number)
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    for said in (entry.section, entry.printed, entry.right, entry.why):
        assert " ".join(said.split()) in text
    run = json.loads(compare("errata", entry.number, "--json").out)["run"]
    assert len(run["rows"]) > 1
    assert all(len(row) == len(run["columns"]) for row in run["rows"])
    assert "null" not in json.dumps(run)


def test_as_json() -> None:
    listed = json.loads(compare("errata", "--json").out)["errata"]
    assert [entry["number"] for entry in listed] == list(range(1, COUNT + 1))
    texts = {"number", "title", "section", "printed", "right", "why"}
    assert all({*entry} == {*texts, "printed_latex", "right_latex"} for entry in listed)

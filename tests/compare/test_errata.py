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
    """Every run is run once, and its table is looked at by several tests."""
    return ERRATA[number - 1].run()


def column(number: int, at: int) -> list[Any]:
    return [row[at] for row in shown(number).rows]


BLOG = [0.0474, 0.0948, 0.524, -0.952, 0.249, 0.0214]

#: A column of a run's table, by the number of the erratum and of the column.
COLUMNS: dict[tuple[int, int], list[Any]] = {
    (2, 0): ["0", "1", "2", "3", "4", ""],
    (2, -1): ["-", 0.25, 0.25, 0.25, 0.25, 0.25],
    (3, -1): ["agree"] * 9,
    (4, -1): ["agree"] * 2 + ["disagree"] * 4 + ["agree"] + ["disagree"] * 2,
    (6, -1): ["rises", "falls"],
    (8, 0): [*NAMES, "L"],
    (8, -1): ["moves", *["held"] * 8, "moves"],
    (14, -1): ["no", "no", "yes", "yes", "no"],
    (17, 2): [0, 0, 1, 1, 1],
    (18, 2): [0, 0, 0, 1],
    (18, 3): [0, 1, 1, 1],
    (18, 4): [1, 1, 0, 0],
    (18, 5): [0, 1, 1, 0],
    (20, 1): [3] * 5,
    (20, 3): [0, 0, 1, 1, 1],
    (22, 1): BLOG,
    (22, 2): [0.0474, 0.0949, 0.524, -0.953, 0.249, 0.0215],
}


@pytest.mark.parametrize(("number", "at"), COLUMNS)
def test_a_column_is_this(number: int, at: int) -> None:
    assert column(number, at) == COLUMNS[number, at]


SENTENCES = {
    2: "From i = 0 to 4 there are 5 terms for 4 people.",
    3: "9 of 9 products are",
    4: "Word for word the chain is right for w1; with the parameter's own ∂h1/∂ for w1, w2, b1,",
    7: "rose 0 times, the mean loss 2 times: after Alice with η = 100, after Bob with η = 0.1.",
    20: "the first sum that fires is 3.",
}


@pytest.mark.parametrize("number", SENTENCES)
def test_the_sentence_says_this(number: int) -> None:
    assert SENTENCES[number] in shown(number).says


def test_what_a_unit_says_and_a_loss_is() -> None:
    below, at_50, above = column(17, 3)[1:4]
    assert at_50 == 0.5
    assert below + above == pytest.approx(1, rel=1e-15)
    assert column(2, 4)[-1] < 0.01
    assert len({*shown(8).rows[-1][1:4]}) == 3


def test_alices_numbers_are_the_articles_by_hand_and_by_autodiff() -> None:
    right = (-0.952609651832001, 0.249438538725129, 0.0451766597309121, PARTIALS["w1"])
    for side in (2, 3):
        for found, number in zip(column(5, side), right, strict=True):
            assert close(found, number, 15)
    assert close(column(22, 3)[-1], PARTIALS["w1"], 14)


@pytest.mark.slow
def test_without_the_square_everybody_is_female() -> None:
    (_, printed, right), *people = shown(1).rows[5:]
    assert f"{printed:.4f}" == "0.4996"
    assert right < 0.003
    assert len(people) == 6
    assert all(float(answer.split()[0]) > 0.99 for _, answer, _ in people)
    assert [answer.split()[1] for _, _, answer in people] == [*"FMMFFM"]
    assert "6 of 6" in shown(1).says


def test_the_product_through_ypred_is_autodiffs() -> None:
    np.testing.assert_allclose(column(3, 2), column(3, 3), rtol=1e-14)
    through_h1 = dict(zip(NAMES, column(4, 2), strict=True))
    zero = [name for name, value in through_h1.items() if value == 0]
    assert zero == ["w3", "w4", "w5", "w6", "b2", "b3"]


def test_a_positive_derivative_is_a_rising_loss() -> None:
    for row, sign in zip(shown(6).rows, (1, -1), strict=True):
        steep, left, middle, right = (sign * number for number in row[1:5])
        assert steep > 0
        assert left < middle < right
        # The slope is that of the curve: the cubic term of L over so short a step is below 1e-3.
        assert (right - left) / 0.02 == pytest.approx(steep, rel=1e-3)


def test_first_order_is_kept_by_short_steps_only() -> None:
    changes, promised, means = (column(7, at) for at in (2, 3, 4))
    ratios = np.divide(changes, promised)[:-1]
    assert abs(ratios[0] - 1) < 1e-3
    # What is missing is of second order in η: ten times the step, ten times the share.
    assert (ratios[1] - 1) / (ratios[0] - 1) == pytest.approx(10, rel=0.05)
    assert ratios[-1] < 0.1
    assert max(changes) < 0
    assert max(means[:3]) < 0


def test_nine_slopes_make_one_gradient() -> None:
    slopes, gradient = column(9, 1), column(9, 2)
    assert len(gradient) == 9
    # A central difference is right to about 1e-11 here: h² and 2e-16 / h, with h = 6e-6.
    np.testing.assert_allclose(slopes, gradient, atol=1e-9)
    says = shown(9).says
    assert "along w1 alone lowers the mean loss by 0.000052, against the gradient by 0.0022" in says


@pytest.mark.slow
def test_a_fixed_order_is_no_chance() -> None:
    first, second, (_, *losses), *_ = shown(10).rows
    assert [one == other for one, other in zip(first[1:], second[1:], strict=True)] == [1, 0, 0]
    assert {*"".join(first[2].split())} == {*"ABCD"}
    assert "in all 1000 epochs: in turn." in shown(10).says
    assert losses[0] == pytest.approx(0.00226825092278254, rel=1e-10)
    assert max(losses) < 0.003
    assert len({*losses}) == 3


@pytest.mark.slow
def test_four_of_200_seeds_print_the_published_numbers() -> None:
    assert "4 of 200 seeds: 44, 77, 115, 185." in shown(21).says
    trained = hand_path(Settings(seed=44, epochs=991))[:, -1]
    (_, lowest, _, highest), *_ = shown(21).rows
    assert lowest < mean_loss(Parameters(*trained), XS, YS) < highest


def test_the_slope_has_a_unit_and_the_correlation_has_none() -> None:
    imperial, metric = column(11, 1)
    assert imperial == pytest.approx(291.25 / 86.75, rel=1e-14)
    assert metric == pytest.approx(imperial * 0.45359237 / 2.54, rel=1e-14)
    np.testing.assert_allclose(column(11, -2), column(11, -1), rtol=1e-14)
    np.testing.assert_allclose(*column(11, -2), rtol=1e-14)
    assert column(11, -2)[0] < 1 < abs(imperial)


def test_a_line_turned_round_is_another_line() -> None:
    one, turned = column(12, 1)
    r_squared = one / turned
    assert 0.5 < r_squared < 0.52
    # With r² explained, the line the other way round has 1/r² times the error.
    right, wrong = column(12, -1)
    assert wrong / right == pytest.approx(1 / r_squared, rel=1e-12)


@pytest.mark.slow
def test_the_closed_form_is_where_descent_ends() -> None:
    for way in (2, 3):
        np.testing.assert_allclose(column(13, way), column(13, 1), rtol=1e-8)
    assert "1.98 apart in a parameter" in shown(13).says


def test_a_regression_through_all_points() -> None:
    errors = column(14, -2)
    assert max(errors[2:4]) < 1e-12
    assert min(errors[k] for k in (0, 1, 4)) > 0.1


def test_squares_weigh_the_long_line_more() -> None:
    slope = 291.25 / 86.75
    heights, weights = np.array([65, 72, 70, 60.0]), np.array([133, 160, 152, 120.0])
    errors = weights - (141.25 + slope * (heights - 66.75))
    *_, mae, mse, _, _ = shown(15).rows[-1]
    assert mae == pytest.approx(np.abs(errors).mean(), rel=1e-12)
    assert mse == pytest.approx((errors**2).mean(), rel=1e-12)
    assert shown(15).rows[0][-2:] == ["47%", "63%"]


def test_a_shift_leaves_the_spread() -> None:
    raw, shift, centred, standard = (row[1:] for row in shown(16).rows)
    assert raw[::2] == [141.25, 66.75]
    assert shift[::2] == [6.25, 0.75]
    assert raw[1::2] == shift[1::2] == centred[1::2]
    assert centred[::2] == [0, 0]
    assert standard == [0, 1, 0, 1]


def test_what_is_released_is_received() -> None:
    released = [0.9525741268224334, 0.9525741268224334, 0.7216325609518421]
    assert column(19, -1) == pytest.approx(released, rel=1e-15)  # exponentials differ in an ulp
    assert column(19, 1)[-1] == "0.952574, 0.952574"


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

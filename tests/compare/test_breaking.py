"""Which checks see a mistake, and what they say of it."""

from functools import cache

import pytest

from compare.agreement import NAMES
from compare.breaking import Check, checks, lesson
from compare.experiment import Settings
from handgrad import GradientReport
from models.planted import MISTAKES, PLANTS, Plant
from tests.reference import BOB_W1, BOB_W1_ARTICLE, EMILY, LOSSES, PARTIALS, START, close
from tests.tiers import one_of_each

RIGHT = Plant("nothing is wrong", ())
#: Long enough to learn what there is; the article's start, for its numbers; hardly a training.
USUAL, ONES = Settings(epochs=200), Settings(init="ones")
FEW = Settings(epochs=5, init="ones")
EVERY = {"outcome", "training", "updates", "autodiff", "judge"}
COMPARED = {"updates", "autodiff", "judge"}


@cache
def found(slug: str, settings: Settings = USUAL) -> dict[str, Check]:
    """Without the judge's diagnosis, which has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GradientReport, "diagnoses", ())
        return checks(MISTAKES[slug], settings)


def seeing(checked: dict[str, Check]) -> set[str]:
    return {name for name, check in checked.items() if check.sees}


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        Settings(epochs=0),
        Settings(epochs=30, init="ones", sigmoid_derivative="article"),
        Settings(epochs=3, seed=1),
    ],
)
def test_no_check_sees_a_mistake_where_there_is_none(settings: Settings) -> None:
    checked = checks(RIGHT, settings)
    assert seeing(checked) == set()
    assert list(checked) == ["outcome", "training", "updates", "autodiff", "judge"]
    assert checked["judge"].numbers["verdict"] == "agree"
    assert lesson(RIGHT, checked).startswith("No check sees it here")


SEEN = {
    "missing-square": EVERY,
    "sigmoid-of-z": EVERY,  # whose parameters become NaN
    "not-a-number": EVERY,
    "half-mse": COMPARED,
    "off-by-1e-12": COMPARED,
    "float32": COMPARED - {"judge"},  # which says that digits are lost
    "accumulates": COMPARED,
    "small-elements-zeroed": {"updates"},
    "update-before-use": {"updates"},
    "last-sample-skipped": {"updates"},
    "bias-not-updated": {"updates"},
    "wrong-sample": {"outcome", "training", "updates"},
    "ascends": {"outcome", "training", "updates"},
}

QUICK = ["small-elements-zeroed"]


@pytest.mark.parametrize("slug", one_of_each(SEEN, QUICK))
def test_which_checks_see_it(slug: str) -> None:
    settings = Settings() if slug == "bias-not-updated" else USUAL
    assert seeing(found(slug, settings)) == SEEN[slug]


@pytest.mark.slow
def test_the_outcome_beside_the_right_one() -> None:
    """The published bug moves Emily by 7e-7 and no label."""
    outcome = found("update-before-use", ONES)["outcome"]
    emily = outcome.numbers["people"]["Emily"]
    assert abs(emily["probability"] - 0.94678911) < 0.5e-8
    assert abs(emily["right_probability"] - EMILY) < 1e-10
    assert (emily["label"], emily["right_label"]) == ("F", "F")
    assert outcome.says.startswith("no label changes: Emily 0.94678911 (right: 0.94678839), Frank ")
    assert found("missing-square")["outcome"].says == "F instead of M: Bob, Charlie, Frank"
    assert "not a number instead of M: Bob" in found("sigmoid-of-z")["outcome"].says


@pytest.mark.slow
def test_a_loss_that_falls_and_one_that_does_not() -> None:
    falls = found("bias-not-updated", ONES)["training"]
    assert close(falls.numbers["start"], START, 14)
    assert close(falls.numbers["right_end"], LOSSES[999], 13)
    assert falls.numbers["end"] < 0.25
    assert "which looks like learning (right: to 0.002393)" in falls.says
    stuck = found("missing-square")["training"]
    assert 0.49 < stuck.numbers["end"] < 0.5
    assert "no better than always answering one half" in stuck.says
    assert "its loss ends as nan" in found("sigmoid-of-z")["training"].says


@pytest.mark.slow
def test_the_first_update_that_differs() -> None:
    updates = found("half-mse", FEW)["updates"].numbers
    first = updates["first"]
    assert updates["updates"] == 20
    assert (first["update"], first["sample"], first["parameter"]) == (0, "Alice", "w1")
    assert close(first["autodiff"], PARTIALS["w1"], 14)
    assert close(first["by_hand"], PARTIALS["w1"] / 2, 14)
    late = found("last-sample-skipped", FEW)["updates"]
    assert late.numbers["first"]["update"] == 3
    assert late.says.startswith("epoch 0, Diana: w1 becomes ")


@pytest.mark.slow
def test_which_partial_derivatives_of_whom() -> None:
    autodiff = found("small-elements-zeroed", FEW)["autodiff"]
    assert autodiff.says == "the partial derivative by w1 disagrees: Bob, Charlie, Diana"
    disagree = autodiff.numbers["disagree"]
    assert (disagree["Alice"], disagree["Bob"]["w1"]["by_hand"]) == ({}, 0)
    assert close(disagree["Bob"]["w1"]["autodiff"], BOB_W1_ARTICLE, 12)


@pytest.mark.slow
def test_what_the_judge_says() -> None:
    judge = checks(MISTAKES["half-mse"], FEW)["judge"]
    assert judge.says == f"disagree: {judge.numbers['diagnosis']}"
    assert "every element is 1/2 of exact" in judge.numbers["diagnosis"]
    assert judge.numbers["parameters"] == list(NAMES)
    assert judge.numbers["person"] == "Alice"


@pytest.mark.slow
def test_the_judge_checks_all_four_people() -> None:
    """Alice's element is large enough not to be zeroed."""
    judge = found("small-elements-zeroed", FEW)["judge"]
    assert judge.numbers["person"] == "Bob"
    assert judge.numbers["parameters"] == ["w1"]
    assert judge.says.startswith("disagree for Bob: params.w1: yours is 0.0, exactly it is 1.59176")


@pytest.mark.slow
def test_the_form_of_the_derivative_is_that_of_the_settings() -> None:
    """Half of Bob's derivative by w1, with all of its digits and with four of them."""
    for form, whole in (("stable", BOB_W1), ("article", BOB_W1_ARTICLE)):
        settings = Settings(epochs=0, init="ones", sigmoid_derivative=form)
        bob = checks(PLANTS["half-mse"], settings)["autodiff"].numbers["disagree"]["Bob"]
        assert close(2 * bob["w1"]["by_hand"], whole, 15)


@pytest.mark.parametrize(
    ("blind", "says"),
    [
        ({"outcome", "training"}, "Blind: outcome, training. Right answers and a falling loss are"),
        ({"autodiff", "judge"}, "Blind: autodiff, judge. At the start the gradient is right"),
        ({"updates"}, "Blind: updates. In so few epochs no update goes wrong"),
        (set(), "Every check sees it"),
    ],
)
def test_the_lesson_is_of_the_checks_that_are_blind(blind: set[str], says: str) -> None:
    order = ("outcome", "training", "updates", "autodiff", "judge")
    checked = {name: Check(name not in blind, "", {}) for name in order}
    assert lesson(PLANTS["half-mse"], checked).startswith(says)

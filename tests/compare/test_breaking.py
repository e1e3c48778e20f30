"""Which checks see a mistake, and what they say of it."""

from functools import cache

import numpy as np
import pytest

from compare.agreement import NAMES
from compare.breaking import Check, checks, lesson
from compare.experiment import Settings
from compare.planted import LOOPS, MISTAKES, PLANTS, Plant
from compare.trajectory import TrainingDivergedError
from handgrad import GradientReport
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


def judged(slug: str, settings: Settings = FEW) -> Check:
    return checks(MISTAKES[slug], settings)["judge"]


def seeing(checked: dict[str, Check]) -> set[str]:
    return {name for name, check in checked.items() if check.sees}


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        Settings(epochs=0),
        Settings(epochs=30, init="ones", sigmoid_derivative="article"),
        Settings(epochs=3, seed=1, order="shuffled", shift="mean"),
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
    "float32": COMPARED,
    "accumulates": COMPARED,
    "small-elements-zeroed": {"updates"},
    "update-before-use": {"updates"},
    "last-sample-skipped": {"updates"},
    "bias-not-updated": {"updates"},
    "wrong-sample": {"outcome", "training", "updates"},
    "ascends": {"outcome", "training", "updates"},
}

QUICK = ["missing-square", "half-mse", "small-elements-zeroed", "update-before-use", "ascends"]


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
    assert list(outcome.numbers["people"])[-2:] == ["Emily", "Frank"]
    assert outcome.says.startswith("no label changes: Emily 0.94678911 (right: 0.94678839), Frank ")


@pytest.mark.slow
def test_wrong_labels_are_named() -> None:
    outcome = found("missing-square")["outcome"]
    assert outcome.says == "F instead of M: Bob, Charlie, Frank"
    labels = {name: person["label"] for name, person in outcome.numbers["people"].items()}
    assert set(labels.values()) == {"F"}
    assert outcome.numbers["people"]["Bob"]["right_label"] == "M"
    # Whoever learns from Alice alone takes everybody for her.
    assert found("wrong-sample")["outcome"].says == "F instead of M: Bob, Charlie, Frank"


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


@pytest.mark.slow
def test_a_high_loss_is_no_evidence_where_the_right_training_has_one_too() -> None:
    short = Settings(epochs=5, seed=1, shift="mean")
    training = checks(PLANTS["half-mse"], short)["training"]
    assert training.numbers["end"] > training.numbers["right_end"] > 0.25
    assert not training.sees


@pytest.mark.slow
def test_what_runs_away() -> None:
    """Into NaN, which is no label, while the right training arrives."""
    checked = found("sigmoid-of-z")
    people = checked["outcome"].numbers["people"]
    assert {person["label"] for person in people.values()} == {None}
    assert {person["right_label"] for person in people.values()} == {"F", "M"}
    assert "not a number instead of M: Bob, Charlie, Frank" in checked["outcome"].says
    assert np.isnan(checked["training"].numbers["end"])
    assert checked["training"].says == "the training runs away; its loss ends as nan"


@pytest.mark.slow
def test_what_runs_away_without_the_mistake_too() -> None:
    for slug, rate in (("half-mse", 1e200), ("stale-parameters", 1e200), ("clipped", 1e101)):
        with pytest.raises(TrainingDivergedError, match="in epoch 0"):
            checks(MISTAKES[slug], Settings(epochs=2, learning_rate=rate))


@pytest.mark.slow
def test_the_first_update_that_differs() -> None:
    updates = found("half-mse", FEW)["updates"].numbers
    first = updates["first"]
    assert updates["updates"] == 20
    assert (first["update"], first["sample"], first["parameter"]) == (0, "Alice", "w1")
    assert close(first["autodiff"], PARTIALS["w1"], 14)
    assert close(first["by_hand"], PARTIALS["w1"] / 2, 14)
    says = found("half-mse", FEW)["updates"].says
    assert says.startswith("epoch 0, Alice: ∂L/∂w1 is 0.0107347676329")
    late = found("last-sample-skipped", FEW)["updates"]
    assert late.numbers["first"]["update"] == 3
    assert late.says.startswith("epoch 0, Diana: w1 becomes ")


@pytest.mark.slow
def test_which_partial_derivatives_of_whom() -> None:
    autodiff = found("small-elements-zeroed", FEW)["autodiff"]
    assert autodiff.says == "the partial derivative by w1 disagrees: Bob, Charlie, Diana"
    assert list(autodiff.numbers["disagree"]) == ["Alice", "Bob", "Charlie", "Diana"]
    assert autodiff.numbers["disagree"]["Alice"] == {}
    assert autodiff.numbers["disagree"]["Bob"]["w1"]["by_hand"] == 0
    assert close(autodiff.numbers["disagree"]["Bob"]["w1"]["autodiff"], BOB_W1_ARTICLE, 12)
    assert found("exchanged")["autodiff"].says == (
        "the partial derivatives by w5, w6 disagree: Alice, Bob, Charlie, Diana"
    )
    assert found("half-mse", FEW)["autodiff"].says.startswith(
        "all nine partial derivatives disagree: A"
    )


@pytest.mark.slow
def test_what_the_judge_says() -> None:
    judge = judged("half-mse")
    assert judge.says == f"disagree: {judge.numbers['diagnosis']}"
    assert "every element is 1/2 of exact" in judge.numbers["diagnosis"]
    assert judge.numbers["parameters"] == list(NAMES)
    assert judge.numbers["person"] == "Alice"
    assert "the square is missing" in judged("missing-square").says
    assert found("exchanged")["judge"].numbers["parameters"] == ["w5", "w6"]


def test_the_judge_checks_all_four_people() -> None:
    """Alice's element is large enough not to be zeroed."""
    judge = found("small-elements-zeroed", FEW)["judge"]
    assert judge.numbers["person"] == "Bob"
    assert judge.numbers["parameters"] == ["w1"]
    assert judge.says.startswith("disagree for Bob: params.w1: yours is 0.0, exactly it is 1.59176")


@pytest.mark.slow
def test_what_a_gradient_keeps_stays_with_its_check() -> None:
    plant = PLANTS["accumulates"]
    plant.gradient(Settings().start(), np.array([-2.0, -1.0]), 1.0)
    once, again = (checks(plant, Settings(epochs=3)) for _ in range(2))
    assert once == again
    assert once["autodiff"].numbers["disagree"]["Alice"] == {}  # the first call is right


@pytest.mark.slow
def test_the_form_of_the_derivative_is_that_of_the_settings() -> None:
    """Half of Bob's derivative by w1, with all of its digits and with four of them."""
    for form, whole in (("stable", BOB_W1), ("article", BOB_W1_ARTICLE)):
        settings = Settings(epochs=0, init="ones", sigmoid_derivative=form)
        bob = checks(PLANTS["half-mse"], settings)["autodiff"].numbers["disagree"]["Bob"]
        assert close(2 * bob["w1"]["by_hand"], whole, 15)


@pytest.mark.slow
def test_the_epochs_are_counted() -> None:
    counted: list[int] = []
    checks(LOOPS["ascends"], Settings(epochs=3), counted.append)
    assert counted == [1, 2, 3]


@pytest.mark.parametrize(
    ("blind", "says"),
    [
        ({"training"}, "Blind: training. A loss that falls is weak evidence"),
        ({"outcome"}, "Blind: outcome. Right answers are weak evidence"),
        ({"outcome", "training"}, "Blind: outcome, training. Right answers and a falling loss are"),
        ({"autodiff", "judge"}, "Blind: autodiff, judge. At the start the gradient is right"),
        ({"updates"}, "Blind: updates. In so few epochs no update goes wrong"),
        (EVERY, "No check sees it here"),
        (set(), "Every check sees it"),
    ],
)
def test_the_lesson_is_of_the_checks_that_are_blind(blind: set[str], says: str) -> None:
    assert lesson(PLANTS["half-mse"], blind_are(blind)).startswith(says)


def test_the_lesson_of_a_wrong_loop() -> None:
    """Its gradient is right at every point."""
    blind = blind_are({"outcome", "training", "autodiff", "judge"})
    assert "The gradient is right at every point" in lesson(LOOPS["update-before-use"], blind)


def blind_are(blind: set[str]) -> dict[str, Check]:
    order = ("outcome", "training", "updates", "autodiff", "judge")
    return {name: Check(name not in blind, "", {}) for name in order}

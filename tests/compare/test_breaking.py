"""Which checks see a mistake, and what they say of it."""

import re
from functools import cache
from typing import Any

import pytest

from compare.agreement import compare_gradients
from compare.breaking import Check, beside_autodiff, checks, lesson
from compare.experiment import Settings
from handgrad import GradientReport
from models.model import Slip
from models.planted import MISTAKES, PLANTS
from tests.reference import BOB_W1, BOB_W1_ARTICLE, EMILY, LOSSES, PARTIALS, START, close
from tests.tiers import one_of_each

RIGHT = Slip("nothing is wrong")
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
    assert checked["judge"].says.startswith("agree")
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
    assert f"(right: {EMILY:.8f})" in outcome.says
    assert outcome.says.startswith("no label changes: Emily 0.94678911 (right: 0.94678839), Frank ")
    assert found("missing-square")["outcome"].says == "F instead of M: Bob, Charlie, Frank"
    assert "not a number instead of M: Bob" in found("sigmoid-of-z")["outcome"].says


@pytest.mark.slow
def test_a_loss_that_falls_and_one_that_does_not() -> None:
    falls = found("bias-not-updated", ONES)["training"]
    assert falls.says.startswith(f"the loss goes from {START:.4g} to 0.")
    assert f"which looks like learning (right: to {LOSSES[999]:.4g})" in falls.says
    stuck = found("missing-square")["training"]
    assert re.search(r"to 0\.49\d+, no better than always answering one half", stuck.says)
    assert "no better than always answering one half" in stuck.says
    assert "its loss ends as nan" in found("sigmoid-of-z")["training"].says


@pytest.mark.slow
def test_the_first_update_that_differs() -> None:
    says = found("half-mse", FEW)["updates"].says
    numbers = re.fullmatch(r"epoch 0, Alice: ∂L/∂w1 is (\S+), by autodiff (\S+)", says)
    assert numbers
    assert close(float(numbers[1]), PARTIALS["w1"] / 2, 14)
    assert close(float(numbers[2]), PARTIALS["w1"], 14)
    assert checks(RIGHT, FEW)["updates"].says == "all 20 updates agree"
    late = found("last-sample-skipped", FEW)["updates"]
    assert late.says.startswith("epoch 0, Diana: w1 becomes ")


@pytest.mark.slow
def test_which_partial_derivatives_of_whom() -> None:
    autodiff = found("small-elements-zeroed", FEW)["autodiff"]
    assert autodiff.says == "the partial derivative by w1 disagrees: Bob, Charlie, Diana"


@pytest.mark.slow
def test_what_the_judge_says() -> None:
    judge = checks(MISTAKES["half-mse"], FEW)["judge"]
    assert judge.says.startswith("disagree: every element is 1/2 of exact")


@pytest.mark.slow
def test_the_judge_checks_all_four_people() -> None:
    """Alice's element is large enough not to be zeroed."""
    judge = found("small-elements-zeroed", FEW)["judge"]
    assert judge.says.startswith("disagree for Bob: params.w1: yours is 0.0, exactly it is 1.59176")


@pytest.mark.slow
def test_the_form_of_the_derivative_is_that_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of Bob's derivative by w1, with all of its digits and with four of them."""
    seen = []

    def compared(*at: Any) -> Any:
        seen.append(compare_gradients(*at)[0].by_hand)
        return compare_gradients(*at)

    monkeypatch.setattr("compare.breaking.compare_gradients", compared)
    for form in ("stable", "article"):
        beside_autodiff(PLANTS["half-mse"], Settings(init="ones", sigmoid_derivative=form))
    assert close(2 * seen[1], BOB_W1, 15)
    assert close(2 * seen[5], BOB_W1_ARTICLE, 15)


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
    checked = {name: Check(name not in blind, "") for name in order}
    assert lesson(PLANTS["half-mse"], checked).startswith(says)

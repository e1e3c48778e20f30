"""Which checks see a mistake, and what they say of it."""

from functools import cache
from typing import Any

import pytest

from compare.agreement import compare_gradients
from compare.breaking import Check, beside_autodiff, checks, lesson
from compare.experiment import Settings
from handgrad import GradientReport
from models.model import Slip
from models.planted import MISTAKES, PLANTS
from tests.reference import BOB_W1, BOB_W1_ARTICLE, close
from tests.tiers import one_of_each

RIGHT = Slip("nothing is wrong")
#: Long enough to learn what there is.
USUAL = Settings(epochs=200)
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
    [Settings(epochs=0), Settings(epochs=30, init="ones", sigmoid_derivative="article")],
)
def test_no_check_sees_a_mistake_where_there_is_none(settings: Settings) -> None:
    checked = checks(RIGHT, settings)
    assert seeing(checked) == set()
    assert checked["updates"].says == f"all {4 * settings.epochs} updates agree"
    assert lesson(RIGHT, checked).startswith("No check sees it here")


SEEN = {
    "missing-square": EVERY,
    "sigmoid-of-z": EVERY,  # whose parameters become NaN
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

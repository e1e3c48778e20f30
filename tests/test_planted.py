"""Every check proves that it can fail: wrong derivations are caught, each where it is wrong."""

import numpy as np
import pytest

import manual.article
from compare.agreement import hand_gradient, stack
from tests.equivalence import disagreements
from tests.planted import PLANTS, chain
from tests.strategies import drawn_points


def test_the_right_gradient_is_not_caught() -> None:
    assert disagreements(manual.article.gradient) == {}
    assert disagreements(hand_gradient("article"), "article") == {}


def test_the_chain_that_plants_are_made_from_is_right() -> None:
    point = drawn_points(64, seed=7)
    assert stack(chain()(*point)).tobytes() == stack(manual.article.gradient(*point)).tobytes()


def test_there_are_enough_plants() -> None:
    assert len(PLANTS) >= 20


@pytest.mark.parametrize("slug", PLANTS)
def test_a_wrong_derivation_is_caught(slug: str) -> None:
    """At some of 512 ordinary points, in every parameter that is wrong and in no other."""
    with np.errstate(invalid="ignore"):
        caught = disagreements(PLANTS[slug].gradient)
    assert set(caught) == set(PLANTS[slug].wrong), caught

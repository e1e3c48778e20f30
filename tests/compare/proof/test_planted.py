"""Planted mistakes of the article's gradient: refuted with a point where both sides differ."""

from typing import Any

import mpmath
import numpy as np
import pytest

from compare.proof.article import Article
from compare.proof.number import InexactError
from compare.proof.prove import prove
from manual.activations import SIGMOID_DERIVATIVES
from manual.article import Parameters
from models.planted import PLANTS
from tests.compare.proof.proving import refuted, slope_of_article
from tests.tiers import one_of_each

#: What is no formula over the real numbers.
FLOATS = "float32"

#: One of each kind; all others are slow.
QUICK = [
    *(
        "missing-square",
        "absolute-error",
        "sigmoid-of-z",
        "dx-untransposed",
        "everything-through-h1",
    ),
    *("small-elements-zeroed", "off-by-1e-12", "not-a-number"),
]


@pytest.mark.parametrize(
    "slug", one_of_each([slug for slug in PLANTS if slug != FLOATS], quick=QUICK)
)
def test_every_planted_mistake_is_refuted(slug: str) -> None:
    """Exactly the derivatives that the plant says are wrong, and at points that hold."""
    plant = PLANTS[slug]
    proof = prove(Article(lambda: plant.make(SIGMOID_DERIVATIVES["stable"])))
    assert proof.verdict == "refuted"
    assert refuted(proof) == set(plant.wrong)
    for partial in proof.partials[:: len(proof.partials) - 1]:
        if (found := partial.difference) is None:
            continue
        with mpmath.workdps(60):
            exact = slope_of_article(found.point, partial.name)
            assert abs(mpmath.mpf(found.exact) - exact) < mpmath.mpf("1e-25") * abs(exact)
        if found.by_hand == "nan":
            assert slug == "not-a-number"
            continue
        assert found.by_hand != found.exact
        assert np.isclose(
            float(found.by_hand), in_floats(slug, found.point, partial.name), rtol=1e-7
        )


def in_floats(slug: str, point: dict[str, Any], name: str) -> float:
    """What the planted lines say in float64, when called a second time."""
    at = {of: float(value) for of, value in point.items()}
    gradient = PLANTS[slug].make(SIGMOID_DERIVATIVES["stable"])
    params = Parameters(*(np.float64(at[of]) for of in Parameters._fields))
    given = params, np.array([at["x1"], at["x2"]]), np.float64(at["y"])
    gradient(*given)
    return float(getattr(gradient(*given), name))


def test_floats_are_no_formula() -> None:
    plant = PLANTS[FLOATS]
    with pytest.raises(InexactError, match=r"^exact numbers turned into floats$"):
        prove(Article(lambda: plant.make(SIGMOID_DERIVATIVES["stable"])))

"""Every mistake of the catalogue is caught in the general network; what is right is not."""

from functools import cache, partial
from typing import Any

import pytest

import autodiff.network
import manual.network
from handgrad import check_gradient
from handgrad.report import GradientReport
from manual.affine import Layer
from manual.network import Network
from models.general_network import AT_ZERO, VARIANTS, Variant
from models.mistakes import MISTAKES
from tests.network_strategies import Described, Point, draw_point, hosts
from tests.tiers import one_of_each, slowly

#: What an answer shows before its numbers are compared.
OF_FORM = {"structure", "shape", "dtype", "mutation", "not-repeatable"}


@cache
def loss_of(network: Network) -> Any:
    """The loss in JAX; one object for each network, so that it is compiled once."""
    return partial(autodiff.network.loss, network)


def ruling_on(of: Described, gradient: Any, at: Point | None = None) -> GradientReport:
    return check_gradient(gradient, loss_of(of.network), *(at or draw_point(of, 3)), points=0)


def test_every_mistake_is_planted() -> None:
    assert {plant.slug for plant in VARIANTS} == MISTAKES.keys() - {AT_ZERO.slug}
    assert len({str(plant) for plant in VARIANTS}) == len(VARIANTS) >= 60


@pytest.mark.by_day(12)
@pytest.mark.parametrize(
    "name",
    one_of_each(map(str, VARIANTS), ["dw-transposed:shape", "dropped-term:example"]),
)
def test_a_mistake_is_caught(name: str) -> None:
    """In the first network that has it, which most share; every tenth in one of all depths."""
    (number,) = (k for k, plant in enumerate(VARIANTS) if str(plant) == name)
    plant = VARIANTS[number]
    of = hosts(plant)[0 if number % 10 else number // 10 % 3]
    report = ruling_on(of, plant.gradient(of.network))
    assert (report.verdict, report.blame) == ("disagree", "yours"), str(report)
    kinds = {finding.kind for finding in report.observed}
    if plant.slug == "accumulates":
        assert kinds & {"mutation", "not-repeatable"}
    elif name in ("bias-unsummed:", "bias-wrong-axis:", "dw-transposed:shape"):
        assert kinds == {"shape"}
    else:
        assert not kinds & OF_FORM


RIGHT = Variant("nothing is wrong", "", ())
#: Where a mistake changes nothing: with one example, one output, no decay, or off the kink.
NONE = [
    *((RIGHT, of) for of in hosts(RIGHT)),
    (AT_ZERO, hosts(AT_ZERO)[0]),
    *(
        (plant, Described(Network((5, 3, outputs), "tanh"), n))
        for slug, outputs, n in (
            *(("bias-mean", 2, 1), ("bias-unsummed:row", 2, 1), ("missing-mean", 2, 1)),
            *(("double-mean", 2, 1), ("mean-over-outputs", 1, 7), ("decay-factor", 2, 7)),
        )
        for plant in VARIANTS
        if str(plant).startswith(slug) and plant.loss in (None, "mse")
    ),
]


@pytest.mark.parametrize(("plant", "of"), [slowly(*pair) for pair in NONE], ids=str)
def test_what_changes_no_gradient_agrees(plant: Variant, of: Described) -> None:
    report = ruling_on(of, plant.gradient(of.network))
    assert (report.verdict, report.observed) == ("agree", ()), str(report)


@pytest.mark.slow
def test_at_the_kink_the_slope_is_a_convention() -> None:
    """One hidden unit's weights and bias are 0: for every example its z is 0 exactly."""
    of = Described(Network((5, 3, 2), "relu"), 1)
    params, x, y = draw_point(of, 9)
    w, b = params[0].w.copy(), params[0].b.copy()
    w[:, 1], b[1] = 0, 0
    at_kink = Point([Layer(w, b), params[1]], x, y)
    report = ruling_on(of, AT_ZERO.gradient(of.network), at_kink)
    assert report.verdict == "agree", str(report)
    assert {finding.kind for finding in report.observed} == {"convention"}
    usual = partial(manual.network.gradient, of.network)
    assert ruling_on(of, usual, at_kink).verdict == "agree"

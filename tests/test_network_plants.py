"""Every mistake of the catalogue is caught in the general network; what is right is not."""

from functools import partial
from typing import Any

import pytest

import manual.network
from handgrad import check_gradient
from handgrad.report import GradientReport
from manual.affine import Layer
from manual.network import Network
from models.edits import edited
from models.general_network import AT_ZERO, VARIANTS, Variant
from tests.network_planting import hosts, loss_of
from tests.network_strategies import Described, draw_point
from tests.tiers import slowly

#: The catalogue of mistakes, without `relu-at-zero`, which is none.
CATALOGUE = {
    *("missing-square", "half-mse", "missing-mean", "double-mean", "mean-over-outputs"),
    *("residual-sign", "bias-mean", "bias-unsummed", "bias-wrong-axis", "dw-transposed"),
    *("dx-untransposed", "dw-after-activation", "tanh-linear", "tanh-of-h", "sigmoid-of-z"),
    *("no-activation-derivative", "bce-extra-derivative", "softmax-diagonal", "softmax-shortcut"),
    *("ce-minus-missing", "softmax-wrong-axis", "relu-mask", "accumulates", "update-before-use"),
    *("decay-factor", "dropped-term", "exchanged"),
}

#: What an answer shows before its numbers are compared.
OF_FORM = {"structure", "shape", "dtype", "mutation", "not-repeatable"}


def ruling_on(of: Described, gradient: Any, seed: int = 3) -> GradientReport:
    return check_gradient(gradient, loss_of(of.network), *draw_point(of, seed), points=0)


def test_every_mistake_is_planted() -> None:
    assert {plant.slug for plant in VARIANTS} == CATALOGUE
    assert len({str(plant) for plant in VARIANTS}) == len(VARIANTS) >= 60


#: Each mistake is planted in the first network that has it, which most of them share, and so what
#: is compiled for it; every tenth in one of all three depths.
PLANTED = [(plant, 0 if at % 10 else at // 10 % 3) for at, plant in enumerate(VARIANTS)]
#: One variant each of two kinds; the slow tests plant all.
QUICK = [
    next(pair for pair in PLANTED if pair[0].slug == slug)
    for slug in ("dw-transposed", "dropped-term")
]


@pytest.mark.slow
@pytest.mark.parametrize("of", hosts(VARIANTS[0]), ids=str)
def test_the_right_gradient_agrees(of: Described) -> None:
    """Made as the wrong ones are, with nothing changed."""
    report = ruling_on(of, partial(edited(manual.network.gradient), of.network))
    assert report.verdict == "agree", str(report)


@pytest.mark.parametrize(
    ("plant", "at"), [pair if pair in QUICK else slowly(*pair) for pair in PLANTED], ids=str
)
def test_a_mistake_is_caught(plant: Variant, at: int) -> None:
    of = hosts(plant)[at]
    report = ruling_on(of, plant.gradient(of.network))
    assert report.verdict == "disagree", str(report)
    assert report.blame == "yours"
    kinds = {finding.kind for finding in report.observed}
    if plant.slug == "accumulates":
        assert kinds & {"mutation", "not-repeatable"}
    elif str(plant) in ("bias-unsummed:", "bias-wrong-axis:", "dw-transposed:shape"):
        assert kinds == {"shape"}
    else:
        assert not kinds & OF_FORM


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["bias-mean", "bias-unsummed:row", "missing-mean", "double-mean"])
def test_with_one_example_there_is_nothing_to_average(slug: str) -> None:
    of = Described(Network((5, 3, 2), "tanh"), 1)
    for plant in VARIANTS:
        if str(plant).startswith(slug) and plant.loss in (None, "mse"):
            report = ruling_on(of, plant.gradient(of.network))
            assert report.verdict == "agree", str(report)


@pytest.mark.slow
def test_with_one_output_the_mean_over_outputs_is_right() -> None:
    of = Described(Network((5, 3, 1), "tanh"), 7)
    plant = next(plant for plant in VARIANTS if str(plant) == "mean-over-outputs:mse")
    assert ruling_on(of, plant.gradient(of.network)).verdict == "agree"


@pytest.mark.slow
def test_off_the_kink_nobody_sees_the_slope_at_0() -> None:
    of = hosts(AT_ZERO)[0]
    report = ruling_on(of, AT_ZERO.gradient(of.network))
    assert (report.verdict, report.observed) == ("agree", ())


@pytest.mark.slow
def test_at_the_kink_the_slope_is_a_convention() -> None:
    """One hidden unit's weights and bias are 0: for every example its z is 0 exactly."""
    of = Described(Network((5, 3, 2), "relu"), 1)
    params, x, y = draw_point(of, 9)
    w, b = params[0].w.copy(), params[0].b.copy()
    w[:, 1], b[1] = 0, 0
    at_kink = ([Layer(w, b), params[1]], x, y)
    loss = loss_of(of.network)
    report = check_gradient(AT_ZERO.gradient(of.network), loss, *at_kink, points=0)
    assert report.verdict == "agree", str(report)
    assert {finding.kind for finding in report.observed} == {"convention"}
    usual = partial(manual.network.gradient, of.network)
    assert check_gradient(usual, loss, *at_kink, points=0).verdict == "agree"


@pytest.mark.slow
def test_half_a_decay_without_decay_is_none() -> None:
    of = Described(Network((5, 3, 2), "tanh"), 7)
    for plant in VARIANTS:
        if plant.slug == "decay-factor":
            assert ruling_on(of, plant.gradient(of.network)).verdict == "agree"

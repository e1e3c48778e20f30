"""A whole sweep: what it covers, what it sees, and what it says of that."""

import math
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from compare.sweep.cases import BLOCK
from compare.sweep.replay import case
from compare.sweep.run import sweep

import manual.article
import manual.network
from compare.sweep import cases
from manual.affine import Layer
from manual.network import Network
from models.planted import PLANTS, gradient_in
from tests.compare.sweep.blocks import block, swept

NINE = list(manual.article.Parameters._fields)


@pytest.mark.slow
def test_all_cases_are_counted_once() -> None:
    for requested in (10, BLOCK, 5 * BLOCK + 1):
        done: list[int] = []
        found = sweep(swept(), requested, done.append)
        assert (found.cases, found.requested, done) == (requested, requested, [requested])
        assert found.histogram.sum() == 9 * requested
        assert found.verdict(()) == "agree"
        assert all(0 <= number < requested for number, _ in found.suspects)


@pytest.mark.slow
def test_beyond_the_last_case_nothing_is_counted() -> None:
    """A block is whole wherever a sweep ends; here the same is said of every case."""
    settings = swept(weights="uniform:0.1", plant="residual-sign")
    for requested in (10, BLOCK + 3):
        found = sweep(settings, requested)
        assert found.disagreements == requested
        assert found.judged == dict.fromkeys(NINE, requested)


@pytest.mark.slow
def test_a_sweep_can_be_stopped_between_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compare.sweep.run._ELEMENTS", 9 * 4 * BLOCK)
    found = sweep(swept(), 10**9, stop_requested=lambda: True)
    assert found.cases == 4 * BLOCK * found.devices
    assert not found.is_whole
    assert found.histogram.sum() == 9 * found.cases


@pytest.mark.slow
def test_a_hundred_cases_see_less_than_a_million() -> None:
    """Weights and inputs of a size that saturates a unit once in some thousand cases."""
    rare = swept(weights="uniform:2", inputs="uniform:4", plant="saturated-unit-zeroed")
    assert sweep(rare, 100).disagreements == 0
    found = sweep(rare, 10**6)
    assert 0 < found.disagreements < 5000
    (worst, ratio), *_ = found.suspects
    assert ratio > 1e6
    assert case(rare, worst).ruling().verdict == "disagree"


@pytest.mark.slow
def test_a_right_gradient_agrees() -> None:
    found = sweep(swept(), 50_000)
    assert (found.disagreements, found.overflowed) == (0, 0)
    assert found.max_bound_ratio < 0.5


@pytest.mark.slow
def test_what_overflows_is_undecidable() -> None:
    network = Network((1, 1, 1, 1, 1, 1), "identity", "identity")
    found = sweep(swept(network, weights="uniform:1e30", inputs="uniform:1e30"), 10)
    assert (found.overflowed, found.max_bound_ratio, found.suspects) == (10, 0, [])
    assert found.verdict(()) == "undecidable"


@pytest.mark.slow
def test_a_gradient_that_is_no_number_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a network whose parameters are compared at once; in one layer alone."""
    right = manual.network.gradient

    def spoilt(*point: Any) -> Any:
        (w, b), *others = right(*point)
        return [Layer(w, b * np.nan), *others]

    monkeypatch.setattr(manual.network, "gradient", spoilt)
    found = sweep(swept(Network((1, 1, 1), "tanh"), 2), 10_000)
    assert found.disagreements == 10_000
    assert found.max_bound_ratio == math.inf
    assert found.max_ulps["b0[0]"] == math.inf
    assert np.isfinite(found.max_ulps["w1[0,0]"])


@pytest.mark.slow
def test_a_factor_in_a_network_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """In single precision and in some depth: bounds grow, but not to the size of the numbers."""
    right = manual.network.gradient

    def twice(*point: Any) -> Any:
        return [Layer(2 * w, 2 * b) for w, b in right(*point)]

    monkeypatch.setattr(manual.network, "gradient", twice)
    network, scale = Network((2, 2, 2, 2, 2, 1), "tanh", "identity"), "spread:1e-3:10"
    found = sweep(swept(network, 2, "float32", scale, scale), 10_000)
    assert found.disagreements > 9_000
    assert min(found.judged.values()) > 4_000, found.judged


@pytest.mark.slow
def test_of_what_rounding_explains_altogether_nothing_is_known() -> None:
    """A mistake in w4 does not show where no element of w4 is larger than its bound."""
    size = "uniform:1e3"
    settings = swept(dtype="float32", weights=size, inputs=size, plant="wrong-input")
    found = sweep(settings, 20_000)
    assert found.disagreements == 0
    names = [name for name, count in found.judged.items() if count == 0]
    assert names == ["w1", "w2", "w3", "w4", "b1", "b2"]
    assert found.verdict(()) == "undecidable"
    told = dict.fromkeys(NINE, 1)
    assert replace(found, judged=told).verdict(()) == "agree"
    assert replace(found, judged=told | {"b3": 0}).verdict(()) == "undecidable"


#: `accumulates` and `float32` run in NumPy.
SWEPT = ["exchanged", "accumulates", "float32"]


@pytest.mark.slow
@pytest.mark.parametrize("slug", SWEPT)
def test_a_planted_mistake_is_reported(slug: str) -> None:
    found = sweep(swept(plant=slug), 20_000)
    assert found.disagreements > 0
    assert found.verdict(()) == "disagree"
    (worst, ratio), *_ = found.suspects
    assert not ratio <= 1
    # Arithmetic in float32 loses digits, and its formula is right.
    ruled = "imprecise" if slug == "float32" else "disagree"
    assert case(swept(plant=slug), worst).ruling().verdict == ruled


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(set(PLANTS) - set(SWEPT)))
def test_every_other_mistake_is_further_off_than_is_allowed(slug: str) -> None:
    """By NumPy at the first few thousand cases; a sweep traces the same lines."""
    settings, gradient = swept(), gradient_in(PLANTS[slug], "stable")
    which, found = np.arange(BLOCK), block(settings)
    with jax.enable_x64(True):
        *params, x1, x2, y = map(np.asarray, cases.drawn(settings, which, settings.seed))
        point = manual.article.Parameters(*params), np.stack([x1, x2], axis=-1), y
        assert len(jax.eval_shape(gradient, *point)) == 9
    with np.errstate(all="ignore"):
        wrong = np.stack([np.broadcast_to(leaf, y.shape) for leaf in gradient(*point)])
    off = ~(np.abs(wrong - found.autodiff) <= found.allowed)
    assert {NINE[at] for at in np.flatnonzero(off.any(axis=1))} == set(PLANTS[slug].leaves)

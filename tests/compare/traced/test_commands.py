"""`compare explain` on the command line."""

import json

import numpy as np
import pytest
from rich.console import Console

import manual.article
from compare.traced.network import trace_network
from compare.traced.terminal import show_explanation
from manual.affine import Layer
from manual.network import Network
from tests.compare.calls import compare

FACTORS = ("-0.952609651832001", "0.249438538725129", "-0.0903533194618243")


def test_explain_as_json() -> None:
    ended = compare("explain", "w1", "--json")
    answer = json.loads(ended.out)
    assert answer["verdict"] == "agree"
    assert answer["quantity"]["factors"] == ["dL_dypred", "dypred_dh1", "dh1_dw1"]
    of = {quantity["name"]: quantity for quantity in answer["chain"]}
    assert [f"{of[name]['by_hand']:.15g}" for name in answer["quantity"]["factors"]] == [*FACTORS]
    assert answer["quantity"] == of["dL_dw1"]
    same = compare("explain", "w1", "--x", "-2,-1", "--y", "1", "--json")
    assert json.loads(same.out)["quantity"] == answer["quantity"]


@pytest.mark.slow
def test_other_quantities_and_spellings() -> None:
    network = ("--network", "2-3-1", "--x", "1,-2", "--y", "1")
    named = compare("explain", "w0[1,2]", *network).out
    assert named.startswith("∂L/∂w0[1,2] for the given example (x[0] = 1, x[1] = -2, y[0] = 1)")
    assert compare("explain", "w0.1.2", *network).out == named
    assert compare("explain", " W0[1, 2]", *network).out == named
    assert compare("explain", "h1").out.startswith("h1 for Alice")
    assert compare("explain", "dypred_dh1").out == compare("explain", "∂ypred/∂h1").out
    assert compare("explain", "dL/dw1").out == compare("explain", "w1").out
    told = json.loads(compare("explain", "w0.0.0", "--network", "2-3-1", "--json").out)
    assert told["about"]["whose"] == "Alice", "a person before any network of that shape"
    assert told["quantity"]["depends_on"] == ["x[0]", "dz0[0]"]
    assert [q["by_hand"] for q in told["chain"][:3]] == [-2, -1, 1]


def test_a_seed_draws_a_start() -> None:
    told = json.loads(compare("explain", "w1", "--seed", "7", "--json").out)
    assert told["about"]["parameters"] == "parameters drawn at random with seed 7"
    (w1,) = (q["by_hand"] for q in told["chain"] if q["name"] == "w1")
    assert w1 == manual.article.draw_parameters(7).w1


@pytest.mark.slow
def test_what_a_slope_of_0_means() -> None:
    """At a minimum, at a kink, and where all digits are lost."""
    layers = [
        Layer(np.array([[1.0, -1.0]]), np.array([0.0, 1.0])),
        Layer(np.array([[0.5], [3.0]]), np.array([0.0])),
    ]
    network = Network((1, 2, 1), "relu", "identity")

    def said(x: float) -> str:
        about = {"whose": "the given example", "parameters": "given ones"}
        trace, out = trace_network(network, layers, [x], [0], about=about), Console(width=100)
        with out.capture() as captured:
            show_explanation(out, trace, "dw0[0,1]")
        return " ".join(captured.get().split())

    assert "does not change the loss, to first order" in said(2.0)
    assert "There is a kink here, and no one slope; 0 is a convention." in said(1.0)
    lost = ("--x", "40,40", "--y", "0", "--sigmoid-derivative", "article")
    text = " ".join(compare("explain", "w1", *lost).out.split())
    assert "By hand ∂L/∂w1 is 0: all its digits are lost. Exactly it is 1.33527e-34." in text


def test_a_wrong_number_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from manual.activations import SIGMOID_DERIVATIVES, sigmoid

    monkeypatch.setitem(SIGMOID_DERIVATIVES, "stable", sigmoid)
    ended = compare("explain", "w1")
    assert ended.code == 1
    assert "✗ disagree" in ended.out
    assert compare("explain", "ypred").code == 0  # no slope is in it

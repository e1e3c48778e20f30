"""`compare explain` on the command line."""

import json
import re

import numpy as np
import pytest
from rich.console import Console

import manual.article
from compare.traced.network import trace_network
from compare.traced.request import PassRequest
from compare.traced.terminal import _block, show_explanation
from manual.affine import Layer
from manual.network import Network
from tests.compare.calls import compare
from tests.tiers import one_of_each

FACTORS = ("-0.952609651832001", "0.249438538725129", "-0.0903533194618243")
PRODUCT = "0.0214695352658111"


def test_explain_w1_of_alice() -> None:
    """Three factors, their product, and a check of each."""
    ended = compare("explain", "w1", "--person", "alice")
    assert (ended.code, ended.err) == (0, "")
    product = " · ".join((*FACTORS[:2], f"({FACTORS[2]})"))
    assert (
        f"= ∂L/∂ypred · ∂ypred/∂h1 · ∂h1/∂w1\n       = {product}\n       = {PRODUCT}\n" in ended.out
    )
    for symbol, value in zip(
        ("∂L/∂ypred", "∂ypred/∂h1", "∂h1/∂w1", "∂L/∂w1"), (*FACTORS, PRODUCT), strict=True
    ):
        number = rf" ?{re.escape(value)}"
        rows = (f"{symbol} +exact +{number}", f" +by hand +{number} +\\d +agree")
        rows += (f" +autodiff +{number} +\\d",)
        assert re.search(" *\n".join(rows), ended.out), symbol
    assert "manual/article.py, line " in ended.out
    assert "z3 = w5 · h1 + w6 · h2 + b3" in ended.out
    assert "z1 = -3, as above" in ended.out
    assert "∂L/∂w1 is positive" in ended.out


@pytest.mark.parametrize("width", one_of_each([50, 80, 132], [50]))
@pytest.mark.parametrize(
    "words",
    [
        ("w1", "--person", "bob"),
        ("w0[1,0]", "--network", "3-4-2", "--activation", "tanh", "--x", "1,-2,0.5", "--y", "0,1"),
    ],
)
def test_lines_end_within_the_width(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], width: int
) -> None:
    """But for source lines, which are to be copied, and what stands too deep in a narrow tree."""
    monkeypatch.setenv("COLUMNS", str(width))
    out = compare("explain", *words).out
    lines = [line.rstrip() for line in out.splitlines() if not line.startswith("manual/")]
    formulas = [line for line in lines if re.match(r"[ │]*[├└]", line)]
    assert len(formulas) >= 7
    shallow = [line for line in lines if not re.match(r"[ │├└─]{24}", line)]
    assert max(map(len, lines if width > 50 else shallow)) <= width
    # A branch is a new quantity: no line of a formula breaks out of its place in the tree.
    assert all(" = " in line for line in formulas)
    assert not any(line.endswith("·") for line in shallow if width > 50)
    assert bool(re.search("^ {8,}by hand ", out, re.MULTILINE)) == (width > 50)  # in the table


@pytest.mark.slow
def test_a_formula_is_broken_between_its_terms_and_uses_the_width() -> None:
    trace = PassRequest(sizes=(3, 4, 2), x=(1, -2, 0.5), y=(0, 1), activation="tanh").trace()
    sums = [q for q in trace.quantities.values() if q.name.startswith("z1")]
    for quantity in sums:
        blocks = {width: [*map(str, _block(quantity, width))] for width in (44, 60, 200)}
        for width, lines in blocks.items():
            assert max(map(len, lines)) <= width
            assert not any(line.endswith("·") or line.lstrip().startswith("·") for line in lines)
        assert len(blocks[44]) > len(blocks[60]) > len(blocks[200]) == 3


def test_explain_as_json() -> None:
    ended = compare("explain", "w1", "--json")
    answer = json.loads(ended.out)
    assert list(answer) == ["about", "quantity", "chain", "verdict"]
    assert answer["verdict"] == "agree"
    assert answer["quantity"]["factors"] == ["dL_dypred", "dypred_dh1", "dh1_dw1"]
    of = {quantity["name"]: quantity for quantity in answer["chain"]}
    assert [f"{of[name]['by_hand']:.15g}" for name in answer["quantity"]["factors"]] == [*FACTORS]
    assert answer["quantity"] == of["dL_dw1"]


def test_bob_keeps_digits_by_hand_only() -> None:
    ended = compare("explain", "w1", "--person", "bob")
    assert ended.code == 0
    assert "1.4e+12 (4 digits left)" in re.sub(r"1\.4\d", "1.4", ended.out)
    assert "digits are lost where a difference of nearly equal" in ended.out
    assert "digits" not in compare("explain", "w1").out


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


@pytest.mark.slow
def test_a_person_before_any_network_of_that_shape() -> None:
    told = json.loads(compare("explain", "w0.0.0", "--network", "2-3-1", "--json").out)
    assert told["about"]["whose"] == "Alice"
    assert told["quantity"]["depends_on"] == ["x[0]", "dz0[0]"]
    assert [q["by_hand"] for q in told["chain"][:3]] == [-2, -1, 1]


def test_what_is_given_is_not_taken_apart() -> None:
    ended = compare("explain", "x1")
    assert ended.out == (
        "x1 for Alice (x1 = -2, x2 = -1, y = 1), with all weights 1 and all biases 0\n\n"
        "x1 = -2, which is given\n"
    )


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
        return unwrapped(captured.get())

    assert "does not change the loss, to first order" in said(2.0)
    assert "There is a kink here, and no one slope; 0 is a convention." in said(1.0)
    lost = ("--x", "40,40", "--y", "0", "--sigmoid-derivative", "article")
    text = unwrapped(compare("explain", "w1", *lost).out)
    assert "By hand ∂L/∂w1 is 0: all its digits are lost. Exactly it is 1.33527e-34." in text


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_a_sample_of_ones_own() -> None:
    ended = compare("explain", "b3", "--x", "-2,-1", "--y", "1", "--json")
    theirs = json.loads(ended.out)["quantity"]
    assert theirs == json.loads(compare("explain", "b3", "--json").out)["quantity"]


def test_a_wrong_number_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from manual.activations import SIGMOID_DERIVATIVES, sigmoid

    monkeypatch.setitem(SIGMOID_DERIVATIVES, "stable", sigmoid)
    ended = compare("explain", "w1")
    assert ended.code == 1
    assert "✗ disagree" in ended.out
    assert compare("explain", "ypred").code == 0  # no slope is in it


def test_a_number_whose_range_would_overflow_is_refused() -> None:
    """It was computed, and called a disagreement."""
    ended = compare("explain", "w1", "--x=-2,1.7976931348623157e308", "--y", "1")
    assert (ended.code, ended.out) == (2, "")
    assert "every number of the pass is at most 9.0e+307" in ended.err

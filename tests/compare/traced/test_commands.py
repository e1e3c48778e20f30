"""`compare explain` and `compare step` on the command line."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import manual.article
from compare.agreement import NAMES
from compare.networks.files import load
from compare.traced.request import PassRequest
from compare.traced.terminal import _block
from tests.compare.networks.calls import compare
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
def test_what_a_slope_of_0_means(tmp_path: Path) -> None:
    """At a minimum, at a kink, and where all digits are lost."""
    layers = [{"w": [[1, -1]], "b": [0, 1]}, {"w": [[0.5], [3]], "b": [0]}]
    file = tmp_path / "relu.json"
    content = {"layers": layers, "activation": "relu", "output": "identity"}
    file.write_text(json.dumps(content))
    words = ("explain", "w0.0.1", "--params", str(file))
    assert "does not change the loss, to first order" in unwrapped(
        compare(*words, "--x", "2", "--y", "0").out
    )
    kink = unwrapped(compare(*words, "--x", "1", "--y", "0").out)
    assert "There is a kink here, and no one slope; 0 is a convention." in kink
    lost = ("--x", "40,40", "--y", "0", "--sigmoid-derivative", "article")
    said = unwrapped(compare("explain", "w1", *lost).out)
    assert "By hand ∂L/∂w1 is 0: all its digits are lost. Exactly it is 1.33527e-34." in said


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_a_sample_of_ones_own() -> None:
    ended = compare("explain", "b3", "--x", "-2,-1", "--y", "1", "--json")
    theirs = json.loads(ended.out)["quantity"]
    assert theirs == json.loads(compare("explain", "b3", "--json").out)["quantity"]


def test_parameters_of_ones_own(tmp_path: Path) -> None:
    params = manual.article.draw_parameters(44)
    file = tmp_path / "params.json"
    file.write_text(json.dumps({k: float(v) for k, v in params._asdict().items()}))
    told = json.loads(compare("explain", "w5", "--params", str(file), "--json").out)
    drawn = json.loads(compare("explain", "w5", "--init", "normal", "--json").out)
    assert told["quantity"] == drawn["quantity"]
    assert told["about"]["parameters"] == f"parameters read from {file}"


@pytest.mark.slow
def test_a_network_of_ones_own(tmp_path: Path) -> None:
    layers = [{"w": [[1, 2, 3]], "b": [0, 0, 1]}, {"w": [[1], [-1], [0.5]], "b": [0]}]
    file = tmp_path / "network.json"
    file.write_text(json.dumps({"layers": layers, "activation": "tanh", "loss": "mse"}))
    words = ("explain", "w1.2.0", "--params", str(file), "--x", "0.5", "--y", "2", "--json")
    told = json.loads(compare(*words).out)
    about = told["about"]
    assert (about["network"], about["activation"], about["output"]) == ("1-3-1", "tanh", "sigmoid")
    assert told["quantity"]["factors"] == ["a0[2]", "dz1[0]"]
    assert told["quantity"]["by_hand"] != 0
    # Options come before what the file says.
    words = (*words, "--loss", "bce", "--y", "1")
    assert json.loads(compare(*words).out)["about"]["output"] == "identity"


def test_a_trained_model(tmp_path: Path) -> None:
    model = str(tmp_path / "model.npz")
    training = ("--data", "davis", "--network", "2-3-1", "--epochs", "0")
    training += ("--by", "hand", "--out", model)
    assert compare("train", *training).code == 0
    words = ("explain", "w0.0.0", "--model", model, "--x", "60,168", "--y", "0")
    told = json.loads(compare(*words, "--json").out)
    assert told["about"]["features"] == {"weight": 60, "height": 168}
    assert told["about"]["loss"] == "bce"
    assert told["verdict"] == "agree"
    assert compare(*words).out.startswith(
        "∂L/∂w0[0,0] for the given example (weight = 60, height = 168, standardised: x[0]\n= -"
    )
    refused = compare("explain", "w0.0.0", "--model", model, "--x", "60,168", "--y", "2")
    assert refused.err == "Error: --y 2; expected 0 for M, 1 for F.\n"
    refused = compare("explain", "w0.0.0", "--model", model)
    assert refused.err == (
        "Error: no example beside --model; expected --x with weight, height in their units, and "
        "--y with sex.\n"
    )


@pytest.mark.slow
def test_what_a_model_was_trained_to_say(tmp_path: Path) -> None:
    """One output for each class has a 1 for the right one; a number is standardised."""
    model = str(tmp_path / "iris.npz")
    training = ("--data", "iris", "--network", "4-2-3", "--by", "hand", "--epochs", "1")
    assert compare("train", *training, "--out", model).code == 0
    words = ("explain", "L", "--model", model, "--x", "5,3,1,0", "--json")
    for y, expected in (("0", [1, 0, 0]), ("1", [0, 1, 0])):
        told = given(json.loads(compare(*words, "--y", y).out))
        assert [told[f"y[{at}]"] for at in range(3)] == expected
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{n},{n * n + 0.5}\n" for n in range(12)))
    model = str(tmp_path / "number.npz")
    training = ("--data", str(table), "--target", "b", "--network", "1-2-1", "--by", "hand")
    training += ("--epochs", "1")
    assert compare("train", *training, "--out", model).code == 0
    said = load(Path(model))
    words = ("explain", "L", "--model", model, "--x", "3", "--y", "9.5", "--json")
    told = given(json.loads(compare(*words).out))
    assert told["x[0]"] == said.scale.standardised(np.array([3.0]))[0]
    assert told["y[0]"] == said.target.standardised(np.array([9.5]))[0]
    large = str(tmp_path / "large.npz")
    training = ("--data", "iris", "--network", "4-40-3", "--by", "hand", "--epochs", "0")
    assert compare("train", *training, "--out", large).code == 0
    refused = compare("explain", "L", "--model", large, "--x", "5,3,1,0", "--y", "1").err
    assert refused == "Error: network 4-40-3 has 323 parameters; expected at most 200.\n"


def given(told: dict[str, Any]) -> dict[str, float]:
    return {q["name"]: q["by_hand"] for q in told["chain"] if q["formula"] is None}


def test_what_stands_beside_a_file_of_parameters(tmp_path: Path) -> None:
    file = tmp_path / "nine.json"
    file.write_text(json.dumps(dict.fromkeys(NAMES, 1.0)))
    refused = compare("explain", "w1", "--params", str(file), "--seed", "1").err
    assert "--seed beside parameters from a file (--params)" in refused
    refused = compare("explain", "w0.0.0", "--params", str(file), "--network", "2-3-1").err
    assert refused == (
        f"Error: --network 2-3-1, and {file} holds a network 2-2-1; expected one of the two.\n"
    )


def test_a_wrong_number_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from manual.activations import SIGMOID_DERIVATIVES, sigmoid

    monkeypatch.setitem(SIGMOID_DERIVATIVES, "stable", sigmoid)
    ended = compare("explain", "w1")
    assert ended.code == 1
    assert "✗ disagree" in ended.out
    assert compare("explain", "ypred").code == 0  # no slope is in it
    ended = compare("step")
    assert ended.code == 1
    assert "\ndisagree: 32 numbers of the pass, first ∂ypred/∂z3\n" in ended.out


def test_step_in_a_pipe_shows_all_steps() -> None:
    ended = compare("step", "--person", "diana")
    assert (ended.code, ended.err) == (0, "")
    assert re.findall(r"^Step (\d+) of 19", ended.out, re.M) == [str(at) for at in range(1, 20)]
    assert ended.out.endswith("agree: every number of the pass, by hand and by autodiff\n")
    alone = compare("step", "--person", "diana", "--at", "8").out
    assert re.findall(r"^Step .*", alone, re.M) == [
        "Step 8 of 19, backward: Undo (7) L = (y - ypred)²"
    ]
    refused = compare("step", "--at", "20")
    assert (refused.code, refused.err) == (2, "Error: --at 20; expected a number from 1 to 19.\n")


def test_one_step_as_json() -> None:
    answer = json.loads(compare("step", "--json", "--at", "8").out)
    assert [step["number"] for step in answer["steps"]] == [8]
    assert [quantity["name"] for quantity in answer["quantities"]] == ["dL_dypred"]


def test_step_as_json_is_the_trace() -> None:
    answer = json.loads(compare("step", "--json").out)
    assert list(answer) == ["about", "steps", "quantities", "verdict"]
    assert len(answer["steps"]) == 19
    assert {"formula", "substituted", "by_hand", "autodiff", "exact"} <= set(
        answer["quantities"][20]
    )


def test_what_is_known_grows_with_the_steps() -> None:
    from rich.console import Console

    from compare.traced.article import trace_article
    from compare.traced.terminal import show_state

    trace = trace_article(manual.article.ones_parameters(), [-2, -1], 1, about=ABOUT)

    def known(at: int) -> str:
        out = Console(width=100)
        with out.capture() as captured:
            show_state(out, trace, trace.steps[at - 1])
        return captured.get()

    assert known(10).count("·") == 18
    assert known(11).count("·") == 15
    assert known(18).count("·") == 9
    assert "0.997853046473419" in known(19)
    assert known(19).count("·") == 0


ABOUT: dict[str, Any] = {"whose": "Alice", "parameters": "ones"}

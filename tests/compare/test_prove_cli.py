"""`compare prove`: what it prints, how it ends, what it refuses, and how quick it is."""

import json
import subprocess
import sys
from fractions import Fraction

import pytest

from tests.compare.calls import compare, one_object, started
from tests.compare.test_cli import seconds_of_children

NINE = ["w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3"]


def test_the_article() -> None:
    ended = compare("prove")
    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert lines[0] == (
        "∂L/∂w1 = -2 · w5 · x1 · h1 · (1 - h1) · ypred · (1 - ypred) · (y - ypred)  proved"
    )
    assert [line.split()[0] for line in lines[:9]] == [f"∂L/∂{name}" for name in NINE]
    assert ended.out.count("  proved\n") == 12
    assert lines[-1].endswith("in each of 4 cases of signs")


@pytest.mark.slow
def test_as_json() -> None:
    answer = one_object(compare("prove", "--json", "--sigmoid-derivative", "article"))
    assert (answer["verdict"], answer["sigmoid_derivative"]) == ("proved", "article")
    assert (answer["examples"], answer["cases"], answer["kinks"]) == (1, 4, [])
    assert [row["name"] for row in answer["partials"]] == NINE
    for row in answer["partials"]:
        assert row["verdict"] == "proved"
        assert row["latex"].startswith("-2 ")
    assert [row["name"] for row in answer["also"]] == [
        *("sigmoid-derivative", "hidden-units", "regression-gradient")
    ]
    assert all(row["proved"] for row in answer["also"])
    assert 0 < answer["seconds"] < 60


@pytest.mark.slow
def test_a_planted_mistake() -> None:
    answer = one_object(compare("prove", "--plant", "Missing-Square", "--json"), code=1)
    assert (answer["verdict"], answer["plant"], answer["partial"]) == (
        *("refuted", "missing-square", "w1"),
    )
    assert answer["also"] == []
    assert list(answer["point"]) == [*NINE, "x1", "x2", "y"]
    assert all(Fraction(value) for value in answer["point"].values())
    assert len(answer["by_hand"]) >= len(answer["exact"]) - 1 > 25
    assert float(answer["by_hand"]) != float(answer["exact"])


@pytest.mark.slow
def test_one_partial_derivative_is_wrong() -> None:
    answer = one_object(compare("prove", "--plant", "wrong-input", "--json"), code=1)
    assert [row["verdict"] for row in answer["partials"]].count("refuted") == 1
    assert (answer["partials"][3]["verdict"], answer["partial"]) == ("refuted", "w4")


def test_floating_point_is_out_of_reach() -> None:
    ended = compare("prove", "--plant", "float32")
    assert (ended.code, ended.err) == (1, "")
    assert "\nundecided: exact numbers turned into floats" in ended.out
    answer = one_object(compare("prove", "--plant", "float32", "--json"), code=1)
    assert answer["verdict"] == "undecided"
    assert {row["verdict"] for row in answer["partials"]} == {"undecided"}


@pytest.mark.slow
def test_other_networks() -> None:
    words = "prove --network 2-2-1 --activation relu --loss huber --output identity --examples 1"
    ended = compare(*words.split())
    assert ended.code == 0
    said = " ".join(ended.out.split())
    assert "in each of 4 cases of signs; excluded, where there is no derivative: relu at" in said
    two = one_object(compare("prove", "--network", "2-2-1", "--l2", "0.5", "--json"))
    assert (two["examples"], two["l2"], len(two["partials"])) == (2, 0.5, 9)
    assert two["of"] == "the mean loss of 2 examples"
    one = one_object(compare("prove", "--network", "4-4-3", "--json"))
    assert (one["examples"], one["of"]) == (1, "the loss of one example")


@pytest.mark.slow
def test_it_is_quick_and_loads_no_jax() -> None:
    """By the work of the processor, start of Python included, beside that of importing SymPy.

    On one machine, idle and busy, it took 5.5 to 6.9 times as long; more than twice that is slow.
    """

    def seconds(code: str) -> float:
        begin = seconds_of_children()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        return seconds_of_children() - begin

    code = "import sys; sys.argv = ['compare', 'prove']\nfrom compare.exit_codes import run\n"
    code += (
        "try: run('compare')\nfinally: assert 'sympy' in sys.modules and 'jax' not in sys.modules"
    )
    assert seconds(code) < 15 * seconds("import sympy")


@pytest.mark.slow
def test_without_sympy() -> None:
    code = "import sys; sys.modules['sympy'] = None; sys.argv = ['compare', 'prove']\n"
    code += "from compare.exit_codes import run\nrun('compare')"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: the package 'sympy' is not installed; expected .venv/")
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        pytest.param("--network 2-2-2-2-2", marks=pytest.mark.night),
        "--network 12-4-1 --activation relu --output identity --examples 4",
    ],
)
def test_what_is_attempted_ends(words: str) -> None:
    """The largest of their kind: about a minute is promised, on a slow machine."""
    begin = seconds_of_children()
    with started("prove", *words.split(), "--json") as process:
        out, _ = process.communicate()
    assert json.loads(out)["verdict"] == "proved"
    assert seconds_of_children() - begin < 75

"""Formulas are written as what they are, in the names that the project uses."""

import re
from fractions import Fraction
from math import exp, isclose, log, tanh

import pytest

from compare.proof import formula
from compare.proof.formula import Writer
from compare.recording.formula import LATEX
from tests.compare.proof.proving import article_proved, of_network


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-z))


def value(text: str, names: dict[str, float]) -> float:
    """What a formula comes to."""
    code = text.replace(" · ", " * ").replace("²", "**2").replace("³", "**3")
    for name in sorted(names, key=len, reverse=True):
        code = code.replace(name, f"({names[name]!r})")
    return eval(code, {"σ": sigmoid, "log": log})


def test_the_article_in_its_notation() -> None:
    writer = Writer(article_proved())
    formulas = {of.name: writer.tree(of.by_hand) for of in article_proved().partials}
    assert formulas["w1"] == "-2 · w5 · x1 · h1 · (1 - h1) · ypred · (1 - ypred) · (y - ypred)"
    assert formulas["b3"] == "-2 · ypred · (1 - ypred) · (y - ypred)"


def test_latex() -> None:
    writer = Writer(article_proved(), LATEX)
    assert writer.tree(article_proved().partials[4].by_hand) == (
        r"-2 \cdot h_1 \cdot y_{\text{pred}} \cdot (1 - y_{\text{pred}}) "
        r"\cdot (y - y_{\text{pred}})"
    )


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "relu"])
def test_what_is_written_has_the_value_that_the_lines_have(activation: str) -> None:
    """With every step of the network by its name, at a point where all units are on."""
    proof = of_network((1, 2, 1), 1, activation=activation, l2=0.25)
    point = {name: 0.25 + at / 16 for at, name in enumerate(proof.field.named)}
    numbers = {**point, **steps(activation, point)}
    writer = Writer(proof)
    for partial in proof.partials:
        text = writer.tree(partial.by_hand)
        first = re.split(" if ", text)[0]
        assert isclose(value(first, numbers), slope(activation, point, partial.name), rel_tol=1e-6)


def steps(activation: str, at: dict[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for j in range(2):
        z = found[f"z0[{j}]"] = at["x[0]"] * at[f"w0[0,{j}]"] + at[f"b0[{j}]"]
        found[f"a0[{j}]"] = functions(activation, z)
    found["z1[0]"] = sum(found[f"a0[{j}]"] * at[f"w1[{j},0]"] for j in range(2)) + at["b1[0]"]
    return found


def functions(activation: str, z: float) -> float:
    return {
        "sigmoid": sigmoid(z),
        "tanh": tanh(z),
        "softplus": log(1 + exp(z)),
        "relu": max(z, 0.0),
    }[activation]


def slope(activation: str, point: dict[str, float], name: str) -> float:
    """By differences."""

    def loss(moved: float) -> float:
        at = point | {name: point[name] + moved}
        decay = sum(value**2 for of, value in at.items() if of.startswith("w"))
        residual = sigmoid(steps(activation, at)["z1[0]"]) - at["y[0]"]
        return residual**2 + 0.25 * decay

    return (loss(1e-5) - loss(-1e-5)) / 2e-5


def test_cases_are_told_apart() -> None:
    proof = of_network((1, 1), 1, loss="huber", output="identity")
    text = Writer(proof).tree(proof.partials[1].by_hand)
    residual = "w0[0,0] · x[0] + b0[0] - y[0]"
    assert f"1 if {residual} > 1" in text
    assert (
        f"{residual} if -1 < {residual} < 1" in text or f"{residual} if 0 < {residual} < 1" in text
    )
    latex = Writer(proof, LATEX).tree(proof.partials[1].by_hand)
    assert latex.startswith(r"\begin{cases} 1 & \text{if } w^{(0)}_{0,0} \cdot x_{0}")


def test_long_formulas_are_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formula, "MOST_TERMS", 4)
    texts = [Writer(article_proved()).tree(of.by_hand) for of in article_proved().partials]
    assert texts[0] == "(9 terms)"
    assert Writer(article_proved(), LATEX).tree(article_proved().partials[0].by_hand) == (
        r"\text{(9 terms)}"
    )


def test_points_are_small_numbers() -> None:
    from compare.proof.refute import point_at

    assert point_at(0, ("a", "b")) == point_at(0, ("a", "b"))
    assert all(abs(value) <= 3 for value in point_at(0, ("a", "b", "c")).values())
    assert all(isinstance(value, Fraction) for value in point_at(3, ("a",)).values())

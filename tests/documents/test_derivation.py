"""docs/derivation.md has the equations of the hand-written lines, in their order."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from statistics import linear_regression, mean
from typing import Any

import numpy as np
import pytest
import sympy

import manual.activations
import manual.article
import manual.losses
import manual.network
import manual.sgd
from compare.errata.catalogue import ERRATA
from compare.people import NEWCOMERS, PEOPLE, raw, shifted
from compare.trace import UPDATE
from compare.traced.article import trace_article
from compare.traced.network import trace_network
from manual.article import loss
from manual.network import Network
from models.planted import MISTAKES
from tests.compare.calls import compare
from tests.console import ROOT

DERIVATION, NOTATION = (
    (ROOT / "docs" / name).read_text("utf-8") for name in ("derivation.md", "notation.md")
)

#: A formula on lines of its own, or one within the text.
FORMULA = re.compile(r"^```math\n(?P<block>.*?)^```$|\$`(?P<inline>.+?)`\$", re.M | re.S)

#: Words of the language of formulas that stand for no quantity.
WORDS = {
    *("frac", "cdot", "quad", "qquad", "begin", "end", "aligned", "approx", "left"),
    *("right", "big", "times", "lVert", "rVert", "ldots", "text", "max", "log"),
}


def squeezed(text: str) -> str:
    """Without white space."""
    return re.sub(r"\s+", "", text)


def formulas(text: str) -> Iterator[tuple[int, str]]:
    """Where each formula begins, and what it says."""
    for found in FORMULA.finditer(text):
        yield found.start(), found["block"] or found["inline"]


def symbols(formula: str) -> set[str]:
    """The quantities in a formula: z_1, sigma."""
    for left_out in (r"\\(?:begin|end)\{\w+\}", r"\(\d\)(?= \\quad)"):
        formula = re.sub(left_out, "", formula)
    formula = formula.replace(r"y_{\text{pred}}", "P ").replace(r"y_{\text{pred},i}", "Q ")
    formula = re.sub(r"\\text\{.*?\}", "", formula)
    found = re.findall(r"\\([a-zA-Z]+)|([a-zA-Z](?:_(?:\{[^}]+\}|\w))?)", formula)
    return {re.sub("[{}]", "", letter) or word for word, letter in found} - WORDS


def tables(text: str, heading: str) -> list[tuple[str, ...]]:
    """The rows of every table whose first cell is `heading`."""
    whole = rf"^\| {re.escape(heading)} \|.*\n\|[-: |]+\n((?:\|.*\n)+)"
    rows = "".join(re.findall(whole, text, re.M)).splitlines()
    return [tuple(map(str.strip, re.split(r"(?<!\\)\|", row)[1:-1])) for row in rows]


ROWS = tables(DERIVATION, "in the article")
COMMANDS = [command for row in ROWS for command in re.findall(r"`compare (.+?)`", row[1])]

ONES, ALICE = manual.article.ones_parameters(), (np.array([-2.0, -1.0]), np.float64(1.0))
TRACE = trace_article(ONES, [-2, -1], 1)
COMPUTED = [q for q in TRACE.quantities.values() if q.formula and q.kind != UPDATE]


def test_the_equations_are_those_of_the_lines() -> None:
    """All 31, in the order in which they are computed, and the update."""
    wanted = [squeezed(f"{q.latex}={q.formula_latex}") for q in COMPUTED]
    assert len(wanted) == 31
    wanted.append(squeezed(TRACE.quantities["w1_new"].formula_latex or ""))
    setting = r"\\(?:begin|end)\{aligned\}|\\\\|\\quad|&|\(\d\) |\s"
    lines = [re.sub(setting, "", line) for _, f in formulas(DERIVATION) for line in f.split("\n")]
    assert [line for line in lines if line in wanted] == wanted


def test_alices_numbers_are_those_of_the_lines() -> None:
    """Of the way back each factor as well, with the numbers in its formula."""
    assert tables(DERIVATION, "Alice") == [
        (
            f"$`{q.latex}`$",
            *([f"$`{q.substituted_latex}`$"] if q.derivative else []),
            f"{q.by_hand:.15g}",
        )
        for q in COMPUTED
    ]


def test_what_the_nine_mean_is_computed() -> None:
    """What the loss should rise by where one parameter is raised, and rises by."""
    names: dict[tuple[str, ...], list[str]] = {}
    for (name, value), slope in zip(
        ONES._asdict().items(), manual.article.gradient(ONES, *ALICE), strict=True
    ):
        rise = loss(ONES._replace(**{name: value + 0.1}), *ALICE) - loss(ONES, *ALICE)
        numbers = tuple(f"{number:.5f}" for number in (slope, slope / 10, rise))
        names.setdefault(numbers, []).append(f"$`{name[0]}_{name[1]}`$")
    rows = [(" or ".join(alike), *numbers) for numbers, alike in names.items()]
    assert tables(DERIVATION, "raise by 0.1") == rows


def test_the_people_are_those_of_the_article() -> None:
    people = (*PEOPLE, *NEWCOMERS)
    said = {"F": "female", "M": "male", None: "to be predicted"}
    assert tables(DERIVATION, "person") == [
        (p.name, f"{p.weight:g}", f"{p.height:g}", *(f"{x:g}" for x in inputs), said[p.gender])
        for p, inputs in zip(people, shifted(raw(people)), strict=True)
    ]


def matrix(rows: Any) -> str:
    lines = r" \\ ".join(" & ".join(map(str, row)) for row in np.atleast_2d(rows))
    return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"


def added(terms: Any) -> str:
    """A sum, with the negative ones of its later terms in brackets."""
    first, *others = map(str, terms)
    return " + ".join([first, *(f"({n})" if n[0] == "-" else n for n in others)])


def multiplied(a: Any, b: Any) -> str:
    """A row times a column, written out."""
    return added(rf"{p} \cdot {f'({q})' if q < 0 else q}" for p, q in zip(a, b, strict=True))


def said() -> Iterator[str]:
    """What the text says between its formulas, with its numbers computed."""
    grads = manual.article.gradient(ONES, *ALICE)
    before, after = (loss(at, *ALICE) for at in (ONES, manual.sgd.update(ONES, grads, 0.1)))
    squares = sum(slope**2 for slope in grads)
    yield from (f"{squares:.4f}", f"{squares / 10:.5f}")
    yield f"{before:.4f} to {after:.4f}, by {before - after:.5f}"
    # The sigmoid as a reader with a calculator gets it, each number from those shown before.
    below, above = f"{np.exp(3):.4f}", f"{np.exp(-3):.4f}"
    low, high = (f"{1 / (1 + float(e)):.4f}" for e in (below, above))
    yield f"$`e^{{3}}`$ is {below}, so $`\\sigma(-3) = 1 / (1 + {below}) = {low}`$"
    yield f"$`e^{{-3}}`$ is {above}, so $`\\sigma(3) = 1 / {1 + float(above):.4f} = {high}`$"
    yield rf"$`{low} \cdot {high} = {float(low) * float(high):.4f}`$"
    just_below, just_above = manual.activations.sigmoid(np.array([-1, 1]))
    yield f"49 marks are worth {just_below:.2f}, and 51 are worth {just_above:.2f}."
    # The best line through the article's people, and the tangent at Alice's w1.
    heights, weights = ([getattr(p, of) for p in PEOPLE] for of in ("height", "weight"))
    line = linear_regression(heights, weights)
    misses = [y - line.slope * x - line.intercept for x, y in zip(heights, weights, strict=True)]
    yield f"rises by {line.slope:.2f} lb an inch"
    yield f"Alice weighs {-misses[0]:.2f} lb less"
    yield f"squared residuals is {mean(miss**2 for miss in misses):.2f} lb"
    shares = (max(map(abs, misses)) ** k / sum(abs(miss) ** k for miss in misses) for k in (2, 1))
    yield "has {:.0%} of their sum, and {:.0%} of the sum of the lengths".format(*shares)
    yield f"at a loss of {before:.5f} with slope {grads.w1:.5f}"
    for move, words, digits in (
        (0.1, "a move by 0.1 to the left the tangent promises", 5),
        (1, "a move by 1 it promises", 3),
    ):
        there = loss(ONES._replace(w1=1 - move), *ALICE)
        yield f"{words} {before - move * grads.w1:.{digits}f}, and the loss is {there:.{digits}f}"
    # Bob's digits: the steps of floats below 1, how many make up 1 - h1, what rounding costs.
    h1, exact = 1 / (1 + np.exp(-31.0)), 1 / (1 + np.exp(31.0))
    step = np.spacing(h1)
    yield f"$`h_1`$ is {h1:.15g}"
    yield f"{step:.1e} apart"
    yield f"{exact:.1e}, the nines cancel"
    yield f"{round(exact / step, -1):.0f} such steps"
    yield f"relative error of {1.5 * step / exact:.1e}".replace("e-0", "e-")
    yield f"Here it is {abs((1 - h1) / exact - 1):.1e}".replace("e-0", "e-")
    # Three examples, two inputs, four units: no transposition is hidden.
    x, w = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[1, 0, -1, 2], [0, 1, 2, 1]])
    dz = np.array([[1, 0, 0, -1], [0, 2, 1, 0], [-1, 1, 0, 0]])
    yield from (f"{name} = {matrix(m)}" for name, m in {"X": x, "W": w, "dZ": dz}.items())
    yield from (f"{name}^T = {matrix(m.T)}" for name, m in {"X": x, "W": w}.items())
    sums = [[multiplied(row, column) for column in w.T] for row in x]
    yield f"b = {matrix([0, 1, 0, -1])}"
    yield f"X W = {matrix(sums)} = {matrix(x @ w)}"
    yield f"{multiplied(x[:, 0], dz[:, 1])} = {(x.T @ dz)[0, 1]}`"
    yield rf"dW = X^T \, dZ = {matrix(x.T @ dz)}"
    yield f"db = {matrix([added(column) for column in dz.T])} = {matrix(dz.sum(axis=0))}"
    yield rf"dX = dZ \, W^T = {matrix(dz @ w.T)}"
    # What is tried below.
    yield r"\Delta L \approx -\eta \, \lVert \nabla L \rVert^2"
    yield from ("At $`10^{-8}`$ the two balance", "at about $`10^{-5}`$ two thirds")
    # The article's own, as its text has them.
    of_w = r"\frac{\partial L}{\partial w_i} = \frac{\partial L}{\partial y_{\text{pred}}} \times "
    yield of_w + r"\frac{\partial y_{\text{partial}}}{\partial w_i}"
    yield of_w + (
        r"\frac{\partial y_{\text{pred}}}{\partial h_1} \times \frac{\partial h_1}{\partial w_1}"
    )
    yield r"\sum_{i=0}^{n} (y_i - y_{\text{pred}}) / n"


def test_what_the_text_says_is_computed() -> None:
    text = squeezed(DERIVATION.replace("`$", "").replace("$`", ""))
    for words in said():
        assert squeezed(words.replace("`$", "").replace("$`", "").strip("`")) in text, words
    assert f"has {len(MISTAKES)} to choose from" in (ROOT / "docs/teaching.md").read_text("utf-8")


t = sympy.Symbol("t")
f, g, E = sympy.Function("f")(t), sympy.Function("g")(t), sympy.exp(-t)
S = 1 / (1 + E)
X, W, DZ, Y = (np.random.default_rng(3).normal(size=n) for n in ((3, 2), (2, 4), (3, 4), (3, 4)))
#: The slopes of a layer whose loss has the slopes DZ by z, element by element.
DW, DX = (DZ[:, None] * X[..., None]).sum(0), (DZ[:, None] * W).sum(2)

#: Equations that no line of the network spells out, and what vanishes if one is true.
EQUATIONS: dict[str, Any] = {
    "(f + g)' = f' + g'": (f + g).diff(t) - f.diff(t) - g.diff(t),
    "(f g)' = f' g + f g'": (f * g).diff(t) - f.diff(t) * g - f * g.diff(t),
    r"\left( \frac{1}{f} \right)' = -\frac{f'}{f^2}": (1 / f).diff(t) + f.diff(t) / f**2,
    r"f' \cdot \frac{1}{f} + f \cdot \left( \frac{1}{f} \right)' = 0": (
        f.diff(t) / f + f * (1 / f).diff(t)
    ),
    "(e^t)' = e^t": sympy.exp(t).diff(t) - sympy.exp(t),
    r"(e^{-z})' = e^{-z} \cdot (-1)": E.diff(t) + E,
    "(1 + e^{-z})' = -e^{-z}": (1 + E).diff(t) + E,
    r"\sigma'(z) = \frac{e^{-z}}{(1 + e^{-z})^2}": S.diff(t) - E / (1 + E) ** 2,
    r"\sigma'(z) = \sigma(z) \cdot \sigma(-z)": S.diff(t) - S * S.subs(t, -t),
    r"dw_{ij} = \sum_k x_{ki} \, dz_{kj}": np.einsum("ki,kj->ij", X, DZ) - DW,
    r"db_j = \sum_k dz_{kj}": np.einsum("kj->j", DZ) - DZ.sum(axis=0),
    r"dx_{ki} = \sum_j dz_{kj} \, w_{ij}": np.einsum("kj,ij->ki", DZ, W) - DX,
    r"dW = X^T \, dZ": X.T @ DZ - DW,
    r"dX = dZ \, W^T": DZ @ W.T - DX,
    r"da_{kj} = -\frac{2}{n} \, (y_{kj} - a_{kj})": (
        manual.losses.mse_backward(1.0, manual.losses.mse_forward(X @ W, Y)[1])
        + 2 / 3 * (Y - X @ W)
    ),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_an_equation_is_right(equation: str) -> None:
    rest = EQUATIONS[equation]
    numbers = rest if isinstance(rest, np.ndarray) else np.float64(sympy.simplify(rest))
    assert np.allclose(numbers, 0, atol=1e-13)
    assert squeezed(equation) in squeezed(DERIVATION)


def test_what_travels_back_gives_all_nine() -> None:
    """Each partial derivative is the δ named for it, times what is named beside it."""
    params = manual.article.draw_parameters(44)
    steps = manual.article.forward(params, ALICE[0])
    slopes = [z * (1 - z) for z in (steps.h1, steps.h2, steps.ypred)]
    delta = {"3": -2 * (1 - steps.ypred) * slopes[2]}
    delta |= {"2": delta["3"] * params.w6 * slopes[1], "1": delta["3"] * params.w5 * slopes[0]}
    factors = {"h_1": steps.h1, "h_2": steps.h2, "x_1": -2, "x_2": -1, "": 1}
    of = r"\\frac{\\partial L}{\\partial (\w)_(\d)} &= \\delta_(\d)(?: \\cdot (\w_\d))?"
    shown = {a + b: delta[k] * factors[by] for a, b, k, by in re.findall(of, DERIVATION)}
    right = manual.article.gradient(params, *ALICE)._asdict()
    assert shown == pytest.approx(right, rel=1e-13)


def test_the_first_order_rounding_and_moves_are_as_said() -> None:
    start, eta = manual.article.draw_parameters(44), 1e-6
    grads = manual.article.gradient(start, *ALICE)
    change = loss(manual.sgd.update(start, grads, eta), *ALICE) - loss(start, *ALICE)
    assert change == pytest.approx(-eta * np.sum(np.square(grads)), rel=1e-4)
    # 1 - h costs half a step for the quotient, and a whole one for the sum, of twice the length.
    z = np.random.default_rng(0).uniform(10, 37, 10_000)
    lost = np.abs((1 - 1 / (1 + np.exp(-z))) - 1 / (1 + np.exp(z))) / np.spacing(0.5)
    assert 1 < lost.max() < 1.5

    def digits(move: float, behind: float) -> float:
        """How many of 16 a quotient of differences has right, of the worst of the nine."""
        right = manual.article.gradient(ONES, *ALICE)._asdict()
        rise = {
            name: loss(ONES._replace(**{name: getattr(ONES, name) + move}), *ALICE)
            - loss(ONES._replace(**{name: getattr(ONES, name) - behind}), *ALICE)
            for name in right
        }
        return -np.log10(max(abs(rise[n] / (move + behind) / right[n] - 1) for n in right))

    for sides, power, best in ((0, -8, 8), (1, -5, 32 / 3)):
        found = {p: digits(10.0**p, sides * 10.0**p) for p in range(-15, 0)}
        assert abs(max(found, key=found.__getitem__) - power) <= 1
        assert abs(max(found.values()) - best) < 1.5


def test_every_symbol_is_introduced_and_in_the_notation() -> None:
    """But in the tables of what the article prints, whose first column is wrong on purpose."""

    def right(table: "re.Match[str]") -> str:
        return re.sub(r"^.*? \| ", "", table[0], flags=re.M)

    text = re.sub(r"^\| printed \| right \|\n.*?\n\n", right, DERIVATION, flags=re.M | re.S)
    new = [it.span() for it in re.finditer(r"(?is)\*\*new here:\*\*.*?(?:\n\n|\Z)", text)]
    known: set[str] = set()
    for at, formula in formulas(text):
        if any(start <= at < end for start, end in new):
            known |= symbols(formula)
        assert symbols(formula) <= known, formula
    rows = "\n".join(line for line in NOTATION.split("\n") if line.startswith("|"))
    listed, used = (
        {s for _, formula in formulas(of) for s in symbols(formula)} for of in (rows, DERIVATION)
    )
    assert used <= listed


def test_each_part_of_the_article_is_shown_and_its_slips_are_counted() -> None:
    assert all("](" in shown or "`compare " in shown for _, shown in ROWS)
    assert f"lists all {len(ERRATA)} slips" in DERIVATION


@pytest.mark.slow
@pytest.mark.parametrize("line", sorted({*COMMANDS}))
def test_the_commands_of_the_rows_run(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = compare(*shlex.split(line))
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.slow
def test_the_notation_is_that_of_the_traces() -> None:
    """Of what a trace has, formula and terminal are as there, by the name in the code."""
    rows, of = tables(NOTATION, "meaning"), TRACE.quantities
    found = set()
    for _, formula, terminal, code, *_ in rows[:15]:
        names = [name for name in re.findall(r"`(\w+)`", code.split(";")[0]) if name in of]
        for name, drawn, typed in zip(
            names, formula.split(", "), terminal.split(", "), strict=False
        ):
            assert (f"$`{of[name].latex}`$", of[name].symbol) == (drawn.strip(), typed.strip())
        found |= set(names)
    assert len(found) == 2 + 1 + 9 + 3 + 2 + 1 + 1 + 2 + 1
    network = Network((2, 2, 1), "tanh", "identity", "mse", l2=0.1)
    params = manual.network.draw_parameters(network, 0)
    there = trace_network(network, params, [1.0, 2.0], [0.5]).quantities
    typed = {symbol for row in rows[15:] for symbol in row[2].split(", ")} - {"", "λ"}
    assert len(typed) == 10
    assert typed <= {q.symbol for q in there.values()}
    assert "da_dz0[1]" in there

"""docs/derivation.md has the equations of the hand-written lines, in their order."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import jax
import numpy as np
import pytest
import sympy

import manual.article
import manual.losses
import manual.network
import manual.sgd
from compare import cli
from compare.errata.catalogue import ERRATA
from compare.people import NEWCOMERS, PEOPLE, raw, shifted
from compare.trace import UPDATE, Quantity, Trace
from compare.traced.article import trace_article
from compare.traced.network import trace_network
from manual.network import Network
from models.planted import MISTAKES
from tests.compare.networks.calls import compare
from tests.console import ROOT
from tests.formulas_of_documents import (
    FORMULA,
    Equation,
    equations,
    not_introduced,
    squeezed,
    symbols,
    tables,
)

DERIVATION = (ROOT / "docs" / "derivation.md").read_text("utf-8")
ROWS = list(tables(DERIVATION, "#"))
COMMANDS = [command for row in ROWS[:27] for command in re.findall(r"`compare (.+?)`", row[2])]

EXPLAINED = [line for line in COMMANDS if line.startswith(("step", "explain"))]


@pytest.fixture(scope="module")
def alice() -> Trace:
    return trace_article(manual.article.ones_parameters(), [-2, -1], 1)


def computed(trace: Trace) -> list[Quantity]:
    return [q for q in trace.quantities.values() if q.formula and q.kind != UPDATE]


def test_the_equations_are_those_of_the_lines(alice: Trace) -> None:
    """All 31, in the order in which they are computed."""
    wanted = [Equation(squeezed(q.latex), squeezed(q.formula_latex or "")) for q in computed(alice)]
    assert len(wanted) == 31
    found = equations(DERIVATION)
    assert [equation for equation in found if equation in wanted] == wanted


def test_the_update_is_that_of_the_lines(alice: Trace) -> None:
    formula = alice.quantities["w1_new"].formula_latex or ""
    blocks = [squeezed(found["block"] or "") for found in FORMULA.finditer(DERIVATION)]
    assert squeezed(formula) in blocks


def test_alices_numbers_are_those_of_the_lines(alice: Trace) -> None:
    """Of the way back each factor as well, with the numbers in its formula."""
    wanted = [
        (
            f"$`{q.latex}`$",
            *([f"$`{q.substituted_latex}`$"] if q.derivative else []),
            f"{q.by_hand:.15g}",
        )
        for q in computed(alice)
    ]
    assert list(tables(DERIVATION, "Alice")) == wanted
    assert "0.999999999999966" in DERIVATION
    bob = trace_article(manual.article.ones_parameters(), [25, 6], 0)
    assert f"{bob.quantities['h1'].by_hand:.15g}" == "0.999999999999966"


def test_what_the_nine_mean_is_computed() -> None:
    """What the loss should rise by and rises by, and what the update does, to the digits shown."""
    ones, alice = manual.article.ones_parameters(), np.array([-2.0, -1.0])
    loss = float(manual.article.loss(ones, alice, 1.0))
    grads = manual.article.gradient(ones, alice, 1.0)
    rows = list(tables(DERIVATION, "raise by 0.1"))
    assert len(rows) == len(grads)
    for (name, value), slope, row in zip(ones._asdict().items(), grads, rows, strict=True):
        moved = manual.article.loss(ones._replace(**{name: value + 0.1}), alice, 1.0) - loss
        shown = (f"$`{name[0]}_{name[1]}`$", f"{slope:.5f}", f"{slope / 10:.5f}", f"{moved:.5f}")
        assert row == shown
    new = manual.sgd.update(ones, grads, 0.1)
    after = float(manual.article.loss(new, alice, 1.0))
    squares = sum(slope**2 for slope in grads)
    said = (
        f"{squares:.4f}",
        f"{squares / 10:.5f}",
        f"{loss:.4f} to {after:.4f}, by {loss - after:.5f}",
    )
    for number in said:
        assert number in DERIVATION


def test_the_sigmoid_by_hand() -> None:
    """Each number from the ones shown before it, as a reader with a calculator gets them."""
    below, above = f"{np.exp(3):.4f}", f"{np.exp(-3):.4f}"
    low, high = (f"{1 / (1 + float(e)):.4f}" for e in (below, above))
    for said in (
        f"$`e^{{3}}`$ is {below}, so $`\\sigma(-3) = 1 / (1 + {below}) = {low}`$",
        f"$`e^{{-3}}`$ is {above}, so $`\\sigma(3) = 1 / {1 + float(above):.4f} = {high}`$",
        rf"$`{low} \cdot {high} = {float(low) * float(high):.4f}`$",
    ):
        assert squeezed(said) in squeezed(DERIVATION), said


def test_the_people_are_those_of_the_article() -> None:
    people = (*PEOPLE, *NEWCOMERS)
    said = {"F": "female", "M": "male", None: "to be predicted"}
    wanted = [
        (p.name, f"{p.weight:g}", f"{p.height:g}", *(f"{x:g}" for x in inputs), said[p.gender])
        for p, inputs in zip(people, shifted(raw(people)), strict=True)
    ]
    assert list(tables(DERIVATION, "person")) == wanted


def test_what_travels_back_gives_all_nine() -> None:
    """Each partial derivative is the δ named for it, times what is named beside it."""
    params, alice = manual.article.draw_parameters(44), np.array([-2.0, -1.0])
    steps = manual.article.forward(params, alice)
    slopes = [z * (1 - z) for z in (steps.h1, steps.h2, steps.ypred)]
    delta = {3: -2 * (1 - steps.ypred) * slopes[2]}
    delta |= {2: delta[3] * params.w6 * slopes[1], 1: delta[3] * params.w5 * slopes[0]}
    factors = {"h_1": steps.h1, "h_2": steps.h2, "x_1": -2, "x_2": -1}
    of = r"\\frac{\\partial L}{\\partial (\w)_(\d)} &= \\delta_(\d)(?: \\cdot (\w_\d))?"
    found = re.findall(of, DERIVATION)
    assert {f"{letter}{number}" for letter, number, *_ in found} == set(params._fields)
    right = manual.article.gradient(params, alice, 1.0)._asdict()
    for letter, number, which, factor in found:
        said = delta[int(which)] * factors.get(factor, 1)
        assert said == pytest.approx(right[letter + number], rel=1e-13), letter + number


def test_the_digits_that_bob_loses_are_counted() -> None:
    """The distance of floats below 1, how many are left of 1 - h1, and what rounding can cost."""
    exact = 1 / (1 + np.exp(31.0))  # 1 - h1, which is σ(-31)
    h1 = 1 / (1 + np.exp(-31.0))
    step = np.spacing(h1)
    text = " ".join(DERIVATION.replace("`$", "").split())
    for number in (
        f"{step:.1e} apart",
        f"{exact:.1e}, the nines cancel",
        f"{round(exact / step, -1):.0f} such steps",
        f"relative error of {1.5 * step / exact:.1e}",
        f"Here it is {abs((1 - h1) / exact - 1):.1e}",
    ):
        assert number.replace("e-0", "e-") in text, number


def test_rounding_costs_more_than_a_step_and_no_more_than_one_and_a_half() -> None:
    """Half a step for the quotient, a whole one for the sum, whose steps are twice as long."""
    assert np.spacing(1.0) == 2 * np.spacing(0.5)
    z = np.random.default_rng(0).uniform(10, 37, 10_000)
    h = 1 / (1 + np.exp(-z))
    lost = np.abs((1 - h) - 1 / (1 + np.exp(z))) / np.spacing(0.5)
    assert 1 < lost.max() < 1.5


def test_a_move_leaves_half_of_the_digits_and_two_moves_two_thirds() -> None:
    """Of 16, at the moves that are named, but for a digit: how much the curve bends decides it."""
    ones, alice = manual.article.ones_parameters(), np.array([-2.0, -1.0])
    slopes = manual.article.gradient(ones, alice, 1.0)._asdict()

    def loss(name: str, move: float) -> float:
        moved = ones._replace(**{name: getattr(ones, name) + move})
        return float(manual.article.loss(moved, alice, 1.0))

    def digits(move: float, behind: float) -> float:
        quotients = {n: (loss(n, move) - loss(n, -behind)) / (move + behind) for n in slopes}
        return -np.log10(max(abs(quotients[n] / slopes[n] - 1) for n in slopes))

    one = {power: digits(10.0**power, 0) for power in range(-15, 0)}
    two = {power: digits(10.0**power, 10.0**power) for power in range(-15, 0)}
    assert abs(max(one, key=one.__getitem__) + 8) <= 1
    assert abs(max(one.values()) - 8) < 1.5
    assert abs(max(two, key=two.__getitem__) + 5) <= 1
    assert abs(max(two.values()) - 32 / 3) < 1.5
    for power in ("-8", "-5"):
        assert f"$`10^{{{power}}}`$" in DERIVATION


def test_no_symbol_comes_before_its_introduction() -> None:
    assert list(not_introduced(DERIVATION)) == []


@pytest.mark.parametrize("document", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_formulas_are_such_as_code_hosts_draw(document: Path) -> None:
    """In the two forms that do not collide with the marks of the text, and in known words."""
    text = document.read_text("utf-8")
    outside = re.sub(r"^```.*?^```$|`[^`\n]*`", "", FORMULA.sub("", text), flags=re.M | re.S)
    assert "$" not in outside
    for found in FORMULA.finditer(text):
        formula = found["block"] or found["inline"]
        assert formula.count("{") == formula.count("}"), formula
        assert formula.count(r"\begin") == formula.count(r"\end"), formula
        assert formula.count(r"\left") == formula.count(r"\right"), formula
        assert not re.search(r"\\(operatorname|newcommand|def|href|label)\b", formula), formula
        assert "|" not in formula, formula  # it would end the cell of a table
        greek = {
            "sigma",
            "delta",
            "varepsilon",
            "eta",
            "nabla",
            "Delta",
            "lambda",
            "partial",
            "sum",
        }
        assert {s for s in symbols(formula) if len(s.split("_")[0]) > 1} <= greek, formula


def test_numbers_of_mistakes_and_slips() -> None:
    for document, said in (("docs/teaching.md", f"has {len(MISTAKES)} to choose from"),):
        assert said in " ".join((ROOT / document).read_text("utf-8").split())


def test_all_27_rows_are_there() -> None:
    assert [row[0] for row in ROWS[:27]] == [str(number) for number in range(1, 28)]
    for number, _, shown in ROWS[:26]:
        assert "](" in shown or "`compare " in shown, number
    of_the_claims = re.findall(r"\d+", ROWS[26][2])
    assert len(ROWS[26][2].split(";")) == 8
    assert all(1 <= int(number) < 27 for number in of_the_claims)


@pytest.mark.parametrize("document", ["derivation.md", "notation.md", "teaching.md"])
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / "docs" / document).read_text("utf-8")
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.M)
    }
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    for link in links:
        file, _, heading = link.partition("#")
        assert not file or (ROOT / "docs" / file).exists(), link
        assert file or heading in headings, link


def test_the_articles_slips_are_those_of_the_catalogue() -> None:
    def plain(cell: str) -> str:
        return cell.replace("\\", "")

    said = [(number, plain(printed), plain(right)) for number, printed, right in ROWS[27:]]
    assert said == [(str(entry.number), entry.printed, entry.right) for entry in ERRATA]


def test_the_commands_of_the_rows_are_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in COMMANDS:
        words, command = shlex.split(line), cli.cli
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context(line, words)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", [line for line in COMMANDS if line.startswith(("step", "explain"))]
)
def test_the_quantities_of_the_rows_are_explained(line: str) -> None:
    ended = compare(*shlex.split(line))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out


NOTATION = (ROOT / "docs" / "notation.md").read_text("utf-8")


def test_the_notation_is_that_of_the_trace(alice: Trace) -> None:
    """Of what a trace has, formula and terminal are as there, by the name in the code."""
    rows = list(tables(NOTATION, "meaning"))
    of = {q.name: q for q in alice.quantities.values()}
    found = set()
    for _, formula, terminal, code, *_ in rows[:15]:
        names = [name for name in re.findall(r"`(\w+)`", code.split(";")[0]) if name in of]
        for at, name in enumerate(names):
            assert f"$`{of[name].latex}`$" == formula.split(", ")[at].strip(), name
            assert of[name].symbol == terminal.split(", ")[at].strip(), name
        found |= set(names)
    assert len(found) == 2 + 1 + 9 + 3 + 2 + 1 + 1 + 2 + 1


@pytest.mark.slow
def test_the_notation_of_any_network() -> None:
    network = Network((2, 2, 1), "tanh", "identity", "mse", l2=0.1)
    params = manual.network.draw_parameters(network, 0)
    trace = trace_network(network, params, [1.0, 2.0], [0.5])
    symbols_there = {q.symbol for q in trace.quantities.values()}
    rows = list(tables(NOTATION, "meaning"))[15:]
    said = [symbol for row in rows for symbol in row[2].split(", ") if symbol and symbol != "λ"]
    assert len(said) == 10
    assert set(said) <= symbols_there
    assert "da_dz0[1]" in trace.quantities


def test_every_symbol_of_the_derivation_is_in_the_notation() -> None:
    """In a table; `d` stands before other symbols only."""
    used = {s for found in FORMULA.finditer(DERIVATION) for s in symbols(_of(found))}
    rows = "\n".join(line for line in NOTATION.split("\n") if line.startswith("|"))
    listed = {s for found in FORMULA.finditer(rows) for s in symbols(_of(found))}
    assert used - listed == set()


t, f, g = sympy.Symbol("t"), *(sympy.Function(name) for name in "fg")
slope_f, slope_g = f(t).diff(t), g(t).diff(t)

#: Rules and equations that no line of the network spells out, and what makes each of them true.
RULES = {
    "(f + g)' = f' + g'": ((f(t) + g(t)).diff(t), slope_f + slope_g),
    "(f g)' = f' g + f g'": ((f(t) * g(t)).diff(t), slope_f * g(t) + f(t) * slope_g),
    r"\left( \frac{1}{f} \right)' = -\frac{f'}{f^2}": ((1 / f(t)).diff(t), -slope_f / f(t) ** 2),
    r"f' \cdot \frac{1}{f} + f \cdot \left( \frac{1}{f} \right)' = 0": (
        slope_f / f(t) + f(t) * (1 / f(t)).diff(t),
        0,
    ),
    "(e^t)' = e^t": (sympy.exp(t).diff(t), sympy.exp(t)),
    r"(e^{-z})' = e^{-z} \cdot (-1)": (sympy.exp(-t).diff(t), -sympy.exp(-t)),
    "(1 + e^{-z})' = -e^{-z}": ((1 + sympy.exp(-t)).diff(t), -sympy.exp(-t)),
    r"\sigma'(z) = \frac{e^{-z}}{(1 + e^{-z})^2}": (
        (1 / (1 + sympy.exp(-t))).diff(t),
        sympy.exp(-t) / (1 + sympy.exp(-t)) ** 2,
    ),
    r"\sigma'(z) = \sigma(z) \cdot \sigma(-z)": (
        (1 / (1 + sympy.exp(-t))).diff(t),
        1 / (1 + sympy.exp(-t)) / (1 + sympy.exp(t)),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_are_right(rule: str) -> None:
    left, right = RULES[rule]
    assert sympy.simplify(left - right) == 0
    assert squeezed(rule) in squeezed(DERIVATION)


X, W, DZ, Y = (np.random.default_rng(3).normal(size=n) for n in ((3, 2), (2, 4), (3, 4), (3, 4)))


def loss_of(x: Any, w: Any, b: Any) -> Any:
    """A loss whose slopes by z are DZ."""
    return (DZ * (x @ w + b)).sum()


#: What the lines on any layer say, in NumPy; by the slope of `loss_of` that it is.
OF_LAYERS = {
    r"dw_{ij} = \sum_k x_{ki} \, dz_{kj}": (1, np.einsum("ki,kj->ij", X, DZ)),
    r"db_j = \sum_k dz_{kj}": (2, np.einsum("kj->j", DZ)),
    r"dx_{ki} = \sum_j dz_{kj} \, w_{ij}": (0, np.einsum("kj,ij->ki", DZ, W)),
    r"dW = X^T \, dZ": (1, X.T @ DZ),
    r"dX = dZ \, W^T": (0, DZ @ W.T),
}


@pytest.mark.parametrize("equation", OF_LAYERS)
def test_the_equations_of_any_layer_are_right(equation: str) -> None:
    by, said = OF_LAYERS[equation]
    with jax.enable_x64(True):
        slope = jax.grad(loss_of, argnums=by)(*map(jax.numpy.asarray, (X, W, np.zeros((1, 4)))))
    assert np.allclose(said, np.reshape(slope, said.shape), rtol=1e-13)
    assert squeezed(equation) in squeezed(DERIVATION)


def matrix(rows: Any) -> str:
    lines = r" \\ ".join(" & ".join(map(str, row)) for row in np.atleast_2d(rows))
    return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"


def added(*terms: Any) -> str:
    """A sum, with the negative ones of its later terms in brackets."""
    return " + ".join(
        [str(terms[0]), *(f"({n})" if str(n)[0] == "-" else f"{n}" for n in terms[1:])]
    )


def multiplied(a: Any, b: Any) -> str:
    """A row times a column, written out."""
    return added(*(rf"{p} \cdot {f'({q})' if q < 0 else q}" for p, q in zip(a, b, strict=True)))


def test_the_matrices_of_the_example_are_right() -> None:
    """Three examples, two inputs, four units: no transposition is hidden."""
    x, w = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[1, 0, -1, 2], [0, 1, 2, 1]])
    dz = np.array([[1, 0, 0, -1], [0, 2, 1, 0], [-1, 1, 0, 0]])
    sums = [[multiplied(row, column) for column in w.T] for row in x]
    for said in (
        f"X = {matrix(x)}",
        f"W = {matrix(w)}",
        f"b = {matrix([0, 1, 0, -1])}",
        f"X W = {matrix(sums)} = {matrix(x @ w)}",
        f"dZ = {matrix(dz)}",
        f"{multiplied(x[:, 0], dz[:, 1])} = {(x.T @ dz)[0, 1]}`",
        f"X^T = {matrix(x.T)}",
        rf"dW = X^T \, dZ = {matrix(x.T @ dz)}",
        f"db = {matrix([added(*column) for column in dz.T])} = {matrix(dz.sum(axis=0))}",
        f"W^T = {matrix(w.T)}",
        rf"dX = dZ \, W^T = {matrix(dz @ w.T)}",
    ):
        assert squeezed(said) in squeezed(DERIVATION), said


def test_the_loss_of_a_layer_and_the_first_order_are_right() -> None:
    said = r"da_{kj} = -\frac{2}{n} \, (y_{kj} - a_{kj})"
    slope = manual.losses.mse_backward(1.0, manual.losses.mse_forward(X @ W, Y)[1])
    assert np.allclose(slope, -2 / 3 * (Y - X @ W), rtol=1e-15)
    assert squeezed(said) in squeezed(DERIVATION)
    said = r"\Delta L \approx -\eta \, \lVert \nabla L \rVert^2"
    start, alice = manual.article.draw_parameters(44), (np.array([-2.0, -1.0]), np.float64(1))
    grads = manual.article.gradient(start, *alice)
    moved = manual.sgd.update(start, grads, 1e-6)
    change = manual.article.loss(moved, *alice) - manual.article.loss(start, *alice)
    assert abs(change / (-1e-6 * np.sum(np.square(grads))) - 1) < 1e-4
    assert squeezed(DERIVATION).count(squeezed(said)) == 2


def test_the_printed_equations_are_the_articles() -> None:
    """As its text has them, but for the sign of multiplication and white space."""
    for printed in (
        r"\frac{\partial L}{\partial w_i} = \frac{\partial L}{\partial y_{\text{pred}}} \times "
        r"\frac{\partial y_{\text{partial}}}{\partial w_i}",
        r"\frac{\partial L}{\partial w_i} = \frac{\partial L}{\partial y_{\text{pred}}} \times "
        r"\frac{\partial y_{\text{pred}}}{\partial h_1} \times \frac{\partial h_1}{\partial w_1}",
        r"\sum_{i=0}^{n} (y_i - y_{\text{pred}}) / n",
    ):
        assert squeezed(printed) in squeezed(DERIVATION)


def _of(found: "re.Match[str]") -> str:
    return found["block"] or found["inline"]

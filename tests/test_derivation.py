"""docs/derivation.md says what the lines do, in the order in which it can be understood."""

import re
import shlex
from pathlib import Path

import pytest

import manual.article
import manual.network
from compare.errata.catalogue import ERRATA
from compare.trace import UPDATE, Quantity, Trace
from compare.traced.article import trace_article
from compare.traced.network import trace_network
from manual.network import Network
from tests.compare.networks.calls import compare
from tests.console import ROOT
from tests.formulas_of_documents import (
    FORMULA,
    INTRODUCTION,
    Equation,
    equations,
    not_introduced,
    squeezed,
    symbols,
    tables,
)

DERIVATION = (ROOT / "docs" / "derivation.md").read_text("utf-8")
ROWS = list(tables(DERIVATION, "#"))
COMMANDS = [
    pytest.param(command, id=f"row {number}: {command}")
    for number, _, shown, *_ in ROWS[:27]
    for command in re.findall(r"`compare (.+?)`", shown)
]


@pytest.fixture(scope="module")
def alice() -> Trace:
    return trace_article(manual.article.ones_parameters(), [-2, -1], 1)


def computed(trace: Trace) -> list[Quantity]:
    return [q for q in trace.quantities.values() if q.formula and q.kind != UPDATE]


def test_the_equations_are_those_of_the_lines(alice: Trace) -> None:
    """All 31, in the order in which they are computed."""
    wanted = [Equation(squeezed(q.latex), squeezed(q.formula_latex or "")) for q in computed(alice)]
    assert len(wanted) == 31
    said = equations(DERIVATION)
    assert [equation for equation in said if equation in wanted] == wanted


def test_the_update_is_that_of_the_lines(alice: Trace) -> None:
    formula = alice.quantities["w1_new"].formula_latex or ""
    blocks = [squeezed(found["block"] or "") for found in FORMULA.finditer(DERIVATION)]
    assert squeezed(formula) in blocks


def test_alices_numbers_are_those_of_the_lines(alice: Trace) -> None:
    values = {squeezed(q.latex): f"{q.by_hand:.15g}" for q in computed(alice)}
    rows = list(tables(DERIVATION, "Alice"))
    assert len(rows) == 6 + 1 + 17
    for symbol, value in rows:
        assert values[squeezed(symbol[2:-2])] == value, symbol
    assert "0.999999999999966" in DERIVATION
    bob = trace_article(manual.article.ones_parameters(), [25, 6], 0)
    assert f"{bob.quantities['h1'].by_hand:.15g}" == "0.999999999999966"


def test_no_symbol_comes_before_its_introduction() -> None:
    assert list(not_introduced(DERIVATION)) == []


def test_a_symbol_without_introduction_is_seen() -> None:
    """Whichever introduction is taken away."""
    introductions = INTRODUCTION.findall(DERIVATION)
    assert len(introductions) == 9
    for introduction in introductions:
        changed = DERIVATION.replace(introduction, "\n\n", 1)
        assert list(not_introduced(changed)), introduction
    later = DERIVATION.replace(introductions[0], "", 1) + introductions[0]
    assert list(not_introduced(later))


def test_symbols_of_a_formula() -> None:
    assert symbols(r"\frac{\partial L}{\partial y_{\text{pred}}} = -2 \cdot (y - \sigma(z_1))") == {
        *("L", "P", "y", "sigma", "z_1", "partial")
    }
    assert symbols(r"(1) \quad & z_{kj} = \sum_i x_{ki} \, w_{ij} + b_j") == {
        *("z_kj", "x_ki", "w_ij", "b_j", "i")
    } | {"i"}


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
        greek = {"sigma", "delta", "eta", "nabla", "Delta", "lambda", "partial"}
        assert {s for s in symbols(formula) if len(s.split("_")[0]) > 1} <= greek, formula


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


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_rows_run(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = compare(*shlex.split(command))
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
    """But for those of its first section, which are any function and any number."""
    used = {s for found in FORMULA.finditer(DERIVATION) for s in symbols(_of(found))}
    listed = {s for found in FORMULA.finditer(NOTATION) for s in symbols(_of(found))}
    passing = {"t", "f", "g", "c", "e", "delta", "i", "j", "k", "n", "T", "nabla", "Delta", "d"}
    elements = {"X", "W", "Z", "A", "b", "y_i", "Q", "w_i"}  # sums and products over indices
    assert used - listed - passing - elements == set()


def _of(found: "re.Match[str]") -> str:
    return found["block"] or found["inline"]

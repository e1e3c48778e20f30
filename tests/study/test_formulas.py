"""Formulas as MathML: well formed, their numbers' places known, and brackets where they are due."""

import re
from xml.etree import ElementTree

import pytest

from compare.errata.catalogue import ERRATA
from compare.trace import place
from compare.traced.request import PassRequest
from study.formulas import mathml


def places(markup: str) -> dict[str, bool]:
    """Each place for a number, and whether a negative one has brackets there."""
    found = ElementTree.fromstring(markup).iter("mrow")
    marked = (row for row in found if "data-place" in row.attrib)
    return {row.attrib["data-place"]: "data-brackets" in row.attrib for row in marked}


A, B = place("a"), place("b")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (rf"{A} - {B}", {"a": False, "b": True}),
        (rf"{A} + {B}", {"a": False, "b": True}),
        (rf"{A} \cdot {B}", {"a": False, "b": True}),
        (rf"-{A}", {"a": True}),
        (rf"{A}^{{2}}", {"a": True}),
        (rf"({A} - {B})^{{2}}", {"a": False, "b": True}),
        (rf"\frac{{{A}}}{{{B}}}", {"a": False, "b": False}),
        (rf"\frac{{1}}{{{A} + {B}}}", {"a": False, "b": True}),
        (rf"\sigma({A})", {"a": False}),
        (rf"\max({A}, {B})", {"a": False, "b": False}),
        (rf"|{A} - {B}|", {"a": False, "b": True}),
        (rf"[{A} > {B}]", {"a": False, "b": True}),
        ("w_1 + 2", {}),
        (place("w0[2,1]"), {"w0[2,1]": False}),
    ],
)
def test_places_for_numbers(latex: str, expected: dict[str, bool]) -> None:
    assert places(mathml(latex)) == expected


def test_every_formula_of_the_pass() -> None:
    """It converts, and every place is a quantity that the formula depends on."""
    quantities = PassRequest(person="alice").trace().quantities
    for quantity in quantities.values():
        texts = (quantity.latex, quantity.formula_latex, quantity.places_latex)
        for text in filter(None, texts):
            root = ElementTree.fromstring(mathml(text))
            assert root.tag == "math"
            # No command of LaTeX, and no mark of a place, is left as text.
            assert not re.search(r"[\\«»&{}]", "".join(root.itertext()))
        if quantity.places_latex:
            used = set(places(mathml(quantity.places_latex)))
            assert used == set(quantity.depends_on)
            assert used <= quantities.keys()
            assert not places(mathml(quantity.formula_latex or ""))


def test_absolute_values_and_norms_have_no_space_inside() -> None:
    for latex, bar in ((r"|x|", "|"), (r"\lVert x \rVert^2", "‖")):
        bars = [of for of in ElementTree.fromstring(mathml(latex)).iter("mo") if of.text == bar]
        assert len(bars) == 2
        assert all((of.get("lspace"), of.get("rspace")) == ("0", "0") for of in bars)


def test_formulas_of_errata() -> None:
    latex = [of for entry in ERRATA for of in (entry.printed_latex, entry.right_latex) if of]
    for root in (ElementTree.fromstring(mathml(of, "block")) for of in latex):
        assert root.get("display") == "block"
        assert not re.search(r"[\\&]", "".join(root.itertext()))


def test_lines_under_each_other_are_a_table() -> None:
    root = ElementTree.fromstring(
        mathml(r"\begin{aligned} a &= b \\ c &= d < e \end{aligned}", "block")
    )
    assert len(list(root.iter("mtr"))) == 2
    assert "(1)" not in "".join(root.itertext())  # they have no numbers

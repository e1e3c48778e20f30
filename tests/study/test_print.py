"""On paper: the whole derivation, with Python's numbers, and nothing else."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from compare.errata.catalogue import ERRATA
from compare.trace import Trace
from compare.traced.request import PassRequest
from tests.study.browser import At, Pages, choose, settle
from tests.study.pictures import number

pytestmark = pytest.mark.slow

#: The width of the text on A4, in CSS pixels.
A4 = (680, 960)


@pytest.fixture(scope="module")
def bob() -> Trace:
    return PassRequest(person="bob").trace()


def on_paper(page: Page) -> Page:
    page.emulate_media(media="print")
    expect(page.locator("#derivation .end")).to_be_visible()
    settle(page)
    return page


def read(page: Page) -> list[dict[str, Any]]:
    """Every quantity as it is printed, from top to bottom."""
    return page.evaluate(
        """() => [...document.querySelectorAll("#derivation [data-quantity]")].map((node) => ({
          name: node.dataset.quantity,
          value: node.querySelector("span.value")?.textContent,
          formulas: [...node.querySelectorAll("math")].map((of) => of.textContent),
          sides: Object.fromEntries([...node.querySelectorAll("td.value")].map((cell) =>
            [cell.dataset.side, cell.textContent])),
          ulps: [...node.querySelectorAll("td.ulps")].map((cell) => cell.textContent),
          line: [...node.querySelector(".line")?.children ?? []].map((of) => of.textContent),
        }))"""
    )


def assert_all_of(trace: Trace, found: list[dict[str, Any]]) -> None:
    """All quantities in the order of the trace; floats bit for bit, exact ones to 20 digits."""
    in_order = sorted(trace.quantities.values(), key=lambda quantity: quantity.step)
    assert [of["name"] for of in found] == [quantity.name for quantity in in_order]
    for quantity, of in zip(in_order, found, strict=True):
        if quantity.step == 0:
            assert float(number(of["value"])) == quantity.by_hand
            continue
        sides = {side: number(text) for side, text in of["sides"].items()}
        assert float(sides["by_hand"]) == quantity.by_hand
        assert float(sides["autodiff"]) == quantity.autodiff
        exact = Decimal(quantity.exact or "nan")
        assert abs(sides["exact"] - exact) <= abs(exact) * Decimal("1e-19")
        assert of["line"] == [quantity.statement, f"{quantity.file}, line {quantity.line}"]


def test_every_quantity_with_python_s_numbers(at: At, bob: Trace) -> None:
    found = read(on_paper(at("person=bob")))
    assert_all_of(bob, found)
    ulps = {of["name"]: of["ulps"] for of in found}
    lost = bob.quantities["dL_dw1"].ulps_autodiff or 0
    assert lost > 1e4
    by_autodiff, source = ulps["dL_dw1"][1:]
    assert float(number(by_autodiff.removesuffix(" ulps"))) == pytest.approx(lost, rel=0.05)
    assert source == "certified"


def test_formulas_with_numbers_in_place(at: At) -> None:
    trace = PassRequest(person="alice").trace()
    found = {of["name"]: of for of in read(on_paper(at()))}
    for name in ("z1", "h1", "dL_dypred", "dL_dw1", "dypred_dw5", "dypred_dh1"):
        substituted = trace.quantities[name].substituted or ""
        expected = re.sub(r"\s", "", substituted).replace("-", "−")
        assert expected in re.sub(r"\s", "", "".join(found[name]["formulas"]))


def test_steps_in_order_by_phase(at: At, bob: Trace) -> None:
    page = on_paper(at("person=bob"))
    titles = page.locator("#derivation [data-phase] h3").all_inner_texts()
    assert titles == [f"Step {step.number}: {step.title}" for step in bob.steps]
    phases = page.locator("#derivation [data-phase]").evaluate_all(
        "all => all.map((of) => [of.dataset.phase, of.querySelectorAll('h3').length])"
    )
    counts = [step.phase for step in bob.steps]
    assert phases == [[p, counts.count(p)] for p in ("forward", "loss", "backward", "update")]


def test_nothing_is_cut_off(at: At) -> None:
    """Long sums are broken into lines, no part of them is lost, and columns are straight."""
    page = on_paper(at(size=A4))
    wide = page.evaluate(
        """() => [...document.querySelectorAll("#derivation :is(math, p, td, h3, svg, .words)")]
          .filter((of) => of.getBoundingClientRect().right > innerWidth)
          .map((of) => of.textContent)"""
    )
    assert wide == []
    for part in ("td.value", "td.ulps", ".line"):
        lefts = page.locator(f"#derivation .quantity {part}").evaluate_all(
            "all => [...new Set(all.map((of) => Math.round(of.getBoundingClientRect().left)))]"
        )
        assert len(lefts) == 1, part
    formulas = {of["name"]: of["formulas"] for of in read(page)}
    markup = page.evaluate(
        """() => modules["main.js"].store.study.quantities.map(({ name, mathml }) =>
          [name, mathml.formula && modules["parts/formula.js"].math(mathml.formula).textContent])"""
    )
    for name, formula in markup:
        assert formula is None or formula in "".join(formulas[name])


def test_nothing_else_is_printed(at: At) -> None:
    page = on_paper(at(dark=True))
    for part in ("header", "main", "body > footer", "#errata", "button", "input"):
        assert page.locator(f"{part}:visible").count() == 0
    colours = page.evaluate(
        "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle("
        "document.querySelector('#derivation p')).color]"
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    broken = page.locator("#derivation .quantity").evaluate_all(
        "all => all.filter((of) => getComputedStyle(of).breakInside !== 'avoid').length"
    )
    assert broken == 0


def test_the_network_is_drawn_as_at_the_end_of_the_pass(at: At) -> None:
    page = on_paper(at("step=2&parameter=w3&quiz=1"))
    pictures = page.locator("#derivation svg[role=img]")
    values, gradients = (
        re.sub(r"\s", "", picture.text_content() or "") for picture in pictures.all()
    )
    assert "?" not in values + gradients
    flows = "(all) => [...new Set(all.map((of) => of.dataset.flow))]"
    for picture, flow in zip(pictures.all(), ("forward", "back"), strict=True):
        assert picture.locator(".arrow").evaluate_all(flows) == [flow]
    # Half as heavy as on the screen.
    edges = "of => of.querySelector('.edge').getAttribute('stroke-width')"
    on_screen = float(page.locator("#network svg").evaluate(edges))
    assert float(pictures.first.evaluate(edges)) == pytest.approx(on_screen / 2)
    assert "w1+1" in values
    assert "∂w1+0.0215" in gradients
    marked = page.locator("#derivation :is([tabindex], [data-chosen=true], [data-now=true])")
    assert marked.count() == 0


def test_the_errata_follow(at: At) -> None:
    page = on_paper(at())
    slips = page.locator("#derivation [data-erratum]")
    assert slips.count() == len(ERRATA)
    assert slips.locator(".side").count() == 2 * len(ERRATA)
    assert ERRATA[17].right in (slips.nth(17).text_content() or "")


def test_it_says_whose_pass_it_is_and_what_was_changed(study_page: Path, at: At) -> None:
    fragment = "person=charlie&step=19&seed=7&edits=w2%3A3&eta=0.5&epoch=2&show=values"
    fragment += "&mistake=missing-square"
    page = on_paper(at(fragment))
    says = page.locator("#derivation > p").inner_text()
    for part in ("Charlie", "seed 7", "2 epochs", "w2", "η = 0.5", "the square of the loss"):
        assert part in says
    end = page.locator("#derivation .end").inner_text()
    assert f"{study_page.resolve().as_uri()}#" in end
    address = end[end.index("#") :].strip()
    assert set(fragment.split("&")) == set(address[1:].split("&"))
    assert (page.locator("#check").text_content() or "?") in end.replace("\n", " ")
    # What the page cannot plant is not claimed.
    at("mistake=float32")
    expect(on_paper(page).locator("#derivation")).not_to_contain_text("A mistake is planted")


def test_it_is_there_only_while_it_is_printed(at: At) -> None:
    page = at("edits=w1:2")
    inside = page.locator("#derivation > *")
    expect(inside).to_have_count(0)
    on_paper(page)
    # What changes meanwhile changes there.
    choose(page, edits={"w1": 3})
    assert {of["name"]: of["value"] for of in read(page)}["w1"] == "3"
    page.emulate_media(media="screen")
    expect(inside).to_have_count(0)


def test_a_file_has_several_pages(pages: Pages, study_page: Path) -> None:
    """Printed without a word before: the browser asks for it, and the page writes it."""
    # In a window of its own: where a medium was emulated, that is printed.
    pdf = pages.open(study_page).pdf(format="A4")
    assert 7 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 16

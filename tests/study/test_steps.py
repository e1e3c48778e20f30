"""Stepping through the pass: every micro-step, there and back, by every key and control."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from compare.trace import Trace
from compare.traced.request import PassRequest
from tests.study.browser import At, choose, follow, settle, state
from tests.study.pictures import number

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bob() -> Trace:
    return PassRequest(person="bob").trace()


def shown(page: Page) -> dict[str, dict[str, str]]:
    """What stands in the witnesses' rows of the current step, by quantity and side."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#now .quantity")].map((node) => [
          node.dataset.quantity,
          Object.fromEntries([...node.querySelectorAll("td.value")].map((cell) => [
            cell.dataset.side,
            cell.textContent,
          ])),
        ]))"""
    )


def assert_python_s(page: Page, trace: Trace, step: int) -> None:
    """The numbers on the page are the trace's: floats bit for bit, exact ones to 20 digits."""
    rows = shown(page)
    assert list(rows) == list(trace.steps[step - 1].names)
    for name, row in rows.items():
        quantity, read = trace.quantities[name], {side: number(row[side]) for side in row}
        assert float(read["by_hand"]) == quantity.by_hand
        assert float(read["autodiff"]) == quantity.autodiff
        exact = Decimal(quantity.exact or "nan")
        assert abs(read["exact"] - exact) <= abs(exact) * Decimal("1e-19")


def test_each_step_says_why_for_the_parameter_that_is_looked_at(at: At, bob: Trace) -> None:
    why = at("person=bob&step=0&parameter=w6").locator("#now .reason")
    expect(why).to_have_text("")
    for step in bob.steps:
        page = at(f"person=bob&step={step.number}&parameter=w6")
        found = [bob.quantities[name] for name in step.names]
        of_w6 = [q for q in found if q.derivative and q.derivative[1] == "w6"]
        expect(page.locator("#now .reason")).to_have_text(str((of_w6 or found)[0].reason))


def test_all_steps_of_bob_there_and_back(at: At, bob: Trace) -> None:
    page = at("person=bob&step=0")
    assert shown(page) == {}
    there = []
    for step in range(1, len(bob.steps) + 1):
        page.keyboard.press("ArrowRight")
        assert_python_s(page, bob, step)
        there.append(shown(page))
    for step in range(len(bob.steps), 0, -1):
        assert shown(page) == there[step - 1]
        page.keyboard.press("ArrowLeft")
    assert shown(page) == {}


def test_lost_digits_are_marked(at: At) -> None:
    """Autodiff's; with the article's form of σ' those by hand as well."""
    page = at("person=bob&step=18")
    rows = page.locator('#now [data-quantity="dL_dw1"]')
    autodiff, by_hand = (rows.locator(f'td[data-side="{of}"]') for of in ("autodiff", "by_hand"))
    expect(autodiff).to_have_text("1.5914044194235976·10⁻¹³")
    expect(autodiff.locator(".lost")).to_have_text("4044194235976")
    expect(by_hand.locator(".lost")).to_have_text("")  # rounding, no more
    at("person=bob&step=18&form=article")
    for side in (by_hand, autodiff):
        expect(side.locator(".right").first).to_have_text("1.591")
        expect(side.locator(".lost")).to_have_text(re.compile(".{6}"))


def step_of(page: Page) -> int:
    settle(page)
    return state(page)["step"]


#: Time for one more step, where it plays.
TICK = "tick()"


def test_keys(at: At) -> None:
    page = at("step=7")
    for key, after in (
        *(("ArrowRight", 8), ("ArrowLeft", 7), ("Home", 0), ("ArrowLeft", 0)),
        *(("End", 19), ("ArrowRight", 19)),
    ):
        page.keyboard.press(key)
        assert step_of(page) == after
    # A field keeps its own keys.
    page = at("step=7&seed=44")
    page.locator("#samples").get_by_label("Seed of the random").focus()
    for key in ("ArrowLeft", "Home", "End", " "):
        page.keyboard.press(key)
    assert step_of(page) == 7


def test_space_plays_and_stops(at: At) -> None:
    page = at("step=3")
    page.keyboard.press(" ")
    page.evaluate(TICK)
    assert step_of(page) == 4
    page.keyboard.press(" ")
    page.evaluate(TICK)
    assert step_of(page) == 4


def test_it_stops_at_the_end_and_begins_anew(at: At) -> None:
    page = at("step=18")
    page.get_by_role("button", name="play").click()
    page.evaluate(TICK)
    assert step_of(page) == 19
    page.get_by_role("button", name="play").click()
    assert step_of(page) == 0
    # And when another address is followed.
    follow(page, "step=5")
    page.evaluate(TICK)
    assert step_of(page) == 5


def test_buttons_and_scrubber(at: At) -> None:
    page = at("step=7")
    for name, step in (("Forward", 8), ("Back", 7), ("To the beginning", 0), ("To the end", 19)):
        page.get_by_label("Steps").get_by_role("button", name=name).click()
        assert step_of(page) == step
    page.get_by_label("Micro-step").fill("9")
    assert step_of(page) == 9
    expect(page.locator("#now .title")).to_contain_text("Undo (6)")


def test_a_screen_reader_hears_each_step(at: At, bob: Trace) -> None:
    page = at("person=bob&step=7")
    page.keyboard.press("ArrowRight")
    said = page.locator("#live").text_content() or ""
    assert said.startswith("8 of 19 · Backward · Undo (7)")
    assert f"∂L/∂ypred is {bob.quantities['dL_dypred'].by_hand:.4g}" in said


def test_whoever_presses_a_button_that_goes_keeps_a_place(at: At) -> None:
    page = at("seed=44&you=140;66&mistake=missing-square&edits=w1:3")
    for view, name, heir in (
        ("you", "train it for 1000 epochs", page.locator("#you [data-measure=weight] input")),
        ("pass", "undo changes", page.locator("#network [role=button]").first),
        ("pass", "remove", page.locator("#steps button").first),
    ):
        choose(page, view=view)
        page.get_by_role("button", name=name, exact=True).focus()
        page.keyboard.press("Enter")
        expect(heir).to_be_focused()


def test_what_is_scrolled_by_keys_is_scrolled(at: At) -> None:
    """And a selection of text is made by them, wherever it is."""
    page = at("step=7&erratum=1")
    page.locator("#errata details[open] [role=region]").focus()
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 7
    page.locator("#steps button").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    assert step_of(page) == 7
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 8


def test_what_is_substituted_is_python_s(at: At) -> None:
    """The formula in numbers, as Python writes it, for all quantities of two people."""
    for person in ("alice", "bob"):
        trace = PassRequest(person=person).trace()
        page = at(f"person={person}")
        for step in trace.steps:
            page.get_by_label("Micro-step").fill(str(step.number))
            found = page.locator("#now .quantity").evaluate_all(
                "all => all.map((of) => of.querySelector('.equation > .places').textContent)"
            )
            for name, places in zip(step.names, found, strict=True):
                expected = trace.quantities[name].substituted or ""
                assert re.sub(r"\s+", "", places) == as_mathml_reads(expected), name


def as_mathml_reads(text: str) -> str:
    """A formula in plain signs as the text of its MathML."""
    text = re.sub(r"e([+-]\d+)", lambda found: f"×10{int(found.group(1))}", text)
    text = text.translate(str.maketrans("²", "2")).replace("-", "−")
    return re.sub(r"\s+", "", text)

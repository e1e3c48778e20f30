"""One partial derivative as a product of its factors."""

import pytest
from playwright.sync_api import Page, expect

from compare.traced.request import PassRequest
from tests.study.browser import At, settle, state
from tests.study.pictures import number

pytestmark = pytest.mark.slow

VIEW = "equation"


def shown(page: Page) -> list[str]:
    """The quantities that stand there, once nothing changes any more."""
    settle(page)
    nodes = page.locator("#equation .quantity")
    return nodes.evaluate_all("all => all.map((node) => node.dataset.quantity)")


def test_every_derivative_with_its_factors(at: At) -> None:
    alice = PassRequest(person="alice").trace()
    page = at()
    for name in alice.parameters():
        page.get_by_label("Parameter", exact=True).select_option(name)
        gradient = alice.gradient_of(name)
        assert shown(page) == [gradient.name, *gradient.factors]
        values = page.locator('#equation td[data-side="by_hand"]').all_inner_texts()
        for of, value in zip(shown(page), values, strict=True):
            assert float(number(value)) == alice.quantities[of].by_hand


def test_the_worked_example(at: At) -> None:
    page = at("person=alice&parameter=w1")
    places, says = page.locator("#equation .quantity math").nth(2), page.locator("#equation .says")
    expect(places).to_have_text("−0.95261·0.249439·(−0.0903533)")
    expect(says).to_have_text("+0.0215: as w1 grows, the loss rises; so the update lowers w1.")
    at("person=alice&parameter=w1&step=12")
    expect(places).to_have_text("−0.95261·0.249439·?")
    expect(says).to_have_text("Step 18 computes it.")


def test_it_follows_the_pointer_unless_it_is_pinned(at: At) -> None:
    page = at("parameter=w1")
    w5 = page.locator('#network [role=button][data-parameter="w5"]')
    w5.hover()
    assert shown(page)[0] == "dL_dw5"
    page.mouse.move(2, 2)
    assert shown(page)[0] == "dL_dw1"
    page.get_by_role("button", name="pin", exact=True).click()
    w5.hover()
    assert shown(page)[0] == "dL_dw1"
    w5.click()  # chosen, it stays as well
    assert shown(page)[0] == "dL_dw5"


def test_a_factor_lights_its_nodes(at: At) -> None:
    page = at("parameter=w1")
    factor = page.locator('#equation .factor:has([data-quantity="dypred_dh1"])')
    lit = page.locator('#network .unit[data-lit="true"]')
    expect(lit).to_have_count(0)
    factor.focus()
    expect(lit).to_have_count(2)  # the output, and h1
    page.keyboard.press("Tab")
    settle(page)
    assert state(page)["lit"] != ["ypred", "h1"]


RISES = "as w1 grows, the loss rises; but by hand the update"

#: By address: what the loss does by the exact value, and what the update does. A mistake makes them
#: two things.
SENTENCES = {
    "mistake=residual-sign": f"{RISES} raises w1",
    "mistake=ascends": f"{RISES} raises w1",
    "mistake=zeroed-element": f"{RISES} leaves w1 as it is",
    "mistake=not-a-number&parameter=w2": "the loss rises; the update has no number",
    "form=article&person=bob&edits=w1:2": f"{RISES} leaves w1 as it is",
    "person=bob&edits=w1:3": "the loss rises; but in float64 the update leaves w1 as it is",
    "edits=w5:0": "0: to first order w1 changes nothing; so the update leaves w1 as it is",
    "edits=w1:1000": "no exact value to tell by: too small for 106 bits",
}


def test_what_the_loss_does_is_told_by_the_exact_value(at: At) -> None:
    for fragment, sentence in SENTENCES.items():
        expect(at(fragment).locator("#equation .says")).to_contain_text(sentence)

"""One partial derivative as a product of its factors."""

import pytest
from playwright.sync_api import Page

from compare.trace import Trace
from compare.traced.request import PassRequest
from tests.study.browser import At
from tests.study.reading import number

pytestmark = pytest.mark.slow


def shown(page: Page) -> list[str]:
    nodes = page.locator("#equation .quantity")
    return [node.get_attribute("data-quantity") or "" for node in nodes.all()]


def state(page: Page, key: str) -> object:
    return page.evaluate("key => modules['main.js'].store.state[key]", key)


@pytest.fixture(scope="module")
def alice() -> Trace:
    return PassRequest(person="alice").trace()


def test_every_derivative_with_its_factors(at: At, alice: Trace) -> None:
    page = at()
    for name in alice.parameters():
        page.get_by_label("Parameter", exact=True).select_option(name)
        gradient = alice.gradient_of(name)
        assert shown(page) == [gradient.name, *gradient.factors]
        for of in shown(page):
            cell = page.locator(f'#equation [data-quantity="{of}"] td[data-side="by_hand"]')
            assert float(number(cell.inner_text())) == alice.quantities[of].by_hand


def test_the_worked_example(at: At) -> None:
    page = at("person=alice&parameter=w1")
    places = page.locator("#equation .quantity math").nth(2).text_content() or ""
    assert places == "−0.95261·0.249439·(−0.0903533)"
    says = page.locator("#equation .says").inner_text()
    assert says == "+0.0215: as w1 grows, the loss rises; so the update lowers w1."


def test_what_is_not_yet_computed_stays_open(at: At) -> None:
    page = at("person=alice&parameter=w1&step=12")
    places = page.locator("#equation .quantity math").nth(2).text_content() or ""
    assert places == "−0.95261·0.249439·?"
    assert page.locator("#equation .says").inner_text() == "Step 18 computes it."


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
    page.mouse.down()  # chosen, it stays as well
    page.mouse.up()
    assert shown(page)[0] == "dL_dw5"


def test_a_factor_lights_its_nodes(at: At) -> None:
    page = at("parameter=w1")
    factor = page.locator('#equation .factor:has([data-quantity="dypred_dh1"])')
    lit = page.locator('#network .unit[data-lit="true"]')
    assert lit.count() == 0
    factor.focus()
    assert lit.count() == 2  # the output, and h1
    page.keyboard.press("Tab")
    assert state(page, "lit") != ["ypred", "h1"]


def test_any_network(at_own: At, own: Trace) -> None:
    page = at_own("parameter=w0%5B2%2C1%5D")
    gradient = own.gradient_of("w0[2,1]")
    assert shown(page) == [gradient.name, *gradient.factors]
    # What is given has a value and no witnesses.
    page.get_by_label("Parameter", exact=True).select_option("b0[1]")
    assert shown(page)[0] == "db0[1]"


RISES = "as w1 grows, the loss rises; but by hand the update"


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("mistake=residual-sign", f"{RISES} raises w1"),
        ("mistake=ascends", f"{RISES} raises w1"),
        ("mistake=zeroed-element", f"{RISES} leaves w1 as it is"),
        ("mistake=not-a-number&parameter=w2", "the loss rises; the update has no number"),
        ("form=article&person=bob&edits=w1:2", f"{RISES} leaves w1 as it is"),
        ("person=bob&edits=w1:3", "the loss rises; but in float64 the update leaves w1 as it is"),
        ("edits=w5:0", "0: to first order w1 changes nothing; so the update leaves w1 as it is"),
        ("edits=w1:1000", "no exact value to tell by: too small for 106 bits"),
    ],
)
def test_what_the_loss_does_is_told_by_the_exact_value(
    at: At, fragment: str, sentence: str
) -> None:
    """And what the update does, by the update: a mistake makes them two things."""
    page = at(fragment)
    assert sentence in page.locator("#equation .says").inner_text()

"""The address holds what is chosen, and brings it back."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from study.build import build
from tests.study.browser import At, Pages

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

#: One of each that an address can say, none of them as usual.
CHOSEN: dict[str, Any] = {
    "sample": "diana",
    "step": 9,
    "seed": 115,
    "edits": {"w1": -0.1, "b1": 1e-7, "b3": 2e300},
    "form": "article",
    "eta": 0.025,
    "epoch": 250,
    "order": "shuffled",
    "parameter": "b2",
    "pinned": True,
    "show": "gradients",
    "nudge": 7,
    "axes": ["w5", "b1"],
    "printed": True,
    "quiz": True,
    "unit": "kg",
    "you": [150.5, 68],
}

_ROUND_TRIP = """
(chosen) => {
  const { study } = modules["main.js"].store;
  const { defaults, toAddress, fromAddress } = modules["model/state.js"];
  const address = toAddress(study, { ...defaults(study), ...chosen });
  return [address, fromAddress(study, "#" + address)];
}
"""


def state(page: Page) -> dict[str, Any]:
    return page.evaluate("modules['main.js'].store.state")


def test_each_choice_comes_back(at: At) -> None:
    page = at()
    for key, chosen in CHOSEN.items():
        address, read = page.evaluate(_ROUND_TRIP, {key: chosen})
        assert read["unread"] == []
        assert read["state"][key] == chosen
        assert address.count("=") == 1  # what is as usual is not said


def test_all_of_them_at_once(at: At) -> None:
    page = at()
    address, read = page.evaluate(_ROUND_TRIP, CHOSEN)
    assert {key: read["state"][key] for key in CHOSEN} == CHOSEN
    page = at(address)
    assert {key: state(page)[key] for key in CHOSEN} == CHOSEN


def test_the_address_follows_what_is_done(at: At) -> None:
    page = at()
    page.get_by_role("button", name="Diana").click()
    page.get_by_label("Micro-step").fill("9")
    page.wait_for_function("() => location.hash === '#person=diana&step=9'")
    page.reload()
    assert (state(page)["sample"], state(page)["step"]) == ("diana", 9)


def test_another_address_is_followed_at_once(at: At) -> None:
    page = at("person=bob")
    page.evaluate("location.hash = '#person=alice&step=9&seed=44'")
    page.wait_for_function("() => modules['main.js'].store.state.step === 9")
    assert page.get_by_role("button", name="Alice").get_attribute("aria-pressed") == "true"
    assert page.locator("#samples").get_by_label("Seed of").input_value() == "44"


@pytest.mark.parametrize(
    "part",
    ["person=eve", "step=99", "step=1.5", "seed=-1", "seed=", "edits=w9:1", "edits=x1:1",
     "edits=w1:x", "eta=0", "axes=w1", "you=1", "nonsense", "parameter=w7", "%E0%A4%A=1",
     "edits=w1:", "you=1;Infinity", "__proto__=1", "constructor=1"],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_the_rest_followed(at: At, part: str) -> None:
    page = at(f"{part}&person=bob")
    assert state(page)["sample"] == "bob"
    notice = page.get_by_role("alert").inner_text()
    assert part.split("=")[0] in notice
    assert "means nothing here" in notice
    # It stays until something is chosen: pointing at an edge chooses nothing.
    page.locator("#network [role=button]").first.hover()
    assert page.get_by_role("alert").inner_text() == notice
    page.get_by_role("button", name="Charlie").click()
    assert page.get_by_role("alert").count() == 0


def test_addresses_in_the_documents_say_something(at: At) -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    found = [of for path in documents for of in re.findall(r"`#(\w+=[^`]*)`", path.read_text())]
    assert len(found) > 4
    page = at()
    for address in found:
        read = page.evaluate(
            "address => modules['model/state.js'].fromAddress("
            "modules['main.js'].store.study, address)",
            address,
        )
        assert read["unread"] == [], address


def test_all_weights_1_are_said_where_a_page_begins_with_a_seed(
    pages: Pages, of_diana: dict[str, Any], tmp_path: Path
) -> None:
    page = pages.open(build(of_diana, tmp_path / "page.html"))
    assert (state(page)["sample"], state(page)["seed"]) == ("diana", 7)
    assert page.evaluate("modules['main.js'].store.point.certified") is True
    page.locator("#samples").get_by_role("button", name="all weights 1").click()
    page.wait_for_function("() => location.hash === '#seed=ones'")
    page.reload()
    assert state(page)["seed"] is None

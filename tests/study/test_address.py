"""The address holds what is chosen, and brings it back."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from study.build import build
from tests.study.browser import At, Pages, follow, state

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
    "tape": "forward",
    "entry": 12,
    "plus": False,
    "printed": True,
    "group": "loop",
    "blind": "autodiff",
    "quiz": True,
    "level": "line",
    "unit": "kg",
    "you": [150.5, 68],
    "depth": 12,
    "units": 1,
    "act": "relu",
    "scale": 1.5,
    "draw": 4294967295,
    "digit": 0,
}

_ROUND_TRIPS = """
(choices) => choices.map((chosen) => {
  const { study } = modules["main.js"].store;
  const { defaults, toAddress, fromAddress } = modules["model/state.js"];
  const address = toAddress(study, { ...defaults(study), ...chosen });
  return [address, fromAddress(study, "#" + address)];
})
"""

_UNREAD = """
(addresses) => addresses.map((address) =>
  modules["model/state.js"].fromAddress(modules["main.js"].store.study, address).unread)
"""


def test_each_choice_comes_back(at: At) -> None:
    choices = [*({key: chosen} for key, chosen in CHOSEN.items()), CHOSEN]
    found = at().evaluate(_ROUND_TRIPS, choices)
    for chosen, (address, read) in zip(choices, found, strict=True):
        assert read["unread"] == []
        assert {key: read["state"][key] for key in chosen} == chosen
        # What is as usual is not said, nor the view that follows from the rest.
        assert address.count("=") == len(chosen)
    page = at(found[-1][0])
    assert {key: state(page)[key] for key in CHOSEN} == CHOSEN


def test_the_address_follows_what_is_done(at: At) -> None:
    page = at()
    page.get_by_role("button", name="Diana").click()
    page.get_by_label("Micro-step").fill("9")
    page.wait_for_function("() => location.hash === '#person=diana&step=9&seed=ones&show=values'")
    page.reload()
    assert (state(page)["sample"], state(page)["step"]) == ("diana", 9)


def test_another_address_is_followed_at_once(at: At) -> None:
    page = at("person=bob")
    follow(page, "person=alice&step=9&seed=44")
    assert state(page)["step"] == 9
    assert page.get_by_role("button", name="Alice").get_attribute("aria-pressed") == "true"
    assert page.locator("#samples").get_by_label("Seed of").input_value() == "44"


UNREADABLE = (
    *("person=eve", "step=99", "step=1.5", "seed=-1", "seed=", "edits=w9:1", "edits=x1:1"),
    *("edits=w1:x", "eta=0", "axes=w1", "you=1", "nonsense", "parameter=w7", "%E0%A4%A=1"),
    *("edits=w1:", "you=1;Infinity", "__proto__=1", "constructor=1"),
    *("depth=0", "depth=13", "units=65", "units=1.5", "act=gelu", "scale=0", "scale=11"),
    *("draw=-1", "digit=11", "digit="),
)


def test_what_cannot_be_read_is_named_and_the_rest_followed(at: At) -> None:
    page = at("axes=w1&person=bob")
    unread = page.evaluate(_UNREAD, [f"#{part}&person=bob" for part in UNREADABLE])
    assert unread == [[part] for part in UNREADABLE]
    assert state(page)["sample"] == "bob"
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("The address says axes=w1, which means nothing here")
    # It stays until something is chosen: pointing at an edge chooses nothing.
    page.locator("#network [role=button]").first.hover()
    expect(page.locator("#network circle[data-path=true]")).not_to_have_count(0)
    expect(notice).to_be_visible()
    page.get_by_role("button", name="Charlie").click()
    expect(notice).to_have_count(0)


def test_addresses_in_the_documents_say_something(at: At) -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    found = [of for path in documents for of in re.findall(r"`#(\w+=[^`]*)`", path.read_text())]
    assert len(found) > 4
    assert at().evaluate(_UNREAD, found) == [[]] * len(found)


def test_all_weights_1_are_said_where_a_page_begins_with_a_seed(
    pages: Pages, content: dict[str, Any], tmp_path: Path
) -> None:
    begin = {"sample": "diana", "seed": 44, "form": "article"}
    page = pages.open(build({**content, "begin": begin}, tmp_path / "page.html"))
    assert {key: state(page)[key] for key in begin} == begin
    assert page.evaluate("modules['main.js'].store.point.certified") is True
    page.locator("#samples").get_by_role("button", name="all weights 1").click()
    page.wait_for_function("() => location.hash === '#seed=ones'")
    page.reload()
    assert state(page)["seed"] is None

"""The page as a whole: for every reader, on every screen, and as fast as a hand moves."""

import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from compare.trace import Trace
from compare.traced.request import PassRequest
from study.build import build
from study.content import of_pass
from tests.passes import trace
from tests.study.browser import DESKTOP, Pages, axe
from tests.study.dragging import drag

pytestmark = pytest.mark.slow

WIDTHS = (360, 768, 1440)

#: States in which much is on the page.
STATES = (
    "",
    "person=bob&step=18&form=article&show=gradients",
    "person=diana&seed=44&epoch=300&step=4&printed=1&unit=kg",
    "quiz=1&seed=7",
)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("fragment", STATES)
def test_axe_finds_no_violation(pages: Pages, study_page: Path, fragment: str, dark: bool) -> None:
    page = pages.open(study_page, fragment, dark=dark, still=True)
    assert axe(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_none_at_any_width(pages: Pages, study_page: Path, width: int) -> None:
    page = pages.open(study_page, "person=bob", size=(width, 800), still=True)
    assert axe(page) == []


def test_axe_finds_none_on_a_page_of_another_network(pages: Pages, own_page: Path) -> None:
    assert axe(pages.open(own_page, still=True)) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("fragment", STATES)
def test_no_page_is_wider_than_its_screen(
    pages: Pages, study_page: Path, width: int, fragment: str
) -> None:
    page = pages.open(study_page, fragment, size=(width, 800))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_the_network_stays_in_view(pages: Pages, study_page: Path, width: int) -> None:
    page = pages.open(study_page, size=(width, 800))
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(100)
    box = page.locator("#network svg").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 400


_CONTROLS = """
() => [...document.querySelectorAll("button, input, select, textarea, summary, [tabindex]")].filter(
  (node) => !node.disabled && node.tabIndex >= 0 && node.checkVisibility()
).filter((node) => node.dataset.seen !== "1").map((node) => node.outerHTML.slice(0, 80))
"""

#: Marks what has the focus, and says whether it can be seen that it has; null beyond the last one.
_FOCUSED = """
() => {
  const node = document.activeElement;
  if (node === document.body) return null;
  node.dataset.seen = "1";
  const label = node.querySelector?.(".label-back");
  const hasRing = getComputedStyle(node).outlineStyle !== "none";
  const isOutlined = label && getComputedStyle(label).strokeWidth === "3px";
  return { shows: hasRing || isOutlined, html: node.outerHTML };
}
"""


def test_every_control_is_reached_by_the_keyboard(pages: Pages, study_page: Path) -> None:
    page = pages.open(study_page, "seed=44&edits=w1:2", still=True)
    assert len(page.evaluate(_CONTROLS)) > 25
    page.keyboard.press("Tab")
    while (at := page.evaluate(_FOCUSED)) is not None:
        assert at["shows"], at["html"][:80]
        page.keyboard.press("Tab")
    assert page.evaluate(_CONTROLS) == []


def test_dragging_a_weight_takes_less_than_a_frame(pages: Pages, study_page: Path) -> None:
    """Script and layout of everything that changes, the best of five rounds of 60 movements."""
    page = pages.open(study_page, "person=alice", size=DESKTOP)
    page.wait_for_timeout(500)
    rounds = [drag(page, "w1", count=60) for _ in range(5)]
    moved = page.evaluate("modules['main.js'].store.state.edits.w1")
    assert moved == 16.0  # five times 60 movements of 4 pixels, 80 of which are 1, from 1 on
    assert min(rounds) < 16, rounds


def test_reduced_motion_moves_nothing(pages: Pages, study_page: Path) -> None:
    page = pages.open(study_page, still=True)
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((node) => {
          const style = getComputedStyle(node);
          return style.transitionDuration !== "0s" || style.animationName !== "none";
        }).length"""
    )
    assert moving == 0


def test_a_page_that_computes_otherwise_would_say_so(
    pages: Pages, content: dict[str, object], tmp_path: Path
) -> None:
    """One number of Python's, changed in its tenth digit."""
    from copy import deepcopy

    from study.build import build

    other = deepcopy(content)
    passes: list[dict[str, dict[str, float]]] = other["passes"]  # pyright: ignore[reportAssignmentType]
    passes[3]["by_hand"]["dL_dw3"] *= 1 + 1e-10
    page = pages.open(build(other, tmp_path / "page.html"))
    difference = float(page.locator("#difference").get_attribute("data-difference") or "nan")
    assert 0.9e-10 < difference < 1.1e-10


def test_numbers_a_few_ulps_apart_hang_nothing(
    pages: Pages, study_page: Path, tmp_path: Path
) -> None:
    """Axes have no ticks where no round numbers lie between; the page goes on."""
    page = pages.open(study_page, "edits=b3:35.7", still=True)
    page.locator("#surface .picture").scroll_into_view_if_needed()
    expect(page.locator("#surface .picture > svg")).to_have_attribute(
        "aria-label", re.compile("lowest")
    )
    two = PassRequest(sizes=(2, 2, 1), x=(0.5, -1.0), y=(1.0,), seed=3)
    path = build(of_pass(two.trace()), tmp_path / "two.html")
    page = pages.open(path, "edits=x%5B0%5D:1e17", still=True)
    page.locator(".boundary .picture").scroll_into_view_if_needed()
    expect(page.locator(".boundary .plot[data-fine=true]")).to_be_visible()


def test_round_numbers(pages: Pages, study_page: Path) -> None:
    """Few, within the ends, and none where there are none."""
    ticks = pages.open(study_page).evaluate(
        """() => {
          const { linear } = modules["parts/scales.js"];
          const of = (low, high) => linear([low, high], [0, 100]).ticks(5).map(([value]) => value);
          return [of(0, 1), of(-3, 12), of(0.5, 0.5 + 2 ** -52), of(1e17, 1e17), of(1, 1 + 1e-9)];
        }"""
    )
    assert ticks[0] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert ticks[1] == [0, 5, 10]
    assert ticks[2] == []
    assert ticks[3] == []
    assert len(ticks[4]) > 2


#: Where numbers overflow, cancel, vanish, or lose all that they mean.
EXTREMES = (
    "edits=w1:1e308;w5:1e308",
    "edits=w1:1e308;w2:1e308;b1:1e308",
    "edits=w5:1e308;w6:-1e308&nudge=12",
    "nudge=1&close=1&edits=b3:745",
    "edits=w5:0;w6:0&seed=44",
    "seed=3&eta=100&epoch=1000",
    "mistake=sigmoid-of-z&seed=44&epoch=1000",
    "mistake=not-a-number&seed=44&epoch=10",
    "mistake=float32",
)

#: Words that no reader should meet, in texts and in what is drawn.
_NONSENSE = r"""
() => {
  const bad = /\b(NaN|undefined|null|Infinity)\b|\[object/;
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) if (bad.test(texts.currentNode.data)) found.push(texts.currentNode.data);
  for (const node of document.querySelectorAll("main *")) {
    for (const { name, value } of node.attributes) {
      if (bad.test(value)) found.push(`${name}=${value}`);
    }
  }
  return found.map((of) => of.slice(0, 80));
}
"""

_SECTIONS = ("equation", "nudge", "surface", "training", "you", "break")


@pytest.mark.parametrize("fragment", EXTREMES)
def test_no_number_is_shown_that_is_none(pages: Pages, study_page: Path, fragment: str) -> None:
    page = pages.open(study_page, fragment, still=True)
    for section in _SECTIONS:
        page.locator(f"#{section}").scroll_into_view_if_needed()
        page.wait_for_timeout(120)  # it draws as it comes into view
    assert page.evaluate(_NONSENSE) == []


def anywhere(drawn: random.Random, told: dict[str, Any]) -> str:
    """An address with numbers of all sizes, for any page."""

    def size() -> float:
        wide = drawn.choice((-1, 1)) * 10 ** drawn.uniform(-320, 308)
        return drawn.choice((drawn.uniform(-5, 5), 0.0, -1.0, wide))

    parameters = told["parameters"]
    edits = ";".join(f"{name}:{size()!r}" for name in drawn.sample(parameters, 2))
    parts = [f"edits={edits}", f"parameter={drawn.choice(parameters)}"]
    parts += [f"nudge={drawn.randint(1, 12)}", f"close={drawn.randint(0, 1)}"]
    parts += [f"axes={';'.join(drawn.sample(parameters, 2))}", f"quiz={drawn.randint(0, 1)}"]
    parts += [f"eta={10 ** drawn.uniform(-6, 2)!r}", f"epoch={drawn.choice((0, 1, 500, 1000))}"]
    if told["people"]:
        parts += [f"seed={drawn.choice(('ones', 0, 1, 44, 77))}", f"you={abs(size())!r};66"]
        parts += [f"mistake={drawn.choice(told['mistakes']['list'])['slug']}"] * drawn.randint(0, 1)
    return quote("&".join(drawn.sample(parts, drawn.randint(2, len(parts)))), safe="=&;:-.")


@pytest.mark.parametrize("network", ["article", "relu", "classes", "huber", "identity output"])
def test_no_state_is_too_far(
    pages: Pages, content: dict[str, Any], study_page: Path, tmp_path: Path, network: str
) -> None:
    """A dozen addresses at random on one page, high enough that all views draw: nothing that hangs,
    fails, or shows a number that is none."""
    told = content if network == "article" else of_pass(trace(network))
    path = study_page if network == "article" else build(told, tmp_path / "page.html")
    page = pages.open(path, size=(1280, 7000), still=True)
    drawn = random.Random(network)
    for _ in range(12):
        fragment = anywhere(drawn, told)
        page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
        page.wait_for_timeout(250)  # until fine pictures are drawn
        assert page.evaluate(_NONSENSE) == [], fragment
        assert page.locator("#notice").is_hidden(), fragment


def test_what_could_not_be_drawn_is_drawn_again(pages: Pages, study_page: Path) -> None:
    page = pages.open(study_page, "edits=w1:1e308;w5:1e308", still=True)
    page.locator("#nudge").scroll_into_view_if_needed()
    drawings = page.locator("#nudge svg.plot[role=img]")
    page.wait_for_function("() => document.querySelector('#nudge svg.plot[hidden]') !== null")
    page.get_by_role("button", name="undo changes").click()
    for k in range(2):
        drawings.nth(k).wait_for(state="visible")


def test_what_is_edited_can_be_undone_on_any_page(pages: Pages, own_page: Path, own: Trace) -> None:
    page = pages.open(own_page, "edits=w0%5B0%2C0%5D:2")
    page.get_by_role("button", name="undo changes").click()
    given = page.evaluate("modules['main.js'].store.point.given['w0[0,0]']")
    assert given == own.quantities["w0[0,0]"].by_hand


def test_a_page_without_seeds_takes_none(pages: Pages, own_page: Path) -> None:
    page = pages.open(own_page, "seed=9")
    assert "seed=9" in page.get_by_role("alert").inner_text()
    page.keyboard.press("Home")
    assert page.locator("#notice").is_hidden()  # the address no longer says it


def test_it_stops_playing_when_another_address_is_followed(pages: Pages, study_page: Path) -> None:
    page = pages.open(study_page, "step=2")
    page.get_by_role("button", name="play").click()
    page.evaluate("location.hash = '#step=5'")
    page.wait_for_timeout(1600)  # longer than from step to step
    assert page.evaluate("modules['main.js'].store.state.step") == 5

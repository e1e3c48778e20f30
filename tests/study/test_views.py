"""What every view of the page keeps: it opens, by the keyboard too, to everybody, and on paper."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from study.build import PAGE
from tests.study.browser import DESKTOP, PHONE, At, axe, into_view, settle

pytestmark = pytest.mark.slow

#: By view: an address at which there is much in it.
VIEWS = {
    "notice": "nonsense=1",
    "list": "lesson=5",
    "lesson": "lesson=1&edits=w1:2",
    "turn": "view=nudge",
    "samples": "seed=44",
    "network": "seed=44&edits=w1:2&show=gradients",
    "steps": "step=8",
    "parameter": "edits=w1:2",
    "settings": "digits=1",
    "equation": "person=bob&step=18&form=article",
    "nudge": "person=bob&nudge=4",
    "surface": "seed=44&axes=w5;b3",
    "training": "seed=44&epoch=40&you=140;66",
    "autodiff": "seed=44&entry=30&plus=0",
    "depth": "digit=10",
    "you": "you=170;66&unit=kg",
    "quiz": "quiz=1&seed=7&level=value",
    "break": "mistake=clipped",
    "errata": "printed=1&erratum=18",
    "derivation": "person=bob&mistake=half-mse",
    "check": "",
}


BESIDE = (
    *("equation", "nudge", "surface", "training", "depth", "autodiff"),
    *("you", "quiz", "break", "errata"),
)


def answer(page: Page) -> None:
    """Half of a question, so that the field for the rest is there."""
    page.locator("#quiz").get_by_role("button", name="hint").click()


def on_paper(page: Page) -> None:
    """As it is printed on A4."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})
    settle(page)


#: What is done besides.
DONE: dict[str, Callable[[Page], None]] = {"quiz": answer, "derivation": on_paper}

#: Words that no reader should meet, in texts and in what is drawn.
NONSENSE = r"""
(place) => {
  const bad = /\b(NaN|undefined|null|Infinity)\b|\[object/;
  const root = document.querySelector(place);
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) if (bad.test(texts.currentNode.data)) found.push(texts.currentNode.data);
  for (const node of root.querySelectorAll("*")) {
    for (const { name, value } of node.attributes) {
      if (bad.test(value)) found.push(`${name}=${value}`);
    }
  }
  return found.map((of) => of.slice(0, 80));
}
"""

#: The focus goes to the beginning of a view; the controls in it, how many.
_BEGIN = """
(view) => {
  const place = document.getElementById(view);
  window.left = new Set([...place.querySelectorAll(
    "button, input, select, textarea, summary, [tabindex]"
  )].filter((node) => !node.disabled && node.tabIndex >= 0 &&
    node.checkVisibility({ visibilityProperty: true })));
  place.tabIndex = -1;
  place.focus();
  place.removeAttribute("tabindex");
  return window.left.size;
}
"""

#: What has the focus, if it does not show that; it is ticked off.
_FOCUSED = """
() => {
  const node = document.activeElement;
  if (!window.left.delete(node)) return null;
  const label = node.querySelector?.(".label-back");
  const hasRing = getComputedStyle(node).outlineStyle !== "none";
  const isOutlined = label && getComputedStyle(label).strokeWidth === "3px";
  return hasRing || isOutlined ? null : node.outerHTML.slice(0, 80);
}
"""


def by_keyboard(page: Page, view: str) -> list[str]:
    """The controls of a view that the tabulator does not come to, or that do not show it."""
    unseen = []
    for _ in range(page.evaluate(_BEGIN, view)):
        page.keyboard.press("Tab")
        unseen.append(page.evaluate(_FOCUSED))
    left = page.evaluate("[...window.left].map((node) => node.outerHTML.slice(0, 80))")
    return [*filter(None, unseen), *left]


@pytest.mark.by_day(15)
@pytest.mark.parametrize(
    ("view", "size", "dark"),
    [
        *((view, DESKTOP, False) for view in VIEWS),
        # On paper there is one size, and nothing is dark.
        *((view, PHONE, True) for view in VIEWS if view != "derivation"),
    ],
)
def test_a_view(at: At, view: str, size: tuple[int, int], dark: bool) -> None:
    at()  # so that a question that was answered is asked again
    shown = f"{VIEWS[view]}&view={view}" if view in BESIDE else VIEWS[view]
    page = at(shown, size=size, dark=dark, still=True)
    DONE.get(view, lambda _: None)(page)
    place = page.locator(f"#{view}")
    into_view(place)
    assert place.inner_text() != ""
    assert page.evaluate(NONSENSE, f"#{view}") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe(page, f"#{view}", contrast=view != "derivation") == []  # which is black on white
    assert by_keyboard(page, view) == []
    page.emulate_media(media="print")
    settle(page)
    assert place.is_visible() == (view == "derivation")


def test_it_is_every_view() -> None:
    main = (PAGE / "main.js").read_text("utf-8")
    found = re.findall(r"const (?:PARTS|BESIDE) = \{([^}]*)\}", main)
    names = re.findall(r"(\w+)(?:: \w+)?,? ", " ".join(found))
    assert sorted(names) == sorted(VIEWS)


#: Parts that are made up, and the controls of them that are not reached.
MADE_UP = {
    '<button tabindex="2">a</button><button>b</button>': ["<button>b</button>"],
    "<button disabled>a</button><button hidden>b</button>": [],
    "<button>a</button><input><a>no control</a>": [],
}


def test_a_control_that_is_not_reached_would_be_seen(at: At) -> None:
    page = at()
    page.evaluate(
        """() => {
          const place = document.createElement("p");
          place.id = "made-up";
          document.body.append(place);
        }"""
    )
    place = page.locator("#made-up")
    for body, seen in MADE_UP.items():
        place.evaluate("(place, body) => { place.innerHTML = body; }", body)
        assert by_keyboard(page, "made-up") == seen
    # Nor may the focus be invisible.
    place.locator("button").evaluate("(of) => { of.style.outline = 'none'; }")
    assert by_keyboard(page, "made-up") == ['<button style="outline: none;">a</button>']
    place.evaluate("(place) => place.remove()")


def test_the_page_as_a_whole(at: At) -> None:
    """What axe sees in no part of it: its landmarks, and the order of its headings."""
    page = at("person=diana&seed=44&epoch=300&step=4&printed=1&unit=kg", still=True)
    assert axe(page, contrast=False) == []

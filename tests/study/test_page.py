"""The page as a whole: for every reader, on every screen, and as fast as a hand moves."""

import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from compare.people import PEOPLE, SHIFT, raw, targets
from tests.study.browser import DESKTOP, At, Pages, into_view, settle, state
from tests.study.test_views import BESIDE, NONSENSE

pytestmark = pytest.mark.slow

WIDTHS = (360, 768, 1440)

#: High enough that all views draw.
HIGH = (1280, 7000)

#: States in which much is on the page.
STATES = (
    "",
    "person=bob&step=18&form=article&show=gradients",
    "person=diana&seed=44&epoch=300&step=4&printed=1&unit=kg",
    "quiz=1&seed=7",
)


def test_no_page_is_wider_than_its_screen(at: At) -> None:
    """And the network stays in view."""
    page = at()
    for width in WIDTHS:
        for fragment in STATES:
            page = at(fragment, size=(width, 800))
            assert page.evaluate("document.documentElement.scrollWidth") <= width, fragment
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        settle(page)
        top = page.locator("#network svg").evaluate("(of) => of.getBoundingClientRect().top")
        assert 0 <= top < 400


#: What of the first screen is not wholly on it: the network, its controls, the step's name, its
#: reason, and its first formula.
_CUT_OFF = """() => ["#network svg", "#steps .bar", "#steps .scrubber", "#now .title",
  "#now .reason", "#now .equation"].filter((part) => {
    const box = document.querySelector(part)?.getBoundingClientRect();
    const isInside = box && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
    return !(isInside && box.height > 0);
  })"""


@pytest.mark.parametrize("size", [(1366, 768), (390, 844), (320, 640)], ids=str)
def test_each_step_is_read_without_scrolling(
    pages: Pages, study_page: Path, size: tuple[int, int]
) -> None:
    """It opens at the first step of Alice's pass, at the seed that leads to the published 0.951."""
    page = pages.open(study_page, size=size)
    settle(page)
    begun = state(page)
    assert (begun["sample"], begun["seed"], begun["step"]) == ("alice", 44, 1)
    for step in range(1, 20):
        assert state(page)["step"] == step
        assert page.evaluate(_CUT_OFF) == [], step
        page.keyboard.press("ArrowRight")
        settle(page)


def test_on_the_way_back_the_edges_show_derivatives(at: At) -> None:
    """And digits are shown where they differ, of Bob's lost ones, or where they are asked for."""
    for step, shown in ((5, "w5"), (10, "∂L/∂w5"), (19, "∂L/∂w5")):
        page = at(f"show=auto&step={step}&person=bob")
        expect(page.locator("#network [data-parameter=w5] text").first).to_have_text(shown)
    tables = at("person=bob&step=17").locator("#now .witnesses")
    expect(tables.first).to_be_visible()
    alice = at("person=alice&step=17").locator("#now .witnesses")
    expect(alice.first).to_be_hidden()
    expect(at("step=17").locator("#now .mark")).to_have_text(["✓", "✓", "✓"])
    expect(at("person=bob&step=17").locator("#now .mark").first).to_have_text("≠")
    expect(at("step=17&digits=1").locator("#now .witnesses").first).to_be_visible()


#: Draws the handle of w1 to and fro; each movement is answered and laid out.
_DRAG = """
(count) => {
  const handle = document.querySelector(`#network [role=button][data-parameter="w1"]`);
  const box = handle.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const event = (type, dx) => {
    const at = { clientX: x + dx, clientY: y, pointerId: 1, bubbles: true };
    handle.dispatchEvent(new PointerEvent(type, at));
  };
  handle.setPointerCapture = () => {};
  event("pointerdown", 0);
  for (let k = 1; k <= count; k += 1) {
    event("pointermove", 4 * k);
    document.body.getBoundingClientRect();
  }
  event("pointerup", 0);
}
"""


def test_dragging_a_weight_takes_less_than_a_frame(at: At) -> None:
    """Script and layout of everything that changes, the best of three rounds of 60 movements.

    In milliseconds of the page's own thread: what else runs on the machine does not count.
    """
    page = at("person=alice", size=DESKTOP)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def drag() -> float:
        before = seconds()
        page.evaluate(_DRAG, 60)
        return 1000 * (seconds() - before) / 60

    def seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime")

    rounds = [drag() for _ in range(3)]
    # Three times 60 movements of 4 pixels, 80 of which are 1, from 1 on.
    assert state(page)["edits"] == {"w1": 10.0}
    assert min(rounds) < 16, rounds


def test_reduced_motion_moves_nothing(at: At) -> None:
    page = at(still=True)
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((node) => {
          const style = getComputedStyle(node);
          return style.transitionDuration !== "0s" || style.animationName !== "none";
        }).length"""
    )
    assert moving == 0


def test_numbers_a_few_ulps_apart_hang_nothing(at: At) -> None:
    """Axes have no ticks where no round numbers lie between; the page goes on."""
    page = at("edits=b3:35.7&view=surface", still=True)
    into_view(page.locator("#surface .picture"))
    expect(page.locator("#surface .picture > svg")).to_have_attribute(
        "aria-label", re.compile("lowest")
    )


def test_round_numbers(at: At) -> None:
    """Few, within the ends, and none where there are none."""
    ticks = at().evaluate(
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
    "mistake=half-mse&edits=w1:1e308;w2:1e308",
)


@pytest.mark.parametrize("fragment", EXTREMES)
def test_no_number_is_shown_that_is_none(at: At, fragment: str) -> None:
    page = at(fragment, size=HIGH, still=True)
    assert page.evaluate(NONSENSE, "main") == []


def anywhere(drawn: random.Random, told: dict[str, Any]) -> str:
    """An address with numbers of all sizes."""

    def size() -> float:
        wide = drawn.choice((-1, 1)) * 10 ** drawn.uniform(-320, 308)
        return drawn.choice((drawn.uniform(-5, 5), 0.0, -1.0, wide))

    parameters = told["parameters"]
    edits = ";".join(f"{name}:{size()!r}" for name in drawn.sample(parameters, 2))
    parts = [f"edits={edits}", f"parameter={drawn.choice(parameters)}"]
    parts += [f"nudge={drawn.randint(1, 12)}", f"close={drawn.randint(0, 1)}"]
    parts += [f"axes={';'.join(drawn.sample(parameters, 2))}", f"quiz={drawn.randint(0, 1)}"]
    parts += [f"level={drawn.choice(('sign', 'value', 'factor'))}"]
    parts += [f"eta={10 ** drawn.uniform(-6, 2)!r}", f"epoch={drawn.choice((0, 1, 500, 1000))}"]
    parts += [f"seed={drawn.choice(('ones', 0, 1, 44, 77))}", f"you={abs(size())!r};66"]
    parts += [f"mistake={drawn.choice(told['mistakes']['list'])['slug']}"] * drawn.randint(0, 1)
    return quote("&".join(drawn.sample(parts, drawn.randint(2, len(parts)))), safe="=&;:-.")


def test_no_state_is_too_far(at: At, content: dict[str, Any]) -> None:
    """Eight addresses at random: nothing that hangs, fails, or shows a number that is none."""
    drawn = random.Random("the article's")
    for _ in range(8):
        fragment = anywhere(drawn, content)
        page = at(fragment, size=HIGH, still=True)
        assert page.evaluate(NONSENSE, "main") == [], fragment
        assert page.locator("#notice").is_hidden(), fragment


def test_what_could_not_be_drawn_is_drawn_again(at: At) -> None:
    page = at("edits=w1:1e308;w5:1e308&view=nudge", still=True)
    into_view(page.locator("#nudge"))
    drawings = page.locator("#nudge svg.plot[role=img]")
    expect(drawings.nth(1)).to_be_hidden()
    page.get_by_role("button", name="undo changes").click()
    for k in range(2):
        expect(drawings.nth(k)).to_be_visible()


def test_without_javascript_it_says_what_it_is_and_where_else_to_read(
    browser: Browser, study_page: Path
) -> None:
    """And nothing that would stay empty is there."""
    page = browser.new_page(java_script_enabled=False, offline=True)
    page.goto(study_page.as_uri())
    text = page.locator("body").inner_text()
    page.close()
    assert "needs JavaScript" in text
    assert "docs/derivation.md" in text
    assert "python -m compare explain" in text
    assert "Settings" not in text


def test_axes_have_units(at: At) -> None:
    for view, fragment, names in (
        ("surface", "axes=w1;w4", ["w1 (1/lb)", "w4 (1/in)"]),
        ("nudge", "parameter=w2", ["w2 (1/in)", "L (dimensionless)", "h (1/in)"]),
        (
            "training",
            "",
            ["epochs", "mean loss (dimensionless)", "updates", "loss"],
        ),
        ("training", "unit=kg", ["weight (kg)", "height (cm)"]),
    ):
        page = at(f"{fragment}&view={view}", size=HIGH)
        shown = page.locator(f"#{view} .axis").all_text_contents()
        assert set(names) <= set(shown), (view, shown)


#: States in which tables are wide and numbers long, in any view; lessons; and what opens in a view.
WIDE = ("", "edits=w1:1e-200&person=bob&digits=1", "mistake=half-mse&epoch=739&seed=44&digits=1")
OPENED = (
    *(f"lesson={k}" for k in range(1, 10)),
    *("quiz=1&seed=7&level=value", "printed=1&erratum=18", "view=nudge&nudge=12&close=1"),
    *("view=you&you=1e300;1e-300", "view=training&epoch=1000&eta=100", "view=depth&digit=10"),
)


def test_nothing_is_scrolled_sideways_on_a_narrow_screen(at: At) -> None:
    """Only what is wide, within itself."""
    scrolled = "document.scrollingElement.scrollWidth > innerWidth"
    shown = [f"view={view}&{state}" for view in ("pass", *BESIDE) for state in WIDE]
    wide = [of for of in (*shown, *OPENED) if at(of, size=(320, 640)).evaluate(scrolled)]
    assert wide == []


def test_a_number_stays_with_its_mark_and_no_chain_is_cut(at: At) -> None:
    """On the narrowest screen, of the worked example and of the opening one."""
    tops = """() => [...document.querySelectorAll(".equation")]
      .filter((of) => of.checkVisibility())
      .filter((of) => of.scrollWidth > of.clientWidth
        || new Set([...of.querySelectorAll(".result, .mark")]
          .map((part) => Math.round(part.getBoundingClientRect().bottom))).size !== 1)
      .map((of) => of.textContent)"""
    for start in ("ones", "44"):
        for fragment in (*(f"view=pass&step={k}" for k in range(1, 20)), "view=equation&step=18"):
            page = at(f"seed={start}&{fragment}", size=(320, 640))
            assert page.evaluate(tops) == [], fragment


def test_it_says_whose_numbers_the_inputs_are(at: At) -> None:
    """With their units, and what 1 and 0 stand for."""
    for person, y in zip(PEOPLE, targets(PEOPLE), strict=True):
        (x1, x2), (lb, inches) = raw((person,))[0], SHIFT
        expect(at(f"person={person.name.lower()}").locator("#samples .note")).to_have_text(
            f"{person.name}: x1 = {x1:g} − {lb:g} lb, x2 = {x2:g} − {inches:g} in, "
            f"y = {y:g} for {person.gender}"
        )


#: The numbers by the three witnesses that stick out of what they stand in.
_STICK_OUT = """() => [...document.querySelectorAll(".witnesses :is(th, td)")].filter((cell) => {
  const card = cell.closest(".quantity, .views > section").getBoundingClientRect();
  return cell.getBoundingClientRect().right > card.right;
}).map((cell) => cell.textContent)"""


@pytest.mark.parametrize("width", [1024, 1100, 1280, 1366, 1440])
def test_digits_stay_inside_their_cards(at: At, width: int) -> None:
    for fragment in (
        "view=equation&person=bob&step=18&digits=1",
        "view=equation&person=bob&digits=1&edits=w1:-1.2345678e-200;w5:-1.2345e-200",
        "view=nudge&edits=w1:-1.2345678e-200;w5:-1.2345e-200",
    ):
        page = at(fragment, size=(width, 800))
        assert page.locator(".witnesses:visible").count() > 0
        assert page.evaluate(_STICK_OUT) == [], fragment

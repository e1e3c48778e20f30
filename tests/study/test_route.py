"""The contract that every lesson and every place keeps."""

import json
import re
from hashlib import sha256
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from study.build import BUNDLES, WEB
from tests.study.browser import Opened, axe, changed, drawn, settle

#: A lesson, and its guesses: the right one first.
ROUTE = {
    "slope": ("up", "down"),
    "chain": ("more", "less"),
    "paths": ("sum", "larger", "product"),
    "backwards": ("one", "nine"),
    "descent": ("stuck", "faster"),
    "saturation": ("nothing", "quarter"),
    "symmetry": ("same", "differ"),
    "autodiff": ("rows", "formula", "nudge"),
    "agreement": ("open", "must"),
    "depth": ("power", "sum"),
}

#: The places, and what is pressed first in each: the name of a control, and its role.
PLACES: dict[str, tuple[Literal["button", "slider"], str]] = {
    "network": ("button", "Play"),
    "train": ("slider", "round"),
    "digits": ("slider", "h"),
    "mistakes": ("button", "half mse"),
}

#: All views, by what the address says.
VIEWS = [f"lesson={key}" for key in ROUTE] + [f"place={key}" for key in PLACES]
#: More of what there is to be seen in places.
SEEN = ["place=digits&of=bob-w1", "place=mistakes&mistake=erratum-5"]

DERIVATION = WEB.parents[1] / "docs" / "derivation.md"

SIZES = [(1366, 768), (390, 844), (320, 640)]

#: At first as few as a reader takes in, at each size.
MOST_CONTROLS, MOST_WORDS = 8, 60

#: Words and controls on the screen as it is, without scrolling.
_FIRST_SCREEN = """() => {
  const on = (box) => box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight;
  const words = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const range = document.createRange();
    range.selectNode(walk.currentNode);
    const said = walk.currentNode.textContent.match(/[A-Za-z]{2,}/g) ?? [];
    if (on(range.getBoundingClientRect())) words.push(...said);
  }
  const controls = [...document.querySelectorAll("a, button, input, select, summary")];
  return [words, controls.filter((of) => on(of.getBoundingClientRect())).length];
}"""

pytestmark = pytest.mark.slow


@pytest.fixture(params=ROUTE)
def lesson(request: pytest.FixtureRequest) -> str:
    """The key of a lesson."""
    return request.param


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> str:
    """The address of a lesson or a place."""
    return request.param


def guess(page: Page, lesson: str, key: str) -> None:
    """Make a guess, by the keyboard."""
    options = page.evaluate("key => page.ROUTE.find((of) => of.key === key).guess.options", lesson)
    page.get_by_role("button", name=options[key], exact=True).focus()
    page.keyboard.press("Enter")
    settle(page)


def test_the_route_is_this_one(opened: Opened) -> None:
    page = opened("")
    route = page.evaluate("page.ROUTE.map(({ key, guess }) => [key, Object.keys(guess.options)])")
    assert [key for key, _ in route] == list(ROUTE)
    assert {key: sorted(of) for key, of in route} == {k: sorted(of) for k, of in ROUTE.items()}
    assert page.evaluate("page.store.state.view") == "slope"
    sections = re.findall(r"^## (.*)$", DERIVATION.read_text("utf-8"), re.MULTILINE)
    assert set(page.evaluate("page.ROUTE.map(({ section }) => section)")) <= set(sections)


@pytest.mark.parametrize("size", SIZES)
def test_its_picture_and_its_handle_are_on_the_first_screen(
    opened: Opened, view: str, size: tuple[int, int]
) -> None:
    page = opened(view, size=size)
    words, controls = page.evaluate(_FIRST_SCREEN)
    if view.startswith("lesson"):
        assert controls <= MOST_CONTROLS
        assert len(words) <= MOST_WORDS
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    role, name = PLACES.get(view.partition("=")[2], ("slider", ""))
    handle = page.get_by_role(role, name=name).first
    for part in (page.locator(".picture"), handle):
        box = part.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size[1]
    assert page.locator(".picture").get_by_role("img").count() >= 1
    before = drawn(page)
    handle.focus()
    for _ in range(8 if role == "slider" else 1):
        page.keyboard.press("ArrowRight" if role == "slider" else "Enter")
    settle(page)
    assert page.evaluate("scrollY") == 0
    # A thin bar on the smallest screen is a hundred pixels; the numbers alone change fewer.
    assert changed(before, drawn(page)) > 300
    assert role != "slider" or handle.get_attribute("aria-valuetext")


@pytest.mark.parametrize("view", VIEWS + SEEN)
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_before_and_after_the_guess(
    opened: Opened, view: str, dark: bool
) -> None:
    """On the smallest screen, with all that can be opened open."""
    page = opened(view, dark=dark, size=SIZES[2])
    page.evaluate("document.querySelectorAll('details').forEach((of) => { of.open = true; })")
    assert not axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") == SIZES[2][0]
    kind, _, key = view.partition("=")
    if kind == "lesson":
        guess(page, key, ROUTE[key][1])
        assert not axe(page)


def test_it_answers_only_who_has_guessed(opened: Opened, lesson: str) -> None:
    """The picture and the words; and the address keeps the guess."""
    page = opened(f"lesson={lesson}")
    answer = page.get_by_role("status")
    expect(answer).to_be_empty()
    assert page.locator(".right, .wrong").count() == 0
    before = drawn(page)
    right, wrong, *_ = ROUTE[lesson]
    guess(page, lesson, wrong)
    expect(answer).to_contain_text("Not so.")
    assert changed(before, drawn(page)) > 300
    page.locator(".guess .right").click()  # too late
    expect(answer).to_contain_text("Not so.")
    assert re.search(rf"[#&]{lesson}={wrong}(&|$)", page.evaluate("location.hash"))
    page.reload()
    expect(answer).to_contain_text("Not so.")
    expect(opened(f"lesson={lesson}&{lesson}={right}").get_by_role("status")).to_contain_text(
        "Right."
    )


@pytest.mark.parametrize("lesson", ["chain", "paths", "backwards", "symmetry", "autodiff", "depth"])
def test_what_it_plays_can_be_seen(opened: Opened, lesson: str) -> None:
    """By the page's own clock; and at once its end, where no motion is wanted."""
    for still in (False, True):
        page = opened(f"lesson={lesson}&{lesson}={ROUTE[lesson][0]}", still=still)
        page.clock.install(time=0)
        page.clock.pause_at(3_600_000)
        before = drawn(page)
        page.locator(".act").click()
        pictures = []
        for ms in (400, 400, 10_000, 1_000):
            page.clock.run_for(ms)
            pictures.append(drawn(page))
        first, second, end, later = pictures
        assert changed(before, first) > 100
        assert (changed(first, second) > 0) is not still
        assert (changed(second, end) > 0) is not still
        assert changed(end, later) == 0
        page.close()  # its frames come by this clock alone, also for who waits for them


def test_the_way_on_leads_through_all_of_them(opened: Opened) -> None:
    """With the keyboard; each lesson says its title, and at the end how many were right."""
    page = opened("")
    for at, (key, (right, *_)) in enumerate(ROUTE.items(), start=1):
        assert page.evaluate("page.store.state.view") == key
        expect(page.get_by_role("combobox").first).to_have_value(key)
        guess(page, key, right)
        if at < len(ROUTE):
            page.get_by_role("link", name=re.compile("^Next: ")).focus()
            page.keyboard.press("Enter")
            expect(page.locator("h1")).to_be_focused()
    expect(page.get_by_text(f"{len(ROUTE)} of {len(ROUTE)} right")).to_be_visible()
    page.go_back()
    assert page.evaluate("page.store.state.view") == list(ROUTE)[-2]


def test_one_can_skip_to_its_words(opened: Opened, view: str) -> None:
    page = opened(view)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    assert page.evaluate("page.store.state.view") == view.partition("=")[2]


def test_it_prints_the_picture_and_no_controls(opened: Opened, view: str) -> None:
    kind, _, key = view.partition("=")
    page = opened(f"{view}&{key}={ROUTE[key][0]}" if kind == "lesson" else view)
    page.emulate_media(media="print")
    expect(page.locator(".picture")).to_be_visible()
    for part in ("header nav", ".controls", "button"):
        for one in page.locator(part).all():
            expect(one).to_be_hidden()


def test_every_view_is_in_the_list(opened: Opened) -> None:
    """And is gone to by it; the list goes with the reader."""
    page = opened("")
    views = page.get_by_role("combobox").first
    for view in VIEWS[::-1]:
        views.select_option(view.partition("=")[2])
        expect(page.locator("h1")).to_be_focused()
        assert page.evaluate("location.hash").startswith(f"#{view}")


@pytest.mark.parametrize("fragment", ["lesson=nowhere", "w1=7", "w1=x&slope=sideways", "&&=&%"])
def test_what_an_address_says_wrongly_is_as_it_begins(opened: Opened, fragment: str) -> None:
    assert opened(fragment).evaluate("page.store.state") == {
        "view": "slope",
        "guesses": {},
        "w1": -0.1,
    }


@pytest.mark.parametrize(
    ("fragment", "field", "value"),
    [
        ("lesson=autodiff&row=4.5", "row", 4),
        ("lesson=autodiff&row=34", "row", 17),
        ("lesson=descent&power=2", "power", 0),
        ("lesson=symmetry&round=1000&random=1", "round", 200),
        ("lesson=symmetry&round=10", "round", 10),
        ("lesson=backwards&sent=1", "sent", 0),
        ("lesson=slope&slope=toString", "guesses", {}),
        ("place=network&factor=1.5", "factor", 0),
    ],
)
def test_an_address_does_not_show_what_is_asked(
    opened: Opened, fragment: str, field: str, value: Any
) -> None:
    """Nor what is between two rows; who has guessed is shown all."""
    page = opened(fragment)
    assert page.evaluate("page.store.state")[field] == value
    expect(page.locator("h1")).to_be_visible()


def test_a_guess_is_kept_however_soon_one_goes_on(opened: Opened) -> None:
    """And a motion that was left does not go on in a later visit; taking the handle ends it."""
    page = opened("lesson=autodiff", still=False)
    page.clock.install(time=0)
    page.clock.pause_at(3_600_000)
    page.get_by_role("button", name="row by row").click()
    page.clock.run_for(1000)
    page.get_by_role("link", name=re.compile("^Next: ")).click()
    page.go_back()
    page.clock.run_for(10_000)
    state = page.evaluate("page.store.state")
    assert state["guesses"] == {"autodiff": "rows"}
    assert 17 <= state["row"] < 34
    page.locator(".act").click()
    page.clock.run_for(500)
    page.get_by_role("slider").press("Home")
    page.clock.run_for(10_000)
    assert page.evaluate("page.store.state.row") == 1
    page.close()


def test_the_bundle_is_of_the_modules_as_they_are() -> None:
    """`make bundle` makes it anew; CI, which has Node, checks that it gives the same bytes."""
    digest = sha256()
    modules = sorted(WEB.rglob("*.js"), key=lambda path: path.relative_to(WEB).as_posix())
    for path in modules:
        digest.update(path.read_bytes())
    page = (BUNDLES / "page.min.js").read_text("utf-8")
    assert page.partition("\n")[0] == f"// {digest.hexdigest()}"
    wanted = json.loads((WEB.parent / "package.json").read_text("utf-8"))["dependencies"]
    libraries = (BUNDLES / "libraries.min.js").read_text("utf-8")
    for name, version in wanted.items():
        assert re.search(rf"(^|\s){re.escape(name)} {re.escape(version)}\b", libraries), name

"""The contract that every lesson and every place keeps, and their numbers against Python's."""

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from hashlib import sha256
from io import BytesIO
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

import autodiff.article
import manual.network
from compare.people import NEWCOMERS, PEOPLE, Person, from_metric, raw, shifted, targets
from compare.traced.article import trace_article
from manual.article import (
    Parameters,
    draw_parameters,
    feedforward,
    gradient,
    loss,
    mean_loss,
    ones_parameters,
)
from manual.sgd import update
from study.build import BUNDLES, WEB
from study.content import LESSONS
from tests.study.browser import Pages, axe, settle

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

#: The lines of the table, and their slopes back, in one arithmetic.
_COMPUTED = """([start, person, arithmetic]) => {
  const { study, run, slopes } = page;
  const given = { η: study.eta, ...study.starts[start], ...study.sample[person].given };
  const results = run(study.program, given, page[arithmetic]);
  const texts = (named) =>
    Object.fromEntries(Object.entries(named).map(([name, value]) => [name, String(value)]));
  const lines = Object.entries(study.program.at).map(([name, at]) => [name, results[at]]);
  const back = slopes(study.program, results, "L", page[arithmetic]);
  return [Object.fromEntries(lines), back].map(texts);
}"""

#: All that an element says, word for word.
_TEXTS = """(place) => {
  const texts = [];
  const walk = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) texts.push(walk.currentNode.textContent);
  return texts.join(" ");
}"""

#: A number as the page writes it.
_NUMBER = r"[+−]?\d+(?:\.\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def number(text: str) -> Decimal:
    """A number as the page writes it, −1.5·10⁻¹³."""
    mantissa, _, power = text.partition("·10")
    return Decimal(mantissa.replace("−", "-").lstrip("+")).scaleb(
        int(power.translate(_RAISED) or 0)
    )


Opened = Callable[..., Page]

pytestmark = pytest.mark.slow


@pytest.fixture(params=ROUTE)
def lesson(request: pytest.FixtureRequest) -> str:
    """The key of a lesson."""
    return request.param


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> str:
    """The address of a lesson or a place."""
    return request.param


@pytest.fixture
def opened(pages: Pages, built: Path) -> Opened:
    """Opens a lesson by its address, still but where a test says otherwise."""

    def open_(fragment: str, **options: Any) -> Page:
        page = pages.open(built, fragment, **{"still": True, **options})
        settle(page)
        return page

    return open_


def drawn(page: Page) -> np.ndarray:
    """The pixels of the picture, (height, width, 3)."""
    image = page.locator(".picture").screenshot()
    return np.asarray(Image.open(BytesIO(image)).convert("RGB"), np.int16)


def changed(before: np.ndarray, after: np.ndarray) -> int:
    """How many pixels of a picture look different."""
    return int((np.abs(before - after).max(axis=2) > 24).sum())


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


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_before_and_after_the_guess(
    opened: Opened, view: str, dark: bool
) -> None:
    page = opened(view, dark=dark, size=SIZES[1])
    assert not axe(page)
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


def test_the_table_gives_pythons_numbers(opened: Opened) -> None:
    """In floats those by hand, and in decimals the exact ones; by its own way back, too."""
    page = opened("")
    starts = {"ones": ones_parameters(), "random": draw_parameters(44), "lessons": LESSONS}
    for (start, params), person in product(starts.items(), PEOPLE):
        agrees(page, start, params, person)


def agrees(page: Page, start: str, params: Any, person: Person) -> None:
    """Hold the page's numbers for a person against the trace of the same pass."""
    x, y = shifted(raw((person,))), targets((person,))
    quantities = trace_article(params, x[0], float(y[0])).quantities
    floats, back = page.evaluate(_COMPUTED, [start, person.name.lower(), "FLOATS"])
    decimals, exact_back = page.evaluate(_COMPUTED, [start, person.name.lower(), "DECIMALS"])
    # exp of another library differs in its last digit, and what is built on it in a few.
    near = partial(pytest.approx, rel=1e-14, abs=0)
    for name, quantity in quantities.items():
        if quantity.step == 0:
            continue
        assert float(floats[name]) == near(quantity.by_hand), name
        if quantity.exact is not None:
            exact = Decimal(quantity.exact)
            # What the trace certifies are 17 digits and more.
            assert abs(Decimal(decimals[name]) - exact) <= abs(exact) * Decimal("1e-30"), name
    for name in params._fields:
        exact = Decimal(quantities[f"dL_d{name}"].exact or "nan")
        assert abs(Decimal(exact_back[name]) - exact) <= abs(exact) * Decimal("1e-30")
        assert float(back[name]) == near(float(exact))


XS, YS = shifted(raw(PEOPLE)), targets(PEOPLE)
ALICE, BOB = ((XS[k], float(YS[k])) for k in (0, 1))


def _mean_slopes() -> list[str]:
    params = LESSONS._replace(w1=0.1)
    slopes = [gradient(params, x, y).w1 for x, y in zip(XS, YS, strict=True)]
    return [f"{mean_loss(params, XS, YS):.3f}", f"{np.mean(slopes):+.3f}"]


def _chain() -> list[str]:
    of = trace_article(LESSONS, *ALICE).quantities
    back = of["dL_dypred"].by_hand
    links = ("dypred_dz3", "dypred_dh1")
    moved = loss(LESSONS._replace(w1=0.1), *ALICE) - loss(LESSONS, *ALICE)
    slopes = [back, *(back * of[name].by_hand for name in links), of["dL_dw1"].by_hand]
    return [*(f"{slope:.3f}" for slope in slopes), f"{moved:+.3f}"]


def _paths() -> list[str]:
    shared = LESSONS._replace(w1=0.05, w3=0.05)
    slopes = gradient(shared, *ALICE)
    moved = loss(shared._replace(w1=0.15, w3=0.15), *ALICE) - loss(shared, *ALICE)
    return [f"{slopes.w1:.3f}", f"{slopes.w3:.3f}", f"{slopes.w1 + slopes.w3:.3f}", f"{moved:+.3f}"]


def _nine() -> list[str]:
    return [f"{slope:.3f}" for slope in gradient(LESSONS, *ALICE)]


def _trained() -> list[str]:
    """And what a network without σ at its end says of Bob after six steps at η = 1/2."""
    open_ = manual.network.Network((2, 2, 1))
    params = [manual.network.Layer(np.ones((2, n)), np.zeros(n)) for n in (2, 1)]
    for _ in range(6):
        slopes = manual.network.gradient(open_, params, XS[1:2], YS[1:2, None])
        params = [
            manual.network.Layer(of.w - by.w / 2, of.b - by.b / 2)
            for of, by in zip(params, slopes, strict=True)
        ]
    bob = manual.network.predict(open_, params, XS[1:2]).item()
    ends = [walked(draw_parameters(44), 0.1, rounds, YS) for rounds in (0, 60)]
    return [*(f"{mean_loss(params, XS, YS):.3f}" for params in ends), f"{bob:.0f}"]


def _saturated() -> list[str]:
    of = trace_article(ones_parameters(), *BOB).quantities
    h1 = of["h1"].by_hand
    exact = [(of["dL_dw1"].exact, 3), (of["dh1_dz1"].exact, 5), (h1 * (1 - h1), 5)]
    return [str(Decimal(f"{float(value or 0):.{digits}g}")) for value, digits in exact]


def _twins() -> list[str]:
    """From both starts, where Alice is the one to be told from the others."""
    ys = np.array([0.0, 1.0, 1.0, 1.0])
    starts = (ones_parameters(), draw_parameters(44))
    return [f"{mean_loss(walked(of, 0.3, 1000, ys), XS, ys):.3f}" for of in starts]


def walked(params: Parameters, rate: float, rounds: int, ys: np.ndarray) -> Parameters:
    """The parameters after so many rounds of one update for each person, by hand."""
    for x, y in zip(np.tile(XS, (rounds, 1)), np.tile(ys, rounds), strict=True):
        params = update(params, gradient(params, x, y), rate)
    return params


def _tape() -> list[str]:
    """What the lines compute, and JAX's slope by a weight in two places; then one path of two."""
    shared = LESSONS._replace(w1=0.05, w3=0.05)
    of = trace_article(shared, *ALICE).quantities
    computed = [of[name].by_hand for name in ("z1", "h1", "z2", "h2", "z3", "ypred", "L")]
    slopes = autodiff.article.gradient(shared, *ALICE)
    return [f"{value:.3f}" for value in (*computed, slopes.w1 + slopes.w3, slopes.w1)]


def _agreeing() -> list[str]:
    """The slope of what is squared, that of the loss, and what a nudge gives."""
    nudged = LESSONS._replace(w1=LESSONS.w1 + 1e-4)
    right, wrong = [], []
    for x, y in zip(XS, YS, strict=True):
        of = trace_article(LESSONS, x, float(y)).quantities
        right.append(gradient(LESSONS, x, y).w1)
        wrong.append(-of["dypred_dh1"].by_hand * of["dh1_dw1"].by_hand)
    moved = (mean_loss(nudged, XS, YS) - mean_loss(LESSONS, XS, YS)) / 1e-4
    return [f"{np.mean(wrong):+.10f}", f"{np.mean(right):+.10f}", f"{moved:+.3f}"]


def _deep() -> list[str]:
    """What arrives at the first of twenty layers, in the page's own draw, by σ and by ReLU."""
    depth, units, state = 20, 32, 1

    def draw(*shape: int) -> np.ndarray:
        nonlocal state
        drawn = []
        for _ in range(math.prod(shape)):
            state = 48271 * state % 2147483647
            drawn.append(2 * state / 2147483647 - 1)
        return np.reshape(drawn, shape)

    x, y = draw(1, units), (draw(1, units) + 1) / 2
    scaled = [1.4 * math.sqrt(3 / units) * draw(units, units) for _ in range(depth)]
    params = [manual.network.Layer(w, np.zeros(units)) for w in scaled]
    arrived = []
    for name in ("sigmoid", "relu"):
        network = manual.network.Network((units,) * (depth + 1), name, name, "mse")
        backs = [np.sqrt(np.mean(of.b**2)) for of in manual.network.gradient(network, params, x, y)]
        arrived.append(backs[0] / backs[-1])
    return [f"{of:.3g}" for of in arrived]


def _nine_in_all_digits() -> list[str]:
    """What is on the edges; and all digits of ∂L/∂w1, certified and computed."""
    given = [ones_parameters(), ones_parameters()._replace(w1=0.3)]
    ones, other = (trace_article(params, *ALICE).quantities for params in given)
    w1 = ones["dL_dw1"]
    exact = [f"{Decimal(of['dL_dw1'].exact or 'nan'):.20g}" for of in (ones, other)]
    nine = [f"{of.by_hand:.3g}" for of in ones.values() if of.kind == "gradient"]
    return [*nine, repr(w1.by_hand), repr(w1.autodiff), f"{w1.ulps_autodiff:.2g}", *exact]


@pytest.mark.parametrize(
    ("fragments", "numbers"),
    [
        (["lesson=slope&slope=up&w1=0.1"], _mean_slopes),
        (
            ["lesson=chain&chain=more&w1=0.1&sent=1", "lesson=chain&chain=more&w1=0.1"],
            _chain,
        ),
        (["lesson=paths&paths=sum&t=0.15&sent=1"], _paths),
        (["lesson=backwards&backwards=one&sent=1"], _nine),
        (
            [
                "lesson=descent&descent=stuck&power=-1",
                f"lesson=descent&descent=stuck&without=1&power={math.log10(0.5)}",
            ],
            _trained,
        ),
        (["lesson=saturation&saturation=nothing&w1=1"], _saturated),
        (
            [f"lesson=symmetry&symmetry=same&round=1000&random={random}" for random in (0, 1)],
            _twins,
        ),
        ([f"lesson=autodiff&autodiff=rows&row=34&forget={forget}" for forget in (0, 1)], _tape),
        ([f"lesson=agreement&agreement=open&mended={mended}" for mended in (0, 2)], _agreeing),
        ([f"lesson=depth&depth=power&scale=1.4&sent={sent}" for sent in (1, 2)], _deep),
        (
            [f"place=network&sent=1&open=w1{value}" for value in ("", "&value=0.3")],
            _nine_in_all_digits,
        ),
    ],
    ids=[*ROUTE, "network"],
)
def test_what_it_shows_is_what_python_computes(
    opened: Opened, fragments: list[str], numbers: Callable[[], list[str]]
) -> None:
    texts = [opened(fragment).locator("main").evaluate(_TEXTS) for fragment in fragments]
    found = {number(text) for text in re.findall(_NUMBER, " ".join(texts))}
    assert {Decimal(text) for text in numbers()} <= found


def test_the_network_plays_there_and_back(opened: Opened) -> None:
    """Numbers appear in their order, to L, and back from it into all nine; or at once."""
    for still in (False, True):
        page = opened("place=network", still=still)
        page.clock.install(time=0)
        page.clock.pause_at(3_600_000)
        page.get_by_role("button", name="Play").click()
        known = []
        for ms in (400, 1200, 1200, 3000, 10_000):
            page.clock.run_for(ms)
            known.append([page.locator(of).count() for of in (".unit .forward", ".chip .back")])
        # Inputs, hidden units, ypred, L; then b3, w5 and w6, then b1 and b2, and the others.
        order = [[2, 0], [4, 0], [6, 0], [6, 3], [6, 9]]
        assert known == (order if not still else [[6, 9]] * 5)
        page.close()


def test_each_part_of_the_network_opens_its_equation(opened: Opened) -> None:
    """By the keyboard, which does not go elsewhere; a slope that is pressed lights its link."""
    page = opened("place=network&person=bob&start=random")
    xs, y = XS[1], float(YS[1])
    quantities = trace_article(draw_parameters(44), xs, y).quantities
    for name in (*ones_parameters()._fields, "h1", "h2", "ypred", "L"):
        target = page.get_by_role("button", name=re.compile(f"^{name} is "))
        target.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
        expect(target).to_be_focused()
        expect(target).to_have_attribute("aria-pressed", "true")
        quantity = quantities[f"dL_d{name}" if name[0] in "wb" else name]
        expect(page.get_by_text(quantity.reason or "", exact=True)).to_be_visible()
        shown = page.locator(".equation b").all_inner_texts()
        assert float(number(shown[-1])) == pytest.approx(quantity.by_hand, rel=1e-4)
    page.get_by_role("button", name=re.compile("^w1 is ")).press("Enter")
    assert page.locator(".arrow.now").count() == 3
    page.get_by_role("button", name="∂ypred/∂h1").press("Enter")
    assert page.locator(".arrow.now").count() == 1


#: A training in the place for it: what the address says, its start, its rate, and its rounds.
TRAININGS = {
    "round=1000": (draw_parameters(44), 0.1, 1000),
    "start=2&power=-0.5&round=63": (draw_parameters(1), 10**-0.5, 63),
    "start=7&power=2&round=3&shows=surface": (ones_parameters(), 100.0, 3),
}


@pytest.mark.parametrize("fragment", TRAININGS)
def test_a_training_is_pythons(opened: Opened, fragment: str) -> None:
    """The nine numbers, each person's answer and loss, and the mean loss."""
    start, rate, rounds = TRAININGS[fragment]
    params = walked(start, rate, rounds, YS)
    answers = [feedforward(params, x) for x in XS]
    losses = (YS - np.array(answers)) ** 2
    page = opened(f"place=train&{fragment}")
    rows = page.locator("details p").evaluate_all("rows => rows.map((row) => row.textContent)")
    numbers = [number(of) for of in re.findall(rf"w\d|b\d|{_NUMBER}", rows[0])[1::2]]
    assert [float(of) for of in numbers] == pytest.approx(list(params), rel=1e-7)
    told = re.findall(rf"\w+: ({_NUMBER}), should be \d: (\w+); loss ({_NUMBER})\.", rows[1])
    assert [float(number(of)) for of, _, _ in told] == pytest.approx(answers, rel=1e-7, abs=0)
    assert [float(number(of)) for _, _, of in told] == pytest.approx(losses, rel=1e-3, abs=0)
    right = np.round(answers) == YS
    assert [of == "right" for _, of, _ in told] == right.tolist()
    said = re.search(rf"L is ({_NUMBER}), (\d) of 4", page.locator(".words").inner_text())
    assert said is not None
    assert float(number(said[1])) == pytest.approx(losses.mean(), rel=5e-3)
    assert int(said[2]) == right.sum()


#: Of the surface, each with its line.
LEVELS = (0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.9)


@pytest.mark.parametrize("pair", ["w6 b3", "w1 w2"])
def test_a_level_of_the_surface_is_where_python_has_that_loss(opened: Opened, pair: str) -> None:
    """And the way on it is that of the training."""
    page = opened(f"place=train&shows=surface&round=63&over={pair}")
    levels, way = page.locator(".surface svg").evaluate("""(svg) => {
      const [x, y] = ["x", "y"].map((axis) => svg.scale(axis));
      // Along the edges a level is closed, out of sight.
      const isSeen = ([low, high], at) => low < at && at < high;
      const read = (path, parts) => Array.from({ length: parts + 1 }, (_, k) => {
        const at = path.getPointAtLength((k / parts) * path.getTotalLength());
        return [x.invert(at.x), y.invert(at.y)];
      }).filter(([u, v]) => isSeen(x.domain, u) && isSeen(y.domain, v));
      const levels = [...svg.querySelectorAll(".level path[d]")].map((path) => read(path, 40));
      return [levels.filter((of) => of.length), read(svg.querySelector(".way path"), 1)];
    }""")
    params = walked(draw_parameters(44), 0.1, 63, YS)
    names = pair.split()
    drawn_at = []
    for points in levels:
        there = [params._replace(**dict(zip(names, at, strict=True))) for at in points]
        found = [mean_loss(of, XS, YS) for of in there]
        drawn_at.append(min(LEVELS, key=lambda level: abs(level - found[0])))
        assert found == pytest.approx([drawn_at[-1]] * len(found), rel=0.05, abs=0.001)
    assert drawn_at == sorted(set(drawn_at))
    assert len(levels) >= 2
    ends = [walked(draw_parameters(44), 0.1, rounds, YS) for rounds in (0, 1000)]
    for at, end in zip(way, ends, strict=True):
        assert at == pytest.approx([getattr(end, name) for name in names], abs=0.01)


def test_a_persons_loss_rises_while_the_mean_falls(opened: Opened) -> None:
    """As the place says; and its button trains, by the page's own clock, until one goes away."""

    def losses(rounds: int) -> list[float]:
        page = opened(f"place=train&round={rounds}")
        told = re.findall(rf"loss ({_NUMBER})\.", page.locator("details").text_content() or "")
        return [float(number(of)) for of in told]

    before, after = losses(0), losses(6)
    assert after[1] > before[1]  # Bob's
    assert sum(after) < sum(before)
    page = opened("place=train", still=False)
    page.clock.install(time=0)
    page.clock.pause_at(3_600_000)
    pictures = [drawn(page)]
    page.get_by_role("button", name="Train").click()
    for ms in (800, 800, 10_000):
        page.clock.run_for(ms)
        pictures.append(drawn(page))
    assert all(changed(*of) > 300 for of in pairwise(pictures))
    expect(page.get_by_text("After 1000 rounds")).to_contain_text("4 of 4 are right")
    page.get_by_role("button", name="Train").click()
    page.clock.run_for(800)
    page.evaluate("location.hash = 'lesson=slope'")
    page.clock.run_for(10_000)
    assert set(page.evaluate("page.store.state")) == {"view", "guesses", "w1"}
    assert page.evaluate("location.hash") == "#lesson=slope"
    page.close()


def said_of(weight: float, height: float) -> str:
    """What the trained network says of somebody, by Python."""
    params = walked(draw_parameters(44), 0.1, 1000, YS)
    chance = feedforward(params, shifted(raw((Person("you", weight, height, None),)))[0])
    return f"{100 * max(chance, 1 - chance):.0f} % {'woman' if chance >= 0.5 else 'man'}."


def test_it_says_of_a_reader_what_python_says(opened: Opened) -> None:
    """In both units, of the article's two newcomers, and with a warning where nobody was."""
    page = opened("place=train&round=1000")
    status = page.get_by_role("status")
    weight, height = page.get_by_role("textbox").all()
    for person in NEWCOMERS:
        before = drawn(page)
        page.get_by_role("button", name=person.name).click()
        expect(status).to_contain_text(said_of(person.weight, person.height))
        expect(page.get_by_role("img", name=f"{person.name}: ")).to_be_visible()
        assert changed(before, drawn(page)) > 100
    assert "heavier" not in status.inner_text()
    page.get_by_role("button", name="use kg").click()
    assert [of.input_value() for of in (weight, height)] == ["70.3068", "172.72"]
    expect(status).to_contain_text(said_of(155, 68))
    weight.fill("61,5")
    height.fill("190")
    expect(status).to_contain_text(said_of(*from_metric(61.5, 190)))
    expect(status).to_contain_text("taller than all four")
    opened_untrained = opened("place=train&weight=61&height=170").get_by_role("status")
    expect(opened_untrained).to_contain_text("not been trained")


@pytest.mark.parametrize("typed", ["heavy", "1e999", "-3", "0", "<img src=x>", "12345678901234567"])
def test_what_is_no_weight_is_said_in_one_line(opened: Opened, typed: str) -> None:
    page = opened("place=train&round=7.5&start=1.5&power=NaN&over=w6&height=170")
    before = drawn(page)
    weight = page.get_by_role("textbox", name="weight")
    for text, said in ((typed, f"The weight, “{typed}”, is no number from 1 to 1000."), ("", "")):
        weight.fill(text)
        expect(page.get_by_role("status")).to_have_text(said)
        assert (weight.get_attribute("aria-invalid") == "true") is bool(said)
        assert changed(before, drawn(page)) == 0


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

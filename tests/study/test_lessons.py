"""The nine lessons and the list of views: where they lead, and that their numbers are Python's."""

import re
from decimal import Decimal
from statistics import fmean

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from compare.experiment import Settings
from compare.people import PEOPLE, SHIFT, raw, shifted, targets
from compare.traced.article import trace_article
from compare.traced.request import PassRequest
from handgrad.data.numerals import right_digits
from manual.activations import sigmoid_derivative
from manual.article import Parameters, draw_parameters, forward, gradient
from manual.article import loss as loss_of
from manual.sgd import update
from tests.study.browser import PHONE, At, choose, given, into_view, settle, state
from tests.study.pictures import number
from tests.study.test_depth import Drawn
from tests.study.test_depth_view import means
from tests.study.test_views import BESIDE, NONSENSE, VIEWS
from tests.study.trained import mean, path, says

pytestmark = pytest.mark.slow

LESSONS = range(1, 10)


_NUMBER = r"[+−]?\d+(?:\.\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"


def numbers(text: str | None) -> list[float]:
    """The numbers of a sentence, names such as w1 aside."""
    return [float(number(of)) for of in re.findall(rf"(?<![\w∂/]){_NUMBER}(?![\w])", text or "")]


def seen(page: Page) -> Locator:
    return page.locator("#lesson .seen")


def begun(at: At, lesson: int) -> Page:
    page = at("view=quiz&lesson=2&person=bob")
    page.locator("#lesson").get_by_role("button", name=f"Lesson {lesson}:").click()
    settle(page)
    return page


def do(page: Page, name: str) -> None:
    page.locator("#lesson").get_by_role("button", name=name, exact=True).click()
    settle(page)


X, Y = np.array([-2.0, -1.0]), np.array(1.0)  # Alice's


def loss(params: Parameters) -> float:
    return float(loss_of(params, X, Y))


def factors(params: Parameters) -> list[float]:
    """The factors of ∂L/∂w1 at Alice."""
    at = forward(params, X)
    slopes = (
        -2 * (Y - at.ypred),
        params.w5 * sigmoid_derivative(at.z3),
        X[0] * sigmoid_derivative(at.z1),
    )
    return [float(of) for of in slopes]


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_is_an_address_says_what_to_do_and_what_comes_of_it(
    at: At, lesson: int
) -> None:
    page = begun(at, lesson)
    assert page.evaluate("location.hash") == f"#lesson={lesson}"  # all else is as it begins
    said = page.locator("#lesson h2 + div p").all_inner_texts()
    assert len(said) >= 3  # no block of text
    assert len(said) <= len(re.findall(r"[.?!](?: |$)", " ".join(said))) <= 6
    acts = page.locator("#lesson .asks + .bar button").all_inner_texts()
    assert acts
    do(page, acts[0])
    expect(seen(page)).to_be_visible()
    assert numbers(seen(page).text_content())
    assert page.evaluate(NONSENSE, "#lesson") == []
    for act in acts[1:]:
        do(page, act)
        assert page.evaluate(NONSENSE, "main") == []
    assert page.evaluate("scrollY") == 0


def test_what_the_slope_foretells_is_what_python_has(at: At) -> None:
    page = begun(at, 1)
    expect(seen(page)).to_be_hidden()
    do(page, "w1 + 0.1")
    params = draw_parameters(44)
    moved = params._replace(w1=given(page)["w1"])
    slope = gradient(params, X, Y).w1
    words = page.locator("#lesson h2 + div")
    for of in (
        *(f"above {of:g} {unit}" for of, unit in zip(SHIFT, ("lb", "in"), strict=True)),
        f"{PEOPLE[0].weight:g} lb and {PEOPLE[0].height:g} in",
        "x1 = −2 and x2 = −1",
    ):
        expect(words).to_contain_text(of)
    by = moved.w1 - params.w1
    real = loss(moved) - loss(params)
    assert numbers(seen(page).text_content()) == pytest.approx(
        [by, slope, by * slope, real], rel=5e-3
    )


def test_what_lies_before_w5_does_not_move(at: At) -> None:
    page = begun(at, 2)
    do(page, "double w5")
    before, after = (
        draw_parameters(44),
        Parameters(**{n: given(page)[n] for n in Parameters._fields}),
    )
    assert after == before._replace(w5=2 * before.w5)
    one, another = factors(before), factors(after)
    found = numbers(seen(page).text_content())
    flatter = [sigmoid_derivative(forward(of, X).z3) for of in (before, after)]
    due = [one[0], another[0], one[1], another[1], one[2], *flatter]
    assert found == pytest.approx(due, rel=5e-3)
    do(page, "double w5")  # what it was when the lesson began
    assert given(page)["w5"] == after.w5


def test_bobs_sigmoid_is_flat_as_the_lesson_says(at: At) -> None:
    """And the digits that f (1 − f) loses are those that the page counts."""
    bob = PassRequest(person="bob", init="ones").trace().quantities
    assert bob["z1"].by_hand == 31
    assert f"{bob['h1'].by_hand:.13f}" == "1.0000000000000"
    assert f"{bob['dh1_dz1'].by_hand:.0e}" == "3e-14"
    page = begun(at, 6)
    for of in ("z1 is 31", "thirteen digits", "3·10⁻¹⁴"):
        expect(page.locator("#lesson h2 + div")).to_contain_text(of)
    do(page, "σ′ as f (1 − f)")
    lost = PassRequest(person="bob", init="ones", sigmoid_derivative="article").trace()
    of = lost.quantities["dL_dw1"]
    said, all_digits, left = numbers(seen(page).text_content())[:3]
    assert said == pytest.approx(of.ulps_by_hand, rel=0.05)
    assert (all_digits, left) == (16, right_digits(Decimal(str(of.exact)), of.by_hand))


def test_passes_are_counted_from_the_layers(at: At) -> None:
    """Of the article's network, and of the one below, as in its table: test_depth.py counts it."""
    page = begun(at, 4)
    do(page, "64 units in each layer")
    forward, nudging, _, back = page.locator("#depth .cost td").all_inner_texts()[1:]
    assert forward == f"{10 * (64 * 64 + 64) + 1:,} forward"
    below = [int(of.split()[0].replace(",", "")) for of in (forward, nudging, back)]
    there = 2 * 2 + 2  # a multiplication for each weight
    small = [10, 10 * there, there + 3 + there + 2]  # back: by σ′, for each weight, on to h1 and h2
    said = str(seen(page).text_content()).split(".\n")
    for text, (passes, nudged, both) in zip(said, (small, below), strict=True):
        found = [int(of.replace(",", "")) for of in re.findall(r"(?<!\w)[\d,]*\d", text)]
        assert found == [passes, nudged, both, round(nudged / both)]


def test_what_comes_along_two_paths_adds(at: At) -> None:
    page = begun(at, 3)
    do(page, "t + 0.1")
    params = draw_parameters(44)
    first = params._replace(w1=0.5, w3=0.5)
    slopes = gradient(first, X, Y)
    assert given(page)["w1"] == given(page)["w3"] == 0.6
    real = loss(first._replace(w1=0.6, w3=0.6)) - loss(first)
    along = [0.1 * of for of in (slopes.w1, slopes.w3, slopes.w1 + slopes.w3)]
    found = numbers(seen(page).text_content())
    assert found == pytest.approx([0.1, *along, real], rel=5e-3)
    assert abs(found[3] - found[4]) < min(abs(of - found[4]) for of in found[1:3])


def test_both_paths_are_drawn_with_pythons_slopes(at: At) -> None:
    """At the t that both weights begin with; another lesson has no such picture."""
    page = begun(at, 3)
    do(page, "t + 0.1")
    figure = page.locator("#lesson .paths")
    into_view(figure)
    quantities = trace_article(draw_parameters(44)._replace(w1=0.5, w3=0.5), X, 1.0).quantities
    of = {name: quantity.by_hand for name, quantity in quantities.items()}
    slopes = [of["dL_dypred"] * of[f"dypred_d{h}"] for h in ("h1", "h2")]
    for k, (h, weight) in enumerate((("h1", "w1"), ("h2", "w3"))):
        first = of[f"d{h}_d{weight}"]
        labels = figure.locator(".slope").all_text_contents()[2 * k : 2 * k + 2]
        assert [label.split()[0] for label in labels] == [f"∂{h}/∂t", f"∂L/∂{h}"]
        read = [float(number(label.split()[1])) for label in labels]
        assert read == pytest.approx([first, slopes[k]], rel=5e-3)
        along = figure.locator(".product").nth(k).text_content()
        assert numbers(along) == pytest.approx([of[f"dL_d{weight}"]], rel=5e-5)
    t, *_, both = numbers(figure.locator("figcaption").text_content())
    assert t == 0.5
    assert both == pytest.approx(of["dL_dw1"] + of["dL_dw3"], rel=5e-4)
    expect(begun(at, 2).locator("#lesson .paths")).to_be_hidden()


def test_an_epoch_is_four_steps_each_foretold(at: At) -> None:
    """From where the one before it led to; and who ends with a higher loss is named."""
    page = begun(at, 5)
    do(page, "an epoch on")
    text = str(seen(page).text_content())
    steps = re.findall(rf"(\w+): predicted ({_NUMBER}), real ({_NUMBER})", text)
    assert [name for name, *_ in steps] == [person.name for person in PEOPLE]
    xs, ys = shifted(raw(PEOPLE)), targets(PEOPLE)
    first = params = draw_parameters(44)
    for (_, *told), x, y in zip(steps, xs, ys, strict=True):
        after = update(params, slopes := gradient(params, x, y), 0.1)
        expected = [
            -0.1 * sum(of**2 for of in slopes),
            loss_of(after, x, y) - loss_of(params, x, y),
        ]
        assert [float(number(of)) for of in told] == pytest.approx(expected, rel=5e-3)
        params = after
    before, end = (
        [float(loss_of(at, x, y)) for x, y in zip(xs, ys, strict=True)] for at in (first, params)
    )
    found = re.search(rf"mean loss goes from ({_NUMBER}) to ({_NUMBER})", text)
    assert found
    assert says(fmean(before), found[1])
    assert says(fmean(end), found[2])
    risen = [p.name for p, was, now in zip(PEOPLE, before, end, strict=True) if now > was]
    assert risen
    assert f"{' and '.join(risen)} ended with a higher loss" in text


def test_twins_stay_twins_until_the_start_is_random(at: At) -> None:
    """Their weights and the mean loss are those of Python's trainings."""
    page = begun(at, 7)
    starts = (
        ("all 1, 300 epochs", Settings(init="ones"), "twins are still twins"),
        (
            "from seed 44",
            Settings(seed=44),
            "two units that do different things",
        ),
    )
    for act, settings, says_so in starts:
        do(page, act)
        expect(seen(page)).to_contain_text(says_so)
        w1, _, w3, *_ = path(settings)[:, 1200]
        found = re.findall(rf"(?:w1 =|w3 =|loss is) ({_NUMBER})", str(seen(page).text_content()))
        for value, text in zip((w1, w3, mean(settings, 300)), found, strict=True):
            assert says(value, text)


def test_one_side_alone_is_seen_by_the_comparison(at: At) -> None:
    """By hand −1, whatever was predicted; autodiff has Python's."""
    page = begun(at, 8)
    do(page, "forget it by hand")
    trace = PassRequest(person="alice", seed=44).trace()
    slope = trace.quantities["dL_dypred"].autodiff
    assert numbers(seen(page).text_content()) == pytest.approx([-1, slope], rel=5e-3)
    do(page, "put it right")
    expect(seen(page)).to_be_hidden()


def test_what_is_left_at_the_first_layer_is_numpys(at: At) -> None:
    page = begun(at, 9)
    for act, scale in ((None, 1.0), ("weights 1.41 times as large", 1.41)):
        if act:
            do(page, act)
        drawn = (means(Drawn(10, 32, of, scale)) for of in ("sigmoid", "relu"))
        told = re.findall(rf"({_NUMBER}) times|about ({_NUMBER})/", str(seen(page).text_content()))
        last, *left = [first or second for first, second in told]
        for (first, *_, end), text in zip(drawn, left, strict=True):
            assert says(first / end, text, 2)
        assert says(scale, last)


def test_who_reads_on_keeps_the_own_numbers_and_comes_back_to_the_first(at: At) -> None:
    page = at("lesson=8&you=140;66&unit=kg")
    page.locator("#lesson").get_by_role("button", name="next: Depth").click()
    settle(page)
    assert [state(page)[key] for key in ("lesson", "you", "unit")] == [9, [140, 66], "kg"]
    expect(page.locator("#lesson h2")).to_be_focused()
    page.get_by_role("button", name="from the beginning").click()
    assert state(page)["lesson"] == 1
    page.locator("#lesson").get_by_role("button", name="close").click()
    expect(page.locator("#lesson")).to_be_hidden()
    expect(page.get_by_role("button", name="Lessons")).to_be_focused()


@pytest.mark.parametrize("size", [(1366, 768), PHONE])
def test_the_list_leads_to_each_view_and_stays_in_reach(at: At, size: tuple[int, int]) -> None:
    page = at("step=1&view=pass", size=size)
    buttons = page.locator("#list button:not(.route)")
    assert buttons.count() == len(BESIDE) + 1
    for k, view in enumerate(["pass", *BESIDE]):
        buttons.nth(k).click()
        settle(page)
        assert state(page)["view"] == view
        expect(buttons.nth(k)).to_have_attribute("aria-current", "true")
        expect(buttons.nth(k)).to_be_in_viewport(ratio=0.9)
        shown = [of for of in BESIDE if page.locator(f"#{of}").is_visible()]
        assert shown == [view] * (view != "pass")
        page.evaluate("scrollTo(0, 1e6)")
        expect(page.locator("#list")).to_be_in_viewport(ratio=1)
        expect(page.locator("#list .route")).to_be_in_viewport(ratio=1)
        expect(page.locator("#network svg")).to_be_in_viewport()


@pytest.mark.parametrize("width", [390, 320])
def test_the_numbers_of_the_lessons_are_one_line(at: At, width: int) -> None:
    page = at("lesson=9", size=(width, 800))
    buttons = page.locator(".lessons button")
    boxes = [buttons.nth(k).bounding_box() or {} for k in range(9)]
    assert len({box["y"] for box in boxes}) == 1
    assert min(box["width"] for box in boxes) >= 24  # WCAG's least target
    cut = "(all) => all.some((of) => of.scrollWidth > of.clientWidth)"
    assert not buttons.evaluate_all(cut)


def test_before_and_after_a_view(at: At) -> None:
    page = at("view=pass")
    turn = page.locator("#turn button:visible")
    for view in BESIDE:
        turn.last.click()
        assert state(page)["view"] == view
        expect(page.locator(f"#{view}-title")).to_be_focused()
    assert turn.all_inner_texts() == ["◀ Break it"]
    turn.first.click()
    assert state(page)["view"] == "break"


@pytest.mark.parametrize("view", ["break", "quiz", "errata"])
def test_an_address_that_is_about_a_view_shows_it(at: At, view: str) -> None:
    assert state(at(VIEWS[view]))["view"] == view
    page = at(f"{VIEWS[view]}&view=pass")
    assert state(page)["view"] == "pass"
    choose(page, view=view)
    assert "view=" not in page.evaluate("location.hash")


def test_the_network_shrinks_on_a_phone_while_another_view_is_read(at: At) -> None:
    heights = []
    for view in ("pass", "nudge"):
        box = at(f"view={view}", size=PHONE).locator("#network svg").bounding_box()
        assert box is not None
        heights.append(box["height"])
    assert heights[1] < heights[0] / 2


def test_it_goes_the_way_that_the_step_goes(at: At) -> None:
    """Values to the end of an edge, derivatives to its beginning; nothing moves where none may."""
    moves = """(step) => modules["main.js"].store.set({ step }) ?? document.getAnimations()
      .filter(({ effect }) => effect.target.matches(".arrow")).map(({ effect }) =>
      effect.getKeyframes().map((of) => parseFloat(of.transform.slice(10))))"""
    for still in (False, True):
        page = at("step=4&view=pass&show=auto", still=still)
        for step, rises in ((5, True), (10, False), (12, False)):
            found = page.evaluate(moves, step)
            assert bool(found) is not still
            assert all((first < last) is rises for first, last in found)
            kind = "forward" if rises else "back"
            lines = page.locator(f'#network line.edge[data-flow="{kind}"]')
            assert lines.count() == 2

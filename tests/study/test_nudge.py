"""The nudge: slopes by difference, their errors, and how they are drawn, against Python's."""

import math
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from compare.reference import article_loss_bounds
from compare.traced.request import PassRequest
from manual.article import Parameters, draw_parameters, gradient, loss, ones_parameters
from tests.reference import BOB_W1, PARTIALS, XS, YS, close
from tests.study.browser import (
    LOW,
    PHONE,
    At,
    Pages,
    choose,
    into_view,
    settle,
    state,
)
from tests.study.pictures import Scales, attributes, number, points

pytestmark = pytest.mark.slow

VIEW = "nudge"

U = 2.0**-53

EXPONENTS = range(1, 13)
PEOPLE = ("alice", "bob", "charlie", "diana")


def central_difference(params: Parameters, name: str, who: int, h: float) -> float:
    """(L(w + h) - L(w - h)) / 2h by the lines of `manual.article`."""
    above, below = (
        loss(params._replace(**{name: getattr(params, name) + step}), XS[who], YS[who])
        for step in (h, -h)
    )
    return float((above - below) / (2 * h))


def bound(params: Parameters, name: str, who: int, h: float) -> float:
    """How far two right computations of that in float64 can be apart.

    Each loss is within reach of the third program's, so two differ by twice that at most. The
    subtraction and the division round, by u each, on both sides.
    """
    apart = 0.0
    for step in (h, -h):
        moved = params._replace(**{name: getattr(params, name) + step})
        apart += 2 * float(article_loss_bounds(moved, XS[who], YS[who]).error)
    return apart / (2 * h) + 4 * U * abs(central_difference(params, name, who, h))


def row(page: Page, name: str) -> str:
    return page.locator(f"#nudge [data-row={name}] .value").inner_text()


def lesson(page: Page) -> str:
    return page.locator("#nudge .lesson").inner_text()


def shown(page: Page, picture: int) -> Locator:
    """One of the two pictures, brought into view and drawn."""
    svg = page.locator("#nudge .picture > svg").nth(picture)
    into_view(svg)
    return svg


def test_on_bob_the_difference_falls_to_0_while_the_exact_slope_stays(at: At) -> None:
    page = at("person=bob&parameter=w1&nudge=5&seed=ones")
    assert row(page, "secant") == "0"
    assert float(central_difference(ones_parameters(), "w1", 1, 1e-5)) == 0
    assert close(float(number(row(page, "exact"))), BOB_W1, 15)
    assert row(page, "above") == row(page, "below")
    assert row(page, "difference") == "0"
    # It is not said to be right, and the difference is not said to differ.
    assert page.locator("#nudge [data-row=secant] .lost").inner_text() == "0"
    assert page.locator("#nudge [data-row=difference] .differs").inner_text() == ""
    assert "the same float64" in lesson(page)
    assert "+1.592·10⁻¹³" in lesson(page)
    assert "100 %" in page.locator("#nudge [data-row=secant] .ulps").inner_text()


@pytest.mark.parametrize(("who", "name", "seed"), [(0, "w5", 0), (1, "w1", None), (2, "b3", 0)])
def test_a_difference_is_pythons_with_every_step(
    at: At, who: int, name: str, seed: int | None
) -> None:
    params = ones_parameters() if seed is None else draw_parameters(seed)
    start = "ones" if seed is None else seed
    page = at(f"person={PEOPLE[who]}&seed={start}&parameter={name}")
    for exponent in EXPONENTS:
        choose(page, nudge=exponent)
        found = float(number(row(page, "secant")))
        h = float(f"1e-{exponent}")
        python = central_difference(params, name, who, h)
        assert abs(found - python) <= bound(params, name, who, h), exponent
        assert (found == 0) == (python == 0), exponent


@pytest.mark.parametrize("person", ["alice", "bob"])
def test_the_errors_are_drawn_where_they_are(at: At, person: str) -> None:
    """All twelve dots: at Python's error as far as rounding leaves it, at 100 % where 0 is left."""
    who, params = PEOPLE.index(person), ones_parameters()
    exact = PARTIALS["w1"] if person == "alice" else BOB_W1
    page = at(f"person={person}&seed=ones&parameter=w1&nudge=3")
    svg = shown(page, 1)
    scales = Scales(svg, logarithmic=True)
    dots = svg.locator(".dot").evaluate_all(
        "dots => dots.map(dot => ['cx', 'cy'].map(name => Number(dot.getAttribute(name))))"
    )
    assert len(dots) == len(EXPONENTS)
    for exponent, dot in zip(EXPONENTS, dots, strict=True):
        h = float(f"1e-{exponent}")
        step, error = scales.at(*dot)
        python = central_difference(params, "w1", who, h)
        spread = bound(params, "w1", who, h) / exact
        wanted = abs(python - exact) / exact
        assert math.isclose(step, h, rel_tol=1e-6)
        if python == 0:
            assert math.isclose(error, 1, rel_tol=1e-6)
        else:
            # The reference has 15 digits.
            low, high = wanted - spread - 1e-14, wanted + spread + 1e-14
            assert low * 0.999 <= error <= high * 1.001
    # What the bend makes of it is c h² for all steps. At 10⁻² it is nearly the whole error where
    # rounding is far below, as it is not for Bob: the next term is a part of about h² of it. Places
    # are drawn to a tenth of a pixel, which in powers of ten is a factor.
    factor = scales.at(0, 0)[1] / scales.at(0, 0.1)[1]
    bend = [scales.at(*place) for place in points(svg.locator(".bend"))]
    c = [error / step**2 for step, error in bend]
    assert 1 / factor < c[0] / c[-1] < factor
    large = abs(central_difference(params, "w1", who, 1e-2) - exact) / exact
    assert person == "bob" or 0.99 / factor < c[0] * 1e-4 / large < 1.01 * factor
    assert attributes(svg.locator(".here"), "cx", "cy") == dots[2]


def test_the_curve_and_its_tangent_are_drawn_where_they_are(at: At) -> None:
    params = draw_parameters(3)
    svg = shown(at("person=alice&seed=3&parameter=b3"), 0)
    scales = Scales(svg)
    pixel = abs(scales.at(0, 1)[1] - scales.at(0, 0)[1])
    curve = [scales.at(*place) for place in points(svg.locator(".curve"))]
    assert len(curve) > 100
    for b3, height in curve:
        assert abs(height - loss(params._replace(b3=b3), XS[0], YS[0])) < 1.5 * pixel
    low, high = (scales.at(*place) for place in points(svg.locator(".tangent")))
    exact = gradient(params, XS[0], YS[0]).b3
    assert abs(exact) > 0.05
    slope = (high[1] - low[1]) / (high[0] - low[0])
    assert abs(slope - exact) < 2 * pixel / (high[0] - low[0])
    here = attributes(svg.locator(".here"), "cx", "cy")
    assert svg.locator("circle.mark").count() == 3  # the secant's ends, and the point
    # The secant leads through both its ends, with the slope that Python finds.
    left, right = (scales.at(*place) for place in points(svg.locator(".secant")))
    steep = (right[1] - left[1]) / (right[0] - left[0])
    secant = central_difference(params, "b3", 0, 0.1)
    assert abs(steep - secant) < 2 * pixel / (right[0] - left[0])
    for end in svg.locator("circle.mark.end").all():
        x, y = scales.at(*attributes(end, "cx", "cy"))
        assert abs(abs(x - params.b3) - 0.1) < 1e-6
        assert abs(y - loss(params._replace(b3=x), XS[0], YS[0])) < 1e-6
        assert abs(left[1] + steep * (x - left[0]) - y) < 2 * pixel
    # Above the curve there is room.
    (top,) = attributes(svg.locator(".axes .grid").first, "y2")
    assert min(y for _, y in points(svg.locator(".curve"))) > top + 5
    x, y = scales.at(here[0], here[1])
    assert abs(x - params.b3) < 1e-6
    assert abs(y - loss(params, XS[0], YS[0])) < 1e-6
    assert abs(low[1] + slope * (x - low[0]) - y) < 2 * pixel


def test_close_up_bobs_loss_is_a_stair(at: At) -> None:
    """Of float64, in which Alice's is still a line."""
    stairs = {}
    for person in ("alice", "bob"):
        page = at(f"person={person}&seed=ones&parameter=w1&nudge=4&close=1")
        stairs[person] = len({y for _, y in points(shown(page, 0).locator(".curve"))})
    assert stairs["bob"] <= 10
    assert stairs["alice"] > 100


def test_it_says_which_way_a_better_step_lies(at: At) -> None:
    """In the article's example both errors are equal near h = 6e-6, which is 3e-16 to the third."""
    page = at("person=alice&seed=ones&parameter=w1")
    said = []
    for exponent in EXPONENTS:
        choose(page, nudge=exponent)
        said.append(lesson(page))
    errors = [
        abs(central_difference(ones_parameters(), "w1", 0, 10.0**-k) / PARTIALS["w1"] - 1)
        for k in EXPONENTS
    ]
    best = errors.index(min(errors))
    assert all("A smaller step is better" in text for text in said[: best - 1])
    assert "about the best" in said[best]
    assert all("A larger step is better" in text for text in said[best + 2 :])


def test_step_and_value_are_chosen_by_the_keyboard(at: At) -> None:
    page = at("person=alice&seed=ones&nudge=4", size=PHONE)
    slider = page.get_by_label("Step size h", exact=True)
    slider.press("ArrowLeft")
    settle(page)
    assert state(page)["nudge"] == 5
    assert slider.get_attribute("aria-valuetext") == "10 to the power of −5"
    assert "h = 10⁻⁵" in lesson(page)
    page.locator("#nudge select").select_option("b3")
    assert close(float(number(row(page, "exact"))), PARTIALS["b3"], 15)
    page.locator("#nudge input[type=range]").first.press("ArrowRight")
    settle(page)
    assert state(page)["edits"] == {"b3": 0.01}
    moved = ones_parameters()._replace(b3=0.01)
    assert close(float(number(row(page, "exact"))), gradient(moved, XS[0], YS[0]).b3, 14)


def test_values_far_away_are_met_in_words(at: At) -> None:
    page = at("edits=w1:1e20&parameter=w1&nudge=2")
    assert "the same float64 as w1: nothing was moved" in lesson(page)
    page = at("edits=w1:1000&parameter=w1&nudge=2")
    assert "too small to be known" in lesson(page)
    assert row(page, "exact") == "too small for 106 bits"
    page = at("edits=w1:1e308;w2:-1e308&parameter=w2")
    said = page.locator("#nudge").inner_text()
    assert "NaN" not in said
    assert "not a number" not in said


#: A relu whose argument a bias can make 0.
RELU = PassRequest(sizes=(1, 1, 1), x=(1.0,), y=(1.0,), activation="relu", seed=1)


def test_close_up_the_secant_leads_through_its_ends(at: At) -> None:
    """And not through the point between them, which here lies two pixels off."""
    params = draw_parameters(49)
    svg = shown(at("seed=49&parameter=w1&nudge=1&close=1"), 0)
    scales = Scales(svg)
    pixel = abs(scales.at(0, 1)[1] - scales.at(0, 0)[1])
    below, here, above = (
        float(loss(params._replace(w1=params.w1 + step), XS[0], YS[0])) for step in (-0.1, 0, 0.1)
    )
    assert abs((above + below) / 2 - here) > 2 * pixel
    left, right = (scales.at(*place) for place in points(svg.locator(".secant")))
    steep = (right[1] - left[1]) / (right[0] - left[0])
    ends = svg.locator("circle.mark.end").all()
    for end, offset, height in zip(ends, (-0.1, 0.1), (below - here, above - here), strict=True):
        assert abs(left[1] + steep * (offset - left[0]) - height) < 0.2 * pixel
        x, y = scales.at(*attributes(end, "cx", "cy"))
        assert abs(x - offset) < 1e-6
        assert abs(y - height) < 1e-6


def test_that_nothing_can_be_drawn_is_said_out_of_sight_too(pages: Pages, study_page: Path) -> None:
    """Who listens or searches comes to words that nobody has scrolled to."""
    page = pages.open(study_page, "parameter=w1&view=nudge", size=LOW)
    notes = page.locator("#nudge figure > .note")
    for edits, hidden in (
        ({}, [True, True]),
        # With so large a bias Alice's loss is 0, whatever the weight.
        ({"b3": 1e308}, [False, False]),
        # Errors need an exact slope that is known; the curve does not.
        ({"w1": 1000}, [True, False]),
        ({}, [True, True]),
    ):
        choose(page, edits=edits)
        assert notes.evaluate_all("all => all.map((of) => of.hidden)") == hidden
    assert page.locator("#nudge .axes .tick").count() == 0  # out of sight they are not drawn

"""The surface: contours, the way of the training and its next update, against Python's."""

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from compare.experiment import Settings
from compare.people import PEOPLE
from manual.article import Parameters, draw_parameters, gradient, mean_loss, ones_parameters
from manual.sgd import sample_order
from tests.reference import TRAINED, XS, YS
from tests.study.browser import (
    LOW,
    PHONE,
    At,
    Pages,
    choose,
    given,
    into_view,
    settle,
    state,
)
from tests.study.pictures import Scales, attributes, number, points
from tests.study.trained import path

pytestmark = pytest.mark.slow

VIEW = "surface"

#: A mean loss over a grid, by the page's own script.
_GRID = """
([names, given, across, up]) => {
  const { study } = modules["main.js"].store;
  const { Landscape } = modules["mathematics/landscape.js"];
  const samples = modules["model/point.js"].samplesOf(study, { edits: {} });
  const landscape = new Landscape(study, study.programs.stable, names);
  return [...landscape.grid(given, samples, across, up)];
}
"""


#: How strongly the picture is coloured in places of the svg: 0 to 255. A copy is read, for a canvas
#: that is read many times is slow, and the browser says so.
_STRENGTHS = """
(places) => {
  const canvas = document.querySelector("#surface canvas");
  const svg = canvas.parentElement.querySelector("svg").getBoundingClientRect();
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  return places.map(([x, y]) => {
    const at = [(x + svg.left - box.left) * scale, (y + svg.top - box.top) * scale];
    return pen.getImageData(...at.map(Math.round), 1, 1).data[3];
  });
}
"""


def mean_slopes(params: Parameters) -> Parameters:
    return Parameters(*(float(np.mean(of)) for of in gradient(params, XS, YS)))


def drawn(page: Page) -> Locator:
    """The picture, in view and drawn."""
    svg = page.locator("#surface .picture > svg")
    into_view(svg)
    return svg


def test_the_loss_over_a_plane_is_pythons(at: At) -> None:
    """To 1e-14: a loss of at most 1 comes out of 30 roundings, each of 1.1e-16 of at most 2."""
    params, page = draw_parameters(5), at()
    across, up = np.linspace(-3, 3, 7), np.linspace(-2, 4, 5)
    held = {name: float(value) for name, value in params._asdict().items()}
    for names in (("w1", "w2"), ("b3", "w5"), ("w6", "w3")):
        found = page.evaluate(_GRID, [names, held, across.tolist(), up.tolist()])
        wanted = [
            float(mean_loss(params._replace(**{names[0]: x, names[1]: y}), XS, YS))
            for y in up
            for x in across
        ]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize("fragment", ["seed=44&epoch=1000&axes=w1;w2", "axes=w1;w2"])
def test_the_colour_is_as_strong_as_the_loss(at: At, fragment: str) -> None:
    """In parts of a power of 4, of which at least a quarter is used: 190 of 255 are the whole.

    Between contours the picture is a field of a grid; there it is within a step of its colours.
    """
    page = at(fragment)
    svg = drawn(page)
    scales = Scales(svg)
    params = Parameters(*(given(page)[name] for name in Parameters._fields))
    places = [(x, y) for x in range(60, 560, 25) for y in range(40, 340, 25)]
    found = np.array(page.evaluate(_STRENGTHS, places))
    there = [scales.at(*place) for place in places]
    losses = np.array([mean_loss(params._replace(w1=x, w2=y), XS, YS) for x, y in there])
    full = 4.0 ** math.ceil(math.log(losses.max(), 4))
    assert np.median(np.abs(found - 190 * losses / full)) <= 1
    assert found.max() > 190 / 4 - 1


@pytest.mark.parametrize("fragment", ["seed=44&axes=w5;b3", "seed=2&axes=w2;w6"])
def test_a_contour_lies_at_its_level(at: At, fragment: str) -> None:
    """Where its number stands: the mean loss there is that number, to a step of the grid."""
    seed = int(fragment[5 : fragment.index("&")])
    names = fragment.partition("axes=")[2].split(";")
    page = at(fragment)
    svg = drawn(page)
    scales = Scales(svg)
    labels = [of for of in svg.locator(".levels text").all() if of.text_content()]
    assert len(labels) >= 3
    places = [attributes(of, "x", "y") for of in labels]
    assert min(math.dist(*pair) for pair in combinations(places, 2)) >= 40
    for label in labels:
        x, y = attributes(label, "x", "y")
        there = dict(zip(names, scales.at(x, y - 4), strict=True))
        loss = float(mean_loss(draw_parameters(seed)._replace(**there), XS, YS))
        level = float(number(label.text_content() or ""))
        assert abs(loss - level) < 0.005
        # A line runs there, over a field that is as strong as the loss.
        around = [(x + dx, y - 4 + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        assert max(page.evaluate(_STRENGTHS, around)) > 190 * level + 40


@pytest.mark.parametrize("order", ["fixed", "shuffled"])
def test_the_way_of_the_training_is_pythons(at: At, order: str) -> None:
    seed = 7
    svg = drawn(at(f"seed={seed}&axes=w1;w6&order={order}"))
    scales = Scales(svg)
    pixel = abs(scales.at(1, 0)[0] - scales.at(0, 0)[0])
    found = [scales.at(*place) for place in points(svg.locator(".way"))]
    rows = sample_order(len(XS), 1000, seed if order == "shuffled" else None)
    params = draw_parameters(seed)
    python = [(params.w1, params.w6)]
    for k in rows.ravel()[:40]:
        slopes = gradient(params, XS[k], YS[k])
        params = Parameters(*(w - 0.1 * d for w, d in zip(params, slopes, strict=True)))
        python.append((params.w1, params.w6))
    # Each of the first forty updates.
    for (x, y), (w1, w6) in zip(found[:41], python, strict=True):
        assert math.hypot(x - w1, y - w6) < pixel


def test_it_ends_where_the_training_does(at: At) -> None:
    svg = drawn(at("seed=ones&axes=w5;b3"))
    scales = Scales(svg)
    pixel = abs(scales.at(1, 0)[0] - scales.at(0, 0)[0])
    start = scales.at(*attributes(svg.locator(".start"), "cx", "cy"))
    x, y, width, height = attributes(svg.locator(".end"), "x", "y", "width", "height")
    end = scales.at(x + width / 2, y + height / 2)
    assert math.dist(start, (1, 0)) < pixel
    assert math.dist(end, (TRAINED.w5, TRAINED.b3)) < pixel
    assert math.dist(scales.at(*points(svg.locator(".way"))[-1]), end) < pixel
    # Around the reader who stands there, whose point is as wide as that.
    assert width > 2 * attributes(svg.locator(".here"), "r")[0]
    assert svg.locator(".end").evaluate("(of) => getComputedStyle(of).fill") == "none"


@pytest.mark.parametrize(
    ("fragment", "sign"),
    [
        ("seed=ones&axes=w1;w2", 1),
        ("seed=11&axes=b2;w6&person=bob", 1),
        ("seed=7&axes=w1;w6&order=shuffled", 1),
        ("seed=11&axes=b2;w6&mistake=ascends", -1),
    ],
)
def test_the_arrow_points_where_the_next_update_goes(at: At, fragment: str, sign: int) -> None:
    """Both axes have one scale, so its direction is that of the step by the next sample."""
    chosen = dict(part.split("=") for part in fragment.split("&"))
    seed = chosen["seed"]
    params = ones_parameters() if seed == "ones" else draw_parameters(int(seed))
    shuffled = int(seed) if "order" in chosen else None
    first = int(sample_order(len(XS), 1, shuffled)[0, 0])
    names = chosen["axes"].split(";")
    page = at(fragment)
    svg = drawn(page)
    said = page.locator("#surface .says")
    expect(said).to_contain_text(f"update, by {PEOPLE[first].name} alone, goes where the arrow")
    scales = Scales(svg)
    one = scales.at(1, 1), scales.at(0, 0)
    assert math.isclose(one[0][0] - one[1][0], one[1][1] - one[0][1], rel_tol=1e-6)
    here = attributes(svg.locator(".here"), "cx", "cy")
    assert np.allclose(scales.at(*here), [getattr(params, name) for name in names], atol=1e-6)
    from_, to = points(svg.locator(".arrow").first)[:2]
    assert np.allclose(from_, here, atol=0.1)
    slopes = gradient(params, XS[first], YS[first])
    down = [-sign * getattr(slopes, name) for name in names]
    angle = math.atan2(-(to[1] - from_[1]), to[0] - from_[0]) - math.atan2(down[1], down[0])
    assert abs(math.remainder(angle, math.tau)) < 0.01


def test_it_begins_with_the_two_that_the_training_changes_most(at: At) -> None:
    """Until others are chosen; and where no update follows, no arrow is drawn."""
    for seed in (44, 7, 115):
        way = path(Settings(seed=seed))
        far = np.abs(way[:, -1] - way[:, 0])
        most = sorted(np.argsort(far)[-2:])
        page = at(f"seed={seed}&epoch=1000")
        chosen = [of.input_value() for of in page.locator("#surface select").all()]
        assert chosen == [Parameters._fields[k] for k in most]
        expect(drawn(page).locator(".arrow")).to_be_hidden()
        expect(page.locator("#surface .says")).to_contain_text("no update follows")


def test_what_it_says_is_pythons(at: At) -> None:
    params = draw_parameters(9)
    page = at("seed=9&axes=w1;b3")
    said = page.locator("#surface .says").inner_text()
    loss, *slopes = [
        float(number(word.rstrip(".;")))
        for word in said.replace("here is", "= ").split("= ")[1:]
        for word in word.split()[:1]
    ]
    expected = mean_slopes(params)
    assert math.isclose(loss, float(mean_loss(params, XS, YS)), rel_tol=1e-3)
    assert math.isclose(slopes[0], expected.w1, rel_tol=1e-2)
    assert math.isclose(slopes[1], expected.b3, rel_tol=1e-2)
    held = page.locator("#surface .held").inner_text().replace("\xa0", " ")
    assert held.startswith("The other 7 are held at w2 = ")
    for name in ("w2", "w3", "w4", "w5", "w6", "b1", "b2"):
        text = held.partition(f"{name} = ")[2].split(",")[0].rstrip(".")
        assert math.isclose(float(number(text)), getattr(params, name), rel_tol=1e-2)


def test_a_click_puts_the_point_there(at: At) -> None:
    page = at("seed=ones&axes=w5;b3")
    svg = drawn(page)
    wanted = Scales(svg).at(200, 120)
    svg.click(position={"x": 200, "y": 120})
    settle(page)
    edits = state(page)["edits"]
    assert [edits["w5"], edits["b3"]] == pytest.approx(wanted, abs=0.0051)
    loss = mean_loss(ones_parameters()._replace(**edits), XS, YS)
    assert f"is {loss:.4g};" in page.locator("#surface .says").inner_text()
    here = Scales(svg).at(*attributes(svg.locator(".here"), "cx", "cy"))
    assert np.allclose(here, [edits["w5"], edits["b3"]], atol=1e-6)


def test_while_the_point_is_dragged_the_axes_stay(at: At) -> None:
    page = at("seed=ones&axes=w5;b3")
    svg = drawn(page)
    box = svg.bounding_box()
    assert box is not None
    ticks = svg.locator(".axes").text_content()
    # A mouse is at whole pixels, the drawing need not be.
    left, top = round(box["x"]) + 100, round(box["y"]) + 100
    page.mouse.move(left, top)
    page.mouse.down()
    for k in range(0, 12, 4):
        page.mouse.move(left + 10 * k, top + 20 * k)
        settle(page)
        assert svg.locator(".axes").text_content() == ticks
        moved = Scales(svg).at(*attributes(svg.locator(".here"), "cx", "cy"))
        wanted = Scales(svg).at(left - box["x"] + 10 * k, top - box["y"] + 20 * k)
        assert np.allclose(moved, wanted, atol=0.0051)
    page.mouse.up()


def test_the_keyboard_moves_the_point_and_chooses_the_axes(at: At) -> None:
    page = at("seed=ones&axes=w1;w2", size=PHONE)
    page.locator("#surface input[type=range]").nth(1).press("ArrowRight")
    settle(page)
    assert state(page)["edits"] == {"w2": 1.05}
    across, up = page.locator("#surface select").all()
    across.select_option("w2")  # which is up, and so changes places with w1
    assert state(page)["axes"] == ["w2", "w1"]
    assert up.input_value() == "w1"
    up.select_option("b1")
    assert state(page)["axes"] == ["w2", "b1"]
    assert drawn(page).locator(".axis").all_text_contents() == ["w2 (1/in)", "b1 (dimensionless)"]
    at("axes=w3;w3")  # one parameter twice is no plane
    assert (across.input_value(), up.input_value()) == ("w3", "w1")


def test_a_held_weight_changes_the_picture(at: At) -> None:
    page = at("seed=ones&axes=w1;w2")
    svg = drawn(page)
    place = attributes(svg.locator(".here"), "cx", "cy")
    place[0] -= 60
    strengths = []
    for w5 in (1, -4):
        choose(page, edits={"w5": w5})
        strengths += page.evaluate(_STRENGTHS, [place])
        held = page.locator("#surface .held").inner_text()
        assert f"w5\xa0=\xa0{w5}".replace("-", "−") in held
    assert abs(strengths[0] - strengths[1]) > 30


def test_a_point_far_away_is_met_in_words_out_of_sight_too(pages: Pages, study_page: Path) -> None:
    """Up to where a picture can be drawn, which then is, once it is in sight."""
    page = pages.open(study_page, "axes=w1;w2&view=surface", size=LOW)
    note, ticks = page.locator("#surface .map > .note"), page.locator("#surface .axes .tick")
    for edits, is_hidden in (
        ({}, True), ({"w1": 1e308, "w2": -1e308}, False), ({"w1": 8e307}, True)
    ):  # fmt: skip
        choose(page, edits=edits)
        assert note.evaluate("(of) => of.hidden") is is_hidden
        text = page.locator("#surface").text_content() or ""
        assert ("no finite number" in text) is not is_hidden
        assert ticks.count() == 0
    svg = drawn(page)
    x, _ = Scales(svg).at(*attributes(svg.locator(".here"), "cx", "cy"))
    assert math.isclose(x, 8e307, rel_tol=1e-6)

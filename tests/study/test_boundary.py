"""The plane of weight and height, and the table: what the network says, as Python's says it."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import manual.article
from compare.experiment import Settings
from compare.people import NEWCOMERS, PEOPLE, Person, label, raw, shifted
from manual.article import Parameters
from tests.study.browser import At, choose, settle
from tests.study.pictures import Scales, points
from tests.study.trained import boundary, path

pytestmark = pytest.mark.slow

VIEW = "training"

#: The table's rows, by name.
_ROWS = """() => Object.fromEntries(
  [...document.querySelectorAll("#training .predictions tbody tr")].map((row) => {
    const [name, ...cells] = [...row.children].map((cell) => cell.textContent);
    return [name, cells];
  }))"""


def test_what_it_says_of_everybody(at: At) -> None:
    """The article's predictions, and the reader's."""
    settings = Settings(seed=44)
    page = at("seed=44&epoch=1000&you=150;67")
    you = Person("you", 150, 67, None)
    params = Parameters(*path(settings)[:, -1])
    shown = page.evaluate(_ROWS)
    for person in (*PEOPLE, *NEWCOMERS, you):
        (x,) = shifted(raw((person,)))
        chance = float(manual.article.feedforward(params, x))
        measured = [f"{person.weight:g}", f"{person.height:g}"]
        assert shown[person.name] == [
            *(*measured, f"{chance:.3f}", label(chance), person.gender or "–")
        ]
    assert shown["Emily"][2:4] == ["0.951", "F"]
    assert shown["Frank"][2:4] == ["0.039", "M"]
    choose(page, unit="kg")
    alice = [f"{133 * 0.45359237:.4g}", f"{65 * 2.54:.4g}"]
    assert page.evaluate(_ROWS)["Alice"][:2] == alice


def test_the_line_of_one_half_is_where_the_network_says_one_half(at: At) -> None:
    """Read off the picture by its ticks, and given to Python's network."""
    settings = Settings(seed=0)
    page = at("seed=0&epoch=300", still=True)
    picture = boundary(page)
    scales = Scales(picture)
    line = points(picture.locator(".level[data-level='0.5']"))
    people = tuple(Person("", *scales.at(*place), None) for place in line)
    params = Parameters(*path(settings)[:, 1200, None])
    chances = manual.article.feedforward(params, shifted(raw(people)))
    assert len(line) > 20
    np.testing.assert_allclose(chances, 0.5, atol=0.02)
    words = str(picture.get_attribute("aria-label"))
    assert "At or above 0.5: Alice, Diana, Emily. Below: Bob, Charlie, Frank." in words
    legend = page.locator("#training .boundary .legend").nth(1).inner_text().split("\n")
    said = ["blue: the network says F", "orange: it says M", "is F", "is M", "not known"]
    assert [of.strip() for of in legend if of.strip()] == said


def test_a_picture_without_a_line_says_why(at: At) -> None:
    """From all ones everybody is F; and somebody far away is not drawn."""
    page = at("you=900;66")
    boundary(page)
    expect(page.locator("#training .boundary .note")).to_have_text(
        "Everywhere in this picture the network says F. You are outside this picture."
    )
    choose(page, epoch=1000, you=[150, 66])
    expect(page.locator("#training .boundary .note")).to_have_text("")


def test_contours_of_a_known_function(at: At) -> None:
    """A circle: the line is one ring at its radius, the region above has its area; a saddle."""
    page = at()
    line, region, saddle = page.evaluate(
        """() => {
          const { lineAt, regionAbove } = modules["mathematics/contour.js"];
          const at = (column, row) => [column, row];
          const row = Array.from({ length: 41 }, (_, k) => k - 20);
          const values = row.flatMap((y) => row.map((x) => -Math.hypot(x, y)));
          const cross = lineAt([1, -1, -1, 1], 2, 0.5, at);
          return [lineAt(values, 41, -10, at), regionAbove(values, 41, -10, at), cross];
        }"""
    )
    (ring,) = line.split("M")[1:]
    around = np.array([point.split() for point in ring.split("L")], float)
    assert (around[0] == around[-1]).all()
    np.testing.assert_allclose(np.hypot(*(around - 20).T), 10, atol=0.1)
    area = 0.0
    for polygon in region.split("M")[1:]:
        x, y = np.array([p.split() for p in polygon.rstrip("Z").split("L")], float).T
        area += abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert area == pytest.approx(np.pi * 100, rel=0.01)
    assert saddle.count("M") == 2


#: In how many areas of either side of the plane places of the picture lie: a shade for each.
_SIDES = """
(places) => {
  const sides = ["female", "male"].map((of) =>
    [...document.querySelectorAll(`#training .boundary .picture .plot .side.${of}`)]);
  const shade = (areas, at) => areas.filter((of) => of.isPointInFill(new DOMPoint(...at))).length;
  return places.map((at) => sides.map((areas) => shade(areas, at)));
}
"""

#: From which probability on a side is shaded once more.
SHADES = np.array([0.5, 0.6, 0.7, 0.8, 0.9])


def test_each_side_of_the_line_is_shaded_as_what_the_network_says(at: At) -> None:
    """The surer it is, the stronger; all over the picture, but not where a shade ends."""
    settings = Settings(seed=0)
    page = at("seed=0&epoch=1000", still=True)
    scales = Scales(boundary(page))
    places, chances = [], []
    params = Parameters(*path(settings)[:, 4000])
    for weight in np.linspace(115, 165, 41):
        for height in np.linspace(57, 75, 28):
            (x,) = shifted(raw((Person("", weight, height, None),)))
            chance = float(manual.article.feedforward(params, x))
            if min(abs(of - level) for of in (chance, 1 - chance) for level in SHADES) < 0.02:
                continue
            places.append(scales.place(weight, height))
            chances.append(chance)
    shades = [[int((of > SHADES).sum()) for of in (chance, 1 - chance)] for chance in chances]
    assert page.evaluate(_SIDES, places) == shades
    # All shades of both sides are met.
    for side in zip(*shades, strict=True):
        assert set(side) == set(range(len(SHADES) + 1))


@pytest.mark.parametrize("dark", [False, True])
def test_the_sides_have_the_colours_that_are_said(at: At, dark: bool) -> None:
    """Blue where the network says F, orange where it says M; beside the words, and in the plane."""
    page = at("seed=0&epoch=300", dark=dark, still=True)
    picture = boundary(page)
    for side, colour in (("female", "blue"), ("male", "orange")):
        swatch = page.locator("#training .boundary .legend li", has_text=f"{colour}: ").locator(
            "path"
        )
        areas = [*picture.locator(f".side.{side}").all(), swatch]
        (fill,) = {of.evaluate("(node) => getComputedStyle(node).fill") for of in areas}
        red, _, blue = map(int, re.findall(r"\d+", fill))
        assert (colour == "blue") == (blue > red), fill


def test_who_is_mistaken_is_marked(at: At) -> None:
    """Untrained, from all ones, the network says F of everybody."""
    page = at()
    marked = page.locator("#training .predictions tr[data-wrong=true]")
    wrong = [person.name.lower() for person in (*PEOPLE, *NEWCOMERS) if person.gender == "M"]
    assert [of.get_attribute("data-person") for of in marked.all()] == wrong
    choose(page, epoch=1000)
    expect(marked).to_have_count(0)


def test_the_plane_is_fine_after_coming_back(at: At) -> None:
    """Left before it was drawn finely, it is when it is seen again."""
    page = at("seed=44&epoch=100")
    before = boundary(page).locator(".level").nth(1).get_attribute("d")
    page.evaluate("modules['main.js'].store.set({ epoch: 200 }); scrollTo(0, 0)")
    settle(page)
    assert boundary(page).locator(".level").nth(1).get_attribute("d") != before

"""The plane of weight and height, and the table: what the network says, as Python's says it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

import manual.article
from compare.experiment import Settings
from compare.people import NEWCOMERS, PEOPLE, Person, label
from compare.traced.request import PassRequest
from manual.article import Parameters
from tests.study.browser import At, PageOf, into_view
from tests.study.conftest import TWO_INPUTS
from tests.study.trained import axes_of, opened, path, rows

pytestmark = pytest.mark.slow


def test_what_it_says_of_everybody(at: At) -> None:
    """The article's predictions, and the reader's."""
    settings = Settings(seed=44)
    page = opened(at, "seed=44&epoch=1000&you=150;67")
    you = Person("you", 150, 67, None)
    params = Parameters(*path(settings)[:, -1])
    shown = rows(page)
    for person in (*PEOPLE, *NEWCOMERS, you):
        (x,) = settings.inputs((person,))
        chance = float(manual.article.feedforward(params, x))
        assert shown[person.name] == [
            f"{person.weight:g}",
            f"{person.height:g}",
            f"{chance:.3f}",
            label(chance),
            person.gender or "–",
        ]
    assert shown["Emily"][2:4] == ["0.951", "F"]
    assert shown["Frank"][2:4] == ["0.039", "M"]
    page.evaluate("modules['main.js'].store.set({ unit: 'kg' })")
    assert rows(page)["Alice"][:2] == [f"{133 * 0.45359237:.4g}", f"{65 * 2.54:.4g}"]


def test_the_line_of_one_half_is_where_the_network_says_one_half(at: At) -> None:
    """Read off the picture by its ticks, and given to Python's network."""
    settings = Settings(seed=0)
    page = opened(at, "seed=0&epoch=300")
    into_view(page.locator(".boundary .picture .plot"))
    level = page.locator(".boundary .level[data-level='0.5']")
    expect(page.locator(".boundary .plot[data-fine=true]")).to_be_visible()
    expect(level).to_have_attribute("d", re.compile("M"))
    across, up = axes_of(page.locator(".boundary"))
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", str(level.get_attribute("d"))), float)
    people = tuple(Person("", np.polyval(across, x), np.polyval(up, y), None) for x, y in points)
    params = Parameters(*path(settings)[:, 1200, None])
    chances = manual.article.feedforward(params, settings.inputs(people))
    assert len(points) > 20
    np.testing.assert_allclose(chances, 0.5, atol=0.02)
    words = str(page.locator(".boundary .picture .plot").get_attribute("aria-label"))
    legend = page.locator(".boundary .legend").nth(1).inner_text().split("\n")
    said = ["blue: the network says F", "orange: it says M", "is F", "is M", "not known"]
    assert [of.strip() for of in legend if of.strip()] == said
    assert "At or above 0.5: Alice, Diana, Emily. Below: Bob, Charlie, Frank." in words


def test_a_picture_without_a_line_says_why(at: At) -> None:
    """From all ones everybody is F; and somebody far away is not drawn."""
    page = opened(at, "you=900;66")
    into_view(page.locator(".boundary .picture .plot"))
    expect(page.locator(".boundary .note")).to_have_text(
        "Everywhere in this picture the network says F. You are outside this picture."
    )
    page.evaluate("modules['main.js'].store.set({ epoch: 1000, you: [150, 66] })")
    expect(page.locator(".boundary .note")).to_have_text("")


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
    points = np.array([point.split() for point in ring.split("L")], float)
    assert (points[0] == points[-1]).all()
    np.testing.assert_allclose(np.hypot(*(points - 20).T), 10, atol=0.1)
    area = 0.0
    for polygon in region.split("M")[1:]:
        x, y = np.array([p.split() for p in polygon.rstrip("Z").split("L")], float).T
        area += abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert area == pytest.approx(np.pi * 100, rel=0.01)
    assert saddle.count("M") == 2


def test_two_inputs_and_a_probability_have_a_boundary(at_page_of: PageOf) -> None:
    """Of a loss on logits, where σ of the output is one half."""
    asked = PassRequest(sizes=(2, 3, 1), x=(0.5, -1.0), y=(1.0,), loss="bce", seed=2)
    page = opened(at_page_of(asked))
    into_view(page.locator(".boundary .picture .plot"))
    ((_, *cells),) = page.locator("#training .predictions tbody tr").evaluate_all(
        "(all) => all.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    (output,) = (q.by_hand for name, q in asked.trace().quantities.items() if name == "a1[0]")
    assert cells == ["0.5", "−1", f"{1 / (1 + np.exp(-output)):.3f}", "1"]


def test_the_plane_of_another_network_follows_an_input_that_is_set(at_page_of: PageOf) -> None:
    """The row of its example has the input that the reader has set, and what Python says of it."""
    page = at_page_of(TWO_INPUTS)("edits=x%5B1%5D:4", still=True)
    into_view(page.locator(".boundary"))
    moved = replace(TWO_INPUTS, x=(0.5, 4.0)).trace().quantities["a1[0]"].by_hand
    cells = page.locator(".boundary table tbody tr").first.locator("td").all_text_contents()
    assert cells[:3] == ["0.5", "4", f"{moved:.3f}"]


#: In how many areas of either side of the plane places of the picture lie: a shade for each.
_SIDES = """
(places) => {
  const sides = ["female", "male"].map((of) =>
    [...document.querySelectorAll(`.boundary .picture .plot .side.${of}`)]);
  const shade = (areas, at) => areas.filter((of) => of.isPointInFill(new DOMPoint(...at))).length;
  return places.map((at) => sides.map((areas) => shade(areas, at)));
}
"""

#: From which probability on a side is shaded once more.
SHADES = np.array([0.5, 0.6, 0.7, 0.8, 0.9])


def test_each_side_of_the_line_is_shaded_as_what_the_network_says(at: At) -> None:
    """The surer it is, the stronger; all over the picture, but not where a shade ends."""
    settings = Settings(seed=0)
    page = opened(at, "seed=0&epoch=1000")
    into_view(page.locator(".boundary .picture .plot"))
    expect(page.locator(".boundary .plot[data-fine=true]")).to_be_visible()
    across, up = axes_of(page.locator(".boundary"))
    places, chances = [], []
    params = Parameters(*path(settings)[:, 4000])
    for weight in np.linspace(115, 165, 41):
        for height in np.linspace(57, 75, 28):
            (x,) = settings.inputs((Person("", weight, height, None),))
            chance = float(manual.article.feedforward(params, x))
            if min(abs(of - level) for of in (chance, 1 - chance) for level in SHADES) < 0.02:
                continue
            places.append([(weight - across[1]) / across[0], (height - up[1]) / up[0]])
            chances.append(chance)
    shades = [[int((of > SHADES).sum()) for of in (chance, 1 - chance)] for chance in chances]
    assert page.evaluate(_SIDES, places) == shades
    # All shades of both sides are met.
    for side in zip(*shades, strict=True):
        assert set(side) == set(range(len(SHADES) + 1))


@pytest.mark.parametrize("dark", [False, True])
def test_the_sides_have_the_colours_that_are_said(at: At, dark: bool) -> None:
    """Blue where the network says F, orange where it says M; beside the words, and in the plane."""
    page = opened(at, "seed=0&epoch=300", dark=dark)
    into_view(page.locator(".boundary .picture .plot"))
    expect(page.locator(".boundary .plot[data-fine=true]")).to_be_visible()
    for side, colour in (("female", "blue"), ("male", "orange")):
        areas = page.locator(f".boundary .picture .plot .side.{side}")
        swatch = page.locator(".boundary .legend li", has_text=f"{colour}: ").locator("path")
        fills = {of.evaluate(_FILL) for of in (*areas.all(), swatch)}
        (fill,) = fills
        red, _, blue = map(int, re.findall(r"\d+", fill))
        assert (colour == "blue") == (blue > red), fill


_FILL = "(node) => getComputedStyle(node).fill"


def test_who_is_mistaken_is_marked(at: At) -> None:
    """Untrained, from all ones, the network says F of everybody."""
    page = opened(at)
    marked = page.locator("#training .predictions tr[data-wrong=true]")
    wrong = [person.name.lower() for person in (*PEOPLE, *NEWCOMERS) if person.gender == "M"]
    assert [of.get_attribute("data-person") for of in marked.all()] == wrong
    page.evaluate("modules['main.js'].store.set({ epoch: 1000 })")
    expect(marked).to_have_count(0)


def test_the_plane_is_fine_after_coming_back(at: At) -> None:
    """Left before it was drawn finely, it is when it is seen again."""
    page = opened(at, "seed=44&epoch=100")
    picture = page.locator(".boundary .picture .plot")
    into_view(picture)
    expect(picture).to_have_attribute("data-fine", "true")
    page.evaluate("modules['main.js'].store.set({ epoch: 200 }); scrollTo(0, 0)")
    page.wait_for_timeout(500)
    into_view(picture)
    expect(picture).to_have_attribute("data-fine", "true")

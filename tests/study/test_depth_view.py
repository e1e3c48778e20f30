"""The depth view as it is read: words, plot and colours have NumPy's numbers."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import manual.network
from study import digits
from tests.study.browser import PHONE, At, axe, choose, into_view, state
from tests.study.pictures import number
from tests.study.test_depth import ACTS, DRAW, Drawn, images, stored
from tests.study.test_views import NONSENSE
from tests.study.trained import says

VIEW = "depth"


def means(drawn: Drawn) -> list[float]:
    params, x, y = drawn.point()
    grads = manual.network.gradient(drawn.network, params, x[None], y[None])
    return [float(np.abs(layer.b).mean()) for layer in grads]


def words(page: Page) -> str:
    return page.locator("#depth .lesson").inner_text()


def label(page: Page) -> str:
    return page.locator("#depth .depths svg[role=img]").get_attribute("aria-label") or ""


SHOWN = [
    Drawn(10, 32, "sigmoid"),
    Drawn(7, 13, "tanh", 1.5, 3),
    Drawn(12, 64, "relu", 2.0**0.5, 11),
    Drawn(2, 5, "sigmoid", 10.0, 2),
]


@pytest.mark.slow
@pytest.mark.parametrize("drawn", SHOWN)
def test_words_and_plot_have_numpys_numbers(at: At, drawn: Drawn) -> None:
    page = at(drawn.address(), still=True)
    svg = page.locator("#depth .depths svg[role=img]")
    into_view(svg)
    expected = means(drawn)
    said = re.findall(r"(\S+) at layer (\d+)", label(page).replace("average: ", ""))
    assert [int(layer) for _, layer in said] == list(range(1, drawn.depth + 1))
    assert all(says(mean, text, 2) for mean, (text, _) in zip(expected, said, strict=True))
    share = re.search(r"is (\S+) times the last one’s", words(page))
    assert share is not None
    assert says(expected[0] / expected[-1], share[1], 2)
    assert ("does not learn" in words(page)) == (expected[0] / expected[-1] < 0.01)
    # The marks, at the places that the axis gives them.
    ticks = svg.locator(".axes .tick[text-anchor=end]").all()
    places = [
        (float(t.get_attribute("y") or "nan") - 4, number_of(t.text_content() or "")) for t in ticks
    ]
    line = np.polyfit([np.log10(value) for _, value in places], [at for at, _ in places], 1)
    marks = svg.locator("circle.mark").all()
    found = [float(mark.get_attribute("cy") or "nan") for mark in marks]
    np.testing.assert_allclose(found, np.polyval(line, np.log10(expected)), atol=0.1)


def number_of(tick: str) -> float:
    """A power of ten, 10⁻⁶ or 0.01."""
    return float(number(f"1·{tick}" if re.match(r"10\D", tick) else tick))


@pytest.mark.slow
def test_what_would_help_is_computed(at: At) -> None:
    """Of the same draw, with ReLU and He's scale; where that is chosen, there is nothing to say."""
    note = at(Drawn(8, 16, "sigmoid", 2.0, 5).address()).locator("#depth")
    helped = means(Drawn(8, 16, "relu", 2.0**0.5, 5))
    found = re.search(
        r"With ReLU and He’s scale the first layer’s would be (\S+) times", note.inner_text()
    )
    assert found is not None
    assert says(helped[0] / helped[-1], found[1], 2)
    found = re.search(r"σ′ is (\S+) on average here, and .* by about (\S+)\. ", note.inner_text())
    assert found is not None
    drawn = Drawn(8, 16, "sigmoid", 2.0, 5)
    (params, x, _), own = drawn.point(), means(drawn)
    slopes, a = [], x
    for w, _ in params:
        a = 1 / (1 + np.exp(-(a @ w)))
        slopes.append(a * (1 - a))
    assert says(float(np.mean(slopes[:-1])), found[1], 2)
    assert says((own[0] / own[-1]) ** (1 / 7), found[2], 2)
    page = at(Drawn(8, 16, "relu", 2.0**0.5, 5).address())
    expect(page.locator("#depth")).to_contain_text("This is He’s scale")


#: How strong a colour is, and whether it is more blue than red, at places of the svg.
_PAINTED = """
(places) => {
  const canvas = document.querySelector("#depth .depths canvas");
  const scale = canvas.width / canvas.getBoundingClientRect().width;
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  return places.map((place) => {
    const [r, g, b, a] = pen.getImageData(...place.map((of) => Math.round(of * scale)), 1, 1).data;
    return [a / 255, b > r];
  });
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_a_cell_is_as_strong_as_its_number(at: At, dark: bool) -> None:
    """Of networks with one unit a layer, whose cells are in the middle of their maps."""
    for draw in range(1, 6):
        page = at(f"depth=5&units=1&act=tanh&draw={draw}", dark=dark, still=True)
        svg = page.locator("#depth .depths svg[role=img]")
        into_view(svg)
        across = [
            float(tick.get_attribute("x") or "nan")
            for tick in svg.locator(".axes .tick[text-anchor=middle]").all()
        ]
        titles = [float(of.get_attribute("y") or "nan") for of in svg.locator("> .axis").all()]
        heights = [y + 8 + 10 for y in titles]
        found = page.evaluate(DRAW, [Drawn(5, 1, act, draw=draw)._asdict() for act in ACTS])
        forth = np.ravel([found[1]["x"], *found[1]["a"]])
        back = np.ravel(found[1]["deltas"])
        # Of all lines in the plot.
        powers = np.log10([abs(d) for of in found for (d,) in of["deltas"] if d])
        low, high = np.floor(min(-8, *powers)), np.ceil(max(0, *powers))
        sizes = [
            np.abs(forth) / np.abs(forth[1:]).max(),
            (np.log10(np.abs(back)) - low) / (high - low),
        ]
        for values, size, y, columns in (
            (forth, sizes[0], heights[0], across),
            (back, sizes[1], heights[1], across[1:]),
        ):
            painted = page.evaluate(_PAINTED, [[x, y] for x in columns])
            np.testing.assert_allclose([of for of, _ in painted], np.clip(size, 0, 1), atol=0.01)
            # A pale colour is not told apart by eight bits of it.
            for (strength, is_blue), value in zip(painted, values, strict=True):
                assert strength < 0.1 or is_blue == (value > 0)


@pytest.mark.slow
def test_the_words_of_a_digit(at: At) -> None:
    probabilities = digits.outputs(stored(), images())
    for at_, image in enumerate(stored()["images"]):
        said, digit, p = words(at(f"digit={at_}")), image["digit"], probabilities[at_]
        read = int(p.argmax())
        how = "is read" if read == digit else "is misread"
        assert said.startswith(f"This {digit} {how} as {read} with probability ")
        of_p, of_loss = re.findall(r"probability ([^ ,:]+)|p = (\S+)\. ", said)
        assert says(p[read], of_p[0], 3)
        assert says(-np.log(p[digit]), of_loss[1], 2 if read == digit else 3)
    page = at("digit=10", still=True)
    into_view(page.locator("#depth .depths svg[role=img]"))
    assert page.locator("#depth .depths .cell").all_text_contents() == 2 * list("0123456789")
    expect(page.locator("#depth")).to_contain_text(
        f"{stored()['right']} of {stored()['tested']} other images right"
    )


@pytest.mark.slow
def test_it_is_controlled(at: At) -> None:
    page = at(still=True)
    view = page.locator("#depth")
    view.get_by_label("Layers", exact=True).fill("4")
    view.get_by_label("Units in each").fill("9")
    view.get_by_label("Scale of the weights", exact=True).fill("-0.5")
    view.get_by_role("button", name="tanh").click()
    view.get_by_role("button", name="Another draw").click()
    chosen = state(page)
    assert [chosen[name] for name in Drawn._fields] == [4, 9, "tanh", 0.316, 2]
    view.get_by_role("button", name="He: √2").click()
    assert state(page)["scale"] == 2**0.5
    choose(page, draw=2**32 - 1)
    view.get_by_role("button", name="Another draw").click()
    assert state(page)["draw"] == 0
    view.get_by_role("button", name="trained on digits").click()
    assert state(page)["digit"] == 0
    view.get_by_role("button", name="Another 9").click()
    assert state(page)["digit"] == 10
    expect(view.get_by_label("Layers", exact=True)).to_be_hidden()
    page.wait_for_function(
        "end => location.hash.endsWith(end)",
        arg="depth=4&units=9&act=tanh&scale=1.4142135623730951&draw=0&digit=10",
    )


#: Where numbers are small, large, all zero, or there is nothing to come back through.
ODD = (
    *("depth=12&units=64&act=sigmoid&scale=0.1", "depth=12&units=64&act=relu&scale=10"),
    *("depth=1&units=1", "depth=12&units=1&act=relu", "depth=12&units=1&act=sigmoid&scale=10"),
)


@pytest.mark.slow
@pytest.mark.parametrize("fragment", ODD)
def test_no_network_is_without_words(at: At, fragment: str) -> None:
    page = at(fragment, size=PHONE, still=True)
    into_view(page.locator("#depth .depths"))
    assert page.evaluate(NONSENSE, "#depth") == []
    assert words(page)
    assert axe(page, "#depth") == []
    assert page.evaluate("document.querySelector('#depth').scrollWidth <= innerWidth")
    assert ("Nothing comes back" in words(page)) == ("units=1&act=relu" in fragment)


@pytest.mark.slow
@pytest.mark.parametrize("fragment", ["", "digit=0"])
def test_a_wide_window_shows_all_of_it(at: At, fragment: str) -> None:
    page = at(fragment, size=(1920, 1080))
    bottom = "document.querySelector('#depth .cost').getBoundingClientRect().bottom"
    assert page.evaluate(f"{bottom} <= innerHeight")

"""The depth view against NumPy and JAX: draws, passes there and back, digits, costs, words."""

import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

import jax
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import autodiff.network
import manual.network
from compare.networks import files, flat
from compare.networks.prepared import split
from compare.networks.ranges import CANCELLING, STABLE, loss_ranges, step_ranges
from manual.activations import ACTIVATIONS
from manual.affine import (
    Layer,
    affine_backward_inputs,
    affine_backward_parameters,
    affine_forward,
)
from manual.network import Network
from study import digits
from tests.compare.networks.calls import compare
from tests.study.browser import PHONE, At, axe, choose, into_view, state
from tests.study.pictures import number
from tests.study.test_views import NONSENSE
from tests.study.trained import says

U = 2.0**-53
ACTS = ("sigmoid", "tanh", "relu")


VIEW = "depth"


class Drawn(NamedTuple):
    """What the page can draw; the fields are parts of its state."""

    depth: int
    units: int
    act: str
    scale: float = 1.0
    draw: int = 1

    @property
    def network(self) -> Network:
        return Network((self.units,) * (self.depth + 1), self.act, self.act, "mse")

    def point(self) -> tuple[list[Layer], np.ndarray, np.ndarray]:
        """Its parameters, input and target, by NumPy."""
        random, n = np.random.RandomState(self.draw), self.units
        x, y = random.normal(size=n), random.random_sample(n)
        draws = [random.normal(size=(n, n)) / np.sqrt(n) for _ in range(self.depth)]
        return [Layer(w * self.scale, np.zeros(n)) for w in draws], x, y

    def address(self) -> str:
        return "&".join(f"{name}={value}" for name, value in self._asdict().items())


#: Of every activation: narrow, wide and deep ones, weights far too small and far too large.
DRAWN = [
    *(Drawn(10, 32, act) for act in ACTS),
    *(Drawn(2, 64, act, 10.0, 7) for act in ACTS),
    *(Drawn(12, 5, act, 0.1, 2**32 - 1) for act in ACTS),
    *(Drawn(5, 17, act, 2.0**0.5, 3) for act in ACTS),
    Drawn(1, 1, "sigmoid", 4.0, 0),
]

_DRAWN = """
(drawn) => drawn.map((of) => {
  const { x, y, z, a, deltas, loss } = modules["model/deep.js"].drawnPass(of);
  const layers = new modules["mathematics/layers.js"].Draw(of.draw, of.units).layers(of.depth);
  return {
    x: [...x], y: [...y], w: layers.map(({ w }) => [...w]), loss,
    z: z.map((of) => [...of]), a: a.map((of) => [...of]), deltas: deltas.map((of) => [...of]),
  };
})
"""


def passes(page: Page) -> list[tuple[Drawn, dict[str, Any]]]:
    found = page.evaluate(_DRAWN, [drawn._asdict() for drawn in DRAWN])
    return list(zip(DRAWN, found, strict=True))


@pytest.mark.slow
def test_a_draw_is_numpys(at: At) -> None:
    """To 4 roundings a normal number, see test_mathematics.py, and one for each quotient."""
    for drawn, found in passes(at()):
        params, x, y = drawn.point()
        np.testing.assert_allclose(found["x"], x, rtol=4 * U, atol=0)
        assert found["y"] == y.tolist()
        for mine, (w, _) in zip(found["w"], params, strict=True):
            mine = np.array(mine) * drawn.scale
            np.testing.assert_allclose(mine, w.ravel(), rtol=6 * U, atol=0)


def by_autodiff(network: Network, params: list[Layer], x: Any, y: Any) -> tuple[float, list[Any]]:
    """The loss by JAX, and ∂L/∂z of each layer, which is ∂L/∂b with one example."""
    with jax.enable_x64(True):
        layers = [autodiff.network.Layer(*layer) for layer in params]
        of_params = jax.value_and_grad(lambda given: autodiff.network.loss(network, given, x, y))
        loss, grads = of_params(layers)
        return float(loss), [np.asarray(layer.b) for layer in grads]


def held(network: Network, params: list[Layer], x: Any, y: Any, found: dict[str, Any]) -> None:
    """Hold a pass of the page against the ranges of right programs, and both sides as well.

    Through many layers the ranges grow wide, so each step is held by itself, too.
    """
    x, y = np.array(x, float)[None], np.array(y, float)[None]
    stacked = [(w[None], b[None]) for w, b in params]
    steps = step_ranges(network, stacked, x[None], y[None])
    hand = [layer.b for layer in manual.network.gradient(network, params, x, y)]
    loss, by_jax = by_autodiff(network, params, x, y)
    losses = loss_ranges(network, stacked, x[None], y[None])
    assert np.all(losses.contains(np.array([found["loss"], loss])))
    for layer, back in enumerate(steps.by_form[STABLE]):
        for of, ranged in (("z", steps.z[layer]), ("a", steps.a[layer]), ("deltas", back.dz)):
            assert np.all(ranged.contains(np.array(found[of][layer]))), (of, layer)
        cancelling = steps.by_form[CANCELLING][layer].dz
        assert np.all(cancelling.contains(hand[layer]) & cancelling.contains(by_jax[layer]))
    step_by_step(network, params, x[0], found)


def step_by_step(network: Network, params: list[Layer], x: Any, found: dict[str, Any]) -> None:
    """Hold each layer's numbers against what NumPy makes of those that the page went on from.

    A sum of n products is off by at most n roundings of their sizes, an activation or its slope by
    8 of its own (two exponentials, a sum, two quotients, a product); NumPy's are off by as many.
    """
    a = [x, *map(np.array, found["a"])]
    z, deltas = [np.array(of) for of in found["z"]], [np.array(of) for of in found["deltas"]]
    for layer, ((w, b), name) in enumerate(zip(params, network.activations, strict=True)):
        n_in, n_out = w.shape
        sums, sizes = a[layer] @ w + b, abs(a[layer]) @ abs(w) + abs(b)
        assert np.all(abs(z[layer] - sums) <= 2 * (n_in + 1) * U * sizes)
        function = ACTIVATIONS[name]
        np.testing.assert_allclose(a[layer + 1], function.forward(z[layer])[0], rtol=16 * U, atol=0)
        if layer > 0:
            below = z[layer - 1]
            slope = ACTIVATIONS[network.activations[layer - 1]].backward(np.ones_like(below), below)
            back, sizes = (w @ deltas[layer]) * slope, (abs(w) @ abs(deltas[layer])) * slope
            assert np.all(abs(deltas[layer - 1] - back) <= 2 * (n_out + 9) * U * sizes)


@pytest.mark.slow
def test_a_pass_is_that_of_numpy_and_of_jax(at: At) -> None:
    """Every z, activation and ∂L/∂z lies where interval arithmetic says that a right one must."""
    for drawn, found in passes(at()):
        n = drawn.units
        params = [Layer(np.reshape(w, (n, n)) * drawn.scale, np.zeros(n)) for w in found["w"]]
        held(drawn.network, params, found["x"], found["y"], found)


@cache
def stored() -> dict[str, Any]:
    return digits.stored()


def images() -> np.ndarray:
    return np.array([image["pixels"] for image in stored()["images"]])


def test_the_stored_network_reads_what_the_page_says_it_reads() -> None:
    """Of the held-out images; those shown are the first of them that are right, and a wrong one."""
    from compare.built_in import built_in

    data = built_in("digits")
    rows = split(data.y, digits.TEST_FRACTION, digits.PLAN.seed)[1]
    read = digits.outputs(stored(), data.x[rows]).argmax(axis=1)
    assert (len(rows), int(np.sum(read == data.y[rows]))) == (stored()["tested"], stored()["right"])
    shown = digits.outputs(stored(), images()).argmax(axis=1).tolist()
    assert shown[:10] == list(range(10)) == [image["digit"] for image in stored()["images"][:10]]
    assert shown[10] != stored()["images"][10]["digit"]
    held_out = {tuple(row) for row in data.x[rows].astype(int).tolist()}
    assert {tuple(row) for row in images().tolist()} <= held_out


#: Half of the last decimal that is kept. Two programs that round differently end 3e-12 apart.
ROUNDED = 0.5 * 10**-digits.DECIMALS + 1e-9


@pytest.mark.slow
def test_the_stored_network_is_what_both_sides_train() -> None:
    trained = digits.trained()
    assert trained.keys() == stored().keys()
    for name, value in stored().items():
        if name in ("params", "mean", "sd"):
            # What is rounded may have been on either side of a tie.
            np.testing.assert_allclose(trained[name], value, rtol=0, atol=2 * ROUNDED)
        else:
            assert (tuple(value) if name == "sizes" else value) == trained[name], name


@pytest.mark.slow
def test_the_command_that_is_named_trains_it(tmp_path: Path) -> None:
    written = re.search(r"`python -m compare (train .*)`", Path(digits.__file__).read_text())
    assert written is not None
    out = tmp_path / "model.npz"
    assert compare(*written[1].split(), "--by", "hand", "--out", out).code == 0
    model = files.load(out)
    assert model.plan == digits.PLAN
    params = model.progress.points["by_hand"].params
    np.testing.assert_allclose(params, stored()["params"], rtol=0, atol=ROUNDED)


_DIGITS = """
() => {
  const { digits } = modules["main.js"].store.study;
  const passed = modules["model/deep.js"].digitsPasses(digits);
  return digits.images.map((_, at) => {
    const { x, y, z, a, deltas, loss } = passed(at);
    const listed = (layers) => layers.map((of) => [...of]);
    return { x: [...x], y: [...y], loss, z: listed(z), a: listed(a), deltas: listed(deltas) };
  });
}
"""


@pytest.mark.slow
def test_a_digits_pass_is_that_of_numpy_and_of_jax(at: At) -> None:
    params = digits.parameters(stored())
    assert flat.join(params).tolist() == stored()["params"]
    standardised = digits.standardised(stored(), images())
    for at_, found in enumerate(at().evaluate(_DIGITS)):
        assert found["x"] == standardised[at_].tolist()
        assert np.argmax(found["y"]) == stored()["images"][at_]["digit"]
        held(digits.PLAN.network, params, found["x"], found["y"], found)


class Counted(float):
    """A number that counts multiplications."""

    made = 0

    def __mul__(self, other: float) -> Self:
        Counted.made += 1
        return type(self)(float(self) * float(other))

    __rmul__ = __mul__

    def __add__(self, other: float) -> Self:
        return type(self)(float(self) + float(other))

    __radd__ = __add__


def multiplications(act: Callable[[], Any]) -> tuple[int, Any]:
    Counted.made = 0
    done = act()
    return Counted.made, done


def zeros(*shape: int) -> Any:
    return np.vectorize(Counted, otypes=[object])(np.zeros(shape))


@pytest.mark.slow
@pytest.mark.parametrize("fragment", ["depth=3&units=7", "depth=1&units=2", "digit=4"])
def test_what_it_costs_is_counted_on_the_hand_written_lines(at: At, fragment: str) -> None:
    page = at(fragment)
    sizes = stored()["sizes"] if "digit" in fragment else None
    if sizes is None:
        sizes = (state(page)["units"],) * (state(page)["depth"] + 1)
    there, caches, a = 0, [], zeros(1, sizes[0])
    for n_in, n_out in pairwise(sizes):
        layer = (zeros(n_in, n_out), zeros(n_out))
        count, (a, cache) = multiplications(lambda a=a, layer=layer: affine_forward(a, *layer))
        there += count
        caches.append(cache)
    back, da = 0, a
    for cache in reversed(caches):
        count, dz = multiplications(lambda da=da: da * zeros(*da.shape))  # by f'(z)
        back += count
        count, _ = multiplications(lambda dz=dz, of=cache: affine_backward_parameters(dz, of))
        back += count
        if cache is not caches[0]:
            count, da = multiplications(lambda dz=dz, of=cache: affine_backward_inputs(dz, of))
            back += count
    parameters = sum(n_out * (n_in + 1) for n_in, n_out in pairwise(sizes))
    cells = page.locator("#depth .cost td").all_inner_texts()[1:]
    assert cells == [
        *(f"{parameters + 1:,} forward", f"{(parameters + 1) * there:,}"),
        *("1 forward, 1 back", f"{there + back:,}"),
    ]
    ratio = (parameters + 1) * there / (there + back)
    expect(page.locator("#depth")).to_contain_text(f"Nudging costs {ratio:,.0f} times as much")


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
        found = page.evaluate(_DRAWN, [Drawn(5, 1, act, draw=draw)._asdict() for act in ACTS])
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

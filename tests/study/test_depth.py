"""The mathematics of the depth view against NumPy and JAX: draws, passes, digits, costs."""

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
from compare.prepared import split
from compare.reference import CANCELLING, STABLE, by_form, network_loss, network_loss_bounds
from compare.trees import join
from manual.activations import ACTIVATIONS
from manual.affine import (
    Layer,
    affine_backward_inputs,
    affine_backward_parameters,
    affine_forward,
)
from manual.network import Network
from study import digits
from tests.compare.calls import compare
from tests.study.browser import At, state

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

DRAW = """
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
    found = page.evaluate(DRAW, [drawn._asdict() for drawn in DRAWN])
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


@cache
def _passed(network: Network) -> Callable[..., dict[str, Any]]:
    """Bounds, by form, of every z and a, and of ∂L/∂z."""

    def passed(form: str, params: Any, x: Any, y: Any, zeros: list[Any]) -> Any:
        def run(moves: list[Any]) -> tuple[Any, dict[str, Any]]:
            seen = {}

            def see(name: str, value: Any) -> Any:
                seen[name] = value + moves[int(name[1:])] if name[0] == "z" else value
                return seen[name]

            return network_loss(network, params, x, y, see, form), seen

        deltas, seen = jax.grad(run, has_aux=True)(zeros)
        return seen | {f"deltas{layer}": delta for layer, delta in enumerate(deltas)}

    return by_form(passed)


def held(network: Network, params: list[Layer], x: Any, y: Any, found: dict[str, Any]) -> None:
    """Hold a pass of the page against the bounds of right programs, and both sides as well.

    Through many layers the bounds grow wide, so each step is held by itself, too.
    """
    x, y = np.array(x, float)[None], np.array(y, float)[None]
    zeros = [np.zeros((1, len(b))) for _, b in params]
    bounds = _passed(network)([tuple(layer) for layer in params], x, y, zeros)
    hand = [layer.b for layer in manual.network.gradient(network, params, x, y)]
    loss, by_jax = by_autodiff(network, params, x, y)
    assert np.all(network_loss_bounds(network, params, x, y).contains([found["loss"], loss]))
    for layer in range(len(params)):
        for of in ("z", "a", "deltas"):
            within = bounds[STABLE][f"{of}{layer}"]
            assert np.all(within.contains(np.array(found[of][layer]))), (of, layer)
        cancelling = bounds[CANCELLING][f"deltas{layer}"]
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
    """Every z, activation and ∂L/∂z lies within the bounds of a right one."""
    for drawn, found in passes(at())[::2]:
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
    from compare.data import built_in

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


@pytest.mark.night
@pytest.mark.slow
def test_the_stored_network_is_what_both_sides_train() -> None:
    """By hand it is what the command that is named trains, by day as well."""
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
    with np.load(out) as of:
        params = np.concatenate([of[f"{name}{k}"].ravel() for k in range(3) for name in "wb"])
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
    assert join(params, params).tolist() == stored()["params"]
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

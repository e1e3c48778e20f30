"""What is allowed contains every right gradient, and is no wider than it has to be."""

import math
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compare.sweep.links import leaky_relu, relu
from compare.sweep.replay import case
from compare.sweep.rounded import Charge, Rounded, exact, tail, total
from compare.sweep.settings import Settings
from compare.sweep.subject import APART
from handgrad import exact_gradient
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from manual.network import LINKS, Network
from tests.compare.sweep.blocks import Block, block, swept
from tests.tiers import one_of_each

import autodiff.article  # isort: skip
import autodiff.network  # isort: skip


def exactly(settings: Settings, number: int) -> np.ndarray:
    """The certified gradient at a case, in one vector, in 20 digits and more."""
    found = case(settings, number)
    params, x, y = jax.tree.map(
        lambda leaf: np.asarray(leaf, np.float64), (found.params, found.x, found.y)
    )
    network = settings.network

    def loss(params: Any, x: Any, y: Any) -> Any:
        if network is None:
            return autodiff.article.loss(params, x, y)
        return autodiff.network.loss(network, params, x, y)

    enclosures = jax.tree.leaves(exact_gradient(loss, params, x, y))
    return np.concatenate([np.ravel(np.asarray(e, object)) for e in enclosures])


def hold_to_the_truth(settings: Settings, found: Block, count: int) -> None:
    """Both gradients are within half of what is allowed: the worst cases, and some at random."""
    ratios = (np.abs(found.by_hand - found.autodiff) / found.allowed).max(axis=0)
    columns = [*np.argsort(ratios)[::-1][: count // 2], *range(0, ratios.size, 2048 // count)]
    for column in columns[:count]:
        exact = exactly(settings, int(found.cases[column]))
        for side in (found.by_hand, found.autodiff):
            for value, truth, most in zip(
                side[:, column], exact, found.allowed[:, column], strict=True
            ):
                assert abs(float(value) - float(truth)) <= most / APART * 1.0001, column


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_left_of_an_exponential(dtype: Any) -> None:
    """Up to the end of an interval that is nearer to 0; far from it no more than nothing."""
    z = np.outer(10.0 ** np.arange(-3, 4, 0.25), (1, -1)).ravel().astype(dtype)
    z, error = (grid.ravel() for grid in np.meshgrid(z, np.abs(z)))
    with jax.enable_x64(True):
        found = np.asarray(tail(Rounded(jnp.asarray(z), jnp.asarray(error)), jnp.exp(-abs(z))))
    assert found.dtype == dtype
    nearest = np.maximum(np.abs(z.astype(float)) - error, 0)
    tiny = float(np.finfo(dtype).tiny)
    # What is below the smallest normal number becomes 0, and is charged where it is used.
    assert (found + 2 * tiny >= np.exp(-nearest) * (1 - 1e-4)).all()
    far = (error > 1) & (nearest > -1.01 * math.log(tiny))
    assert far.sum() > 10
    assert found[far].max() <= 2 * tiny


def test_near_a_kink_either_slope_is_right() -> None:
    charge = Charge(2.0**-53, 0.0)
    for activation, below in ((relu, 0.0), (leaky_relu, 0.01)):
        with jax.enable_x64(True):
            z = Rounded(jnp.asarray([1e-17, -1e-17, 0, 1e-15, -1e-15]), jnp.full(5, 1e-16))
            slope = activation(z, charge).slope
        ends = [np.asarray(slope.value) + sign * np.asarray(slope.error) for sign in (-1, 1)]
        assert np.all(ends[0][:3] <= below + 1e-15)
        assert np.all(ends[1][:3] >= 1 - 1e-15)
        np.testing.assert_allclose(ends[0][3:], [1, below], rtol=0, atol=1e-15)
        np.testing.assert_allclose(ends[1][3:], [1, below], rtol=0, atol=1e-15)


def test_a_sum_is_off_by_its_rounding() -> None:
    """Two small numbers beside 1: what is lost of them in two roundings, the error has."""
    u = 2.0**-53
    for small in (0.9 * u, 1.9 * u, 2.9 * u):
        with jax.enable_x64(True):
            terms = [exact(jnp.asarray(a)) for a in (1.0, small, small)]
            found = total(terms, Charge(u, 0.0))
        lost = abs(Fraction(float(found.value)) - 1 - 2 * Fraction(small))
        assert 0 < lost <= float(found.error) < 20 * u


ARTICLE = {
    "float64": swept(),
    "float32": swept(dtype="float32"),
    "small": swept(weights="uniform:0.5", inputs="uniform:1"),
    "all sizes": swept(weights="spread:1e-4:1e2", inputs="spread:1e-3:1e3"),
    "all sizes, float32": swept(
        dtype="float32", weights="spread:1e-3:1e2", inputs="spread:0.01:1e2"
    ),
    "huge": swept(weights="uniform:1e12", inputs="uniform:1e12"),
    "cancelling": swept(form="article"),
}


@pytest.mark.parametrize("of", one_of_each(ARTICLE, ["small"]))
def test_of_the_article(of: str) -> None:
    settings = ARTICLE[of]
    found = block(settings, 3)
    assert found.tally.disagreements.sum() == 0
    assert found.tally.overflowed.sum() == 0
    hold_to_the_truth(settings, found, 16)


def test_it_is_no_wider_than_digits_are_lost() -> None:
    """Where no unit is saturated: some hundred ulps, more where the network is nearly right."""
    found = block(swept(weights="uniform:0.5", inputs="uniform:1"), 1)
    units = found.allowed / np.spacing(np.abs(found.by_hand))
    assert np.median(units, axis=1).max() < 2**8
    assert (found.allowed / np.abs(found.by_hand)).max() < 2.0**-32


MORE = [
    (Network((3, 2, 2), "tanh", loss="softmax-ce", l2=0.1), "float64"),
    (Network((2, 3, 1), "softplus", "sigmoid"), "float32"),
    (Network((2, 2, 2, 1), "relu", loss="huber"), "float64"),
    (Network((2, 3, 1), "gelu", loss="bce"), "float64"),
]
DTYPES = ("float64", "float32")
#: Each activation and each loss in both formats, whose bounds are the same lines.
ALL = [
    (Network((2, 3, 2), activation, loss=loss, l2=0.01), DTYPES[(i + k) % 2])
    for i, activation in enumerate(ACTIVATIONS)
    for k, loss in enumerate(LOSSES)
] + [
    (Network((3, 2, 2), "leaky-relu", output), DTYPES[k % 2])
    for k, output in enumerate(ACTIVATIONS)
]


def title(value: Any) -> str:
    return "-".join([*value.activations, value.loss]) if isinstance(value, Network) else str(value)


def hold_network(network: Network, dtype: str, weights: str, inputs: str, count: int) -> None:
    settings = swept(network, 2, dtype, weights, inputs)
    found = block(settings, 2)
    assert found.tally.disagreements.sum() == 0
    assert found.tally.overflowed.sum() == 0
    hold_to_the_truth(settings, found, count)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "dtype"), MORE, ids=title)
def test_of_networks(network: Network, dtype: str) -> None:
    hold_network(network, dtype, "uniform:2", "uniform:3", 3)


SCALES = ("uniform:1", "uniform:5", "spread:1e-3:30")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "dtype", "scale"),
    [(*pair, SCALES[k % len(SCALES)]) for k, pair in enumerate(ALL)],
    ids=title,
)
def test_of_all_networks(network: Network, dtype: str, scale: str) -> None:
    """One scale after the other, whose number is prime to those of losses and formats."""
    hold_network(network, dtype, scale, scale, 4)


def test_losses_on_logits_are_in_both_lists() -> None:
    """So that the slow test has targets that they make something of."""
    assert set(LINKS) < set(LOSSES)

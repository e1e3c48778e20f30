"""What is allowed contains every right gradient, and is no wider than it has to be."""

import math
from fractions import Fraction
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from compare.networks.functions import _tail, leaky_relu_in_the_middle, relu_in_the_middle
from compare.rounding import Range, added
from compare.sweep.replay import case
from compare.sweep.settings import Settings
from compare.sweep.subject import APART
from handgrad import exact_gradient
from manual.activations import ACTIVATIONS
from manual.network import Network
from tests.compare.sweep.blocks import block, swept
from tests.tiers import one_of_each

import autodiff.article  # isort: skip
import autodiff.network  # isort: skip


@cache
def loss_of(network: Network | None) -> Any:
    loss = partial(autodiff.network.loss, network) if network else autodiff.article.loss
    return jax.jit(loss)


def exactly(settings: Settings, number: int) -> np.ndarray:
    """The certified gradient at a case, in one vector, in 20 digits and more."""
    found = case(settings, number)
    point = jax.tree.map(
        lambda leaf: np.asarray(leaf, np.float64), (found.params, found.x, found.y)
    )
    enclosures = jax.tree.leaves(exact_gradient(loss_of(settings.network), *point))
    return np.concatenate([np.ravel(np.asarray(e, object)) for e in enclosures])


def hold_to_the_truth(settings: Settings, number: int, count: int) -> None:
    """Both gradients are within half of what is allowed: the worst cases, and some at random."""
    found = block(settings, number)
    ratios = (np.abs(found.by_hand - found.autodiff) / found.allowed).max(axis=0)
    assert np.isfinite(found.allowed).all()
    assert np.all(ratios <= 1)
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
        found = np.asarray(_tail(Range(jnp.asarray(z), jnp.asarray(error)), jnp.exp(-abs(z))))
    assert found.dtype == dtype
    nearest = np.maximum(np.abs(z.astype(float)) - error, 0)
    tiny = float(np.finfo(dtype).tiny)
    # What is below the smallest normal number becomes 0, and is charged where it is used.
    assert (found + 2 * tiny >= np.exp(-nearest) * (1 - 1e-4)).all()
    far = (error > 1) & (nearest > -1.01 * math.log(tiny))
    assert far.sum() > 10
    assert found[far].max() <= 2 * tiny


def test_near_a_kink_either_slope_is_right() -> None:
    for activation, below in ((relu_in_the_middle, 0.0), (leaky_relu_in_the_middle, 0.01)):
        z = Range(np.array([1e-17, -1e-17, 0, 1e-15, -1e-15]), np.full(5, 1e-16))
        slope = activation(z).slope
        ends = slope.lo, slope.hi
        assert np.all(ends[0][:3] <= below + 1e-15)
        assert np.all(ends[1][:3] >= 1 - 1e-15)
        np.testing.assert_allclose(ends[0][3:], [1, below], rtol=0, atol=1e-15)
        np.testing.assert_allclose(ends[1][3:], [1, below], rtol=0, atol=1e-15)


def test_a_sum_is_off_by_its_rounding() -> None:
    """Two small numbers beside 1: what is lost of them in two roundings, the error has."""
    u = 2.0**-53
    for small in (0.9 * u, 1.9 * u, 2.9 * u):
        found = added(*map(Range, (1.0, small, small)))
        lost = abs(Fraction(found.middle) - 1 - 2 * Fraction(small))
        assert 0 < lost <= found.radius < 20 * u


ARTICLE = {
    "float32": swept(dtype="float32"),
    "small": swept(weights="uniform:0.5", inputs="uniform:1"),
    "all sizes, float32": swept(
        dtype="float32", weights="spread:1e-3:1e2", inputs="spread:0.01:1e2"
    ),
    "huge": swept(weights="uniform:1e12", inputs="uniform:1e12"),
    "cancelling": swept(form="article"),
}


@pytest.mark.slow
@pytest.mark.parametrize("of", one_of_each(ARTICLE, ["small"]))
def test_of_the_article(of: str) -> None:
    hold_to_the_truth(ARTICLE[of], 3, 10)


@pytest.mark.slow
def test_it_is_no_wider_than_digits_are_lost() -> None:
    """Where no unit is saturated: some hundred ulps, more where the network is nearly right."""
    found = block(ARTICLE["small"], 1)
    units = found.allowed / np.spacing(np.abs(found.by_hand))
    assert np.median(units, axis=1).max() < 2**8
    assert (found.allowed / np.abs(found.by_hand)).max() < 2.0**-32


NAMES = list(ACTIVATIONS)
SIZES, SCALES = ((2, 2, 1), (2, 2, 2, 1)), ("uniform:1", "uniform:5", "spread:1e-3:30")
OUTPUTS = ("mse", "huber")
#: Each activation hidden in one format and as the output in the other, and each loss.
NETWORKS = [
    (Network(SIZES[k % 2], hidden, NAMES[k - 1], OUTPUTS[k // 2 % 2], 0.01), k % 2)
    for k, hidden in enumerate(NAMES)
] + [
    (Network((3, 2, 2), hidden, loss=loss, l2=0.1), single)
    for hidden, loss, single in (("sigmoid", "softmax-ce", 1), ("gelu", "bce", 0))
]


def title(value: Any) -> str:
    return "-".join([*value.activations, value.loss]) if isinstance(value, Network) else str(value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "single", "scale"),
    [(*pair, SCALES[k % len(SCALES)]) for k, pair in enumerate(NETWORKS)],
    ids=title,
)
def test_of_networks(network: Network, single: int, scale: str) -> None:
    """One scale after the other, whose number is prime to those of losses and formats."""
    dtype = ("float64", "float32")[single]
    hold_to_the_truth(swept(network, 2, dtype, scale, scale), 2, 4)

"""The general network by hand: it is right everywhere, mutates nothing, keeps no spare cache."""

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

import autodiff.network
import manual.article
import manual.network
from handgrad import check_gradient
from manual.affine import Layer
from manual.network import Network
from tests.network_strategies import Described, described, draw_point
from tests.strategies import drawn_points

#: Every activation, every loss, one layer to five, one example and several.
NETWORKS = described(12)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(len(NETWORKS)), ids=lambda at: str(NETWORKS[at]))
def test_the_judge_agrees(at: int) -> None:
    of, dtype = NETWORKS[at], (np.float64, np.float64, np.float32)[at % 3]
    loss = partial(autodiff.network.loss, of.network)
    by_hand = partial(manual.network.gradient, of.network)
    report = check_gradient(by_hand, loss, *draw_point(of, at, dtype=dtype), points=0)
    assert report.verdict == "agree", str(report)


def test_structure_shapes_and_dtypes_are_those_of_jax() -> None:
    for of, dtype in zip(NETWORKS[:7], [np.float64, np.float32] * 4, strict=False):
        params, x, y = draw_point(of, 1, dtype=dtype)
        loss, grads = manual.network.value_and_gradient(of.network, params, x, y)
        with jax.enable_x64(True):
            both = jax.value_and_grad(partial(autodiff.network.loss, of.network))
            other, theirs = jax.eval_shape(both, params, x, y)
        assert jax.tree.structure(grads) == jax.tree.structure(theirs)
        assert (np.shape(loss), loss.dtype) == (other.shape, other.dtype) == ((), dtype)
        for mine, its in zip(jax.tree.leaves(grads), jax.tree.leaves(theirs), strict=True):
            assert (type(mine), mine.shape, mine.dtype) == (np.ndarray, its.shape, its.dtype)


def test_the_loss_has_the_squares_of_all_weights_and_of_no_bias() -> None:
    layers = [Layer(np.full((3, 2), 0.5), np.ones(2)), Layer(np.full((2, 1), -2.0), np.ones(1))]
    x, y = np.ones((5, 3)), np.zeros((5, 1))
    with_l2, without = (
        manual.network.loss(Network((3, 2, 1), "tanh", l2=l2), layers, x, y) for l2 in (0.25, 0.0)
    )
    assert with_l2 == without + 0.25 * (6 * 0.25 + 2 * 4)


def test_it_is_the_articles_network() -> None:
    """Bits may differ: the matrix product may fuse w*x with the sum, and products of the chain are
    taken from the loss down, ((r σ') w5) σ', where the article multiplies factor by factor.
    """
    for seed in range(64):
        params, (x,), (y,) = drawn_points(1, seed, scale=0.3)
        w1, w2, w3, w4, w5, w6, b1, b2, b3 = (part[0] for part in params)
        layers = [
            Layer(np.array([[w1, w3], [w2, w4]]), np.array([b1, b2])),
            Layer(np.array([[w5], [w6]]), np.array([b3])),
        ]
        network = Network((2, 2, 1), output="sigmoid")
        (w, b), (v, c) = manual.network.gradient(network, layers, x[None], np.array([[y]]))
        found = (w[0, 0], w[1, 0], w[0, 1], w[1, 1], *v[:, 0], *b, *c)
        expected = manual.article.gradient(manual.article.Parameters(*np.ravel(params)), x, y)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("of", NETWORKS[:7], ids=str)
def test_nothing_is_written_to(of: Described) -> None:
    point = draw_point(of, 2)
    for array in jax.tree.leaves(point):
        array.flags.writeable = False
    _, cache = manual.network.forward(of.network, *point)
    kept = jax.tree.leaves(cache)
    before = bits(cache)
    first, second = (manual.network.backward(of.network, cache) for _ in range(2))
    assert bits(cache) == before
    assert bits(first) == bits(second)
    for leaf in jax.tree.leaves(first):
        assert not any(np.shares_memory(leaf, array) for array in kept)


@pytest.mark.parametrize("of", NETWORKS, ids=str)
def test_the_cache_holds_what_is_read_and_is_linear_in_depth(of: Described) -> None:
    """A NaN in place of any of its arrays reaches some derivative.

    A rectifier counts NaN as not above 0; of several examples some had its units open.
    """
    _, cache = manual.network.forward(of.network, *draw_point(of._replace(n=17), 3))
    right = bits(manual.network.backward(of.network, cache))
    leaves, tree = jax.tree.flatten(cache)
    assert len(leaves) <= 3 * (len(of.network.sizes) - 1) + 2
    unread = []
    for at, array in enumerate(leaves):
        spoilt = [np.full_like(array, np.nan) if i == at else leaf for i, leaf in enumerate(leaves)]
        grads = manual.network.backward(of.network, jax.tree.unflatten(tree, spoilt))
        if bits(grads) == right:
            unread.append(at)
    # The first layer's weights are kept beside its inputs; only a penalty needs them.
    assert unread == ([] if of.network.l2 else [1])


def bits(tree: Any) -> list[bytes]:
    return [leaf.tobytes() for leaf in jax.tree.leaves(tree)]

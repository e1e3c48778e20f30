"""The general network by hand: right everywhere, and nothing but what it says."""

from functools import partial
from typing import Any
from unittest.mock import patch

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autodiff.network
import manual.article
import manual.network
from compare.networks.plan import FORMATS
from compare.networks.ranges import STABLE, gradient_ranges
from handgrad import check_gradient
from handgrad.report import GradientReport
from manual.activations import ACTIVATIONS, sigmoid
from manual.affine import Layer
from manual.losses import LOSSES
from manual.network import Cache, Network
from tests.equivalence import disagreements
from tests.network_strategies import (
    SCALES,
    Described,
    Point,
    described,
    draw_point,
    drawn_shapes,
    networks,
    points,
)
from tests.tiers import one_of_each, slowly

#: Every activation, every loss, one layer to five.
NETWORKS = described(20)
#: Every activation with every loss, once.
MORE = [
    *{
        (of.network.activation, of.network.loss): of
        for of in described(84, seed=1, shapes=drawn_shapes(25, seed=1))
    }.values()
]

#: In the quick tests: a network for each kind of point, so that none is compiled for one point.
QUICK = {kind: NETWORKS[at] for kind, at in zip(SCALES, (9, 1, 2, 18), strict=True)}


def ruling_on(of: Described, point: Point, **options: Any) -> GradientReport:
    loss = partial(autodiff.network.loss, of.network)
    return check_gradient(
        partial(manual.network.gradient, of.network), loss, *point, points=0, **options
    )


def is_right(of: Described, point: Point, report: GradientReport) -> bool:
    """Whether every element is right, or has lost digits in a sum whose terms cancel.

    Where units are saturated, residuals clipped, or parameters so small that all outputs are alike,
    the terms of a sum over examples or units are near 1 and do not move with the parameters, so
    that their rounding is all that is left where they cancel. No order of summation can help it.
    What is forgiven is bounded by the ranges of a program that keeps its digits everywhere else: a
    form that cancels by itself, as σ(z) - y does, leaves them.
    """
    if report.verdict in ("imprecise", "undecidable"):
        kinds = {finding.kind for finding in report.findings}
        return kinds == {"rounding"} and keeps_its_digits(of.network, LOSSES, point)
    return report.verdict == "agree" and report.blame != "both"


def keeps_its_digits(network: Network, losses: Any, point: Point) -> bool:
    """Whether the gradient, with these pairs of losses, lies where a stable program's would."""
    floats = FORMATS[point.x.dtype.name]
    params = [(w[None], b[None]) for w, b in point.params]
    ranges = gradient_ranges(network, params, point.x[None], point.y[None], floats)[STABLE]
    with patch.object(manual.network, "LOSSES", losses), np.errstate(over="ignore"):
        grads = manual.network.gradient(network, *point)
    return all(
        bool(np.all(inside.contains(found)))
        for found_ones, ones in zip(grads, ranges, strict=True)
        for found, inside in zip(found_ones, ones, strict=True)
    )


def test_a_form_that_cancels_is_not_forgiven() -> None:
    """σ(z) - y loses its digits where y is 1 and z large; autodiff's would be excused with it."""
    net = Network((3, 1), loss="bce")
    right = Layer(np.array([[30.0], [0.0], [0.0]]), np.zeros(1))
    point = Point([right], np.array([[1.0, 0.5, -0.5]]), np.array([[1.0]]))
    cancelling = LOSSES["bce"]._replace(
        backward=lambda dloss, cache: dloss / len(cache.z) * (sigmoid(cache.z) - cache.y)
    )
    assert keeps_its_digits(net, LOSSES, point)
    assert not keeps_its_digits(net, LOSSES | {"bce": cancelling}, point)


def hold_to_the_judge(of: Described, point: Point) -> None:
    report = ruling_on(of, point)
    assert is_right(of, point, report), str(report)


@pytest.mark.slow
@pytest.mark.parametrize("soft", [False, slowly(True)])
@pytest.mark.parametrize("kind", one_of_each(list(SCALES), ["saturating"]))
def test_the_judge_agrees(kind: str, soft: bool) -> None:
    hold_to_the_judge(QUICK[kind], draw_point(QUICK[kind], 3, kind, soft))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of", "dtype"),
    [*((of, np.float32) for of in NETWORKS[:10]), *((of, np.float64) for of in MORE)],
    ids=str,
)
def test_the_judge_agrees_everywhere(of: Described, dtype: Any) -> None:
    """Every make of network, at a point of every kind; at ordinary ones nothing is forgiven."""
    for seed, kind in enumerate(SCALES):
        point = draw_point(of, seed, kind, soft=seed % 2 == 1, dtype=dtype)
        report = ruling_on(of, point)
        is_agreed = report.verdict == "agree"
        assert is_agreed if kind == "ordinary" else is_right(of, point, report), str(report)


@pytest.mark.slow
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), networks(), st.sampled_from([np.float64, np.float32]))
def test_the_judge_agrees_wherever_hypothesis_looks(
    data: st.DataObject, of: Described, dtype: Any
) -> None:
    """Shapes, depths, makes and points are all drawn.

    Few, as each compiles some hundred operations of its shapes, and forty networks are in lists.
    """
    hold_to_the_judge(of, data.draw(points(of, dtype)))


def test_what_is_asked_about() -> None:
    """The slow tests ask about every make and depth, and about one example and more."""
    makes = {(of.network.activation, of.network.loss) for of in MORE}
    assert makes == {(name, loss) for name in ACTIVATIONS for loss in LOSSES}
    assert {len(of.network.sizes) - 1 for of in MORE} == {1, 2, 3, 4, 5}
    assert {of.n == 1 for of in MORE} == {True, False}


@pytest.mark.parametrize("dtype", [np.float64, slowly(np.float32)])
def test_structure_shapes_and_dtypes_are_those_of_jax(dtype: Any) -> None:
    for of in NETWORKS[:7]:
        params, x, y = draw_point(of, 1, dtype=dtype)
        loss, grads = manual.network.value_and_gradient(of.network, params, x, y)
        with jax.enable_x64(True):
            both = jax.value_and_grad(partial(autodiff.network.loss, of.network))
            other, theirs = jax.eval_shape(both, params, x, y)
        assert jax.tree.structure(grads) == jax.tree.structure(theirs)
        assert (np.shape(loss), loss.dtype) == (other.shape, other.dtype) == ((), dtype)
        for mine, its in zip(jax.tree.leaves(grads), jax.tree.leaves(theirs), strict=True):
            assert (type(mine), mine.shape, mine.dtype) == (np.ndarray, its.shape, its.dtype)


ARTICLE = Network((2, 2, 1), output="sigmoid")


def as_layers(params: manual.article.Parameters) -> list[Layer]:
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    hidden = Layer(np.array([[w1, w3], [w2, w4]]), np.array([b1, b2]))
    return [hidden, Layer(np.array([[w5], [w6]]), np.array([b3]))]


def as_parameters(layers: list[Layer]) -> manual.article.Parameters:
    (w, b), (v, c) = layers
    named = (w[0, 0], w[1, 0], w[0, 1], w[1, 1], v[0, 0], v[1, 0], b[0], b[1], c[0])
    return manual.article.Parameters(*named)


def in_the_articles_form(params: Any, x: Any, y: Any) -> manual.article.Parameters:
    samples = []
    for k in range(len(y)):
        layers = as_layers(manual.article.Parameters(*(part[k] for part in params)))
        grads = manual.network.gradient(ARTICLE, layers, x[k : k + 1], y[k : k + 1, None])
        samples.append(as_parameters(grads))
    return manual.article.Parameters(*np.transpose(samples))


def test_it_is_the_articles_network() -> None:
    """In the ranges that every right program of the article's gradient must answer in.

    Bits may differ: the matrix product may fuse w*x with the sum, and the products of the chain are
    taken from the loss down, ((r σ') w5) σ', where the article multiplies factor by factor.
    """
    assert disagreements(in_the_articles_form) == {}


@settings(max_examples=100)
@given(st.lists(st.integers(-24, 24), min_size=12, max_size=12))
def test_without_rounding_before_the_output_it_is_the_article_to_a_few_bits(
    eighths: list[int],
) -> None:
    """Multiples of 1/8 make z1 and z2 exact, and w5 = b3 = 0 makes z3 one product.

    So r, σ' and h have the same bits in both; each derivative is then five products at most in
    either, in another order: ten roundings, each of at most one ulp of the result.
    """
    numbers = np.array(eighths) / 8
    params = manual.article.Parameters(*numbers[:9])._replace(w5=np.float64(0), b3=np.float64(0))
    x, y = numbers[9:11], numbers[11]
    layers = as_layers(params)
    loss, grads = manual.network.value_and_gradient(ARTICLE, layers, x[None], np.array([[y]]))
    assert loss == manual.article.loss(params, x, y)
    expected = np.array(manual.article.gradient(params, x, y))
    gap = np.abs(np.array(as_parameters(grads)) - expected)
    assert (gap <= 10 * np.spacing(np.abs(expected))).all()


@pytest.mark.parametrize("of", NETWORKS[:12], ids=str)
def test_nothing_is_written_to(of: Described) -> None:
    point = draw_point(of, 2)
    for array in jax.tree.leaves(point):
        array.flags.writeable = False
    _, cache = manual.network.forward(of.network, *point)
    before = [array.copy() for array in arrays_of(cache)]
    first = manual.network.backward(of.network, cache)
    second = manual.network.backward(of.network, cache)
    for array, copy in zip(arrays_of(cache), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        assert one.tobytes() == other.tobytes()
        assert not any(np.shares_memory(one, array) for array in arrays_of(cache))


def arrays_of(cache: Cache) -> list[np.ndarray]:
    return jax.tree.leaves(cache)


@pytest.mark.parametrize("of", NETWORKS, ids=str)
def test_the_cache_holds_what_is_read_and_is_linear_in_depth(of: Described) -> None:
    """Another value in place of any of its arrays reaches some derivative.

    NaN is that value: a rectifier asks whether it is above 0, which it is not, so it is held shut.
    Several examples, so that some of its units were open.
    """
    point = draw_point(of._replace(n=17), 3)
    _, cache = manual.network.forward(of.network, *point)
    right = bits(manual.network.backward(of.network, cache))
    leaves, tree = jax.tree.flatten(cache)
    assert len(leaves) <= 3 * (len(of.network.sizes) - 1) + 2
    unread = []
    for at, array in enumerate(leaves):
        spoilt = [np.full_like(array, np.nan) if i == at else leaf for i, leaf in enumerate(leaves)]
        grads = manual.network.backward(of.network, jax.tree.unflatten(tree, spoilt))
        if bits(grads) == right:
            unread.append(at)
    # The first layer's weights are kept beside its inputs; without decay nobody asks for them.
    assert unread == ([] if of.network.l2 else [1])


def bits(grads: list[Layer]) -> list[bytes]:
    return [leaf.tobytes() for leaf in jax.tree.leaves(grads)]


def test_the_kinds_of_points_are_the_ones_they_say() -> None:
    """Saturated units do lose their slope, tiny weights do fall below the smallest root."""
    of = NETWORKS[0]
    seen = {kind: draw_point(of, 4, kind) for kind in SCALES}
    z = seen["saturating"].x @ seen["saturating"].params[0].w
    assert np.abs(z).max() > 40
    assert np.abs(seen["tiny"].params[0].w).max() < 1e-100
    assert {name for of in NETWORKS for name in of.network.activations} == set(ACTIVATIONS)

"""The bounds of gradients and of updates: right answers lie within them, wrong ones do not."""

import functools
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

import autodiff.network
import manual.network
from compare.lockstep import ByAutodiff, Program
from compare.lockstep import Point as Before
from compare.reference import (
    CANCELLING,
    STABLE,
    flattened,
    network_gradient,
    network_loss_bounds,
    update_bounds,
)
from handgrad import exact_gradient
from handgrad.tolerance.rounding import Bounded
from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.losses import LOSSES
from manual.network import LINKS, Network
from manual.optimisers import OPTIMISERS, State
from models.edits import edited
from tests.network_strategies import SCALES, SHAPES, Described, Point, draw_point
from tests.tiers import one_of_each

DTYPES = ("float64", "float32")


def joined(layers: Any) -> Any:
    """All parameters side by side."""
    return np.concatenate([np.ravel(array) for layer in layers for array in layer])


def networks() -> Iterator[Described]:
    """Every activation with every loss; shapes, outputs and penalties in turn."""
    for at, (activation, loss) in enumerate(product(ACTIVATIONS, LOSSES)):
        sizes, rows = SHAPES[at % len(SHAPES)]
        output = "identity" if loss in LINKS else list(ACTIVATIONS)[at // 3 % len(ACTIVATIONS)]
        yield Described(Network(sizes, activation, output, loss, (0.0, 0.01)[at % 2]), rows)


NETWORKS = {str(of): of for of in networks()}


def ranges_at(network: Network, point: Point) -> dict[str, Bounded]:
    params, x, y = point
    stacked = [(w[None], b[None]) for w, b in params]
    found = network_gradient(network, stacked, x[None], y[None])
    flat_ones = {form: flattened(layers, params) for form, layers in found.items()}
    return {form: Bounded(of.value[0], of.error[0]) for form, of in flat_ones.items()}


def by_hand(network: Network, point: Point) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return joined(manual.network.gradient(network, *point))


def by_autodiff(network: Network, point: Point) -> np.ndarray:
    with jax.enable_x64(True):
        params, x, y = jax.tree.map(jax.numpy.asarray, point)
        params = [autodiff.network.Layer(*layer) for layer in params]
        grads = _compiled(network)(params, x, y)
        assert grads[0].w.dtype == point[1].dtype
        return joined(jax.device_get(grads))


@functools.cache
def _compiled(network: Network) -> Any:
    return jax.jit(jax.grad(functools.partial(autodiff.network.loss, network)))


def check(network: Network, point: Point) -> None:
    """Both sides, and the loss, are in the ranges."""
    ranges = ranges_at(network, point)
    hand, auto = by_hand(network, point), by_autodiff(network, point)
    assert np.all(np.isfinite(hand))
    params, x, y = point
    loss = network_loss_bounds(network, params, x, y)
    assert np.all(loss.contains(manual.network.loss(network, params, x, y)))
    for form, grads in ((STABLE, hand), (CANCELLING, auto), (CANCELLING, hand)):
        # At a kink, as where float32 makes 0 of all weights, the judge would rule.
        inside = ranges[form].contains(grads) | ~np.isfinite(ranges[form].error)
        assert np.all(inside), (form, int(np.argmin(inside)))


@pytest.mark.parametrize("name", one_of_each(NETWORKS, list(NETWORKS)[:12:11]))
def test_both_sides_are_inside(name: str) -> None:
    """Each kind of point, activation and loss, in one dtype after the other."""
    dtype = DTYPES[list(NETWORKS).index(name) % 2]
    for kind, seed in product(SCALES, range(4)):  # a few dozen elements each
        check(NETWORKS[name].network, draw_point(NETWORKS[name], seed, kind, dtype=dtype))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", one_of_each(DTYPES, ["float32"]))
def test_small_residuals_of_huber(dtype: str) -> None:
    """optax's derivative of it cancels: (|r| - 1) + 1."""
    of = Described(Network((2, 1), loss="huber"), 1)
    for seed in range(200):
        params, x, y = draw_point(of, seed, "tiny", dtype=dtype)
        check(of.network, Point(params, x, (1e-3 * y).astype(dtype)))


def inside_exactly(network: Network, point: Point) -> None:
    """The exact gradient meets the range, rounded as a witness would round it at best."""
    params, x, y = point
    layers = [autodiff.network.Layer(w, b) for w, b in params]
    loss = functools.partial(autodiff.network.loss, network)
    exact = exact_gradient(loss, layers, x, y)
    truth = joined([(np.vectorize(float)(w), np.vectorize(float)(b)) for w, b in exact])
    for form, found in ranges_at(network, point).items():
        inside = found.contains(truth)
        assert np.all(inside), (form, int(np.argmin(inside)))


SMALL = [
    Described(Network((2, 3, 2), "sigmoid", loss="softmax-ce"), 3),
    Described(Network((3, 2, 1), "tanh", loss="bce", l2=0.1), 2),
    Described(Network((2, 3, 1), "gelu", "softplus"), 3),
    Described(Network((3, 2, 2), "leaky-relu", "sigmoid", "huber"), 5),
]


@pytest.mark.parametrize("kind", one_of_each(SCALES, ["ordinary"]))
@pytest.mark.parametrize("of", one_of_each(SMALL, [SMALL[1]]), ids=str)
def test_the_exact_gradient_is_inside(of: Described, kind: str) -> None:
    with jax.numpy_dtype_promotion("strict"):
        inside_exactly(of.network, draw_point(of, 1, kind))


# Wrong gradients.

WITH_ROWS = [of for of in NETWORKS.values() if of.n > 1]


def outside(network: Network, point: Point, wrong: np.ndarray) -> Any:
    """Where a gradient is outside either range."""
    ranges = ranges_at(network, point)
    return ~ranges[STABLE].contains(wrong), ~ranges[CANCELLING].contains(wrong)


@pytest.mark.parametrize("of", one_of_each(WITH_ROWS, WITH_ROWS[:6:5]), ids=str)
def test_wrong_gradients_are_outside(of: Described) -> None:
    """Off by one millionth, of the wrong sign, without 1/n, in each element that is not 0.

    Where nothing saturates, so that derivatives are of ordinary size.
    """
    params, x, y = draw_point(of, WITH_ROWS.index(of))
    point = Point([Layer(w / len(w), b / 2) for w, b in params], x, y)
    right = by_hand(of.network, point)
    nonzero = np.abs(right) > 1e-6 * np.abs(right).max()
    assert nonzero.sum() > 3
    for factor in (1 + 1e-6, 1 - 1e-6, -1, of.n, 1 / of.n):
        for where in outside(of.network, point, factor * right):
            assert np.all(where[nonzero])
    for number in (np.nan, np.inf):
        for where in outside(of.network, point, np.full_like(right, number)):
            assert np.all(where)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_zero_at_a_saturated_unit_is_outside_by_hand_only(activation: str) -> None:
    """The hand lines keep a derivative of 1e-20 that autodiff loses: both are right."""
    network = Network((2, 1, 1), activation)
    big = 45.0 if activation == "sigmoid" else 22.0
    params = [Layer(np.array([[big], [0.5]]), np.zeros(1)), Layer(np.ones((1, 1)), np.zeros(1))]
    point = Point(params, np.array([[1.0, 0.1]]), np.zeros((1, 1)))
    right = by_hand(network, point)
    assert 0 < right[0] < 1e-15
    zeroed = right.copy()
    zeroed[0] = 0.0
    by_form = outside(network, point, zeroed)
    assert by_form[0][0]
    assert not by_form[1].any()
    check(network, point)


# Updates.

P = 60


def _before(optimiser: str, dtype: str, counts: np.ndarray, scale: float, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    n = len(counts)
    params = rng.standard_normal((n, P))
    moments = scale * rng.standard_normal((n, {"sgd": 0, "momentum": 1, "adam": 2}[optimiser], P))
    grads = scale * rng.standard_normal((n, P))
    grads[:, :3] = 0
    if optimiser == "adam":
        moments[:, 1] = scale * moments[:, 1] ** 2 / max(scale, 1e-300)
        moments[counts == 0] = 0
        moments[:, :, :2] = 0  # of parameters that never had a derivative
    before = Before(params.astype(dtype), moments.astype(dtype), counts)
    return before, grads.astype(dtype)


class Updated(NamedTuple):
    params: Bounded
    moments: list[Bounded]


def _ranges(
    optimiser: str, rate: float, before: Before, grads: np.ndarray, error: Any = 0
) -> Updated:
    bounds = Bounded(grads, np.full_like(grads, error))
    params, *moments = update_bounds(optimiser, rate, before, bounds)
    return Updated(params, moments)


def _by_hand(optimiser: str, rate: float, before: Before, grads: np.ndarray, *slip: Any) -> Any:
    """With a slip in the lines, if any: edits of them."""
    made = edited(OPTIMISERS[optimiser], *slip)(rate)
    after = [
        made.update(params, grad, State(int(count), tuple(moments)))
        for params, moments, count, grad in zip(*before, grads, strict=True)
    ]
    moments = np.array([state.moments for _, state in after], grads.dtype)
    return np.stack([params for params, _ in after]), moments


def _by_optax(optimiser: str, rate: float, before: Before, grads: np.ndarray) -> Any:
    def loss(params: Any, grad: Any, _: Any) -> Any:
        return jax.numpy.sum(jax.numpy.concatenate(params) * grad)

    program = Program(loss, loss, loss, loss, [grads[0, :1], grads[0, 1:]])
    side = ByAutodiff(program, optimiser, rate, grads, grads)
    after = side.steps(before, np.arange(len(grads))).after
    return after.params, after.moments


COUNTS = np.array([0, 1, 2, 9, 100, 3_000, 1_000_000])
SIZES = {"float64": (1.0, 1e-9, 1e-100, 1e-200, 1e6), "float32": (1.0, 1e-6, 1e-15, 1e-25, 1e4)}


@pytest.mark.parametrize("dtype", one_of_each(DTYPES, ["float64"]))
@pytest.mark.parametrize("optimiser", one_of_each(OPTIMISERS, ["momentum", "adam"]))
@pytest.mark.parametrize("side", [_by_hand, _by_optax], ids=["hand", "optax"])
def test_right_updates_are_inside(side: Any, optimiser: str, dtype: str) -> None:
    for seed, scale in enumerate(SIZES[dtype]):
        before, grads = _before(optimiser, dtype, COUNTS, scale, seed)
        for rate in (0.01, 0.3):
            ranges = _ranges(optimiser, rate, before, grads)
            params, moments = side(optimiser, rate, before, grads)
            assert params.dtype == np.dtype(dtype)
            assert np.all(ranges.params.contains(params)), scale
            for at, moment in enumerate(ranges.moments):
                assert np.all(moment.contains(moments[:, at])), (scale, at)


@pytest.mark.parametrize("side", [_by_hand, _by_optax], ids=["hand", "optax"])
def test_beside_a_small_moment_each_side_has_its_own_1_less_0_999(side: Any) -> None:
    """It is 8 units of rounding off 0.001, and that is most of what the new moment is off."""
    rng = np.random.default_rng(0)
    moments = rng.uniform(1, 2, (1, 2, 100_000)) * [[[1], [1e-4]]]
    grads = rng.uniform(1, 2, (1, 100_000))
    before = Before(np.ones_like(grads), moments, np.array([5]))
    ranges = _ranges("adam", 0.01, before, grads)
    assert np.all(ranges.moments[1].contains(side("adam", 0.01, before, grads)[1][:, 1]))


#: Slips in the lines by hand: the first number that is off, and the edits.
WRONG: dict[str, list[tuple[Any, ...]]] = {
    "sgd": [
        ("params", ("w - self", "w + self")),
        ("params", ("* dw", "* (1 + 1e-6) * dw")),
        ("params", ("* dw", "* dw * float('nan')")),
    ],
    "momentum": [
        ("m", ("* v + dw", "* v + (1 - self.momentum) * dw")),
        ("m", ("momentum: float = 0.9", "momentum: float = 0.99")),
        ("m", ("* v + dw", "* v + self.learning_rate * dw")),
        ("m", ("self.momentum * v + dw", "dw")),
        # Nesterov's.
        (
            *("params", ("lambda w, v: w", "lambda w, v, dw: w")),
            *(("* v, params, velocity", "* (self.momentum * v + dw), params, velocity, grads"),),
        ),
        ("params", ("params, velocity", "params, state.moments[0]")),
        ("params", ("w - self", "w + self")),
    ],
    "adam": [
        ("params", ("(m / (1 - b1**t))", "m"), ("v / (1 - b2**t)", "v")),
        ("params", ("(m / (1 - b1**t))", "m")),
        ("params", ("v / (1 - b2**t)", "v")),
        ("params", ("b1**t", "b1 ** (t + 1)"), ("b2**t", "b2 ** (t + 1)")),
        ("params", ("b2**t))", "b2**t) + 1e-8)"), ("(root + self.epsilon)", "root")),
        ("params", ("epsilon: float = 1e-8", "epsilon: float = 1e-7")),
        ("params", ("(root + self.epsilon)", "root")),
        ("params", ("namespace(v).sqrt", "")),
        ("m", ("b1, b2 = self.beta1, self.beta2", "b2, b1 = self.beta1, self.beta2")),
        ("v", ("beta2: float = 0.999", "beta2: float = 0.99")),
        ("v", ("moments[1], grads", "moments[1], m")),
        ("v", ("moments[1], grads", "moments[1], _map(lambda dw: -1 - dw, grads)")),
        ("params", ("w - self", "w + self")),
        ("params", ("w - self", "w - (1 + 1e-6) * self")),
    ],
}
SLIPS = [(optimiser, *slip) for optimiser, slips in WRONG.items() for slip in slips]


@pytest.mark.parametrize("slip", SLIPS, ids=str)
def test_a_wrong_update_is_outside(slip: tuple[Any, ...]) -> None:
    optimiser, quantity, *edits = slip
    counts = np.array([1, 2, 5, 9, 30])
    before, grads = _before(optimiser, "float64", counts, 0.1, 1)
    before.moments[:, 1:] += 1e-6  # v is that of larger gradients before
    before.moments[:, :, :3] = 0
    ranges = _ranges(optimiser, 0.1, before, grads)
    with np.errstate(invalid="ignore"):
        params, moments = _by_hand(optimiser, 0.1, before, grads, *edits)
    at = ("params", "m", "v").index(quantity)
    answer = (params, *np.moveaxis(moments, 1, 0))[at] if at else params
    inside = (ranges.params, *ranges.moments)[at].contains(answer)
    assert not np.any(inside[np.abs(grads) > (1e-4 if optimiser == "sgd" else 0)])


def test_parameters_without_a_derivative_stay() -> None:
    before, grads = _before("adam", "float64", COUNTS, 1.0)
    ranges = _ranges("adam", 0.01, before, grads)
    still = before.params[:, :2]
    params = Bounded(*(part[:, :2] for part in ranges.params))
    assert np.all(params.contains(still))
    assert not np.any(params.contains(still + 1e-12))

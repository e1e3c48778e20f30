"""The bounds of gradients and of updates: right answers lie within them, wrong ones do not."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
import pytest

import autodiff.network
import autodiff.training
import manual.network
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
from tests.tiers import one_of_each, slowly

#: Sizes are primes that differ, and so are the rows: depths 1 to 5.
SHAPES = (
    ((5, 3), 7),
    ((2, 7, 3), 5),
    ((3, 2, 5, 7), 11),
    ((5, 3, 7, 2, 11), 13),
    ((3, 5, 2, 7, 2, 3), 1),
)
#: Scales of weights, biases, inputs.
KINDS = {
    "ordinary": (1.0, 1.0, 1.0),
    "tiny": (1e-6, 1e-7, 1.0),
    "vanishing": (1e-120, 1e-150, 1.0),
    "saturating": (8.0, 5.0, 9.0),
}
DTYPES = ("float64", "float32")

Point = tuple[list[Layer], np.ndarray, np.ndarray]


def joined(layers: Any) -> Any:
    """All parameters side by side."""
    return np.concatenate([np.ravel(array) for layer in layers for array in layer])


def networks() -> list[tuple[Network, int]]:
    """Every activation with every loss; shapes, outputs and penalties in turn."""
    pairs = [(activation, loss) for activation in ACTIVATIONS for loss in LOSSES]
    made = []
    for at, (activation, loss) in enumerate(pairs):
        sizes, rows = SHAPES[at % len(SHAPES)]
        output = "identity" if loss in LINKS else list(ACTIVATIONS)[at // 3 % len(ACTIVATIONS)]
        made.append((Network(sizes, activation, output, loss, (0.0, 0.01)[at % 2]), rows))
    return made


NETWORKS = networks()
NAMES = [
    f"{'-'.join(map(str, net.sizes))}:{net.activation}:{net.output}:{net.loss}"
    for net, _ in NETWORKS
]


def drawn(network: Network, rows: int, kind: str, dtype: str, seed: int) -> Point:
    rng = np.random.default_rng(seed)
    of_w, of_b, of_x = KINDS[kind]
    params = [
        Layer(
            (of_w * rng.standard_normal((n_in, n_out))).astype(dtype),
            (of_b * rng.standard_normal(n_out)).astype(dtype),
        )
        for n_in, n_out in zip(network.sizes, network.sizes[1:], strict=False)
    ]
    x = (of_x * rng.standard_normal((rows, network.sizes[0]))).astype(dtype)
    shape = (rows, network.sizes[-1])
    if network.loss == "softmax-ce":
        y = np.eye(shape[1])[rng.integers(0, shape[1], rows)]
    else:
        y = rng.integers(0, 2, shape) if network.loss == "bce" else rng.standard_normal(shape)
    return params, x, y.astype(dtype)


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


@pytest.mark.parametrize("name", one_of_each(NAMES, [NAMES[0], NAMES[11]]))
def test_both_sides_are_inside(name: str) -> None:
    """Each kind of point, activation and loss, in one dtype after the other."""
    at = NAMES.index(name)
    network, rows = NETWORKS[at]
    for kind in KINDS:
        for seed in range(4):  # a few dozen elements each
            check(network, drawn(network, rows, kind, DTYPES[at % 2], seed))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", one_of_each(DTYPES, ["float32"]))
def test_small_residuals_of_huber(dtype: str) -> None:
    """optax's derivative of it cancels: (|r| - 1) + 1."""
    network = Network((2, 1), loss="huber")
    for seed in range(200):
        params, x, y = drawn(network, 1, "vanishing", dtype, seed)
        check(network, (params, x, (1e-3 * y).astype(dtype)))


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
    (Network((2, 3, 2), "sigmoid", loss="softmax-ce"), 3),
    (Network((3, 2, 1), "tanh", loss="bce", l2=0.1), 2),
    (Network((2, 3, 1), "gelu", "softplus"), 3),
    (Network((3, 2, 2), "leaky-relu", "sigmoid", "huber"), 5),
]


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (at, kind) if (at, kind) == (1, "ordinary") else slowly(at, kind)
        for at in range(len(SMALL))
        for kind in ("ordinary", "tiny", "saturating")
    ],
)
def test_the_exact_gradient_is_inside(at: int, kind: str) -> None:
    network, rows = SMALL[at]
    with jax.numpy_dtype_promotion("strict"):
        inside_exactly(network, drawn(network, rows, kind, "float64", at))


# Wrong gradients.

WITH_ROWS = [(network, rows) for network, rows in NETWORKS if rows > 1]


def outside(network: Network, point: Point, wrong: np.ndarray) -> Any:
    """Where a gradient is outside either range."""
    ranges = ranges_at(network, point)
    return ~ranges[STABLE].contains(wrong), ~ranges[CANCELLING].contains(wrong)


def _mildly(rows: int, network: Network, seed: int = 0) -> Point:
    """Where nothing saturates, so that derivatives are of ordinary size."""
    params, x, y = drawn(network, rows, "ordinary", "float64", seed)
    return [Layer(w / len(w), b / 2) for w, b in params], x, y


@pytest.mark.parametrize("at", one_of_each(range(len(WITH_ROWS)), [0, 5]))
def test_wrong_gradients_are_outside(at: int) -> None:
    """Off by one millionth, of the wrong sign, without 1/n, in each element that is not 0."""
    network, rows = WITH_ROWS[at]
    point = _mildly(rows, network, at)
    right = by_hand(network, point)
    nonzero = np.abs(right) > 1e-6 * np.abs(right).max()
    assert nonzero.sum() > 3
    for wrong in (right * (1 + 1e-6), right * (1 - 1e-6), -right, right * rows, right / rows):
        for where in outside(network, point, wrong):
            assert np.all(where[nonzero])
    for where in outside(network, point, np.full_like(right, np.nan)):
        assert np.all(where)
    for where in outside(network, point, np.full_like(right, np.inf)):
        assert np.all(where)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_zero_at_a_saturated_unit_is_outside_by_hand_only(activation: str) -> None:
    """The hand lines keep a derivative of 1e-20 that autodiff loses: both are right."""
    network = Network((2, 1, 1), activation)
    big = 45.0 if activation == "sigmoid" else 22.0
    params = [Layer(np.array([[big], [0.5]]), np.zeros(1)), Layer(np.ones((1, 1)), np.zeros(1))]
    point = params, np.array([[1.0, 0.1]]), np.zeros((1, 1))
    right = by_hand(network, point)
    assert 0 < right[0] < 1e-15
    zeroed = right.copy()
    zeroed[0] = 0.0
    by_form = outside(network, point, zeroed)
    assert by_form[0][0]
    assert not by_form[1].any()
    check(network, point)


# Updates.

ADAM = {"b1": 0.9, "b2": 0.999, "eps": 1e-8}
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


def _by_hand(optimiser: str, rate: float, before: Before, grads: np.ndarray) -> Any:
    after = []
    for params, moments, count, grad in zip(*before, grads, strict=True):
        state = State(int(count), tuple([Layer(m, m[:0])] for m in moments))
        new, state = OPTIMISERS[optimiser](rate).update(
            [Layer(params, params[:0])], [Layer(grad, grad[:0])], state
        )
        after.append((new[0].w, [moment[0].w for moment in state.moments]))
    return np.stack([p for p, _ in after]), np.array([m for _, m in after], grads.dtype)


def _by_optax(optimiser: str, rate: float, before: Before, grads: np.ndarray) -> Any:
    step = autodiff.training.OPTIMISERS[optimiser](rate)

    @jax.jit
    def one(params: Any, state: Any, grad: Any) -> Any:
        updates, state = step.update(grad, state, params)
        return optax.apply_updates(params, updates), jax.tree.leaves(state)

    after = []
    # optax's Adam takes a float to the power of an integer, which strict JAX refuses.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        for params, moments, count, grad in zip(*before, grads, strict=True):
            leaves = [jax.numpy.asarray(moment) for moment in moments]
            tree = jax.tree.structure(step.init(jax.numpy.asarray(params)))
            if tree.num_leaves > len(leaves):
                leaves = [jax.numpy.asarray(int(count), jax.numpy.int32), *leaves]
            new, left = one(params, jax.tree.unflatten(tree, leaves), grad)
            after.append((np.asarray(new), [np.asarray(m) for m in left if m.ndim]))
    return np.stack([p for p, _ in after]), np.array([m for _, m in after], grads.dtype)


COUNTS = np.array([0, 1, 2, 9, 100, 3_000, 1_000_000])
SCALES = {"float64": (1.0, 1e-9, 1e-100, 1e-200, 1e6), "float32": (1.0, 1e-6, 1e-15, 1e-25, 1e4)}


@pytest.mark.parametrize("dtype", one_of_each(DTYPES, ["float64"]))
@pytest.mark.parametrize("optimiser", one_of_each(OPTIMISERS, ["adam"]))
@pytest.mark.parametrize("side", [_by_hand, _by_optax], ids=["hand", "optax"])
def test_right_updates_are_inside(side: Any, optimiser: str, dtype: str) -> None:
    for seed, scale in enumerate(SCALES[dtype]):
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


def _adam(
    before: Before,
    grads: np.ndarray,
    rate: float = 0.01,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    inside: float = 0.0,
    corrected: tuple[bool, bool] = (True, True),
    late: int = 1,
    of_v: Any = None,
    power: float = 0.5,
) -> Any:
    """Adam with one thing or another wrong."""
    t = before.count[:, None] + late
    m = b1 * before.moments[:, 0] + (1 - b1) * grads
    v = b2 * before.moments[:, 1] + (1 - b2) * (grads if of_v is None else of_v) ** 2
    m_hat = m / (1 - b1**t) if corrected[0] else m
    v_hat = v / (1 - b2**t) if corrected[1] else v
    with np.errstate(invalid="ignore"):
        return before.params - rate * m_hat / ((v_hat + inside) ** power + eps), m, v


Wrong = Callable[[Before, np.ndarray], Any]
WRONG_ADAM: dict[str, tuple[Wrong, str]] = {
    "no bias correction": (lambda b, g: _adam(b, g, corrected=(False, False)), "params"),
    "m not corrected": (lambda b, g: _adam(b, g, corrected=(False, True)), "params"),
    "v not corrected": (lambda b, g: _adam(b, g, corrected=(True, False)), "params"),
    "corrected by t + 1": (lambda b, g: _adam(b, g, late=2), "params"),
    "epsilon inside the root": (lambda b, g: _adam(b, g, eps=0, inside=1e-8), "params"),
    "epsilon of 1e-7": (lambda b, g: _adam(b, g, eps=1e-7), "params"),
    "no epsilon": (lambda b, g: _adam(b, g, eps=0), "params"),
    "no root": (lambda b, g: _adam(b, g, power=1.0), "params"),
    "betas exchanged": (lambda b, g: _adam(b, g, b1=0.999, b2=0.9), "m"),
    "v of other betas": (lambda b, g: _adam(b, g, b2=0.99), "v"),
    "v from m": (lambda b, g: _adam(b, g, of_v=0.9 * b.moments[:, 0] + 0.1 * g), "v"),
    "v from the old gradient": (lambda b, g: _adam(b, g, of_v=np.roll(g, 1, axis=0)), "v"),
    "ascent": (lambda b, g: _adam(b, g, rate=-0.01), "params"),
    "rate off by one millionth": (lambda b, g: _adam(b, g, rate=0.01 * (1 + 1e-6)), "params"),
}


@pytest.mark.parametrize("what", WRONG_ADAM)
def test_wrong_updates_of_adam_are_outside(what: str) -> None:
    counts = np.array([1, 2, 5, 9, 30])
    before, grads = _before("adam", "float64", counts, 0.1, 1)
    before.moments[:, 1] += 1e-6  # v is that of larger gradients before
    before.moments[:, :, :3] = 0
    ranges = _ranges("adam", 0.01, before, grads)
    wrong, quantity = WRONG_ADAM[what]
    moved = np.abs(grads) > 0
    for answer, excluded in ((_adam(before, grads), False), (wrong(before, grads), True)):
        at = ("params", "m", "v").index(quantity)
        inside = (ranges.params, *ranges.moments)[at].contains(answer[at])
        assert not np.any(inside[moved]) if excluded else np.all(inside), what


def test_parameters_without_a_derivative_stay() -> None:
    before, grads = _before("adam", "float64", COUNTS, 1.0)
    ranges = _ranges("adam", 0.01, before, grads)
    still = before.params[:, :2]
    params = Bounded(*(part[:, :2] for part in ranges.params))
    assert np.all(params.contains(still))
    assert not np.any(params.contains(still + 1e-12))


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("(1 - μ)", lambda w, v, g: (0.9 * v + 0.1 * g, None)),
        ("μ of 0.99", lambda w, v, g: (0.99 * v + g, None)),
        ("Nesterov", lambda w, v, g: (0.9 * v + g, w - 0.1 * (0.9 * (0.9 * v + g) + g))),
        ("old velocity", lambda w, v, g: (0.9 * v + g, w - 0.1 * v)),
        ("rate in the velocity", lambda w, v, g: (0.9 * v + 0.1 * g, w - (0.9 * v + 0.1 * g))),
        ("plain", lambda w, v, g: (g, w - 0.1 * g)),
        ("ascent", lambda w, v, g: (0.9 * v + g, w + 0.1 * (0.9 * v + g))),
    ],
)
def test_wrong_updates_of_momentum_are_outside(what: str, wrong: Any) -> None:
    before, grads = _before("momentum", "float64", COUNTS, 0.1)
    ranges = _ranges("momentum", 0.1, before, grads)
    moved = np.abs(grads) > 0
    velocity, params = wrong(before.params, before.moments[:, 0], grads)
    outside = ~ranges.moments[0].contains(velocity)
    if params is not None:
        outside |= ~ranges.params.contains(params)
    assert np.all(outside[moved]), what


@pytest.mark.parametrize("factor", [-1, 1 + 1e-6, np.nan])
def test_wrong_updates_of_sgd_are_outside(factor: float) -> None:
    before, grads = _before("sgd", "float64", COUNTS, 1.0)
    ranges = _ranges("sgd", 0.1, before, grads)
    wrong = before.params - 0.1 * factor * grads
    assert not np.any(ranges.params.contains(wrong)[np.abs(grads) > 1e-3])

"""Every small change of the lines of the general network is caught, or changes nothing."""

import types
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest

import manual.activations
import manual.affine
import manual.losses
import manual.network
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from manual.network import Network
from tests.mutants import mutants
from tests.network_strategies import Described, described, draw_point

pytestmark = pytest.mark.slow

Check = Callable[[types.ModuleType], bool]

#: The changes that change no number, in full, by function: what survives must be just these.
EQUIVALENT: dict[str, list[str]] = {
    # NumPy multiplies by truth values; libraries that do not are in test_network_libraries.
    "relu_backward": ["xp.astype(xp.greater(z, 0), z.dtype) -> xp.greater(z, 0)"],
    "leaky_relu_backward": ["xp.astype(xp.greater_equal(z, 0), z.dtype) -> xp.greater_equal(z, 0)"],
    # Asked for their namespace only.
    "bce_forward": ["losses -> _", "losses -> of_one", "losses -> of_zero"],
    # Asked for their shape, dtype or namespace only, which z, y and p share, and r and q.
    "bce_backward": ["z -> y"],
    "softmax_ce_backward": [*["z -> y", "z -> p"] * 3, "z -> y"],
    "huber_forward": ["r -> q"],
    # Of two axes, 1 is the last.
    "softmax_ce_forward": ["-1 -> 1"] * 2,
    "softmax": ["-1 -> 1"] * 2,
    # Logits are what comes out of the identity.
    "predict": ["a -> z"],
    # What is refused is in test_network_refusals; all caches of activations are z, or nothing.
    "forward": ["_check(network, params, x, y) -> network", "cache -> z"],
}

Z = np.array([-40.0, -3.0, -1.0, -0.3, -1e-3, 1e-3, 0.3, 1.0, 3.0, 40.0, -800.0, 800.0])


def _differ(one: Any, other: Any) -> bool:
    """Another structure, shape or dtype, or a number that is off by more than reordering is."""
    ours, theirs = (jax.tree.flatten(result) for result in (one, other))
    if str(ours[1]) != str(theirs[1]):
        return True
    for a, b in zip(map(np.asarray, ours[0]), map(np.asarray, theirs[0]), strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            return True
        # Element by element: digits that a wrong order of operations loses are a difference, too.
        with np.errstate(invalid="ignore", over="ignore"):
            if not (np.abs(a - b) <= 2**-44 * np.abs(a)).all():
                return True
    return False


def by_activation(name: str) -> Check:
    def check(mutant: types.ModuleType) -> bool:
        pair, right = mutant.ACTIVATIONS[name], ACTIVATIONS[name]
        (a, cache), (b, kept) = pair.forward(Z), right.forward(Z)
        da = np.arange(1.0, 1 + len(Z))
        return _differ(b, a) or _differ(right.backward(da, kept), pair.backward(da, cache))

    return check


def by_loss(name: str) -> Check:
    def check(mutant: types.ModuleType) -> bool:
        return any(
            _differ(_asked(LOSSES[name], z, y), _asked(mutant.LOSSES[name], z, y))
            for z, y in _outputs(name)
        )

    return check


def _asked(pair: Any, z: np.ndarray, y: np.ndarray) -> Any:
    value, cache = pair.forward(z, y)
    return value, pair.backward(0.7, cache)


def _outputs(name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for seed, scale in enumerate((0.5, 3.0, 30.0, 1000.0)):
        of = Described(Network((2, 3), loss=name), 5)
        yield scale * np.random.default_rng(seed).standard_normal((5, 3)), draw_point(of, seed).y
        yield scale * np.eye(5, 3), draw_point(of, seed, soft=True).y


def by_affine(mutant: types.ModuleType) -> bool:
    rng = np.random.default_rng(1)
    x, w, b, dz = (rng.standard_normal(shape) for shape in ((7, 3), (3, 5), 5, (7, 5)))
    z, cache = mutant.affine_forward(x, w, b)
    right, kept = manual.affine.affine_forward(x, w, b)
    expected = manual.affine.affine_backward(dz, kept)
    return _differ(right, z) or _differ(expected, mutant.affine_backward(dz, cache))


def by_network(mutant: types.ModuleType) -> bool:
    for of in described(12):
        net = mutant.Network(**vars(of.network))
        point = draw_point(of, 2)
        expected = manual.network.value_and_gradient(of.network, *point)
        if _differ(expected, mutant.value_and_gradient(net, *point)):
            return True
        probabilities = manual.network.predict(of.network, point.params, point.x)
        if _differ(probabilities, mutant.predict(net, point.params, point.x)):
            return True
    return False


def survivors(module: types.ModuleType, function: str, check: Check) -> list[str]:
    alive, tried = [], 0
    for what, mutant in mutants(module, function):
        tried += 1
        try:
            with np.errstate(all="ignore"):
                caught = check(mutant)
        except (ValueError, TypeError, NameError, AttributeError, IndexError, SystemError):
            caught = True
        if not caught:
            alive.append(what.partition(": ")[2])
    assert tried or function in NOTHING_TO_CHANGE
    return alive


#: Their lines have no operator, constant, call or second name.
NOTHING_TO_CHANGE = ("identity_forward", "identity_backward")

OF_ACTIVATIONS = [
    (name, f"{name.replace('-', '_')}_{way}")
    for name in ACTIVATIONS
    for way in ("forward", "backward")
]
OF_LOSSES = [
    (name, f"{name.replace('-', '_')}_{way}") for name in LOSSES for way in ("forward", "backward")
]


@pytest.mark.parametrize(("name", "function"), OF_ACTIVATIONS)
def test_activations(name: str, function: str) -> None:
    assert survivors(manual.activations, function, by_activation(name)) == EQUIVALENT.get(
        function, []
    )


@pytest.mark.parametrize(("name", "function"), [*OF_LOSSES, ("softmax-ce", "softmax")])
def test_losses(name: str, function: str) -> None:
    assert survivors(manual.losses, function, by_loss(name)) == EQUIVALENT.get(function, [])


@pytest.mark.parametrize(
    "function",
    [
        *("affine_forward", "affine_backward"),
        "affine_backward_inputs",
        "affine_backward_parameters",
    ],
)
def test_the_affine_step(function: str) -> None:
    assert survivors(manual.affine, function, by_affine) == EQUIVALENT.get(function, [])


@pytest.mark.parametrize("function", ["forward", "backward", "value_and_gradient", "predict"])
def test_the_network(function: str) -> None:
    assert survivors(manual.network, function, by_network) == EQUIVALENT.get(function, [])

"""A network's loss for a batch of examples, at a point away from kinks.

**Kinks.** Where a pre-activation of a ReLU is within rounding of 0, a right program may take either
slope, and the gradient cannot be judged. So each bias is put into a wide gap between its unit's
pre-activations, and a comparison that rounding could still change is refused.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import jax
import numpy as np

import autodiff.network
import manual.network
from benchmarks.problems.deviation import U
from benchmarks.problems.gradient import GradientProblem
from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.network import Network


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkProblem(GradientProblem):
    """A network, its layers' parameters, and a batch: x is (batch, n_in), y is (batch, n_out)."""

    network: Network


def _products(sizes: Sequence[int], batch: int) -> list[tuple[int, int, int]]:
    """Return forward x·w, then dw = xᵀ·dz, then dx = dz·wᵀ except for the first layer."""
    layers = list(pairwise(sizes))
    forward = [(batch, m, n) for m, n in layers]
    to_weights = [(m, batch, n) for m, n in layers]
    to_inputs = [(batch, n, m) for m, n in layers[1:]]
    return [*forward, *to_weights, *to_inputs]


def network_problem(
    network: Network, batch: int, dtype: str, seed: int = 0, product_unit: float = U
) -> NetworkProblem:
    """Build a problem with random inputs, targets and weights, and biases away from kinks.

    Targets are classes, one 1 a row, for softmax cross-entropy; else each output is 0 or 1.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, network.sizes[0])).astype(dtype)
    outputs = network.sizes[-1]
    if network.loss == "softmax-ce":
        y = np.eye(outputs, dtype=dtype)[rng.integers(outputs, size=batch)]
    else:
        y = rng.integers(2, size=(batch, outputs)).astype(dtype)
    layers, a = [], x.astype(np.float64)
    for layer, name in zip(
        manual.network.draw_parameters(network, seed, dtype), network.activations, strict=True
    ):
        z = a @ layer.w.astype(np.float64)
        b = -_in_a_gap(z).astype(dtype)
        layers.append(Layer(layer.w, b))
        a, _ = ACTIVATIONS[name].forward(z + b.astype(np.float64)[None, :])
    loss = functools.partial(autodiff.network.loss, network)
    about = {"sizes": list(network.sizes), "batch": batch, "activation": network.activation}
    names = [(f"dw of layer {at + 1}", f"db of layer {at + 1}") for at in range(len(layers))]
    return NetworkProblem(
        about={**about, "loss": network.loss},
        params=layers,
        x=x,
        y=y,
        loss=loss,
        exact_loss=functools.partial(manual.network.loss, network),
        by_hand=functools.partial(manual.network.value_and_gradient, network),
        value_and_grad=jax.value_and_grad(loss),
        names=tuple(name for pair in names for name in pair),
        product_unit=product_unit,
        products=_products(network.sizes, batch),
        network=network,
    )


def _in_a_gap(z: np.ndarray) -> np.ndarray:
    """Return the middle of the widest gap within the middle half of each column's numbers."""
    ordered = np.sort(z, axis=0)
    ordered = np.concatenate([ordered[:1] - 1, ordered, ordered[-1:] + 1])
    gaps = np.diff(ordered, axis=0)
    cut = len(gaps) // 4
    widest = cut + np.argmax(gaps[cut : len(gaps) - cut], axis=0)
    columns = np.arange(z.shape[1])
    return (ordered[widest, columns] + ordered[widest + 1, columns]) / 2

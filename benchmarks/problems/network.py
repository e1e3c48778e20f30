"""A network's loss for a batch of examples, at a point away from kinks.

**Kinks.** Where a pre-activation of a ReLU is within rounding of 0, a right program may take either
slope, and the gradient cannot be judged. So each bias is put into a wide gap between its unit's
pre-activations, and a comparison that rounding could still change is refused.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import numpy as np

import autodiff.network
import manual.network
from benchmarks.problems.deviation import U
from benchmarks.problems.gate import Gate, gate
from benchmarks.problems.problem import Problem
from benchmarks.ready import Ready, jitted
from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.network import Network


@dataclass(frozen=True, eq=False)
class NetworkProblem(Problem):
    """A network, its parameters, and a batch."""

    network: Network
    params: list[Layer]
    x: np.ndarray  #: shape (batch, n_in)
    y: np.ndarray  #: shape (batch, n_out)
    product_unit: float = U  #: the unit roundoff of float32 matrix products

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Parameters, inputs, targets."""
        return self.params, self.x, self.y

    @property
    def dtype(self) -> str:
        """The dtype of all arrays."""
        return str(self.x.dtype)

    @property
    def about(self) -> dict[str, Any]:
        """A description for the results."""
        return {
            "sizes": list(self.network.sizes),
            "batch": len(self.x),
            "activation": self.network.activation,
            "loss": self.network.loss,
        }

    @property
    def parameters(self) -> int:
        """The number of elements of the gradient."""
        return sum(w.size + b.size for w, b in self.params)

    @property
    def products(self) -> list[tuple[int, int, int]]:
        """Forward x·w, then dw = xᵀ·dz, then dx = dz·wᵀ except for the first layer."""
        batch, layers = len(self.x), list(pairwise(self.network.sizes))
        forward = [(batch, m, n) for m, n in layers]
        to_weights = [(m, batch, n) for m, n in layers]
        to_inputs = [(batch, n, m) for m, n in layers[1:]]
        return [*forward, *to_weights, *to_inputs]

    @property
    def expected_cost(self) -> float:
        """3 − s₁/S: three products a layer, but two for the first."""
        sizes = [m * n for m, n in pairwise(self.network.sizes)]
        return 3 - sizes[0] / sum(sizes)

    @property
    def moved(self) -> int:
        """The bytes of arguments and result."""
        return self.x.nbytes + self.y.nbytes + (2 * self.parameters + 1) * self.x.itemsize

    @property
    def loss(self) -> Callable[..., Any]:
        """(params, x, y) -> the loss in JAX."""
        return functools.partial(autodiff.network.loss, self.network)

    @property
    def exact_loss(self) -> Callable[..., Any]:
        """(params, x, y) -> the loss in NumPy, in the precision of the arguments."""
        return functools.partial(manual.network.loss, self.network)

    @property
    def value_and_grad(self) -> Callable[..., Any]:
        """The loss and gradient by JAX."""
        return jax.value_and_grad(self.loss)

    @property
    def by_hand(self) -> Callable[..., Any]:
        """(params, x, y) -> the loss and its gradient, by hand."""
        return functools.partial(manual.network.value_and_gradient, self.network)

    def loss_alone(self) -> Ready:
        """Prepare the compiled loss."""
        return jitted(self.loss, self.arguments)

    def gate(self) -> Gate:
        """Build the gate that judges answers."""
        names = ["the loss"]
        for at in range(len(self.params)):
            names += [f"dw of layer {at + 1}", f"db of layer {at + 1}"]
        wide = jax.tree.map(lambda array: array.astype(np.float64), self.arguments)
        program, unit = self.value_and_grad, self.product_unit
        return gate(program, self.by_hand, wide, names, self.dtype, unit)


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
    return NetworkProblem(network, layers, x, y, product_unit)


def _in_a_gap(z: np.ndarray) -> np.ndarray:
    """Return the middle of the widest gap within the middle half of each column's numbers."""
    ordered = np.sort(z, axis=0)
    ordered = np.concatenate([ordered[:1] - 1, ordered, ordered[-1:] + 1])
    gaps = np.diff(ordered, axis=0)
    cut = len(gaps) // 4
    widest = cut + np.argmax(gaps[cut : len(gaps) - cut], axis=0)
    columns = np.arange(z.shape[1])
    return (ordered[widest, columns] + ordered[widest + 1, columns]) / 2

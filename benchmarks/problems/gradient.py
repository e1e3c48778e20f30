"""A loss and its gradient, by hand and by JAX: of the article's network, and of any network.

**Kinks.** Where a pre-activation of a ReLU is within rounding of 0, a right program may take either
slope, and the gradient cannot be judged. So each bias is put into a wide gap between its unit's
pre-activations, and a comparison that rounding could still change is refused.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.article
import autodiff.network
import manual.article
import manual.network
from benchmarks.problems.gate import TO_FLOAT64, Gate, deviations
from benchmarks.ready import Ready, jitted, leaves
from handgrad.tolerance.tolerances import LOOSE
from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.article import Parameters
from manual.network import Network


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientProblem:
    """A loss at a point; all functions take (params, x, y)."""

    about: dict[str, Any]  #: for the results: sizes, batch, activation, loss
    params: Any  #: NumPy arrays or scalars, as `x` and `y`, all of one dtype
    x: np.ndarray  #: shape (..., n_in)
    y: Any
    loss: Callable[..., Any]  #: in JAX
    by_hand: Callable[..., Any]  #: to the loss and its gradient, in the precision of the arguments
    value_and_grad: Callable[..., Any]  #: the same by JAX
    names: Sequence[str]  #: of the gradient's leaves
    losses: tuple[int, ...] = ()  #: their shape, () for a single one
    products: Sequence[tuple[int, int, int]] = ()
    """The matrix products of one loss and gradient, (m, k, n) of an m×k and a k×n matrix.

    None where sums have two terms only and are unrolled."""

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Parameters, inputs, targets."""
        return self.params, self.x, self.y

    @property
    def dtype(self) -> str:
        """The dtype of all numbers."""
        return str(self.x.dtype)

    @property
    def parameters(self) -> int:
        """The number of elements of the gradient."""
        return sum(np.size(leaf) for leaf in jax.tree.leaves(self.params))

    @property
    def moved(self) -> int:
        """The bytes of arguments and result, each moved once."""
        numbers = self.x.size + np.size(self.y) + 2 * self.parameters + math.prod(self.losses)
        return numbers * self.x.itemsize

    def loss_alone(self) -> Ready:
        """Prepare the compiled loss."""
        return jitted(self.loss, self.arguments, judge=Gate.of_loss)

    def gate(self) -> Gate:
        """Build the gate that judges answers.

        Raises:
            RefusedError: a unit is within rounding of a kink.
        """
        wide = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64)[()], self.arguments)
        second, named = leaves(self.by_hand(*wide)), ["the loss", *self.names]
        # The references are computed on the processor, whatever device is timed.
        witness = jax.default_device(jax.local_devices(backend="cpu")[0])
        with witness, jax.enable_x64(True), jax.default_matmul_precision("highest"):
            given = jax.tree.map(jnp.asarray, wide)
            reference = leaves(jax.jit(self.value_and_grad)(*given))
            found = deviations(self.value_and_grad, given)
        deviation = [LOOSE * leaf for leaf in found]
        exact = [2 * TO_FLOAT64 * leaf for leaf in deviation]
        allowed = exact if self.dtype == "float64" else deviation
        doubt = Gate(named, reference, exact, "float64").complaint(second)
        doubt = doubt and f"the float64 witnesses disagree: {doubt}"
        return Gate(named, reference, allowed, self.dtype, doubt)


class ArticleProblem(GradientProblem):
    """Networks with one sample each: scalars for one network, arrays of shape (n,) for n."""


def sample_problem(dtype: str) -> ArticleProblem:
    """Build the article's example: Alice, shifted, and nine draws from N(0, 1)."""
    kind = np.dtype(dtype).type
    params = Parameters(*(kind(p) for p in manual.article.draw_parameters(44)))
    return _of_article(params, np.array([-2, -1], dtype), kind(1))


def mass_problem(networks: int, dtype: str) -> ArticleProblem:
    """Build networks with parameters from N(0, 1), inputs from N(0, 4), and targets 0 or 1."""
    rng = np.random.default_rng(0)
    params = Parameters(*rng.normal(size=(9, networks)).astype(dtype))
    x = (2 * rng.normal(size=(networks, 2))).astype(dtype)
    return _of_article(params, x, rng.integers(2, size=networks).astype(dtype))


def _of_article(params: Parameters, x: np.ndarray, y: Any) -> ArticleProblem:
    """Build a problem of inputs of shape (2,) or (n, 2), and targets of shape () or (n,)."""
    one = jax.value_and_grad(autodiff.article.loss)
    about = {"sizes": [2, 2, 1], "networks": int(y.size)}
    return ArticleProblem(
        about={**about, "activation": "sigmoid", "loss": "squared error"},
        params=params,
        x=x,
        y=y,
        loss=autodiff.article.loss,
        by_hand=manual.article.value_and_gradient,
        value_and_grad=jax.vmap(one) if y.ndim else one,
        names=[f"∂L/∂{name}" for name in Parameters._fields],
        losses=y.shape,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkProblem(GradientProblem):
    """A network, its layers' parameters, and a batch: x is (batch, n_in), y is (batch, n_out)."""

    network: Network


def network_problem(network: Network, batch: int, dtype: str) -> NetworkProblem:
    """Build a problem with random inputs, targets and weights, and biases away from kinks.

    Targets are classes, one 1 a row, for softmax cross-entropy; else each output is 0 or 1.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, network.sizes[0])).astype(dtype)
    outputs = network.sizes[-1]
    if network.loss == "softmax-ce":
        y = np.eye(outputs, dtype=dtype)[rng.integers(outputs, size=batch)]
    else:
        y = rng.integers(2, size=(batch, outputs)).astype(dtype)
    layers, names, a = list[Layer](), list[str](), x.astype(np.float64)
    drawn = manual.network.draw_parameters(network, 0, dtype)
    for at, (layer, activation) in enumerate(zip(drawn, network.activations, strict=True), 1):
        z = a @ layer.w.astype(np.float64)
        b = -_in_a_gap(z).astype(dtype)
        layers.append(Layer(layer.w, b))
        names += [f"dw of layer {at}", f"db of layer {at}"]
        a, _ = ACTIVATIONS[activation].forward(z + b.astype(np.float64)[None, :])
    loss = partial(autodiff.network.loss, network)
    about = {"sizes": list(network.sizes), "batch": batch, "activation": network.activation}
    return NetworkProblem(
        about={**about, "loss": network.loss},
        params=layers,
        x=x,
        y=y,
        loss=loss,
        by_hand=partial(manual.network.value_and_gradient, network),
        value_and_grad=jax.value_and_grad(loss),
        names=names,
        products=_products(network.sizes, batch),
        network=network,
    )


def _products(sizes: Sequence[int], batch: int) -> list[tuple[int, int, int]]:
    """Return forward x·w, then dw = xᵀ·dz, then dx = dz·wᵀ except for the first layer."""
    layers = list(pairwise(sizes))
    forward = [(batch, m, n) for m, n in layers]
    to_weights = [(m, batch, n) for m, n in layers]
    to_inputs = [(batch, n, m) for m, n in layers[1:]]
    return [*forward, *to_weights, *to_inputs]


def _in_a_gap(z: np.ndarray) -> np.ndarray:
    """Return the middle of the widest gap within the middle half of each column's numbers."""
    ordered = np.sort(z, axis=0)
    ordered = np.concatenate([ordered[:1] - 1, ordered, ordered[-1:] + 1])
    gaps = np.diff(ordered, axis=0)
    cut = len(gaps) // 4
    widest = cut + np.argmax(gaps[cut : len(gaps) - cut], axis=0)
    columns = np.arange(z.shape[1])
    return (ordered[widest, columns] + ordered[widest + 1, columns]) / 2

"""The gate of a network's timings: does a float32 gradient lie where a right program's would?

The truth is the same network in float64 at the same float32 point. Two witnesses must agree on it,
`manual.network` and `jax.grad`, within what rounding to float64 explains.

**How far from it an answer may be.** `benchmarks.deviation` runs JAX's program for the gradient in
float64 and moves what rounds on the way, at random and by as much as rounding to float32 may. An
element may be off by `LOOSE` times its largest deviation over `LOOSE_DRAWS` such runs: the judge's
yardstick for ordinary rounding (`handgrad.ways.yardsticks`), whose numbers are used here as they
are. 32 is for the draws' poverty: of 2 million elements, the one whose 8 draws happen to be
smallest still gets 2 to 3 standard deviations, and the local errors behind those are bounds
already.

Two float64 answers may be twice 2⁻²⁹ of that apart, as u is 2⁻⁵³ there.

**Kinks.** Where a pre-activation of a ReLU is within rounding of 0, a right program may take either
slope. Nothing can be asked of a gradient there, so the point keeps away: each bias is put into a
wide gap between its unit's examples, and a comparison that rounding could still turn is refused.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.network
import manual.network
from benchmarks.deviation import deviations
from handgrad.ways.yardsticks import LOOSE
from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.network import Network

TO_FLOAT64 = 2.0**-29  #: u of float64 in u of float32

Answer = tuple[Any, list[Any]]  #: the loss, and its gradient: `Layer`s


@dataclass(frozen=True, eq=False)
class Point:
    """Where the gradient is asked for, float32."""

    network: Network
    params: list[Layer]
    x: np.ndarray  #: shape (batch, n_in)
    y: np.ndarray  #: one 1 a row, shape (batch, n_out)

    def double(self) -> tuple[list[Layer], np.ndarray, np.ndarray]:
        """The parameters, x and y in float64."""
        params = [Layer(w.astype(np.float64), b.astype(np.float64)) for w, b in self.params]
        return params, self.x.astype(np.float64), self.y.astype(np.float64)


def point(network: Network, batch: int, seed: int = 0) -> Point:
    """Standardised inputs, random classes, random weights, and biases that keep off the kinks."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, network.sizes[0])).astype(np.float32)
    y = np.eye(network.sizes[-1], dtype=np.float32)[rng.integers(network.sizes[-1], size=batch)]
    layers, a = [], x.astype(np.float64)
    for layer, name in zip(
        manual.network.draw_parameters(network, seed, np.float32), network.activations, strict=True
    ):
        z = a @ layer.w.astype(np.float64)
        b = -_in_a_gap(z).astype(np.float32)
        layers.append(Layer(layer.w, b))
        a, _ = ACTIVATIONS[name].forward(z + b.astype(np.float64)[None, :])
    return Point(network, layers, x, y)


def _in_a_gap(z: np.ndarray) -> np.ndarray:
    """The middle of the widest gap between the middle half of each column's numbers."""
    ordered = np.sort(z, axis=0)
    ordered = np.concatenate([ordered[:1] - 1, ordered, ordered[-1:] + 1])
    gaps = np.diff(ordered, axis=0)
    cut = len(gaps) // 4
    widest = cut + np.argmax(gaps[cut : len(gaps) - cut], axis=0)
    columns = np.arange(z.shape[1])
    return (ordered[widest, columns] + ordered[widest + 1, columns]) / 2


@dataclass(frozen=True, eq=False)
class Gate:
    """The loss and each leaf of the gradient: their truth, and how far off an answer may be."""

    names: list[str]
    truth: list[np.ndarray]  #: float64
    allowed: list[np.ndarray]
    doubt: str  #: what the two witnesses of the truth disagree in, or ""

    def complaint(self, answer: Answer) -> str:
        """The worst mistake of an answer in float32; "" if it is right."""
        if self.doubt:
            return self.doubt
        return _complaint(self, jax.tree.leaves(answer), np.float32, 1.0)

    def share(self, answer: Answer) -> float:
        """The largest error of an answer in parts of what is allowed."""
        leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(answer)]
        return max(
            float(np.max(np.where(off > 0, off / np.maximum(most, 5e-324), 0.0), initial=0.0))
            for off, most in (
                (np.abs(leaf - true), most)
                for leaf, true, most in zip(leaves, self.truth, self.allowed, strict=True)
            )
        )

    def sees(self) -> float:
        """The part of the gradient's elements that could not be 0 unnoticed."""
        seen = [np.abs(t) > most for t, most in zip(self.truth[1:], self.allowed[1:], strict=True)]
        return float(sum(s.sum() for s in seen) / sum(s.size for s in seen))


def gate(here: Point) -> Gate:
    """The gate at a point.

    Raises:
        AtAKinkError: a unit is within rounding of a kink.
    """
    by_hand = manual.network.value_and_gradient(here.network, *here.double())
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        params, x, y = jax.tree.map(jnp.asarray, here.double())
        params = [autodiff.network.Layer(*layer) for layer in params]
        by_jax = jax.value_and_grad(functools.partial(autodiff.network.loss, here.network))
        truth = [np.asarray(leaf) for leaf in jax.tree.leaves(by_jax(params, x, y))]
        deviation = deviations(by_jax, (params, x, y))
    names = ["the loss"]
    for at in range(len(here.params)):
        names += [f"dw of layer {at + 1}", f"db of layer {at + 1}"]
    made = Gate(names, truth, [LOOSE * leaf for leaf in deviation], "")
    doubt = _complaint(made, jax.tree.leaves(by_hand), np.float64, 2 * TO_FLOAT64)
    return Gate(names, truth, made.allowed, doubt and f"the float64 witnesses disagree: {doubt}")


def _complaint(made: Gate, leaves: Sequence[Any], dtype: Any, scale: float) -> str:
    if len(leaves) != len(made.truth):
        return f"{len(leaves)} arrays, expected {len(made.truth)}"
    for name, leaf, true, most in zip(made.names, leaves, made.truth, made.allowed, strict=True):
        got = np.asarray(leaf)
        if (got.shape, got.dtype) != (true.shape, dtype):
            expected = f"{np.dtype(dtype)} of shape {true.shape}"
            return f"{name}: got {got.dtype} of shape {got.shape}, expected {expected}"
        # NaN and infinity are not within anything.
        wrong = ~(np.abs(got.astype(np.float64) - true) <= scale * most)
        if wrong.any():
            at = tuple(np.argwhere(wrong)[0].tolist())
            element = f"{name}{list(at) if at else ''}"
            return (
                f"{element}: got {got[at]:.9g}, expected {true[at]:.9g} ± {scale * most[at]:.2g} "
                f"({wrong.sum()} of {wrong.size} elements)"
            )
    return ""

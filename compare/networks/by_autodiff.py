"""The trainer by autodiff: `autodiff.network` and `autodiff.training`, in JAX."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from autodiff.network import Layer
from autodiff.training import Carry, training
from compare.lockstep import Point, Steps
from compare.networks import flat
from compare.networks.plan import Plan


@contextmanager
def _judged() -> Iterator[None]:
    """Enable 64 bits, and full float32 precision of matrix products on a GPU.

    Arrays keep their dtype.
    """
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


class ByAutodiff:
    """Trains and predicts by autodiff."""

    def __init__(self, plan: Plan, x: np.ndarray, y: np.ndarray) -> None:
        self.network = plan.network
        self.training = training(plan.network, plan.optimiser, plan.learning_rate)
        with _judged():
            self.x, self.y = jax.numpy.asarray(x), jax.numpy.asarray(y)

    def run(self, start: Point, stretch: np.ndarray) -> Point:
        """See `Trainer`."""
        with _judged():
            carry = self._unpacked(start)
            after = self.training.run(carry, self.x, self.y, stretch)
            return self._packed(after, start.count + len(stretch))

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `Trainer`."""
        with _judged():
            after = self.training.walk(self._unpacked(start), self.x, self.y, stretch)
            return self._packed(after, start.count + 1 + np.arange(len(stretch)))

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `Trainer`."""
        with _judged():
            steps = self.training.steps(self._unpacked(before), self.x, self.y, stretch)
            after = self._packed(steps.after, before.count + 1)
            return Steps(flat.join(jax.device_get(steps.grads)), after)

    def predict(self, params: np.ndarray, x: np.ndarray) -> np.ndarray:
        """See `Trainer`."""
        with _judged():
            layers = self._layers(params)
            return np.asarray(self.training.predict(layers, x))

    def loss(self, params: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
        """See `Trainer`."""
        with _judged():
            return float(self.training.loss(self._layers(params), x, y))

    def _layers(self, params: np.ndarray) -> Any:
        return [Layer(*layer) for layer in flat.split(params, self.network.sizes)]

    def _unpacked(self, point: Point) -> Carry:
        """Convert a point to optax's state, whose leaves are a count, if any, and the moments."""
        params = self._layers(point.params)
        moments = [self._layers(point.moments[..., at, :]) for at in range(point.moments.shape[-2])]
        template = jax.eval_shape(self.training.init, params).state
        leaves, tree = jax.tree.flatten(template)
        given = jax.tree.leaves(moments)
        if len(leaves) > len(given):
            given = [jnp.asarray(point.count, jnp.int32), *given]
        return Carry(params, jax.tree.unflatten(tree, given))

    def _packed(self, carry: Carry, count: Any) -> Point:
        params = flat.join(jax.device_get(carry.params))
        leaves = jax.device_get(jax.tree.leaves(carry.state))
        per_moment = len(jax.tree.leaves(carry.params))
        leaves = leaves[len(leaves) % per_moment :]
        moments = [
            flat.join(list(zip(part[::2], part[1::2], strict=True)))
            for part in (leaves[at : at + per_moment] for at in range(0, len(leaves), per_moment))
        ]
        empty = np.empty((*params.shape[:-1], 0, params.shape[-1]), params.dtype)
        return Point(params, np.stack(moments, axis=-2) if moments else empty, np.asarray(count))

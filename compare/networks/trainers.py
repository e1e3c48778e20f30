"""The interface of the two trainers, by hand and by autodiff, and the trainer by hand.

A trainer advances a point of the training (parameters, the optimiser's moments, the count of
updates) by minibatches. Points are flat NumPy arrays, whatever the trainer works with.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

import manual.network
from compare.agreement import BY_AUTODIFF, BY_HAND
from compare.lockstep import Point, Steps, Walker
from compare.networks import flat
from compare.networks.plan import Plan
from manual.optimisers import OPTIMISERS, State

#: The names of the sides in messages.
SIDE_LABELS = {BY_HAND: "by hand", BY_AUTODIFF: "by autodiff"}


class MisshapenError(ValueError):
    """The gradient by hand is not shaped and typed like the parameters; no update is possible."""

    def __init__(self, update: int, parameter: str, reason: str) -> None:
        super().__init__(f"update {update}, gradient of {parameter}: by hand it {reason}")
        self.update, self.parameter = update, parameter


class Trainer(Walker, Protocol):
    """Holds the data, trains and predicts.

    A stretch is a matrix of row numbers, one minibatch a row.
    """

    def run(self, start: Point, stretch: np.ndarray) -> Point:
        """Return the point after all updates of the stretch."""
        ...

    def predict(self, params: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Compute the network's outputs, shape (n, n_out), for x of shape (n, n_in)."""
        ...

    def loss(self, params: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
        """Compute the loss on a whole table."""
        ...


class ByHand:
    """Trains and predicts by hand, with `manual.network` and `manual.optimisers`."""

    def __init__(self, plan: Plan, x: np.ndarray, y: np.ndarray) -> None:
        self.network, self.x, self.y = plan.network, x, y
        self.gradient = partial(manual.network.gradient, plan.network)
        self.optimiser = OPTIMISERS[plan.optimiser](plan.learning_rate)

    def start(self, params: Any) -> Point:
        """Return the point before the first update."""
        return self._packed(params, self.optimiser.init(params))

    def run(self, start: Point, stretch: np.ndarray) -> Point:
        """See `Trainer`."""
        params, state = self._unpacked(start)
        for batch in stretch:
            params, state, _ = self._step(params, state, batch)
        return self._packed(params, state)

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `Trainer`."""
        params, state = self._unpacked(start)
        points = []
        for batch in stretch:
            params, state, _ = self._step(params, state, batch)
            points.append(self._packed(params, state))
        return _stacked(points)

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `Trainer`."""
        grads, points = [], []
        for at, batch in enumerate(stretch):
            params, state, gradient = self._step(*self._unpacked(before.at(at)), batch)
            grads.append(flat.join(gradient))
            points.append(self._packed(params, state))
        return Steps(np.stack(grads), _stacked(points))

    def predict(self, params: np.ndarray, x: np.ndarray) -> np.ndarray:
        """See `Trainer`."""
        with np.errstate(over="ignore", invalid="ignore"):
            return manual.network.predict(self.network, self._split(params), x)

    def loss(self, params: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
        """See `Trainer`."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(manual.network.loss(self.network, self._split(params), x, y))

    def _step(self, params: Any, state: State, batch: np.ndarray) -> tuple[Any, State, Any]:
        with np.errstate(over="ignore", invalid="ignore"):
            grads = self.gradient(params, self.x[batch], self.y[batch])
            if misfit := flat.misfit(grads, params):
                raise MisshapenError(state.updates, *misfit)
            return *self.optimiser.update(params, grads, state), grads

    def _split(self, params: np.ndarray) -> Any:
        return flat.split(params, self.network.sizes)

    def _unpacked(self, point: Point) -> tuple[Any, State]:
        moments = tuple(self._split(moment) for moment in point.moments)
        return self._split(point.params), State(int(point.count), moments)

    def _packed(self, params: Any, state: State) -> Point:
        joined = flat.join(params)
        moments = [flat.join(moment) for moment in state.moments]
        return Point(
            joined,
            np.array(moments, joined.dtype).reshape(-1, joined.size),
            np.int64(state.updates),
        )


def _stacked(points: Sequence[Point]) -> Point:
    return Point(*(np.stack(parts) for parts in zip(*points, strict=True)))

"""The two sides of a training: the lines by hand in NumPy, and `jax.grad` of the loss under jit.

Both train a `compare.lockstep.Program`, whose parameters may have any structure. Between updates
they are one vector (`compare.trees`): so the sides have one language, whatever they compute with. A
stretch is a matrix of row numbers, one minibatch a row.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from compare.compiling import judged
from compare.lockstep import Point, Program, Steps
from compare.trees import join, leaves, split
from compare.wording import BY_AUTODIFF, BY_HAND, Disagreement
from manual.optimisers import OPTIMISERS, State


def start(params: Any, optimiser: str) -> Point:
    """Return the point before the first update."""
    flat = join(params, params)
    return _point(flat, OPTIMISERS[optimiser](0.0).init(flat))


class ByHand:
    """Trains by hand: a gradient in NumPy, and `manual.optimisers`. Overflow raises no warning."""

    def __init__(
        self, program: Program, optimiser: str, learning_rate: float, x: np.ndarray, y: np.ndarray
    ) -> None:
        self.program, self.x, self.y = program, x, y
        self.optimiser = OPTIMISERS[optimiser](learning_rate)

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `compare.lockstep.Side`."""
        points = [start]
        for batch in stretch:
            points.append(self._step(points[-1], batch)[1])
        return _stacked(points[1:])

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `compare.lockstep.Side`."""
        each = (self._step(before.at(at), batch) for at, batch in enumerate(stretch))
        grads, points = zip(*each, strict=True)
        return Steps(np.stack(grads), _stacked(points))

    def _step(self, point: Point, batch: np.ndarray) -> tuple[np.ndarray, Point]:
        """Take one update; return its gradient, and the point after it."""
        params = split(point.params, self.program.like)
        with np.errstate(over="ignore", invalid="ignore"):
            grads = self.program.gradient(params, self.x[batch], self.y[batch])
            _check(grads, params, int(point.count))
            state = State(int(point.count), tuple(point.moments))
            flat = join(grads, params)
            return flat, _point(*self.optimiser.update(point.params, flat, state))


def _check(grads: Any, params: Any, update: int) -> None:
    """Refuse a gradient that is not shaped and typed like the parameters: no update is possible."""
    found, expected = leaves(grads), leaves(params)
    says = f"update {update}, gradient of"
    if list(found) != list(expected):
        layers = f"{len(grads)} layers; expected {len(params)}"
        raise Disagreement(f"{says} params: by hand it has {layers}")
    for name, right in expected.items():
        has, due = (f"shape {of.shape} and {of.dtype}" for of in (found[name], right))
        if has != due:
            raise Disagreement(f"{says} {name}: by hand it has {has}; expected {due}")


def _point(params: np.ndarray, state: State) -> Point:
    moments = np.array(state.moments, params.dtype).reshape(-1, params.size)
    return Point(params, moments, np.int64(state.updates))


def _stacked(points: Sequence[Point]) -> Point:
    return Point(*(np.stack(parts) for parts in zip(*points, strict=True)))


class ByAutodiff:
    """Trains by autodiff: `autodiff.training`, with optax."""

    def __init__(
        self, program: Program, optimiser: str, learning_rate: float, x: np.ndarray, y: np.ndarray
    ) -> None:
        import jax

        self.like = program.like
        self.training = _training(program, optimiser, learning_rate)
        with judged():
            self.x, self.y = jax.numpy.asarray(x), jax.numpy.asarray(y)

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `compare.lockstep.Side`."""
        with judged():
            after = self.training.walk(self._carry(start), self.x, self.y, stretch)
            return self._points(after, start.count + 1 + np.arange(len(stretch)))

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `compare.lockstep.Side`."""
        with judged():
            grads, after = self.training.steps(self._carry(before), self.x, self.y, stretch)
            return Steps(join(grads, self.like), self._points(after, before.count + 1))

    def _carry(self, point: Point) -> Any:
        """Convert a point to optax's state, whose leaves are a count, if any, and the moments."""
        import jax

        from autodiff.training import Carry

        params = split(point.params, self.like)
        moments = [split(moment, self.like) for moment in np.moveaxis(point.moments, -2, 0)]
        expected, tree = jax.tree.flatten(jax.eval_shape(self.training.init, params).state)
        given = jax.tree.leaves(moments)
        counts = [np.asarray(point.count, np.int32)] * (len(expected) - len(given))
        return Carry(params, jax.tree.unflatten(tree, [*counts, *given]))

    def _points(self, carry: Any, count: np.ndarray) -> Point:
        """The inverse of `_carry`, for k points."""
        import jax

        params = join(carry.params, self.like)
        arrays, each = jax.tree.leaves(carry.state), len(leaves(self.like))
        # What is left over, in front, is optax's own count of updates.
        starts = range(len(arrays) % each, len(arrays), each)
        moments = [join(arrays[at : at + each], self.like) for at in starts]
        empty = np.empty((len(params), 0, params.shape[-1]), params.dtype)
        return Point(params, np.stack(moments, axis=-2) if moments else empty, count)


@cache
def _training(program: Program, optimiser: str, learning_rate: float) -> Any:
    """Return the training of a program, compiled once."""
    from autodiff.training import training

    return training(program.loss, optimiser, learning_rate)


SIDES = {BY_HAND: ByHand, BY_AUTODIFF: ByAutodiff}

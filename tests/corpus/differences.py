"""What is known of a gradient without the judge: JAX's own, held against difference quotients."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree

from tests.corpus.operations import NAMES
from tests.corpus.programs import function, point

#: A relation holds to this, of the largest element; by accident it holds to no more than 1e-3.
SAME = 1e-9

Gradient = dict[str, np.ndarray]

#: Steps of the difference quotients, relative to parameters of scale 1: three ladders of four.
LADDERS = (2e-2, 2e-3, 2e-4)
RUNGS = 4

#: A gradient is confirmed if it is this close to the quotients, of the largest element: their own
#: errors are about 1e-9 where the loss is smooth, and a mistake in an operation is of order 1.
CONFIRMED = 1e-5

#: Two gradients differ by rounding alone below this, of a leaf's largest element. Condition numbers
#: of the programs are below 1e4 where values are below 20, and 1e4 ulps are 2e-12.
ROUNDING = 1e-11


def gradient(source: str) -> Callable[..., Gradient]:
    """Return the gradient of a text's loss, as `jax.grad` has it in float64."""
    compiled = jax.jit(jax.grad(function(source)))

    def found(params: Any, data: Any) -> Gradient:
        with jax.enable_x64(True):
            grads = compiled(params, data)
        return {name: np.asarray(array) for name, array in grads.items()}

    return found


def points(seed: int) -> Iterator[Any]:
    """The given point, and four more at which an edit may show that does not show there."""
    params, data = point(seed)
    yield params, data
    rng = np.random.default_rng([seed, 3])
    for scale in (0.2, 0.7, 1.0, 2.0):
        yield {k: v + scale * rng.normal(size=v.shape) for k, v in params.items()}, data


def change(a: Gradient, b: Gradient) -> dict[str, float]:
    """Return the largest difference in each leaf, of the leaf's largest element; inf for NaN."""

    def of(x: np.ndarray, y: np.ndarray) -> float:
        if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
            return float("inf")
        scale = max(np.max(np.abs(x)), np.max(np.abs(y)))
        return float(np.max(np.abs(x - y)) / scale) if scale else 0.0

    return {name: of(a[name], b[name]) for name in a}


def relations(wrong: Gradient, right: Gradient) -> dict[str, list[str]]:
    """Return by leaf how its wrong elements are made from the right ones, as numbers show it."""
    return {name: [*_relations(wrong[name], right[name])] for name in right}


def _relations(wrong: np.ndarray, right: np.ndarray) -> Iterator[str]:
    close = SAME * max(np.max(np.abs(wrong)), np.max(np.abs(right)))

    def same(a: np.ndarray, b: np.ndarray) -> bool:
        return bool(np.all(np.abs(a - b) <= close))

    there = np.abs(wrong - right) > close
    w, r = wrong[there], right[there]
    if not there.any():
        return
    if same(w, np.zeros_like(w)):
        yield "zero"
    elif same(w, -r):
        yield "sign"
    elif same(w, r * float(np.vdot(w, r) / np.vdot(r, r))):
        yield "factor"
    if wrong.ndim == 2 and wrong.shape == wrong.T.shape and same(wrong, right.T):
        yield "transposed"
    elif same(np.sort(wrong, axis=None), np.sort(right, axis=None)):
        yield "exchanged"


def quotients(source: str, params: Any, data: Any) -> tuple[Gradient, Gradient]:
    """Return the derivatives by extrapolated central differences, and what they are unsure by.

    Richardson: halving the step removes one even power of it from the error at a time. Each
    element is from the ladder of steps whose last two extrapolations are closest.
    """
    loss = _with_stops(source, params, data)
    with jax.enable_x64(True):
        flat, unravel = ravel_pytree(params)
    steps = np.array([first / 2**k for first in LADDERS for k in range(RUNGS)])
    moves = np.stack([sign * h * np.eye(flat.size) for h in steps for sign in (1, -1)])

    with jax.enable_x64(True):
        moved = jnp.asarray((np.asarray(flat) + moves).reshape(-1, flat.size))
        rows = jax.vmap(lambda vector: loss(unravel(vector), data))(moved)
    up, down = np.moveaxis(np.asarray(rows).reshape(len(steps), 2, flat.size), 1, 0)
    table = ((up - down) / (2 * steps[:, None])).reshape(len(LADDERS), RUNGS, flat.size)
    before = table[:, -1]
    for order in range(1, RUNGS):
        before = table[:, -1]
        table = table[:, 1:] + (table[:, 1:] - table[:, :-1]) / (4**order - 1)
    unsure = np.abs(table[:, -1] - before)
    unsure[~np.isfinite(unsure)] = np.inf
    best = np.argmin(unsure, axis=0)[None]
    found, by = (np.take_along_axis(a, best, 0)[0] for a in (table[:, -1], unsure))
    with jax.enable_x64(True):
        found, by = (jax.tree.map(np.asarray, unravel(vector)) for vector in (found, by))
    return found, by


def _with_stops(source: str, params: Any, data: Any) -> Any:
    """Return the loss in which what `stop_gradient` stops keeps its value at the point."""
    kept: list[Any] = []

    def keep(value: Any) -> Any:
        kept.append(value)
        return value

    def loss_with(stop: Any) -> Any:
        module = SimpleNamespace(**{**vars(lax), "stop_gradient": stop})
        return function(source, {**NAMES, "lax": module})

    with jax.enable_x64(True):
        loss_with(keep)({name: jnp.asarray(array) for name, array in params.items()}, data)

    def loss(*given: Any) -> Any:
        values = iter(kept)
        return loss_with(lambda _: next(values))(*given)

    return loss


def confirmed(source: str, grads: Gradient, params: Any, data: Any) -> float:
    """Return how far a gradient is from the quotients, of its largest element."""
    found, _ = quotients(source, params, data)
    gap = max(np.max(np.abs(grads[name] - found[name])) for name in grads)
    scale = max(np.max(np.abs(value)) for value in grads.values())
    return float(gap / scale) if scale else float(gap)

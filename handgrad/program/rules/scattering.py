"""Rules for updates scattered into an array: added, multiplied, or combined by max and min."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run
from handgrad.program.rule import Rounds, Rule
from handgrad.program.rules.comparison import larger

#: Combines two arrays elementwise, in a run.
Combine = Callable[[Run, Dual, Dual], Dual]


def added(into: Dual, targets: np.ndarray, updates: Dual) -> Dual:
    """Add each update to its target element, a position in the flattened array or -1 for none."""
    chosen = np.flatnonzero(targets.reshape(-1) >= 0)

    def one(into: np.ndarray, what: np.ndarray) -> np.ndarray:
        out = into.reshape(-1).copy()
        np.add.at(out, targets.reshape(-1)[chosen], what.reshape(-1)[chosen])
        return out.reshape(into.shape)

    return _both(one, into, updates)


def _both(f: Callable[[np.ndarray, np.ndarray], np.ndarray], a: Dual, b: Dual) -> Dual:
    """Apply a linear map of two arrays to both terms."""
    value, k = f(a.value, b.value), dual.directions(a, b)
    if k is None:
        return Dual(value)
    pairs = zip(dual.tangents(a, k), dual.tangents(b, k), strict=True)
    # For a single number NumPy iterates over the directions as bare elements.
    moved = [f(balls.array(p), balls.array(q)) for p, q in pairs]
    return Dual(value, dual.stack(moved, lambda _: value, value))


def scatter_add(run: Run, eqn: Any, operand: Any, indices: Any, updates: Any) -> Any:
    """Add each update to its target element; updates without a target are dropped."""
    return added(operand, targets(run, eqn, operand, indices, updates), updates)


def scatter_sub(run: Run, eqn: Any, operand: Any, indices: Any, updates: Any) -> Any:
    """Subtract each update from its target element."""
    return scatter_add(run, eqn, operand, indices, -updates)


def _combining(combine: Combine) -> Callable[..., Dual]:
    """Make a rule that combines the updates of one element one after another."""

    def rule(run: Run, eqn: Any, operand: Dual, indices: Any, updates: Dual) -> Dual:
        places = targets(run, eqn, operand, indices, updates).reshape(-1)
        out, updates = operand.reshape(-1), updates.reshape(-1)
        for chosen in _rounds(places):
            where = places[chosen]
            out = _replaced(out, where, combine(run, out[where], updates[chosen]))
        return out.reshape(*operand.shape)

    return rule


def _rounds(places: np.ndarray) -> list[np.ndarray]:
    """Group the updates by whether they are the first for their element, the second, and so on."""
    chosen = np.argsort(places, kind="stable")
    chosen = chosen[places[chosen] >= 0]
    sorted_places = places[chosen]
    turn = np.arange(chosen.size) - np.searchsorted(sorted_places, sorted_places)
    return [chosen[turn == i] for i in range(int(np.max(turn, initial=-1)) + 1)]


def _replaced(into: Dual, where: np.ndarray, what: Dual) -> Dual:
    def one(into: np.ndarray, what: np.ndarray) -> np.ndarray:
        out = into.copy()
        out[where] = what
        return out

    return _both(one, into, what)


def targets(run: Run, eqn: Any, operand: Dual, indices: np.ndarray, updates: Dual) -> np.ndarray:
    """Return the target position of each update, -1 for none."""
    key = [np.array(operand.shape), indices]
    return run.remembered(eqn, key, lambda: _targets(eqn, operand.shape, indices, updates.shape))


def _targets(eqn: Any, shape: Any, indices: np.ndarray, update_shape: Any) -> np.ndarray:
    """Compute the targets by the transpose of scatter-add, applied to the positions."""
    names = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
    options = {name: eqn.params[name] for name in names}
    with jax.enable_x64(True):
        zeros = jax.numpy.zeros(shape)

        def scattered(updates: Any) -> Any:
            return jax.lax.scatter_add(zeros, indices, updates, **options)

        _, transpose = jax.vjp(scattered, jax.numpy.zeros(update_shape))
        (found,) = transpose(np.arange(1.0, zeros.size + 1).reshape(shape))
    return np.asarray(found).astype(np.intp) - 1


RULES: dict[str, Rule] = {
    "scatter-add": Rule(scatter_add, Rounds.SUM),
    "scatter_add": Rule(scatter_add, Rounds.SUM),
    "scatter-sub": Rule(scatter_sub, Rounds.SUM),
    "scatter-mul": Rule(_combining(lambda run, a, b: a * b), Rounds.RESULT),
    "scatter-max": Rule(_combining(larger)),
    "scatter-min": Rule(_combining(lambda run, a, b: larger(run, a, b, -1))),
}

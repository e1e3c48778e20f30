"""Where the referee has no rule for an operation: the best estimate there is, and said to be one.

`jax.grad` in float64, held to finite differences of the loss (`scipy.differentiate`, which
estimates its own error). Where the two contradict each other, nothing is decided.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.data.point import Point
from handgrad.data.pytrees import is_real
from handgrad.oracle.reference import Reference
from handgrad.tolerance.tolerances import SHARP, Tolerance

#: Differences take several evaluations of the loss for each parameter; beyond these, some are
#: drawn.
MOST = 64

#: The error estimate of finite differences is an estimate, as is the rounding of the loss divided
#: by the step: so many of both are allowed for.
TRUST = 10


def reference(
    loss: Callable[..., Any], given: Point, operation: str, seed: int
) -> tuple[Reference, Tolerance]:
    """An estimate of the gradient in float64, and tolerances from the same.

    Args:
        loss: (params, *inputs) -> a scalar.
        given: the point.
        operation: what has no rule.
        seed: of the random draws.
    """
    rng = np.random.default_rng(seed)
    f = _flat(loss, given)
    point = np.concatenate([leaf.reshape(-1).astype(np.float64) for leaf in given.leaves])
    with jax.enable_x64(True):
        both = jax.jit(jax.value_and_grad(f))
        value, gradient = (np.asarray(out) for out in both(point))
        slopes, errors, known = _differences(jax.jit(f), point, rng)
        moves = _moves(both, given, point, value, gradient, rng)
    floor = np.spacing(abs(float(value))) / _scales(point)
    contradicted = known & (np.abs(gradient - slopes) > TRUST * (errors + floor))
    unit = moves[1:]
    # Two estimates that contradict each other decide nothing.
    loose = np.where(contradicted, np.inf, SHARP * unit)
    unit = np.where(contradicted, 0.0, unit)
    how = (
        f"not certified: there is no rule for `{operation}`; jax.grad in float64, "
        f"{int(known.sum())} of {point.size} elements held to finite differences of the loss"
    )
    found = Reference(
        arb(float(value)),
        balls.exact(gradient),
        np.ones(point.size, dtype=bool),
        how,
        bits=53,
        program=None,
        certified=False,
    )
    return found, Tolerance(unit, loose, moves[0], SHARP * moves[0], balls.exact(gradient))


def _flat(loss: Callable[..., Any], given: Point) -> Callable[[Any], Any]:
    """The loss as a function of one vector in float64."""
    tree = jax.tree_util.tree_structure(given.params)
    inputs = jax.tree_util.tree_map(_wide, given.inputs)

    def f(vector: Any) -> Any:
        parts = [
            vector[part].reshape(leaf.shape)
            for part, leaf in zip(given.parts(), given.leaves, strict=True)
        ]
        return loss(jax.tree_util.tree_unflatten(tree, parts), *inputs)

    return f


def _wide(leaf: Any) -> Any:
    return np.asarray(leaf, dtype=np.float64) if is_real(leaf) else leaf


def _scales(point: np.ndarray) -> np.ndarray:
    """How far each parameter is moved for differences, to begin with: about its own size."""
    largest = float(np.max(np.abs(point), initial=0.0))
    return np.maximum(np.abs(point), 1e-3 * largest or 1.0)


def _differences(f: Any, point: np.ndarray, rng: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.differentiate import derivative

    slopes, errors = np.zeros(point.size), np.zeros(point.size)
    known, scales = np.zeros(point.size, dtype=bool), _scales(point)
    for i in rng.permutation(point.size)[:MOST]:

        def along(values: Any, i: int = int(i)) -> np.ndarray:
            moved = np.repeat(point[None], np.size(values), axis=0)
            moved[:, i] = np.ravel(values)
            return np.array([float(f(row)) for row in moved]).reshape(np.shape(values))

        step = 0.1 * float(scales[i])
        found = derivative(along, point[i], initial_step=step, maxiter=8)
        slopes[i], errors[i] = float(found.df), float(found.error)
        known[i] = np.isfinite(slopes[i]) and np.isfinite(errors[i])
    return slopes, errors, known


def _moves(
    both: Any, given: Point, point: np.ndarray, value: Any, gradient: np.ndarray, rng: Any
) -> np.ndarray:
    """Units of the loss and its gradient, from float64 runs at points half an ulp away."""
    ulps = np.concatenate(
        [np.spacing(np.abs(leaf)).reshape(-1).astype(np.float64) for leaf in given.leaves]
    )
    eps = max(float(np.finfo(leaf.dtype).eps) for leaf in given.leaves)
    base = np.concatenate([[float(value)], gradient])
    moves = np.abs(base) * eps / 2 + np.max(np.abs(gradient), initial=0.0) * eps / 2
    for _ in range(4):
        moved = both(point + rng.choice([-0.5, 0.5], size=point.size) * ulps)
        there = np.concatenate([[float(moved[0])], np.asarray(moved[1])])
        moves = np.fmax(moves, np.abs(there - base))
    return moves

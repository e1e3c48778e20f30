"""An uncertified estimate of the gradient, for losses with an operation that has no rule.

It is `jax.grad` in float64, compared with finite differences of the loss (`scipy.differentiate`,
which estimates its own error). Where the two contradict each other, nothing is decided.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.data.domains.tangent import Tangent
from handgrad.data.point import Point
from handgrad.data.pytrees import is_real
from handgrad.oracle.reference import Reference, UndecidableError
from handgrad.program.trace import differentiated
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import STATED
from handgrad.tolerance.tolerances import Measured, Tolerance, Tolerances

#: The most parameters to take finite differences by, each of which costs several evaluations of the
#: loss; of more parameters a random sample is taken.
MOST = 64

#: A safety factor on the error estimate of the finite differences, and on the rounding of the loss
#: divided by the step.
TRUST = 10


def reference(
    loss: Callable[..., Any],
    given: Point,
    operation: str,
    seed: int,
    tangent: Tangent | None = None,
) -> tuple[Reference, Tolerances]:
    """Estimate the gradient and its tolerances in float64, both projected on the tangent space.

    `operation` is what has no rule.
    """
    rng = np.random.default_rng(seed)
    f = _flat(loss, given)
    point = np.concatenate([leaf.reshape(-1).astype(np.float64) for leaf in given.leaves])
    with jax.enable_x64(True):
        differentiate, program = differentiated(f, point)
        if program is None:
            what = f"there is no rule for `{operation}`, and JAX cannot differentiate the loss"
            raise UndecidableError(what)
        both = jax.jit(differentiate(f))
        value, gradient = (np.asarray(out) for out in both(point))
        slopes, errors, known = _differences(jax.jit(f), point, rng)
        changes = _changes(both, given, point, value, gradient, rng)
    floor = np.spacing(abs(float(value))) / _scales(point)
    contradicted = known & (np.abs(gradient - slopes) > TRUST * (errors + floor))
    unit = changes[1:]
    # Two estimates that contradict each other decide nothing.
    loose = np.where(contradicted, np.inf, SHARP * unit)
    unit = np.where(contradicted, 0.0, unit)
    if tangent is not None:
        gradient = tangent.of_floats(gradient)
        unit, loose = tangent.widened(unit), tangent.widened(loose)
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
    none = np.zeros(point.size)
    estimated = Tolerance(unit, loose, changes[0], SHARP * changes[0], balls.exact(gradient), none)
    return found, Measured(estimated)


def _flat(loss: Callable[..., Any], given: Point) -> Callable[[Any], Any]:
    """Return the loss as a function of one float64 vector."""
    tree = jax.tree_util.tree_structure(given.params)
    inputs = jax.tree_util.tree_map(
        lambda leaf: np.asarray(leaf, dtype=np.float64) if is_real(leaf) else leaf, given.inputs
    )

    def f(vector: Any) -> Any:
        parts = [
            vector[part].reshape(leaf.shape)
            for part, leaf in zip(given.parts(), given.leaves, strict=True)
        ]
        return loss(jax.tree_util.tree_unflatten(tree, parts), *inputs)

    return f


def _operations(leaf: np.ndarray) -> float:
    """Return how many half ulps of a leaf count as one change, of which `SHARP` are right.

    In a short format that leaves the rounding of `STATED` operations.
    """
    return SHARP / STATED if formats.is_half(leaf.dtype) else 1.0


def _scales(point: np.ndarray) -> np.ndarray:
    """Return the initial step of the differences for each parameter: about its own size."""
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


def _changes(
    both: Any, given: Point, point: np.ndarray, value: Any, gradient: np.ndarray, rng: Any
) -> np.ndarray:
    """Return the units of the loss and its gradient: how far they move by half an ulp of inputs."""
    ulps = np.concatenate(
        # Numbers of a short format stand for no others.
        [
            np.zeros(leaf.size)
            if formats.is_half(leaf.dtype)
            else np.spacing(np.abs(leaf)).reshape(-1).astype(np.float64)
            for leaf in given.leaves
        ]
    )
    eps = max(float(formats.of(leaf.dtype).eps) / _operations(leaf) for leaf in given.leaves)
    base = np.concatenate([[float(value)], gradient])
    changes = np.abs(base) * eps / 2 + np.max(np.abs(gradient), initial=0.0) * eps / 2
    drawn = rng.choice([-1.0, 1.0], size=(4, point.size))
    # Two parameters that the first draw moves alike differ in a bit of their numbers, and one of
    # these moves them apart.
    bits = (np.arange(point.size) >> np.arange(point.size.bit_length())[:, None]) & 1
    # Half an ulp would be rounded to none, or to one: so half of what a whole one changes.
    for signs in (*drawn, *(drawn[0] * (1 - 2 * bits))):
        moved = both(point + signs * ulps)
        there = np.concatenate([[float(moved[0])], np.asarray(moved[1])])
        changes = np.fmax(changes, np.abs(there - base) / 2)
    return changes

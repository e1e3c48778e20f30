"""Whether a gradient that lost digits has the right formula: the same lines at another precision.

What shrinks when numbers get longer is rounding; what stays is a mistake. Lines that JAX can trace run
in ball arithmetic, NumPy's lines in its longest floats, and any lines in float32 for a comparison.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from handgrad.arguments import Arguments
from handgrad.referee import balls
from handgrad.referee.dual import Dual
from handgrad.referee.interpreter import Run
from handgrad.referee.program import Program, split, wide
from handgrad.referee.rules import RULES
from handgrad.referee.ties import Comparisons

#: In longer floats a gap that is rounding is at least so many times smaller: they have 11 bits more,
#: of which a lucky rounding of the shorter ones may hide some.
SHRINKS = 8

#: At high precision a right formula is right to so many bits.
SAME = 2.0**-100

Gradient = Callable[..., Any]


def right_formula(
    gradient: Gradient, given: Arguments, truth: np.ndarray, gap: np.ndarray, has_value: bool
) -> np.ndarray | None:
    """Which elements of a gradient are right but for rounding, or None if there is no telling.

    Args:
        gradient: the caller's lines.
        given: the point.
        truth: the right gradient there, objects of shape (size,).
        gap: how far from it the lines end in the format of the parameters.
        has_value: whether they return the loss as well.
    """
    sizes = np.abs(balls.midpoints(truth))
    in_balls = _in_balls(gradient, given, has_value)
    if in_balls is not None:
        return balls.magnitudes(in_balls - truth) <= SAME * sizes
    longer = _in_longer_floats(gradient, given, has_value)
    if longer is not None:
        return balls.magnitudes(longer - truth) * SHRINKS <= gap
    return None


def _in_balls(gradient: Gradient, given: Arguments, has_value: bool) -> np.ndarray | None:
    """The caller's lines in exact arithmetic, if JAX can trace them."""
    leaves, tree = jax.tree_util.tree_flatten(given.params)
    real, together = split(given.inputs)

    def flat(leaves: Any, real: Any) -> Any:
        grads = gradient(jax.tree_util.tree_unflatten(tree, leaves), *together(real))
        return jax.tree_util.tree_leaves(grads[1] if has_value else grads)

    try:
        with wide([*given.leaves, *real]):
            program = Program(jax.make_jaxpr(flat)([np.asarray(a) for a in leaves], real))
        with balls.precision(1024):
            run = Run(RULES, Comparisons(final=True), program.memory)
            arguments = [Dual(balls.exact(a)) for a in (*given.leaves, *real)]
            outputs = run.closed(program.jaxpr, arguments)
        return np.concatenate([out.value.reshape(-1) for out in outputs])
    except Exception:  # the caller's lines, in a way they were not written for: anything may happen
        return None


def _in_longer_floats(gradient: Gradient, given: Arguments, has_value: bool) -> np.ndarray | None:
    """The caller's lines in NumPy's longest floats, where those are longer and the lines keep them."""
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        return None

    def longer(leaf: Any) -> Any:
        floats = isinstance(leaf, np.ndarray | np.generic) and leaf.dtype in (np.float64, np.float32)
        return leaf.astype(np.longdouble) if floats else leaf

    try:
        params = jax.tree_util.tree_map(longer, given.params)
        inputs = jax.tree_util.tree_map(longer, given.inputs)
        grads = gradient(params, *inputs)
        found = jax.tree_util.tree_leaves(grads[1] if has_value else grads)
    except Exception:  # as above
        return None
    shapes = [leaf.shape for leaf in given.leaves]
    if [np.shape(leaf) for leaf in found] != shapes or any(
        np.asarray(leaf).dtype != np.longdouble for leaf in found
    ):
        return None
    return np.concatenate([_exact(np.asarray(leaf)).reshape(-1) for leaf in found])


def _exact(values: np.ndarray) -> np.ndarray:
    """Longest floats as balls: the float64 nearest to each, and what is left."""
    head = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        tail = (values - head).astype(np.float64)
    return balls.exact(head) + balls.exact(tail)



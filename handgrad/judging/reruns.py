"""Rerun a gradient at another precision, to tell lost digits from a wrong formula.

A gap that shrinks at a higher precision is rounding; a gap that stays is a mistake. Code that JAX
can trace or that NumPy can run on objects is rerun in ball arithmetic, where nothing is lost; other
code in NumPy's longest floats. Code that runs in one precision only is rerun at points nearby.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.data.point import Point
from handgrad.data.pytrees import split, wide
from handgrad.judging import neighbours
from handgrad.judging.losses import PreparedLoss
from handgrad.judging.ruling import INCONCLUSIVE, RIGHT_FORMULA, WRONG_FORMULA, Gaps
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from handgrad.program.trace import Program

#: In longer floats a gap that is rounding shrinks with the unit roundoff, up to this factor by
#: chance. A gap that shrinks only with its root, as that of a finite difference does, is not
#: rounding: from float64 to NumPy's longest floats on x86 45 times instead of 2048.
LUCK = 16

#: The precision of the caller's code in ball arithmetic.
BITS = 1024

Gradient = Callable[..., Any]


def formula(loss: PreparedLoss, given: Point, gaps: Gaps) -> np.ndarray:
    """Tell whether elements of a gradient are off by rounding alone, as far as reruns can show.

    Returns:
        WRONG_FORMULA, INCONCLUSIVE or RIGHT_FORMULA for each element.
    """
    gradient, has_value = loss.case.gradient, loss.case.has_value
    with balls.precision(BITS):
        traced = _attempt(_traced, gradient, given, has_value)
        if traced is not None:
            return gaps.shown_by(gaps.gap_of(traced))
        shown = np.full(gaps.gap.shape, INCONCLUSIVE)
        on_objects = _attempt(_on_objects, gradient, given, has_value)
        if on_objects is not None:
            gap = gaps.gap_of(on_objects)
            shown = gaps.shown_by(gap)
            # A gap as large as in floats may mean that the code turned balls into floats.
            in_floats = (shown == WRONG_FORMULA) & (gap * LUCK > gaps.gap)
            shown = np.where(in_floats, INCONCLUSIVE, shown)
        longer = _attempt(_in_longer_floats, gradient, given, has_value)
        if longer is not None:
            shrinks = gaps.gap_of(longer) * _shrinks(given) <= gaps.gap
            return np.where((shown == INCONCLUSIVE) & shrinks, RIGHT_FORMULA, shown)
    unclear = gaps.wrong & (shown == INCONCLUSIVE)
    size = np.abs(balls.midpoints(gaps.reference))
    if unclear.any() and neighbours.more_than_half(given, size, gaps.gap)[gaps.wrong].all():
        beside = partial(_at_random, loss=loss, gaps=gaps)
        random = _attempt(beside, gradient, given, has_value)
        if random is not None:
            return np.where((shown == INCONCLUSIVE) & random, RIGHT_FORMULA, shown)
    return shown


def _shrinks(given: Point) -> np.ndarray:
    """Return by how much rounding shrinks in longer floats at least, for each element."""
    longest = np.finfo(np.longdouble).eps
    factors = [float(np.finfo(leaf.dtype).eps / longest) / LUCK for leaf in given.leaves]
    return np.repeat(factors, [leaf.size for leaf in given.leaves])


def _attempt(lines: Any, gradient: Gradient, given: Point, has_value: bool) -> Any:
    """Run the caller's code on numbers that it was not written for; None if it raises."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return lines(gradient, given, has_value)
    except Exception:
        return None


def _traced(gradient: Gradient, given: Point, has_value: bool) -> np.ndarray:
    """Trace the caller's code, and run the program in ball arithmetic."""
    tree = jax.tree_util.tree_structure(given.params)
    real, together = split(given.inputs)

    def flat(leaves: Any, real: Any) -> Any:
        grads = gradient(jax.tree_util.tree_unflatten(tree, leaves), *together(real))
        return jax.tree_util.tree_leaves(grads[1] if has_value else grads)

    with wide([*given.leaves, *real]):
        program = Program(jax.make_jaxpr(flat)(list(given.leaves), real))
    run = Run(RULES, Comparisons(final=True, undefined=True), program.memory)
    outputs = run.closed(program.jaxpr, [Dual(balls.exact(a)) for a in (*given.leaves, *real)])
    return np.concatenate([out.value.reshape(-1) for out in outputs])


def _on_objects(gradient: Gradient, given: Point, has_value: bool) -> np.ndarray:
    """Run NumPy code on object arrays of balls."""

    def boxed(leaf: Any) -> Any:
        return balls.exact(leaf) if _is_floats(leaf) else leaf

    found = _called(gradient, given, has_value, boxed)
    arrays = [np.asarray(leaf, dtype=object).reshape(-1) for leaf in found]
    return np.concatenate(arrays) + balls.ZERO


def _in_longer_floats(gradient: Gradient, given: Point, has_value: bool) -> np.ndarray | None:
    """Run NumPy code in longer floats; None if there are none, or the code converts them."""
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        return None

    def longer(leaf: Any) -> Any:
        return leaf.astype(np.longdouble) if _is_floats(leaf) else leaf

    found = [np.asarray(leaf) for leaf in _called(gradient, given, has_value, longer)]
    if any(leaf.dtype != np.longdouble for leaf in found):
        return None
    return np.concatenate([_exact(leaf).reshape(-1) for leaf in found])


def _at_random(
    gradient: Gradient,
    given: Point,
    has_value: bool,
    loss: PreparedLoss,
    gaps: Gaps,
) -> np.ndarray | None:
    """Run the code at neighbouring points; see `handgrad.judging.neighbours`."""

    def answer(near: Point) -> np.ndarray:
        found = _called(gradient, near, has_value, lambda leaf: leaf)
        return np.concatenate([np.asarray(leaf, dtype=np.float64).reshape(-1) for leaf in found])

    return neighbours.at_random(answer, loss, given, gaps.gap)


def _called(gradient: Gradient, given: Point, has_value: bool, change: Any) -> list[Any]:
    params = jax.tree_util.tree_map(change, given.params)
    grads = gradient(params, *jax.tree_util.tree_map(change, given.inputs))
    found = jax.tree_util.tree_leaves(grads[1] if has_value else grads)
    if [np.shape(leaf) for leaf in found] != [leaf.shape for leaf in given.leaves]:
        raise ValueError("another shape")
    return found


def _is_floats(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray | np.generic) and leaf.dtype in (np.float64, np.float32)


def _exact(values: np.ndarray) -> np.ndarray:
    """Convert longest floats to balls exactly: the nearest float64, and the remainder."""
    head = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        tail = (values - head).astype(np.float64)
    return np.asarray(balls.exact(head) + balls.exact(tail), dtype=object)

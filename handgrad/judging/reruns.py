"""Whether a gradient that lost digits has the right formula: the same lines at another precision.

What shrinks when numbers get longer is rounding; what stays is a mistake. Lines that JAX can trace
and lines that NumPy can run on objects run in ball arithmetic, where nothing is lost; others in
NumPy's longest floats. Lines that run in one precision only are asked beside the point.
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
from handgrad.judging.ruling import NOT_TOLD, RIGHT_FORMULA, WRONG_FORMULA, Held
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from handgrad.program.trace import Program

#: In longer floats a gap that is rounding shrinks as the unit of rounding does, up to a factor that
#: luck may hide. What shrinks only with its root, as the error of a finite difference does, is no
#: rounding: from float64 to NumPy's longest floats on x86, 45 times instead of 2048.
LUCK = 16

#: Bits for the caller's lines in ball arithmetic.
BITS = 1024

Gradient = Callable[..., Any]


def formula(loss: PreparedLoss, given: Point, held_to: Held) -> np.ndarray:
    """Whether elements of a gradient are off by rounding alone, as far as its lines can show.

    Args:
        loss: of the case; it certifies the gradient at other points.
        given: the point.
        held_to: the reference there, and how far the lines end from it.

    Returns:
        WRONG_FORMULA, NOT_TOLD or RIGHT_FORMULA for each element.
    """
    gradient, has_value = loss.case.gradient, loss.case.has_value
    with balls.precision(BITS):
        traced = _attempt(_traced, gradient, given, has_value)
        if traced is not None:
            return _told(held_to.gap_of(traced) <= held_to.sharp)
        told = np.full(held_to.gap.shape, NOT_TOLD)
        on_objects = _attempt(_on_objects, gradient, given, has_value)
        if on_objects is not None:
            gap = held_to.gap_of(on_objects)
            right = gap <= held_to.sharp
            # A gap as large as in floats may be there because the lines turned balls into floats.
            told = np.where(right | (gap * LUCK <= held_to.gap), _told(right), NOT_TOLD)
        longer = _attempt(_in_longer_floats, gradient, given, has_value)
        if longer is not None:
            shrinks = held_to.gap_of(longer) * _shrinks(given) <= held_to.gap
            return np.where((told == NOT_TOLD) & shrinks, RIGHT_FORMULA, told)
    asked = held_to.wrong & (told == NOT_TOLD)
    size = np.abs(balls.midpoints(held_to.reference))
    if asked.any() and neighbours.more_than_half(given, size, held_to.gap)[held_to.wrong].all():
        beside = partial(_at_random, loss=loss, held_to=held_to)
        random = _attempt(beside, gradient, given, has_value)
        if random is not None:
            return np.where((told == NOT_TOLD) & random, RIGHT_FORMULA, told)
    return told


def _told(right: np.ndarray) -> np.ndarray:
    return np.where(right, RIGHT_FORMULA, WRONG_FORMULA)


def _shrinks(given: Point) -> np.ndarray:
    """How many times smaller rounding is in longer floats at least, for each element."""
    longest = np.finfo(np.longdouble).eps
    factors = [float(np.finfo(leaf.dtype).eps / longest) / LUCK for leaf in given.leaves]
    return np.repeat(factors, [leaf.size for leaf in given.leaves])


def _attempt(lines: Any, gradient: Gradient, given: Point, has_value: bool) -> Any:
    """The caller's lines in numbers that they were not written for: anything may happen."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return lines(gradient, given, has_value)
    except Exception:
        return None


def _traced(gradient: Gradient, given: Point, has_value: bool) -> np.ndarray:
    """The caller's lines as a program, in ball arithmetic."""
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
    """NumPy's lines on object arrays of balls."""

    def boxed(leaf: Any) -> Any:
        return balls.exact(leaf) if _is_floats(leaf) else leaf

    found = _called(gradient, given, has_value, boxed)
    arrays = [np.asarray(leaf, dtype=object).reshape(-1) for leaf in found]
    return np.concatenate(arrays) + balls.ZERO


def _in_longer_floats(gradient: Gradient, given: Point, has_value: bool) -> np.ndarray | None:
    """NumPy's lines in its longest floats, where those are longer and the lines keep them."""
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
    held_to: Held,
) -> np.ndarray | None:
    """The same lines beside the point."""

    def answer(near: Point) -> np.ndarray:
        found = _called(gradient, near, has_value, lambda leaf: leaf)
        return np.concatenate([np.asarray(leaf, dtype=np.float64).reshape(-1) for leaf in found])

    return neighbours.at_random(answer, loss, given, held_to.gap)


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
    """Longest floats as balls: the float64 nearest to each, and what is left."""
    head = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        tail = (values - head).astype(np.float64)
    return np.asarray(balls.exact(head) + balls.exact(tail), dtype=object)

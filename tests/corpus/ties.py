"""What is due of an answer at a kink or a tie, by differences on its sides and nothing else.

A gradient of some side is right there, and so is a mean of some. Sides are drawn at random: an
answer that is a mean of what is found is right. It is wrong if it is none, as long as no gradient
was found rarely, so that hardly one can be missing. A side so narrow that none of the drawn ones is
in it is not seen, nor what only floats have for a tie: where there is such a side, or such a tie, a
case states its verdict.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from scipy.optimize import nnls

from tests.corpus.directions import along

#: How many sides are drawn, and how often each gradient must be found if no other one is missing.
SIDES, OFTEN = 128, 4

#: How far away each is looked at, and the step of differences there, relative to sizes of 1.
AWAY, STEP = (2.0**-10, 2.0**-11, 2.0**-12), 2.0**-21

#: From how many slopes at most a gradient is known: of its elements, or along random directions.
SLOPES = 12

#: What is this close to a mean, of its size, is one; and what is not this close to any is none.
IN, OUT = 1e-7, 1e-5


def at_a_tie(
    loss: Callable[[Any], Any], params: Any, answer: Any, rng: np.random.Generator
) -> str | None:
    """Return the verdict that is due of an answer here; None where differences cannot tell."""
    leaves, structure = jax.tree.flatten(params)
    arrays = [np.asarray(leaf) for leaf in leaves]
    given = [np.asarray(leaf) for leaf in jax.tree.leaves(answer)]
    if [a.shape for a in arrays] != [a.shape for a in given]:
        return None
    if not all(a.dtype.kind == "f" for a in (*arrays, *given)):
        return None
    flat = np.concatenate([a.ravel() for a in arrays]).astype(float)
    ends = np.cumsum([a.size for a in arrays])[:-1]
    sizes = np.where(flat == 0, 1, np.abs(flat))

    def at(by: np.ndarray) -> float:
        parts = [v.reshape(a.shape) for v, a in zip(np.split(by, ends), arrays, strict=True)]
        return float(loss(along(params, structure.unflatten(parts), 1.0)))

    axes = np.eye(flat.size) if flat.size <= SLOPES else rng.normal(size=(SLOPES, flat.size))
    axes, height = axes * sizes, at(np.zeros(flat.size))
    sides = [_slopes(at, axes, sizes * rng.normal(size=flat.size), height) for _ in range(SIDES)]
    found = np.array([side for side in sides if side is not None])
    if len(found) < SIDES * 3 / 4:
        return None
    wanted = axes @ np.concatenate([a.ravel() for a in given])
    if not np.isfinite(wanted).all():
        return "disagree"
    scale = np.maximum(np.abs(found).max(axis=0), np.abs(wanted))
    found, wanted = (np.divide(a, scale, where=scale > 0, out=0 * a) for a in (found, wanted))
    if flat.size > SLOPES <= 1 + np.linalg.matrix_rank(found - wanted, tol=OUT):
        return None  # what is a mean along these directions need not be one
    # The distance from the nearest mean.
    _, off = nnls(np.vstack([found.T, np.ones(len(found))]), np.append(wanted, 1.0))
    often = Counter(map(bytes, np.round(found, 5) + 0.0))
    if off <= IN:
        return "agree"
    return "disagree" if off > OUT and min(often.values()) >= OFTEN else None


def _slopes(
    at: Callable[[np.ndarray], float], axes: np.ndarray, side: np.ndarray, height: float
) -> np.ndarray | None:
    """Return the slopes along axes on a side, where it ends at the point; None if it has none."""
    table = np.array([
        [at(h * side), *((at(h * side + STEP * v) - at(h * side - STEP * v)) for v in axes)]
        for h in AWAY
    ])  # fmt: skip
    table[:, 1:] /= 2 * STEP
    before = table
    for power in (1, 2):
        before, table = table, table[1:] + (table[1:] - table[:-1]) / (2**power - 1)
    sizes = np.abs(table).max(axis=0)
    if not np.all(np.abs(table[-1] - before[-1]) <= OUT * max(sizes[1:].max(), 1e-300)):
        return None  # another kink is between
    reached, *slopes = table[-1]
    if abs(reached - height) > IN * max(sizes):
        return None  # it jumps
    return np.array(slopes)

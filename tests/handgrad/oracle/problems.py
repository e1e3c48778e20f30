"""A loss at a point, as the referee gets it and as JAX answers it."""

from typing import Any

import jax
import numpy as np

from handgrad.data.point import point_at
from handgrad.data.pytrees import split
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program.trace import trace


def problem(loss: Any, params: Any, *inputs: Any, trusted: Any = frozenset()) -> Problem:
    given = point_at(params, inputs)
    traced = trace(loss, given.arrays, given.inputs)
    real, _ = split(given.inputs)
    arrays = [np.asarray(array) for array in real] if traced.traced_inputs else []
    return Problem(traced, given.leaves, arrays, trusted)


def certified(loss: Any, params: Any, *inputs: Any, method: str = "series") -> Reference:
    return certify(problem(loss, params, *inputs), method)


def flat(tree: Any) -> np.ndarray:
    leaves = [np.asarray(leaf, dtype=np.float64).ravel() for leaf in jax.tree.leaves(tree)]
    return np.concatenate(leaves)

"""References that later checks share: of the same loss at the same point, for another gradient."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.arithmetic.comparisons import Decisions
from handgrad.data.recent import Recent
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference

#: References of smooth points. All their gradients together have at most so many elements, or what
#: takes as much memory.
_REFERENCES: Recent[Reference] = Recent(2**17)

#: About the bytes of an element, which is a ball in the gradient and one in its run; of an array
#: without its numbers; and of the rest of a reference and its key.
_BYTES, _ARRAY, _REST = 256, 128, 2048


def shared_reference(problem: Problem, method: str) -> Reference:
    """Return the reference gradient as `certify` does, or that of an earlier check."""
    key, gradient = _key(problem, method), problem.traced.gradient
    if key is None or gradient is None:
        return certify(problem, method)
    known = _REFERENCES.get(key)
    if known is not None and known.run is not None:
        return replace(known, program=gradient, run=_apart(known.run))
    reference = certify(problem, method)
    if reference.program is gradient and reference.run is not None:
        kept = replace(reference, program=None, run=_apart(reference.run))
        _REFERENCES.put(key, kept, _weight(reference.run, gradient.jaxpr.consts))
    return reference


def _apart(run: tuple[np.ndarray, Decisions]) -> tuple[np.ndarray, Decisions]:
    """Return a run for another check: perturbed runs add to the decisions that they repeat."""
    loss_and_gradient, decisions = run
    return loss_and_gradient, Decisions(decisions.made, decisions.tied)


def _weight(run: tuple[np.ndarray, Decisions], constants: Sequence[Any]) -> int:
    """Return how many elements take as much memory as a reference with this run, and its key."""
    loss_and_gradient, decisions = run
    arrays = (*decisions.made, *decisions.tied, *constants)
    others = sum(np.size(array) * 8 + _ARRAY for array in arrays)
    return loss_and_gradient.size + (others + _REST) // _BYTES


def _key(problem: Problem, method: str) -> Any:
    """Return all that a reference depends on, with all constants; None if that is not known."""
    if problem.traced.key is None:
        return None
    point = hashlib.sha256()
    for array in (*problem.leaves, *problem.inputs):
        point.update(array.tobytes())
    tangent = problem.tangent and problem.tangent.key
    return *problem.traced.key, point.digest(), problem.trusted, tangent, method

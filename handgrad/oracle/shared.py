"""References that later checks share: of the same loss at the same point, for another gradient."""

import hashlib
import weakref
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.arithmetic.comparisons import Decisions
from handgrad.data.recent import Recent
from handgrad.oracle.certify import PROBED, certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program.trace import share

#: References of smooth points. All their gradients together have at most so many elements, or what
#: takes as much memory.
_REFERENCES: Recent[Reference] = Recent(2**17)

#: About the bytes of an element, which is a ball in the gradient and one in its run; of an array
#: without its numbers; and of the rest of a reference and its key.
_BYTES, _ARRAY, _REST = 256, 128, 2048


def shared_reference(problem: Problem, method: str) -> Reference:
    """Return the reference gradient as `certify` does, or that of an earlier check."""
    key, gradient = _key(problem, method), problem.traced.gradient
    known = None if key is None else _REFERENCES.get(key)
    if known is not None and known.run is not None:
        return replace(known, program=gradient, run=_apart(known.run))
    reference = certify(problem, method)
    certified = gradient is not None and reference.program is gradient
    if certified and reference.run is not None and share(problem.traced, without=PROBED):
        kept = replace(reference, program=None, run=_apart(reference.run))
        _REFERENCES.put(key, kept, _weight(reference.run))
    return reference


def _apart(run: tuple[np.ndarray, Decisions]) -> tuple[np.ndarray, Decisions]:
    """Return a run for another check: perturbed runs add to the decisions that they repeat."""
    loss_and_gradient, decisions = run
    return loss_and_gradient, Decisions(decisions.made, decisions.tied)


def _weight(run: tuple[np.ndarray, Decisions]) -> int:
    """Return how many elements take as much memory as a reference with this run."""
    loss_and_gradient, decisions = run
    decided = sum(array.nbytes + _ARRAY for array in (*decisions.made, *decisions.tied))
    return loss_and_gradient.size + (decided + _REST) // _BYTES


def _key(problem: Problem, method: str) -> Any:
    """Return all that a reference depends on; None if that is not known.

    The form of a loss has all its constants. It is kept as long as the loss is, and not for a key:
    references to forms are equal while both forms are there and equal, and later to nothing else.
    """
    if problem.traced.key is None:
        return None
    form, of_gradient, *others = problem.traced.key
    point = hashlib.sha256()
    for array in (*problem.leaves, *problem.inputs):
        point.update(array.tobytes())
    forms = weakref.ref(form), of_gradient and weakref.ref(of_gradient)
    tangent = problem.tangent and problem.tangent.key
    return *forms, *others, point.digest(), problem.trusted, tangent, method

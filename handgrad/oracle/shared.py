"""References that later checks share: of the same loss at the same point, for another gradient."""

import hashlib
from dataclasses import replace
from typing import Any

from handgrad.arithmetic.comparisons import Decisions
from handgrad.data.recent import Recent
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program.trace import share

#: References of smooth points; all their gradients together have at most so many elements, of
#: which one takes some hundred bytes.
_REFERENCES: Recent[Reference] = Recent(2**17)


def shared_reference(problem: Problem, method: str) -> Reference:
    """Return the reference gradient as `certify` does, or that of an earlier check."""
    key, gradient = _key(problem, method), problem.traced.gradient
    known = None if key is None else _REFERENCES.get(key)
    if known is not None and known.run is not None:
        loss_and_gradient, decisions = known.run
        # Perturbed runs add to the decisions that they repeat.
        run = loss_and_gradient, Decisions(decisions.made, decisions.tied)
        return replace(known, program=gradient, run=run)
    reference = certify(problem, method)
    if gradient is not None and reference.program is gradient and reference.run is not None:
        share(problem.traced)
        if key is not None:
            _REFERENCES.put(key, replace(reference, program=None), problem.size)
    return reference


def _key(problem: Problem, method: str) -> Any:
    """Return all that a reference depends on; None if that is not known."""
    if problem.traced.key is None:
        return None
    point = hashlib.sha256()
    for array in (*problem.leaves, *problem.inputs):
        point.update(array.tobytes())
    return problem.traced.key, point.digest(), problem.trusted, method

"""Propose that a Hessian on a curved domain is the Riemannian one.

What is judged is the Hessian H of the loss by all numbers, along two tangents: P·H·P. The second
derivative along geodesics is another one, P·(H - W)·P, in which W is how the domain curves away
from its tangent space towards the gradient (Absil, Mahony and Trumpf, 2013, "An extrinsic look at
the Riemannian Hessian").
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.data.domains.domain import Domain
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.judging.case import Case
from handgrad.judging.matrix_parts import HessianProduct, Matrix

SAYS = (
    "yours is the Riemannian Hessian, the second derivative along geodesics; that of the loss by "
    "all numbers, along two tangents, lacks its term of curvature"
)


def curvature(evidence: Evidence, _: np.ndarray) -> Iterator[Theory]:
    """Propose the Riemannian Hessian, or its product with a tangent."""
    case, part = evidence.trial.case, evidence.trial.case.part
    hessian = isinstance(part, HessianProduct) or (isinstance(part, Matrix) and part.symmetric)
    if hessian and any(domain.curved for domain in case.domains):
        yield Theory("convention", SAYS, partial(_riemannian, case))


def _riemannian(case: Case, sample: Sample) -> np.ndarray:
    part = case.part
    assert isinstance(part, Matrix | HessianProduct)
    whole = part.of_caller(sample.given) if isinstance(part, Matrix) else sample.given
    args = sample.given.inputs[1:]
    with jax.enable_x64(True):
        slopes = np.asarray(part.gradient(whole.params, args), dtype=np.float64)
    of_arrays = [
        (domain, leaf.astype(np.float64), slopes[place].reshape(leaf.shape))
        for domain, leaf, place in zip(case.domains, whole.leaves, whole.parts(), strict=True)
    ]
    found = sample.exact.copy()
    if isinstance(part, HessianProduct):
        v = jax.tree_util.tree_leaves(sample.given.inputs[0])
        for place, of, along in zip(whole.parts(), of_arrays, v, strict=True):
            found[place] -= _bent(*of, np.asarray(along, dtype=np.float64)[None]).reshape(-1)
        return found
    for place, (row, column) in zip(sample.given.parts(), part.sides, strict=True):
        if row == column:
            domain, leaf, slope = of_arrays[column]
            units = np.eye(leaf.size).reshape(leaf.size, *leaf.shape)
            along = domain.projected(leaf, units)
            found[place] -= _bent(domain, leaf, slope, along).reshape(-1)
    return found


def _bent(domain: Domain, leaf: np.ndarray, slope: np.ndarray, along: np.ndarray) -> Any:
    """Return P·W of tangents, shape (k, *leaf.shape)."""
    return domain.projected(leaf, domain.bent(leaf, slope, along))

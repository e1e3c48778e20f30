"""In which domains arguments are by which a Jacobian is right along them."""

from collections.abc import Iterator

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.domains.domain import Domain
from handgrad.data.domains.matrices import Symmetric
from handgrad.judging.case import Case
from handgrad.judging.domains import (
    BY_PAIRS,
    GUESSES,
    Guess,
    of_pairs,
    said_right,
)
from handgrad.judging.matrix_parts import Matrix
from handgrad.judging.ruling import Ruling


def right_matrix(ruling: Ruling, case: Case, matrix: Matrix) -> Iterator[str]:
    """Yield in which domains arguments are by which a matrix is right along them."""
    whole, yours = matrix.of_caller(ruling.given), ruling.yours.answer
    allowed = np.maximum(ruling.tolerance.sharp, ruling.tolerance.loose)
    stated = case.domains or [Domain()] * len(whole.leaves)
    if not np.isfinite(yours).all():
        return
    for k, (path, leaf) in enumerate(zip(whole.paths, whole.leaves, strict=True)):
        guesses = [guess.domain for guess in GUESSES if guess.domain.projects and guess.holds(leaf)]
        for domain in [] if stated[k].projects else guesses:
            domains = [domain if k == j else d for j, d in enumerate(stated)]
            tangent = matrix.tangent(domains, ruling.given)
            assert tangent is not None
            with balls.precision(192):
                left = tangent.projected(balls.exact(yours) - ruling.yours.reference)
            if (balls.magnitudes(left) <= tangent.widened(allowed)).all():
                yield said_right(path, domain, case.wording.domain)
                break
        else:
            if Guess(Symmetric()).holds(leaf) and _right_by_pairs(ruling, allowed, matrix, k):
                yield BY_PAIRS.format(path)


def _right_by_pairs(ruling: Ruling, allowed: np.ndarray, matrix: Matrix, k: int) -> bool:
    """Tell whether a matrix is right where pairs of elements of an array count as one."""
    whole, given = matrix.of_caller(ruling.given), ruling.given
    shape = whole.leaves[k].shape
    for (_, column), part, leaf in zip(matrix.sides, given.parts(), given.leaves, strict=True):
        yours, exact, within = (
            v[part].reshape(leaf.shape)
            for v in (balls.exact(ruling.yours.answer), ruling.yours.reference, allowed)
        )
        if column == k:
            rows = (len(exact), *shape)
            exact, within = (of_pairs(v.reshape(rows)).reshape(v.shape) for v in (exact, within))
        if not (balls.magnitudes(yours - exact) <= within).all():
            return False
    return True

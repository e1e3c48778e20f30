"""Propose that a Jacobian of complex numbers is conjugate to the right one, or Wirtinger's.

Its blocks are those of real and imaginary parts; see `handgrad.judging.vectors.complex_blocks`.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from handgrad.data.complex_pairs import CONVENTIONS
from handgrad.diagnosis.conjugates import OTHER, WIRTINGER
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.judging.matrix_parts import Matrix, Whole

#: The real blocks of a whole one, (blocks, m, n), to those of a wrong one.
Change = Callable[[Whole, np.ndarray], np.ndarray]

#: Where one matrix is not enough.
ONE_MATRIX = (
    "which says all of a holomorphic function; this is none, so a tuple of two is expected, of the "
    "real and of the imaginary part"
)

#: What two matrices beside each other are expected to be.
EXPECTED = "expected those of the real and of the imaginary part"


def complex_matrices(evidence: Evidence, _: np.ndarray) -> Iterator[Theory]:
    """Propose the other convention, conjugates, and Wirtinger's derivatives."""
    case, part = evidence.trial.case, evidence.trial.case.part
    if not isinstance(part, Matrix) or case.written_as is None:
        return
    written = case.written_as

    def theory(kind: str, says: str, change: Change) -> Theory:
        return Theory(kind, says, partial(_changed, part, change))

    flip = partial(_flipped, part.holomorphic)
    yield theory("convention", OTHER[written], flip)
    yield theory("sign", "yours is the conjugate of exact", partial(_conjugate, flip))
    if all(whole.arguments == 2 for whole in part.wholes):
        says = f"every element is 1/2 of exact: {WIRTINGER}"
        yield theory("factor", says, lambda _, blocks: blocks / 2)
    if part.holomorphic:
        says = f"yours is the derivative of the real part alone, {ONE_MATRIX}"
        yield theory("structure", says, partial(_as_holomorphic, part.holomorphic, lambda b: b[:2]))
        says = f"yours is the derivative by z alone, not by its conjugate, {ONE_MATRIX}"
        yield theory("structure", says, partial(_as_holomorphic, part.holomorphic, _by_z))
    says = f"yours are Wirtinger's derivatives by z and by its conjugate, {EXPECTED}"
    sign = CONVENTIONS[written]
    yield theory("convention", says, lambda _, blocks: _wirtinger(sign, blocks))


def _changed(matrix: Matrix, change: Change, sample: Sample) -> np.ndarray:
    found, parts = sample.exact.copy(), sample.given.parts()
    for whole in matrix.wholes:
        shape = sample.given.leaves[whole.places[0]].shape
        blocks = np.stack([sample.exact[parts[k]].reshape(shape) for k in whole.places])
        for k, block in zip(whole.places, change(whole, blocks), strict=True):
            found[parts[k]] = block.reshape(-1)
    return found


def _flipped(holomorphic: set[int], whole: Whole, blocks: np.ndarray) -> np.ndarray:
    """Return the blocks of what is right in the other convention, read in the asked one."""
    if whole.arguments == 1:
        return blocks
    signs = [1, -1] if whole.results == 1 else [1, -1, 1, -1]
    if whole.places[0] in holomorphic:
        signs = [1, -1, -1, 1]
    return np.array(signs)[:, None, None] * blocks


def _conjugate(flip: Change, whole: Whole, blocks: np.ndarray) -> np.ndarray:
    """Return the blocks of the conjugate of a matrix, by real numbers as well."""
    if whole.results == 2 and whole.arguments == 1:
        return np.array([1, -1])[:, None, None] * blocks
    return flip(whole, blocks)


def _by_z(blocks: np.ndarray) -> np.ndarray:
    """Return ∂f/∂z = (∂f/∂x - i·∂f/∂y)/2, its real part and minus its imaginary part."""
    ux, uy, vx, vy = blocks
    return np.stack([ux + vy, uy - vx]) / 2


def _as_holomorphic(
    holomorphic: set[int], of: Callable[..., np.ndarray], whole: Whole, blocks: np.ndarray
) -> np.ndarray:
    """Return the blocks of one matrix that is taken for the derivative of a holomorphic function.

    `of` returns its real part and minus its imaginary part.
    """
    if whole.places[0] not in holomorphic:
        return blocks
    x, y = of(blocks)
    return np.stack([x, y, -y, x])


def _wirtinger(sign: int, blocks: np.ndarray) -> np.ndarray:
    """Return the blocks of (∂f/∂z, ∂f/∂z̄), taken for the rows of both parts."""
    if len(blocks) < 4:
        return blocks
    ux, uy, vx, vy = blocks
    return np.stack([ux + vy, sign * (vx - uy), ux - vy, sign * (uy + vx)]) / 2

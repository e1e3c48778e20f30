"""Perturbed runs of NumPy code on series: they imitate rounding, or slightly different data.

They correspond to `handgrad.tolerance.monte_carlo` and to the perturbed constants of a traced
program.
"""

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.dual import Dual
from handgrad.data import formats
from handgrad.data.formats import Format
from handgrad.oracle.numpy_losses.dispatch import Perturbation


def spacings(values: np.ndarray) -> np.ndarray:
    """Return an ulp of each float, in float64; 0 for 0 and ±1, which are exact, and infinities.

    And 0 for short formats, whose numbers stand for no others.
    """
    if formats.is_half(values.dtype):
        return np.zeros(values.shape)
    fixed = (values == 0) | (np.abs(values) == 1) | ~np.isfinite(values)
    # NumPy's spacing of the largest float is infinite; that of the one below it is right for both.
    most = np.nextafter(np.finfo(values.dtype).max, values.dtype.type(0))
    with np.errstate(invalid="ignore"):
        spacing = np.spacing(np.clip(values, -most, most)).astype(np.float64)
    return np.where(fixed, 0.0, spacing)


def moved(values: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return floats as balls, moved by ± half an ulp except 0 and ±1."""
    steps = balls.exact(signs * spacings(values)) * arb(0.5)
    return balls.array(balls.exact(values) + steps)


class OtherData(Perturbation):
    """Perturbs floats from outside the loss by half an ulp; 0, ±1 and literals are exact.

    A single float counts as a literal. Code may slice arrays and use them more than once, so the
    sign of a perturbation is a hash of the number itself.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._mask, odd = rng.integers(2**63, size=2, dtype=np.uint64)
        self._odd = odd | np.uint64(1)

    def constant(self, values: np.ndarray) -> Dual:
        """Perturb floats from outside the loss."""
        return self._moved(values) if values.ndim else super().constant(values)

    def _moved(self, values: np.ndarray) -> Dual:
        bits = values.astype(np.float64).reshape(-1).view(np.uint64)
        mixed = (bits ^ self._mask) * self._odd
        signs = np.where(mixed >> np.uint64(63), 1.0, -1.0)
        return Dual(moved(values, signs.reshape(values.shape)))


class OtherConstants(OtherData):
    """Perturbs literals, too: π/2 is rounded. Those that float32 has are taken for exact."""

    def constant(self, values: np.ndarray) -> Dual:
        """Perturb floats from outside the code."""
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = values.astype(np.float32) != values
        return self._moved(values) if values.ndim or rounded else super().constant(values)


class Rounding(Perturbation):
    """Perturbs every result, and its slopes, by the rounding of a dtype.

    Results are multiplied by 1 ± u, u the unit roundoff, and shifted by the smallest normal number
    if they are near it. For a sum of n terms, and functions made of sums, the operands are
    perturbed by √n·u (Higham and Mary, A new approach to probabilistic rounding error analysis,
    2019).
    """

    def __init__(self, rng: np.random.Generator, form: Format) -> None:
        self._rng, self._unit, self._tiny = rng, form.unit, form.flushed

    def before(self, operand: Dual, terms: int) -> Dual:
        """Perturb an operand of a sum."""
        return self._both(operand, float(np.sqrt(max(terms, 1))) * self._unit)

    def after(self, result: Dual) -> Dual:
        """Perturb a result."""
        return self._both(result, self._unit)

    def _both(self, x: Dual, unit: float) -> Dual:
        if x.tangent is None:
            return Dual(self._moved(x.value, unit))
        moved = self._moved(np.concatenate([x.value[None], x.tangent]), unit)
        return Dual(balls.array(moved[0]), moved[1:])

    def _moved(self, numbers: np.ndarray, unit: float) -> np.ndarray:
        factors = balls.boxed([arb(1) - arb(unit), arb(1) + arb(unit)], (2,))
        up = self._rng.integers(0, 2, size=numbers.shape)
        moved = balls.array(numbers * factors[up])
        sizes = np.abs(balls.midpoints(numbers))
        near = (sizes > 0) & (sizes < self._tiny / self._unit)
        if not near.any():
            return moved
        signs = np.where(up, self._tiny, -self._tiny)
        return balls.array(moved + balls.exact(np.where(near, signs, 0.0)))

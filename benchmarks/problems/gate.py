"""The gate of a timing: check that a loss and its gradient are right up to rounding.

The reference is the gradient in float64 at the same point. The hand lines and `jax.grad` must agree
on it within float64 rounding.

**Tolerance.** `benchmarks.problems.deviation` runs JAX's program for the gradient in float64 and
perturbs every rounded result at random, by as much as rounding to float32 may change it. An
element may be off by `LOOSE` times its largest deviation over `LOOSE_DRAWS` such runs: the judge's
tolerance for ordinary rounding, with the constants of `handgrad.tolerance`. The factor 32 makes up
for the few draws: of 2 million elements, the one whose 8 draws happen to be smallest still gets 2
to 3 standard deviations, and the local errors behind those are bounds already.

For answers in float64 the deviation is 2⁻²⁹ of that, since u is 2⁻⁵³; the reference is then rounded
as often as the answer, so twice that much is allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

TO_FLOAT64 = 2.0**-29  #: u of float64 in u of float32


@dataclass(frozen=True, eq=False)
class Gate:
    """The reference of the loss and each leaf of the gradient, and the tolerance."""

    names: list[str]
    reference: list[np.ndarray]  #: float64
    allowed: list[np.ndarray]  #: the tolerance for an answer in `dtype`
    dtype: str
    doubt: str = ""  #: a disagreement of the two references, by hand and by autodiff, or ""

    def complaint(self, leaves: Sequence[np.ndarray]) -> str:
        """Describe the first mistake of an answer; "" if it is right."""
        if self.doubt:
            return self.doubt
        if len(leaves) != len(self.reference):
            return f"{len(leaves)} arrays, expected {len(self.reference)}"
        compared = zip(self.names, leaves, self.reference, self.allowed, strict=True)
        for name, got, true, most in compared:
            if (got.shape, got.dtype) != (true.shape, self.dtype):
                expected = f"{self.dtype} of shape {true.shape}"
                return f"{name}: got {got.dtype} of shape {got.shape}, expected {expected}"
            # NaN and infinity fail this comparison.
            wrong = ~(np.abs(got.astype(np.float64) - true) <= most)
            if wrong.any():
                at = tuple(np.argwhere(wrong)[0].tolist())
                element = f"{name}{list(at) if at else ''}"
                return (
                    f"{element}: got {got[at]:.9g}, expected {true[at]:.9g} ± {most[at]:.2g} "
                    f"({wrong.sum()} of {wrong.size} elements)"
                )
        return ""

    def share(self, leaves: Sequence[np.ndarray]) -> float:
        """Compute the largest error of an answer in units of the tolerance."""
        shares = [0.0]
        for leaf, true, most in zip(leaves, self.reference, self.allowed, strict=True):
            off = np.abs(leaf.astype(np.float64) - true)
            # Without an error it is 0, even if the tolerance is 0.
            part = np.where(off > 0, off / np.maximum(most, 5e-324), 0.0)
            shares.append(float(np.max(part, initial=0.0)))
        return max(shares)

    def sees(self) -> float:
        """The share of the gradient's elements above the tolerance, where a 0 would fail."""
        compared = zip(self.reference[1:], self.allowed[1:], strict=True)
        return float(np.mean(np.concatenate([np.ravel(np.abs(t) > most) for t, most in compared])))

    def of_loss(self) -> "Gate":
        """Return the gate for the loss alone."""
        first = self.names[:1], self.reference[:1], self.allowed[:1]
        return Gate(*first, self.dtype, self.doubt)

    def wider(self, extra: Sequence[np.ndarray]) -> "Gate":
        """Return the gate for an inexact method, with a larger tolerance."""
        return replace(self, allowed=[a + e for a, e in zip(self.allowed, extra, strict=True)])

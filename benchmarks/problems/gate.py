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

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problems.deviation import U, deviations
from handgrad.tolerance.tolerances import LOOSE

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
        shares = [
            np.max(_parts(np.abs(leaf.astype(np.float64) - true), most), initial=0.0)
            for leaf, true, most in zip(leaves, self.reference, self.allowed, strict=True)
        ]
        return float(max(shares))

    def sees(self) -> float:
        """The share of the gradient's elements above the tolerance, where a 0 would fail."""
        seen = [
            np.abs(t) > most for t, most in zip(self.reference[1:], self.allowed[1:], strict=True)
        ]
        return float(sum(s.sum() for s in seen) / sum(s.size for s in seen))

    def of_loss(self) -> "Gate":
        """Return the gate for the loss alone."""
        one = slice(0, 1)
        return replace(
            self, names=self.names[one], reference=self.reference[one], allowed=self.allowed[one]
        )

    def wider(self, extra: Sequence[np.ndarray]) -> "Gate":
        """Return the gate for an inexact method, with a larger tolerance."""
        return replace(self, allowed=[a + e for a, e in zip(self.allowed, extra, strict=True)])


def gate(
    program: Callable[..., Any],
    by_hand: Callable[..., Any],
    arguments: Sequence[Any],
    names: Sequence[str],
    dtype: str,
    products: float = U,
) -> Gate:
    """Build the gate of a loss and its gradient at a point.

    Args:
        program: the loss and its gradient by JAX.
        by_hand: the same by hand, in NumPy.
        arguments: the point, in float64.
        names: of the loss and the gradient's leaves, in order.
        dtype: of the answers, `float32` or `float64`.
        products: the unit of rounding in matrix products, where a device takes fewer bits.

    Raises:
        AtAKinkError: a unit is within rounding of a kink.
    """
    second = [np.asarray(leaf) for leaf in jax.tree.leaves(by_hand(*arguments))]
    # The references are computed on the processor, whatever device is timed.
    witness = jax.default_device(jax.local_devices(backend="cpu")[0])
    with witness, jax.enable_x64(True), jax.default_matmul_precision("highest"):
        given = jax.tree.map(jnp.asarray, tuple(arguments))
        reference = [np.asarray(leaf) for leaf in jax.tree.leaves(jax.jit(program)(*given))]
        found = deviations(program, given, products)
    deviation = [LOOSE * leaf for leaf in found]
    exact = [2 * TO_FLOAT64 * leaf for leaf in deviation]
    allowed = exact if dtype == "float64" else deviation
    doubt = Gate(list(names), reference, exact, "float64").complaint(second)
    return Gate(
        list(names), reference, allowed, dtype, doubt and f"the float64 witnesses disagree: {doubt}"
    )


def _parts(off: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Divide an error by the tolerance; 0 without an error, even if the tolerance is 0."""
    return np.where(off > 0, off / np.maximum(most, 5e-324), 0.0)

"""The gate of a timing: do a loss and its gradient lie where a right program's would?

The truth is the gradient in float64 at the very same point. Two witnesses must agree on it, the
lines by hand and `jax.grad`, within what rounding to float64 explains.

**How far from it an answer may be.** `benchmarks.problems.deviation` runs JAX's program for the
gradient in float64 and moves what rounds on the way, at random and by as much as rounding to
float32 may. An element may be off by `LOOSE` times its largest deviation over `LOOSE_DRAWS` such
runs: the judge's yardstick for ordinary rounding (`handgrad.tolerance`), whose numbers are
used here as they are. 32 is for the draws' poverty: of 2 million elements, the one whose 8 draws
happen to be smallest still gets 2 to 3 standard deviations, and the local errors behind those are
bounds already.

Of an answer in float64 the deviation is 2⁻²⁹ of that, as u is 2⁻⁵³ there; since the truth is then
rounded as often as the answer, twice that much is allowed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problems.deviation import U, deviations
from handgrad.tolerance.tolerances import LOOSE

TO_FLOAT64 = 2.0**-29  #: u of float64 in u of float32


@dataclass(frozen=True, eq=False)
class Gate:
    """The loss and each leaf of the gradient: their truth, and how far off an answer may be."""

    names: list[str]
    truth: list[np.ndarray]  #: float64
    allowed: list[np.ndarray]  #: to an answer in `dtype`
    dtype: str
    doubt: str = ""  #: what the two witnesses of the truth disagree in, or ""

    def complaint(self, leaves: Sequence[np.ndarray]) -> str:
        """The first mistake of an answer; "" if it is right."""
        return self.doubt or _complaint(self, leaves)

    def share(self, leaves: Sequence[np.ndarray]) -> float:
        """The largest error of an answer in parts of what is allowed."""
        shares = [
            np.max(_parts(np.abs(leaf.astype(np.float64) - true), most), initial=0.0)
            for leaf, true, most in zip(leaves, self.truth, self.allowed, strict=True)
        ]
        return float(max(shares))

    def sees(self) -> float:
        """The part of the gradient's elements that could not be 0 unnoticed."""
        seen = [np.abs(t) > most for t, most in zip(self.truth[1:], self.allowed[1:], strict=True)]
        return float(sum(s.sum() for s in seen) / sum(s.size for s in seen))

    def of_loss(self) -> "Gate":
        """The gate for the loss alone."""
        one = slice(0, 1)
        return replace(
            self, names=self.names[one], truth=self.truth[one], allowed=self.allowed[one]
        )

    def wider(self, extra: Sequence[np.ndarray]) -> "Gate":
        """The gate for a method that is not exact, which may be off by so much more."""
        return replace(self, allowed=[a + e for a, e in zip(self.allowed, extra, strict=True)])

    def save(self, path: Path) -> None:
        """Keep it for another process of the same run."""
        arrays = {
            f"{kind}{i}": leaf
            for kind in ("truth", "allowed")
            for i, leaf in enumerate(getattr(self, kind))
        }
        np.savez(path, names=self.names, dtype=self.dtype, doubt=self.doubt, **arrays)


def load(path: Path) -> Gate:
    """A gate that an earlier process of this run has saved."""
    with np.load(path, allow_pickle=False) as found:
        names = found["names"].tolist()
        truth, allowed = (
            [found[f"{kind}{i}"] for i in range(len(names))] for kind in ("truth", "allowed")
        )
        return Gate(names, truth, allowed, str(found["dtype"]), str(found["doubt"]))


def gate(
    program: Callable[..., Any],
    by_hand: Callable[..., Any],
    arguments: Sequence[Any],
    names: Sequence[str],
    dtype: str,
    products: float = U,
) -> Gate:
    """The gate of a loss and its gradient at a point.

    Args:
        program: JAX's, from the arguments to the loss and its gradient.
        by_hand: the other witness, the same for NumPy.
        arguments: in float64.
        names: of the loss and the gradient's leaves, in order.
        dtype: of the answers, `float32` or `float64`.
        products: the unit of rounding in matrix products, where a device takes fewer bits.

    Raises:
        AtAKinkError: a unit is within rounding of a kink.
    """
    second = [np.asarray(leaf) for leaf in jax.tree.leaves(by_hand(*arguments))]
    # On the processor, wherever the answers come from: the witnesses are no party.
    witness = jax.default_device(jax.local_devices(backend="cpu")[0])
    with witness, jax.enable_x64(True), jax.default_matmul_precision("highest"):
        given = jax.tree.map(jnp.asarray, tuple(arguments))
        truth = [np.asarray(leaf) for leaf in jax.tree.leaves(jax.jit(program)(*given))]
        found = deviations(program, given, products)
    deviation = [LOOSE * leaf for leaf in found]
    exact = [2 * TO_FLOAT64 * leaf for leaf in deviation]
    allowed = exact if dtype == "float64" else deviation
    doubt = _complaint(Gate(list(names), truth, exact, "float64"), second)
    return Gate(
        list(names), truth, allowed, dtype, doubt and f"the float64 witnesses disagree: {doubt}"
    )


def _parts(off: np.ndarray, most: np.ndarray) -> np.ndarray:
    """An error in parts of what is allowed; 0 where there is none, even if none is allowed."""
    return np.where(off > 0, off / np.maximum(most, 5e-324), 0.0)


def _complaint(made: Gate, leaves: Sequence[np.ndarray]) -> str:
    if len(leaves) != len(made.truth):
        return f"{len(leaves)} arrays, expected {len(made.truth)}"
    for name, got, true, most in zip(made.names, leaves, made.truth, made.allowed, strict=True):
        if (got.shape, got.dtype) != (true.shape, made.dtype):
            expected = f"{made.dtype} of shape {true.shape}"
            return f"{name}: got {got.dtype} of shape {got.shape}, expected {expected}"
        # NaN and infinity are not within anything.
        wrong = ~(np.abs(got.astype(np.float64) - true) <= most)
        if wrong.any():
            at = tuple(np.argwhere(wrong)[0].tolist())
            element = f"{name}{list(at) if at else ''}"
            return (
                f"{element}: got {got[at]:.9g}, expected {true[at]:.9g} ± {most[at]:.2g} "
                f"({wrong.sum()} of {wrong.size} elements)"
            )
    return ""

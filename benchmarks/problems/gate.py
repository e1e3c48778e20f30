"""The gate of a timing: check that a loss and its gradient are right up to rounding.

The reference is the gradient in float64 at the same point. The hand lines and `jax.grad` must agree
on it within float64 rounding.

**Tolerance.** An element may be off by `LOOSE` times its largest deviation over `LOOSE_DRAWS` runs
of JAX's program for the gradient in float64, in which every intermediate result is moved up or down
at random, by as much as rounding to float32 may move it:

- a sum of n terms by √n u Σ|terms|, u = 2⁻²⁴: with high probability that bounds its error in any
  order of summation (Higham and Mary, A new approach to probabilistic rounding error analysis,
  SIAM J. Sci. Comput. 41, 2019), whereas n u Σ|terms| would need all n errors of one sign;
- any other rounded result by u of itself; both also by the smallest normal number, below which a
  result may be flushed to 0.

So the local errors are propagated to first order, with their correlations, at any depth. It is
`handgrad.tolerance.monte_carlo` for millions of elements, floats instead of balls, and the judge's
tolerance for ordinary rounding, with its constants. The factor 32 makes up for the few draws: of 2
million elements, the one whose 8 draws happen to be smallest still gets 2 to 3 standard deviations,
and the local errors behind those are bounds already.

Comparisons are frozen to their results without rounding. One that rounding could change is refused,
as more than one answer is right there.

For answers in float64 the deviation is 2⁻²⁹ of that, since u is 2⁻⁵³; the reference is then rounded
as often as the answer, so twice that much is allowed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.program.cost import terms
from handgrad.program.equations import results_by_jax, walked
from handgrad.program.graph import CALLS
from handgrad.program.rule import Rounds
from handgrad.tolerance.monte_carlo import rounds_of
from handgrad.tolerance.runs import LOOSE_DRAWS
from handgrad.tolerance.tolerances import LOOSE

U, TINY = 2.0**-24, 2.0**-126  #: float32's unit roundoff and smallest normal number
TO_FLOAT64 = 2.0**-29  #: u of float64 in u of float32

COMPARISONS = frozenset({"gt", "ge", "lt", "le"})


class RefusedError(ValueError):
    """No answer can be judged, as more than one is right, or a wrong one not seen: one line."""


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


def deviations(program: Callable[..., Any], arguments: Any) -> list[np.ndarray]:
    """Compute each output's largest deviation over the perturbed runs, in the outputs' shapes.

    Args:
        program: a function that JAX can trace, from arrays to a pytree of arrays.
        arguments: float64; call this with 64 bits enabled.

    Raises:
        RefusedError: a comparison is within `LOOSE` times the reach of rounding.
    """
    traced = jax.make_jaxpr(program)(*arguments)
    shapes: list[tuple[int, ...]] = []  # of what rounds, in the order of the program

    def run(leaves: Any, signs: Any, frozen: Any) -> Any:
        """Return the outputs and margins of comparisons, and what they decide.

        It runs as it is without signs; with them moved, its comparisons frozen.
        """
        left, margins, decided = iter(signs or ()), list[Any](), list[Any]()

        def equation(eqn: Any, given: list[Any]) -> list[Any]:
            if eqn.primitive.name in CALLS:
                return through(eqn.params.get("jaxpr") or eqn.params["call_jaxpr"], given)
            outputs = results_by_jax(eqn, given)
            if eqn.primitive.name in COMPARISONS:
                margins.append(jnp.asarray(given[0] - given[1]))
                decided.append(outputs[0])
                return [frozen[len(decided) - 1]] if frozen else outputs
            if rounds_of(eqn) is Rounds.NOTHING:
                return outputs
            if signs is None:
                shapes.extend(out.shape for out in outputs)
                return outputs
            return [
                out + jnp.asarray(next(left), jnp.float64) * _reach(eqn, given, out)
                for out in outputs
            ]

        def through(program: Any, given: list[Any]) -> list[Any]:
            return walked(program.jaxpr, [*program.consts, *given], lambda v: v.val, equation)

        return (through(traced, leaves), margins), decided

    def farther(so_far: np.ndarray, moved: Any, base: Any) -> np.ndarray:
        return np.fmax(so_far, np.abs(np.asarray(moved) - np.asarray(base)))

    # Compiled: by themselves its operations take longer to compile than to run.
    leaves, run = jax.tree.leaves(arguments), jax.jit(run)
    base, decided = run(leaves, None, None)
    most = jax.tree.map(lambda out: np.zeros(out.shape), base)
    rng = np.random.default_rng(0)
    for _ in range(LOOSE_DRAWS):
        signs = [2 * rng.integers(2, size=shape, dtype=np.int8) - 1 for shape in shapes]
        most = jax.tree.map(farther, most, run(leaves, signs, decided)[0], base)
    deviation, reaches = most
    for margin, reach in zip(base[1], reaches, strict=True):
        undecided = int(np.sum(np.abs(margin) <= LOOSE * reach))
        if undecided:
            raise RefusedError(
                f"{undecided} of {margin.size} units of a layer are within rounding of a kink, "
                "where more than one gradient is right; try a smaller batch or a smooth activation"
            )
    return deviation


def _reach(eqn: Any, given: list[Any], out: Any) -> Any:
    """Return how far rounding may move a result."""
    reach = U * jnp.abs(out)
    if rounds_of(eqn) is Rounds.SUM:
        (size,) = results_by_jax(eqn, [*map(jnp.abs, given)])
        reach = math.sqrt(terms(eqn)) * U * size
    return jnp.where(reach > 0, reach + TINY, 0.0)

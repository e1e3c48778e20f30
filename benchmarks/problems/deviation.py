"""Measure the effect of float32 rounding on a program's outputs by random perturbation.

The program runs in float64, and every intermediate result is moved up or down at random, by as much
as rounding to float32 may move it:

- a sum of n terms by √n u Σ|terms|, u = 2⁻²⁴: with high probability that bounds its error in any
  order of summation (Higham and Mary, A new approach to probabilistic rounding error analysis,
  SIAM J. Sci. Comput. 41, 2019), whereas n u Σ|terms| would need all n errors of one sign;
- any other rounded result by u of itself; both also by the smallest normal number, below which a
  result may be flushed to 0.

So the local errors are propagated to first order, with their correlations, at any depth. It is
`handgrad.tolerance.monte_carlo` for millions of elements: floats instead of balls.

Comparisons are frozen to their results without rounding. One that rounding could change is refused,
as more than one answer is right there.
"""

import math
from collections.abc import Callable, Iterator
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

COMPARISONS = frozenset({"gt", "ge", "lt", "le"})


class RefusedError(ValueError):
    """No answer can be judged, as more than one is right, or a wrong one not seen: one line."""


def deviations(
    program: Callable[..., Any], arguments: Any, products: float = U
) -> list[np.ndarray]:
    """Compute each output's largest deviation over the perturbed runs, in the outputs' shapes.

    Args:
        program: a function that JAX can trace, from arrays to a pytree of arrays.
        arguments: float64; call this with 64 bits enabled.
        products: the largest relative error of the product of two factors before they are summed,
            where a device rounds factors to fewer bits first; u where it does not.

    Raises:
        RefusedError: a comparison is within `LOOSE` times the reach of rounding.
    """
    traced = jax.make_jaxpr(program)(*arguments)
    shapes: list[tuple[int, ...]] = []  # of what rounds, in the order of the program

    def as_it_is(leaves: Any) -> Any:
        walk = _Walk(None, None, products)
        outputs = walk.through(traced, leaves)
        shapes.extend(walk.rounding)
        return (outputs, walk.margins), walk.decided

    def when_moved(leaves: Any, signs: Any, frozen: Any) -> Any:
        walk = _Walk(iter(signs), frozen, products)
        return walk.through(traced, leaves), walk.margins

    def farther(so_far: np.ndarray, moved: Any, base: Any) -> np.ndarray:
        return np.fmax(so_far, np.abs(np.asarray(moved) - np.asarray(base)))

    # Compiled as two programs: by themselves its operations take longer to compile than to run.
    leaves, moving = jax.tree.leaves(arguments), jax.jit(when_moved)
    base, decided = jax.jit(as_it_is)(leaves)
    most = jax.tree.map(lambda out: np.zeros(out.shape), base)
    rng = np.random.default_rng(0)
    for _ in range(LOOSE_DRAWS):
        signs = [2 * rng.integers(2, size=shape, dtype=np.int8) - 1 for shape in shapes]
        most = jax.tree.map(farther, most, moving(leaves, signs, decided), base)
    deviation, reaches = most
    for margin, reach in zip(base[1], reaches, strict=True):
        undecided = int(np.sum(np.abs(margin) <= LOOSE * reach))
        if undecided:
            raise RefusedError(
                f"{undecided} of {margin.size} units of a layer are within rounding of a kink, "
                "where more than one gradient is right; try a smaller batch or a smooth activation"
            )
    return deviation


class _Walk:
    """One run of a traced program; with random signs, perturbed and with comparisons frozen."""

    def __init__(self, signs: Iterator[Any] | None, frozen: Any, products: float) -> None:
        self.signs, self.frozen, self.products = signs, frozen, products
        self.rounding: list[tuple[int, ...]] = []  # the shapes of rounded results
        self.decided: list[Any] = []  # the results of comparisons
        self.margins: list[Any] = []  # the distances of their two operands

    def through(self, program: Any, given: list[Any]) -> list[Any]:
        return walked(program.jaxpr, [*program.consts, *given], lambda v: v.val, self._equation)

    def _equation(self, eqn: Any, given: list[Any]) -> list[Any]:
        if eqn.primitive.name in CALLS:
            return self.through(eqn.params.get("jaxpr") or eqn.params["call_jaxpr"], given)
        outputs = results_by_jax(eqn, given)
        if eqn.primitive.name in COMPARISONS:
            self.margins.append(jnp.asarray(given[0] - given[1]))
            self.decided.append(outputs[0])
            return outputs if self.frozen is None else [self.frozen[len(self.decided) - 1]]
        if rounds_of(eqn) is Rounds.NOTHING:
            return outputs
        return [self._moved(eqn, given, out) for out in outputs]

    def _moved(self, eqn: Any, given: list[Any], out: Any) -> Any:
        if self.signs is None:
            self.rounding.append(out.shape)
            return out
        reach = U * jnp.abs(out)
        if rounds_of(eqn) is Rounds.SUM:
            (size,) = results_by_jax(eqn, [*map(jnp.abs, given)])
            reach = math.sqrt(terms(eqn)) * U * size
        moved = reach
        if eqn.primitive.name == "dot_general" and self.products > U:
            # Factors are rounded independently, so their errors add up like a random walk.
            (squares,) = results_by_jax(eqn, [operand * operand for operand in given])
            moved = moved + self.products * jnp.sqrt(squares)
        signs = jnp.asarray(next(self.signs), jnp.float64)
        return out + signs * jnp.where(reach > 0, moved + TINY, 0.0)

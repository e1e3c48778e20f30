"""Monte Carlo arithmetic: runs whose numbers are randomly perturbed to imitate rounding.

(Parker, Monte Carlo Arithmetic, 1997), at a precision where nothing else is lost. Each result of an
arithmetic operation is multiplied by 1 ± u and shifted by the smallest normal number, below which
results may become 0; u is the unit roundoff. A sum of n terms is shifted by √n·u·Σ|terms| instead,
which bounds its rounding errors in any order of summation with high probability (Higham and Mary, A
new approach to probabilistic rounding error analysis, 2019). Factorisations and triangular systems
are backward stable, so their arguments are perturbed (Higham, Accuracy and Stability of Numerical
Algorithms, chapters 8 to 10).
"""

from functools import cache
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.dual import Dual
from handgrad.program.cost import terms
from handgrad.program.interpreter import bind
from handgrad.program.rule import Rounds
from handgrad.program.rules import RULES
from handgrad.program.rules.summing import contract, contracted_axes


class MonteCarlo:
    """Perturbs the numbers of one run at random."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def before(self, eqn: Any, operands: list[Any]) -> list[Any]:
        """Perturb the arguments, if the operation is backward stable."""
        if _rounds(eqn) is not Rounds.ARGUMENTS:
            return operands
        return [
            self._rounded(o, np.sqrt(max(1, o.shape[-1])) * unit(v), 0.0)
            if isinstance(o, Dual)
            else o
            for o, v in zip(operands, eqn.invars, strict=True)
        ]

    def after(self, eqn: Any, operands: list[Any], outputs: list[Any]) -> list[Any]:
        """Perturb the results, if the operation rounds them."""
        rounds = _rounds(eqn)
        if rounds is Rounds.SUM and isinstance(outputs[0], Dual):
            return [self._summed(eqn, operands, outputs[0])]
        if rounds is not Rounds.RESULT and not narrows(eqn):
            return outputs
        return [
            self._rounded(out, unit(v), smallest(v)) if isinstance(out, Dual) else out
            for out, v in zip(outputs, eqn.outvars, strict=True)
        ]

    def _rounded(self, x: Dual, u: float, tiny: float) -> Dual:
        up = self.rng.integers(0, 2, size=x.shape)
        value = balls.array(x.value * _factors(u)[up])
        return Dual(self._underflow(x.value, value, tiny) if tiny else value)

    def _underflow(self, before: np.ndarray, value: np.ndarray, tiny: float) -> np.ndarray:
        """Shift numbers near the smallest normal one by as much; 0 stays 0."""
        near = np.abs(balls.midpoints(before)) < tiny * 2.0**60
        if not near.any():
            return value
        near &= ~balls.is_zero(before)
        signs = self.rng.choice([-tiny, tiny], size=value.shape)
        return balls.array(value + balls.exact(np.where(near, signs, 0.0)))

    def _summed(self, eqn: Any, operands: list[Any], out: Dual) -> Dual:
        sizes = [np.abs(balls.midpoints(o.value)) if isinstance(o, Dual) else o for o in operands]
        with np.errstate(over="ignore", invalid="ignore"):
            moved = unit(eqn.outvars[0]) * np.sqrt(terms(eqn)) * _magnitude(eqn, sizes)
        signs = self.rng.choice([-1.0, 1.0], size=out.shape)
        value = balls.array(out.value + balls.exact(signs * moved))
        return Dual(self._underflow(out.value, value, smallest(eqn.outvars[0])))


def _magnitude(eqn: Any, sizes: list[np.ndarray]) -> np.ndarray:
    """Return Σ|terms| of a sum, in floats."""
    name = eqn.primitive.name
    if name == "reduce_sum":
        return np.asarray(sizes[0].sum(axis=tuple(eqn.params["axes"])))
    if name == "dot_general":
        return contract(sizes[0], sizes[1], *contracted_axes(eqn), matmul=np.matmul)
    given = [size.astype(v.aval.dtype) for size, v in zip(sizes, eqn.invars, strict=True)]
    if name == "scatter-sub":
        given[-1] = -given[-1]
    return np.asarray(bind(eqn, given)[0], dtype=np.float64)


@cache
def _factors(u: float) -> np.ndarray:
    """Return 1 - u and 1 + u exactly."""
    with balls.precision(128):
        return balls.boxed([arb(1) - arb(u), arb(1) + arb(u)], (2,))


def unit(v: Any) -> float:
    """Return the unit roundoff of a variable's dtype: half the spacing of floats at 1."""
    return _unit_and_smallest(v.aval.dtype)[0]


def smallest(v: Any) -> float:
    """Return the smallest normal number of a variable's dtype."""
    return _unit_and_smallest(v.aval.dtype)[1]


@cache
def _unit_and_smallest(dtype: Any) -> tuple[float, float]:
    known = dtype if dtype in (np.float64, np.float32, np.float16) else np.dtype(np.float16)
    info = np.finfo(known)
    return float(info.eps) / 2, float(info.smallest_normal)


def _rounds(eqn: Any) -> Rounds:
    rule = RULES.get(eqn.primitive.name)
    return rule.rounds if rule else Rounds.NOTHING


def narrows(eqn: Any) -> bool:
    """Tell whether an operation converts to a shorter float dtype."""
    if eqn.primitive.name == "reduce_precision":
        return True
    if eqn.primitive.name != "convert_element_type":
        return False
    before, after = eqn.invars[0].aval.dtype, eqn.outvars[0].aval.dtype
    floating = all(np.issubdtype(dtype, np.floating) for dtype in (before, after))
    return floating and after.itemsize < before.itemsize

"""Monte Carlo arithmetic: runs whose numbers are randomly perturbed to imitate rounding.

(Parker, Monte Carlo Arithmetic, 1997), at a precision where nothing else is lost. Each result of an
arithmetic operation is multiplied by 1 ± u and shifted by the smallest normal number, below which
results may become 0; u is the unit roundoff. A sum of n terms is shifted by √n·u·Σ|terms| instead,
which bounds its rounding errors in any order of summation with high probability (Higham and Mary, A
new approach to probabilistic rounding error analysis, 2019). Factorisations and triangular systems
are backward stable, so their arguments are perturbed (Higham, Accuracy and Stability of Numerical
Algorithms, chapters 8 to 10).

Each number is rounded as its dtype in the program, or as an `Arithmetic` states: values to one
format and partial sums to another, of which the result is a value again. Products of matrices in a
short format are summed in float32, as XLA and processors do it, unless the arithmetic says
otherwise. In a short format √n·u·Σ|terms| would soon exceed the sum itself; there the partial sums
of terms in an arbitrary order count, which are as large as |Σ terms| + √(Σ terms²).
"""

import math
from functools import cache
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.dual import Dual
from handgrad.data import formats
from handgrad.data.computed_in import AS_SHOWN, Arithmetic
from handgrad.data.formats import Format
from handgrad.data.pytrees import is_real
from handgrad.program.cost import terms
from handgrad.program.interpreter import Rounding, bind
from handgrad.program.rule import Rounds
from handgrad.program.rules import RULES
from handgrad.program.rules.summing import contract, contracted_axes

#: Sums of products of two operands.
PRODUCTS = ("dot_general", "conv_general_dilated")


class MonteCarlo(Rounding):
    """Perturbs the numbers of one run at random."""

    def __init__(
        self,
        rng: np.random.Generator,
        arithmetic: Arithmetic = AS_SHOWN,
        stored: frozenset[Any] = frozenset(),
    ) -> None:
        self.rng, self._arithmetic = rng, arithmetic
        self._results = stored  # variables that are not rounded: half an ulp of them counts

    def before(self, eqn: Any, operands: list[Any]) -> list[Any]:
        """Perturb the arguments, if the operation is backward stable or rounds its factors."""
        factors = self._arithmetic.factors
        if factors and eqn.primitive.name in PRODUCTS:
            return [
                self._rounded(o, factors.unit, 0.0) if isinstance(o, Dual) else o for o in operands
            ]
        if rounds_of(eqn) is not Rounds.ARGUMENTS:
            return operands
        return [
            self._rounded(o, np.sqrt(max(1, o.shape[-1])) * self._value(v).unit, 0.0)
            if isinstance(o, Dual)
            else o
            for o, v in zip(operands, eqn.invars, strict=True)
        ]

    def after(self, eqn: Any, operands: list[Any], outputs: list[Any]) -> list[Any]:
        """Perturb the results, if the operation rounds them."""
        rounds = rounds_of(eqn)
        if rounds is Rounds.SUM and isinstance(outputs[0], Dual):
            return [self._summed(eqn, operands, outputs[0])]
        if rounds is Rounds.TRANSFORM:
            sizes = [np.abs(balls.midpoints(out.value)) for out in outputs]
            size = of_transform(eqn, sizes)
            return [
                self._transformed(out, v, size) for out, v in zip(outputs, eqn.outvars, strict=True)
            ]
        narrower = self._arithmetic.values is None and narrows(eqn)
        if rounds is not Rounds.RESULT and not narrower:
            return outputs
        return [
            self._stored(out, v) if isinstance(out, Dual) else out
            for out, v in zip(outputs, eqn.outvars, strict=True)
        ]

    def data(self, array: Any) -> Any:
        """Return an argument or a constant as a run takes it: rounded where it is not stored so."""
        given, values = np.asarray(array), self._arithmetic.values
        exact = Dual(balls.exact(given))
        if values is None or values.unit <= formats.of(given.dtype).unit:
            return exact
        with np.errstate(invalid="ignore"):
            changed = values.rounded(given) != given.astype(np.float64)
        moved = self._rounded(exact, values.unit, 0.0)
        return Dual(balls.array(np.where(changed, moved.value, exact.value)))

    def literal(self, literal: Any) -> Dual | None:
        """Return a constant of the code, which a short format may have rounded; None if not.

        Numbers that need half of its bits at most are what is meant.
        """
        value = np.asarray(literal.val, dtype=literal.aval.dtype)
        form = formats.of(value.dtype) if is_real(value) else None
        if form is None or not form.half or value.ndim:
            return None
        if (
            not np.isfinite(float(value))
            or np.frexp(float(value))[0] * 2.0 ** (1 + form.bits // 2) % 1 == 0
        ):
            return None
        return self._rounded(Dual(balls.exact(value)), form.unit, 0.0)

    def _value(self, v: Any) -> Format:
        """Return the format of a result."""
        return self._arithmetic.values or formats.of(v.aval.dtype)

    def _sums(self, eqn: Any) -> Format:
        """Return the format of the partial sums of an operation."""
        if self._arithmetic.sums is not None:
            return self._arithmetic.sums
        shown = formats.of(eqn.outvars[0].aval.dtype)
        in_float32 = shown.half and eqn.primitive.name in PRODUCTS
        return formats.named("float32") if in_float32 and not self._arithmetic.short_sums else shown

    def _stored(self, x: Dual, v: Any) -> Dual:
        if v in self._results:
            return x
        form = self._value(v)
        return self._rounded(x, form.unit, form.flushed, _near_zero(form))

    def _rounded(self, x: Dual, u: float, tiny: float, near_zero: float = 0.0) -> Dual:
        up = self.rng.integers(0, 2, size=x.shape)
        value = balls.array(x.value * _factors(u)[up])
        return Dual(self._underflow(x.value, value, tiny, near_zero) if tiny else value)

    def _transformed(self, x: Dual, v: Any, size: np.ndarray) -> Dual:
        signs = self.rng.choice([-1.0, 1.0], size=x.shape)
        return Dual(balls.array(x.value + balls.exact(signs * self._value(v).unit * size)))

    def _underflow(
        self, before: np.ndarray, value: np.ndarray, tiny: float, near_zero: float
    ) -> np.ndarray:
        """Shift numbers near 0 by ± `tiny`; 0 stays 0."""
        near = np.abs(balls.midpoints(before)) < near_zero
        if not near.any():
            return value
        near &= ~balls.is_zero(before)
        signs = self.rng.choice([-tiny, tiny], size=value.shape)
        return balls.array(value + balls.exact(np.where(near, signs, 0.0)))

    def _summed(self, eqn: Any, operands: list[Any], out: Dual) -> Dual:
        sizes = [np.abs(balls.midpoints(o.value)) if isinstance(o, Dual) else o for o in operands]
        sums, values = self._sums(eqn), self._value(eqn.outvars[0])
        with np.errstate(over="ignore", invalid="ignore"):
            size = _magnitude(eqn, sizes)
            if sums.half:
                squares = _magnitude(eqn, [np.square(size) for size in sizes])
                partial = np.abs(balls.midpoints(out.value)) + np.sqrt(squares)
                size = np.fmin(size, partial)
            moved = sums.unit * np.sqrt(terms(eqn)) * size
        signs = self.rng.choice([-1.0, 1.0], size=out.shape)
        value = balls.array(out.value + balls.exact(signs * moved))
        if values.unit > sums.unit:
            return self._stored(Dual(value), eqn.outvars[0])
        return Dual(self._underflow(out.value, value, sums.flushed, _near_zero(sums)))


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


def of_transform(eqn: Any, sizes: list[Any]) -> Any:
    """Return of each result of a Fourier transform how large its rounding is, in units of roundoff.

    By FFT, the error of all n results is log₂ n of their root mean square at most, up to a factor
    near 1 (Higham, Accuracy and Stability of Numerical Algorithms, theorem 24.2).

    Args:
        eqn: the transform.
        sizes: the absolute values of the real and the imaginary parts, or of real results.
    """
    lengths = dict(eqn.params["params"])["fft_lengths"]
    squares = sizes[0] * 0
    for size in sizes:
        squares = squares + size * size
    count, axes = math.prod(squares.shape[-len(lengths) :]), tuple(range(-len(lengths), 0))
    mean = squares.sum(axis=axes, keepdims=True) / max(1, count)
    return np.log2(max(2, math.prod(lengths))) * mean**0.5 + 0 * squares


def _near_zero(form: Format) -> float:
    """Return below which size numbers lose digits, or are computed from such that do."""
    return form.normal if form.half else form.normal * 2.0**60


@cache
def _factors(u: float) -> np.ndarray:
    """Return 1 - u and 1 + u exactly."""
    with balls.precision(128):
        return balls.boxed([arb(1) - arb(u), arb(1) + arb(u)], (2,))


def unit(v: Any) -> float:
    """Return the unit roundoff of a variable's dtype: half the spacing of floats at 1."""
    return formats.of(v.aval.dtype).unit


def smallest(v: Any) -> float:
    """Return the smallest normal number of a variable's dtype."""
    return formats.of(v.aval.dtype).normal


def rounds_of(eqn: Any) -> Rounds:
    """Return where an operation rounds: nowhere if it has no rule."""
    rule = RULES.get(eqn.primitive.name)
    return rule.rounds if rule else Rounds.NOTHING


def narrows(eqn: Any) -> bool:
    """Tell whether an operation converts to a shorter float dtype."""
    if eqn.primitive.name == "reduce_precision":
        return True
    if eqn.primitive.name != "convert_element_type":
        return False
    before, after = eqn.invars[0].aval.dtype, eqn.outvars[0].aval.dtype
    if not (formats.is_floating(before) and formats.is_floating(after)):
        return False
    return formats.of(after).unit > formats.of(before).unit

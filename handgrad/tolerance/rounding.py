"""How far rounding may move the results of a program of JAX: to first order, in floats.

`bounded` goes through a program once and carries an error beside each value: how far another
program of the same operations may be from it, when each rounds in its own way. An operation hands
on the errors of its operands by its derivative (a product with its term of second order, too) and
adds its own rounding. With u, the unit roundoff of its dtype, that is twice, for the other program
and for this one,

- u of a correctly rounded result, and `FUNCTION` u of that of a function such as sin;
- `EXPONENTIAL` u of e^x, and (2 + `EXPONENTIAL` (1 - σ)) u of the logistic function σ;
- n u Σ|terms| of a sum of n terms, in any order (Higham, Accuracy and Stability of Numerical
  Algorithms, 2002, section 4.2), and (n + 1) u Σ|terms| if they are products;
- the smallest normal number on top of it, since what is smaller may become 0.

A comparison that these errors may turn is undecided. What is selected by it has an infinite error,
unless the cases are no further apart than their own errors; so have the steps of sign and floor.

This is no proof: where an error is as large as its number, the derivative at the number says
little. Such a bound screens. Whatever is not within it, `~(gap <= bound)`, is for a judge: what is
beyond a bound, and all that has none, infinite or NaN. A program whose formulas lose digits has
wide bounds, behind which mistakes are not seen: analyse one that keeps them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add, or_
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.data.pytrees import is_real
from handgrad.program.cost import terms
from handgrad.program.equations import results_by_jax, walked
from handgrad.program.graph import CALLS
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.rule import Rounds
from handgrad.program.rules import RULES
from handgrad.tolerance.monte_carlo import PRODUCTS, narrows, smallest, unit

#: Units of roundoff of a function that is not correctly rounded, and of the few operations that
#: another program may take for it: libraries promise or show up to 5 in float32, 3.4 in float64.
FUNCTION = 8

#: Those of e^x, of itself: NumPy promises 2.52 ulp in float32, which is 5.04 u. Of 10⁷ arguments
#: of all sizes the worst were off by 3.5 u in float32 and 1.2 u in float64, in XLA by 1.4 u and
#: 2.3 u, whatever its options. An error of the exponential reaches σ, 1 / (1 + e^-z) or
#: e^z / (1 + e^z), 1 - σ times; a sum and a quotient round once each. Of σ the worst were 4.5 u and
#: 3.2 u near 0, and 1.6 u near 1.
EXPONENTIAL = 5

#: What IEEE 754 rounds correctly.
CORRECTLY_ROUNDED = ("add", "add_any", "sub", "mul", "div", "sqrt", "square")

#: Operations that are linear and no sums: each result is one number of one operand.
MOVING = (
    *("dynamic_update_slice", "optimization_barrier", "pad", "split", "stack", "tile", "unstack"),
)

#: Not covered: the first two have steps, of a scattered sum the terms are not counted, and nothing
#: says to how many digits libraries compute the others.
NOT_COVERED = (
    *("rem", "reduce_precision", "scatter-add", "scatter-sub", "lgamma", "digamma", "polygamma"),
    *("zeta", "igamma", "igammac", "igamma_grad_a", "random_gamma_grad", "bessel_i0e"),
    *("bessel_i1e", "regularized_incomplete_beta"),
)


class Bounded(NamedTuple):
    """An array, and how far rounding may move it, to first order."""

    value: Any
    error: Any

    def contains(self, other: Any) -> Any:
        """Whether another program's results are as near as rounding allows, element by element.

        Neither NaN nor infinity is, and nothing is to what has no bound. The largest gap of 40
        million right gradients is 0.98 of its bound, and a larger one would be for the judge.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            return np.isfinite(self.error) & (abs(other - self.value) <= self.error)


@dataclass(eq=False)
class _Number:
    """An array of a run."""

    value: Any
    #: Of the same shape and dtype, not negative; of truth values and integers, whether they may be
    #: others. None where it is exact.
    error: Any = None
    among: tuple["_Number", ...] = ()  #: of which numbers it is the largest or the smallest

    @cached_property
    def size(self) -> Any:
        """Its absolute value."""
        return abs(self.value) if is_real(self.value) else self.value


def bounded(function: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """Return a function that computes what `function` does, and how far rounding may move it.

    It takes the same arguments, pytrees of arrays, which are exact unless they are `Bounded`, and
    returns two pytrees like the result: the values, and their errors, of the same dtypes, infinite
    or NaN where nothing is known; of truth values and integers, whether they may be others. It can
    be transformed by `jax.jit` and `jax.vmap`. For float64, call it with 64 bits enabled.

    Raises:
        NotImplementedError: an operation of the program is not covered.

    Example:
        >>> value, error = bounded(lambda x: 1 - x * x)(np.float32(0.75))
        >>> print(value, 1e-7 < error < 3e-7)
        0.4375 True
    """

    def run(*args: Any) -> tuple[Any, Any]:
        leaves, tree = jax.tree.flatten(args, lambda leaf: isinstance(leaf, Bounded))
        given = [*map(_given, leaves)]
        exact = tree.unflatten([number.value for number in given])
        program, shapes = jax.make_jaxpr(function, return_shape=True)(*exact)
        found = _Walk().results(program, given)
        tree = jax.tree.structure(shapes)
        values, errors = [out.value for out in found], [_error(out) for out in found]
        return tree.unflatten(values), tree.unflatten(errors)

    return run


def _given(array: Any) -> _Number:
    """Return an argument: what is subnormal may be taken for 0, as XLA does."""
    if isinstance(array, Bounded):
        return _Number(jnp.asarray(array.value), jnp.asarray(array.error))
    array = jnp.asarray(array)
    if not is_real(array):
        return _Number(array)
    bits = jax.lax.bitcast_convert_type(array, f"uint{8 * array.dtype.itemsize}")
    tiny = np.asarray(jnp.finfo(array.dtype).tiny, array.dtype)
    subnormal = (bits << 1) - 1 < (tiny.view(bits.dtype) << 1) - 1  # 0 - 1 is the largest
    return _Number(array, subnormal.astype(array.dtype) * tiny)


def _error(number: _Number) -> Any:
    if number.error is not None:
        return number.error
    return jnp.zeros(jnp.shape(number.value), number.value.dtype if is_real(number.value) else bool)


class _Walk:
    """Goes through a program, and computes once what stands there several times."""

    def __init__(self) -> None:
        self._found: dict[Any, list[_Number]] = {}
        self._literals: dict[Any, _Number] = {}

    def results(self, program: Any, given: list[_Number]) -> list[_Number]:
        """Return the results of a program, closed or open."""
        consts = map(_Number, getattr(program, "consts", ()))
        jaxpr = getattr(program, "jaxpr", program)
        return walked(jaxpr, [*consts, *given], self._literal, self._equation)

    def _literal(self, literal: Any) -> _Number:
        value = np.asarray(literal.val, dtype=literal.aval.dtype)
        return self._literals.setdefault((value.dtype, value.tobytes()), _Number(value))

    def _equation(self, eqn: Any, operands: list[_Number]) -> list[_Number]:
        if eqn.primitive.name in CALLS:
            return self.results(eqn.params.get("jaxpr") or eqn.params["call_jaxpr"], operands)
        # By identity; what is kept here is not collected.
        same = eqn.primitive, frozenset(eqn.params.items()), *operands
        if same not in self._found:
            self._found[same] = _equation(eqn, operands)
        return self._found[same]


def _equation(eqn: Any, operands: list[_Number]) -> list[_Number]:
    if any(is_real(v.aval) for v in eqn.outvars) and not _is_covered(eqn):
        raise UncertifiedPrimitiveError(eqn.primitive.name)
    outputs = [*map(_Number, results_by_jax(eqn, [o.value for o in operands]))]
    errors = [None] * len(outputs)
    if any(o.error is not None for o in operands):
        errors = _handed_on(eqn, operands, outputs)
    own = _rounding(eqn, operands, outputs)
    for out, *both in zip(outputs, errors, own, strict=True):
        out.error = _sum(*both)
        out.among = tuple(operands) if eqn.primitive.name in ("max", "min") else ()
    return outputs


def _is_covered(eqn: Any) -> bool:
    """Whether it is known where an operation rounds."""
    name, rule = eqn.primitive.name, RULES.get(eqn.primitive.name)
    if rule is None:
        return name in _OWN_LINES or name in MOVING
    elsewhere = rule.structured or rule.rounds in (Rounds.TRANSFORM, Rounds.ARGUMENTS)
    return name not in NOT_COVERED and not elsewhere


def _sum(*errors: Any) -> Any:
    known = [error for error in errors if error is not None]
    return reduce(add, known) if known else None


def _rounding(eqn: Any, operands: list[_Number], outputs: list[_Number]) -> list[Any]:
    """Return what the operation rounds, twice; None where it does not."""
    name, rule = eqn.primitive.name, RULES.get(eqn.primitive.name)
    rounds = rule.rounds if rule else Rounds.NOTHING
    if rounds is Rounds.SUM:
        n: Any = terms(eqn) + (name in PRODUCTS)
        sizes = results_by_jax(eqn, [o.size for o in operands])
    elif rounds is Rounds.RESULT or narrows(eqn):
        n = _units(eqn, operands, outputs[0])
        sizes = [out.size for out in outputs]
    else:
        return [None] * len(outputs)
    return [
        2 * unit(v) * n * size + 2 * n * smallest(v) if is_real(v.aval) else None
        for v, size in zip(eqn.outvars, sizes, strict=True)
    ]


def _units(eqn: Any, operands: list[_Number], out: _Number) -> Any:
    """Return how many units of roundoff of its result an operation may be off by."""
    name = eqn.primitive.name
    if name == "integer_pow":  # by products
        return 1 if eqn.params["y"] == 2 else max(abs(eqn.params["y"]), FUNCTION)
    if name in CORRECTLY_ROUNDED or narrows(eqn):
        return 1
    if name == "exp":
        return EXPONENTIAL
    if name == "logistic":
        return 2 + EXPONENTIAL * (1 - out.value)
    if name == "erfc":  # by e^(-x²), of a rounded x²
        return FUNCTION + operands[0].value ** 2
    return FUNCTION


def _handed_on(eqn: Any, operands: list[_Number], outputs: list[_Number]) -> list[Any]:
    """Return how far the errors of the operands move the results."""
    name, rule = eqn.primitive.name, RULES.get(eqn.primitive.name)
    if name in _OWN_LINES:
        return [_OWN_LINES[name](eqn, outputs[0], *operands)]
    given = [o.value for o in operands]
    decided = all(o.error is None or is_real(o.value) for o in operands)
    if rule is not None and rule.rearranges and len(operands) == 1:
        return results_by_jax(eqn, [operands[0].error])
    linear = rule is not None and (rule.rearranges or rule.rounds is Rounds.SUM or name in MOVING)
    covered = linear or (rule is not None and rule.elementwise)
    if not (covered and decided and all(is_real(v.aval) for v in eqn.outvars)):
        raise UncertifiedPrimitiveError(name)
    if linear:
        return results_by_jax(eqn, [_error(o) if is_real(o.value) else o.value for o in operands])
    errors: list[Any] = [None] * len(outputs)
    for i, operand in enumerate(operands):
        if operand.error is None:
            continue

        def of_one(x: Any, i: int = i) -> list[Any]:
            return results_by_jax(eqn, [*given[:i], x, *given[i + 1 :]])

        _, changes = jax.jvp(of_one, (operand.value,), (operand.error,))
        errors = [_sum(e, abs(change)) for e, change in zip(errors, changes, strict=True)]
    return errors


# Lines of their own: (the equation, its result, its operands) -> how far they move the result.


def _unchanged(_eqn: Any, _out: _Number, x: _Number) -> Any:
    return x.error


def _added(eqn: Any, _out: _Number, a: _Number, b: _Number) -> Any:
    _expect_real(eqn, a)
    return _sum(a.error, b.error)


def _product(eqn: Any, _out: _Number, a: _Number, b: _Number) -> Any:
    """|a b - a' b'| is at most (|a| + |a - a'|) |b - b'| + |a - a'| |b|, of sums of them, too."""
    _expect_real(eqn, a)
    given = []
    if a.error is not None:
        given.append([a.error, b.size])
    if b.error is not None:
        given.append([_sum(a.size, a.error), b.error])
    return _sum(*(results_by_jax(eqn, factors)[0] for factors in given))


def _power(eqn: Any, _out: _Number, x: _Number) -> Any:
    """x^n, by the steepest slope within reach: of x² that matters near 0."""
    _expect_real(eqn, x)
    n = eqn.params.get("y", 2)
    far = x.size + x.error if n > 0 else jnp.maximum(x.size - x.error, 0)
    return abs(n) * x.error * far ** (n - 1)


def _expect_real(eqn: Any, x: _Number) -> None:
    """Refuse arithmetic with integers that may be others."""
    if not is_real(x.value):
        raise UncertifiedPrimitiveError(eqn.primitive.name)


def _quotient(_eqn: Any, out: _Number, a: _Number, b: _Number) -> Any:
    """Infinite where the denominator may be 0."""
    if b.error is None:
        return a.error / b.size
    nearest = b.size - b.error
    moved = _sum(a.error, out.size * b.error)
    return jnp.where(nearest > 0, moved / nearest, jnp.inf)


def _root(_eqn: Any, out: _Number, x: _Number) -> Any:
    """|√x - √x'| is |x - x'| / (√x + √x'), and so at most √|x - x'|."""
    return jnp.where(x.error > 0, x.error / jnp.maximum(out.value, jnp.sqrt(x.error)), x.error)


def _undecided(_eqn: Any, _out: _Number, a: _Number, b: _Number) -> Any:
    """Tell where a comparison may turn; nothing does that of a number with itself.

    Derivatives of max and min ask whether the result equals an operand: it does if the operands
    compare so.
    """
    if any(a is other for other in b.among):
        a, b = b.among
    elif a is b and is_real(a.value):
        return None
    reach = _sum(a.error, b.error)
    if not is_real(a.value):
        return reach
    return ~((reach == 0) | (abs(a.value - b.value) > reach))


def _selected(eqn: Any, out: _Number, which: _Number, *cases: _Number) -> Any:
    errors = [_error(case) for case in cases]
    chosen = results_by_jax(eqn, [which.value, *errors])[0]
    if which.error is None:
        return chosen
    if not is_real(out.value):
        others = reduce(or_, (case.value != out.value for case in cases))
        return chosen | which.error & (others | reduce(or_, errors))
    moved = [abs(case.value - out.value) for case in cases]
    at_most = reduce(add, errors)
    continuous = reduce(jnp.maximum, moved) <= at_most
    return jnp.where(which.error, jnp.where(continuous, 2 * at_most, jnp.inf), chosen)


def _extreme(_eqn: Any, out: _Number, a: _Number, b: _Number) -> Any:
    of_a, of_b = _error(a), _error(b)
    chosen = jnp.where(a.value == out.value, of_a, of_b)
    if not is_real(a.value):
        return of_a | of_b
    near = ~(abs(a.value - b.value) > of_a + of_b)
    return jnp.where(near, jnp.maximum(of_a, of_b), chosen)


def _clamped(_eqn: Any, _out: _Number, *operands: _Number) -> Any:
    """Return the largest of the errors: no number moves by more than those that it may become."""
    return reduce(jnp.maximum, (o.error for o in operands if o.error is not None))


def _extreme_of_many(eqn: Any, _out: _Number, x: _Number) -> Any:
    return jnp.max(x.error, eqn.params["axes"])


def _step(eqn: Any, out: _Number, x: _Number) -> Any:
    """Infinite where the step may be another."""
    ends = [results_by_jax(eqn, [x.value + sign * x.error])[0] for sign in (-1, 1)]
    same = (ends[0] == out.value) & (ends[1] == out.value)
    return jnp.where(same, 0, jnp.inf).astype(out.value.dtype)


def _converted(_eqn: Any, out: _Number, x: _Number) -> Any:
    if is_real(x.value) and is_real(out.value):
        return x.error.astype(out.value.dtype)
    if is_real(x.value):
        raise UncertifiedPrimitiveError("convert_element_type")
    return jnp.where(x.error, jnp.inf, 0).astype(out.value.dtype) if is_real(out.value) else x.error


def _decided(_eqn: Any, _out: _Number, _x: _Number) -> None:
    """Return no error: what rounding may make infinite has an error that is."""


def _any(_eqn: Any, _out: _Number, *operands: _Number) -> Any:
    """Tell where a truth value may be another."""
    return reduce(or_, (o.error for o in operands if o.error is not None))


_OWN_LINES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("neg", "abs", "stop_gradient"), _unchanged),
    **dict.fromkeys(("mul", *PRODUCTS), _product),
    **dict.fromkeys(("square", "integer_pow"), _power),
    **dict.fromkeys(("add", "add_any", "sub"), _added),
    "div": _quotient,
    "sqrt": _root,
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), _undecided),
    "select_n": _selected,
    **dict.fromkeys(("max", "min"), _extreme),
    "clamp": _clamped,
    **dict.fromkeys(("reduce_max", "reduce_min"), _extreme_of_many),
    **dict.fromkeys(("sign", "floor", "ceil", "round"), _step),
    "convert_element_type": _converted,
    **dict.fromkeys(("and", "or", "not"), _any),
    "is_finite": _decided,
}

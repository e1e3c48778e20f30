"""Rules for comparisons, choices, and the functions that have a kink or a jump."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import EQUAL, GREATER, LESS, UNORDERED
from handgrad.arithmetic.dual import Dual
from handgrad.data.formats import is_floating
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rule, choice, elementwise

ZERO = Dual(balls.zeros(()))


def _compare(*true_for: int) -> Callable[..., np.ndarray]:
    def rule(run: Run, eqn: Any, a: Dual, b: Dual) -> np.ndarray:
        return np.isin(run.comparisons.order(a, b), true_for)

    return rule


def _compare_total(*true_for: int) -> Callable[..., np.ndarray]:
    """Make a comparison in which NaN is larger than any number, and equal to itself."""

    def rule(run: Run, eqn: Any, a: Dual, b: Dual) -> np.ndarray:
        order = run.comparisons.order(a, b)
        by_nan = _is_nan(a).astype(np.int8) - _is_nan(b)
        return np.isin(np.where(order == UNORDERED, by_nan, order), true_for)

    return rule


def _is_nan(x: Dual) -> np.ndarray:
    return np.array([ball.is_nan() for ball in x.value.flat], dtype=bool).reshape(x.shape)


def choose(which: np.ndarray, *cases: Dual) -> Dual:
    """Return cases[which], elementwise."""
    shape = np.broadcast_shapes(*(case.shape for case in cases))
    which = np.broadcast_to(np.asarray(which).astype(np.intp), shape)
    value = balls.array(np.choose(which, [case.value for case in cases]))
    k = dual.directions(*cases)
    if k is None:
        return Dual(value)
    tangents = [
        np.broadcast_to(Dual(c.value, dual.tangents(c, k)).tangent_for(len(shape)), (k, *shape))
        for c in cases
    ]
    return Dual(value, np.choose(which[None], tangents))


def larger(run: Run, a: Dual, b: Dual, sign: int = 1) -> Dual:
    """Return the larger of two numbers (sign -1: the smaller); NaN where either is."""
    order = run.comparisons.order(a, b)
    undefined = balls.full((), balls.ZERO / balls.ZERO)
    which = np.where(order == UNORDERED, 2, np.where(order * sign >= 0, 0, 1))
    return choose(which, a, b, Dual(undefined))


def clamp(run: Run, eqn: Any, low: Dual, x: Dual, high: Dual) -> Dual:
    """min(max(x, low), high)."""
    return larger(run, larger(run, x, low), high, -1)


def absolute(run: Run, eqn: Any, x: Dual) -> Dual:
    """|x|: x or -x."""
    return choose(run.comparisons.order(x, ZERO) == LESS, x, -x)


def sign(run: Run, eqn: Any, x: Dual) -> Dual:
    """-1, 0 or 1: constant on either side of the jump."""
    order = run.comparisons.order(x, ZERO)
    return dual.constant(np.where(order == UNORDERED, np.nan, order))


def _whole(towards: str) -> Callable[..., Dual]:
    """floor, ceil and the like: constant between the jumps."""

    def rule(run: Run, eqn: Any, x: Dual) -> Dual:
        nearest = Dual(run.comparisons.repeated(lambda: balls.array(_nearest(x.value))))
        side = run.comparisons.order(x, nearest)
        return nearest + dual.constant(_ROUND[towards](side))

    return rule


_HALF = balls.ONE / 2
_nearest = balls.elementwise(lambda x: (x.mid() + _HALF).floor().mid())

_ROUND: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "floor": lambda side: -1.0 * (side == LESS),
    "ceil": lambda side: 1.0 * (side == GREATER),
}


def truncated(run: Run, eqn: Any, x: Dual) -> Dual:
    """Round towards 0."""
    down, up = _whole("floor")(run, eqn, x), _whole("ceil")(run, eqn, x)
    return choose(run.comparisons.order(x, ZERO) == LESS, down, up)


def nearest_whole(run: Run, eqn: Any, x: Dual) -> Dual:
    """Round to the nearest whole number; a half away from 0, or to the even one."""
    half = dual.constant(0.5)
    below, above = _whole("ceil")(run, eqn, x - half), _whole("floor")(run, eqn, x + half)
    if eqn.params["rounding_method"] == lax.RoundingMethod.AWAY_FROM_ZERO:
        return choose(run.comparisons.order(x, ZERO) == LESS, above, below)
    odd = balls.midpoints(above.value) % 2 != 0
    return choose(odd, above, below)


def remainder(run: Run, eqn: Any, x: Dual, n: Dual) -> Dual:
    """x - n·trunc(x / n), with the sign of x."""
    return x - n * truncated(run, eqn, run.rules["div"](run, eqn, x, n))


def _extreme(sign: int) -> Callable[..., Dual]:
    def rule(run: Run, eqn: Any, x: Dual) -> Dual:
        for axis in sorted(eqn.params["axes"], reverse=True):
            index = (slice(None),) * axis
            # By halves: to compare two arrays takes its time, whatever their sizes.
            while (n := x.shape[axis]) > 1:
                ends = itertools.pairwise((0, n // 2, n // 2 * 2, n))
                first, second, odd = (x[(*index, slice(*pair))] for pair in ends)
                x = dual.concatenate([larger(run, first, second, sign), odd], axis)
            x = x[(*index, 0)]
        return x

    return rule


def slices(x: Dual, axis: int) -> list[Dual]:
    """Split an array along an axis."""
    index = (slice(None),) * axis
    return [x[(*index, i)] for i in range(x.shape[axis])]


def _arg_extreme(sign: int) -> Callable[..., np.ndarray]:
    def rule(run: Run, eqn: Any, x: Dual) -> np.ndarray:
        (axis,) = eqn.params["axes"]
        parts = slices(x, axis)
        best, where = parts[0], np.zeros(parts[0].shape, dtype=eqn.params["index_dtype"])
        for i, part in enumerate(parts[1:], start=1):
            order = run.comparisons.order(part, best)
            # The first NaN wins.
            beaten = (order * sign == 1) | ((order == UNORDERED) & ~_is_nan(best))
            best, where = choose(beaten, best, part), np.where(beaten, i, where)
        return where.astype(eqn.params["index_dtype"])

    return rule


def cumulative(combine: Callable[[Run, Dual, Dual], Dual]) -> Callable[..., Dual]:
    """Make the rule of cumsum, cummax and the like: the running result of a function of two."""

    def rule(run: Run, eqn: Any, x: Dual) -> Dual:
        axis, step = eqn.params["axis"], -1 if eqn.params["reverse"] else 1
        parts = slices(x, axis)[::step]
        running = list(itertools.accumulate(parts, lambda a, b: combine(run, a, b)))
        return dual.stacked(running[::step], axis) if running else x

    return rule


def convert(run: Run, eqn: Any, x: Dual) -> Any:
    """Convert to another dtype: not rounded, truncated to integers, and true unless 0."""
    dtype = np.dtype(eqn.params["new_dtype"])
    if is_floating(dtype):
        return x
    if np.issubdtype(dtype, np.complexfloating):
        raise UncertifiedPrimitiveError("complex")
    if dtype == np.bool_:
        return run.comparisons.order(x, ZERO) != EQUAL
    return balls.midpoints(truncated(run, eqn, x).value).astype(dtype)


RULES: dict[str, Rule] = {
    "lt": choice(_compare(LESS), "less"),
    "le": choice(_compare(LESS, EQUAL), "less_equal"),
    "gt": choice(_compare(GREATER), "greater"),
    "ge": choice(_compare(GREATER, EQUAL), "greater_equal"),
    "lt_to": choice(_compare_total(LESS)),
    "le_to": choice(_compare_total(LESS, EQUAL)),
    "eq": choice(_compare(EQUAL), "equal"),
    "ne": choice(_compare(LESS, GREATER, UNORDERED), "not_equal"),
    "select_n": choice(lambda run, eqn, which, *cases: choose(which, *cases)),
    "convert_element_type": Rule(convert, elementwise=True, rearranges=True),
    "max": choice(lambda run, eqn, a, b: larger(run, a, b), "maximum"),
    "min": choice(lambda run, eqn, a, b: larger(run, a, b, -1), "minimum"),
    "clamp": choice(clamp),
    "abs": choice(absolute, "fabs"),
    "sign": choice(sign),
    "floor": choice(_whole("floor")),
    "ceil": choice(_whole("ceil")),
    "round": choice(nearest_whole),
    "rem": elementwise(remainder),
    "reduce_max": Rule(_extreme(1)),
    "reduce_min": Rule(_extreme(-1)),
    "argmax": Rule(_arg_extreme(1)),
    "argmin": Rule(_arg_extreme(-1)),
    "cummax": Rule(cumulative(larger)),
    "cummin": Rule(cumulative(lambda run, a, b: larger(run, a, b, -1))),
}

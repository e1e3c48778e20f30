"""Operations on lists of tensors, `torch._foreach_...`: the same one on each of them."""

from collections.abc import Callable
from typing import Any

from handgrad.program.aten.operations import arithmetic, comparisons, elementary, reductions
from handgrad.program.aten.registry import OPERATIONS, operation

#: Of one tensor.
assert elementary  # which has the rules of these
_UNARY = ("abs", "exp", "log", "neg", "reciprocal", "sqrt", "rsqrt", "sigmoid", "tanh", "sign")

#: Of two, the second one a tensor or a number.
_BINARY: dict[str, Callable[..., Any]] = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "div": arithmetic.divide,
    "pow": arithmetic.power,
    "clamp_min": comparisons.clamp_min,
    "clamp_max": comparisons.clamp_max,
    "maximum": comparisons.maximum,
    "minimum": comparisons.minimum,
}

#: Of three, and a number.
_TERNARY: dict[str, Callable[..., Any]] = {
    "addcmul": arithmetic.add_product,
    "addcdiv": arithmetic.add_quotient,
}


def _pairwise(f: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of lists, or of a list and one tensor or number."""

    def function(xs: Any, ys: Any, **options: Any) -> list[Any]:
        each = ys if isinstance(ys, (list, tuple)) else [ys] * len(xs)
        return [f(x, y, **options) for x, y in zip(xs, each, strict=True)]

    return function


def _with_factors(f: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of three lists, and of one number or a list of them."""

    def function(xs: Any, ys: Any, zs: Any, values: Any = 1) -> list[Any]:
        each = values if isinstance(values, (list, tuple)) else [values] * len(xs)
        rows = zip(xs, ys, zs, each, strict=True)
        return [f(x, y, z, value=value) for x, y, z, value in rows]

    return function


for _name in _UNARY:
    operation(f"_foreach_{_name}")(lambda xs, f=OPERATIONS[_name].rule: [f(x) for x in xs])

for _name, _function in _BINARY.items():
    _overloads = ("Scalar", "List", "ScalarList", "Tensor")
    operation(*(f"_foreach_{_name}.{each}" for each in _overloads))(_pairwise(_function))

for _name, _function in _TERNARY.items():
    _overloads = ("Scalar", "ScalarList")
    operation(*(f"_foreach_{_name}.{each}" for each in _overloads))(_with_factors(_function))


@operation("_foreach_norm.Scalar")
def norms(xs: Any, ord: float = 2, dtype: Any = None) -> list[Any]:
    """Return the norm of each tensor."""
    return [reductions.vector_norm(x, ord, dtype=dtype) for x in xs]


@operation("_foreach_lerp.Scalar", "_foreach_lerp.List")
def interpolated(xs: Any, ys: Any, weights: Any) -> list[Any]:
    """Interpolate between the tensors of two lists."""
    each = weights if isinstance(weights, (list, tuple)) else [weights] * len(xs)
    rows = zip(xs, ys, each, strict=True)
    return [arithmetic.interpolate(x, y, weight) for x, y, weight in rows]

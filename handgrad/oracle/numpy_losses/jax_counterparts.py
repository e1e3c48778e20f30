"""What NumPy's functions are called in the referee's table, and in JAX."""

import importlib
import sys
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic.dual import Dual

#: NumPy's functions that have a rule of the same name, and those that have one of another.
_SAME = (
    *("square", "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log1p", "sin", "cos", "tan"),
    *("sinh", "cosh", "tanh", "sign", "floor", "ceil", "add"),
)
_RENAMED = (
    *(("subtract", "sub"), ("multiply", "mul"), ("divide", "div"), ("negative", "neg")),
    *(("power", "pow"), ("float_power", "pow"), ("arcsin", "asin"), ("arccos", "acos")),
    *(("arctan", "atan"), ("arctan2", "atan2"), ("arcsinh", "asinh"), ("arccosh", "acosh")),
    *(("arctanh", "atanh"), ("absolute", "abs"), ("fabs", "abs"), ("maximum", "max")),
    *(("minimum", "min"), ("isfinite", "is_finite"), ("greater", "gt"), ("greater_equal", "ge")),
    *(("less", "lt"), ("less_equal", "le"), ("equal", "eq"), ("not_equal", "ne")),
)
RULE_OF = {getattr(np, theirs): ours for theirs, ours in (*((n, n) for n in _SAME), *_RENAMED)}


def traced(twin: Any, tree: Any, fixed: list[Any], operands: list[Dual]) -> tuple[Any, Any]:
    """A twin as a program of its real operands, and the structure of what it returns.

    Args:
        twin: JAX's function.
        tree: the structure of (arguments, options).
        fixed: their leaves, None where a real operand stands.
        operands: the real ones; only their shapes count.
    """
    places = [i for i, leaf in enumerate(fixed) if leaf is None]

    def f(*real: Any) -> Any:
        leaves = list(fixed)
        for place, value in zip(places, real, strict=True):
            leaves[place] = value
        args, options = jax.tree_util.tree_unflatten(tree, leaves)
        return twin(*args, **options)

    # Whatever the caller has JAX refuse, NumPy allows.
    with (
        jax.enable_x64(True),
        jax.numpy_rank_promotion("allow"),
        jax.numpy_dtype_promotion("standard"),
    ):
        program, outputs = jax.make_jaxpr(f, return_shape=True)(
            *(np.zeros(o.shape) for o in operands)
        )
    return program, jax.tree_util.tree_structure(outputs)


def twin_of(function: Any) -> Any:
    """JAX's function that does the same; None if there is none."""
    name = function.__name__
    for home in ("numpy", "numpy.linalg", "scipy.special"):
        if getattr(sys.modules.get(home), name, None) is function:
            return getattr(importlib.import_module(f"jax.{home}"), name, None)
    return None


def key_of(leaf: Any) -> Any:
    """What tells an argument that is part of a program from others."""
    if isinstance(leaf, np.ndarray):
        return leaf.shape, leaf.dtype.str, leaf.tobytes()
    return repr(leaf)

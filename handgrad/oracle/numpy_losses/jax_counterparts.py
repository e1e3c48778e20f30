"""What NumPy's functions are called in the table of rules, and in JAX."""

import importlib
import sys
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic.dual import Dual
from handgrad.program.rules import RULES

#: The rules of NumPy's functions that have one, under the rule's name or another.
RULE_OF = {
    function: name
    for name, rule in RULES.items()
    for function in (getattr(np, n, None) for n in (name, *rule.numpy))
    if isinstance(function, np.ufunc)
}


def traced(counterpart: Any, tree: Any, fixed: list[Any], operands: list[Dual]) -> tuple[Any, Any]:
    """A counterpart as a program of its real operands, and the structure of what it returns.

    Args:
        counterpart: JAX's function.
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
        return counterpart(*args, **options)

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


def counterpart_of(function: Any) -> Any:
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

"""The rules and the JAX counterparts of NumPy's functions."""

import importlib
import math
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import special

from handgrad.arithmetic.dual import Dual
from handgrad.data.recent import Recent
from handgrad.program.rules import RULES

#: The names of the rules of NumPy's ufuncs, as far as they have one.
RULE_OF = {
    function: name
    for name, rule in RULES.items()
    for function in (getattr(np, n, None) for n in (name, *rule.numpy))
    if isinstance(function, np.ufunc)
}


#: Arguments whose value says all that a trace depends on; a function may do other things next time.
_PLAIN = (int, str, type, np.dtype, np.generic, np.ndarray, jax.Array)

#: Counterparts that were traced, by function, arguments and shapes; their fixed arguments have at
#: most so many elements in all.
_TRACED: Recent[tuple[Any, Any]] = Recent(2**11)


def traced_once(
    key: Any, counterpart: Any, tree: Any, fixed: list[Any], operands: list[Dual]
) -> tuple[Any, Any]:
    """Return what `traced` does; each run of the caller's code calls the same functions again."""
    found = _TRACED.get(key)
    if found is None:
        found = traced(counterpart, tree, fixed, operands)
        if all(leaf is None or isinstance(leaf, _PLAIN) for leaf in fixed):
            _TRACED.put(key, found, sum(np.size(leaf) for leaf in fixed))
    return found


def traced(counterpart: Any, tree: Any, fixed: list[Any], operands: list[Dual]) -> tuple[Any, Any]:
    """Trace a counterpart as a program of its real operands; return it and its output structure.

    Args:
        counterpart: JAX's function.
        tree: the structure of (arguments, options).
        fixed: their leaves, with None in place of real operands.
        operands: the real operands; only their shapes matter.
    """
    places = [i for i, leaf in enumerate(fixed) if leaf is None]

    def f(*real: Any) -> Any:
        leaves = list(fixed)
        for place, value in zip(places, real, strict=True):
            leaves[place] = value
        args, options = jax.tree_util.tree_unflatten(tree, leaves)
        return counterpart(*args, **options)

    # NumPy allows all promotions, whatever the caller has configured in JAX.
    with (
        jax.enable_x64(True),
        jax.numpy_rank_promotion("allow"),
        jax.numpy_dtype_promotion("standard"),
    ):
        program, outputs = jax.make_jaxpr(f, return_shape=True)(
            *(np.zeros(o.shape) for o in operands)
        )
    return program, jax.tree_util.tree_structure(outputs)


def _beta(a: Any, b: Any) -> Any:
    signs = (special.gammasgn(x) for x in (a, b, a + b))
    return math.prod(signs) * jnp.exp(_betaln(a, b))


def _betaln(a: Any, b: Any) -> Any:
    return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)


#: Functions of `scipy.special` whose counterpart in JAX is a fit or a series that ends early, so
#: that its derivative has from 7 to 15 digits, or has another name; and what is exact, or None
#: where nothing is.
_FITTED: dict[str, Any] = {
    "beta": _beta,
    "betaln": _betaln,
    "hyp2f1": None,
    "ndtri": lambda p: math.sqrt(2) * lax.erf_inv(2 * p - 1),
    "psi": special.digamma,  # the name that SciPy's digamma has for itself
}


def counterpart_of(function: Any) -> Any:
    """Return what computes the same in JAX; None if there is nothing."""
    name = function.__name__
    for home in ("numpy", "numpy.linalg", "scipy.special"):
        if getattr(sys.modules.get(home), name, None) is function:
            if home == "scipy.special" and name in _FITTED:
                return _FITTED[name]
            return getattr(importlib.import_module(f"jax.{home}"), name, None)
    return None


def key_of(leaf: Any) -> Any:
    """Return a cache key for an argument that is part of the traced program."""
    if isinstance(leaf, np.ndarray | jax.Array):
        array = np.asarray(leaf)
        return array.shape, array.dtype.str, array.tobytes()
    return repr(leaf)

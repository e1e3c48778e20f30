"""The Gauss-Newton matrix of a loss that is a sum of squares, to tell it from the Hessian."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core as jex

from handgrad.data.attempts import best_effort
from handgrad.judging.vectors.functions import VectorFunction, in_one
from handgrad.program.numpy_to_jax import in_jax

#: The most squares in a loss that are tried, from its end on.
MOST = 3


def gauss_newton(f: VectorFunction, x: Any, args: Sequence[Any]) -> list[np.ndarray]:
    """Return 2c·JᵀJ for what may be the residuals r of a loss c·Σr², in floats, by JAX.

    Args:
        f: the loss, in JAX, or in NumPy that can be translated.
        x, args: where.
    """
    flat = in_one(x)
    for function in (f.f, in_jax(f.f)):
        translated = VectorFunction(function, f.x, f.result)

        def loss(x: Any, translated: VectorFunction = translated) -> Any:
            return translated.value(translated.unflat(x), args)[0]

        with best_effort(TypeError), jax.enable_x64(True):  # JAX's, of code for NumPy on tracers
            traced = jax.make_jaxpr(loss)(flat)
            return [_of(traced, r, flat) for r in _squared(traced.jaxpr)][:MOST]
    return []


def _of(traced: Any, r: Any, x: Any) -> np.ndarray:
    def both(x: Any) -> tuple[Any, Any]:
        whole = traced.jaxpr
        info = whole.debug_info._replace(arg_names=None, result_paths=None)
        outputs = [*whole.outvars, r]
        program = jex.Jaxpr(whole.constvars, whole.invars, outputs, whole.eqns, debug_info=info)
        loss, residuals = jex.jaxpr_as_fun(jex.ClosedJaxpr(program, traced.consts))(x)
        return loss, residuals.reshape(-1)

    loss, residuals = both(x)
    jacobian = jax.jacfwd(lambda x: both(x)[1])(x)
    return np.asarray(2 * loss / (residuals @ residuals) * jacobian.T @ jacobian)


def _squared(jaxpr: Any) -> Iterator[Any]:
    """Yield the variables of which a program takes squares, from its end on."""
    for eqn in reversed(jaxpr.eqns):
        name = eqn.primitive.name
        twice = len(eqn.invars) == 2 and eqn.invars[0] is eqn.invars[1]
        squares = name == "square" or (name == "integer_pow" and eqn.params["y"] == 2)
        if squares or (twice and name in ("mul", "dot_general")):
            yield eqn.invars[0]

"""An operation for JAX's programs: the Jacobian of a function.

JAX computes it by its derivative rules. The oracle, which trusts none, evaluates the function on
power series in place of that. So a loss may contain derivatives, of which a slope that is given as
such is judged: Σ u·J for a Jacobian J, or the slope of a loss along a vector.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.core import ShapedArray
from jax.extend import core as jex
from jax.interpreters import ad, batching, mlir

#: (x, *others) -> the Jacobian by x of the program in the parameter `jaxpr`, which has one result.
JACOBIAN = jex.Primitive("jacobian")


def jacobian(f: Callable[..., Any], x: Any, *others: Any) -> Any:
    """Return the Jacobian of f by its first argument, shape (m, n), in one operation.

    Args:
        f: a function that JAX can trace, with a result of shape (m,).
        x: shape (n,).
        others: the further arguments of f, arrays.
    """

    def in_floats(x: Any, *others: Any) -> Any:
        value = f(x, *others)  # integers have a derivative in floats: 0
        is_whole = not jax.numpy.issubdtype(value.dtype, np.inexact)
        return jax.lax.convert_element_type(value, x.dtype) if is_whole else value

    traced = jax.make_jaxpr(in_floats)(x, *others)
    # Arrays in the closure of f are operands, so that their rounding counts as that of others.
    inside = traced.jaxpr
    info = inside.debug_info._replace(arg_names=None, result_paths=None)
    variables = [*inside.invars, *inside.constvars]
    program = jex.Jaxpr([], variables, inside.outvars, inside.eqns, debug_info=info)
    return JACOBIAN.bind(x, *others, *traced.consts, jaxpr=jex.ClosedJaxpr(program, []))


def by_jax(x: Any, *others: Any, jaxpr: Any) -> Any:
    """Return the Jacobian by JAX's rules: forwards, or backwards if there are fewer results."""
    run = jex.jaxpr_as_fun(jaxpr)

    def f(x: Any) -> Any:
        return run(x, *others)[0]

    modes = (jax.jacfwd, jax.jacrev)
    first, other = modes[::-1] if jaxpr.out_avals[0].shape[0] < x.shape[0] else modes
    try:
        return first(f)(x)
    except (TypeError, ValueError, NotImplementedError):
        # A rule of the caller may be for one direction alone, and so is JAX's of a loop.
        try:
            return other(f)(x)
        except NotImplementedError:  # nor has JAX a rule for several at once of `linear_call`
            units = jax.numpy.eye(x.size, dtype=x.dtype)
            return jax.numpy.stack([jax.jvp(f, (x,), (unit,))[1] for unit in units], axis=-1)


def in_jax(eqn: Any) -> Any:
    """Return the program of the operations by which JAX computes the Jacobian of an equation."""
    return jax.make_jaxpr(lambda *given: by_jax(*given, jaxpr=eqn.params["jaxpr"]))(
        *(v.aval for v in eqn.invars)
    )


def _shape(x: Any, *_: Any, jaxpr: Any) -> Any:
    result = jaxpr.out_avals[0]
    return ShapedArray((*result.shape, *x.shape), result.dtype)


def _differential(primals: Sequence[Any], tangents: Sequence[Any], jaxpr: Any) -> Any:
    active = [i for i, t in enumerate(tangents) if type(t) is not ad.Zero]

    def f(*some: Any) -> Any:
        given = list(primals)
        for i, value in zip(active, some, strict=True):
            given[i] = value
        return by_jax(*given, jaxpr=jaxpr)

    return jax.jvp(f, [primals[i] for i in active], [tangents[i] for i in active])


def _batched(given: Sequence[Any], axes: Sequence[Any], jaxpr: Any) -> Any:
    return jax.vmap(lambda *one: by_jax(*one, jaxpr=jaxpr), axes)(*given), 0


JACOBIAN.def_impl(by_jax)
JACOBIAN.def_abstract_eval(_shape)
ad.primitive_jvps[JACOBIAN] = _differential
batching.primitive_batchers[JACOBIAN] = _batched
mlir.register_lowering(JACOBIAN, mlir.lower_fun(by_jax, multiple_results=False))

"""A loss at a point, as the referee gets it and as JAX answers it."""

from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import point_at
from handgrad.data.pytrees import split
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program.form import QUICK
from handgrad.program.trace import trace


def problem(loss: Any, params: Any, *inputs: Any, trusted: Any = frozenset()) -> Problem:
    given = point_at(params, inputs)
    traced = trace(loss, given.arrays, given.inputs)
    real, _ = split(given.inputs)
    arrays = [np.asarray(array) for array in real] if traced.traced_inputs else []
    return Problem(traced, given.leaves, arrays, trusted)


def certified(loss: Any, params: Any, *inputs: Any, method: str = "series") -> Reference:
    return certify(problem(loss, params, *inputs), method)


def gradient(loss: Any, params: Any, *inputs: Any, method: str = "series") -> np.ndarray:
    """The certified gradient, rounded to float64."""
    return balls.midpoints(certified(loss, params, *inputs, method=method).gradient)


def by_jax(loss: Any, params: Any, *inputs: Any) -> tuple[float, np.ndarray]:
    """The loss and its gradient as one float64 vector, compiled in a hurry."""
    with jax.enable_x64(True):
        witness = jax.jit(jax.value_and_grad(loss), compiler_options=QUICK)
        value, grads = witness(params, *inputs)
        return float(value), flat(grads)


def flat(tree: Any) -> np.ndarray:
    leaves = [np.asarray(leaf, dtype=np.float64).ravel() for leaf in jax.tree.leaves(tree)]
    return np.concatenate(leaves)


def hidden(f: Any) -> Any:
    """A function with a wrong rule, for those that reverse mode cannot differentiate."""
    wrapped = jax.custom_vjp(f)
    wrapped.defvjp(lambda p: (wrapped(p), p), lambda p, _: (p,))
    return wrapped


def assert_right(loss: Any, params: Any) -> Problem:
    """Compare the loss with JAX's in float64, and its slopes by series with JAX's program in balls.

    `certify` returns JAX's program if the two agree to 58 bits.
    """
    case = problem(loss, params)
    reference = certify(case, "series")
    with jax.enable_x64(True):
        value = float(jax.jit(loss, compiler_options=QUICK)(params))
    assert abs(float(reference.loss.mid()) - value) <= 64 * np.spacing(max(1.0, abs(value)))
    assert reference.kink is None
    assert reference.program is case.traced.gradient
    return case

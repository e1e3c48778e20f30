"""Enclose the exact gradient of a loss of this package, between proved bounds."""

from collections.abc import Callable
from typing import Any

import jax

from handgrad.data.point import point_at
from handgrad.exact import enclosures
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.program.programs import Program
from handgrad.program.trace import Traced


def enclosed_gradient(loss: Callable[..., Any], params: Any, *inputs: Any) -> Any:
    """Compute what `handgrad.exact_gradient` does, of a loss that is known to be a function.

    It is not called again to see whether it returns the same, nor differentiated by JAX. Every
    element is by power series, so that no output depends on the machine.

    Args:
        loss: `loss(params, *inputs)`, a real scalar that JAX can trace.
        params: any pytree of float64 arrays.
        inputs: the further arguments, pytrees of float64 arrays.

    Returns:
        A pytree like `params` with an `Enclosure` for each leaf without axes, and an object array
        of them for each other leaf.

    Raises:
        ArithmeticError: the gradient is not finite, has more than one value (at a kink), or cannot
            be enclosed.
    """
    given = point_at(params, inputs)
    with jax.enable_x64(True):
        program = Program(jax.make_jaxpr(loss)(params, *inputs))
    traced = Traced(program, None, lambda: None, True, jax.value_and_grad)
    problem = Problem(traced, given.leaves, jax.tree.leaves(inputs))
    return enclosures(certify(problem, "series"), given)

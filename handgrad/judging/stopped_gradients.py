"""What differences must know of a loss in JAX: `stop_gradient` makes a constant of the point.

Differences would move its operand along with the parameters, which autodiff does not.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import jax

from handgrad.data.point import Point
from handgrad.oracle.reference import UndecidableError
from handgrad.program.equations import equations
from handgrad.program.numpy_to_jax import names
from handgrad.program.programs import without_custom_rules

#: The operation.
STOP = "stop_gradient"


def held(function: Callable[..., Any], given: Point) -> Callable[..., Any]:
    """Return a function whose `stop_gradient`s keep the values that they have at a point.

    Args:
        function: in JAX, of (params, *inputs).
        given: the point.

    Raises:
        UndecidableError: one of them is in a loop or a branch, and in none of JAX's own functions,
            which only scale exponentials by it.
    """
    with jax.enable_x64(given.wide):
        program, _ = _traced(function, given.arrays, given.inputs)
        every = [eqn for eqn in equations(program.jaxpr) if eqn.primitive.name == STOP]
        reached: list[Any] = []
        if every:
            _run(program, given.leaves, lambda eqn, found: reached.append(eqn) or found)
    inside = {id(eqn) for eqn in every} - {id(eqn) for eqn in reached}
    if any(id(eqn) in inside and not _is_jaxs(eqn) for eqn in every):
        raise UndecidableError(
            f"`{STOP}` in a loop or a branch, of a loss with an operation that has no rule: "
            "differences, which it is judged by, would move what is stopped"
        )
    if not reached:
        return function

    def at_point(params: Any, *inputs: Any) -> Any:
        leaves = jax.tree_util.tree_leaves(params)
        program, result = _traced(function, params, inputs)
        there = [a.astype(b.dtype) for a, b in zip(given.leaves, leaves, strict=True)]
        kept: list[Any] = []
        _run(program, there, lambda _, found: kept.append(found) or found)
        again = iter(kept)
        found = _run(program, leaves, lambda *_: next(again))
        return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(result), found)

    return at_point


def is_used(function: Any) -> bool:
    """Tell whether a function that JAX cannot trace names `stop_gradient` in its code."""
    if not isinstance(function, FunctionType):
        return False
    used = names(function.__code__)
    return STOP in used or any(
        function.__globals__.get(name) is jax.lax.stop_gradient for name in used
    )


def _traced(function: Callable[..., Any], params: Any, inputs: Any) -> tuple[Any, Any]:
    return jax.make_jaxpr(lambda params: function(params, *inputs), return_shape=True)(params)


def _run(program: Any, leaves: Any, stop: Callable[[Any, list[Any]], list[Any]]) -> list[Any]:
    """Run a program; `stop` takes a `stop_gradient` and its operands, and returns its results."""

    def instead(eqn: Any, operands: list[Any]) -> list[Any] | None:
        return stop(eqn, operands) if eqn.primitive.name == STOP else None

    return without_custom_rules(program, leaves, instead=instead)


def _is_jaxs(eqn: Any) -> bool:
    """Tell whether a function of JAX's own calls `stop_gradient`."""
    traceback = eqn.source_info.traceback
    files = [frame.file_name.replace("\\", "/") for frame in getattr(traceback, "frames", ())]
    names = [frame.function_name for frame in getattr(traceback, "frames", ())]
    return STOP in names and "/jax/_src/" in files[names.index(STOP) + 1]

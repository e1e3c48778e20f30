"""Rules for operations made of operations: calls, branches, loops, custom rules."""

from collections.abc import Callable
from typing import Any

import numpy as np

from handgrad.referee import dual
from handgrad.referee.dual import Dual
from handgrad.referee.interpreter import Run


def call(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """jit, checkpoint and their like: the program inside."""
    program = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
    if hasattr(program, "consts"):
        return run.closed(program, operands)
    return run.program(program, [], operands)


def cond(run: Run, eqn: Any, index: np.ndarray, *operands: Any) -> list[Any]:
    """The branch that the index names; one out of range is clamped."""
    branches = eqn.params["branches"]
    return run.closed(branches[min(max(int(index), 0), len(branches) - 1)], operands)


def while_loop(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """As long as the condition holds."""
    p = eqn.params
    of_test, of_body = p["cond_nconsts"], p["body_nconsts"]
    test, body = operands[:of_test], operands[of_test : of_test + of_body]
    state = list(operands[of_test + of_body :])
    while bool(run.closed(p["cond_jaxpr"], [*test, *state])[0]):
        state = run.closed(p["body_jaxpr"], [*body, *state])
    return state


def scan(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """A loop over the first axis, carrying some values and collecting others."""
    p = eqn.params
    n_consts, n_carry, length = p["num_consts"], p["num_carry"], p["length"]
    consts, carry = operands[:n_consts], list(operands[n_consts : n_consts + n_carry])
    rows = operands[n_consts + n_carry :]
    collected: list[list[Any]] = []
    steps = range(length)
    for i in reversed(steps) if p["reverse"] else steps:
        outputs = run.closed(p["jaxpr"], [*consts, *carry, *(row[i] for row in rows)])
        carry = outputs[:n_carry]
        collected.append(outputs[n_carry:])
    if p["reverse"]:
        collected.reverse()
    shapes = [v.aval for v in eqn.outvars[n_carry:]]
    return carry + [_together([c[j] for c in collected], a) for j, a in enumerate(shapes)]


def _together(parts: list[Any], aval: Any) -> Any:
    if not parts:
        empty = np.zeros(aval.shape, dtype=aval.dtype)
        return dual.constant(empty) if np.issubdtype(aval.dtype, np.floating) else empty
    return dual.stacked(parts) if isinstance(parts[0], Dual) else np.stack(parts)


RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(
        ("jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint", "custom_lin"), call
    ),
    # The referee differentiates what a custom rule is a rule for.
    "custom_jvp_call": call,
    "custom_vjp_call": call,
    "cond": cond,
    "while": while_loop,
    "scan": scan,
}

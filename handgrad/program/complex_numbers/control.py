"""Calls, branches, loops and Jacobians in programs of complex numbers."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
from jax import lax

from handgrad.data.complex_pairs import in_pairs, joined
from handgrad.program import jacobians
from handgrad.program.complex_numbers import parts
from handgrad.program.equations import alone, groups, rule_name
from handgrad.program.form import CUSTOM


def call(run: Any, eqn: Any, *operands: Any) -> list[Any]:
    """Write out the body of a call."""
    program = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
    if hasattr(program, "consts"):
        return run.closed(program, operands)
    return run.program(program, [], operands)


def _body(run: Any, program: Any, *operands: Any) -> list[Any]:
    return [parts.full(out) for out in run.closed(program, operands)]


def cond(run: Any, eqn: Any, index: Any, *operands: Any) -> list[Any]:
    """Choose a branch."""
    branches = [partial(_body, run, program) for program in eqn.params["branches"]]
    return lax.switch(index, branches, *map(parts.full, operands))


def while_loop(run: Any, eqn: Any, *operands: Any) -> list[Any]:
    """Loop while a condition holds."""
    p, given = eqn.params, [parts.full(o) for o in operands]
    of_test, of_body = p["cond_nconsts"], p["body_nconsts"]
    test, body = given[:of_test], given[of_test : of_test + of_body]
    return lax.while_loop(
        lambda state: run.closed(p["cond_jaxpr"], [*test, *state])[0],
        lambda state: _body(run, p["body_jaxpr"], *body, *state),
        given[of_test + of_body :],
    )


def scan(run: Any, eqn: Any, *operands: Any) -> list[Any]:
    """Loop over the first axis."""
    p, given = eqn.params, [parts.full(o) for o in operands]
    consts, carried = groups(eqn)
    fixed, state = given[:consts], given[consts : consts + carried]

    def step(carry: Sequence[Any], row: Sequence[Any]) -> Any:
        found = _body(run, p["jaxpr"], *fixed, *carry, *row)
        return found[:carried], found[carried:]

    rows = given[consts + carried :]
    carry, collected = lax.scan(step, state, rows, length=p["length"], reverse=p["reverse"])
    return [*carry, *collected]


def custom(run: Any, eqn: Any, *operands: Any) -> list[Any]:
    """Keep a function with a derivative rule; the rule is given complex numbers, as written."""
    variables, function = alone(eqn)
    # By their ids, since numbers among the operands have no hash.
    given = {id(v): operand for v, operand in zip(eqn.invars, operands, strict=True)}
    arguments = [parts.full(given[id(v)]) for v in variables]

    def primal(*args: Any) -> list[Any]:
        known = given | {id(v): arg for v, arg in zip(variables, args, strict=True)}
        inside = [known[id(v)] for v in eqn.invars]
        return _body(run, eqn.params["call_jaxpr"], *inside)

    def on_pairs(*args: Any) -> list[Any]:
        return in_pairs(function(*joined(args)))

    primal.__name__ = rule_name(eqn)
    if eqn.primitive.name == CUSTOM[0]:
        ruled = jax.custom_jvp(primal)
        ruled.defjvp(lambda primals, tangents: jax.jvp(on_pairs, primals, tangents))
    else:
        ruled = jax.custom_vjp(primal)
        ruled.defvjp(
            lambda *args: jax.vjp(on_pairs, *args), lambda back, cotangents: back(cotangents)
        )
    return ruled(*arguments)


def jacobian(run: Any, eqn: Any, x: Any, *others: Any) -> Any:
    """Keep a Jacobian, of a real function that has complex numbers inside, or among its data."""
    flat, tree = jax.tree_util.tree_flatten([parts.full(o) for o in others])

    def of_parts(x: Any, *flat: Any) -> Any:
        given = jax.tree_util.tree_unflatten(tree, flat)
        return run.closed(eqn.params["jaxpr"], [x, *given])[0]

    return jacobians.jacobian(of_parts, x, *flat)


RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint"), call),
    **dict.fromkeys(CUSTOM, custom),
    "cond": cond,
    "while": while_loop,
    "scan": scan,
    jacobians.JACOBIAN.name: jacobian,
}

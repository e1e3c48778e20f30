"""Run programs whose `while` loops may not end, in steps that do.

XLA runs a loop to its end, and nothing interrupts it. So a program with loops is run with a number
of iterations that all of them together may take, in the order in which they run. If that is used
up, the results mean nothing, and it is run again with more, as long as there is time for that.
"""

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from operator import attrgetter
from traceback import walk_stack
from types import FunctionType
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core as jex
from jax.extend.core.primitives import while_p

from handgrad.clock import Clock, OutOfTimeError, check_time, time_left
from handgrad.program.equations import equations, groups, results_by_jax, walked
from handgrad.program.form import CUSTOM, Form
from handgrad.program.jacobians import JACOBIAN, in_jax

#: The iterations that a program may take at first, and how many times as many in the next run. All
#: runs but the last take an eighth of its time.
FIRST, MORE = 64, 8


#: How many functions that call each other are looked into for one that is compiled.
DEEP = 5

_STOPPED: ContextVar[bool] = ContextVar("stopped", default=False)
_LOCK = threading.Lock()
_stopping = 0


class LoopError(BaseException):
    """Code has come to a loop that may not end; not an `Exception`, as `OutOfTimeError`."""


def _bind(*args: Any, **params: Any) -> Any:
    if _STOPPED.get() and not _is_lowered():
        raise LoopError
    return type(while_p).bind(while_p, *args, **params)


def _is_lowered() -> bool:
    """Tell whether JAX is making a loop of an operation that ends, such as a scan, to compile it.

    An error there would leave JAX compiling that operation anew at every call.
    """
    return any(frame.f_code.co_name == "lower_jaxpr_to_module" for frame, _ in walk_stack(None))


@contextmanager
def before_loops() -> Iterator[None]:
    """Raise `LoopError` where code comes to a loop that a condition ends, to run or to trace it.

    The loops of what was traced before, as `calls_compiled` tells, are not seen.
    """
    global _stopping
    token = _STOPPED.set(True)
    with _LOCK:
        _stopping += 1
        while_p.bind = _bind
    try:
        yield
    finally:
        _STOPPED.reset(token)
        with _LOCK:
            _stopping -= 1
            if not _stopping:
                del while_p.bind


def calls_compiled(function: Any, deep: int = DEEP) -> bool:
    """Tell whether a function, or one that it calls by its name, is compiled by JAX."""
    if isinstance(function, jax.stages.Wrapped):
        return True
    if deep == 0 or not isinstance(function, FunctionType):
        return False
    try:
        names = inspect.getclosurevars(function)
    except ValueError:  # it is called before what it refers to is there
        return False
    called = [*names.nonlocals.values()]
    if not str(function.__module__).startswith("jax."):  # whose own functions are compiled as well
        called += names.globals.values()
    return any(calls_compiled(value, deep - 1) for value in called)


def may_not_end(jaxpr: Any) -> bool:
    """Tell whether a program has loops that a condition ends."""
    return any(eqn.primitive.name == "while" for eqn in equations(jaxpr))


def ended(form: Form, consts: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Run the jaxpr of a form on constants and arguments, and return its results.

    Raises:
        OutOfTimeError: its loops have not ended in the time that there is, as the error says.
    """
    run, most, measured = _limited(form), FIRST, False
    while True:
        check_time()
        clock = Clock(float("inf"))
        left, results = run(consts, list(given), most)
        if int(left) > 0:
            return results
        if measured:
            if MORE * clock.spent > time_left(float("inf")):
                raise OutOfTimeError(f"in a loop that had not ended after {most:,} iterations")
            most *= MORE
        measured = True  # in the first run it was compiled as well


@lru_cache(maxsize=32)
def _limited(form: Form) -> Callable[..., tuple[Any, list[Any]]]:
    """Compile the jaxpr of a form: (constants, arguments, most iterations) -> (those left, ...)."""

    def run(consts: Any, given: Any, most: Any) -> tuple[Any, list[Any]]:
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return _program(form.program, consts, jnp.asarray(most), given)

    return jax.jit(run)


def _program(
    jaxpr: Any, consts: Sequence[Any], left: Any, given: Sequence[Any]
) -> tuple[Any, list[Any]]:
    """Run an open jaxpr while iterations are left; return how many are, and its results."""

    def results_of(eqn: Any, operands: list[Any]) -> list[Any]:
        nonlocal left
        left, outputs = _equation(eqn, left, operands)
        return outputs

    found = walked(jaxpr, [*consts, *given], attrgetter("val"), results_of)
    return left, found


def _closed(closed: Any, left: Any, given: Sequence[Any]) -> tuple[Any, list[Any]]:
    return _program(closed.jaxpr, closed.consts, left, given)


def _equation(eqn: Any, left: Any, operands: list[Any]) -> tuple[Any, list[Any]]:
    name, p = eqn.primitive.name, eqn.params
    if name in CUSTOM:
        return _closed(p["call_jaxpr"], left, operands)
    if not any(map(may_not_end, jex.jaxprs_in_params(p))) and name != "while":
        return left, results_by_jax(eqn, operands)
    if name == JACOBIAN.name:
        return _closed(in_jax(eqn), left, operands)
    if name == "while":
        return _while(p, left, operands)
    if name == "scan":
        return _scan(eqn, left, operands)
    if name == "cond":
        branches = [partial(_closed, branch) for branch in p["branches"]]
        index, *others = operands
        return jax.lax.switch(index, branches, left, others)
    if name == "custom_linear_solve":
        first, solve = sum(p["const_lengths"][:2]), p["const_lengths"].solve
        given = [*operands[first : first + solve], *operands[sum(p["const_lengths"]) :]]
        return _closed(p["jaxprs"].solve, left, given)
    body = p.get("jaxpr", p.get("call_jaxpr"))
    if body is None or len(getattr(body, "jaxpr", body).invars) != len(operands):
        return left, results_by_jax(eqn, operands)  # of unknown structure; its loops are not seen
    if hasattr(body, "consts"):
        return _closed(body, left, operands)
    return _program(body, (), left, operands)


def _while(p: Any, left: Any, operands: list[Any]) -> tuple[Any, list[Any]]:
    """Loop while the condition holds; for an array, each element while its own holds."""
    of_test, of_body = p["cond_nconsts"], p["body_nconsts"]
    test, body = operands[:of_test], operands[of_test : of_test + of_body]

    def tested(left: Any, state: Sequence[Any]) -> tuple[Any, Any, Any]:
        left, (going,) = _closed(p["cond_jaxpr"], left, [*test, *state])
        return left, going, state

    def once_more(at: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        left, going, state = at
        left, after = _closed(p["body_jaxpr"], left - 1, [*body, *state])
        chosen = [_where(going, a, b) for a, b in zip(after, state, strict=True)]
        return tested(left, chosen)

    def goes_on(at: tuple[Any, Any, Any]) -> Any:
        return (at[0] > 0) & jnp.any(at[1])

    left, _, state = jax.lax.while_loop(
        goes_on, once_more, tested(left, operands[of_test + of_body :])
    )
    return left, list(state)


def _where(going: Any, after: Any, before: Any) -> Any:
    """Select `after` where the loop goes on; `going` has the leading axes of `after`."""
    if jnp.ndim(going) == 0:
        return after
    return jnp.where(going.reshape(going.shape + (1,) * (after.ndim - going.ndim)), after, before)


def _scan(eqn: Any, left: Any, operands: list[Any]) -> tuple[Any, list[Any]]:
    """Loop over the first axis, as `handgrad.program.rules.control.scan` does."""
    p, (n_consts, n_carry) = eqn.params, groups(eqn)
    consts, carry = operands[:n_consts], operands[n_consts : n_consts + n_carry]

    def step(at: tuple[Any, list[Any]], rows: list[Any]) -> tuple[Any, list[Any]]:
        left, outputs = _closed(p["jaxpr"], at[0], [*consts, *at[1], *rows])
        return (left, outputs[:n_carry]), outputs[n_carry:]

    rows, length = operands[n_consts + n_carry :], p["length"]
    (left, carry), collected = jax.lax.scan(step, (left, carry), rows, length, p["reverse"])
    return left, [*carry, *collected]

"""Rules for operations with a body of operations: calls, branches, loops, custom rules."""

import itertools
from typing import Any

import jax
import numpy as np
from jax.extend import core as jex

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import EQUAL, GREATER, LESS, Decided
from handgrad.arithmetic.dual import Dual
from handgrad.data.formats import is_floating
from handgrad.program.adaptive import ADAPTIVE, adaptive
from handgrad.program.complex_numbers.transform import traced
from handgrad.program.equations import alone, groups, of_jax, rule_name
from handgrad.program.interpreter import EndlessLoopError, Run, UncertifiedPrimitiveError, dependent
from handgrad.program.rule import Rule
from handgrad.program.rules.comparison import ZERO, choose

#: What operations call the program that they run; the last is that of `linear_call`, whose
#: transpose is another program and not looked at.
BODIES = ("jaxpr", "call_jaxpr", "callee")


def call(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Run the body of jit, checkpoint and similar calls."""
    program = next(eqn.params[name] for name in BODIES if name in eqn.params)
    if eqn.params.get("name") == "signbit" and _takes_bits(program):
        return [run.comparisons.order(operands[0], ZERO) == LESS]
    if hasattr(program, "consts"):
        return run.closed(program, operands)
    return run.program(program, [], operands)


def expanded(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Run an operation that JAX itself writes out in others, such as a binary search."""
    primitive = eqn.params["_prim"]

    def written_out() -> Any:
        with jax.enable_x64(True):
            try:
                return jax.make_jaxpr(primitive.expand)(*(v.aval for v in eqn.invars))
            except AssertionError:  # JAX 0.12 cannot write out its own `custom_root`
                raise UncertifiedPrimitiveError(type(primitive).__name__) from None

    return run.closed(run.once(("expanded", id(eqn)), written_out), operands)


def _takes_bits(program: Any) -> bool:
    """Tell whether a program is jnp.signbit, which looks at the bits of its argument."""
    names = [eqn.primitive.name for eqn in program.eqns]
    return names == ["bitcast_convert_type", "shift_right_arithmetic", "convert_element_type"]


def cond(run: Run, eqn: Any, index: np.ndarray, *operands: Any) -> list[Any]:
    """Run the branch of that index, clamped to the range."""
    branches = eqn.params["branches"]
    return run.closed(branches[min(max(int(index), 0), len(branches) - 1)], operands)


def while_loop(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Loop while the condition holds; for an array, each element while its own holds.

    A loop that a comparison of floats ends, of floats that depend on a parameter, goes on for
    `run.further` iterations: it approximates something, and this shows how well.

    Raises:
        UncertifiedPrimitiveError: it chooses its steps, so that to go on shows nothing.
    """
    p = eqn.params
    of_test, of_body = p["cond_nconsts"], p["body_nconsts"]
    test, body = operands[:of_test], operands[of_test : of_test + of_body]
    state = list(operands[of_test + of_body :])

    def once_more(going: np.ndarray, state: list[Any]) -> list[Any]:
        after = run.closed(p["body_jaxpr"], [*body, *state])
        return [_where(going, a, b) for a, b in zip(after, state, strict=True)]

    key = ("dependent", id(eqn), *(_is_active(o) for o in operands))
    depends = run.once(key, lambda: _may_depend(eqn, list(key[2:])))
    if depends and run.once(("adaptive", id(eqn)), lambda: adaptive(eqn)):
        raise UncertifiedPrimitiveError(ADAPTIVE, f"{ADAPTIVE}, as an adaptive solver does")
    iterations = 0
    while (going := np.asarray(run.closed(p["cond_jaxpr"], [*test, *state])[0])).any():
        if iterations >= run.most:
            raise EndlessLoopError
        state, iterations = once_more(going, state), iterations + 1
    if depends:
        ended = _ended_by_floats(run, p["cond_jaxpr"], [*test, *state])
        if ended.any():
            run.approximates(iterations)
            for _ in range(run.further):
                state = once_more(ended, state)
    return state


def _is_active(operand: Any) -> bool:
    return isinstance(operand, Dual) and operand.tangent is not None


def _may_depend(eqn: Any, active: list[bool]) -> bool:
    """Tell whether the condition of a loop depends on its active operands, by a choice too."""
    p, carried = eqn.params, eqn.params["cond_nconsts"] + eqn.params["body_nconsts"]
    test, body, state = active[: p["cond_nconsts"]], active[p["cond_nconsts"] : carried], []
    after = active[carried:]
    while after != state:
        state = after
        moved = dependent(p["body_jaxpr"].jaxpr, [*body, *state])
        after = [a or b for a, b in zip(state, moved, strict=True)]
    return dependent(p["cond_jaxpr"].jaxpr, [*test, *state])[0]


#: The most comparisons in the condition of a loop that are decided otherwise one by one.
MOST_DECIDED = 3


def _ended_by_floats(run: Run, test: Any, operands: list[Any]) -> np.ndarray:
    """Tell which elements would go on if floats compared otherwise; the others end by a count."""
    decided = Decided()
    ended = np.zeros_like(run.deciding(decided).closed(test, operands)[0], dtype=bool)
    n = min(decided.count, MOST_DECIDED)
    for outcomes in itertools.product((LESS, EQUAL, GREATER), repeat=n) if n else ():
        ended |= run.deciding(Decided(outcomes=outcomes)).closed(test, operands)[0]
    return ended


def _where(going: np.ndarray, after: Any, before: Any) -> Any:
    """Select `after` where the loop goes on; `going` has the leading axes of `after`."""
    if going.all():
        return after
    going = going.reshape(going.shape + (1,) * (len(after.shape) - going.ndim))
    if isinstance(after, Dual):
        return choose(going, before, after)
    choice = np.where if isinstance(after, np.ndarray) else jax.numpy.where  # random keys
    return choice(going, after, before)


def scan(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Loop over the first axis, carrying some values and collecting others."""
    p = eqn.params
    n_consts, n_carry = groups(eqn)
    consts, carry = operands[:n_consts], list(operands[n_consts : n_consts + n_carry])
    rows = operands[n_consts + n_carry :]
    collected: list[list[Any]] = []
    steps = range(p["length"])
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
        return dual.constant(empty) if is_floating(aval.dtype) else empty
    return dual.stacked(parts) if isinstance(parts[0], Dual) else np.stack(parts)


def _exp_of_minus_square(run: Run, eqn: Any, x: Dual) -> Dual:
    return run.rules["exp"](run, eqn, -(x * x))


def _log_of_normal_cdf(run: Run, eqn: Any, x: Dual) -> Dual:
    half = Dual(balls.boxed([balls.ONE / 2], ()))
    tail = run.rules["erfc"](run, eqn, -x * run.rules["sqrt"](run, eqn, half))
    return run.rules["log"](run, eqn, tail * half)


#: Functions of JAX that are computed by another formula here: the one splits the bits of its
#: argument, which is not real arithmetic, the other truncates a series.
KNOWN = {"exp_neg_sq": _exp_of_minus_square, "log_ndtr": _log_of_normal_cdf}


def custom(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """Run a function with a custom derivative rule; the function itself is differentiated.

    If the rule is trusted, it is the derivative instead: its program is run in balls.
    """
    if rule_name(eqn) in KNOWN and of_jax(eqn):
        return [KNOWN[rule_name(eqn)](run, eqn, *operands)]
    given = {
        v: o for v, o in zip(eqn.invars, operands, strict=True) if not isinstance(v, jex.Literal)
    }
    active = [o for o in given.values() if isinstance(o, Dual) and o.tangent is not None]
    if not active or rule_name(eqn) not in run.trusted:
        return call(run, eqn, *operands)
    outputs = call(run, eqn, *map(dual.primal, operands))
    places = tuple(i for i, o in enumerate(given.values()) if any(o is m for m in active))
    key = [np.array(places)]
    jacobian = run.remembered(eqn, key, lambda: _jacobian(eqn, places))
    slopes = run.closed(jacobian, [*map(dual.primal, given.values())])
    blocks = [slopes[i : i + len(active)] for i in range(0, len(slopes), len(active))]
    k = dual.directions(*active) or 0
    return [
        Dual(o.value, _pushed(o, row, active, k)) for o, row in zip(outputs, blocks, strict=True)
    ]


def _jacobian(eqn: Any, places: tuple[int, ...]) -> Any:
    """Trace the Jacobian by a custom rule: for every output one block for each operand."""
    variables, function = alone(eqn)
    with jax.enable_x64(True):
        return traced(jax.jacrev(function, argnums=places), *(v.aval for v in variables))


def _pushed(output: Dual, slopes: list[Dual], real: list[Dual], k: int) -> np.ndarray:
    """Return the sum of the slopes times the tangents of the operands."""
    total = balls.zeros((k, *output.shape))
    for block, operand in zip(slopes, real, strict=True):
        matrix = block.value.reshape(output.value.size, operand.value.size)
        tangent = dual.tangents(operand, k).reshape(k, -1)
        total = total + balls.matmul(tangent[None], matrix.T[None]).reshape(total.shape)
    return total


RULES: dict[str, Rule] = {
    name: Rule(run, structured=True)
    for name, run in (
        *((name, call) for name in ("jit", "pjit", "closed_call", "core_call", "remat2")),
        ("checkpoint", call),
        ("linear_call", call),
        ("call_hi_primitive", expanded),
        ("custom_jvp_call", custom),
        ("custom_vjp_call", custom),
        ("cond", cond),
        ("while", while_loop),
        ("scan", scan),
    )
}

"""Find what a custom rule takes for constant, where its derivative is wrong at second order."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend import core as jex

from handgrad.arithmetic.levels import WRONG
from handgrad.data import formats
from handgrad.data.attempts import best_effort
from handgrad.data.findings import Diagnosis
from handgrad.data.frames import quoted_line
from handgrad.data.point import Point, vector
from handgrad.diagnosis.engine import REFUSED
from handgrad.judging.claim import Claim
from handgrad.judging.outcome import Trial
from handgrad.judging.ruling import Ruling
from handgrad.judging.stopped_gradients import STOP
from handgrad.program.programs import without_custom_rules
from handgrad.program.sources import source_of

#: Operations on real numbers whose results do not change with them.
FLAT = ("round", "floor", "ceil", "sign", "argmax", "argmin")


def stopped(trial: Trial) -> tuple[Diagnosis, ...]:
    """Return what makes the derivative of a rule wrong: a `stop_gradient`, or a whole number.

    Empty if nothing does, and for any other case than one of second order.

    The slope of first order is traced with the rule, and differentiated by JAX without some of the
    `stop_gradient`s in it. They are to blame if that is right.
    """
    ruling, claim = trial.outcomes[trial.deciding].ruling, trial.case.claim
    slope, check = claim.slope, claim.check(trial.case)
    if slope is None or check is None or ruling is None:
        return ()
    (f, _), *_ = check.functions
    with jax.enable_x64(ruling.given.wide):
        program = jax.make_jaxpr(slope)(list(ruling.given.leaves))
        found = _of_rule(program.jaxpr, f, claim, ruling.given)
        stops = [(eqn, line) for eqn, line in found if eqn.primitive.name == STOP]
        lines = list(dict.fromkeys(line for _, line in stops))
        for some in [*([line] for line in lines), lines][: 1 if len(lines) == 1 else None]:
            if some and _is_right(program, {id(e) for e, at in stops if at in some}, ruling):
                which = f"{STOP} at " + " and ".join(some)
                what = "takes for constant what is not: without it every element is right"
                return (Diagnosis("unknown", f"{which} {what}", wrong_leaves(ruling)),)
    for eqn, line in found:
        if _is_flat(eqn):
            what = f"`{eqn.primitive.name}` gives at {line}: no derivative passes it"
            says = f"the rule takes for constant what {what}"
            return (Diagnosis("unknown", says, wrong_leaves(ruling)),)
    return ()


def _of_rule(jaxpr: Any, f: Any, claim: Claim, given: Point) -> list[tuple[Any, str]]:
    """Return the equations that pass no derivative, each with the caller's line.

    JAX gives all of a backward pass the line of the call. So that is traced by itself, too.
    """
    found = [
        (eqn, at) for eqn, at in _with_lines(jaxpr) if _is_flat(eqn) or eqn.primitive.name == STOP
    ]
    names = {eqn.primitive.name for eqn, at in found if not at}
    backward = []
    with best_effort():  # a rule may take other arguments than these
        backward = list(_with_lines(_backward(f, claim, given))) if names else []
    lines = {n: [at for e, at in backward if e.primitive.name == n and at] for n in names}
    placed, name = [], getattr(f, "__name__", "f")
    for eqn, at in found:
        left = lines.get(eqn.primitive.name, [])
        placed.append((eqn, at or (left.pop(0) if left else f"a line of {name}'s rule")))
    return placed


def _backward(f: Any, claim: Claim, given: Point) -> Any:
    """Return the program of the backward pass of a `jax.custom_vjp`."""
    fixed = [claim.arguments(given.leaves, ())[i] for i in f.nondiff_argnums]

    def forward(real: Any) -> Any:
        return f.fwd(*claim.arguments(real, ()))

    def backward(kept: Any, cotangent: Any) -> Any:
        return f.bwd(*fixed, kept, cotangent)

    output, kept = jax.eval_shape(forward, list(given.leaves))
    return jax.make_jaxpr(backward)(kept, output).jaxpr


def _with_lines(jaxpr: Any, around: str = "") -> Iterator[tuple[Any, str]]:
    """Yield the equations of a program, each with the caller's line, if that is known.

    Of a library function that JAX has traced before, it is the line of the call.
    """
    for eqn in jaxpr.eqns:
        source = source_of(eqn)
        line = quoted_line(source.file, source.line) if source else around
        yield eqn, line
        for inner in jex.jaxprs_in_params(eqn.params):
            yield from _with_lines(getattr(inner, "jaxpr", inner), line)


def _is_flat(eqn: Any) -> bool:
    name = eqn.primitive.name
    if not any(jax.numpy.issubdtype(v.aval.dtype, np.floating) for v in eqn.invars):
        return False
    to = eqn.params.get("new_dtype")
    whole = name == "convert_element_type" and jax.numpy.issubdtype(to, np.integer)
    return whole or name in FLAT


def _is_right(program: Any, passed: set[int], ruling: Ruling) -> bool:
    """Tell whether JAX's derivative of a slope is right if some operations are left out."""

    def slope(params: Any) -> Any:
        return without_custom_rules(program, params, lambda e, o: o if id(e) in passed else None)[0]

    exact = np.nan_to_num(ruling.exact)
    with best_effort(*REFUSED):  # JAX cannot differentiate all that it can run
        found = _gradient(slope, ruling.given)
        # Without its cause the error is gone but for rounding, which leaves half of the digits.
        eps = max(formats.of(leaf.dtype).eps for leaf in ruling.given.leaves)
        gap = np.where(ruling.reference.known, found - exact, 0.0)
        return bool(np.linalg.norm(gap) <= eps**0.5 * np.linalg.norm(exact))
    return False


def _gradient(slope: Callable[[Any], Any], given: Point) -> np.ndarray:
    leaves = list(given.leaves)
    try:
        return vector([np.asarray(g) for g in jax.grad(slope)(leaves)])
    except ValueError:  # of a loop, which JAX differentiates forwards
        return vector([np.asarray(g) for g in jax.jacfwd(slope)(leaves)])


def wrong_leaves(ruling: Ruling) -> tuple[str, ...]:
    """Return the paths of the leaves with wrong elements."""
    level, given = ruling.yours.level, ruling.given
    pairs = zip(given.paths, given.parts(), strict=True)
    return tuple(path for path, part in pairs if (level[part] == WRONG).any())

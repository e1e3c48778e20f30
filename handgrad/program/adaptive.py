"""Loops that choose their steps: solvers of differential equations, which approximate.

Such a loop goes on while a number, the time, is below another. Its body keeps that number as it was
where the estimated error of a step is too large, and tries a shorter one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from handgrad.data.formats import is_floating
from handgrad.program.equations import walked

#: What a report calls them.
ADAPTIVE = "a loop that chooses its steps"

_ORDERS = {"lt", "le", "gt", "ge"}
_LOGIC = {"and", "or", "not", "reduce_or", "reduce_and"}

#: What leaves numbers as they are.
_SAME = {"convert_element_type", "copy", "broadcast_in_dim", "reshape", "squeeze"}


@dataclass(frozen=True, eq=False)
class _Value:
    """A value of a program, and what it is computed from; one object, however often it is named."""

    name: str = ""  #: the operation; `choice` of a condition and what it chooses from
    operands: Sequence["_Value"] = ()
    floats: bool = False


def adaptive(eqn: Any) -> bool:
    """Tell whether a `while` chooses its steps."""
    p = eqn.params
    cond, body, n = p["cond_jaxpr"].jaxpr, p["body_jaxpr"].jaxpr, p["body_nconsts"]
    before = [_given(v) for v in cond.invars]
    (test,) = _outputs(cond, before)
    compared = [v for order in _orders(test) for v in order.operands]
    carried = [_given(v) for v in body.invars]
    after = _outputs(body, carried)
    times = zip(before[p["cond_nconsts"] :], carried[n:], after, strict=True)
    return any(
        t.floats and t in compared and any(old not in o.operands for o in _keeping(new, old))
        for t, old, new in times
    )


def _given(v: Any) -> _Value:
    return _Value(floats=is_floating(v.aval.dtype))


def _outputs(jaxpr: Any, operands: Sequence[_Value]) -> list[_Value]:
    """Return the results of a program, with the calls in it written out."""

    def results_of(eqn: Any, given: list[_Value]) -> list[_Value]:
        name = eqn.primitive.name
        inner = [getattr(p, "jaxpr", p) for p in eqn.params.values() if hasattr(p, "eqns")]
        if name in _SAME:
            return given[:1]
        if name == "select_n":
            return [_Value("choice", given)]
        if name == "cond":
            each = [_outputs(branch.jaxpr, given[1:]) for branch in eqn.params["branches"]]
            return [_Value("choice", [given[0], *cases]) for cases in zip(*each, strict=True)]
        if len(inner) == 1 and len(inner[0].invars) == len(given) and name not in _LOOPS:
            return _outputs(inner[0], given)
        return [_Value(name, given, _given(v).floats) for v in eqn.outvars]

    return walked(jaxpr, [*map(_given, jaxpr.constvars), *operands], _given, results_of)


#: Calls whose results are not those of the program that they hold.
_LOOPS = {"scan", "while", "custom_linear_solve"}


def _orders(test: _Value) -> Iterator[_Value]:
    """Yield the comparisons of floats that a truth value is made of."""
    if test.name in _ORDERS and any(v.floats for v in test.operands):
        yield test
    elif test.name in _LOGIC:
        for operand in test.operands:
            yield from _orders(operand)


def _keeping(new: _Value, old: _Value) -> Iterator[_Value]:
    """Yield the comparisons of floats by which a value stays as it was, or becomes another."""
    if new.name != "choice":
        return
    test, *cases = new.operands
    if 0 < sum(case is old for case in cases) < len(cases):
        yield from _orders(test)
    for case in cases:
        yield from _keeping(case, old)

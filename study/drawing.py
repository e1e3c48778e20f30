"""Derive the drawing of a network, units in layers and edges, from the program of its pass."""

from collections.abc import Iterator
from typing import Any

from compare.trace import GRADIENT, LOSS, PARAMETER, UPDATE, VALUE, Quantity, Trace


def drawing(trace: Trace) -> dict[str, Any]:
    """Return the units layer by layer, and the edges.

    Returns:
        `inputs`: the names of the inputs; `layers`: lists of units, each with the names of its
        pre-activation `z`, its activation `a`, its bias `b`; `edges`: each with the names of its
        parameter and of the values that it leads `from` and `to`.
    """
    values = [q.name for q in trace.quantities.values() if q.kind == VALUE and _is_new(trace, q)]
    sums = {name: list(_terms(trace, name)) for name in values}
    units = {
        name: {"z": name, "a": _activation(trace, name), "b": _bias(terms)}
        for name, terms in sums.items()
        if any(parameter for parameter, _ in terms)
    }
    # The output of a unit without activation has two names.
    passed_on = {name: unit["a"] for name, unit in units.items()}
    edges = [
        {"parameter": parameter, "from": passed_on.get(source, source), "to": name}
        for name in units
        for parameter, source in sums[name]
        if parameter and source
    ]
    computed = {unit["a"]: name for name, unit in units.items()}
    depth: dict[str, int] = {}
    for name in units:
        before = [computed[e["from"]] for e in edges if e["to"] == name and e["from"] in computed]
        depth[name] = 1 + max((depth[of] for of in before), default=-1)
    layers = [
        [unit for name, unit in units.items() if depth[name] == at]
        for at in range(max(depth.values()) + 1)
    ]
    inputs = list(dict.fromkeys(e["from"] for e in edges if e["from"] not in computed))
    return {"inputs": inputs, "layers": layers, "edges": edges}


def _terms(trace: Trace, name: str) -> Iterator[tuple[str | None, str | None]]:
    """Yield the terms of a sum of products: the names of a parameter and of its factor, if any."""
    lines, at = trace.program.lines, trace.program.at
    named: dict[int, str] = {}
    for other, line in at.items():
        named.setdefault(line, other)

    def walk(line: int) -> Iterator[tuple[str | None, str | None]]:
        operation, operands = lines[line].operation, lines[line].operands
        if operation == "+" and (line == at[name] or line not in named):
            for operand in operands:
                yield from walk(operand)
        elif operation == "*" and line not in named:
            yield _pair(trace, [named.get(operand) for operand in operands])
        else:
            yield _pair(trace, [named.get(line)])

    return walk(at[name])


def _pair(trace: Trace, names: list[str | None]) -> tuple[str | None, str | None]:
    quantities = trace.quantities
    parameter = [n for n in names if n is not None and quantities[n].kind == PARAMETER]
    other = [n for n in names if n is not None and quantities[n].kind != PARAMETER]
    return (parameter or [None])[0], (other or [None])[0]


def _is_new(trace: Trace, value: Quantity) -> bool:
    """Whether it differs from the numbers before it, unlike the result of an identity."""
    line = trace.program.at[value.name]
    return all(trace.program.at[name] != line for name in value.depends_on)


def _bias(terms: list[tuple[str | None, str | None]]) -> str | None:
    return next((parameter for parameter, source in terms if parameter and not source), None)


def _activation(trace: Trace, z: str) -> str:
    """Return the activation: the value that depends on the sum z alone, else z itself."""
    values = (q for q in trace.quantities.values() if q.kind == VALUE)
    return next((q.name for q in values if q.depends_on == (z,)), z)


def ends(trace: Trace) -> dict[str, Any]:
    """Return the names of loss, η, gradients and updates."""
    quantities = trace.quantities.values()
    *_, loss = (q.name for q in quantities if q.kind == LOSS)
    updates = {q.name: _update(trace, q.depends_on) for q in quantities if q.kind == UPDATE}
    gradients = {q.derivative[1]: q.name for q in quantities if q.kind == GRADIENT and q.derivative}
    rate = next(rate for _, rate, _ in updates.values())
    return {"loss": loss, "rate": rate, "updates": updates, "gradients": gradients}


def _update(trace: Trace, names: tuple[str, ...]) -> tuple[str, str, str]:
    """Return parameter, η and derivative of an update."""
    by_kind = {trace.quantities[name].kind: name for name in names}
    rate = next(name for name in names if trace.quantities[name].kind not in (PARAMETER, GRADIENT))
    return by_kind[PARAMETER], rate, by_kind[GRADIENT]

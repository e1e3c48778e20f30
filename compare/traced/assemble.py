"""Assemble a trace from named recorded numbers: formulas, checks, steps."""

import math
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from compare.recording.formula import LATEX, TEXT, formula
from compare.recording.number import Array, Number
from compare.recording.watching import Statement, statements
from compare.trace import PHASES, UPDATE, Quantity, Step, Trace, place, program
from compare.traced.meanings import Derivative, Meaning, Updated, Value
from compare.traced.reasons import reason
from compare.traced.witnesses import Check, Witnesses
from compare.wording import InputError
from manual.network import Network


class Named(NamedTuple):
    """A number of the pass that has a name."""

    meaning: Meaning
    number: Number
    variable: str = ""  #: its name in the lines
    statement: Statement | None = None  #: that computes it; None for one that is given
    title: str = ""  #: of the step that computes it


def elements(name: str, array: Array) -> Iterator[tuple[Value, Number]]:
    """Yield what each number of an array stands for, and the number."""
    for at in np.ndindex(array.shape):
        yield Value(name, at), array.numbers[at]


def assemble(
    network: Network,
    about: dict[str, Any],
    given: Mapping[str, Array],
    computed: Iterable[Named],
    updated: tuple[Callable[..., Any], Mapping[str, Array]],
    witnesses: Witnesses,
) -> Trace:
    """Assemble the trace of a recording.

    Args:
        network: its activations and its loss.
        about: see `Trace`.
        given: the inputs and parameters of the pass.
        computed: the computed numbers, in order; of several with one name the first counts.
        updated: what updates the parameters, and these after it.
        witnesses: those of the pass.

    Raises:
        InputError: a number of the pass is not finite.
    """
    named: dict[str, Named] = {}
    for name, array in given.items():
        for value, number in elements(name, array):
            named[value.name] = Named(value, number, value.name)
    for of in computed:
        named.setdefault(of.meaning.name, of)
    function, after = updated
    statement = next(iter(statements(function).values()))
    title = "w ← w - η ∂L/∂w, for every parameter"
    for name, array in after.items():
        for value, number in elements(name, array):
            new = Updated(value)
            named[new.name] = Named(new, number, "", statement, title)
    _refuse_what_overflows(named.values())
    names: dict[Number, list[Named]] = defaultdict(list)
    quantities: dict[str, Quantity] = {}
    steps = tuple(_steps(named))
    step_of = {name: step.number for step in steps for name in step.names}
    for name, of in named.items():
        made = Quantity(
            name, *of.meaning.symbol, of.meaning.kind, step_of.get(name, 0), of.number.value
        )
        if of.statement:
            made = _computed(made, of, of.statement, names, witnesses.check(of.meaning))
            made = replace(made, reason=reason(network, made, quantities))
        quantities[name] = made
        names[of.number].append(of)
    lines = program({name: of.number for name, of in named.items()})
    return Trace(about, quantities, steps, lines)


def _steps(named: Mapping[str, Named]) -> Iterator[Step]:
    def together(of: Named) -> tuple[str, str]:
        return PHASES.get(of.meaning.kind, UPDATE), of.title

    computed = [of for of in named.values() if of.statement]
    for number, ((phase, title), group) in enumerate(groupby(computed, key=together), start=1):
        yield Step(number, phase, title, tuple(of.meaning.name for of in group))


def _computed(
    made: Quantity,
    named: Named,
    statement: Statement,
    names: Mapping[Number, list[Named]],
    check: Check,
) -> Quantity:
    """Add what a computed number has: formulas, from the names of the numbers so far, and check."""
    number, meaning, exact = named.number, named.meaning, check.exact
    words = set(re.findall(r"\w+", statement.text))

    def newest(number: Number) -> Named | None:
        """Return the newest name for a number, preferring names among a statement's words."""
        found = names.get(number, [])
        used = [of for of in found if of.variable in words]
        return (used or found or [None])[-1]

    said = formula(number, newest)
    parts = said.factors()
    return replace(
        made,
        formula=said.written(TEXT, lambda of: of.meaning.symbol.text),
        formula_latex=said.written(LATEX, lambda of: of.meaning.symbol.latex),
        substituted=said.written(TEXT, lambda of: TEXT.number(of.number.value)),
        substituted_latex=said.written(LATEX, lambda of: LATEX.number(of.number.value)),
        places_latex=said.written(LATEX, lambda of: place(of.meaning.name)),
        depends_on=tuple(of.meaning.name for of in said.leaves()),
        factors=tuple(of.meaning.name for of in parts) if all(parts) else (),
        derivative=(
            (meaning.of.name, meaning.by.name) if isinstance(meaning, Derivative) else None
        ),
        autodiff=check.autodiff,
        exact=exact.midpoint if exact else None,
        ulps_by_hand=exact.ulps(number.value) if exact else None,
        ulps_autodiff=exact.ulps(check.autodiff) if exact else None,
        verdict="agree" if check.agrees(number.value) else "disagree",
        file=statement.file,
        line=statement.line,
        statement=statement.text,
    )


def _refuse_what_overflows(named: Iterable[Named]) -> None:
    """Raise InputError if a number of the pass is not finite, or twice it would not be."""
    # What rounds to more than the largest number has no bound; a factor of two is far from there.
    most = sys.float_info.max / 2
    for of in named:
        value = of.number.value
        if of.statement and not abs(value) <= most:
            wanted = f"at most {most:.1e}" if math.isfinite(value) else "finite"
            raise InputError(
                f"{of.meaning.symbol.text} is {value} at this point; expected inputs and "
                f"parameters with which every number of the pass is {wanted}"
            )

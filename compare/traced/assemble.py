"""Assemble a trace from named recorded numbers: formulas, checks, steps."""

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from compare.recording.formula import LATEX, TEXT, Style, factors, leaves, written
from compare.recording.number import Number
from compare.recording.program import program
from compare.recording.watching import Statement
from compare.symbols import Symbol
from compare.trace import Quantity, Step, Trace, place
from compare.traced.witnesses import (
    WHOLE,
    Bounds,
    Derivative,
    Meaning,
    Updated,
    Value,
    Witnesses,
    descended,
)
from compare.wording import InputError
from handgrad.data.findings import Enclosure
from handgrad.tolerance.rounding import Bounded


def derivative_symbol(of: Symbol, by: Symbol) -> Symbol:
    """∂of/∂by."""
    latex = rf"\frac{{\partial {of.latex}}}{{\partial {by.latex}}}"
    return Symbol(f"∂{of.text}/∂{by.text}", latex)


class Given(NamedTuple):
    """An input or parameter of the pass."""

    name: str
    symbol: Symbol
    kind: str
    number: Number
    meaning: Value


class Computed(NamedTuple):
    """A number that the lines compute and name."""

    name: str
    variable: str  #: its name in the lines
    symbol: Symbol
    kind: str
    number: Number
    statement: Statement
    phase: str
    title: str  #: of the step
    meaning: Meaning


class Check(NamedTuple):
    """The check of a computed number: autodiff's value, the exact one, and both bounds."""

    autodiff: float
    exact: Enclosure | None
    hand_bounds: Bounded
    autodiff_bounds: Bounded

    def agrees(self, by_hand: float) -> bool:
        """Whether both are right; where there is no bound, as at a kink, any number may be."""
        sides = (by_hand, self.hand_bounds), (self.autodiff, self.autodiff_bounds)
        return all(
            of.contains(value) or (np.isfinite(value) and not np.isfinite(of.error))
            for value, of in sides
        )


@dataclass(frozen=True)
class Checks:
    """Checks the numbers of one pass and one step: autodiff's, the exact ones, bounds."""

    witnesses: Witnesses
    bounds: Bounds
    rate: float  #: η of the step
    #: ∂L by arrays of parameters, and these after the step, as the compiled program computes them
    #: that training uses: it may round differently.
    gradient: Mapping[str, Any]
    updated: Mapping[str, Any]

    def of(self, computed: Computed) -> Check:
        """Return the check of a computed number."""
        meaning = computed.meaning
        if not isinstance(meaning, Updated):
            exact = self.witnesses.exactly(meaning)
            return Check(self._by_autodiff(meaning), exact, *self.bounds.of(meaning))
        name, at = meaning.of
        start, by = float(self.witnesses.given[name][at]), Derivative(Value(WHOLE), meaning.of)
        exact = descended(start, self.rate, self.witnesses.exactly(by))
        bounds = self.bounds.of_update(start, self.rate, by)
        return Check(float(self.updated[name][at]), exact, *bounds)

    def _by_autodiff(self, meaning: Value | Derivative) -> float:
        if isinstance(meaning, Derivative) and meaning.of == Value(WHOLE):
            gradient = self.gradient.get(meaning.by.of)
            if gradient is not None:
                return float(gradient[meaning.by.at])
        return self.witnesses.by_autodiff(meaning)


def assemble(
    about: dict[str, Any],
    given: Iterable[Given],
    computed: list[Computed],
    checks: Checks,
    reason: Callable[[Quantity, Mapping[str, Quantity]], str],
) -> Trace:
    """Assemble the trace of a recording.

    Args:
        about: see `Trace`.
        given: the inputs and parameters of the pass.
        computed: the computed numbers, in order.
        checks: of the pass.
        reason: returns why a quantity is computed so, from those before it.
    """
    given = list(given)
    names = _Names()
    quantities: dict[str, Quantity] = {}
    for start in given:
        quantities[start.name] = _given(start)
        names.add(start.number, start.name, start.name, start.symbol)
    steps = list(_steps(computed))
    number_of = {name: step.number for step in steps for name in step.names}
    name_of = {of.meaning: of.name for of in (*given, *computed)}
    for quantity in computed:
        made = _computed(quantity, number_of[quantity.name], names, checks.of(quantity))
        made = replace(made, derivative=_derivative(quantity, name_of))
        quantities[quantity.name] = replace(made, reason=reason(made, quantities))
        names.add(quantity.number, quantity.name, quantity.variable, quantity.symbol)
    lines = program({of.name: of.number for of in (*given, *computed)})
    return Trace(about, quantities, tuple(steps), lines)


def _derivative(quantity: Computed, name_of: dict[Meaning, str]) -> tuple[str, str] | None:
    meaning = quantity.meaning
    return (name_of[meaning.of], name_of[meaning.by]) if isinstance(meaning, Derivative) else None


def _steps(computed: list[Computed]) -> Iterator[Step]:
    together = groupby(computed, key=lambda c: (c.phase, c.title))
    for number, ((phase, title), group) in enumerate(together, start=1):
        yield Step(number, phase, title, tuple(quantity.name for quantity in group))


def _given(start: Given) -> Quantity:
    text, latex = start.symbol
    return Quantity(start.name, text, latex, start.kind, step=0, by_hand=start.number.value)


def _computed(quantity: Computed, step: int, names: "_Names", check: Check) -> Quantity:
    number, statement, exact = quantity.number, quantity.statement, check.exact
    write = _Formulas(number, names, set(re.findall(r"\w+", statement.text)))
    by_hand = number.value
    return Quantity(
        name=quantity.name,
        symbol=quantity.symbol.text,
        latex=quantity.symbol.latex,
        kind=quantity.kind,
        step=step,
        formula=write.in_symbols(TEXT),
        formula_latex=write.in_symbols(LATEX),
        substituted=write.in_numbers(TEXT),
        substituted_latex=write.in_numbers(LATEX),
        places_latex=write.with_places(),
        depends_on=write.depends_on(),
        factors=write.factors(),
        by_hand=by_hand,
        autodiff=check.autodiff,
        exact=exact.midpoint if exact else None,
        ulps_by_hand=exact.ulps(by_hand) if exact else None,
        ulps_autodiff=exact.ulps(check.autodiff) if exact else None,
        verdict="agree" if check.agrees(by_hand) else "disagree",
        file=statement.file,
        line=statement.line,
        statement=statement.text,
    )


class _Name(NamedTuple):
    name: str
    variable: str
    symbol: Symbol


class _Names:
    """The names of the numbers so far; one number may have several."""

    def __init__(self) -> None:
        self._of: dict[Number, list[_Name]] = {}

    def add(self, number: Number, name: str, variable: str, symbol: Symbol) -> None:
        self._of.setdefault(number, []).append(_Name(name, variable, symbol))

    def of(self, number: Number, words: set[str]) -> _Name | None:
        """Return the newest name for a number, preferring names among a statement's words."""
        all_ = self._of.get(number, [])
        used = [name for name in all_ if name.variable in words]
        return used[-1] if used else all_[-1] if all_ else None


class _Formulas:
    """The formula of one number: in symbols, in numbers, with placeholders."""

    def __init__(self, number: Number, names: _Names, words: set[str]) -> None:
        self.number, self.names, self.words = number, names, words
        self.same = names.of(number, words)  # an earlier name of the same number, if any

    def in_symbols(self, style: Style) -> str:
        def atom(number: Number) -> str | None:
            name = self.names.of(number, self.words)
            return name and (name.symbol.latex if style is LATEX else name.symbol.text)

        return atom(self.number) or written(self.number, style, atom)

    def in_numbers(self, style: Style) -> str:
        def atom(number: Number) -> str | None:
            return style.number(number.value) if self._has_name(number) else None

        return atom(self.number) or written(self.number, style, atom)

    def with_places(self) -> str:
        def atom(number: Number) -> str | None:
            name = self.names.of(number, self.words)
            return name and place(name.name)

        return atom(self.number) or written(self.number, LATEX, atom)

    def depends_on(self) -> tuple[str, ...]:
        if self.same:
            return (self.same.name,)
        return tuple(map(self._name, leaves(self.number, self._has_name)))

    def factors(self) -> tuple[str, ...]:
        if self.same:
            return (self.same.name,)
        of = factors(self.number, self._has_name)
        return tuple(map(self._name, of)) if all(map(self._has_name, of)) else ()

    def _has_name(self, number: Number) -> bool:
        return self.names.of(number, self.words) is not None

    def _name(self, number: Number) -> str:
        name = self.names.of(number, self.words)
        assert name is not None
        return name.name


def refuse_what_overflows(computed: Iterable[Computed]) -> None:
    """Raise InputError if a number of the pass is not finite, or twice it would not be."""
    # What rounds to more than the largest number has no bound; a factor of two is far from there.
    most = sys.float_info.max / 2
    for quantity in computed:
        value = quantity.number.value
        if not abs(value) <= most:
            wanted = f"at most {most:.1e}" if math.isfinite(value) else "finite"
            raise InputError(
                f"{quantity.symbol.text} is {value} at this point; expected inputs and parameters "
                f"with which every number of the pass is {wanted}"
            )

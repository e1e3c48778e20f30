"""Assemble a trace from named recorded numbers: formulas, checks, steps."""

import math
import re
import sys
from collections import defaultdict
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

    @property
    def variable(self) -> str:
        """Its name in the lines."""
        return self.name


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


Named = Given | Computed


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
    names: dict[Number, list[Named]] = defaultdict(list)
    quantities: dict[str, Quantity] = {}
    for start in given:
        quantities[start.name] = _given(start)
        names[start.number].append(start)
    steps = list(_steps(computed))
    number_of = {name: step.number for step in steps for name in step.names}
    name_of = {of.meaning: of.name for of in (*given, *computed)}
    for quantity in computed:
        made = _computed(quantity, number_of[quantity.name], names, checks.of(quantity))
        made = replace(made, derivative=_derivative(quantity, name_of))
        quantities[quantity.name] = replace(made, reason=reason(made, quantities))
        names[quantity.number].append(quantity)
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


def _computed(
    quantity: Computed, step: int, names: Mapping[Number, list[Named]], check: Check
) -> Quantity:
    number, statement, exact = quantity.number, quantity.statement, check.exact
    write = _Formulas(number, names, set(re.findall(r"\w+", statement.text)))
    by_hand = number.value
    return Quantity(
        name=quantity.name,
        symbol=quantity.symbol.text,
        latex=quantity.symbol.latex,
        kind=quantity.kind,
        step=step,
        formula=write.written(TEXT, lambda of: of.symbol.text),
        formula_latex=write.written(LATEX, lambda of: of.symbol.latex),
        substituted=write.written(TEXT, lambda of: TEXT.number(of.number.value)),
        substituted_latex=write.written(LATEX, lambda of: LATEX.number(of.number.value)),
        places_latex=write.written(LATEX, lambda of: place(of.name)),
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


class _Formulas:
    """The formula of one number, from the names of the numbers so far; one may have several."""

    def __init__(self, number: Number, names: Mapping[Number, list[Named]], words: set[str]):
        self.number, self.names, self.words = number, names, words

    def written(self, style: Style, of: Callable[[Named], str]) -> str:
        """Write it in a style, what has a name as `of` says."""

        def atom(number: Number) -> str | None:
            name = self._name(number)
            return name and of(name)

        return atom(self.number) or written(self.number, style, atom)

    def depends_on(self) -> tuple[str, ...]:
        return self._names_of(leaves)

    def factors(self) -> tuple[str, ...]:
        return self._names_of(factors)

    def _names_of(self, parts: Callable[..., list[Number]]) -> tuple[str, ...]:
        """Return the names of all parts, or of the number itself if it has one already."""
        if same := self._name(self.number):
            return (same.name,)
        names = [self._name(of) for of in parts(self.number, lambda of: self._name(of) is not None)]
        return tuple(of.name for of in names if of) if all(names) else ()

    def _name(self, number: Number) -> Named | None:
        """Return the newest name for a number, preferring names among a statement's words."""
        names = self.names.get(number, [])
        used = [of for of in names if of.variable in self.words]
        return (used or names or [None])[-1]


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

"""One forward and one backward pass of one example, as data: every link of the chain.

The hand-written lines are run on numbers that know how they came about (`compare.recording`), so
formulas, names and order are those of the lines themselves. Beside each value stand autodiff's, the
exact one, how many ulps either is off, and whether both lie where a right program must answer.
`compare.traced` knows the two kinds of networks; terminal, page and documents read what is here.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, NamedTuple

from compare.recording.formula import LATEX, TEXT, Style, factors, leaves, written
from compare.recording.number import Number
from compare.recording.watching import Statement
from compare.rounding import Range
from handgrad.report import Enclosure

#: The kinds of quantities, in the order in which they come up.
INPUT, PARAMETER, VALUE, LOSS, FACTOR, GRADIENT, UPDATE = (
    "input",
    "parameter",
    "value",
    "loss",
    "factor",
    "gradient",
    "update",
)


class TraceError(ValueError):
    """A pass that cannot be shown: the message says what was found and what was expected."""


class Symbol(NamedTuple):
    """How a quantity is written."""

    text: str
    latex: str


@dataclass(frozen=True)
class Quantity:
    """One number of the pass."""

    name: str  #: `dL_dw1`; in networks of any shape `dw0[0,1]`
    symbol: str  #: ∂L/∂w1
    latex: str
    kind: str
    step: int  #: the number of the micro-step that computes it; 0 for what is given
    formula: str | None  #: in symbols; None for what is given
    formula_latex: str | None
    substituted: str | None  #: the formula with numbers of six digits
    substituted_latex: str | None
    depends_on: tuple[str, ...]  #: names in the formula, from left to right
    factors: tuple[str, ...]  #: names of the factors, if it is a product of named ones
    by_hand: float
    autodiff: float | None  #: None for what is given
    exact: str | None  #: decimal digits; None for what is given, and where there is no one value
    ulps_by_hand: float | None  #: |by_hand - exact| / ulp(exact)
    ulps_autodiff: float | None
    verdict: str | None  #: `agree`: both lie where a right program must answer; or `disagree`
    file: str | None  #: the line that computes it
    line: int | None
    statement: str | None


class Step(NamedTuple):
    """Some quantities that are computed together."""

    number: int  #: from 1 up
    phase: str  #: `forward`, `loss`, `backward` or `update`
    title: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Trace:
    """A whole pass."""

    about: dict[str, Any]  #: which network, whose example, which parameters
    quantities: dict[str, Quantity]  #: by name, in the order in which they are computed
    steps: tuple[Step, ...]

    @property
    def verdict(self) -> str:
        """`agree` if every quantity does."""
        rulings = [quantity.verdict for quantity in self.quantities.values()]
        return "disagree" if "disagree" in rulings else "agree"

    def gradient_of(self, parameter: str) -> Quantity:
        """The derivative of the loss by a parameter. Raises KeyError if there is no such one."""
        return next(q for q in self._gradients() if q.symbol == f"∂L/∂{parameter}")

    def parameters(self) -> list[str]:
        """The names of the parameters, in order."""
        return [q.name for q in self.quantities.values() if q.kind == PARAMETER]

    def _gradients(self) -> Iterator[Quantity]:
        yield from (q for q in self.quantities.values() if q.kind == GRADIENT)

    def before(self, name: str) -> list[Quantity]:
        """The quantity and all that it depends on, in the order in which they are computed."""
        needed, open_ = set(), [name]
        while open_:
            needed.add(at := open_.pop())
            open_ += [n for n in self.quantities[at].depends_on if n not in needed]
        return [quantity for n, quantity in self.quantities.items() if n in needed]

    def as_object(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "about": self.about,
            "steps": [step._asdict() for step in self.steps],
            "quantities": [asdict(quantity) for quantity in self.quantities.values()],
            "verdict": self.verdict,
        }


class Given(NamedTuple):
    """A number that the pass begins with."""

    name: str
    symbol: Symbol
    kind: str
    number: Number


class Computed(NamedTuple):
    """A number that the lines have given a name to."""

    name: str
    variable: str  #: what the lines call it
    symbol: Symbol
    kind: str
    number: Number
    statement: Statement
    phase: str
    title: str  #: of the step


class Check(NamedTuple):
    """What the other witnesses say of a computed number."""

    autodiff: float
    exact: Enclosure | None
    hand_range: Range
    autodiff_range: Range


def assemble(
    about: dict[str, Any],
    given: Iterable[Given],
    computed: list[Computed],
    check: Callable[[str], Check],
) -> Trace:
    """The trace of what has been recorded.

    Args:
        about: see `Trace`.
        given: what the pass begins with.
        computed: the rest, in order.
        check: of a computed number, by name.
    """
    names = _Names()
    quantities = {}
    for start in given:
        quantities[start.name] = _given(start)
        names.add(start.number, start.name, start.name, start.symbol)
    steps = list(_steps(computed))
    number_of = {name: step.number for step in steps for name in step.names}
    for quantity in computed:
        made = _computed(quantity, number_of[quantity.name], names, check(quantity.name))
        quantities[quantity.name] = made
        names.add(quantity.number, quantity.name, quantity.variable, quantity.symbol)
    return Trace(about, quantities, tuple(steps))


def _steps(computed: list[Computed]) -> Iterator[Step]:
    together = groupby(computed, key=lambda c: (c.phase, c.title))
    for number, ((phase, title), group) in enumerate(together, start=1):
        yield Step(number, phase, title, tuple(quantity.name for quantity in group))


def _given(start: Given) -> Quantity:
    return Quantity(
        name=start.name,
        symbol=start.symbol.text,
        latex=start.symbol.latex,
        kind=start.kind,
        step=0,
        by_hand=start.number.value,
        depends_on=(),
        factors=(),
        **dict.fromkeys(_OF_COMPUTED),
    )


#: What only a computed quantity has.
_OF_COMPUTED = (
    *("formula", "formula_latex", "substituted", "substituted_latex"),
    *("autodiff", "exact", "ulps_by_hand", "ulps_autodiff", "verdict"),
    *("file", "line", "statement"),
)


def _computed(quantity: Computed, step: int, names: "_Names", check: Check) -> Quantity:
    number, statement, exact = quantity.number, quantity.statement, check.exact
    write = _Formulas(number, names, set(re.findall(r"\w+", statement.text)))
    by_hand, agree = number.value, check.hand_range.contains(number.value)
    agree &= check.autodiff_range.contains(check.autodiff)
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
        depends_on=write.depends_on(),
        factors=write.factors(),
        by_hand=by_hand,
        autodiff=check.autodiff,
        exact=exact.midpoint if exact else None,
        ulps_by_hand=exact.ulps(by_hand) if exact else None,
        ulps_autodiff=exact.ulps(check.autodiff) if exact else None,
        verdict="agree" if agree else "disagree",
        file=statement.file,
        line=statement.line,
        statement=statement.text,
    )


class _Name(NamedTuple):
    name: str
    variable: str
    symbol: Symbol


class _Names:
    """Which numbers have names already; the same number may have several."""

    def __init__(self) -> None:
        self._of: dict[Number, list[_Name]] = {}

    def add(self, number: Number, name: str, variable: str, symbol: Symbol) -> None:
        self._of.setdefault(number, []).append(_Name(name, variable, symbol))

    def of(self, number: Number, words: set[str]) -> _Name | None:
        """The newest name for the number, of those that a statement with these words uses first."""
        all_ = self._of.get(number, [])
        used = [name for name in all_ if name.variable in words]
        return used[-1] if used else all_[-1] if all_ else None


class _Formulas:
    """The formula of one number in the ways in which it is shown."""

    def __init__(self, number: Number, names: _Names, words: set[str]) -> None:
        self.number, self.names, self.words = number, names, words
        self.same = names.of(number, words)  # a second name for a number that has one

    def in_symbols(self, style: Style) -> str:
        def atom(number: Number) -> str | None:
            name = self.names.of(number, self.words)
            return name and (name.symbol.latex if style is LATEX else name.symbol.text)

        return atom(self.number) or written(self.number, style, atom)

    def in_numbers(self, style: Style) -> str:
        def atom(number: Number) -> str | None:
            return style.number(number.value) if self._has_name(number) else None

        return atom(self.number) or written(self.number, style, atom)

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


def derivative_symbol(of: Symbol, by: Symbol) -> Symbol:
    """∂of/∂by."""
    latex = rf"\frac{{\partial {of.latex}}}{{\partial {by.latex}}}"
    return Symbol(f"∂{of.text}/∂{by.text}", latex)


def refuse_what_overflows(computed: Iterable[Computed]) -> None:
    """Raises TraceError where a number of the pass is not finite: nothing could be said of it."""
    for quantity in computed:
        if not math.isfinite(quantity.number.value):
            raise TraceError(
                f"{quantity.symbol.text} is {quantity.number.value} at this point; expected inputs "
                "and parameters with which every number of the pass is finite"
            )

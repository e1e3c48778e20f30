"""The trace of one forward and one backward pass of one example, as data.

The hand-written lines run on numbers that record their operations (`compare.recording`), so
formulas, names and order are those of the lines themselves. Each value comes with autodiff's, the
exact one, the errors of both in ulps, and whether both are as near as rounding allows.
`compare.traced` builds traces of the article's network and of others; the terminal, the page and
documents read them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from compare.recording.number import Number

#: The kinds of quantities, in the order of computation.
INPUT, PARAMETER, VALUE, LOSS = "input", "parameter", "value", "loss"
FACTOR, GRADIENT, UPDATE = "factor", "gradient", "update"

#: The phase in which a computed quantity is, unless it is an update, by its kind.
PHASES = {VALUE: "forward", LOSS: "loss", FACTOR: "backward", GRADIENT: "backward"}


@dataclass(frozen=True)
class Quantity:
    """One number of the pass."""

    name: str  #: `dL_dw1`; in networks of any shape `dw0[0,1]`
    symbol: str  #: ∂L/∂w1
    latex: str
    kind: str
    step: int  #: the number of the micro-step that computes it; 0 for inputs and parameters
    by_hand: float
    depends_on: tuple[str, ...] = ()  #: names in the formula, from left to right
    factors: tuple[str, ...] = ()  #: names of the factors, if it is a product of named ones
    # Inputs and parameters have none of the following.
    reason: str | None = None  #: why it is computed so, in a sentence or two, at any point
    formula: str | None = None  #: in symbols
    formula_latex: str | None = None
    substituted: str | None = None  #: the formula with numbers of six digits
    substituted_latex: str | None = None
    #: The formula with placeholders for numbers: \\text{«w1»} for the number named w1.
    places_latex: str | None = None
    derivative: tuple[str, str] | None = None  #: (of, by), the names in a derivative
    autodiff: float | None = None
    exact: str | None = None  #: decimal digits; None also where the value is not unique
    ulps_by_hand: float | None = None  #: |by_hand - exact| / ulp(exact)
    ulps_autodiff: float | None = None
    verdict: str | None = None  #: `agree`: both are as near as rounding allows; or `disagree`
    file: str | None = None  #: the file of the statement that computes it
    line: int | None = None
    statement: str | None = None


def place(name: str) -> str:
    """Return the placeholder of a number in `Quantity.places_latex`."""
    return rf"\text{{«{name}»}}"


class Step(NamedTuple):
    """A micro-step: quantities that are computed together."""

    number: int  #: from 1 up
    phase: str  #: `forward`, `loss`, `backward` or `update`
    title: str
    names: tuple[str, ...]


class Line(NamedTuple):
    """One operation."""

    operation: str  #: as `Number.operation`
    operands: tuple[int, ...]  #: the lines whose results it uses
    value: float | None = None  #: the value of a constant
    #: The sign of the function whose result it is, and the lines of its arguments.
    called: tuple[str, tuple[int, ...]] | None = None


class Program(NamedTuple):
    """All operations that compute some numbers, each after its operands, for the page to run."""

    lines: tuple[Line, ...]
    at: Mapping[str, int]  #: for each name the line that computes it, or that is its input


def program(named: Mapping[str, Number]) -> Program:
    """Build the program that computes named numbers, its inputs among them."""
    at: dict[Number, int] = {}
    lines: list[Line] = []

    def add(number: Number) -> int:
        if number not in at:
            operands = tuple(map(add, number.operands))
            called = number.called and (number.called[0], tuple(map(add, number.called[1])))
            value = number.value if number.operation == "constant" else None
            at[number] = len(lines)
            lines.append(Line(number.operation, operands, value, called))
        return at[number]

    places = {name: add(number) for name, number in named.items()}
    return Program(tuple(lines), places)


@dataclass(frozen=True)
class Trace:
    """The trace of a whole pass."""

    about: dict[str, Any]  #: the network, the example's owner, the parameters
    quantities: dict[str, Quantity]  #: by name, in the order in which they are computed
    steps: tuple[Step, ...]
    program: Program  #: the recorded lines, with the names of the quantities

    @property
    def verdict(self) -> str:
        """`agree` if every quantity does, else `disagree`."""
        rulings = [quantity.verdict for quantity in self.quantities.values()]
        return "disagree" if "disagree" in rulings else "agree"

    def parameters(self) -> list[str]:
        """The names of the parameters, in order."""
        return [q.name for q in self.quantities.values() if q.kind == PARAMETER]

    def gradient_of(self, parameter: str) -> Quantity:
        """Return the derivative of the loss by a parameter. Raises KeyError if there is none."""
        gradients = {q.symbol: q for q in self.quantities.values() if q.kind == GRADIENT}
        return gradients[f"∂L/∂{parameter}"]

    def before(self, name: str) -> list[Quantity]:
        """Return a quantity and all that it depends on, in the order of computation."""
        needed, open_ = set(), [name]
        while open_:
            needed.add(at := open_.pop())
            open_ += [n for n in self.quantities[at].depends_on if n not in needed]
        return [quantity for n, quantity in self.quantities.items() if n in needed]

    def as_object(self) -> dict[str, Any]:
        """Return the trace for JSON."""
        return {
            "about": self.about,
            "steps": [step._asdict() for step in self.steps],
            "quantities": [asdict(quantity) for quantity in self.quantities.values()],
            "verdict": self.verdict,
        }

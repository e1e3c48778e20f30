"""One forward and one backward pass of one example, as data: every link of the chain.

The hand-written lines are run on numbers that know how they came about (`compare.recording`), so
formulas, names and order are those of the lines themselves. Beside each value stand autodiff's, the
exact one, how many ulps either is off, and whether both lie where a right program must answer.
`compare.traced` knows the two kinds of networks; terminal, page and documents read what is here.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from compare.recording.program import Program

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


@dataclass(frozen=True)
class Quantity:
    """One number of the pass."""

    name: str  #: `dL_dw1`; in networks of any shape `dw0[0,1]`
    symbol: str  #: ∂L/∂w1
    latex: str
    kind: str
    step: int  #: the number of the micro-step that computes it; 0 for what is given
    by_hand: float
    depends_on: tuple[str, ...] = ()  #: names in the formula, from left to right
    factors: tuple[str, ...] = ()  #: names of the factors, if it is a product of named ones
    # What is given has none of what follows.
    formula: str | None = None  #: in symbols
    formula_latex: str | None = None
    substituted: str | None = None  #: the formula with numbers of six digits
    substituted_latex: str | None = None
    #: The formula with places for numbers: \\text{«w1»} where the number called w1 stands.
    places_latex: str | None = None
    derivative: tuple[str, str] | None = None  #: of which quantity by which, if it is one
    autodiff: float | None = None
    exact: str | None = None  #: decimal digits; None also where there is no one value
    ulps_by_hand: float | None = None  #: |by_hand - exact| / ulp(exact)
    ulps_autodiff: float | None = None
    verdict: str | None = None  #: `agree`: both lie where a right program must; or `disagree`
    file: str | None = None  #: the line that computes it
    line: int | None = None
    statement: str | None = None


def place(name: str) -> str:
    """How `Quantity.places_latex` marks where the number of that name stands."""
    return rf"\text{{«{name}»}}"


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
    program: Program  #: the lines that were run; its names are those of the quantities

    @property
    def verdict(self) -> str:
        """`agree` if every quantity does."""
        rulings = [quantity.verdict for quantity in self.quantities.values()]
        return "disagree" if "disagree" in rulings else "agree"

    def parameters(self) -> list[str]:
        """The names of the parameters, in order."""
        return [q.name for q in self.quantities.values() if q.kind == PARAMETER]

    def gradient_of(self, parameter: str) -> Quantity:
        """The derivative of the loss by a parameter. Raises KeyError if there is no such one."""
        gradients = {q.symbol: q for q in self.quantities.values() if q.kind == GRADIENT}
        return gradients[f"∂L/∂{parameter}"]

    def before(self, name: str) -> list[Quantity]:
        """The quantity and all that it depends on, in the order in which they are computed."""
        needed, open_ = set(), [name]
        while open_:
            needed.add(at := open_.pop())
            open_ += [n for n in self.quantities[at].depends_on if n not in needed]
        return [quantity for n, quantity in self.quantities.items() if n in needed]

    def as_object(self, at: int | None = None) -> dict[str, Any]:
        """For JSON: all of it, or one step with what it computes."""
        steps = [step for step in self.steps if at in (None, step.number)]
        quantities = [q for q in self.quantities.values() if at in (None, q.step)]
        return {
            "about": self.about,
            "steps": [step._asdict() for step in steps],
            "quantities": [asdict(quantity) for quantity in quantities],
            "verdict": self.verdict,
        }

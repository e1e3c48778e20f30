"""Refute: find a point at which two numbers provably differ.

Small rational numbers are tried in a fixed order, some of them large or tiny, to find mistakes
that show only there. At each point the hand-written lines run on balls, and the derivative of the
loss is evaluated on balls; if the two are disjoint, the lines are wrong. Different formulas alone
do not suffice.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any, NamedTuple

from flint import ctx

from compare.proof.balls import Balls, Evaluator, UnsureError
from compare.proof.field import Element, Field
from compare.proof.number import NO_NUMBER, Number
from compare.proof.subject import Subject

#: Bits of precision, and the number of points tried with it. More bits show smaller differences.
TRIES = ((256, 200), (2048, 50))

#: Factors for the numbers of a point, each drawn from one of these rows.
SCALES = tuple(
    tuple(map(Fraction, row.split()))
    for row in ("1", "1", "1 5 20", "1/1000000000 1 10", "1/10 1 100")
)

#: Digits printed, and bits that must be right.
DIGITS, BITS = 30, 100


@dataclass(frozen=True)
class Difference:
    """A point at which the lines are wrong, and both values there."""

    point: dict[str, Fraction]
    by_hand: str  #: decimal digits, or `nan`
    exact: str


class Refuter:
    """Searches for points where hand-written derivatives are not those of the loss.

    Args:
        subject: the hand-written lines.
        field: the field in which they have been run.
        loss: the tree of the loss.
    """

    def __init__(self, subject: Subject, field: Field, loss: Any):
        self.subject, self.field, self.loss = subject, field, loss
        # Cached: one point often refutes several derivatives.
        self._at = cache(self._evaluated)

    def difference(self, name: str) -> Difference | None:
        """Find a point where the derivative by one parameter is wrong; None if none is found."""
        for bits, tries in TRIES:
            with ctx.workprec(bits):
                for at in range(tries):
                    found = self._compared(name, self._at(bits, at))
                    if found is not None:
                        return found
        return None

    def _evaluated(self, bits: int, at: int) -> "Evaluated | None":  # noqa: ARG002 (for the cache)
        """Evaluate the lines at a point, and select the element that is the loss there."""
        point = point_at(at, tuple(self.field.named))
        numbers = {name: Number(Balls(), Balls().exact(value)) for name, value in point.items()}
        try:
            evaluator = Evaluator(self.field, point)
            leaf = evaluator.leaf(self.loss)
            return Evaluated(point, evaluator, leaf, self.subject.run(numbers).by_hand)
        except UnsureError:
            return None

    def _compared(self, name: str, here: "Evaluated | None") -> Difference | None:
        if here is None or here.loss is NO_NUMBER:
            return None
        exact = here.evaluator.value(self.field.derivative(here.loss, name))
        by_hand = here.by_hand[name].tree
        # A ball without bounds overlaps all others.
        differs = by_hand is NO_NUMBER or not by_hand.overlaps(exact)
        if not differs or exact.rel_accuracy_bits() < BITS:
            return None
        return Difference(here.point, _digits(by_hand), _digits(exact))


class Evaluated(NamedTuple):
    """The values at a point, in some precision."""

    point: dict[str, Fraction]
    evaluator: Evaluator
    loss: Element
    by_hand: dict[str, Number]


def point_at(at: int, names: tuple[str, ...]) -> dict[str, Fraction]:
    """Return the point number `at`, counted from 0; it is always the same."""
    draw, scales = Random(at), SCALES[at % len(SCALES)]
    return {
        name: Fraction(draw.choice((-3, -2, -1, 1, 2, 3)), draw.choice((1, 2, 3, 4)))
        * draw.choice(scales)
        for name in names
    }


def _digits(value: Any) -> str:
    return "nan" if value is NO_NUMBER else value.str(DIGITS, radius=False)

"""A refutation: a point, and two numbers there that are proved to differ.

Small rational numbers are tried in an order that is always the same, some of them large or tiny,
for mistakes that are made in a corner only. At each point the very lines run on balls, and the
derivative of the loss is evaluated on balls; if the two do not meet, whatever is inside them, the
lines are wrong there. Formulas that differ do not suffice.
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

#: Bits of precision, and how many points are tried in it. More bits see smaller differences.
TRIES = ((256, 200), (2048, 50))

#: What the numbers of a point are multiplied by, one for each, drawn from one of these rows.
SCALES = tuple(
    tuple(map(Fraction, row.split()))
    for row in ("1", "1", "1 5 20", "1/1000000000 1 10", "1/10 1 100")
)

#: What is printed, and how many bits of it must be right.
DIGITS, BITS = 30, 100


@dataclass(frozen=True)
class Difference:
    """Where the lines are wrong, and what both sides are there."""

    point: dict[str, Fraction]
    by_hand: str  #: decimal digits, or `nan`
    exact: str


class Refuter:
    """Looks for points where hand-written derivatives are not those of the loss.

    Args:
        subject: the lines.
        field: in which they have been run.
        loss: the tree of the loss.
    """

    def __init__(self, subject: Subject, field: Field, loss: Any):
        self.subject, self.field, self.loss = subject, field, loss
        # One point shows mostly what is wrong with several derivatives.
        self._at = cache(self._evaluated)

    def difference(self, name: str) -> Difference | None:
        """Where the derivative by one parameter is wrong; None if no such point is found."""
        for bits, tries in TRIES:
            with ctx.workprec(bits):
                for at in range(tries):
                    found = self._compared(name, self._at(bits, at))
                    if found is not None:
                        return found
        return None

    def _evaluated(self, bits: int, at: int) -> "Evaluated | None":  # noqa: ARG002 (for the cache)
        """At a point: the element that is the loss there, and what the lines say."""
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
    """What there is at a point, in some precision."""

    point: dict[str, Fraction]
    evaluator: Evaluator
    loss: Element
    by_hand: dict[str, Number]


def point_at(at: int, names: tuple[str, ...]) -> dict[str, Fraction]:
    """The point that is tried as number `at`, counted from 0: always the same."""
    draw, scales = Random(at), SCALES[at % len(SCALES)]
    return {
        name: Fraction(draw.choice((-3, -2, -1, 1, 2, 3)), draw.choice((1, 2, 3, 4)))
        * draw.choice(scales)
        for name in names
    }


def _digits(value: Any) -> str:
    return "nan" if value is NO_NUMBER else value.str(DIGITS, radius=False)

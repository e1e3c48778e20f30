"""The proof: in every case, the derivative of the loss less what the lines say is 0.

The hand-written lines run once on symbols, the loss that they make is differentiated in the field,
and each partial derivative is compared with theirs, case by case (`compare.proof.cases`). Only if
the difference is the element 0 in every case is it "proved". Otherwise a point is looked for where
the two differ (`compare.proof.refute`); if none is found, it is "undecided".

A case is where the numbers that were asked about have given signs and are not 0. On a border the
lines must take one of the two sides, the same one throughout: with > beside >= for one number they
would be on neither, and are "undecided" (`Field.choose`). If both sides are the same formula,
nothing happens there, as for the |z| in σ. If they are not, the border is a seam where loss and
slopes of both sides meet, as at |r| = 1 in Huber's loss, or a kink where the loss has no
derivative, as at 0 in a ReLU. On a seam the proof holds. That both sides meet is an identity as
well: the difference of the two losses has the square of what is 0 at the border as a factor, so on
it the losses are equal, and so are their slopes. Kinks are excluded from what is proved, and
reported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from compare.proof.cases import Question, at_the_border, combined, leaves, questions
from compare.proof.field import Element, Field, FullError
from compare.proof.lemmas import permuted_units
from compare.proof.number import NO_NUMBER, Number
from compare.proof.refute import Difference, Refuter
from compare.proof.subject import Run, Subject

#: Room for exponentials and logarithms to begin with; it is doubled until there is enough.
ROOM = 8

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"


@dataclass(frozen=True)
class Partial:
    """What became of one partial derivative."""

    name: str
    verdict: str
    by_hand: Any  #: the tree
    difference: Difference | None  #: where it was found to be wrong


@dataclass(frozen=True)
class Proof:
    """What became of all, and the field in which it was done."""

    subject: Subject
    field: Field
    run: Run
    partials: tuple[Partial, ...]
    cases: int  #: how many were gone through, of the partial derivative that has the most
    kinks: tuple[Question, ...]  #: where there is no derivative
    #: Whether hidden units that change places permute the gradient; None if none can.
    permutes: bool | None

    @property
    def verdict(self) -> str:
        """The worst."""
        verdicts = {partial.verdict for partial in self.partials}
        return next(of for of in (REFUTED, UNDECIDED, PROVED) if of in verdicts)

    @property
    def refutation(self) -> Partial | None:
        """The first that is refuted."""
        return next((of for of in self.partials if of.verdict == REFUTED), None)


def prove(subject: Subject, on_partial: Callable[[int], None] = lambda _: None) -> Proof:
    """Prove, or refute, every partial derivative.

    Args:
        subject: what is to be proved.
        on_partial: called with the number of partial derivatives that are done.

    Raises:
        InexactError: the lines are no formula in exact numbers.
    """
    room = ROOM
    while True:
        try:
            return _proof(subject, Field((*subject.parameters, *subject.given), room), on_partial)
        except FullError:
            room *= 2


def _proof(subject: Subject, field: Field, on_partial: Callable[[int], None]) -> Proof:
    numbers = {name: Number(field, element) for name, element in field.named.items()}
    run = subject.run(numbers)
    refuter = Refuter(subject, field, run.loss.tree)
    partials, cases = [], 1
    for name in subject.parameters:
        partial, gone_through = _partial(refuter, run, name)
        partials.append(partial)
        cases = max(cases, gone_through)
        on_partial(len(partials))
    kinks = tuple(question for question in _borders(run) if not _is_seam(field, run, question))
    proved = all(partial.verdict == PROVED for partial in partials)
    permutes = None
    if subject.permutations:
        permutes = proved and permuted_units(subject, numbers, run.loss) and not field.unproved
    return Proof(subject, field, run, tuple(partials), cases, kinks, permutes)


def _partial(refuter: Refuter, run: Run, name: str) -> tuple[Partial, int]:
    field = refuter.field
    slope, cases = cache(lambda loss: field.derivative(loss, name)), 0

    def less(loss: Element, by_hand: Element) -> Element:
        nonlocal cases
        cases += 1
        return NO_NUMBER if NO_NUMBER in (loss, by_hand) else slope(loss) - by_hand

    by_hand = run.by_hand[name].tree
    rest = combined(less, run.loss.tree, by_hand)
    if all(leaf == 0 for _, leaf in leaves(rest)):
        return Partial(name, UNDECIDED if field.unproved else PROVED, by_hand, None), cases
    found = refuter.difference(name)
    return Partial(name, REFUTED if found else UNDECIDED, by_hand, found), cases


def _borders(run: Run) -> list[Question]:
    """What the loss asks, each question once."""
    return list(dict.fromkeys(questions(run.loss.tree)))


def _is_seam(field: Field, run: Run, question: Question) -> bool:
    """Whether the losses on either side differ by a multiple of the square of what is 0 there."""
    zero = question.of - field.constant(question.above)

    def meets(yes: Element, no: Element) -> bool:
        return not (yes - no).numer.rem(zero**2)

    return all(leaf for _, leaf in leaves(at_the_border(meets, run.loss.tree, question)))

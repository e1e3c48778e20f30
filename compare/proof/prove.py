"""The proof: in every case, the derivative of the loss minus the hand-written one is 0.

The hand-written lines run once on symbols, their loss is differentiated in the field, and each
partial derivative is compared with theirs, case by case (`compare.proof.cases`). Only if the
difference is the element 0 in every case is it "proved". Otherwise `compare.proof.refute` searches
for a point where the two differ; if there is none, it is "undecided".

A case fixes the nonzero signs of some numbers. On a border between cases the lines must take one
of the two sides, the same one throughout: with > beside >= for one number they would be on
neither, and are "undecided" (`Field.choose`). If both sides have the same formula, the border is
irrelevant, as for the |z| in σ. Otherwise it is a seam where loss and slopes of both sides agree,
as at |r| = 1 in Huber's loss, or a kink where the loss has no derivative, as at 0 in a ReLU. On a
seam the proof holds. The agreement is checked as an identity, too: the difference of the two losses
has the square of the border's number as a factor, so losses and slopes are equal there. Kinks are
excluded from what is proved, and reported.
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

#: Variables for exponentials and logarithms at first; doubled until they suffice.
ROOM = 8

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"


@dataclass(frozen=True)
class Partial:
    """The result for one partial derivative."""

    name: str
    verdict: str
    by_hand: Any  #: its tree
    difference: Difference | None  #: a point where it is wrong


@dataclass(frozen=True)
class Proof:
    """The result for all partial derivatives, and the field of the proof."""

    subject: Subject
    field: Field
    run: Run
    partials: tuple[Partial, ...]
    cases: int  #: the number of cases of the partial derivative with the most
    kinks: tuple[Question, ...]  #: the borders where there is no derivative
    #: Whether permuting hidden units permutes the gradient; None if no layer has two.
    permutes: bool | None

    @property
    def verdict(self) -> str:
        """The worst verdict of all partial derivatives."""
        verdicts = {partial.verdict for partial in self.partials}
        return next(of for of in (REFUTED, UNDECIDED, PROVED) if of in verdicts)

    @property
    def refutation(self) -> Partial | None:
        """The first refuted partial derivative."""
        return next((of for of in self.partials if of.verdict == REFUTED), None)


def prove(subject: Subject, on_partial: Callable[[int], None] = lambda _: None) -> Proof:
    """Prove, or refute, every partial derivative.

    Args:
        subject: what is to be proved.
        on_partial: called with the number of partial derivatives done.

    Raises:
        InexactError: the lines do not compute a formula in exact numbers.
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
    """Return the questions of the loss, each once."""
    return list(dict.fromkeys(questions(run.loss.tree)))


def _is_seam(field: Field, run: Run, question: Question) -> bool:
    """Whether the two sides' losses differ by a multiple of the square of the border's number."""
    zero = question.of - field.constant(question.above)

    def meets(yes: Element, no: Element) -> bool:
        return not (yes - no).numer.rem(zero**2)

    return all(leaf for _, leaf in leaves(at_the_border(meets, run.loss.tree, question)))

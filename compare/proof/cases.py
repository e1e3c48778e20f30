"""Case distinctions: what a number is depends on the signs of others, and all cases are kept.

|z| is z where z > 0 and -z where z < 0. Nobody chooses between the two: the number is a tree with a
question at every fork and a formula at every leaf, and an operation on trees is done at every leaf
that they have in common. Where both ways lead to the same formula the fork is left out. So of
e^min(z, 0) / (1 + e^-|z|) one formula remains, which is checked in doing so; of a ReLU two remain.

Questions about one number with different bounds are not independent: where r > 1, r > 0 as well.
What contradicts this is not gone into. Anything else is, also what no real numbers lead to: what
holds in too many cases still holds.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

Bound = Fraction | float


class Question(NamedTuple):
    """Is `of` larger than `above`?"""

    of: Any  #: a polynomial without a constant term
    above: Fraction


@dataclass(frozen=True)
class Fork:
    """A tree that is one thing where a question is answered with yes, another where with no."""

    question: Question
    yes: Any
    no: Any


#: The condition under which a leaf holds: bounds on the numbers that its questions compare.
Condition = Mapping[Any, tuple[Bound, Bound]]

NO_CONDITION: Condition = {}
_ANYWHERE = (-math.inf, math.inf)


def combined(function: Callable[..., Any], *trees: Any, condition: Condition = NO_CONDITION) -> Any:
    """A function of leaves, of trees: done in every case that all of them have in common.

    Args:
        function: of as many leaves as there are trees; returns a leaf, or a tree.
        trees: leaves or forks.
        condition: what is known of this case already.
    """
    here = [_further(tree, condition) for tree in trees]
    for tree in here:
        if isinstance(tree, Fork):
            yes, no = (
                combined(function, *here, condition=_narrowed(condition, tree.question, answer))
                for answer in (True, False)
            )
            return joined(tree.question, yes, no)
    return _further(function(*here), condition)


def joined(question: Question, yes: Any, no: Any) -> Any:
    """A fork, or what both ways lead to if that is the same."""
    return yes if yes == no else Fork(question, yes, no)


def leaves(tree: Any, condition: Condition = NO_CONDITION) -> Iterator[tuple[Condition, Any]]:
    """Every leaf, with the condition that leads to it."""
    if isinstance(tree, Fork):
        yield from leaves(tree.yes, _narrowed(condition, tree.question, True))
        yield from leaves(tree.no, _narrowed(condition, tree.question, False))
    else:
        yield condition, tree


def questions(tree: Any) -> Iterator[Question]:
    """Those at the forks, some of them more than once."""
    if isinstance(tree, Fork):
        yield tree.question
        yield from questions(tree.yes)
        yield from questions(tree.no)


def at_the_border(function: Callable[[Any, Any], Any], tree: Any, question: Question) -> Any:
    """A function of what a tree is on either side of a question, where `of` equals `above`."""
    yes, no = (_answered(tree, question, answer) for answer in (True, False))
    return combined(function, yes, no, condition={question.of: (question.above, question.above)})


def _further(tree: Any, condition: Condition) -> Any:
    """Past the forks whose question is answered by the condition here."""
    while isinstance(tree, Fork):
        low, high = condition.get(tree.question.of, _ANYWHERE)
        if tree.question.above <= low:
            tree = tree.yes
        elif tree.question.above >= high:
            tree = tree.no
        else:
            break
    return tree


def _narrowed(condition: Condition, question: Question, answer: bool) -> Condition:
    low, high = condition.get(question.of, _ANYWHERE)
    return {**condition, question.of: (question.above, high) if answer else (low, question.above)}


def _answered(tree: Any, question: Question, answer: bool) -> Any:
    """The tree where a question has an answer."""
    if not isinstance(tree, Fork):
        return tree
    if tree.question == question:
        return _answered(tree.yes if answer else tree.no, question, answer)
    yes, no = (_answered(part, question, answer) for part in (tree.yes, tree.no))
    return joined(tree.question, yes, no)

"""Case distinctions: numbers that depend on the signs of others, as trees with all cases.

|z| is z where z > 0 and -z where z < 0. Both cases are kept: the number is a tree with a question
at every fork and a formula at every leaf, and an operation on trees is applied to every combination
of leaves. A fork with the same formula in both branches is dropped: e^min(z, 0) / (1 + e^-|z|) is
reduced to one formula, which checks it on the way; a ReLU keeps two.

Questions about one number with different bounds are not independent: r > 1 implies r > 0. Cases
that contradict this are skipped. All others are kept, even if no real numbers lead to them: a
statement that holds in too many cases still holds.
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
    """A tree with one subtree for each answer to a question."""

    question: Question
    yes: Any
    no: Any


#: The condition under which a leaf holds: bounds on the numbers that its questions compare.
Condition = Mapping[Any, tuple[Bound, Bound]]

NO_CONDITION: Condition = {}
_ANYWHERE = (-math.inf, math.inf)


def combined(function: Callable[..., Any], *trees: Any, condition: Condition = NO_CONDITION) -> Any:
    """Apply a function of leaves to trees, in every case that is possible for all of them.

    Args:
        function: takes as many leaves as there are trees; returns a leaf, or a tree.
        trees: leaves or forks.
        condition: the condition of this case so far.
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
    """Return a fork, or the common subtree if both are equal."""
    return yes if yes == no else Fork(question, yes, no)


def leaves(tree: Any, condition: Condition = NO_CONDITION) -> Iterator[tuple[Condition, Any]]:
    """Yield every leaf with the condition under which it applies."""
    if isinstance(tree, Fork):
        yield from leaves(tree.yes, _narrowed(condition, tree.question, True))
        yield from leaves(tree.no, _narrowed(condition, tree.question, False))
    else:
        yield condition, tree


def questions(tree: Any) -> Iterator[Question]:
    """Yield the questions at the forks, some of them more than once."""
    if isinstance(tree, Fork):
        yield tree.question
        yield from questions(tree.yes)
        yield from questions(tree.no)


def at_the_border(function: Callable[[Any, Any], Any], tree: Any, question: Question) -> Any:
    """Apply a function to a tree's values on both sides of the border of a question."""
    yes, no = (_answered(tree, question, answer) for answer in (True, False))
    return combined(function, yes, no, condition={question.of: (question.above, question.above)})


def _further(tree: Any, condition: Condition) -> Any:
    """Skip the forks whose question the condition answers."""
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
    """Return the tree with one question answered."""
    if not isinstance(tree, Fork):
        return tree
    if tree.question == question:
        return _answered(tree.yes if answer else tree.no, question, answer)
    yes, no = (_answered(part, question, answer) for part in (tree.yes, tree.no))
    return joined(tree.question, yes, no)

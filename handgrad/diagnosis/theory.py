"""Theories: a mistake that may have been made, and the gradient that it predicts at each point.

A rule proposes theories about one wrong link; it takes a `Search`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.wording import shortened

#: At one point of so many a short format's own sums may explain what is left.
FEW = 5

#: The beginning of the sentence that describes a wrong link.
GIVES = "yours is what backpropagation gives if "


@dataclass(frozen=True, eq=False)
class Theory:
    """A mistake that may have been made."""

    kind: str  #: that of the diagnosis
    says: str  #: one sentence without its full stop
    predict: Callable[[Sample], np.ndarray]  #: the predicted gradient, shape (size,)


def explains(theory: Theory, evidence: Evidence, within: np.ndarray) -> bool:
    """Tell whether a theory explains the gap at the points it was fitted to and at fresh ones.

    The gap must stand out from rounding at two of them at least. Where sums cancel, rounding in a
    short format may leave more than counts as right; so it may at a few points. The elements
    `within` are bool, shape (size,).
    """
    if sum(sample.stands_out(within & evidence.conclusive(sample)) for sample in evidence.all) < 2:
        return False
    left = len(evidence.all) // FEW
    for sample in evidence.all:
        predicted = theory.predict(sample)
        if sample.explained(predicted, within):
            continue
        left -= 1
        if left < 0 or not sample.explained_loosely(predicted, within):
            return False
    return True


@dataclass(frozen=True, eq=False)
class Search:
    """The argument of a rule."""

    engine: Engine
    evidence: Evidence
    within: np.ndarray  #: the elements to explain, bool

    def through(self, place: int, sample: Sample) -> np.ndarray:
        """Return the part of the gradient that flows through a place."""
        return self.engine.through(place, sample.given)

    def theory(self, kind: str, says: str, **change: Any) -> Theory:
        """Return the theory of a change of backpropagation, with the arguments of `changed`."""
        changed = self.engine.changed
        return Theory(kind, GIVES + says, lambda sample: changed(sample.given, **change))

    @staticmethod
    def of_another_loss(engine: Engine, kind: str, says: str) -> Theory:
        """Return the theory that yours is the right gradient of another loss."""
        return Theory(kind, GIVES + says, lambda sample: engine.right(sample.given))

    def of_leaves(self, leaves: Sequence[int]) -> np.ndarray:
        """Return which elements are those of some leaves, bool."""
        found = np.zeros(self.evidence.wrong.size, dtype=bool)
        for k in leaves:
            found[self.evidence.given.parts()[k]] = True
        return found

    def in_part(self, theory: Theory, leaves: Sequence[int]) -> Theory:
        """Return the theory that holds for some leaves, while the others are right."""
        concerned, paths = self.of_leaves(leaves), self.evidence.given.paths

        def predict(sample: Sample) -> np.ndarray:
            return np.where(concerned, theory.predict(sample), self.engine.right(sample.given))

        says = f"{theory.says}, for {shortened([paths[k] for k in leaves])} alone"
        return replace(theory, says=says, predict=predict)


#: (search) -> theories.
Proposes = Callable[[Search], Iterator[Theory]]

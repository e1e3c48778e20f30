"""The search for a wrong link: the argument of its rules, and how their sentences begin."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import shortened

#: The beginning of the sentence that describes a wrong link.
GIVES = "yours is what backpropagation gives if "


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

"""The search for a wrong link: the argument of its rules, and how their sentences begin."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory

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

    def taking(self, choice: dict[int, int], sample: Sample) -> np.ndarray:
        """Return the gradient with wrong rules, each by the number of its switch."""
        return self.engine.changed(sample.given, choice=choice)


#: (search) -> theories.
Proposes = Callable[[Search], Iterator[Theory]]

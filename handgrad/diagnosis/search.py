"""What the rules that look for a wrong link are given, and how they tell of one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from handgrad.diagnosis.engine import Clock, Engine
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory

#: How these mistakes are told.
GIVES = "yours is what backpropagation gives if "


@dataclass(frozen=True, eq=False)
class Search:
    """What a rule is given."""

    engine: Engine
    evidence: Evidence
    within: np.ndarray  #: the elements that are to be explained
    clock: Clock

    def through(self, place: int, sample: Sample) -> np.ndarray:
        """What comes back through a place."""
        return self.engine.through(place, sample.given)


#: (search) -> theories.
Proposes = Callable[[Search], Iterator[Theory]]

"""What a kind of mistake says about a gradient: a prediction, which is held to fresh points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.diagnosis.samples import Evidence, Sample


@dataclass(frozen=True, eq=False)
class Theory:
    """A mistake that may have been made."""

    kind: str  #: one of `handgrad.report.KINDS`
    says: str  #: how it reads, one sentence without its full stop
    predict: Callable[[Sample], np.ndarray]  #: what yours would be, shape (size,)


def explains(theory: Theory, evidence: Evidence, within: np.ndarray) -> bool:
    """Whether a theory explains the gap at the points that it was fitted to, and at fresh ones.

    A gap must stand out from rounding at two of them at least.

    Args:
        theory: what may have happened.
        evidence: the points.
        within: the elements that it is about, bool, shape (size,).
    """
    if sum(sample.tells(within & evidence.speaks(sample)) for sample in evidence.all) < 2:
        return False
    return all(sample.explained(theory.predict(sample), within) for sample in evidence.all)

"""Theories: a mistake that may have been made, and the gradient that it predicts at each point."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.diagnosis.samples import Evidence, Sample


@dataclass(frozen=True, eq=False)
class Theory:
    """A mistake that may have been made."""

    kind: str  #: that of the diagnosis
    says: str  #: one sentence without its full stop
    predict: Callable[[Sample], np.ndarray]  #: the predicted gradient, shape (size,)


def explains(theory: Theory, evidence: Evidence, within: np.ndarray) -> bool:
    """Tell whether a theory explains the gap at the points it was fitted to and at fresh ones.

    The gap must stand out from rounding at two of them at least. The elements `within` are bool,
    shape (size,).
    """
    if sum(sample.stands_out(within & evidence.conclusive(sample)) for sample in evidence.all) < 2:
        return False
    return all(sample.explained(theory.predict(sample), within) for sample in evidence.all)

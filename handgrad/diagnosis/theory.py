"""Theories: a mistake that may have been made, and the gradient that it predicts at each point."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handgrad.diagnosis.samples import Evidence, Sample

#: At one point of so many a short format's own sums may explain what is left.
FEW = 5


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

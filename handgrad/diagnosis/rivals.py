"""Theories of which one must stand out, where rounding hides the difference between several."""

from collections.abc import Iterable, Iterator

import numpy as np

from handgrad.diagnosis.search import Search
from handgrad.diagnosis.theory import Theory, explains

#: What the next theory leaves must be so many times what the best one leaves. Of what rounding
#: leaves of the right theory the root mean square is known to a third or so, from a few points.
CLEARLY = 2

#: Predictions that differ by less than this, relative to the gap, are those of one theory.
ALIKE = 1e-3


def unrivalled(theories: Iterable[Theory], search: Search) -> Iterator[Theory]:
    """Yield the theories; in short formats only one that explains clearly more than the others.

    There an array may be within rounding of another one at every point.
    """
    if any(sample.stated is None for sample in search.evidence.all):
        yield from theories
        return
    found = [t for t in theories if explains(t, search.evidence, search.within)]
    if len(found) < 2:
        yield from found
        return
    predicted = [_predicted(theory, search) for theory in found]
    yours, allowed, gap = _yours(search)
    left = [float(np.sqrt(np.mean(np.square((p - yours) / allowed)))) for p in predicted]
    best = int(np.argmin(left))
    others = [
        k
        for k, p in enumerate(predicted)
        if np.linalg.norm(p - predicted[best]) > ALIKE * np.linalg.norm(gap)
    ]
    if all(left[k] >= CLEARLY * left[best] for k in others):
        yield found[best]


def _predicted(theory: Theory, search: Search) -> np.ndarray:
    """Return what a theory predicts of the wrong elements, at all points."""
    return np.concatenate(
        [
            theory.predict(sample)[search.within & sample.judged & sample.wrong]
            for sample in search.evidence.all
        ]
    )


def _yours(search: Search) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return yours, the allowed errors and the gaps of the same elements."""
    concerned = [(s, search.within & s.judged & s.wrong) for s in search.evidence.all]
    yours, allowed, gap = (
        np.concatenate([getattr(sample, name)[where] for sample, where in concerned])
        for name in ("yours", "allowed", "gap")
    )
    return yours, allowed, gap

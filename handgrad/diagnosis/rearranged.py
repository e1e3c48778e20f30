"""Gradients whose elements are right, and at other places: transposed, reversed, exchanged."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import element, shortened

#: The relative difference up to which a leaf is proposed to be another one's; later checks decide.
PLAUSIBLE = 1e-4

#: The most axes of a leaf whose orders are tried: 23 of four axes, 119 of five.
MOST_AXES = 4


def transposed(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose yours = exactᵀ for a square matrix."""
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        square = leaf.ndim == 2 and leaf.shape[0] == leaf.shape[1] > 1
        if square and within[part].any():
            order = np.arange(leaf.size).reshape(leaf.shape).T.reshape(-1)
            yield Theory("transposed", "yours is the transpose of exact", moved(part, order))


def reordered(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that a leaf was transposed and then reshaped to fit, or conversely."""
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        if not within[part].any() or not 1 < leaf.ndim <= MOST_AXES:
            continue
        places = np.arange(leaf.size).reshape(leaf.shape)
        for axes in itertools.islice(itertools.permutations(range(leaf.ndim)), 1, None):
            order = places.transpose(axes).reshape(-1)
            how = "the transpose of exact" if leaf.ndim == 2 else f"exact, its axes in order {axes}"
            says = f"yours is {how}, reshaped to fit"
            yield Theory("transposed", says, moved(part, order))
            says = "yours is exact, reshaped where it should be transposed"
            yield Theory("transposed", says, moved(part, np.argsort(order)))


def moved(part: slice, order: np.ndarray) -> Callable[[Sample], np.ndarray]:
    """Return what predicts the exact elements of a leaf in another order."""

    def predict(sample: Sample) -> np.ndarray:
        found = sample.exact.copy()
        found[part] = found[part][order]
        return found

    return predict


def reversed_axes(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that an axis is reversed: a kernel not flipped, or flipped once too often."""
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        if not within[part].any():
            continue
        places = np.arange(leaf.size).reshape(leaf.shape)
        for axis in [*range(leaf.ndim), *([None] if leaf.ndim > 1 else [])]:
            along = "every axis" if axis is None else f"axis {axis}"
            order = np.flip(places, axis).reshape(-1)
            yield Theory("unknown", f"yours is exact, reversed along {along}", moved(part, order))


def exchanged_elements(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that two elements of one leaf are exchanged."""
    wrong = np.flatnonzero(evidence.wrong & within)
    if len(wrong) != 2:
        return
    order = np.arange(within.size)
    order[wrong] = wrong[::-1]
    says = (
        f"{element(evidence.given, wrong[0])} and {element(evidence.given, wrong[1])} are exchanged"
    )
    yield Theory("exchanged", says, lambda sample: sample.exact[order])


def exchanged_leaves(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that leaves of one shape are exchanged."""
    given, first = evidence.given, evidence.fit[0]
    parts = given.parts()
    concerned = [k for k, part in enumerate(parts) if (evidence.wrong & within)[part].any()]
    order = np.arange(within.size)
    for k in concerned:
        for m in concerned:
            alike = given.leaves[k].shape == given.leaves[m].shape and k != m
            if alike and _same(first, parts[k], parts[m]):
                order[parts[k]] = np.arange(parts[m].start, parts[m].stop)
    names = [given.paths[k] for k in concerned if order[parts[k].start] != parts[k].start]
    if names and len(names) == len(concerned):
        says = f"{shortened(names)} are exchanged"
        yield Theory("exchanged", says, lambda sample: sample.exact[order])


def _same(sample: Sample, mine: slice, other: slice) -> bool:
    """Tell whether yours of one leaf may be the exact derivative by another."""
    scale = np.max(np.abs(sample.exact[other]))
    with np.errstate(invalid="ignore"):
        off = np.abs(sample.yours[mine] - sample.exact[other])
    # In short formats each element's own rounding is more than that.
    allowed = np.fmax(sample.allowed[mine], sample.noise[other]) if sample.stated else 0.0
    return bool((off <= np.fmax(PLAUSIBLE * scale, allowed)).all())

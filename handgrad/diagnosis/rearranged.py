"""Gradients whose elements are right, and at other places: transposed, reversed, exchanged."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import element, shortened

#: The relative difference up to which a leaf is proposed to be another one's; later checks decide.
PLAUSIBLE = 1e-4

#: The most axes of a leaf whose orders are tried: 23 of four axes, 119 of five.
MOST_AXES = 4


def moved(
    part: slice, order: Any = slice(None), weights: Any = 1.0
) -> Callable[[Sample], np.ndarray]:
    """Return what predicts the exact elements of a part in another order, each times a weight.

    `order` are the elements' places in the part, in any shape; so may `weights` be.
    """

    def predict(sample: Sample) -> np.ndarray:
        found = sample.exact.copy()
        found[part] = np.ravel(weights * found[part][order])
        return found

    return predict


def multiple(value: float, wrong: np.ndarray) -> Callable[[Sample], np.ndarray]:
    """Return what predicts a multiple of the exact elements where these are wrong."""
    return moved(slice(None), weights=np.where(wrong, value, 1.0))


def of_others(
    part: slice, shape: tuple[int, ...], axis: int, order: Any, weights: Any = 1.0
) -> Callable[[Sample], np.ndarray]:
    """Return what predicts each slice of a leaf along an axis to be a multiple of another one.

    `weights` are those of the slices of a matrix.
    """
    places = np.take(np.arange(math.prod(shape)).reshape(shape), order, axis)
    return moved(part, places, np.expand_dims(weights, 1 - axis) if np.ndim(weights) else weights)


def _concerned(evidence: Evidence, within: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the leaves to explain: their elements, and the places of these in the leaf's shape."""
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        if within[part].any():
            yield part, np.arange(leaf.size).reshape(leaf.shape)


def transposed(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose yours = exactᵀ for a square matrix."""
    for part, places in _concerned(evidence, within):
        if places.ndim == 2 and len(set(places.shape)) == 1 < len(places):
            yield Theory("transposed", "yours is the transpose of exact", moved(part, places.T))


def reordered(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that a leaf was transposed and then reshaped to fit, or conversely."""
    for part, places in _concerned(evidence, within):
        if not 1 < places.ndim <= MOST_AXES:
            continue
        for axes in itertools.islice(itertools.permutations(range(places.ndim)), 1, None):
            order = places.transpose(axes).reshape(-1)
            two = places.ndim == 2
            how = "the transpose of exact" if two else f"exact, its axes in order {axes}"
            says = f"yours is {how}, reshaped to fit"
            yield Theory("transposed", says, moved(part, order))
            says = "yours is exact, reshaped where it should be transposed"
            yield Theory("transposed", says, moved(part, np.argsort(order)))


def reversed_axes(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that an axis is reversed: a kernel not flipped, or flipped once too often."""
    for part, places in _concerned(evidence, within):
        for axis in [*range(places.ndim), *([None] if places.ndim > 1 else [])]:
            along = "every axis" if axis is None else f"axis {axis}"
            says = f"yours is exact, reversed along {along}"
            yield Theory("unknown", says, moved(part, np.flip(places, axis)))


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
    yield Theory("exchanged", says, moved(slice(None), order))


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
        yield Theory("exchanged", says, moved(slice(None), order))


def _same(sample: Sample, mine: slice, other: slice) -> bool:
    """Tell whether yours of one leaf may be the exact derivative by another."""
    scale = np.max(np.abs(sample.exact[other]))
    with np.errstate(invalid="ignore"):
        off = np.abs(sample.yours[mine] - sample.exact[other])
    # In short formats each element's own rounding is more than that.
    allowed = np.fmax(sample.allowed[mine], sample.noise[other]) if sample.stated else 0.0
    return bool((off <= np.fmax(PLAUSIBLE * scale, allowed)).all())

"""Parameters that are updated too early: derivatives at p - η·dp in place of p."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import GIVES, Search, Theory

#: The most Gauss-Newton steps towards a learning rate; usual rates take four or five.
STEPS = 12

#: The step of the difference quotient by the learning rate: small beside usual rates, large beside
#: the rounding of a gradient.
DIFFERENCE = 1e-6

#: The relative residuals at which a rate is proposed (all points decide later), and at which the
#: iteration stops.
PLAUSIBLE, FOUND = 1e-2, 1e-9


def updated(search: Search) -> Iterator[Theory]:
    """Propose that derivatives were taken with parameters already updated.

    By yours, or by yours without what a penalty adds to it: a multiple of each leaf.
    """
    first, paths = search.evidence.fit[0], search.evidence.given.paths
    for moved in _together(search.evidence):
        predict = partial(_gradient, search.engine, moved)
        for count, more in ((1, ""), (1 + len(moved), " without the loss's weight decay")):
            numbers = fitted(first, predict, search.within, count)
            if numbers is None or numbers[0] <= 0 or (numbers < -PLAUSIBLE * numbers[0]).any():
                continue
            everything = len(moved) == len(paths) > 1
            which = "the parameters" if everything else ", ".join(paths[k] for k in moved)
            are = "are" if len(moved) > 1 else "is"
            how = f"updated too early, by {numbers[0]:.6g} times yours{more}"
            says, found = f"{GIVES}{which} {are} {how}", partial(_predicted, predict, numbers)
            yield Theory("updated-parameter", says, found)


def _predicted(predict: Callable[..., np.ndarray], numbers: Any, sample: Sample) -> np.ndarray:
    return predict(sample, *numbers)


def _gradient(
    engine: Engine, moved: tuple[int, ...], sample: Sample, rate: float, *more: float
) -> np.ndarray:
    """Return the gradient if some leaves are updated at a rate, each with a multiple of itself."""
    after: list[np.ndarray | None] = [None] * len(sample.given.leaves)
    for k, multiple in zip(moved, more or [0.0] * len(moved), strict=True):
        leaf, own = sample.given.leaves[k], sample.yours[sample.given.parts()[k]]
        after[k] = (1 + multiple) * leaf - rate * own.reshape(leaf.shape)
    return engine.changed(sample.given, updated=after)


def _together(evidence: Evidence) -> list[tuple[int, ...]]:
    """Return the groups of leaves that may have been updated: all, the right ones, any one."""
    parts = evidence.given.parts()
    right = tuple(k for k, part in enumerate(parts) if not evidence.wrong[part].any())
    matrices = tuple(k for k in right if evidence.given.leaves[k].ndim > 1)
    groups = [tuple(range(len(parts))), right, matrices, *((k,) for k in range(len(parts)))]
    # Two heads on one layer are both updated.
    groups += itertools.combinations(matrices, 2)
    return [group for group in dict.fromkeys(groups) if group]


def fitted(
    sample: Sample, predict: Callable[..., np.ndarray], within: np.ndarray, count: int = 1
) -> np.ndarray | None:
    """Fit the numbers of a prediction that explain the gap, by Gauss-Newton; None if none do."""
    wrong = within & sample.wrong
    weight = 1 / np.maximum(np.abs(sample.gap[wrong]), np.finfo(float).tiny)

    def off(numbers: np.ndarray) -> np.ndarray:
        return (predict(sample, *numbers)[wrong] - sample.yours[wrong]) * weight

    numbers = np.zeros(count)
    here = off(numbers)
    for _ in range(STEPS):
        beside = numbers + DIFFERENCE * np.eye(count)
        slopes = np.stack([(off(other) - here) / DIFFERENCE for other in beside], axis=1)
        if not np.isfinite(slopes).all() or not slopes.any():
            return None
        numbers = numbers - np.linalg.lstsq(slopes, here)[0]
        here = off(numbers)
        if not np.isfinite(here).all() or np.max(np.abs(here)) < FOUND:
            break
    return numbers if np.isfinite(here).all() and np.max(np.abs(here)) < PLAUSIBLE else None

"""Parameters that are updated too early: derivatives at p - η·dp in place of p."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.kinds import decays, ratio
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.search import GIVES, Search
from handgrad.diagnosis.theory import Theory

#: The most Gauss-Newton steps towards a learning rate; usual rates take four or five.
STEPS = 12

#: The step of the difference quotient by the learning rate: small beside usual rates, large beside
#: the rounding of a gradient.
DIFFERENCE = 1e-6

#: The relative residuals at which a rate is proposed (all points decide later), and at which the
#: iteration stops.
PLAUSIBLE, FOUND = 1e-2, 1e-9


@dataclass(frozen=True)
class Update:
    """An update that comes between the forward pass and what comes back: of which leaves."""

    moved: tuple[int, ...]  #: leaves
    decay: Mapping[int, float]  #: by leaf, the multiple of the leaf that a penalty adds to yours
    with_decay: bool = True  #: whether the update includes the penalty's part

    def gradient(self, engine: Engine, sample: Sample, rate: float) -> np.ndarray:
        """Return the predicted gradient for a learning rate."""
        parts, leaves = sample.given.parts(), sample.given.leaves
        after: list[np.ndarray | None] = [None] * len(leaves)
        for k in self.moved:
            own = sample.yours[parts[k]].reshape(leaves[k].shape)
            less = 0.0 if self.with_decay else self.decay[k]
            after[k] = leaves[k] - rate * (own - less * leaves[k])
        return engine.changed(sample.given, updated=after)

    def described(self, paths: tuple[str, ...], rate: float) -> str:
        """Describe the mistake in words."""
        everything = len(self.moved) == len(paths) > 1
        which = "the parameters" if everything else ", ".join(paths[k] for k in self.moved)
        penalised = any(self.decay[k] for k in self.moved)
        without = "" if self.with_decay or not penalised else " without the loss's weight decay"
        are = "are" if len(self.moved) > 1 else "is"
        return f"{which} {are} updated too early, by {rate:.6g} times yours{without}"


def updated(search: Search) -> Iterator[Theory]:
    """Propose that derivatives were taken with parameters already updated."""
    for update in _updates(search):
        predict = partial(update.gradient, search.engine)
        rate = fitted(search.evidence.fit[0], predict, search.within)
        if rate and rate > 0:
            says = f"{GIVES}{update.described(search.evidence.given.paths, rate)}"
            yield Theory("updated-parameter", says, partial(predict, rate=rate))


def _updates(search: Search) -> Iterator[Update]:
    """Yield the updates, simplest first: with the whole derivative, then without the penalty's."""
    groups, decay = _together(search.evidence), _decay(search)
    for moved in groups:
        yield Update(moved, decay)
        if any(decay[k] for k in moved):
            yield Update(moved, decay, with_decay=False)


def _together(evidence: Evidence) -> list[tuple[int, ...]]:
    """Return the groups of leaves that may have been updated: all, the right ones, any one."""
    parts = evidence.given.parts()
    right = tuple(k for k, part in enumerate(parts) if not evidence.wrong[part].any())
    matrices = tuple(k for k in right if evidence.given.leaves[k].ndim > 1)
    groups = [tuple(range(len(parts))), right, matrices, *((k,) for k in range(len(parts)))]
    # Two heads on one layer are both updated.
    groups += itertools.combinations(matrices, 2)
    return [group for group in dict.fromkeys(groups) if group]


def _decay(search: Search) -> dict[int, float]:
    """Return by leaf the multiple of the leaf that a penalty adds to its derivative; 0 if none."""
    first, parts = search.evidence.fit[0], search.evidence.given.parts()
    found = dict.fromkeys(range(len(parts)), 0.0)
    for i in range(len(search.engine.rewired.places)):
        through = search.through(i, first)
        for k, so_far in found.items():
            rate = ratio(through[parts[k]], first.params[parts[k]]) or 0.0
            own = np.zeros(through.size, dtype=bool)
            own[parts[k]] = True
            # The place of v @ v carries twice as much as that of each v: keep the largest.
            if abs(rate) > abs(so_far) and decays(search.engine, i, search.evidence, own):
                found[k] = rate
    return found


def fitted(sample: Sample, predict: Callable[..., np.ndarray], within: np.ndarray) -> float | None:
    """Fit the `rate` of a prediction that explains the gap, by Gauss-Newton; None if none does."""
    wrong = within & sample.wrong
    weight = 1 / np.maximum(np.abs(sample.gap[wrong]), np.finfo(float).tiny)

    def off(rate: float) -> np.ndarray:
        return (predict(sample, rate=rate)[wrong] - sample.yours[wrong]) * weight

    rate, step = 0.0, DIFFERENCE
    here = off(rate)
    for _ in range(STEPS):
        slope = (off(rate + step) - here) / step
        square = float(slope @ slope)
        if not np.isfinite(square) or square == 0:
            return None
        rate -= float(slope @ here) / square
        here = off(rate)
        if not np.isfinite(here).all() or np.max(np.abs(here)) < FOUND:
            break
    return rate if np.isfinite(here).all() and np.max(np.abs(here)) < PLAUSIBLE else None

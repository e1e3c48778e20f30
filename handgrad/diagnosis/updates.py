"""Parameters that are updated before they are used: derivatives at p - η·dp in place of p."""

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

#: Steps of Gauss and Newton towards a learning rate; the usual ones take four or five.
STEPS = 12

#: The step of the slope's difference quotient: small beside usual learning rates, large beside the
#: rounding of a gradient.
DIFFERENCE = 1e-6

#: How much of a gap may be left by a rate, a first look that decides nothing: what comes out of it
#: is held to all points. One that leaves less than the other bound gets no better.
PLAUSIBLE, FOUND = 1e-2, 1e-9


@dataclass(frozen=True)
class Update:
    """What is updated, with what, and what is computed afterwards."""

    moved: tuple[int, ...]  #: leaves
    mixed: bool  #: whether only what is passed on sees it; the forward pass came before
    decay: Mapping[int, float]  #: by leaf, how many times the leaf the loss's penalty adds to yours
    with_decay: bool = True  #: whether the update has that
    late: bool = False  #: whether the penalty is differentiated after the update

    def gradient(self, engine: Engine, sample: Sample, rate: float) -> np.ndarray:
        """What yours would be with the learning rate."""
        parts, leaves = sample.given.parts(), sample.given.leaves
        right = engine.right(sample.given)
        after = {}
        for k in self.moved:
            own = (right if self.late else sample.yours)[parts[k]].reshape(leaves[k].shape)
            less = 0.0 if self.with_decay else self.decay[k]
            after[k] = leaves[k] - rate * (own - less * leaves[k])
        found = self._with(engine, sample, after)
        for k in self.moved:
            # An update needs the leaf's own derivative before.
            if len(self.moved) < len(parts) and not self.mixed:
                found[parts[k]] = right[parts[k]]
            if self.late:
                moved = self.decay[k] * (after[k] - leaves[k])
                found[parts[k]] = right[parts[k]] + moved.reshape(-1)
        return found

    def _with(self, engine: Engine, sample: Sample, after: Mapping[int, np.ndarray]) -> np.ndarray:
        leaves = sample.given.leaves
        if self.mixed:
            return engine.changed(sample.given, updated=[after.get(k) for k in range(len(leaves))])
        return engine.changed(sample.given, leaves=[after.get(k, p) for k, p in enumerate(leaves)])

    def told(self, paths: tuple[str, ...], rate: float) -> str:
        """In words."""
        everything = len(self.moved) == len(paths) > 1
        which = "the parameters" if everything else ", ".join(paths[k] for k in self.moved)
        penalised = any(self.decay[k] for k in self.moved)
        without = "" if self.with_decay or not penalised else " without the loss's weight decay"
        after = ", before the weight decay is differentiated" if self.late else ""
        are = "are" if len(self.moved) > 1 else "is"
        return f"{which} {are} updated too early, by {rate:.6g} times yours{without}{after}"


def updated(search: Search) -> Iterator[Theory]:
    """Derivatives taken with parameters that an update has moved."""
    for update in _updates(search):
        if search.clock.over:
            return
        predict = partial(update.gradient, search.engine)
        rate = _rate(search.evidence.fit[0], predict, search.within)
        if rate and rate > 0:
            says = f"{GIVES}{update.told(search.evidence.given.paths, rate)}"
            yield Theory("updated-parameter", says, partial(predict, rate=rate))


def _updates(search: Search) -> Iterator[Update]:
    """The simplest first: the whole derivative, then without a penalty's part, then before it."""
    groups, decay = _together(search.evidence), _decay(search)
    for moved, mixed in itertools.product(groups, (True, False)):
        yield Update(moved, mixed, decay)
        if not any(decay[k] for k in moved):
            continue
        yield Update(moved, mixed, decay, with_decay=False)
        if mixed:
            yield Update(moved, mixed, decay, late=True)
            yield Update(moved, mixed, decay, late=True, with_decay=False)


def _together(evidence: Evidence) -> list[tuple[int, ...]]:
    """Leaves that may have been updated: all, any one, or those whose own derivatives are right."""
    parts = evidence.given.parts()
    right = tuple(k for k, part in enumerate(parts) if not evidence.wrong[part].any())
    matrices = tuple(k for k in right if evidence.given.leaves[k].ndim > 1)
    groups = [tuple(range(len(parts))), right, matrices, *((k,) for k in range(len(parts)))]
    # Of two heads on one layer both are updated.
    groups += itertools.combinations(matrices, 2)
    return [group for group in dict.fromkeys(groups) if group]


def _decay(search: Search) -> dict[int, float]:
    """By leaf, how many times the leaf a penalty of the loss adds to its derivative; 0 if none."""
    first, parts = search.evidence.fit[0], search.evidence.given.parts()
    found = dict.fromkeys(range(len(parts)), 0.0)
    for i in range(len(search.engine.rewired.places)):
        if search.clock.over:
            break
        through = search.through(i, first)
        for k, so_far in found.items():
            rate = ratio(through[parts[k]], first.params[parts[k]]) or 0.0
            own = np.zeros(through.size, dtype=bool)
            own[parts[k]] = True
            # Through v @ v comes twice of what comes through each v.
            if abs(rate) > abs(so_far) and decays(search.engine, i, search.evidence, own):
                found[k] = rate
    return found


def _rate(sample: Sample, predict: Callable[..., np.ndarray], within: np.ndarray) -> float | None:
    """The learning rate that explains the gap, by least squares, after Gauss and Newton."""
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

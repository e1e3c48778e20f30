"""The points at which a kind of mistake is fitted, and those at which it must hold as well."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from handgrad.arguments import Arguments
from handgrad.judge import Trial, judge_point
from handgrad.points import points
from handgrad.referee import balls
from handgrad.ruling import DOUBTFUL, WRONG, Ruling

#: A kind is fitted at this many points at most, and must hold at so many others.
FIT, CONFIRM = 2, 4

#: Points that are drawn beyond those already judged, to find enough where the gradient is wrong.
MORE = 8

#: How much of a gap may be left: a mistake has the form that is said, or it has another.
LEFT = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-3}

#: So many times what the yardsticks allow counts as explained: one for the answer, one for the
#: prediction, which is computed in floats as well.
SLACK = 2


@dataclass(frozen=True, eq=False)
class Sample:
    """Yours and the exact gradient at one point; arrays of float64, shape (size,)."""

    given: Arguments
    yours: np.ndarray
    exact: np.ndarray
    noise: np.ndarray  #: how far rounding may lead
    wrong: np.ndarray  #: bool
    judged: np.ndarray  #: bool: whether the truth is known there
    bindings: dict[Any, Any] = field(default_factory=dict, repr=False)  # what theories keep here

    @cached_property
    def gap(self) -> np.ndarray:
        """yours - exact; infinite where yours is not finite."""
        with np.errstate(invalid="ignore"):
            gap = self.yours - self.exact
        return np.where(np.isfinite(self.yours), gap, np.inf)

    @cached_property
    def params(self) -> np.ndarray:
        """The parameters in one vector."""
        return np.concatenate([leaf.reshape(-1).astype(np.float64) for leaf in self.given.leaves])

    def explained(self, prediction: np.ndarray, within: np.ndarray) -> bool:
        """Whether yours is what was predicted, up to rounding, at the elements `within`."""
        dtypes = [leaf.dtype for leaf in self.given.leaves]
        left = np.repeat([LEFT[d] for d in dtypes], [leaf.size for leaf in self.given.leaves])
        with np.errstate(invalid="ignore"):
            off = np.abs(self.yours - prediction)
            allowed = np.where(self.wrong, left * np.abs(self.gap), 0.0) + SLACK * self.noise
            close = off <= allowed
            # Where rounding may be as large as the gap, nothing is explained.
            clear = ~self.wrong | (allowed <= np.abs(self.gap) / 8)
        asked = within & self.judged
        return bool((close | ~asked).all() and (clear | ~asked).any())


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a diagnosis rests on: points to fit at, and fresh ones to confirm at."""

    trial: Trial
    fit: tuple[Sample, ...]
    fresh: tuple[Sample, ...]

    @property
    def all(self) -> tuple[Sample, ...]:
        """Both."""
        return self.fit + self.fresh

    @property
    def given(self) -> Arguments:
        """The point that decided."""
        return self.trial.outcomes[self.trial.deciding].given

    @cached_property
    def wrong(self) -> np.ndarray:
        """The elements that are wrong at any of the points."""
        return np.any([sample.wrong for sample in self.all], axis=0)


def evidence(trial: Trial) -> Evidence | None:
    """The points for a diagnosis; None where the gradient is wrong at too few of them."""
    found = []
    for ruling in _rulings(trial):
        sample = _sample(ruling)
        if sample.wrong.any():
            found.append(sample)
        if len(found) == FIT + CONFIRM:
            break
    if len(found) < 2:
        return None
    fit = min(FIT, len(found) - 1)
    return Evidence(trial, tuple(found[:fit]), tuple(found[fit:]))


def _rulings(trial: Trial) -> Iterator[Ruling]:
    """Those of the trial, the deciding one first, and then of points drawn anew.

    At a kink more than one gradient is right, and theories know only one: such points come last.
    """
    first = trial.outcomes[trial.deciding]
    judged = [o.ruling for o in (first, *trial.outcomes) if o.ruling is not None]
    judged = list({id(ruling): ruling for ruling in judged}.values())
    yield from sorted(judged, key=lambda ruling: ruling.truth.kink is not None)
    around = points(first.given, MORE, trial.case.seed + 1)
    next(around)
    for given in around:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ruling = judge_point(trial.case, given).ruling
            except Exception:  # the caller's functions, at a point of our choice
                continue
        if ruling is not None:
            yield ruling


def _sample(ruling: Ruling) -> Sample:
    yours = ruling.yours
    noise = np.maximum(ruling.yardsticks.sharp, ruling.yardsticks.loose)
    return Sample(
        ruling.given,
        yours.answer,
        balls.midpoints(yours.truth),
        np.where(np.isfinite(noise), noise, np.inf),
        (yours.level == WRONG) & np.isfinite(yours.answer),
        ruling.truth.known & (yours.level != DOUBTFUL) & np.isfinite(yours.answer),
    )

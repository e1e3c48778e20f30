"""Run two trainings in lockstep, by hand and by autodiff, and judge every update.

*Judged*: both sides take every update from common parameters; the gradient, the optimiser's moments
and the updated parameters must lie in the ranges of a right program. The common parameters are
those that a training really went through, once along the path by hand and once along the path by
autodiff, so each training loop is compared with the other side's update at every one of its own
steps.

*Reported*: the two trainings also run freely, each from its own last parameters. Their drift shows
how training amplifies rounding, not whether a gradient is right; it is not judged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from compare.rounding import Range
from compare.verdict import BY_AUTODIFF, BY_HAND, Verdict
from compare.wording import InputError

#: The names of the sides in messages.
SIDE_LABELS = {BY_HAND: "by hand", BY_AUTODIFF: "by autodiff"}


class Point(NamedTuple):
    """The state of a training; for k points, every array has k as its first axis."""

    params: np.ndarray  #: shape (p,)
    moments: np.ndarray  #: the optimiser's moments, shape (m, p)
    count: Any  #: updates made so far, an integer

    def at(self, index: Any) -> "Point":
        """Select one of k points, or some of them."""
        return Point(self.params[index], self.moments[index], self.count[index])


class Steps(NamedTuple):
    """k updates, each from its own point."""

    grads: np.ndarray  #: shape (k, p)
    after: Point


class Side(Protocol):
    """One side of a training; a stretch has the data of k updates along its first axis."""

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """Return the k points after each update of the stretch."""
        ...

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """Take one update from each of k points."""
        ...


class Ranges(NamedTuple):
    """The ranges of k right updates."""

    grads: Range  #: shape (k, p)
    params: Range  #: shape (k, p)
    moments: list[Range]  #: m of shape (k, p)


@dataclass(frozen=True)
class Divergence:
    """The first update at which a side is off by more than rounding explains."""

    update: int  #: counted from 0 over the whole training
    parameter: str  #: empty for a loss
    #: The first wrong one of `gradient`, `moment`, `update`; for networks also `loss`, after an
    #: epoch, or `shape`, if the gradient by hand cannot be compared: the numbers below are NaN.
    quantity: str
    along: str  #: whose path the update starts from, `by_hand` or `autodiff`
    off: str  #: the side outside its range: `by_hand`, `autodiff` or `both`
    by_hand: float
    autodiff: float
    bound: float  #: how far apart two right answers may lie
    ulps: float


class RanAwayError(InputError):
    """A training diverged, from a learning rate far too large or a wrong gradient."""

    def __init__(self, message: str, divergence: Divergence | None = None) -> None:
        super().__init__(message)
        self.divergence = divergence  #: an earlier disagreement of the sides


@dataclass(frozen=True)
class Progress:
    """How far a training has come."""

    paths: dict[str, Point]  #: the points after each update of the last stretch, by side
    losses: np.ndarray  #: mean loss after each epoch, shape (epochs, sides)
    first_divergence: Divergence | None = None
    max_drift_ulps: float = 0.0  #: largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1))

    @property
    def points(self) -> dict[str, Point]:
        """The current point of each side."""
        return {side: path.at(-1) for side, path in self.paths.items()}

    @property
    def verdict(self) -> str | None:
        """`agree` or `disagree`; None where one side trains alone."""
        if len(self.paths) < 2:
            return None
        return "agree" if self.first_divergence is None else "disagree"


@dataclass(frozen=True)
class Lockstep:
    """The two sides of one training, with the ranges to judge them by; or one side alone."""

    sides: Mapping[str, Side]  #: `by_hand` and `autodiff`, or one of them
    #: (before, stretch) -> the ranges of k right updates, for the formulas of the side by hand and
    #: for autodiff's.
    ranges: Callable[[Point, np.ndarray], tuple[Ranges, Ranges]]
    name: Callable[[int], str]  #: a parameter's name by its position
    ran_away: Callable[[int], RanAwayError]  #: (update, from 0) -> the error that says so
    largest: float  #: where both sides' parameters exceed this, the training has run away

    def start(self, point: Point) -> Progress:
        """Return the progress before the first update; all sides start from the same point."""
        path = Point(*(np.asarray(part)[None] for part in point))
        return Progress(dict.fromkeys(self.sides, path), np.empty((0, len(self.sides))))

    def advance(self, progress: Progress, stretch: np.ndarray) -> Progress:
        """Run the sides through a stretch, each from its own point, and judge every update.

        After a divergence they go on, and are judged no more.

        Args:
            progress: how far they have come.
            stretch: the data of k updates, k along the first axis.

        Raises:
            RanAwayError: all sides run away at the same update, and no earlier one was judged to
                differ.
        """
        starts, divergence = progress.points, progress.first_divergence
        paths = {name: side.walk(starts[name], stretch) for name, side in self.sides.items()}
        if divergence is None:
            end = _first(~np.any([self.is_sound(path) for path in paths.values()], axis=0))
            if len(paths) == 2:
                divergence, end = self._first_divergence(starts, paths, stretch[:end])
            if divergence is None and end < len(stretch):
                raise self.ran_away(int(starts[next(iter(starts))].count) + end)
        apart = drift(*(path.params for path in paths.values())) if len(paths) == 2 else 0.0
        farthest = max(progress.max_drift_ulps, apart)
        return replace(progress, paths=paths, first_divergence=divergence, max_drift_ulps=farthest)

    def is_sound(self, point: Point) -> Any:
        """Whether a side can go on from a point, or from each of k."""
        within = np.all(np.abs(point.params) <= self.largest, axis=-1)
        return within & np.all(np.isfinite(point.moments), axis=(-2, -1))

    def _first_divergence(
        self, starts: dict[str, Point], paths: dict[str, Point], stretch: np.ndarray
    ) -> tuple[Divergence | None, int]:
        """Judge both paths; also return how many updates could be judged."""
        found = [
            self._judge(_befores(starts[side], path), path.at(slice(len(stretch))), stretch, side)
            for side, path in paths.items()
        ]
        divergences = [divergence for divergence, _ in found if divergence]
        first = min(divergences, key=lambda divergence: divergence.update, default=None)
        return first, min(end for _, end in found)

    def _judge(
        self, before: Point, after: Point, stretch: np.ndarray, along: str
    ) -> tuple[Divergence | None, int]:
        """Find the first wrong update along one path; also return how many could be judged."""
        if len(stretch) == 0:
            return None, 0
        before = before.at(slice(len(stretch)))
        steps = [self.sides[side].steps(before, stretch) for side in (BY_HAND, BY_AUTODIFF)]
        # The path's own updates are judged, not a repetition of them.
        hand, auto = (
            Steps(step.grads, after if along == side else step.after)
            for side, step in zip((BY_HAND, BY_AUTODIFF), steps, strict=True)
        )
        of_hand, of_auto = self.ranges(before, stretch)
        verdicts = [
            ("gradient", Verdict(hand.grads, auto.grads, of_hand.grads, of_auto.grads)),
            *(
                ("moment", Verdict(hand.after.moments[:, at], auto.after.moments[:, at], *ranges))
                for at, ranges in enumerate(zip(of_hand.moments, of_auto.moments, strict=True))
            ),
            (
                "update",
                Verdict(hand.after.params, auto.after.params, of_hand.params, of_auto.params),
            ),
        ]
        end = _first(np.any([_unjudgeable(verdict) for _, verdict in verdicts], axis=(0, 2)))
        # The first by update, then in the order above, then in the parameters' order.
        wrong = np.stack([~verdict.agree for _, verdict in verdicts], axis=1)[:end]
        for update, which, position in np.argwhere(wrong)[:1].tolist():
            quantity, verdict = verdicts[which]
            gap, name = verdict.gap((update, position)), self.name(position)
            return Divergence(int(before.count[0]) + update, name, quantity, along, *gap), end
        return None, end


def drift(by_hand: np.ndarray, autodiff: np.ndarray) -> float:
    """Compute the largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1)), in ulps of their dtype.

    Infinite if one of them is NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.abs(by_hand - autodiff) / np.spacing(np.maximum(np.abs(by_hand), 1))
    return float(np.max(np.where(np.isnan(gaps), np.inf, gaps)))


def _befores(start: Point, after: Point) -> Point:
    """Return the points that the updates of a path start from."""
    return Point(
        np.concatenate([start.params[None], after.params[:-1]]),
        np.concatenate([start.moments[None], after.moments[:-1]]),
        start.count + np.arange(len(after.params)),
    )


def _first(marked: np.ndarray) -> int:
    """Return the index of the first True, or the length if there is none."""
    return int(np.argmax([*marked, True]))


def _unjudgeable(verdict: Verdict) -> np.ndarray:
    """Mark elements where both sides overflow, or where a range is not finite."""
    unknown = ~(np.isfinite(verdict.by_hand) | np.isfinite(verdict.autodiff))
    reach = verdict.hand_range.magnitude + verdict.autodiff_range.magnitude
    return unknown | ~np.isfinite(reach)

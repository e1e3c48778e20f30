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
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from compare.agreement import BY_AUTODIFF, BY_HAND, Verdict
from compare.reference import within
from handgrad.tolerance.rounding import Bounded


class Point(NamedTuple):
    """The state of a training; for k points, every array has k as its first axis."""

    params: np.ndarray  #: shape (p,)
    moments: np.ndarray  #: the optimiser's moments, shape (m, p)
    count: Any  #: updates made so far, an integer

    def at(self, index: Any) -> "Point":
        """Select one of k points, or some of them."""
        return Point(self.params[index], self.moments[index], self.count[index])


def plain(params: np.ndarray, count: Any) -> Point:
    """Make a point, or k of them, of an optimiser without moments."""
    return Point(params, np.empty((*params.shape[:-1], 0, params.shape[-1])), count)


class Steps(NamedTuple):
    """k updates, each from its own point."""

    grads: np.ndarray  #: shape (k, p)
    after: Point


class Walker(Protocol):
    """One side of a training; a stretch has the data of k updates along its first axis."""

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """Return the k points after each update of the stretch."""
        ...

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """Take one update from each of k points."""
        ...


class Ranges(NamedTuple):
    """The bounds of k right updates."""

    grads: Bounded  #: shape (k, p)
    params: Bounded  #: shape (k, p)
    moments: list[Bounded]  #: m of shape (k, p)


@dataclass(frozen=True)
class Descent:
    """A `Walker` for plain descent, w ← w - η ∂L/∂w, made of functions.

    Overflow raises no warning.
    """

    split: Callable[[np.ndarray], Any]  #: one vector of shape (p,), or (k, p), as parameters
    join: Callable[[Any], np.ndarray]  #: the inverse
    path: Callable[[Any, np.ndarray], Any]  #: (params, stretch) -> those after each update
    step: Callable[[Any, np.ndarray], tuple[Any, Any]]  #: (k params, stretch) -> grads, new params

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `Walker`."""
        with np.errstate(over="ignore", invalid="ignore"):
            after = self.path(self.split(start.params), stretch)
            return plain(self.join(after), start.count + 1 + np.arange(len(stretch)))

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `Walker`."""
        with np.errstate(over="ignore", invalid="ignore"):
            grads, after = self.step(self.split(before.params), stretch)
            return Steps(self.join(grads), plain(self.join(after), before.count + 1))


def descended(before: Point, grads: Bounded, learning_rate: float) -> Ranges:
    """Bound one step of plain descent, from the bounds of its gradient."""
    params = within(lambda w, rate, dw: w - rate * dw, before.params, learning_rate, grads)
    return Ranges(grads, params, [])


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


class Stretch(NamedTuple):
    """The result of k updates."""

    paths: dict[str, Point]  #: the k points after the updates, by side
    divergence: Divergence | None  #: the first one, if the updates were judged
    ran_away: int | None  #: the update, from 0, at which both overflowed before any divergence

    @property
    def ends(self) -> dict[str, Point]:
        """Return the last point of each side."""
        return {side: path.at(-1) for side, path in self.paths.items()}

    @property
    def drift(self) -> float:
        """Return how far the sides drifted apart; see `drift`."""
        return drift(self.paths[BY_HAND].params, self.paths[BY_AUTODIFF].params)


@dataclass(frozen=True)
class Lockstep:
    """The two sides of one training, with the ranges to judge them by."""

    sides: Mapping[str, Walker]  #: `by_hand` and `autodiff`
    #: (before, stretch) -> the ranges of k right updates, for the formulas of the side by hand and
    #: for autodiff's.
    ranges: Callable[[Point, np.ndarray], tuple[Ranges, Ranges]]
    name: Callable[[int], str]  #: a parameter's name by its position
    #: (side, before, its data) -> whether the judge rules that the gradient of one update is right,
    #: of which its bounds do not say so.
    is_ruled_right: Callable[[str, Point, np.ndarray], bool]
    largest: float = np.inf  #: where both sides' parameters exceed this, updates are not judged

    def advance(
        self, points: dict[str, Point], stretch: np.ndarray, judged: bool = True
    ) -> Stretch:
        """Run both sides through a stretch, each from its own point, and judge every update.

        Args:
            points: the current points, by side.
            stretch: the data of k updates, k along the first axis.
            judged: whether to judge at all.
        """
        paths = {side: walker.walk(points[side], stretch) for side, walker in self.sides.items()}
        if not judged:
            return Stretch(paths, None, None)
        beyond = [~np.all(np.abs(path.params) <= self.largest, axis=1) for path in paths.values()]
        end = _first(np.all(beyond, axis=0))
        found = [
            self._judge(_befores(points[side], path), path.at(slice(end)), stretch[:end], side)
            for side, path in paths.items()
        ]
        divergences = [divergence for divergence, _ in found if divergence]
        first = min(divergences, key=lambda divergence: divergence.update, default=None)
        away = min(end for _, end in found)
        return Stretch(paths, first, away if first is None and away < len(stretch) else None)

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
        ruled: set[int] = set()
        for update, which, position in np.argwhere(wrong).tolist():
            quantity, verdict = verdicts[which]
            if update in ruled:
                continue
            if quantity == "gradient" and self._are_ruled_right(verdict, before, stretch, update):
                ruled.add(update)  # and its new parameters are as right as the gradient is
                continue
            gap, name = verdict.gap((update, position)), self.name(position)
            return Divergence(int(before.count[0]) + update, name, quantity, along, *gap), end
        return None, end

    def _are_ruled_right(
        self, verdict: Verdict, before: Point, stretch: np.ndarray, update: int
    ) -> bool:
        """Let the judge rule on the sides whose gradients are not within their bounds."""
        right = {BY_HAND: verdict.hand_is_right, BY_AUTODIFF: verdict.autodiff_is_right}
        off = [side for side in right if not right[side][update].all()]
        return all(self.is_ruled_right(side, before.at(update), stretch[update]) for side in off)


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
    """Mark elements where both sides overflow, or where the third program does."""
    unknown = ~(np.isfinite(verdict.by_hand) | np.isfinite(verdict.autodiff))
    return unknown | ~np.isfinite(verdict.hand_bounds.value)

"""Run two trainings in lockstep, by hand and by autodiff, and judge every update.

*Judged*: both sides take every update from common parameters; the gradient, the optimiser's moments
and the updated parameters must lie within the bounds on rounding of a third program. The common
parameters are those that a training really went through, once along the path by hand and once along
the path by autodiff, so each training loop is compared with the other side's update at every one of
its own steps.

*Reported*: the two trainings also run freely, each from its own last parameters. Their drift shows
how training amplifies rounding, not whether a gradient is right; it is not judged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from compare.trees import join, name_at, split
from compare.wording import BY_AUTODIFF, BY_HAND, InputError

if TYPE_CHECKING:
    from compare.agreement import Verdict
    from handgrad.tolerance.rounding import Bounded


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


@dataclass(frozen=True, eq=False)
class Program:
    """A loss, its gradient by hand, and how far rounding may move that; all take (params, x, y)."""

    loss: Callable[[Any, Any, Any], Any]  #: in JAX, a pure function
    reference: Callable[[Any, Any, Any], Any]  #: the same in the third program, for the judge
    gradient: Callable[[Any, Any, Any], Any]  #: in NumPy, shaped and typed like the parameters
    #: (k params, k minibatches) -> by form, the bounds of the k gradients; see `compare.reference`.
    bounds: Callable[[Any, Any, Any], Mapping[str, Any]]
    like: Any  #: what has the parameters' structure, a tree of `compare.trees`


@dataclass(frozen=True)
class Divergence:
    """The first update at which a side is off by more than rounding explains."""

    update: int  #: counted from 0 over the whole training
    parameter: str  #: empty for a loss
    #: The first wrong one of `gradient`, `moment`, `update`; for networks also `loss`, after an
    #: epoch, or `shape`, if the gradient by hand cannot be compared: the numbers below are NaN.
    quantity: str
    along: str  #: whose path the update starts from, `by_hand` or `autodiff`
    off: str  #: the side outside its bounds: `by_hand`, `autodiff` or `both`
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
    """The two sides of one training of a program, or one of them alone."""

    program: Program
    sides: Mapping[str, Side]  #: `by_hand` and `autodiff`, or one of them
    x: np.ndarray  #: inputs; a stretch holds indices of them, of one minibatch or sample an update
    y: np.ndarray  #: targets
    optimiser: str  #: one of `manual.optimisers.OPTIMISERS`
    learning_rate: float  #: η
    ran_away: Callable[[int], RanAwayError]  #: (update, from 0) -> the error that says so
    largest: float  #: where both sides' parameters exceed this, the training has run away
    #: By side, the form in which it computes derivatives: one of those of `compare.reference`.
    forms: Mapping[str, str] = field(
        default_factory=lambda: {BY_HAND: "stable", BY_AUTODIFF: "cancelling"}
    )
    names: tuple[str, ...] = ()  #: of the parameters, if they have others than their places

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
        starts, found = progress.points, progress.first_divergence
        paths = {name: side.walk(starts[name], stretch) for name, side in self.sides.items()}
        if found is None:
            end = _first(~np.any([self.is_sound(path) for path in paths.values()], axis=0))
            if len(paths) == 2:
                judged = [self._judge(starts[of], paths[of], stretch[:end], of) for of in paths]
                divergences = [divergence for divergence, _ in judged if divergence]
                found = min(divergences, key=lambda one: one.update, default=None)
                end = min(end for _, end in judged)
            if found is None and end < len(stretch):
                raise self.ran_away(int(starts[next(iter(starts))].count) + end)
        apart = drift(*(path.params for path in paths.values())) if len(paths) == 2 else 0.0
        farthest = max(progress.max_drift_ulps, apart)
        return replace(progress, paths=paths, first_divergence=found, max_drift_ulps=farthest)

    def is_sound(self, point: Point) -> Any:
        """Whether a side can go on from a point, or from each of k."""
        within = np.all(np.abs(point.params) <= self.largest, axis=-1)
        return within & np.all(np.isfinite(point.moments), axis=(-2, -1))

    def _judge(
        self, start: Point, path: Point, stretch: np.ndarray, along: str
    ) -> tuple[Divergence | None, int]:
        """Find the first wrong update along one path; also return how many could be judged."""
        from compare.reference import flattened
        from handgrad.tolerance.rounding import Bounded

        if not (count := len(stretch)):
            return None, 0
        after = path.at(slice(count))
        before = Point(
            np.concatenate([start.params[None], after.params[:-1]]),
            np.concatenate([start.moments[None], after.moments[:-1]]),
            start.count + np.arange(count),
        )
        steps = {side: self.sides[side].steps(before, stretch) for side in (BY_HAND, BY_AUTODIFF)}
        # The path's own updates are judged, not a repetition of them.
        steps[along] = steps[along]._replace(after=after)
        hand, auto = steps.values()
        like = self.program.like
        found = self.program.bounds(split(before.params, like), self.x[stretch], self.y[stretch])
        bounds = [flattened(found[self.forms[side]], like) for side in (BY_HAND, BY_AUTODIFF)]
        verdicts = self._verdicts(before, hand, auto, bounds)
        end = _first(np.any([_unjudgeable(verdict) for _, verdict in verdicts], axis=(0, 2)))
        # The first by update, then in this order, then in the parameters' order.
        wrong = np.stack([~verdict.agree for _, verdict in verdicts], axis=1)[:end]
        ruled: set[int] = set()
        for update, which, position in np.argwhere(wrong).tolist():
            quantity, verdict = verdicts[which]
            at = update, position
            if which == 0:
                if update in ruled or self._is_acquitted(verdict, before, stretch, update):
                    ruled.add(update)
                    continue
            elif update in ruled or not np.isfinite(verdict.bound[at]):
                # The third program's gradient does not say what the update has to be.
                here = slice(update, update + 1)
                by_hand, by_auto = (
                    Steps(step.grads[here], step.after.at(here)) for step in (hand, auto)
                )
                own = [Bounded(step.grads, 0 * step.grads) for step in (by_hand, by_auto)]
                again = self._verdicts(before.at(here), by_hand, by_auto, own)
                (_, verdict), at = again[which], (0, position)
                if verdict.agree[at]:
                    continue
            name = self.names[position] if self.names else name_at(position, self.program.like)
            gap = verdict.gap(at)
            return Divergence(int(before.count[0]) + update, name, quantity, along, *gap), end
        return None, end

    def _verdicts(
        self, before: Point, hand: Steps, auto: Steps, bounds: "list[Bounded]"
    ) -> "list[tuple[str, Verdict]]":
        """Hold gradients, moments and parameters, each of shape (k, p), against their bounds.

        Args:
            before: where the updates start.
            hand, auto: the updates of each side.
            bounds: those of each side's gradients, which those of the others follow from.
        """
        from compare.agreement import Verdict
        from compare.reference import update_bounds

        values, errors = [], []
        for step, grads in zip((hand, auto), bounds, strict=True):
            params, *moments = update_bounds(self.optimiser, self.learning_rate, before, grads)
            moved = np.moveaxis(step.after.moments, 1, 0)
            values.append([step.grads, *moved, step.after.params])
            errors.append([grads, *moments, params])
        names = ["gradient", *["moment"] * before.moments.shape[1], "update"]
        columns = zip(names, *values, *errors, strict=True)
        return [(name, Verdict(*of)) for name, *of in columns]

    def _is_acquitted(
        self, verdict: "Verdict", before: Point, stretch: np.ndarray, update: int
    ) -> bool:
        """Let the judge rule on the sides whose gradients are not within their bounds.

        Where there is no bound and it cannot decide, as where many kinks meet, nothing is known to
        be wrong.
        """
        from compare.agreement import ruling

        rows, like, here = stretch[update], self.program.like, before.at(slice(update, update + 1))
        for side, right, bounds in (
            (BY_HAND, verdict.hand_is_right, verdict.hand_bounds),
            (BY_AUTODIFF, verdict.autodiff_is_right, verdict.autodiff_bounds),
        ):
            if not (beyond := ~right[update]).any():
                continue

            def gradient(params: Any, *_: Any, of: Side = self.sides[side]) -> Any:
                point = here._replace(params=join(params, like)[None])
                return split(of.steps(point, rows[None]).grads[0], like)

            at = split(before.params[update], like), self.x[rows], self.y[rows]
            ruled = ruling(gradient, self.forms[side], self.program.reference, *at)
            bounded = np.isfinite(bounds.error[update][beyond]).any()
            if ruled != "agree" and (bounded or ruled == "disagree"):
                return False
        return True


def drift(by_hand: np.ndarray, autodiff: np.ndarray) -> float:
    """Compute the largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1)), in ulps of their dtype.

    Infinite if one of them is NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.abs(by_hand - autodiff) / np.spacing(np.maximum(np.abs(by_hand), 1))
    return float(np.max(np.where(np.isnan(gaps), np.inf, gaps)))


def _first(marked: np.ndarray) -> int:
    """Return the index of the first True, or the length if there is none."""
    return int(np.argmax([*marked, True]))


def _unjudgeable(verdict: "Verdict") -> np.ndarray:
    """Mark elements where both sides overflow, or where the third program does."""
    unknown = ~(np.isfinite(verdict.by_hand) | np.isfinite(verdict.autodiff))
    return unknown | ~np.isfinite(verdict.hand_bounds.value)

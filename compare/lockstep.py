"""Run two trainings in lockstep, by hand and by autodiff, and judge every update.

By hand is the lines in NumPy; by autodiff `jax.grad` of the loss under jit. Both train a `Program`,
whose parameters may have any structure. Between updates they are one vector (`compare.trees`).

*Judged*: both sides take every update from common parameters; the gradient, the optimiser's moments
and the updated parameters must lie within the bounds on rounding of a third program. The common
parameters are those that a training really went through, once along the path by hand and once along
the path by autodiff, so each training loop is compared with the other side's update at every one of
its own steps.

*Reported*: the two trainings also run freely, each from its own last parameters. Their drift shows
how training amplifies rounding, not whether a gradient is right; it is not judged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from compare.compiling import judged
from compare.trees import join, leaves, name_at, split
from compare.wording import BY_AUTODIFF, BY_HAND, Disagreement, InputError
from manual.optimisers import OPTIMISERS, State

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


@dataclass(frozen=True, eq=False)
class Program:
    """A loss, its gradient by hand, and how far rounding may move that; all take (params, x, y)."""

    loss: Callable[[Any, Any, Any], Any]  #: in JAX, a pure function
    reference: Callable[[Any, Any, Any], Any]  #: the same in the third program, for the judge
    gradient: Callable[[Any, Any, Any], Any]  #: in NumPy, shaped and typed like the parameters
    #: (k params, k minibatches) -> by form, the bounds of the k gradients; see `compare.reference`.
    bounds: Callable[[Any, Any, Any], Mapping[str, Any]]
    like: Any  #: what has the parameters' structure, a tree of `compare.trees`


def start(params: Any, optimiser: str) -> Point:
    """Return the point before the first update."""
    flat = join(params, params)
    return _point(flat, OPTIMISERS[optimiser](0.0).init(flat))


class Side(Protocol):
    """One side of a training; a stretch has what each of k updates is made for."""

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """Return the k points after each update of the stretch."""
        ...

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """Take one update from each of k points."""
        ...


@dataclass(eq=False)
class _OfRows:
    """What is trained on the rows of data; a stretch has their numbers, one minibatch a row."""

    program: Program
    optimiser: str  #: one of `manual.optimisers.OPTIMISERS`
    learning_rate: float  #: η
    x: np.ndarray  #: inputs, of which a stretch holds row numbers
    y: np.ndarray  #: targets


class ByHand(_OfRows):
    """Trains by hand: a gradient in NumPy, and `manual.optimisers`. Overflow raises no warning."""

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `Side`."""
        points = [start]
        for batch in stretch:
            points.append(self._step(points[-1], batch)[1])
        return _stacked(points[1:])

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `Side`."""
        each = (self._step(before.at(at), batch) for at, batch in enumerate(stretch))
        grads, points = zip(*each, strict=True)
        return Steps(np.stack(grads), _stacked(points))

    def _step(self, point: Point, batch: np.ndarray) -> tuple[np.ndarray, Point]:
        """Take one update; return its gradient, and the point after it."""
        params = split(point.params, self.program.like)
        with np.errstate(over="ignore", invalid="ignore"):
            grads = self.program.gradient(params, self.x[batch], self.y[batch])
            _check(grads, params, int(point.count))
            state = State(int(point.count), tuple(point.moments))
            flat = join(grads, params)
            rule = OPTIMISERS[self.optimiser](self.learning_rate)
            return flat, _point(*rule.update(point.params, flat, state))


def _check(grads: Any, params: Any, update: int) -> None:
    """Refuse a gradient that is not shaped and typed like the parameters: no update is possible."""
    found, expected = leaves(grads), leaves(params)
    says = f"update {update}, gradient of"
    if list(found) != list(expected):
        layers = f"{len(grads)} layers; expected {len(params)}"
        raise Disagreement(f"{says} params: by hand it has {layers}")
    for name, right in expected.items():
        has, due = (f"shape {of.shape} and {of.dtype}" for of in (found[name], right))
        if has != due:
            raise Disagreement(f"{says} {name}: by hand it has {has}; expected {due}")


def _point(params: np.ndarray, state: State) -> Point:
    moments = np.array(state.moments, params.dtype).reshape(-1, params.size)
    return Point(params, moments, np.int64(state.updates))


def _stacked(points: Sequence[Point]) -> Point:
    return Point(*(np.stack(parts) for parts in zip(*points, strict=True)))


class ByAutodiff(_OfRows):
    """Trains by autodiff: `autodiff.training`, with optax."""

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `Side`."""
        with judged():
            after = self._training.walk(self._carry(start), *self._data, stretch)
            return self._points(after, start.count + 1 + np.arange(len(stretch)))

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `Side`."""
        with judged():
            grads, after = self._training.steps(self._carry(before), *self._data, stretch)
            return Steps(join(grads, self.program.like), self._points(after, before.count + 1))

    @cached_property
    def _data(self) -> Any:
        import jax

        with judged():
            return jax.numpy.asarray(self.x), jax.numpy.asarray(self.y)

    @property
    def _training(self) -> Any:
        return _training(self.program, self.optimiser, self.learning_rate)

    def _carry(self, point: Point) -> Any:
        """Convert a point to optax's state, whose leaves are a count, if any, and the moments."""
        import jax

        from autodiff.training import Carry

        params = split(point.params, self.program.like)
        moments = [split(moment, self.program.like) for moment in np.moveaxis(point.moments, -2, 0)]
        expected, tree = jax.tree.flatten(jax.eval_shape(self._training.init, params).state)
        given = jax.tree.leaves(moments)
        counts = [np.asarray(point.count, np.int32)] * (len(expected) - len(given))
        return Carry(params, jax.tree.unflatten(tree, [*counts, *given]))

    def _points(self, carry: Any, count: np.ndarray) -> Point:
        """The inverse of `_carry`, for k points."""
        import jax

        params = join(carry.params, self.program.like)
        arrays, each = jax.tree.leaves(carry.state), len(leaves(self.program.like))
        # What is left over, in front, is optax's own count of updates.
        starts = range(len(arrays) % each, len(arrays), each)
        moments = [join(arrays[at : at + each], self.program.like) for at in starts]
        empty = np.empty((len(params), 0, params.shape[-1]), params.dtype)
        return Point(params, np.stack(moments, axis=-2) if moments else empty, count)


@cache
def _training(program: Program, optimiser: str, learning_rate: float) -> Any:
    """Return the training of a program, compiled once."""
    from autodiff.training import training

    return training(program.loss, optimiser, learning_rate)


SIDES = {BY_HAND: ByHand, BY_AUTODIFF: ByAutodiff}


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
            here = int(before.count[0]) + update, name, quantity, along
            return Divergence(*here, **verdict.gap(at)), end
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

        values, due = [], []
        for step, grads in zip((hand, auto), bounds, strict=True):
            params, *moments = update_bounds(self.optimiser, self.learning_rate, before, grads)
            values.append([step.grads, *np.moveaxis(step.after.moments, 1, 0), step.after.params])
            due.append([grads, *moments, params])
        names = ["gradient", *["moment"] * before.moments.shape[1], "update"]
        return [
            (name, Verdict(by_hand, autodiff, {BY_HAND: of_hand, BY_AUTODIFF: of_auto}))
            for name, by_hand, autodiff, of_hand, of_auto in zip(names, *values, *due, strict=True)
        ]

    def _is_acquitted(
        self, verdict: "Verdict", before: Point, stretch: np.ndarray, update: int
    ) -> bool:
        """Let the judge rule on the sides whose gradients are not within their bounds.

        Where there is no bound and it cannot decide, as where many kinks meet, nothing is known to
        be wrong.
        """
        from compare.agreement import ruling

        rows, like, here = stretch[update], self.program.like, before.at(slice(update, update + 1))
        for side, bounds in verdict.bounds.items():
            if not (beyond := ~verdict.right(side)[update]).any():
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
    return unknown | ~np.isfinite(verdict.bounds[BY_HAND].value)

"""Train a network epoch by epoch, by hand, by autodiff, or by both in lockstep."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import manual.network
from compare.agreement import BY_AUTODIFF, BY_HAND
from compare.limits import count_parameters
from compare.lockstep import Divergence, Point
from compare.networks.judge import first_wrong_loss, lockstep
from compare.networks.plan import Plan
from compare.networks.prepared import Prepared, hits
from compare.networks.trainers import ByHand, Trainer
from compare.wording import InputError
from manual.sgd import minibatches

#: While paths are judged, at most so many numbers per side are kept in memory at a time.
KEPT = 4_000_000

#: A training with parameters beyond this has diverged.
LARGEST = {"float64": 1e100, "float32": 1e12}


class RanAwayError(InputError):
    """A training diverged, from a learning rate far too large or a wrong gradient."""

    def __init__(self, epoch: int, plan: Plan, divergence: Divergence | None = None) -> None:
        super().__init__(
            f"the training ran away in epoch {epoch}: a parameter or the loss exceeds "
            f"{LARGEST[plan.dtype]:g} or is no number; learning rate {plan.learning_rate:g} is too "
            "large, expected a smaller --learning-rate"
        )
        self.divergence = divergence  #: an earlier disagreement of the sides


@dataclass(frozen=True)
class Progress:
    """The progress of a training."""

    epochs: int  #: done so far
    points: dict[str, Point]  #: by side, `by_hand` and `autodiff`
    losses: np.ndarray  #: on the training part after each epoch, shape (epochs, sides)
    first_divergence: Divergence | None = None
    max_drift_ulps: float = 0.0

    @property
    def verdict(self) -> str | None:
        """`agree` or `disagree`; None where one side trained alone."""
        if len(self.points) < 2:
            return None
        return "agree" if self.first_divergence is None else "disagree"


@dataclass
class Training:
    """A training's constant parts: plan, data and trainers; `advance` runs an epoch."""

    plan: Plan
    data: Prepared
    by: tuple[str, ...]  #: the sides that train
    sides: dict[str, Trainer] = field(init=False)

    def __post_init__(self) -> None:
        """Build the trainers; JAX is loaded only if one of them needs it."""
        x, y = self.data.x, self.data.y
        self.sides = {}
        if BY_HAND in self.by:
            self.sides[BY_HAND] = ByHand(self.plan, x, y)
        if BY_AUTODIFF in self.by:
            from compare.networks.by_autodiff import ByAutodiff

            self.sides[BY_AUTODIFF] = ByAutodiff(self.plan, x, y)

    def start(self) -> Progress:
        """Return the progress before the first epoch; all sides start from the same parameters."""
        plan = self.plan
        params = manual.network.draw_parameters(plan.network, plan.seed, plan.numpy_dtype)
        point = ByHand(plan, self.data.x, self.data.y).start(params)
        return Progress(0, dict.fromkeys(self.by, point), np.empty((0, len(self.by))))

    def advance(self, progress: Progress) -> Progress:
        """Run one more epoch.

        Raises:
            RanAwayError: a parameter or a loss exceeds `LARGEST` or is NaN, on every side, or on
                one although the two never disagreed.
            MisshapenError: the gradient by hand is not shaped like the parameters.
        """
        points = progress.points
        divergence, farthest = progress.first_divergence, progress.max_drift_ulps
        for stretch in self._stretches(progress.epochs):
            if len(self.by) == 1:
                points = {side: self.sides[side].run(points[side], stretch) for side in self.by}
            else:
                x, y = self.data.x, self.data.y
                both = lockstep(self.plan, self.sides, x, y)
                walked = both.advance(points, stretch, judged=divergence is None)
                points, divergence = walked.ends, divergence or walked.divergence
                farthest = max(farthest, walked.drift)
                if walked.ran_away is not None:
                    raise RanAwayError(progress.epochs, self.plan, divergence)
        away = [not self._is_sound(point) for point in points.values()]
        if all(away) or (any(away) and divergence is None):
            raise RanAwayError(progress.epochs, self.plan, divergence)
        losses = [self.loss(side, points[side]) for side in self.by]
        if len(self.by) == 2 and divergence is None:
            by_side = dict(zip(self.by, losses, strict=True))
            divergence = first_wrong_loss(self.plan, points, by_side, self.data.x, self.data.y)
        if divergence is None and not np.all(np.abs(losses) <= LARGEST[self.plan.dtype]):
            raise RanAwayError(progress.epochs, self.plan)
        return replace(
            progress,
            epochs=progress.epochs + 1,
            points=points,
            losses=np.concatenate([progress.losses, [losses]]),
            first_divergence=divergence,
            max_drift_ulps=farthest,
        )

    def _stretches(self, epoch: int) -> list[np.ndarray]:
        """Group the minibatches of an epoch into matrices of row numbers of limited size."""
        batches = minibatches(len(self.data.x), self.plan.batch, self.plan.seed, epoch)
        full = [batch for batch in batches if len(batch) == self.plan.batch]
        at_once = max(1, KEPT // (3 * count_parameters(self.plan.network.sizes)))
        stretches = [
            np.stack(full[at : at + at_once]).astype(np.int32)
            for at in range(0, len(full), at_once)
        ]
        return stretches + [batch[None].astype(np.int32) for batch in batches[len(full) :]]

    def _is_sound(self, point: Point) -> bool:
        """Whether a side can go on from this point: parameters within limits, moments finite."""
        within = np.all(np.abs(point.params) <= LARGEST[self.plan.dtype])
        return bool(within and np.all(np.isfinite(point.moments)))

    def loss(self, side: str, point: Point) -> float:
        """Compute a side's loss on the training part."""
        return self.sides[side].loss(point.params, self.data.x, self.data.y)

    def accuracy(self, side: str, point: Point) -> float:
        """Compute a side's accuracy on the training part."""
        return hits(self.sides[side].predict(point.params, self.data.x), self.data.y)

    def score(self, side: str, point: Point, classes: bool) -> dict[str, Any]:
        """Compute losses and, for classes, accuracies, on both parts."""
        data, network = self.data, self.sides[side]
        parts = {"train": (data.x, data.y), "test": (data.test_x, data.test_y)}
        shares = {
            f"{part}_accuracy": hits(network.predict(point.params, x), y) if classes else None
            for part, (x, y) in parts.items()
        }
        losses = {
            f"{part}_loss": network.loss(point.params, x, y) for part, (x, y) in parts.items()
        }
        return shares | losses


def train(
    training: Training,
    epochs: int,
    on_epoch: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Train for so many epochs; `on_epoch` is called with the progress after each.

    Raises:
        RanAwayError, MisshapenError: as `Training.advance` does.
    """
    progress = training.start()
    for _ in range(epochs):
        progress = training.advance(progress)
        on_epoch(progress)
    return progress

"""Train a network of any shape epoch by epoch, by hand, by autodiff, or by both in lockstep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import numpy as np

import manual.network
from compare.compiling import judged
from compare.data import Dataset, Prepared, codes
from compare.limits import LARGEST_VALUE, count_parameters, shape
from compare.lockstep import (
    SIDES,
    Divergence,
    Lockstep,
    Point,
    Program,
    Progress,
    RanAwayError,
    start,
)
from compare.trees import layers_like, split
from compare.wording import BY_AUTODIFF, refused
from manual.network import Network
from manual.sgd import minibatches

#: While paths are judged, at most so many numbers per side are kept in memory at a time.
KEPT = 4_000_000

#: A training with parameters beyond this has diverged.
LARGEST = {"float64": LARGEST_VALUE, "float32": 1e12}

#: The losses for classes.
OF_CLASSES = ("bce", "softmax-ce")


@dataclass(frozen=True)
class Plan:
    """Everything a training depends on besides its data; equal plans give equal bits."""

    network: Network
    optimiser: str  #: one of `manual.optimisers.OPTIMISERS`
    learning_rate: float  #: η
    batch: int  #: rows an update
    seed: int  #: draws the split, the start, and the order of every epoch
    dtype: str = "float64"  #: or `float32`


def refuse_misfit(network: Network, data: Dataset) -> None:
    """Refuse a network whose inputs, outputs or loss are not for these data.

    Raises:
        InputError: names what does not fit.
    """
    n_in, n_out, of = network.sizes[0], network.sizes[-1], shape(network.sizes)
    if n_in != (features := len(data.features)):
        expected = f"{features}, one for each feature of {data.name}"
        raise refused("--network", f"network {of} has {n_in} inputs", expected)
    if data.classes is None:
        if network.loss in OF_CLASSES:
            found, expected = f"loss {network.loss} is for classes", "mse or huber"
            raise refused("--network", found, f"{expected} for {data.target!r}")
        allowed, why = {1}, ""
    else:
        classes = len(data.classes)
        allowed = {classes} | ({1} if classes == 2 and network.loss != "softmax-ce" else set())
        why = f" for the {classes} classes of {data.target!r} with {network.loss}"
    if n_out not in allowed:
        expected = " or ".join(map(str, sorted(allowed))) + why
        raise refused("--network", f"network {of} has {n_out} outputs", expected)


@cache
def program_of(network: Network) -> Program:
    """Return the loss of a network and its gradient; JAX is loaded when the others are called."""

    def loss(params: Any, x: Any, y: Any) -> Any:
        import autodiff.network

        return autodiff.network.loss(network, params, x, y)

    def reference(params: Any, x: Any, y: Any) -> Any:
        from compare.reference import CANCELLING, as_it_is, network_loss

        return network_loss(network, params, x, y, as_it_is, CANCELLING)

    def bounds(params: Any, x: Any, y: Any) -> Any:
        from compare.reference import network_gradient

        return network_gradient(network, params, x, y)

    def gradient(params: Any, x: Any, y: Any) -> Any:
        return manual.network.gradient(network, params, x, y)

    return Program(loss, reference, gradient, bounds, layers_like(network.sizes))


@dataclass
class Training:
    """A training's constant parts: plan, data and sides; `advance` runs an epoch."""

    plan: Plan
    data: Prepared
    by: tuple[str, ...]  #: the sides that train; JAX is loaded only if one of them needs it
    both: Lockstep = field(init=False)

    def __post_init__(self) -> None:
        """Build the sides."""
        plan, x, y = self.plan, self.data.x, self.data.y
        how = plan.optimiser, plan.learning_rate
        program = program_of(plan.network)
        sides = {side: SIDES[side](program, *how, x, y) for side in self.by}
        self.both = Lockstep(program, sides, x, y, *how, self._ran_away, LARGEST[plan.dtype])

    def train(self, epochs: int, on_epoch: Callable[[Progress], None] = lambda _: None) -> Progress:
        """Train for so many epochs; `on_epoch` is called with the progress after each.

        Raises:
            RanAwayError: a parameter or a loss exceeds `LARGEST` or is NaN, on every side, or on
                one although the two never disagreed.
            Disagreement: the gradient by hand is not shaped like the parameters.
        """
        plan = self.plan
        params = manual.network.draw_parameters(plan.network, plan.seed, plan.dtype)
        progress = self.both.start(start(params, plan.optimiser))
        for _ in range(epochs):
            progress = self._advance(progress)
            on_epoch(progress)
        return progress

    def _advance(self, progress: Progress) -> Progress:
        """Run one more epoch."""
        for stretch in self.stretches(len(progress.losses)):
            progress = self.both.advance(progress, stretch)
        points, divergence = progress.points, progress.first_divergence
        losses = [self.loss(side, points[side], self.data.x, self.data.y) for side in self.by]
        divergence = divergence or self._first_wrong_loss(points, losses)
        if divergence is None and not np.all(np.abs(losses) <= self.both.largest):
            raise self._ran_away(int(points[self.by[0]].count) - 1)
        if divergence and not any(map(self.both.is_sound, points.values())):
            raise self._ran_away(int(points[self.by[0]].count) - 1, divergence)
        all_losses = np.concatenate([progress.losses, [losses]])
        return replace(progress, losses=all_losses, first_divergence=divergence)

    def stretches(self, epoch: int) -> list[np.ndarray]:
        """Group the minibatches of an epoch into matrices of row numbers of limited size."""
        batches = minibatches(len(self.data.x), self.plan.batch, self.plan.seed, epoch)
        full = [batch for batch in batches if len(batch) == self.plan.batch]
        at_once = max(1, KEPT // (3 * count_parameters(self.plan.network.sizes)))
        parts = [full[at : at + at_once] for at in range(0, len(full), at_once)]
        return [np.stack(part).astype(np.int32) for part in [*parts, batches[len(full) :]] if part]

    def loss(self, side: str, point: Point, x: np.ndarray, y: np.ndarray) -> float:
        """Compute the loss on a whole table by a side's own lines."""
        return float(self._of("loss", side, point, x, y))

    def accuracy(self, side: str, point: Point, x: np.ndarray, y: np.ndarray) -> float:
        """Compute the share of a table's rows that a side predicts correctly."""
        return float(np.mean(codes(self._of("predict", side, point, x)) == codes(y)))

    def score(self, side: str, point: Point, classes: bool) -> dict[str, Any]:
        """Compute losses and, for classes, accuracies, on both parts."""
        data = self.data
        parts = {"train": (data.x, data.y), "test": (data.test_x, data.test_y)}
        return {
            f"{part}_accuracy": self.accuracy(side, point, *of) if classes else None
            for part, of in parts.items()
        } | {f"{part}_loss": self.loss(side, point, *of) for part, of in parts.items()}

    def _of(self, function: str, side: str, point: Point, *data: np.ndarray) -> Any:
        """Call `loss` or `predict` of a side's network at its point."""
        network = self.plan.network
        params = split(point.params, self.both.program.like)
        if side == BY_AUTODIFF:
            with judged():
                return np.asarray(_compiled(function, network)(params, *data))
        with np.errstate(over="ignore", invalid="ignore"):
            return getattr(manual.network, function)(network, params, *data)

    def _first_wrong_loss(
        self, points: dict[str, Point], losses: Sequence[float]
    ) -> Divergence | None:
        """Find a side whose loss on the whole training part, at its own point, is off."""
        if len(self.by) < 2:
            return None
        from compare.reference import network_loss_bounds

        for (side, point), loss in zip(points.items(), losses, strict=True):
            params = split(point.params, self.both.program.like)
            right = network_loss_bounds(self.plan.network, params, self.data.x, self.data.y)
            if right.contains(loss) or not np.isfinite(right.value):
                continue
            by_hand, by_autodiff = losses
            apart = abs(by_hand - by_autodiff) / float(np.spacing(abs(right.value)))
            bound, update = float(2 * right.error), int(point.count) - 1
            return Divergence(update, "", "loss", side, side, by_hand, by_autodiff, bound, apart)
        return None

    def _ran_away(self, update: int, divergence: Divergence | None = None) -> RanAwayError:
        epoch = update // -(-len(self.data.x) // self.plan.batch)
        return RanAwayError(
            f"the training ran away in epoch {epoch}: a parameter or the loss exceeds "
            f"{self.both.largest:g} or is no number; learning rate {self.plan.learning_rate:g} is "
            "too large, expected a smaller --learning-rate",
            divergence,
        )


@cache
def _compiled(function: str, network: Network) -> Callable[..., Any]:
    """`loss` or `predict` of `autodiff.network`, compiled for a network."""
    import jax

    import autodiff.network

    return jax.jit(partial(getattr(autodiff.network, function), network))

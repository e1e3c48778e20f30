"""Run the article's training by hand and by autodiff in lockstep."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import autodiff.article
import manual.article
import manual.sgd
from compare.agreement import (
    BY_AUTODIFF,
    BY_HAND,
    FORMS,
    NAMES,
    Gradient,
    hand_gradient,
    is_ruled_right,
    stack,
    stacked,
)
from compare.lockstep import Descent, Divergence, Lockstep, Point, Ranges, descended, plain
from compare.reference import CANCELLING, article_gradient
from compare.wording import InputError
from handgrad.tolerance.rounding import Bounded
from manual.article import Parameters

#: Epochs run and judged at a time, so that memory holds one stretch of updates and not all; the
#: article's 1000 epochs are one compiled loop.
CHUNK = 1000

#: A training with parameters beyond this has diverged. Below it no product of two parameters, an
#: input and a learning rate overflows, so every update can still be judged.
LARGEST = 1e100


@dataclass(frozen=True)
class SampleDivergence(Divergence):
    """The first update at which a side is off, with its epoch and sample."""

    epoch: int  #: counted from 0
    sample: int  #: row of the table, counted from 0

    def as_object(self, names: list[str]) -> dict[str, Any]:
        """Return it for JSON, with the sample's name."""
        where = {"update": self.update, "epoch": self.epoch, "sample": None}
        return where | asdict(self) | {"sample": names[self.sample]}


@dataclass(frozen=True)
class Trainings:
    """The result of comparing two trainings."""

    losses: np.ndarray  #: shape (epochs, 2): mean loss after each epoch, by hand and by autodiff
    first_divergence: SampleDivergence | None
    max_drift_ulps: float  #: largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1))
    by_hand: Parameters  #: nine numbers, the final parameters by hand
    autodiff: Parameters  #: nine numbers, the final parameters by autodiff

    @property
    def epochs(self) -> int:
        """The number of epochs."""
        return len(self.losses)


class TrainingDivergedError(InputError):
    """A training diverged, from a learning rate far too large."""

    def __init__(self, epoch: int, learning_rate: float):
        super().__init__(
            f"the training ran away in epoch {epoch}: a parameter exceeds {LARGEST:g}; learning "
            f"rate {learning_rate:g} is too large, expected one around 0.1"
        )


@dataclass(frozen=True)
class Problem:
    """The data and settings of both trainings.

    Args:
        xs, ys: n samples, shape (n, 2) and (n,), float64.
        learning_rate: η.
        sigmoid_derivative: the form of σ' that the hand lines use, `stable` or `article`.
        by_hand: a gradient to replace `manual.article.gradient`; takes one sample or many.
    """

    xs: np.ndarray
    ys: np.ndarray
    learning_rate: float
    sigmoid_derivative: str = "stable"
    by_hand: Gradient | None = None

    @property
    def gradient(self) -> Gradient:
        """The gradient by hand."""
        return self.by_hand or hand_gradient(self.sigmoid_derivative)


def compare_trainings(
    start: Parameters,
    problem: Problem,
    order: np.ndarray,
    train: Callable[..., Iterator[Any]] = manual.sgd.train,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> Trainings:
    """Train twice and compare every update.

    Args:
        start: nine float64 numbers.
        problem: the data and settings.
        order: the samples of each epoch, shape (epochs, samples per epoch), integers.
        train: a training loop to replace `manual.sgd.train`.
        on_epoch: called with the number of epochs done so far, as the training by hand proceeds.

    Raises:
        TrainingDivergedError: parameters of both sides exceed `LARGEST` after the same update, and
            no earlier update was judged to differ.
    """
    per_epoch = order.shape[1]
    done = 0
    both = _lockstep(problem, per_epoch, train, lambda epoch: on_epoch(done + epoch))
    points = dict.fromkeys(both.sides, plain(stack(start), 0))
    losses, divergence, drift = [np.empty((0, 2))], None, 0.0
    for done in range(0, len(order), CHUNK):
        part = order[done : done + CHUNK]
        stretch = both.advance(points, np.ravel(part), judged=divergence is None)
        if stretch.ran_away is not None:
            raise TrainingDivergedError(done + stretch.ran_away // per_epoch, problem.learning_rate)
        divergence = divergence or stretch.divergence
        losses.append(_losses(stretch.paths, problem, per_epoch))
        points, drift = stretch.ends, max(drift, stretch.drift)
    by_hand, auto = (Parameters(*point.params) for point in points.values())
    if divergence:
        update = divergence.update
        sample = int(np.ravel(order)[update])
        divergence = SampleDivergence(**vars(divergence), epoch=update // per_epoch, sample=sample)
    return Trainings(np.concatenate(losses), divergence, drift, by_hand, auto)


def walk_by_hand(
    start: Parameters,
    problem: Problem,
    order: np.ndarray,
    train: Callable[..., Iterator[Any]] = manual.sgd.train,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """Train by hand; return the parameters after each update, shape (9, order.size).

    Arguments as for `compare_trainings`; overflow raises no warning.
    """
    after = np.empty((len(NAMES), order.size))
    with np.errstate(over="ignore", invalid="ignore"):
        walked = train(
            start, problem.xs, problem.ys, problem.gradient, problem.learning_rate, order
        )
        for update, params in enumerate(walked):
            after[:, update] = params
            if (update + 1) % order.shape[1] == 0:
                on_epoch((update + 1) // order.shape[1])
    return after


def _lockstep(
    problem: Problem,
    per_epoch: int,
    train: Callable[..., Iterator[Any]],
    on_epoch: Callable[[int], None],
) -> Lockstep:
    """Set up both sides; a stretch is the samples of a whole number of epochs."""
    xs, ys, rate = problem.xs, problem.ys, problem.learning_rate

    def path_by_hand(params: Any, samples: np.ndarray) -> Any:
        return walk_by_hand(params, problem, samples.reshape(-1, per_epoch), train, on_epoch)

    def step_by_hand(params: Any, samples: np.ndarray) -> tuple[Any, Any]:
        grads = problem.gradient(params, xs[samples], ys[samples])
        params = manual.sgd.update(params, grads, rate)
        return np.broadcast_arrays(*grads, samples)[:-1], params

    def path_by_autodiff(params: Any, samples: np.ndarray) -> Any:
        start = autodiff.article.Parameters(*params)
        return autodiff.article.train(start, xs, ys, rate, samples.reshape(-1, per_epoch))

    def step_by_autodiff(params: Any, samples: np.ndarray) -> tuple[Any, Any]:
        params = autodiff.article.Parameters(*params)
        return autodiff.article.steps(params, xs[samples], ys[samples], rate)

    def ranges(before: Point, samples: np.ndarray) -> tuple[Ranges, Ranges]:
        found = article_gradient(before.params.T, xs[samples], ys[samples])
        by_hand, auto = (
            Bounded(*(part.T for part in stacked(found[form])))
            for form in (FORMS[problem.sigmoid_derivative], CANCELLING)
        )
        return descended(before, by_hand, rate), descended(before, auto, rate)

    def rules_right(side: str, before: Point, sample: Any) -> bool:
        gradient, kind, form = {
            BY_HAND: (problem.gradient, Parameters, FORMS[problem.sigmoid_derivative]),
            BY_AUTODIFF: (autodiff.article.gradient, autodiff.article.Parameters, CANCELLING),
        }[side]
        at = kind(*before.params), xs[sample], ys[sample]
        return is_ruled_right(gradient, form, autodiff.article.loss, *at)

    def descent(*functions: Any) -> Descent:
        return Descent(lambda flat: Parameters(*flat.T), lambda nine: stack(nine).T, *functions)

    sides = {
        BY_HAND: descent(path_by_hand, step_by_hand),
        BY_AUTODIFF: descent(path_by_autodiff, step_by_autodiff),
    }
    return Lockstep(sides, ranges, NAMES.__getitem__, rules_right, LARGEST)


def _losses(paths: dict[str, Point], problem: Problem, per_epoch: int) -> np.ndarray:
    """Compute the mean loss after each epoch by each side's own lines, shape (epochs, 2)."""
    hand, auto = (path.params[per_epoch - 1 :: per_epoch].T for path in paths.values())
    with np.errstate(over="ignore", invalid="ignore"):
        networks = Parameters(*hand[..., None])
        by_hand = manual.article.loss(networks, problem.xs, problem.ys).mean(axis=1)
    networks = autodiff.article.Parameters(*auto)
    by_auto = autodiff.article.mean_losses(networks, problem.xs, problem.ys)
    return np.stack([by_hand, by_auto], axis=1)

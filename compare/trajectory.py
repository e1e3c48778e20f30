"""Training against training, judged and reported.

*Judged*: every update is taken by both from common parameters, and both the gradient and the
updated parameters must agree within what rounding explains. Common parameters are the ones the
trainings really went through, once along the path by hand and once along the path by autodiff, so
that each training loop is held against the other side's update at every one of its own steps.

*Reported*: the two trainings also run freely, each from its own last parameters. How far they drift
apart says how training amplifies rounding, not whether a gradient is right; it is not judged.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import autodiff.article
import manual.article
import manual.sgd
from compare.agreement import (
    NAMES,
    Gradient,
    Verdict,
    hand_gradient,
    hull_widths,
    pair_of_ranges,
    stack,
)
from compare.rounding import exactly
from manual.article import Parameters

#: Epochs that are run, judged and let go of at a time: memory does not grow with the training, and
#: the article's 1000 epochs are one compiled loop.
CHUNK = 1000

#: A training whose parameters grow beyond this has run away. Below it no product of two parameters,
#: an input and a learning rate that got there overflows, so every update can still be judged.
LARGEST = 1e100


@dataclass(frozen=True)
class Divergence:
    """The first update on which the two sides differ by more than rounding explains."""

    update: int  #: counted from 0 over the whole training
    epoch: int  #: counted from 0
    sample: int  #: row of the table, counted from 0
    parameter: str
    quantity: str  #: `gradient`, or `update` when the gradient agrees and the new value does not
    along: str  #: whose parameters the update starts from, `by_hand` or `autodiff`
    by_hand: float
    autodiff: float
    bound: float
    ulps: float


@dataclass(frozen=True)
class Trainings:
    """Two trainings, compared as far as they got."""

    losses: np.ndarray  #: shape (epochs, 2): mean loss after each epoch, by hand and by autodiff
    first_divergence: Divergence | None
    max_drift_ulps: float  #: largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1)) so far
    by_hand: Parameters  #: nine numbers, where the training by hand arrived
    autodiff: Parameters  #: nine numbers, where the training by autodiff arrived

    @property
    def epochs(self) -> int:
        """How many epochs both have completed."""
        return len(self.losses)


@dataclass(frozen=True)
class _Path:
    """A stretch of one side's training: shape (9, k) before and after each of k updates."""

    before: np.ndarray
    after: np.ndarray

    @classmethod
    def starting(cls, start: Parameters, after: np.ndarray) -> "_Path":
        return cls(np.concatenate([stack(start)[:, None], after[:, :-1]], axis=1), after)

    def until(self, update: int) -> "_Path":
        return _Path(self.before[:, :update], self.after[:, :update])


def _within_limits(params: np.ndarray) -> np.ndarray:
    """Whether all nine parameters are finite and no larger than LARGEST, shape (k,)."""
    return np.all(np.abs(params) <= LARGEST, axis=0)


class TrainingDivergedError(ValueError):
    """Both trainings ran away, as they do under a learning rate far too large."""


def compare_trainings(
    start: Parameters,
    xs: np.ndarray,
    ys: np.ndarray,
    learning_rate: float,
    order: np.ndarray,
    sigmoid_derivative: str = "stable",
    by_hand: Gradient | None = None,
    train: Callable[..., Iterator[Any]] = manual.sgd.train,
    on_epoch: Callable[[int], None] = lambda epoch: None,
) -> Iterator[Trainings]:
    """Train twice and compare every update; yields the comparison so far, at least once.

    Args:
        start: nine float64 numbers.
        xs, ys: n samples, shape (n, 2) and (n,), float64.
        learning_rate: η.
        order: the samples of each epoch, shape (epochs, samples per epoch), integers.
        sigmoid_derivative: the form of σ' that the hand lines use, `stable` or `article`.
        by_hand: a gradient to put in place of `manual.article.gradient`; takes one sample and many.
        train: a training loop to put in place of `manual.sgd.train`.
        on_epoch: called with the number of epochs done so far, as the training by hand proceeds.

    Yields:
        `Trainings` over ever more epochs, in steps of `CHUNK`; the last one is over all of them.

    Raises:
        TrainingDivergedError: parameters of both sides exceed `LARGEST` after the same update, and
            no earlier update was judged to differ.
    """
    gradient = hand_gradient(sigmoid_derivative) if by_hand is None else by_hand
    sides = _Sides(xs, ys, learning_rate, sigmoid_derivative, gradient, train)
    so_far = Trainings(np.empty((0, 2)), None, 0.0, start, start)
    yield so_far
    for first in range(0, len(order), CHUNK):
        so_far = sides.go_on(so_far, order[first : first + CHUNK], on_epoch)
        yield so_far


def judge_path(
    start: Parameters,
    after: np.ndarray,
    xs: np.ndarray,
    ys: np.ndarray,
    learning_rate: float,
    order: np.ndarray,
    sigmoid_derivative: str = "stable",
) -> Divergence | None:
    """Hold every update of a training that somebody else ran against autodiff's.

    Args:
        start: nine float64 numbers.
        after: the parameters after each update, shape (9, order.size), float64.
        xs, ys, learning_rate, order: as in `compare_trainings`.
        sigmoid_derivative: the form of σ' that the training used.

    Returns:
        The first update that autodiff, from the same parameters, takes otherwise; or None.
    """
    gradient = hand_gradient(sigmoid_derivative)
    sides = _Sides(xs, ys, learning_rate, sigmoid_derivative, gradient, manual.sgd.train)
    judge = _Judge(sides, order, first_epoch=0)
    return judge.along("by_hand", _Path.starting(start, after).before, after_hand=after)


@dataclass(frozen=True)
class _Sides:
    """Both trainings of one network: how to go on with them, and what they are judged by."""

    xs: np.ndarray
    ys: np.ndarray
    learning_rate: float
    sigmoid_derivative: str
    gradient: Gradient
    train: Callable[..., Iterator[Any]]

    def go_on(
        self, so_far: Trainings, order: np.ndarray, on_epoch: Callable[[int], None]
    ) -> Trainings:
        """The comparison so far, extended by the epochs of `order`."""
        # What overflows ends the comparison below, with a sentence instead of a warning.
        with np.errstate(over="ignore", invalid="ignore"):
            hand = self._walk_by_hand(so_far, order, on_epoch)
            auto = self._walk_by_autodiff(so_far, order)
            ran_away = ~(_within_limits(hand.after) | _within_limits(auto.after))
            end = int(np.argmax(ran_away)) if ran_away.any() else order.size
            judge = _Judge(self, order, first_epoch=so_far.epochs)
            divergence = so_far.first_divergence or judge.first_divergence(
                hand.until(end), auto.until(end)
            )
            if end < order.size and divergence is None:
                raise TrainingDivergedError(
                    f"both trainings ran away in epoch {so_far.epochs + end // order.shape[1]}: a "
                    f"parameter exceeds {LARGEST:g}; learning rate {self.learning_rate:g} is too "
                    "large, expected one around 0.1"
                )
            losses = self._losses(hand, auto, order.shape[1])
            drift = np.abs(hand.after - auto.after) / np.spacing(np.maximum(np.abs(hand.after), 1))
            return Trainings(
                losses=np.concatenate([so_far.losses, losses]),
                first_divergence=divergence,
                max_drift_ulps=max(so_far.max_drift_ulps, float(drift.max())),
                by_hand=Parameters(*hand.after[:, -1]),
                autodiff=Parameters(*auto.after[:, -1]),
            )

    def _walk_by_hand(
        self, so_far: Trainings, order: np.ndarray, on_epoch: Callable[[int], None]
    ) -> _Path:
        after = np.empty((len(NAMES), order.size))
        start, per_epoch = so_far.by_hand, order.shape[1]
        walked = self.train(start, self.xs, self.ys, self.gradient, self.learning_rate, order)
        for update, params in enumerate(walked):
            after[:, update] = params
            if (update + 1) % per_epoch == 0:
                on_epoch(so_far.epochs + (update + 1) // per_epoch)
        return _Path.starting(start, after)

    def _walk_by_autodiff(self, so_far: Trainings, order: np.ndarray) -> _Path:
        start = autodiff.article.Parameters(*so_far.autodiff)
        after = autodiff.article.train(start, self.xs, self.ys, self.learning_rate, order)
        return _Path.starting(so_far.autodiff, stack(after))

    def _losses(self, hand: _Path, auto: _Path, per_epoch: int) -> np.ndarray:
        """Mean loss after each epoch by each side's own lines, shape (epochs, 2)."""
        ends = slice(per_epoch - 1, None, per_epoch)
        by_hand = manual.article.loss(Parameters(*hand.after[:, ends, None]), self.xs, self.ys)
        networks = autodiff.article.Parameters(*auto.after[:, ends])
        by_auto = autodiff.article.mean_losses(networks, self.xs, self.ys)
        return np.stack([by_hand.mean(axis=1), by_auto], axis=1)


@dataclass(frozen=True)
class _Judge:
    """Rules on a stretch of updates that both sides take from common parameters."""

    sides: _Sides
    order: np.ndarray  #: the samples of the stretch, shape (epochs, samples per epoch)
    first_epoch: int  #: the number of its first epoch

    def first_divergence(self, hand: _Path, auto: _Path) -> Divergence | None:
        """The earliest divergence along either path, or None."""
        along_hand = self.along("by_hand", hand.before, after_hand=hand.after)
        along_auto = self.along("autodiff", auto.before, after_auto=auto.after)
        found = [divergence for divergence in (along_hand, along_auto) if divergence]
        return min(found, key=lambda divergence: divergence.update, default=None)

    def along(
        self,
        along: str,
        before: np.ndarray,
        after_hand: np.ndarray | None = None,
        after_auto: np.ndarray | None = None,
    ) -> Divergence | None:
        """Judge the updates of one path; the side that walked it hands in what it arrived at."""
        sides, rate = self.sides, self.sides.learning_rate
        samples = np.ravel(self.order)[: before.shape[1]]
        x, y = sides.xs[samples], sides.ys[samples]
        params = Parameters(*before)
        grads = sides.gradient(params, x, y)
        step = autodiff.article.steps(autodiff.article.Parameters(*before), x, y, rate)
        if after_hand is None:
            after_hand = stack(manual.sgd.update(params, grads, rate))
        if after_auto is None:
            after_auto = stack(step.params)

        ranges = pair_of_ranges(params, x, y, sides.sigmoid_derivative)
        exact_params = Parameters(*(exactly(w) for w in params))
        updated = [manual.sgd.update(exact_params, r, rate) for r in ranges]
        return self._first(
            along,
            gradient=Verdict(stack(grads), stack(step.grads), hull_widths(*ranges)),
            update=Verdict(after_hand, after_auto, hull_widths(*updated)),
        )

    def _first(self, along: str, **verdicts: Verdict) -> Divergence | None:
        """The first disagreement by update, then the gradient before the update, then by name."""
        agree = np.stack([verdict.agree for verdict in verdicts.values()])
        if agree.all():
            return None
        update, quantity, parameter = np.argwhere(~agree.transpose(2, 0, 1))[0].tolist()
        name = list(verdicts)[quantity]
        at, verdict = (parameter, update), verdicts[name]
        return Divergence(
            update=self.first_epoch * self.order.shape[1] + update,
            epoch=self.first_epoch + update // self.order.shape[1],
            sample=int(np.ravel(self.order)[update]),
            parameter=NAMES[parameter],
            quantity=name,
            along=along,
            by_hand=float(verdict.by_hand[at]),
            autodiff=float(verdict.autodiff[at]),
            bound=float(verdict.bound[at]),
            ulps=float(verdict.ulps[at]),
        )

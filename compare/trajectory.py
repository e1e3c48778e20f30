"""Training against training, judged and reported.

*Judged*: every update is taken by both from common parameters, and both the gradient and the
updated parameters must lie where every right program answers. Common parameters are the ones the
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
from compare.agreement import NAMES, Gradient, Verdict, hand_gradient, stack, verdict_on
from compare.rounding import Range, exactly
from compare.wording import InputError
from manual.article import Parameters

#: Epochs that are run, judged and let go of at a time, so that memory holds one stretch of updates
#: and not all; the article's 1000 epochs are one compiled loop.
CHUNK = 1000

#: A training whose parameters grow beyond this has run away. Below it no product of two parameters,
#: an input and a learning rate that got there overflows, so every update can still be judged.
LARGEST = 1e100


@dataclass(frozen=True)
class Divergence:
    """The first update on which one of the sides is off by more than rounding explains."""

    update: int  #: counted from 0 over the whole training
    epoch: int  #: counted from 0
    sample: int  #: row of the table, counted from 0
    parameter: str
    quantity: str  #: `gradient`, or `update` when the gradient agrees and the new value does not
    along: str  #: whose parameters the update starts from, `by_hand` or `autodiff`
    off: str  #: which answer lies outside its range: `by_hand`, `autodiff` or `both`
    by_hand: float
    autodiff: float
    bound: float  #: how far apart two right answers may lie
    ulps: float


@dataclass(frozen=True)
class Trainings:
    """Two trainings, compared."""

    losses: np.ndarray  #: shape (epochs, 2): mean loss after each epoch, by hand and by autodiff
    first_divergence: Divergence | None
    max_drift_ulps: float  #: largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1))
    by_hand: Parameters  #: nine numbers, where the training by hand arrived
    autodiff: Parameters  #: nine numbers, where the training by autodiff arrived

    @property
    def epochs(self) -> int:
        """How many epochs both went through."""
        return len(self.losses)


class TrainingDivergedError(InputError):
    """A training ran away, as it does under a learning rate far too large."""

    def __init__(self, epoch: int, learning_rate: float):
        super().__init__(
            f"the training ran away in epoch {epoch}: a parameter exceeds {LARGEST:g}; learning "
            f"rate {learning_rate:g} is too large, expected one around 0.1"
        )


@dataclass(frozen=True)
class Problem:
    """What both sides train on.

    Args:
        xs, ys: n samples, shape (n, 2) and (n,), float64.
        learning_rate: η.
        sigmoid_derivative: the form of σ' that the hand lines use, `stable` or `article`.
        by_hand: a gradient to put in place of `manual.article.gradient`; takes one sample and many.
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
        problem: what to train on.
        order: the samples of each epoch, shape (epochs, samples per epoch), integers.
        train: a training loop to put in place of `manual.sgd.train`.
        on_epoch: called with the number of epochs done so far, as the training by hand proceeds.

    Raises:
        TrainingDivergedError: parameters of both sides exceed `LARGEST` after the same update, and
            no earlier update was judged to differ.
    """
    hand_at = auto_at = stack(start)
    losses, divergence, drift = [np.empty((0, 2))], None, 0.0
    for first in range(0, len(order), CHUNK):
        part = order[first : first + CHUNK]

        def count(epoch: int, first: int = first) -> None:
            on_epoch(first + epoch)

        hand = walk_by_hand(Parameters(*hand_at), problem, part, train, count)
        auto = _walk_by_autodiff(auto_at, problem, part)
        end = int(np.argmax([*(_ran_away(hand) & _ran_away(auto)), True]))
        divergence = divergence or _first(
            judge_path(hand_at, problem, part, after_hand=hand[:, :end], first_epoch=first),
            judge_path(auto_at, problem, part, after_auto=auto[:, :end], first_epoch=first),
        )
        if end < part.size and divergence is None:
            raise TrainingDivergedError(first + end // part.shape[1], problem.learning_rate)
        losses.append(_losses(hand, auto, problem, part.shape[1]))
        with np.errstate(over="ignore", invalid="ignore"):
            gaps = np.abs(hand - auto) / np.spacing(np.maximum(np.abs(hand), 1))
        drift = max(drift, float(gaps.max()))
        hand_at, auto_at = hand[:, -1], auto[:, -1]
    return Trainings(
        np.concatenate(losses), divergence, drift, Parameters(*hand_at), Parameters(*auto_at)
    )


def walk_by_hand(
    start: Parameters,
    problem: Problem,
    order: np.ndarray,
    train: Callable[..., Iterator[Any]] = manual.sgd.train,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """The parameters after each update of the training by hand, shape (9, order.size).

    Arguments as for `compare_trainings`; what overflows does so without a warning.
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


def judge_path(
    start: Any,
    problem: Problem,
    order: np.ndarray,
    after_hand: np.ndarray | None = None,
    after_auto: np.ndarray | None = None,
    first_epoch: int = 0,
) -> Divergence | None:
    """Let both sides take every update of one training, from the parameters it went through.

    Args:
        start: nine float64 numbers.
        problem: what was trained on.
        order: the samples of each epoch, shape (epochs, samples per epoch), integers.
        after_hand: the parameters after each update, shape (9, k), if the training was by hand.
        after_auto: the same, if it was by autodiff; exactly one of the two is given.
        first_epoch: the number of the first epoch of `order`.

    Returns:
        The first of the k updates on which a side is off; None if there is none.
    """
    walked = after_hand if after_hand is not None else after_auto
    assert walked is not None
    before = np.concatenate([stack(start)[:, None], walked[:, :-1]], axis=1)[:, : walked.shape[1]]
    samples = np.ravel(order)[: before.shape[1]]
    x, y, rate = problem.xs[samples], problem.ys[samples], problem.learning_rate
    params = Parameters(*before)
    with np.errstate(over="ignore", invalid="ignore"):
        grads = problem.gradient(params, x, y)
        step = autodiff.article.steps(autodiff.article.Parameters(*before), x, y, rate)
        gradient = verdict_on(
            np.broadcast_arrays(*grads, y)[:-1],
            step.grads,
            params,
            x,
            y,
            problem.sigmoid_derivative,
        )
        if after_hand is None:
            after_hand = stack(manual.sgd.update(params, grads, rate))
    if after_auto is None:
        after_auto = stack(step.params)
    update = Verdict(
        after_hand,
        after_auto,
        _updated(before, gradient.hand_range, rate),
        _updated(before, gradient.autodiff_range, rate),
    )
    return _first_divergence(
        {"gradient": gradient, "update": update},
        order,
        first_epoch,
        along="by_hand" if walked is after_hand else "autodiff",
    )


def _updated(before: np.ndarray, gradient: Range, rate: float) -> Range:
    """Where w - η ∂L/∂w must lie."""
    return exactly(before) - exactly(rate) * gradient


def _first_divergence(
    verdicts: dict[str, Verdict], order: np.ndarray, first_epoch: int, along: str
) -> Divergence | None:
    """The first by update, then the gradient before the update, then in the parameters' order."""
    wrong = ~np.stack([verdict.agree for verdict in verdicts.values()])
    if not wrong.any():
        return None
    update, quantity, parameter = np.argwhere(wrong.transpose(2, 0, 1))[0].tolist()
    name = list(verdicts)[quantity]
    at, verdict = (parameter, update), verdicts[name]
    off = "both"
    if verdict.hand_is_right[at] or verdict.autodiff_is_right[at]:
        off = "autodiff" if verdict.hand_is_right[at] else "by_hand"
    return Divergence(
        update=first_epoch * order.shape[1] + update,
        epoch=first_epoch + update // order.shape[1],
        sample=int(np.ravel(order)[update]),
        parameter=NAMES[parameter],
        quantity=name,
        along=along,
        off=off,
        by_hand=float(verdict.by_hand[at]),
        autodiff=float(verdict.autodiff[at]),
        bound=float(verdict.bound[at]),
        ulps=float(verdict.ulps[at]),
    )


def _first(*divergences: Divergence | None) -> Divergence | None:
    found = [divergence for divergence in divergences if divergence]
    return min(found, key=lambda divergence: divergence.update, default=None)


def _walk_by_autodiff(start: np.ndarray, problem: Problem, order: np.ndarray) -> np.ndarray:
    params = autodiff.article.Parameters(*start)
    return stack(
        autodiff.article.train(params, problem.xs, problem.ys, problem.learning_rate, order)
    )


def _ran_away(after: np.ndarray) -> np.ndarray:
    """After which updates a parameter exceeds LARGEST or is not a number, shape (k,)."""
    return ~np.all(np.abs(after) <= LARGEST, axis=0)


def _losses(hand: np.ndarray, auto: np.ndarray, problem: Problem, per_epoch: int) -> np.ndarray:
    """Mean loss after each epoch by each side's own lines, shape (epochs, 2)."""
    ends = slice(per_epoch - 1, None, per_epoch)
    with np.errstate(over="ignore", invalid="ignore"):
        networks = Parameters(*hand[:, ends, None])
        by_hand = manual.article.loss(networks, problem.xs, problem.ys).mean(axis=1)
    networks = autodiff.article.Parameters(*auto[:, ends])
    by_auto = autodiff.article.mean_losses(networks, problem.xs, problem.ys)
    return np.stack([by_hand, by_auto], axis=1)

"""Train the article's network by hand and by autodiff, compare, and predict (`compare run`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import autodiff.article
import manual.article
import manual.sgd
from compare.agreement import FORMS, NAMES, Gradient, Verdict, hand_gradient, stack
from compare.limits import LARGEST_VALUE
from compare.lockstep import Lockstep, Point, Program, Progress, RanAwayError, Steps
from compare.people import PEOPLE, XS, YS, Person, raw, shifted
from compare.reference import (
    CANCELLING,
    article_gradient,
    article_loss,
    article_output_bounds,
    as_it_is,
)
from compare.wording import BY_AUTODIFF, BY_HAND
from manual.article import Parameters

#: Epochs run and judged at a time, so that memory holds one stretch of updates and not all; the
#: article's 1000 epochs are one compiled loop.
CHUNK = 1000

#: A training loop in place of `manual.sgd.train`.
Loop = Callable[..., Iterator[Any]]


@dataclass(frozen=True)
class Settings:
    """The settings of a training; the fields are the options of the command line."""

    seed: int = 44
    epochs: int = 1000
    learning_rate: float = 0.1
    init: str = "normal"  #: `normal` or `ones`
    sigmoid_derivative: str = "stable"  #: `stable` or `article`

    def start(self) -> Parameters:
        """The starting parameters, nine float64 numbers."""
        if self.init == "ones":
            return manual.article.ones_parameters()
        return manual.article.draw_parameters(self.seed)

    def sample_order(self) -> np.ndarray:
        """Which person each update takes, shape (epochs, 4): all in turn."""
        return manual.sgd.sample_order(len(PEOPLE), self.epochs)


def outside_training_range(person: Person) -> list[str]:
    """Return a warning for each measurement outside the range of the training data."""
    x, seen = raw((person,))[0], raw(PEOPLE)
    return [
        f"{name} {value:.4g} {unit} lies outside the training range, {low:g} to {high:g} {unit}"
        for name, unit, value, low, high in zip(
            ("weight", "height"), ("lb", "in"), x, seen.min(axis=0), seen.max(axis=0), strict=True
        )
        if not low <= value <= high
    ]


@dataclass(frozen=True)
class Prediction:
    """The probability of "female" for one person, by both trained networks."""

    person: Person
    by_hand: float
    autodiff: float
    #: Whether both outputs lie within rounding error, with the parameters of either training.
    agree: bool


def train(
    settings: Settings,
    on_epoch: Callable[[int], None] = lambda _: None,
    order: np.ndarray | None = None,
    gradient: Gradient | None = None,
    loop: Loop = manual.sgd.train,
) -> Progress:
    """Train twice and compare every update.

    Args:
        settings: the training.
        on_epoch: called with the number of epochs done so far, as the training by hand proceeds.
        order: which person each update takes, shape (epochs, 4), in place of all in turn.
        gradient: by hand, in place of `manual.article.gradient`; takes one sample or many.
        loop: by hand, in place of `manual.sgd.train`.

    Raises:
        RanAwayError: parameters of both sides exceed `LARGEST_VALUE` after the same update, and no
            earlier update was judged to differ.
    """
    order = settings.sample_order() if order is None else order
    rate, form = settings.learning_rate, settings.sigmoid_derivative
    gradient = gradient or hand_gradient(form)

    def path_by_hand(start: Point, order: np.ndarray) -> np.ndarray:
        done = start.count // len(PEOPLE)
        params = Parameters(*start.params)
        return walk_by_hand(params, gradient, rate, order, lambda n: on_epoch(done + n), loop)

    def step_by_hand(params: Parameters, samples: np.ndarray) -> tuple[Any, Any]:
        grads = gradient(params, XS[samples], YS[samples])
        after = manual.sgd.update(params, grads, rate)
        return np.broadcast_arrays(*grads, samples)[:-1], after

    def path_by_autodiff(start: Point, order: np.ndarray) -> Any:
        params = autodiff.article.Parameters(*start.params)
        return autodiff.article.train(params, XS, YS, rate, order)

    def step_by_autodiff(params: Parameters, samples: np.ndarray) -> tuple[Any, Any]:
        return autodiff.article.steps(params, XS[samples], YS[samples], rate)

    sides = {
        BY_HAND: _Side(path_by_hand, step_by_hand),
        BY_AUTODIFF: _Side(path_by_autodiff, step_by_autodiff),
    }
    forms = {BY_HAND: FORMS[form], BY_AUTODIFF: CANCELLING}
    program, away = program_of(gradient), partial(_ran_away, settings)
    both = Lockstep(program, sides, XS, YS, "sgd", rate, away, LARGEST_VALUE, forms, NAMES)
    progress = both.start(_points(stack(settings.start()), 0))
    for done in range(0, len(order), CHUNK):
        progress = both.advance(progress, np.ravel(order[done : done + CHUNK]))
        losses = np.concatenate([progress.losses, _losses(progress.paths)])
        progress = replace(progress, losses=losses)
    return progress


def hand_path(settings: Settings, on_epoch: Callable[[int], None] = lambda _: None) -> np.ndarray:
    """The parameters before and after each update of the training by hand, shape (9, updates + 1).

    Args:
        settings: the training.
        on_epoch: called with the number of epochs done so far.

    Raises:
        RanAwayError: a parameter exceeds `LARGEST_VALUE`.
    """
    start, gradient = settings.start(), hand_gradient(settings.sigmoid_derivative)
    after = walk_by_hand(start, gradient, settings.learning_rate, settings.sample_order(), on_epoch)
    beyond = np.flatnonzero(~np.all(np.abs(after) <= LARGEST_VALUE, axis=0))
    if beyond.size:
        raise _ran_away(settings, int(beyond[0]))
    return np.concatenate([stack(start)[:, None], after], axis=1)


def walk_by_hand(
    start: Parameters,
    gradient: Gradient,
    learning_rate: float,
    order: np.ndarray,
    on_epoch: Callable[[int], None] = lambda _: None,
    loop: Loop = manual.sgd.train,
) -> np.ndarray:
    """Train by hand; return the parameters after each update, shape (9, order.size).

    Overflow raises no warning. Arguments as for `train`.
    """
    after = np.empty((len(NAMES), order.size))
    with np.errstate(over="ignore", invalid="ignore"):
        walked = loop(start, XS, YS, gradient, learning_rate, order)
        for update, params in enumerate(walked):
            after[:, update] = params
            if (update + 1) % order.shape[1] == 0:
                on_epoch((update + 1) // order.shape[1])
    return after


class _Side(NamedTuple):
    """A side of the article's training; a stretch is which person each update takes."""

    path: Callable[[Point, np.ndarray], Any]  #: the nine parameters after each update
    step: Callable[[Parameters, np.ndarray], tuple[Any, Any]]  #: the gradients, and new parameters

    def walk(self, start: Point, stretch: np.ndarray) -> Point:
        """See `compare.lockstep.Side`."""
        after = self.path(start, stretch.reshape(-1, len(PEOPLE)))
        return _points(stack(after).T, start.count + 1 + np.arange(len(stretch)))

    def steps(self, before: Point, stretch: np.ndarray) -> Steps:
        """See `compare.lockstep.Side`."""
        with np.errstate(over="ignore", invalid="ignore"):
            grads, after = self.step(Parameters(*before.params.T), stretch)
            return Steps(stack(grads).T, _points(stack(after).T, before.count + 1))


def _points(params: np.ndarray, count: Any) -> Point:
    return Point(params, np.empty((*params.shape[:-1], 0, len(NAMES))), count)


def program_of(gradient: Gradient) -> Program:
    """Return the loss of one sample, with this gradient by hand."""
    reference = partial(article_loss, see=as_it_is, form=CANCELLING)
    like = Parameters(*np.zeros(len(NAMES)))
    return Program(autodiff.article.loss, reference, gradient, article_gradient, like)


def _ran_away(settings: Settings, update: int) -> RanAwayError:
    return RanAwayError(
        f"the training ran away in epoch {update // len(PEOPLE)}: a parameter exceeds "
        f"{LARGEST_VALUE:g}; learning rate {settings.learning_rate:g} is too large, expected one "
        "around 0.1"
    )


def _losses(paths: dict[str, Point]) -> np.ndarray:
    """Compute the mean loss after each epoch by each side's own lines, shape (epochs, 2)."""
    hand, auto = (path.params[len(PEOPLE) - 1 :: len(PEOPLE)].T for path in paths.values())
    with np.errstate(over="ignore", invalid="ignore"):
        by_hand = manual.article.loss(Parameters(*hand[..., None]), XS, YS).mean(axis=1)
    return np.stack([by_hand, autodiff.article.mean_losses(Parameters(*auto), XS, YS)], axis=1)


def predict(progress: Progress, people: tuple[Person, ...]) -> list[Prediction]:
    """Predict for people by both trained networks, and judge; genders may be unknown."""
    x, verdicts = shifted(raw(people)), []
    for point in progress.points.values():
        params = Parameters(*point.params)
        by_hand = manual.article.feedforward(params, x)
        by_autodiff, right = autodiff.article.predict(params, x), article_output_bounds(params, x)
        both = {BY_HAND: right, BY_AUTODIFF: right}
        verdicts.append(Verdict(by_hand, np.asarray(by_autodiff), both))
    of_hand, of_auto = verdicts
    columns = (of_hand.by_hand, of_auto.autodiff, of_hand.agree & of_auto.agree)
    return [
        Prediction(person, float(hand), float(auto), bool(agree))
        for person, hand, auto, agree in zip(people, *columns, strict=True)
    ]

"""Train the article's network by hand and by autodiff, compare, and predict (`compare run`)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import autodiff.article
import manual.article
import manual.sgd
from compare.agreement import Partial, Verdict, compare_gradients, stack
from compare.people import PEOPLE, Person, label, raw, shifted, targets
from compare.reference import article_output_bounds
from compare.trajectory import (
    LARGEST,
    Problem,
    TrainingDivergedError,
    Trainings,
    compare_trainings,
    walk_by_hand,
)
from manual.article import Parameters


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

    def problem(self) -> Problem:
        """Return the data and settings that both sides train on."""
        return Problem(
            shifted(raw(PEOPLE)), targets(PEOPLE), self.learning_rate, self.sigmoid_derivative
        )


@dataclass(frozen=True)
class Prediction:
    """The probability of "female" for one person, by both trained networks."""

    person: Person
    by_hand: float
    autodiff: float
    #: Whether both outputs lie within rounding error, with the parameters of either training.
    agree: bool

    @property
    def label(self) -> str:
        """The label by the network trained by hand, "F" or "M"."""
        return label(self.by_hand)

    @property
    def label_by_autodiff(self) -> str:
        """The label by the network trained by autodiff; near one half, rounding may change it."""
        return label(self.autodiff)


def partials(settings: Settings, person: Person) -> list[Partial]:
    """Compare the nine partial derivatives at the starting parameters for one of `PEOPLE`."""
    (x,), (y,) = shifted(raw((person,))), targets((person,))
    return compare_gradients(settings.start(), x, y, settings.sigmoid_derivative)


def train(settings: Settings, on_epoch: Callable[[int], None] = lambda _: None) -> Trainings:
    """Run both trainings and compare them. Arguments and errors as in `compare_trainings`."""
    return compare_trainings(
        settings.start(), settings.problem(), settings.sample_order(), on_epoch=on_epoch
    )


def hand_path(settings: Settings, on_epoch: Callable[[int], None] = lambda _: None) -> np.ndarray:
    """The parameters before and after each update of the training by hand, shape (9, updates + 1).

    Args:
        settings: the training.
        on_epoch: called with the number of epochs done so far.

    Raises:
        TrainingDivergedError: a parameter exceeds `compare.trajectory.LARGEST`.
    """
    order = settings.sample_order()
    after = walk_by_hand(settings.start(), settings.problem(), order, on_epoch=on_epoch)
    ran_away = np.flatnonzero(~np.all(np.abs(after) <= LARGEST, axis=0))
    if ran_away.size:
        raise TrainingDivergedError(int(ran_away[0]) // len(PEOPLE), settings.learning_rate)
    return np.concatenate([stack(settings.start())[:, None], after], axis=1)


def predict(trainings: Trainings, people: tuple[Person, ...]) -> list[Prediction]:
    """Predict for people by both trained networks, and judge; genders may be unknown."""
    x = shifted(raw(people))
    by_hand, auto = (_predicted(params, x) for params in (trainings.by_hand, trainings.autodiff))
    agree = by_hand.agree & auto.agree
    return [
        Prediction(person, float(hand), float(a), bool(agreed))
        for person, hand, a, agreed in zip(
            people, by_hand.by_hand, auto.autodiff, agree, strict=True
        )
    ]


def _predicted(params: Parameters, x: np.ndarray) -> Verdict:
    """Compare the outputs of one trained network by both sides, and their bounds."""
    by_hand = manual.article.feedforward(params, x)
    by_autodiff = autodiff.article.predict(autodiff.article.Parameters(*params), x)
    right = article_output_bounds(params, x)
    return Verdict(by_hand, np.asarray(by_autodiff), right, right)


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

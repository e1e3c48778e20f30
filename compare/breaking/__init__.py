"""Run five checks on a planted mistake, from the weakest evidence to the strongest.

- `outcome`: are people labelled as after the right training?
- `training`: does the loss curve look as if something was learned?
- `updates`: does every update of the training equal autodiff's from the same parameters?
- `autodiff`: do the partial derivatives of the four people's losses at the start agree with it?
- `judge`: what are `handgrad`'s verdict and diagnosis for the gradient at the start?
"""

from collections.abc import Callable
from dataclasses import replace

from compare.breaking.check import Check
from compare.breaking.gradients import before_the_judge, beside_autodiff
from compare.breaking.lesson import lesson
from compare.breaking.trainings import outcome, ran_away, training, updates
from compare.experiment import Settings, hand_path
from compare.trajectory import Trainings, compare_trainings
from models.model import Slip
from models.planted import gradient_in, train_in

__all__ = ["Check", "checks", "lesson"]


def checks(
    plant: Slip, settings: Settings, on_epoch: Callable[[int], None] = lambda _: None
) -> dict[str, Check]:
    """Run all five checks on a mistake.

    Args:
        plant: the mistake.
        settings: the training that contains it. The gradient is checked at its start.
        on_epoch: called with the number of epochs done so far.

    Returns:
        The result of each check by its name, in the order above.

    Raises:
        TrainingDivergedError: the training diverges even without the mistake.
    """
    trainings = _trained(plant, settings, on_epoch)
    return {
        "outcome": outcome(trainings),
        "training": training(settings, trainings),
        "updates": updates(trainings),
        "autodiff": beside_autodiff(plant, settings),
        "judge": before_the_judge(plant, settings),
    }


def _trained(plant: Slip, settings: Settings, on_epoch: Callable[[int], None]) -> Trainings:
    """Train by hand with the mistake and by autodiff without it."""
    # A fresh gradient for each check: some mistakes leave something in a buffer between calls.
    gradient = gradient_in(plant, settings.sigmoid_derivative)
    problem = replace(settings.problem(), by_hand=gradient)
    order = settings.sample_order()
    train = train_in(plant, settings.sigmoid_derivative)
    trainings = compare_trainings(settings.start(), problem, order, train, on_epoch)
    if ran_away(trainings.autodiff):
        hand_path(settings)  # without the mistake: if this diverges, its error says where
    return trainings

"""What each check sees of a planted mistake: five of them, from the weakest evidence to the best.

- `outcome`: are people labelled as they are after the right training?
- `training`: does the loss curve look as if something was learned?
- `updates`: is every update of the training what autodiff makes of the same parameters?
- `autodiff`: do the partial derivatives of the four people's losses at the start agree with it?
- `judge`: what does `handgrad` say of the gradient there, and of what is wrong with it?
"""

from collections.abc import Callable
from dataclasses import replace

from compare.breaking.check import Check
from compare.breaking.gradients import before_the_judge, beside_autodiff
from compare.breaking.lesson import lesson
from compare.breaking.trainings import outcome, ran_away, training, updates
from compare.experiment import Settings, hand_path
from compare.planted import Plant
from compare.trajectory import Trainings, compare_trainings

__all__ = ["Check", "checks", "lesson"]


def checks(
    plant: Plant, settings: Settings, on_epoch: Callable[[int], None] = lambda _: None
) -> dict[str, Check]:
    """Ask all five about a mistake.

    Args:
        plant: the mistake.
        settings: the training in which it is made. The gradient is checked at its start.
        on_epoch: called with the number of epochs done so far.

    Returns:
        What each check came to, by its name, in the order above.

    Raises:
        TrainingDivergedError: the training runs away without the mistake, too.
    """
    trainings = _trained(plant, settings, on_epoch)
    return {
        "outcome": outcome(settings, trainings),
        "training": training(settings, trainings),
        "updates": updates(trainings),
        "autodiff": beside_autodiff(plant, settings),
        "judge": before_the_judge(plant, settings),
    }


def _trained(plant: Plant, settings: Settings, on_epoch: Callable[[int], None]) -> Trainings:
    """By hand with the mistake, by autodiff without it."""
    # Each check has a gradient of its own: what one call leaves in a buffer is not another's fault.
    gradient = plant.gradient_in(settings.sigmoid_derivative)
    problem = replace(settings.problem(), by_hand=gradient)
    order = settings.sample_order()
    train = plant.train_in(settings.sigmoid_derivative)
    trainings = compare_trainings(settings.start(), problem, order, train, on_epoch)
    if ran_away(trainings.autodiff):
        hand_path(settings)  # without the mistake: raises the error, which says where
    return trainings

"""Judge two network trainings: their updates and losses, with `ranges` and `updates`."""

import numpy as np

from compare.lockstep import Divergence, Lockstep, Point, Ranges
from compare.networks import flat
from compare.networks.plan import Plan
from compare.networks.ranges import CANCELLING, STABLE, flattened, gradient_ranges, loss_ranges
from compare.networks.trainers import Trainer
from compare.networks.updates import update_ranges
from compare.verdict import BY_AUTODIFF, BY_HAND


def lockstep(plan: Plan, sides: dict[str, Trainer], x: np.ndarray, y: np.ndarray) -> Lockstep:
    """Set up both sides of a training for comparison.

    Args:
        plan: the training.
        sides: the trainers by name.
        x, y: the training data, shapes (n, n_in) and (n, n_out).
    """
    sizes = plan.network.sizes

    def ranges(before: Point, stretch: np.ndarray) -> tuple[Ranges, Ranges]:
        params = flat.split(before.params, sizes)
        by_form = gradient_ranges(plan.network, params, x[stretch], y[stretch], plan.floats)
        of_hand, of_auto = (
            update_ranges(plan.optimiser, plan.learning_rate, before, flattened(by_form[form]))
            for form in (STABLE, CANCELLING)
        )
        return of_hand, of_auto

    return Lockstep(sides, ranges, lambda position: flat.name(position, sizes))


def first_wrong_loss(
    plan: Plan, points: dict[str, Point], losses: dict[str, float], x: np.ndarray, y: np.ndarray
) -> Divergence | None:
    """Find a side whose loss on the whole training part, at its own point, is off."""
    for side, point in points.items():
        params = flat.split(point.params[None], plan.network.sizes)
        right = loss_ranges(plan.network, params, x[None], y[None], plan.floats)
        if right.contains(losses[side])[0] or not np.isfinite(right.magnitude[0]):
            continue
        values = (losses[BY_HAND], losses[BY_AUTODIFF])
        bound = float(right.hi[0] - right.lo[0])
        apart = abs(values[0] - values[1]) / float(np.spacing(right.magnitude[0]))
        return Divergence(int(point.count) - 1, "", "loss", side, side, *values, bound, apart)
    return None

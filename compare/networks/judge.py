"""Compare two network trainings: their updates and losses, with the bounds of the third program."""

from functools import partial
from typing import Any

import numpy as np

from compare.agreement import BY_AUTODIFF, BY_HAND, is_ruled_right
from compare.lockstep import Divergence, Lockstep, Point, Ranges
from compare.networks import flat
from compare.networks.plan import Plan
from compare.networks.trainers import Trainer
from compare.networks.updates import update_ranges
from compare.reference import CANCELLING, STABLE, flattened, network_gradient, network_loss_bounds


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
        by_form = network_gradient(plan.network, params, x[stretch], y[stretch])
        of_hand, of_auto = (
            update_ranges(plan.optimiser, plan.learning_rate, before, flattened(by_form[form]))
            for form in (STABLE, CANCELLING)
        )
        return of_hand, of_auto

    def rules_right(side: str, before: Point, rows: np.ndarray) -> bool:
        import autodiff.network

        def gradient(params: Any, *_: Any) -> Any:
            before_params = Point(flat.join(params)[None], before.moments[None], before.count[None])
            grads = sides[side].steps(before_params, rows[None]).grads[0]
            return flat.split(grads, sizes)

        loss = partial(autodiff.network.loss, plan.network)
        at = flat.split(before.params, sizes), x[rows], y[rows]
        return is_ruled_right(gradient, STABLE if side == BY_HAND else CANCELLING, loss, *at)

    return Lockstep(sides, ranges, lambda position: flat.name(position, sizes), rules_right)


def first_wrong_loss(
    plan: Plan, points: dict[str, Point], losses: dict[str, float], x: np.ndarray, y: np.ndarray
) -> Divergence | None:
    """Find a side whose loss on the whole training part, at its own point, is off."""
    for side, point in points.items():
        params = flat.split(point.params, plan.network.sizes)
        right = network_loss_bounds(plan.network, params, x, y)
        if right.contains(losses[side]) or not np.isfinite(right.value):
            continue
        values = (losses[BY_HAND], losses[BY_AUTODIFF])
        bound = float(2 * right.reach)
        apart = abs(values[0] - values[1]) / float(np.spacing(abs(right.value)))
        return Divergence(int(point.count) - 1, "", "loss", side, side, *values, bound, apart)
    return None

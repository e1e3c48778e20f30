"""Every update of two trainings, taken by both sides from common parameters, and judged.

Common parameters are the ones that a training really went through: once along the path by hand,
once along the path by autodiff. At each of them both sides give their gradient and their update,
and both must lie where every right program answers (`compare.networks.ranges` and `.updates`).
How far the two paths drift apart is reported elsewhere, and not judged.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from compare.networks import flat
from compare.networks.plan import Plan
from compare.networks.ranges import CANCELLING, STABLE, gradient_ranges, loss_ranges
from compare.networks.sides import BY_AUTODIFF, BY_HAND, MisshapenError, Point, Side
from compare.networks.updates import After, Before, update_ranges
from compare.rounding import Range

if TYPE_CHECKING:
    from compare.agreement import Verdict


@dataclass(frozen=True)
class Divergence:
    """The first update on which one of the sides is off by more than rounding explains."""

    update: int  #: counted from 0 over the whole training
    parameter: str  #: none for a loss
    #: `gradient`, `moment`, `update`, or, after an epoch, `loss`: the first off; or `shape`, if the
    #: gradient by hand cannot be compared at all, and the numbers below are none.
    quantity: str
    along: str  #: whose path the update starts from, `by_hand` or `autodiff`
    off: str  #: which answer lies outside its range: `by_hand`, `autodiff` or `both`
    by_hand: float
    autodiff: float
    bound: float  #: how far apart two right answers may lie
    ulps: float


def misshapen(error: MisshapenError) -> Divergence:
    """The divergence of a gradient by hand that cannot be compared at all."""
    numbers = dict.fromkeys(("by_hand", "autodiff", "bound", "ulps"), math.nan)
    where = (error.update, error.parameter, "shape")
    return Divergence(*where, along=BY_HAND, off=BY_HAND, **numbers)


class Judgement(NamedTuple):
    """What became of a stretch."""

    divergence: Divergence | None
    ran_away: bool  #: whether both sides left the floats' range before one of them was off


@dataclass(frozen=True)
class Judge:
    """Both sides of one training, and what is needed to judge them."""

    plan: Plan
    by_hand: Side
    autodiff: Side
    x: np.ndarray  #: what is trained on, shape (n, n_in)
    y: np.ndarray  #: shape (n, n_out)

    def first_divergence(
        self, start: Point, after: Point, stretch: np.ndarray, along: str
    ) -> "Judgement":
        """The first update of a stretch of one path on which a side is off.

        Args:
            start: where the stretch begins.
            after: the k points after each of its updates, by the side `along`.
            stretch: row numbers, shape (k, batch).
            along: `by_hand` or `autodiff`.
        """
        from compare.agreement import Verdict  # loads JAX, which a training by hand does without

        before = _befores(start, after)
        hand = self.by_hand.steps(before, stretch)
        auto = self.autodiff.steps(before, stretch)
        # The path's own updates are judged, not a repetition of them.
        hand_after = after if along == BY_HAND else hand.after
        auto_after = after if along == BY_AUTODIFF else auto.after
        grads = gradient_ranges(
            self.plan.network,
            flat.split(before.params, self.plan.network.sizes),
            self.x[stretch],
            self.y[stretch],
            self.plan.floats,
        )
        of_hand, of_auto = (_joined(grads[form]) for form in (STABLE, CANCELLING))
        hand_range, auto_range = (self._updated(before, of) for of in (of_hand, of_auto))
        verdicts = [("gradient", Verdict(hand.grads, auto.grads, of_hand, of_auto))]
        for at in range(before.moments.shape[1]):
            moments = hand_after.moments[:, at], auto_after.moments[:, at]
            ranges = hand_range.moments[at], auto_range.moments[at]
            verdicts.append(("moment", Verdict(*moments, *ranges)))
        params = hand_after.params, auto_after.params
        verdicts.append(("update", Verdict(*params, hand_range.params, auto_range.params)))
        lost = int(np.argmax([*_cannot_be_judged([verdict for _, verdict in verdicts]), True]))
        found = self._first(verdicts, lost, int(start.count), along)
        return Judgement(found, found is None and lost < len(stretch))

    def _updated(self, before: Point, grads: Range) -> After:
        return update_ranges(self.plan.optimiser, self.plan.learning_rate, Before(*before), grads)

    def _first(
        self, verdicts: "list[tuple[str, Verdict]]", end: int, count: int, along: str
    ) -> Divergence | None:
        """The first by update, then gradient before update, then in the parameters' order."""
        wrong = np.stack([~verdict.agree for _, verdict in verdicts], axis=1)[:end]
        if not wrong.any():
            return None
        update, which, position = np.argwhere(wrong)[0].tolist()
        quantity, verdict = verdicts[which]
        at = (update, position)
        off = "both"
        if verdict.hand_is_right[at] or verdict.autodiff_is_right[at]:
            off = BY_AUTODIFF if verdict.hand_is_right[at] else BY_HAND
        return Divergence(
            update=count + update,
            parameter=flat.name(position, self.plan.network.sizes),
            quantity=quantity,
            along=along,
            off=off,
            by_hand=float(verdict.by_hand[at]),
            autodiff=float(verdict.autodiff[at]),
            bound=float(verdict.bound[at]),
            ulps=float(verdict.ulps[at]),
        )

    def first_wrong_loss(
        self, points: dict[str, Point], losses: dict[str, float]
    ) -> Divergence | None:
        """Whether a side's loss on the whole training part, at its own point, is off."""
        for side, point in points.items():
            right = loss_ranges(
                self.plan.network,
                flat.split(point.params[None], self.plan.network.sizes),
                self.x[None],
                self.y[None],
                self.plan.floats,
            )
            if right.contains(losses[side])[0] or not np.isfinite(right.magnitude[0]):
                continue
            values = (losses[BY_HAND], losses[BY_AUTODIFF])
            bound = float(right.hi[0] - right.lo[0])
            apart = abs(values[0] - values[1]) / float(np.spacing(right.magnitude[0]))
            last = int(point.count) - 1
            return Divergence(last, "", "loss", side, side, *values, bound, apart)
        return None


def _cannot_be_judged(verdicts: "list[Verdict]") -> np.ndarray:
    """Which updates of a stretch are beyond the floats' range on both sides, shape (k,)."""
    beyond = [
        ~(np.isfinite(v.by_hand) | np.isfinite(v.autodiff))
        | ~np.isfinite(v.hand_range.magnitude + v.autodiff_range.magnitude)
        for v in verdicts
    ]
    return np.any(beyond, axis=(0, 2))


def drift(by_hand: np.ndarray, autodiff: np.ndarray) -> float:
    """The largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1)), ulps of their own dtype.

    Infinite where one of them is no number.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.abs(by_hand - autodiff) / np.spacing(np.maximum(np.abs(by_hand), 1))
    return float(np.max(np.where(np.isnan(gaps), np.inf, gaps)))


def _befores(start: Point, after: Point) -> Point:
    return Point(
        np.concatenate([start.params[None], after.params[:-1]]),
        np.concatenate([start.moments[None], after.moments[:-1]]),
        start.count + np.arange(len(after.params)),
    )


def _joined(grads: list[tuple[Range, Range]]) -> Range:
    lo = flat.join([(w.lo, b.lo) for w, b in grads])
    hi = flat.join([(w.hi, b.hi) for w, b in grads])
    return Range(lo, hi, grads[0][0].floats)

"""Every update of two trainings, taken by both sides from common parameters, and judged.

Common parameters are the ones that a training really went through: once along the path by hand,
once along the path by autodiff. At each of them both sides give their gradient and their update,
and both must lie where every right program answers (`compare.networks.ranges` and `.updates`).
How far the two paths drift apart is reported elsewhere, and not judged.
"""

from dataclasses import dataclass

import numpy as np

from compare.agreement import Verdict
from compare.networks import flat
from compare.networks.plan import Plan
from compare.networks.ranges import CANCELLING, STABLE, gradient_ranges
from compare.networks.sides import Point, Side
from compare.networks.updates import After, Before, update_ranges
from compare.rounding import Range


@dataclass(frozen=True)
class Divergence:
    """The first update on which one of the sides is off by more than rounding explains."""

    update: int  #: counted from 0 over the whole training
    parameter: str
    quantity: str  #: `gradient`, `moment`, or `update`: the first of them that is off
    along: str  #: whose path the update starts from, `by_hand` or `autodiff`
    off: str  #: which answer lies outside its range: `by_hand`, `autodiff` or `both`
    by_hand: float
    autodiff: float
    bound: float  #: how far apart two right answers may lie
    ulps: float


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
    ) -> Divergence | None:
        """The first update of a stretch of one path on which a side is off.

        Args:
            start: where the stretch begins.
            after: the k points after each of its updates, by the side `along`.
            stretch: row numbers, shape (k, batch).
            along: `by_hand` or `autodiff`.
        """
        before = _befores(start, after)
        hand = self.by_hand.steps(before, stretch)
        auto = self.autodiff.steps(before, stretch)
        # The path's own updates are judged, not a repetition of them.
        hand_after = after if along == "by_hand" else hand.after
        auto_after = after if along == "autodiff" else auto.after
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
        return self._first(verdicts, int(start.count), along)

    def _updated(self, before: Point, grads: Range) -> After:
        return update_ranges(self.plan.optimiser, self.plan.learning_rate, Before(*before), grads)

    def _first(
        self, verdicts: list[tuple[str, Verdict]], count: int, along: str
    ) -> Divergence | None:
        """The first by update, then gradient before update, then in the parameters' order."""
        wrong = np.stack([~verdict.agree for _, verdict in verdicts], axis=1)
        if not wrong.any():
            return None
        update, which, position = np.argwhere(wrong)[0].tolist()
        quantity, verdict = verdicts[which]
        at = (update, position)
        off = "both"
        if verdict.hand_is_right[at] or verdict.autodiff_is_right[at]:
            off = "autodiff" if verdict.hand_is_right[at] else "by_hand"
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


def drift(by_hand: np.ndarray, autodiff: np.ndarray) -> float:
    """The largest |θ by hand - θ by autodiff| / ulp(max(|θ|, 1)), ulps of their own dtype."""
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.abs(by_hand - autodiff) / np.spacing(np.maximum(np.abs(by_hand), 1))
    return float(np.max(gaps))


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

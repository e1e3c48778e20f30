"""Tell whether the mistake of a gradient shows at other points."""

from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from typing import Any

import numpy as np

from handgrad.clock import Clock, OutOfTimeError, limited
from handgrad.data.attempts import best_effort
from handgrad.data.brake import braked
from handgrad.data.point import Point, vector
from handgrad.data.silent import quiet
from handgrad.judging import form
from handgrad.judging.case import Case
from handgrad.judging.variation import repeated
from handgrad.shrinking.signature import (
    LOSS,
    NOT_FINITE,
    Signature,
    neither_zero,
    relative,
    signature,
)
from handgrad.shrinking.subjects import Subject

#: The distance of nearby points, relative to the largest number of a leaf: enough to break ties,
#: too little to hide a mistake.
NEAR = 2.0**-10


class Mistake:
    """A mistake of a gradient that was found at a point, to be looked for at others.

    Once a clock is over, if there is one, it shows nowhere else.
    """

    def __init__(
        self, subject: Subject, given: Point, seen: Signature, clock: Clock | None = None
    ) -> None:
        self.subject, self.seen, self._clock = subject, seen, clock
        # If NumPy did not warn where it was found, it must not warn at other points either.
        self._neither_zero = self._continues = False
        self._floats: Any = {"divide": "raise", "over": "raise", "invalid": "raise"}
        if not self.seems(given):
            self._floats = {}
        self._continues = self.seems(given) and self._quietly(self._stays, given)

    def beside_a_number(self) -> "Mistake":
        """Return the mistake, to be looked for only where neither yours nor exact is 0.

        This applies only if it was found in such an element. With a 0 different mistakes look
        alike.
        """
        plainer = copy(self)
        plainer._neither_zero = self.seen.neither_zero
        return plainer

    def answer(self, params: Any, *inputs: Any) -> Any:
        """Return the gradient, without the loss."""
        found = self.subject.case.gradient(params, *inputs)
        pair = isinstance(found, tuple | list) and len(found) == 2
        return found[1] if self.subject.case.has_value and pair else found

    def may_show(self, given: Point) -> bool:
        """Tell whether the mistake can show at a point, by the form of the gradient."""
        return self.seen.of_form or self._quietly(
            lambda at: not form.call_gradient(*self.subject.at(at))[2], given
        )

    def seems(self, given: Point) -> bool:
        """Tell whether the mistake shows in comparison with autodiff, before it is judged.

        If it is about as large near the point where it was found, it must be so near this one too:
        at zeros and ties there may be gaps that exist nowhere else.
        """
        shown = self._stays if self._continues else lambda at: self._gap(at) is not None
        return self._quietly(shown, given)

    def shows(self, given: Point) -> bool:
        """Tell whether the same mistake is made at a point where a right gradient would pass.

        It is compared with autodiff first, which is quick, and then judged. If the functions raise,
        it does not show.
        """
        return self.seems(given) and self._quietly(self._certainly, given)

    def _quietly(self, predicate: Callable[[Point], bool], given: Point) -> bool:
        if self._clock is not None and self._clock.over:
            return False
        try:
            with ExitStack() as limits:
                if self._clock is not None:
                    limits.enter_context(braked(limits.enter_context(limited(self._clock.left))))
                # Shapes may not fit one another.
                with best_effort(TypeError, ValueError), quiet():
                    return predicate(given)
        except OutOfTimeError:
            if self._clock is None:  # of a limit around this search
                raise
        return False

    def _stays(self, given: Point) -> bool:
        here, there = self._gap(given), self._gap(nearby(self.subject.case, given))
        if here is None or there is None:
            return False
        return bool(np.max(np.abs(here - there)) <= np.max(np.abs(here)) / 2)

    def _gap(self, given: Point) -> np.ndarray | None:
        """Return the gap to autodiff in the wrong leaves, 0 for other kinds; None if it is small.

        Without autodiff any finite gradient may be wrong.
        """
        case, given = self.subject.at(given)
        loss, autodiff = self.subject.answers(case, given)
        if self.seen.of_form:
            (_, _, found), _ = repeated(case, given)
            same = any(finding.kind == self.seen.kind for finding in found)
            return np.zeros(1) if np.isfinite(loss) and same else None
        with np.errstate(**self._floats):
            called = form.call_gradient(case, given)
        value, answer, findings = called
        if findings or not np.isfinite(loss):
            return None
        yours = case.projected(given, vector(answer))
        autodiff = case.projected(given, autodiff)
        finite = bool(np.isfinite(yours).all())
        if self.seen.kind == NOT_FINITE:
            return None if finite else np.zeros(1)
        if self.seen.kind == LOSS:
            return np.zeros(1) if value != loss else None
        if not (finite and self.subject.has_autodiff):
            return np.zeros(1) if finite else None
        parts = [given.parts()[i] for i in sorted(self.seen.leaves)]
        largest = max(relative(np.abs(yours - autodiff)[p], yours[p], autodiff[p]) for p in parts)
        mine, theirs = (np.concatenate([v[part] for part in parts]) for v in (yours, autodiff))
        gap = mine - theirs
        if self._neither_zero and not neither_zero(np.abs(gap), mine, theirs):
            return None
        return gap if np.isfinite(autodiff).all() and largest >= self.seen.least else None

    def _certainly(self, given: Point) -> bool:
        if self.seen.of_form:
            return True
        now = signature(self.subject.judged(given))
        return (
            now is not None
            and now.kind == self.seen.kind
            and (not self.seen.leaves or bool(now.leaves & self.seen.leaves))
            # A right gradient must pass there; it may not if digits are lost, or at ties, where not
            # every subgradient may be known.
            and now.autodiff <= self.seen.autodiff
            and now.kink <= self.seen.kink
            and now.neither_zero >= self._neither_zero
        )


def nearby(case: Case, given: Point) -> Point:
    """Return a point with slightly different parameters; zeros move as ones do."""
    rng = np.random.default_rng(0)
    moves = [
        NEAR * (float(np.max(np.abs(leaf), initial=0.0)) or 1.0) * rng.uniform(-1, 1, leaf.shape)
        for leaf in given.leaves
    ]
    pairs = zip(given.leaves, moves, strict=True)
    return case.moved(given, [np.asarray(leaf + m, dtype=leaf.dtype) for leaf, m in pairs])

"""One mistake of a gradient, and whether it shows at other points as well."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from handgrad.data.point import Point, vector
from handgrad.judging import form
from handgrad.judging.case import Case
from handgrad.judging.judge import judge_point
from handgrad.judging.losses import prepare
from handgrad.judging.outcome import Outcome
from handgrad.shrinking.layout import Layout
from handgrad.shrinking.signature import (
    LOSS,
    NOT_FINITE,
    Signature,
    neither_zero,
    relative,
    signature,
)

#: Points are near that differ by so much of the largest number of a leaf: enough to part what ties,
#: too little to make up the mistakes that there are.
NEAR = 2.0**-10


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings: the caller's functions run at points that nobody asked about."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Mistake:
    """A gradient's mistake as it was found at a point; asks whether it shows at others."""

    def __init__(self, case: Case, found: Outcome, seen: Signature) -> None:
        self.seen = seen
        self.loss = prepare(case, found.given)
        if self.loss.witnessed and case.autodiff is None:
            witness = _compiled(case, found.given)
            self.loss = prepare(replace(case, autodiff=witness), found.given)
        self.case = self.loss.case
        # Where it was found without a warning of NumPy's, it is to be shown without one.
        self._floats: Any = {"divide": "raise", "over": "raise", "invalid": "raise"}
        if not self._quietly(self._is_shown, found.given):
            self._floats = {}
        self._neither_zero = False
        self._continues = False
        self._continues = self.seems(found.given) and self._quietly(self._stays, found.given)

    def beside_a_number(self) -> "Mistake":
        """The same mistake, to show where neither the wrong number nor the right one is 0.

        If it did so where it was found: with a 0, one mistake looks like another.
        """
        plainer = copy(self)
        plainer._neither_zero = self.seen.neither_zero
        return plainer

    def answer(self, params: Any, *inputs: Any) -> Any:
        """What the gradient answers, in the structure of params."""
        found = self.case.gradient(params, *inputs)
        return found[1] if self.case.has_value else found

    def may_show(self, given: Point) -> bool:
        """Whether it can show at a point, as far as the form of the gradient tells."""
        return self.seen.of_form or self._quietly(self._has_form, given)

    def seems(self, given: Point) -> bool:
        """Whether it shows, as far as autodiff tells; the judge may know better.

        If it shows about as much near the point where it was found, it must do so near this one:
        where numbers are 0 or tie, there may be mistakes that are none anywhere else.
        """
        told = self._stays if self._continues else self._is_shown
        return self._quietly(told, given)

    def shows(self, given: Point) -> bool:
        """Whether the same mistake is made at another point, where a right gradient would pass.

        First what is quick, then the judge. Whatever the functions raise there, it does not show.
        """
        return self.seems(given) and self._quietly(self._certainly, given)

    @staticmethod
    def _quietly(told: Callable[[Point], bool], given: Point) -> bool:
        with quiet():
            try:
                return told(given)
            except Exception:  # the caller's functions, at points that they were not written for
                return False

    def _has_form(self, given: Point) -> bool:
        return not form.taken(self.case.gradient, given, self.case.has_value)[2]

    def _is_shown(self, given: Point) -> bool:
        return self._gap(given) is not None

    def _stays(self, given: Point) -> bool:
        here, there = self._gap(given), self._gap(nearby(given))
        if here is None or there is None:
            return False
        return bool(np.max(np.abs(here - there)) <= np.max(np.abs(here)) / 2)

    def _gap(self, given: Point) -> np.ndarray | None:
        """How wrong the numbers are in those leaves, 0 for other mistakes; None if it is not seen.

        Without a second witness all that answers in numbers may be wrong.
        """
        loss, autodiff = self.loss.answers(given)
        if self.seen.of_form:
            return np.zeros(1) if np.isfinite(loss) and self._same_form(given) else None
        with np.errstate(**self._floats):
            value, answer, findings = form.taken(self.case.gradient, given, self.case.has_value)
        if findings or not np.isfinite(loss):
            return None
        yours = vector(answer)
        finite = bool(np.isfinite(yours).all())
        if self.seen.kind == NOT_FINITE:
            return None if finite else np.zeros(1)
        if self.seen.kind == LOSS:
            return np.zeros(1) if value != loss else None
        if not (finite and self.loss.witnessed):
            return np.zeros(1) if finite else None
        parts = [given.parts()[i] for i in sorted(self.seen.leaves)]
        largest = max(relative(np.abs(yours - autodiff)[p], yours[p], autodiff[p]) for p in parts)
        mine, theirs = (np.concatenate([v[part] for part in parts]) for v in (yours, autodiff))
        gap = mine - theirs
        if self._neither_zero and not neither_zero(np.abs(gap), mine, theirs):
            return None
        return gap if np.isfinite(autodiff).all() and largest >= self.seen.least else None

    def _same_form(self, given: Point) -> bool:
        found = form_findings(self.case, given)
        return any(finding.kind == self.seen.kind for finding in found)

    def _certainly(self, given: Point) -> bool:
        if self.seen.of_form:
            return True
        now = signature(judge_point(self.loss, given))
        return (
            now is not None
            and now.kind == self.seen.kind
            and (not self.seen.leaves or bool(now.leaves & self.seen.leaves))
            # A right gradient must pass there: one that loses digits may not, and where there are
            # ties, the judge may not know every choice.
            and now.autodiff <= self.seen.autodiff
            and now.kink <= self.seen.kink
            and now.neither_zero >= self._neither_zero
        )


def nearby(given: Point) -> Point:
    """The point with its parameters moved a little: a leaf of zeros as one that has ones."""
    rng = np.random.default_rng(0)
    moves = [
        NEAR * (float(np.max(np.abs(leaf), initial=0.0)) or 1.0) * rng.uniform(-1, 1, leaf.shape)
        for leaf in given.leaves
    ]
    pairs = zip(given.leaves, moves, strict=True)
    return given.moved([np.asarray(leaf + move, dtype=leaf.dtype) for leaf, move in pairs])


def form_findings(case: Case, given: Point) -> list[Any]:
    """What is wrong with the form of the answer, over two calls."""
    _, first, findings = form.taken(case.gradient, given, case.has_value)
    if findings:
        return findings
    _, second, findings = form.taken(case.gradient, given, case.has_value)
    changed = None if findings else form.differs(first, second, given)
    return [*findings, changed] if changed else findings


def _compiled(case: Case, given: Point) -> Callable[..., Any]:
    """Autodiff as one compiled function for each choice of shapes."""
    layout = Layout(given)

    def together(arrays: Any) -> Any:
        params, inputs = layout.together(arrays)
        return jax.value_and_grad(case.loss)(params, *inputs)

    # Small arrays gain nothing from an optimised program, which takes twice as long to compile.
    compiled = jax.jit(together, compiler_options={"xla_backend_optimization_level": 0})
    traceable = True

    def witness(params: Any, *inputs: Any) -> Any:
        nonlocal traceable
        if traceable:
            with suppress(
                Exception
            ):  # the loss looks at its inputs, or is not defined there at all
                return compiled(Layout(replace(given, params=params, inputs=inputs)).arrays)
        found = jax.value_and_grad(case.loss)(params, *inputs)
        traceable = False
        return found

    return witness

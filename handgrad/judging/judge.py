"""Judging one gradient of one loss at point after point: the witnesses, the truth, the ruling."""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.arguments import Arguments, signature, vector
from handgrad.judging import evidence, form
from handgrad.judging.ruling import WRONG, Ruling, rule
from handgrad.referee import balls
from handgrad.referee.kinks import UndecidableKinkError
from handgrad.referee.program import Traced, split, trace
from handgrad.referee.truth import Truth, UndecidableError
from handgrad.report import Finding
from handgrad.ways import by_lines
from handgrad.ways.by_jax import ByJax, Way
from handgrad.ways.yardsticks import SHARP

#: pytest leaves these frames out: an error in somebody's own function is shown there.
__tracebackhide__ = True

#: Elements that are looked at first where there is no time for all.
MOST_SUSPECTS = 64

#: After so many seconds no further point is begun.
SECONDS = 20.0

#: How the truth is had; see `handgrad.check_gradient`.
REFEREES = ("auto", "series", "program")


def check_referee(name: str) -> None:
    """Raises ValueError if there is no referee of that name."""
    if name not in REFEREES:
        raise ValueError(f"referee: got {name!r}, expected one of {', '.join(REFEREES)}")


@dataclass(frozen=True, eq=False)
class Case:
    """What is on trial: a gradient, the loss that it should be of, and how it is judged."""

    gradient: Callable[..., Any]
    loss: Callable[..., Any]
    has_value: bool = False
    referee: str = "auto"
    seed: int = 0
    trusted: frozenset[str] = frozenset()
    autodiff: Callable[..., Any] | None = None  #: value and gradient by JAX, if not of the loss
    part: bool = False  #: whether it is a step of another gradient, not to be taken apart further
    memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    def way(self, given: Arguments) -> Way:
        """How its truth is had at this point and all others: by JAX, if that can trace the loss.

        Raises:
            TypeError: one line, where the loss can be judged in no way.
        """
        if "way" not in self.memory:
            self.memory["way"] = self._way(given)
        return self.memory["way"]

    def _way(self, given: Arguments) -> Way:
        by_jax = ByJax(self.loss, self.referee, self.seed, self.trusted, self.traced, self.witness)
        try:
            self.traced(given)
        except Exception as error:
            # Who asks for JAX's program, or brings its answers, means JAX.
            if self.autodiff is not None or self.referee == "program":
                raise
            return by_lines.way(
                partial(by_lines.ByLines, self.loss, self.referee, self.seed, self.trusted),
                given,
                error,
            )
        return by_jax

    def traced(self, given: Arguments) -> Traced:
        """The loss as a program; one for all points that differ in real numbers only."""
        leaves, tree = jax.tree_util.tree_flatten((given.params, given.inputs))
        key = (str(tree), *(signature(leaf) for leaf in leaves))
        if key not in self.memory:
            # What is known by its identity must live as long as its key.
            self.memory[key] = trace(self.loss, given.arrays, given.inputs), leaves
        return self.memory[key][0]

    def witness(self, given: Arguments) -> Callable[..., Any]:
        """Autodiff: (params, *inputs) -> the loss and its gradient, as the caller gets them."""
        if self.autodiff is not None:
            return self.autodiff
        traced = self.traced(given)
        if not (traced.loops and traced.traced_inputs):
            return jax.value_and_grad(self.loss)
        # Loops are compiled at every call unless all of it is compiled once. What is no real array
        # may decide how the loss is traced, so it stays outside.
        if traced not in self.memory:
            _, together = split(given.inputs)
            compiled = jax.jit(
                lambda params, real: jax.value_and_grad(self.loss)(params, *together(real))
            )
            self.memory[traced] = lambda params, *inputs: compiled(params, split(inputs)[0])
        return self.memory[traced]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one point: a ruling, or why there is none."""

    given: Arguments
    ruling: Ruling | None = None
    cause: str | None = None  #: why the point could not be judged
    dropped: bool = False  #: whether the loss is not finite there
    findings: tuple[Finding, ...] = ()
    value: "Value | None" = None  #: the loss, if the gradient returns it

    @property
    def wrong(self) -> bool:
        """Whether the gradient is wrong at this point: in its form, in an element, in the loss."""
        in_an_element = self.ruling is not None and self.ruling.yours.worst == WRONG
        in_the_loss = self.value is not None and not self.value.right
        return bool(self.findings) or in_an_element or in_the_loss


@dataclass(frozen=True, eq=False)
class Trial:
    """A case and what came of it, kept so that more can be asked about it later."""

    case: Case
    outcomes: tuple[Outcome, ...]  #: the caller's point first
    deciding: int  #: which of them decided


@dataclass(frozen=True)
class Value:
    """The loss that a gradient returned beside it."""

    yours: float
    exact: float
    right: bool  #: within what conditioning and rounding explain


def outcomes(case: Case, points: Iterator[Arguments], listed: bool) -> Iterator[Outcome]:
    """One outcome a point, the caller's first, until the time is up.

    Where the parameters were moved at random, the caller's functions may not be defined, and may
    say so in their own way; at points that the caller listed, what they raise comes through.
    """
    began = time.perf_counter()
    yield judge_point(case, next(points))
    for given in points:
        if time.perf_counter() - began > SECONDS:
            return
        if listed:
            yield judge_point(case, given)
            continue
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield _moved_point(case, given)


def _moved_point(case: Case, given: Arguments) -> Outcome:
    try:
        loss, autodiff = by_autodiff(case, given)
    except Exception as error:
        return Outcome(given, cause=f"the loss raised {type(error).__name__}", dropped=True)
    if not np.isfinite(loss):
        return _dropped(given, loss)
    try:
        answer = form.taken(case.gradient, given, case.has_value)
    except Exception as error:
        return Outcome(given, cause=f"the gradient raised {type(error).__name__}: {error}")
    return _judged(case, given, answer, autodiff)


def judge_point(case: Case, given: Arguments) -> Outcome:
    """Ask both witnesses and the referee about one point."""
    loss, autodiff = by_autodiff(case, given)
    if not np.isfinite(loss):
        return _dropped(given, loss)
    return _judged(case, given, form.taken(case.gradient, given, case.has_value), autodiff)


def _dropped(given: Arguments, loss: float) -> Outcome:
    return Outcome(given, cause=f"the loss is {loss} at this point", dropped=True)


def _judged(case: Case, given: Arguments, answer: Any, autodiff: np.ndarray) -> Outcome:
    value, leaves, findings = answer
    if findings:
        return Outcome(given, findings=tuple(findings))
    way = case.way(given)
    try:
        truth, measures = way.measured(given, suspects(vector(leaves), autodiff))
    except (UndecidableError, UndecidableKinkError) as error:
        return Outcome(given, cause=str(error))
    if _beyond_floats(given, truth):
        return Outcome(given, cause="the exact gradient is beyond the largest float")

    def formula(held: evidence.Held) -> np.ndarray:
        return evidence.formula(case.gradient, given, held, case.has_value, way.truth)

    problem = way.problem(given)
    ruling = rule(given, truth, measures, vector(leaves), autodiff, formula, problem)
    ruling = ruling if way.witnessed else by_lines.unheard(ruling)
    return Outcome(given, ruling, value=_value(case, value, ruling))


def suspects(yours: np.ndarray, autodiff: np.ndarray) -> list[int]:
    """The elements in which the witnesses differ most, relative to their size; the worst first."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        apart = np.abs(yours - autodiff) / np.maximum(np.abs(yours), np.abs(autodiff))
    apart = np.where(yours == autodiff, 0.0, np.where(np.isnan(apart), np.inf, apart))
    order = np.argpartition(-apart, min(MOST_SUSPECTS, apart.size - 1))[:MOST_SUSPECTS]
    order = order[np.argsort(-apart[order], kind="stable")]
    return [int(i) for i in order if apart[i] > 0]


def _beyond_floats(given: Arguments, truth: Truth) -> bool:
    largest = [np.full(leaf.size, float(np.finfo(leaf.dtype).max)) for leaf in given.leaves]
    return bool((balls.magnitudes(truth.gradient) > np.concatenate(largest)).any())


def _value(case: Case, value: Any, ruling: Ruling) -> Value | None:
    if not case.has_value:
        return None
    truth, measures = ruling.truth, ruling.yardsticks
    gap = float((balls.exact(value)[()] - truth.loss).abs_upper()) if np.isfinite(value) else np.inf
    allowed = max(SHARP * measures.unit_of_loss, measures.loose_of_loss)
    return Value(float(value), float(truth.loss.mid()), gap <= allowed)


def by_autodiff(case: Case, given: Arguments) -> tuple[float, np.ndarray]:
    """The loss, and its gradient as `jax.grad` gives it; NaN where JAX cannot trace the loss."""
    return case.way(given).answers(given)

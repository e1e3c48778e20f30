"""Judging one gradient of one loss at point after point: the witnesses, the truth, the ruling."""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from handgrad import evidence, form, uncertified
from handgrad.arguments import Arguments
from handgrad.referee import balls
from handgrad.referee.certify import certify
from handgrad.referee.evaluate import Problem
from handgrad.referee.interpreter import UncertifiedPrimitiveError
from handgrad.referee.kinks import UndecidableKinkError
from handgrad.referee.program import Traced, is_real, split, trace
from handgrad.referee.truth import Truth, UndecidableError
from handgrad.report import Finding
from handgrad.ruling import WRONG, Ruling, rule
from handgrad.yardsticks import SHARP, Yardsticks, yardsticks

#: After so many seconds no further point is begun.
SECONDS = 20.0


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
    memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    def traced(self, given: Arguments) -> Traced:
        """The loss as a program; one for all points that differ in real numbers only."""
        leaves, tree = jax.tree_util.tree_flatten((given.params, given.inputs))
        key = (str(tree), *(_signature(leaf) for leaf in leaves))
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
    problem = problem_at(case, given)
    try:
        truth, measures = _truth(case, problem, given)
    except (UndecidableError, UndecidableKinkError) as error:
        return Outcome(given, cause=str(error))
    if _beyond_floats(given, truth):
        return Outcome(given, cause="the exact gradient is beyond the largest float")

    def formula(held: evidence.Held) -> np.ndarray:
        return evidence.formula(case.gradient, given, held, case.has_value)

    ruling = rule(given, truth, measures, vector(leaves), autodiff, formula, problem)
    return Outcome(given, ruling, value=_value(case, value, ruling))


def _beyond_floats(given: Arguments, truth: Truth) -> bool:
    largest = [np.full(leaf.size, float(np.finfo(leaf.dtype).max)) for leaf in given.leaves]
    return bool((balls.magnitudes(truth.gradient) > np.concatenate(largest)).any())


def problem_at(case: Case, given: Arguments) -> Problem:
    """The loss, traced, at a point."""
    return Problem(case.traced(given), given.leaves, _real_inputs(case, given), case.trusted)


def _truth(case: Case, problem: Problem, given: Arguments) -> tuple[Truth, Yardsticks]:
    try:
        truth = certify(problem, case.referee)
        return truth, yardsticks(problem, truth, case.seed)
    except UncertifiedPrimitiveError as missing:
        return uncertified.truth(case.loss, given, missing.name, case.seed)


def _value(case: Case, value: Any, ruling: Ruling) -> Value | None:
    if not case.has_value:
        return None
    truth, measures = ruling.truth, ruling.yardsticks
    gap = float((balls.exact(value)[()] - truth.loss).abs_upper()) if np.isfinite(value) else np.inf
    allowed = max(SHARP * measures.unit_of_loss, measures.loose_of_loss)
    return Value(float(value), float(truth.loss.mid()), gap <= allowed)


def by_autodiff(case: Case, given: Arguments) -> tuple[float, np.ndarray]:
    """The loss and its gradient as `jax.grad` gives them to the caller."""
    witness = case.witness(given)
    with jax.enable_x64(given.wide):
        loss, grads = witness(given.arrays, *given.inputs)
        return float(loss), vector([np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(grads)])


def vector(leaves: list[np.ndarray]) -> np.ndarray:
    """All leaves in one float64 vector."""
    return np.concatenate([np.asarray(leaf, dtype=np.float64).reshape(-1) for leaf in leaves])


def _real_inputs(case: Case, given: Arguments) -> list[np.ndarray]:
    real, _ = split(given.inputs)
    traced = case.traced(given).traced_inputs
    return [np.asarray(array, dtype=_float(array)) for array in real] if traced else []


def _float(array: Any) -> Any:
    return array.dtype if array.dtype in (np.float64, np.float32) else np.float32


def _signature(leaf: Any) -> Any:
    """Shape and dtype of an array of floats; anything else is part of the program as it is."""
    if is_real(leaf):
        return leaf.shape, str(leaf.dtype)
    if isinstance(leaf, np.ndarray):
        return leaf.shape, str(leaf.dtype), leaf.tobytes()
    return leaf if isinstance(leaf, str | int | float | bool | None) else id(leaf)

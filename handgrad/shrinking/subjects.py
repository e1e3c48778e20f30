"""What is judged again at other points: a gradient, or a matrix whose case is another at each."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.data.point import Point, vector
from handgrad.judging.case import Case
from handgrad.judging.claim import GRADIENT, Check
from handgrad.judging.domains import in_domains
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.judge import judge_point
from handgrad.judging.losses import prepare
from handgrad.judging.outcome import Outcome
from handgrad.judging.vectors.functions import in_one
from handgrad.program.form import QUICK
from handgrad.shrinking.layout import Layout


class Subject:
    """A derivative that is wrong at a point, to be judged at other points of the caller's."""

    case: Case  #: the caller's functions
    has_autodiff: bool  #: whether there is a quick answer to compare with
    scalar: Callable[..., Any]  #: a number, which is defined where the function is

    def __init__(self, case: Case, given: Point) -> None:
        self._loss = prepare(case, given)
        if isinstance(self._loss, JaxLoss) and self._loss.has_autodiff and not case.autodiff:
            case = self._loss.case  # which may be in jax.numpy in place of NumPy
            autodiff = _compiled(case, given, self._loss.traced(given).differentiate)
            self._loss = prepare(replace(case, autodiff=autodiff), given)
        self.case, self.has_autodiff = self._loss.case, self._loss.has_autodiff
        self.scalar = case.loss

    def at(self, given: Point) -> tuple[Case, Point]:
        """Return the case at a point, and its own point."""
        return self.case, given

    def answers(self, case: Case, at: Point) -> tuple[float, np.ndarray]:  # noqa: ARG002
        """Return the loss and the gradient in floats; NaN where there is none."""
        return self._loss.answers(at)

    def judged(self, given: Point) -> Outcome:
        """Judge a point."""
        return judge_point(self._loss, given)


class OfMatrix(Subject):
    """A Jacobian or Hessian, at points (x, *args) of its function's."""

    has_autodiff = True

    def __init__(self, case: Case, check: Check) -> None:
        self._of = case
        self._programs: dict[Any, Any] = {}  #: its matrix in JAX; None if JAX cannot trace it
        self._cases: dict[Any, tuple[Case, Point]] = {}  #: one of each form, which JAX compiles
        (derivative, _), (function, _) = check.functions
        self.case = replace(case, claim=GRADIENT, gradient=derivative, loss=function)
        self.scalar = lambda *args: in_one(function(*args)).sum()

    def at(self, given: Point) -> tuple[Case, Point]:
        """Return the case at a point, and its own point."""
        if given.form not in self._cases:
            case, at = self._of.claim.again(self._of, given)
            self._cases[given.form] = in_domains(case, at), at
        case, at = self._cases[given.form]
        return case, case.claim.varied(at, given)

    def answers(self, case: Case, at: Point) -> tuple[float, np.ndarray]:
        """Return 0 for the loss, which is linear, and the matrix in floats."""
        with jax.enable_x64(True):
            blocks = self._matrix(case.claim.matrix(), case.claim.of_caller(at))
        return 0.0, vector([np.asarray(block, dtype=np.float64) for block in blocks])

    def _matrix(self, matrix: Any, given: Point) -> Any:
        """Return the blocks at a point, by a program that is compiled once if JAX can trace it."""
        layout, form = Layout(given), given.form

        def together(arrays: Any) -> Any:
            x, args = layout.together(arrays)
            return matrix(x, args)

        if form not in self._programs:
            self._programs[form] = jax.jit(together, compiler_options=QUICK)
        if self._programs[form] is not None:
            with best_effort():
                return self._programs[form](layout.arrays)
            self._programs[form] = None
        return together(layout.arrays)

    def judged(self, given: Point) -> Outcome:
        """Judge a point."""
        case, at = self.at(given)
        return judge_point(prepare(case, at), at)


def subject_of(case: Case, check: Check, given: Point) -> Subject:
    """Return what is wrong, of a case at a point of it."""
    return OfMatrix(case, check) if case.claim.is_matrix else Subject(case, given)


def _compiled(case: Case, given: Point, differentiate: Any) -> Callable[..., Any]:
    """Return autodiff, compiled once for each choice of shapes."""
    layout = Layout(given)

    def together(arrays: Any) -> Any:
        params, inputs = layout.together(arrays)
        return differentiate(case.loss)(params, *inputs)

    compiled = jax.jit(together, compiler_options=QUICK)
    traceable = True

    def autodiff(params: Any, *inputs: Any) -> Any:
        nonlocal traceable
        if traceable:
            with best_effort():  # the loss needs the values of its inputs, or is not defined there
                return compiled(Layout(replace(given, params=params, inputs=inputs)).arrays)
        found = differentiate(case.loss)(params, *inputs)
        traceable = False
        return found

    return autodiff

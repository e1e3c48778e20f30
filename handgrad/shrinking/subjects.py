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
            differentiate, loss = self._loss.traced(given).differentiate, case.loss
            gradient = _Compiled(lambda params, inputs: differentiate(loss)(params, *inputs), given)

            def autodiff(params: Any, *inputs: Any) -> Any:
                return gradient(replace(given, params=params, inputs=inputs))

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
        self._programs: dict[Any, _Compiled] = {}  #: its matrix, by the form of the point
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
        at = case.claim.of_caller(at)
        if at.form not in self._programs:
            self._programs[at.form] = _Compiled(case.claim.matrix(), at)
        with jax.enable_x64(True):
            blocks = self._programs[at.form](at)
        return 0.0, vector([np.asarray(block, dtype=np.float64) for block in blocks])

    def judged(self, given: Point) -> Outcome:
        """Judge a point."""
        case, at = self.at(given)
        return judge_point(prepare(case, at), at)


class _Compiled:
    """A function of parameters and inputs, compiled for each choice of shapes if it can be."""

    def __init__(self, function: Any, given: Point) -> None:
        layout, self._function, self._traceable = Layout(given), function, True
        self._together = jax.jit(
            lambda arrays: function(*layout.together(arrays)), compiler_options=QUICK
        )

    def __call__(self, given: Point) -> Any:
        if self._traceable:
            with best_effort():  # it needs the values of its inputs, or is not defined there
                return self._together(Layout(given).arrays)
        found = self._function(given.params, given.inputs)
        self._traceable = False
        return found

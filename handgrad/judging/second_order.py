"""The derivative of a custom rule, held to the second derivative of the function.

A rule that is right may have a wrong derivative: what it keeps, or its cotangent, is a constant to
it (`stop_gradient`), or comes from a table or a rounded number. The gradient of the slope <v, ∇L>
of L = Σ c·f + ½·Σ d·f² is judged, in which f's own rule is differentiated; see
`handgrad.judging.rule_slopes`. By d, the cotangent depends on the arguments as well.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from handgrad.data.frames import with_place
from handgrad.data.point import Point
from handgrad.data.pytrees import weighed, wide
from handgrad.judging.case import Case, Vector
from handgrad.judging.custom_cases import CustomFunction
from handgrad.judging.custom_modes import by_columns, elements_case
from handgrad.judging.outcome import Trial
from handgrad.judging.rule_slopes import SECOND, RuleSlope
from handgrad.program.trace import NO_LOOPS

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


class SecondOrder:
    """The case of second order of a function, in a mode."""

    def __init__(self, function: CustomFunction, mode: str, along: RuleSlope | None = None) -> None:
        self.function, self.mode = function, mode
        drawn = RuleSlope.of(function.real, function.cotangents, function.options.seed)
        self.along = along or drawn

    def with_rule(self, params: Any) -> Any:
        """Return L with the rule."""
        return self.along.loss(self.function.own(params))

    def slope(self, params: Any) -> Any:
        """Return <v, ∇L>, by the rule."""
        if self.mode == "fwd":
            return jax.jvp(self.with_rule, (list(params),), (self.along.direction,))[1]
        return weighed(jax.grad(self.with_rule)(list(params)), self.along.direction)

    def right_slope(self, params: Any) -> Any:
        """Return <v, ∇L>, by JAX without the rule, or that of the reference."""
        return self.along.right(params, self.function.right)

    def case(self) -> Case:
        """Return the case.

        Raises:
            TypeError: JAX cannot differentiate the rule, or the function without it.
        """
        fwd = self.mode == "fwd"
        gradient = by_columns(self.slope, self.function.options.seed) if fwd else self._twice()
        what = "the reference" if self.function.reference else f"{self.function.name} without it"
        self._check(gradient, "its rule")
        self._check(self.right_slope, what)
        part = replace(self.function.part, mode=self.mode, order=2, slope=self.slope)

        def at(direction: list[np.ndarray]) -> tuple[Case, Point]:
            along = replace(self.along, direction=direction)
            return SecondOrder(self.function, self.mode, along).case(), self.function.given

        options = {
            "loss": self.right_slope,
            "part": part,
            "condition": SECOND,
            "vector": Vector("vector", self.along.direction, at),
        }
        return self.function.case(gradient, **options)

    def _twice(self) -> Callable[..., Any]:
        """Return the gradient of the slope in reverse mode; or the change of the gradient along v.

        The second is as right, and JAX has it for loops that it cannot differentiate backwards.
        """
        real, once = list(self.function.real), jax.grad(self.with_rule)
        twice = jax.grad(self.slope)

        def forwards(params: Any) -> Any:
            return jax.jvp(once, (list(params),), (self.along.direction,))[1]

        try:
            with wide(real):
                jax.make_jaxpr(twice)(real)
        except ValueError as error:
            return forwards if NO_LOOPS in str(error) else twice
        except Exception:  # said elsewhere
            return twice
        return twice

    def _check(self, run: Callable[..., Any], what: str) -> None:
        real = list(self.function.real)
        try:
            with wide(real):
                jax.make_jaxpr(run)(real)
        except Exception as error:  # JAX's are of many kinds
            name = self.function.name
            raise TypeError(
                f"order: {name} has no second derivative, since JAX cannot differentiate {what}: "
                f"{with_place(error)}; expected order=1"
            ) from error

    def is_held(self, trial: Trial) -> bool | None:
        """Tell whether the certified result is that of differences; see `RuleSlope.is_held`."""
        return self.along.is_held(trial, self.function.right)


def derivative_case(function: CustomFunction, mode: str, order: int) -> Case:
    """Return the case of every element of a derivative of a function."""
    if order == 2:
        return SecondOrder(function, mode).case()
    return function.case() if mode == "rev" else elements_case(function)

"""The derivative of a custom rule, held to the second derivative of the function.

A rule that is right may have a wrong derivative: what it keeps, or its cotangent, is a constant to
it (`stop_gradient`), or comes from a table or a rounded number. The gradient of the slope <v, ∇L>
of L = Σ c·f + ½·Σ d·f² is judged, in which f's own rule is differentiated; see
`handgrad.judging.rule_slopes`. By d, the cotangent depends on the arguments as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.data.advised import UntraceableError
from handgrad.data.frames import with_place
from handgrad.data.point import Point
from handgrad.data.pytrees import weighed, wide
from handgrad.judging.case import Case, Vector
from handgrad.judging.custom_cases import CustomFunction
from handgrad.judging.custom_modes import by_columns, slope
from handgrad.judging.rule_slopes import SECOND, RuleSlope
from handgrad.program.trace import NO_LOOPS

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


class SecondOrder:
    """The case of second order of a function, in a mode."""

    def __init__(self, function: CustomFunction, mode: str) -> None:
        self.function, self.mode = function, mode
        self.along = RuleSlope.of(function.real, function.cotangents, function.options.seed)

    def with_rule(self, params: Any) -> Any:
        """Return L with the rule."""
        return self.along.loss(self.function.own(params))

    def without_rule(self, params: Any) -> Any:
        """Return L of the function without its rule."""
        return self.along.loss(self.function.right(params))

    def slope(self, params: Any, direction: Sequence[Any]) -> Any:
        """Return <v, ∇L> along v, by the rule."""
        if self.mode == "fwd":
            return slope(self.with_rule, params, direction)
        return weighed(jax.grad(self.with_rule)(list(params)), direction)

    def case(self) -> Case:
        """Return the case.

        Raises:
            TypeError: JAX cannot differentiate the rule, or the function without it.
        """
        twice = None if self.mode == "fwd" else self._twice()
        claim = replace(
            self.function.claim,
            case_of=lambda f: SecondOrder(f, self.mode).case(),
            mode=self.mode,
            order=2,
            cotangent_is_constant=False,
        )

        def along(v: list[np.ndarray]) -> dict[str, Any]:
            once, there = partial(self.slope, direction=v), replace(self.along, direction=v)
            return {
                "gradient": partial(twice, v=v) if twice else by_columns(once),
                "loss": partial(there.right, outputs=self.function.right),
                "claim": replace(claim, slope=once),
            }

        def at(v: list[np.ndarray]) -> tuple[Case, Point]:
            return replace(made, **along(v)), self.function.given

        what = "the reference" if self.function.reference else f"{self.function.name} without it"
        found = along(self.along.direction)
        self._check(found["gradient"], "its rule")
        self._check(lambda params: slope(self.without_rule, params, self.along.direction), what)
        vector = Vector("vector", self.along.direction, at)
        made = self.function.case(**found, condition=SECOND, vector=vector)
        return made

    def _twice(self) -> Callable[..., Any]:
        """Return the gradient of the slope in reverse mode; or the change of the gradient along v.

        The second is as right, and JAX has it for loops that it cannot differentiate backwards.
        """
        real, once, v = list(self.function.real), jax.grad(self.with_rule), self.along.direction

        def twice(params: Any, v: list[np.ndarray]) -> Any:
            return jax.grad(partial(self.slope, direction=v))(params)

        def forwards(params: Any, v: list[np.ndarray]) -> Any:
            return jax.jvp(once, (list(params),), (v,))[1]

        try:
            with wide(real):
                jax.make_jaxpr(partial(twice, v=v))(real)
        except Exception as error:  # others are said elsewhere
            return forwards if NO_LOOPS in str(error) else twice
        return twice

    def _check(self, run: Callable[..., Any], what: str) -> None:
        real = list(self.function.real)
        try:
            with wide(real):
                jax.make_jaxpr(run)(real)
        except Exception as error:  # JAX's are of many kinds
            name = self.function.name
            raise UntraceableError(
                f"order: {name} has no second derivative, since JAX cannot differentiate {what}: "
                f"{with_place(error)}; expected order=1"
            ) from error

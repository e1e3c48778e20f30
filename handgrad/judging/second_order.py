"""The derivative of a custom rule, held to the second derivative of the function.

A rule that is right may have a wrong derivative: what it keeps, or its cotangent, is a constant to
it (`stop_gradient`), or comes from a table or a rounded number. With L = Σ c·f + ½·Σ d·f², random c
and d, and a random v, the gradient of the slope <v, ∇L> is judged, in which f's own rule is
differentiated. By d, the cotangent depends on the arguments as well.

The right slope is that of JAX's `jvp` of the function without its rule. Its gradient is certified
as any; that slope itself rests on JAX's derivative rules of the function's operations. So at the
caller's point the result is held to differences of the slopes of L by power series, which use none.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.data.frames import with_place
from handgrad.data.pytrees import wide
from handgrad.judging.case import Case
from handgrad.judging.custom_cases import CustomFunction
from handgrad.judging.custom_modes import by_columns, elements_case
from handgrad.judging.forward_values import weighed
from handgrad.judging.outcome import Trial
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import DIRECTIONS, random_directions
from handgrad.oracle.reference import element_scale
from handgrad.program.trace import NO_LOOPS, trace

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: What differences are taken with: (s(x + h·v) - s(x - h·v))/2h differs from the derivative of s by
#: h²/6 times the third one, and its rounding is 2⁻ᵇⁱᵗˢ/h of s. Relative to elements of the size of
#: s, both are below 2⁻⁴⁰⁰, and a difference that counts is above 2⁻⁶⁰.
BITS, STEP, SAME = 640, 2.0**-200, 2.0**-60


class SecondOrder:
    """The case of second order of a function, in a mode."""

    def __init__(self, function: CustomFunction, mode: str) -> None:
        self.function, self.mode = function, mode
        rng = np.random.default_rng(function.options.seed + 1)

        def drawn(like: Any) -> list[np.ndarray]:
            arrays = [np.asarray(x) for x in like]
            return [np.asarray(rng.standard_normal(a.shape), a.dtype) for a in arrays]

        self.direction, self.weights = drawn(function.real), drawn(function.cotangents)

    def _loss(self, outputs: list[Any]) -> Any:
        halves = [o * o / 2 for o in outputs]
        return weighed(outputs, self.function.cotangents) + weighed(halves, self.weights)

    def with_rule(self, params: Any) -> Any:
        """Return L with the rule."""
        return self._loss(self.function.own(params))

    def without_rule(self, params: Any) -> Any:
        """Return L without it, or that of the reference."""
        return self._loss(self.function.right(params))

    def slope(self, params: Any) -> Any:
        """Return <v, ∇L>, by the rule."""
        if self.mode == "fwd":
            return jax.jvp(self.with_rule, (list(params),), (self.direction,))[1]
        return weighed(jax.grad(self.with_rule)(list(params)), self.direction)

    def right_slope(self, params: Any) -> Any:
        """Return <v, ∇L>, by JAX without the rule."""
        return jax.jvp(self.without_rule, (list(params),), (self.direction,))[1]

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
        options = {"loss": self.right_slope, "part": part, "condition": "at second order"}
        return self.function.case(gradient, **options)

    def _twice(self) -> Callable[..., Any]:
        """Return the gradient of the slope in reverse mode; or the change of the gradient along v.

        The second is as right, and can be had of loops that JAX cannot differentiate backwards.
        """
        real, once = list(self.function.real), jax.grad(self.with_rule)
        twice = jax.grad(self.slope)

        def forwards(params: Any) -> Any:
            return jax.jvp(once, (list(params),), (self.direction,))[1]

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
        """Tell whether the certified result is that of differences; None if these cannot be had."""
        ruling = trial.outcomes[0].ruling
        if ruling is None or trial.loss is None or not ruling.reference.known.all():
            return None
        given, exact = trial.outcomes[0].given, ruling.reference.gradient
        traced = trace(self.without_rule, list(given.leaves), (), differentiate=False)
        problem = Problem(traced, given.leaves, [])
        scale = element_scale(problem, exact)
        try:
            with balls.precision(BITS):
                along = random_directions(np.random.default_rng(0), scale, DIRECTIONS)
                one, other = (self._slopes(problem, along, sign * STEP) for sign in (1, -1))
                found = (one - other) / (2 * arb(STEP))
                terms = along * exact
                gaps = found - terms.sum(axis=1)
                size = balls.magnitudes(terms).sum(axis=1)
        except (ArithmeticError, NotImplementedError):
            return None
        if not (balls.magnitudes(gaps) <= size).all():
            return None if not balls.finite(gaps).all() else False
        # The reference is known up to its own radius.
        return bool((balls.least_magnitudes(gaps) <= SAME * size).all())

    def _slopes(self, problem: Problem, along: np.ndarray, step: float) -> np.ndarray:
        moved = [
            balls.exact(leaf) + balls.exact(v) * arb(step)
            for leaf, v in zip(problem.leaves, self.direction, strict=True)
        ]
        comparisons = Comparisons(final=True, undefined=True)
        return evaluate.slopes(problem, along, comparisons, moved)[1]


def derivative_case(function: CustomFunction, mode: str, order: int) -> Case:
    """Return the case of every element of a derivative of a function."""
    if order == 2:
        return SecondOrder(function, mode).case()
    return function.case() if mode == "rev" else elements_case(function)

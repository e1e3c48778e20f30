"""What the derivative of a rule is held to, of JAX's or PyTorch's: a slope of first order.

With L = Σ c·f + ½·Σ d·f² of a function f with several outputs, random c and d, and a random v, the
gradient of the slope <v, ∇L> is judged. The right slope is that of JAX's `jvp` of f without its
rule. Its gradient is certified as any; that slope itself rests on JAX's derivative rules of the
function's operations. So at the caller's point the result is held to differences of the slopes of L
by power series, which use none.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.data.point import Point
from handgrad.data.pytrees import weighed
from handgrad.judging.judgement import Judgement
from handgrad.judging.outcome import Trial
from handgrad.judging.stopped_gradients import STOP
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Look, Problem, Watch
from handgrad.oracle.random_directions import DIRECTIONS, random_directions
from handgrad.oracle.reference import element_scale
from handgrad.program.trace import trace

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: What differences are taken with: (s(x + h·v) - s(x - h·v))/2h differs from the derivative of s by
#: h²/6 times the third one, and its rounding is 2⁻ᵇⁱᵗˢ/h of s. Relative to elements of the size of
#: s, both are below 2⁻⁴⁰⁰, and a difference that counts is above 2⁻⁶⁰.
BITS, STEP, SAME = 640, 2.0**-200, 2.0**-60

#: The condition of a case of second order.
SECOND = "at second order"

#: The arrays that are judged -> the outputs of a function, by JAX.
Outputs = Callable[[Any], Sequence[Any]]


@dataclass(frozen=True, eq=False)
class RuleSlope:
    """The slope <v, ∇L> of L = Σ c·f + ½·Σ d·f², of a function f with several outputs."""

    direction: list[np.ndarray]  #: v, shaped like what is judged
    cotangents: Sequence[Any]  #: c
    weights: list[np.ndarray]  #: d

    @classmethod
    def of(cls, real: Iterable[Any], cotangents: Sequence[Any], seed: int) -> "RuleSlope":
        """Draw v and d for the arrays that are judged, and the cotangents."""
        rng = np.random.default_rng(seed + 1)

        def drawn(like: Iterable[Any]) -> list[np.ndarray]:
            arrays = [np.asarray(x) for x in like]
            return [np.asarray(rng.standard_normal(a.shape), a.dtype) for a in arrays]

        return cls(drawn(real), cotangents, drawn(cotangents))

    def loss(self, outputs: Sequence[Any]) -> Any:
        """Return L, by JAX."""
        halves = [o * o / 2 for o in outputs]
        return weighed(outputs, self.cotangents) + weighed(halves, self.weights)

    def _of(self, outputs: Outputs) -> Callable[[Any], Any]:
        return lambda params: self.loss(outputs(params))

    def right(self, params: Any, outputs: Outputs) -> Any:
        """Return it by JAX, of a function without its rule."""
        # JAX's own rules, that of `lu` for one, index tangents by what is traced.
        along = [jax.numpy.asarray(v) for v in self.direction]
        return jax.jvp(self._of(outputs), (list(params),), (along,))[1]

    def is_held(self, trial: Trial, outputs: Outputs) -> bool | None:
        """Tell whether a certified gradient of it, without the rule, is that of differences.

        None if the oracle cannot evaluate these.
        """
        ruling = trial.outcomes[0].ruling
        if ruling is None or trial.loss is None or not ruling.reference.known.all():
            return None
        given, exact = trial.outcomes[0].given, ruling.reference.gradient

        traced = trace(self._of(outputs), list(given.leaves), (), differentiate=False)
        problem = Problem(traced, given.leaves, [])
        scale = element_scale(problem, exact)
        try:
            with balls.precision(BITS):
                along = random_directions(np.random.default_rng(0), scale, DIRECTIONS)
                kept = deque[list[Any]]()
                one = self._slopes(problem, along, STEP, partial(_keep, kept))
                other = self._slopes(problem, along, -STEP, partial(_again, kept))
                found = (one - other) / (2 * arb(STEP))
                terms = along * exact
                gaps = found - self._expected(given, outputs, along, terms)
                size = balls.magnitudes(terms).sum(axis=1)
        except (ArithmeticError, NotImplementedError):  # the oracle's, of what it cannot evaluate
            return None
        if not (balls.magnitudes(gaps) <= size).all():
            return None if not balls.finite(gaps).all() else False
        # The reference is known up to its own radius.
        return bool((balls.least_magnitudes(gaps) <= SAME * size).all())

    def _expected(self, given: Point, outputs: Outputs, along: Any, terms: np.ndarray) -> Any:
        """Return the right slopes along directions: of the certified gradient, by its terms.

        JAX's rules of erf and the like have rounded constants, which the right slope and its
        certified gradient have then, too. With exact ones it is what differences are near.
        """
        right = partial(self.right, outputs=outputs)
        traced = trace(right, list(given.leaves), (), differentiate=False)
        if not evaluate.rounded_constants(traced.loss):
            return terms.sum(axis=1)
        meant = replace(traced, loss=replace(traced.loss, meant=True))
        comparisons = Comparisons(final=True, undefined=True)
        return evaluate.slopes(Problem(meant, given.leaves, []), along, comparisons)[1]

    def _slopes(self, problem: Problem, along: np.ndarray, step: float, look: Look) -> np.ndarray:
        moved = [
            balls.array(balls.exact(leaf) + balls.exact(v) * arb(step))
            for leaf, v in zip(problem.leaves, self.direction, strict=True)
        ]
        comparisons = Comparisons(final=True, undefined=True)
        return evaluate.slopes(problem, along, comparisons, moved, Watch(look))[1]


def _keep(kept: deque[list[Any]], eqn: Any, _: list[Any], results: list[Any]) -> None:
    """Keep what `stop_gradient` gives, which is a constant to JAX's derivatives."""
    if eqn.primitive.name == STOP:
        kept.append(results)


def _again(kept: deque[list[Any]], eqn: Any, *_: list[Any]) -> list[Any] | None:
    """Return what it gave in the run before, of as many operations."""
    return kept.popleft() if eqn.primitive.name == STOP and kept else None


Judged = TypeVar("Judged", bound=Judgement)


def with_second_order(
    first: Judged, second: Judged, is_held: Callable[[Trial], bool | None]
) -> tuple[Judged, list[str]]:
    """Return the judgement on second order if it does not pass, or the first; and what else passes.

    Args:
        first: the one on the usual derivative, which passes.
        second: the one on the derivative of the rule.
        is_held: whether the right one is held to differences, as `RuleSlope.is_held`.
    """
    # Where it is not linear in its vector, it was judged along another one.
    trial = second.trial
    held = is_held(trial) if trial is not None and trial.case.condition == SECOND else None
    if held is False:
        what = "undecidable at second order: JAX's derivative of the function without its rule is "
        what += "not its slope by power series, as differences of these show"
        undecidable = {"verdict": "undecidable", "blame": None, "trial": None}
        return replace(second, **undecidable, headline=what), []
    rests = "held to differences of slopes by power series" if held else "by JAX's rules"
    certificate = f"{second.certificate}, of the first derivative without the rule, {rests}"
    if not second.passes:
        return replace(second, certificate=certificate), []
    certificate = f"{first.certificate}; at second order {certificate}"
    if second.verdict == "agree":
        return replace(first, certificate=certificate), ["at second order"]
    warnings = (second.headline, *first.warnings)
    return replace(first, certificate=certificate, warnings=warnings), []

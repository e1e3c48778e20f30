"""What the derivative of a rule is held to, of JAX's or PyTorch's: a slope of first order.

With L = Σ c·f + ½·Σ d·f² of a function f with several outputs, random c and d, and a random v, the
gradient of the slope <v, ∇L> is judged. The right slope is that of f without its rule, by power
series, as that of which a product with a Hessian is the gradient: no derivative rule of JAX's takes
part.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from handgrad.data.pytrees import random_cotangent, weighed
from handgrad.judging.judgement import Judgement
from handgrad.program.jacobians import jacobian

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

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
        drawn = random_cotangent([*real, *cotangents], seed + 1)
        judged = len(drawn) - len(cotangents)
        return cls(drawn[:judged], cotangents, drawn[judged:])

    def loss(self, outputs: Sequence[Any]) -> Any:
        """Return L, by JAX."""
        halves = [o * o / 2 for o in outputs]
        return weighed(outputs, self.cotangents) + weighed(halves, self.weights)

    def right(self, params: Any, outputs: Outputs) -> Any:
        """Return it of a function without its rule, in `jax.numpy`, as one operation."""

        def along(t: Any, *params: Any) -> Any:
            pairs = zip(params, self.direction, strict=True)
            moved = [x + t[0].astype(x.dtype) * v for x, v in pairs]
            return self.loss(outputs(moved)).reshape(1)

        dtype = np.result_type(*(v.dtype for v in self.direction))
        return jacobian(along, np.zeros(1, dtype), *params)[0, 0]


Judged = TypeVar("Judged", bound=Judgement)


def with_second_order(first: Judged, second: Judged) -> tuple[Judged, list[str]]:
    """Return the judgement on second order if it does not pass, or the first; and what else passes.

    Args:
        first: the one on the usual derivative, which passes.
        second: the one on the derivative of the rule.
    """
    how = "of the first derivative without the rule, itself by power series"
    certificate = f"{second.certificate}, {how}"
    if not second.passes:
        return replace(second, certificate=certificate), []
    certificate = f"{first.certificate}; at second order {certificate}"
    if second.verdict == "agree":
        return replace(first, certificate=certificate), ["at second order"]
    warnings = (second.headline, *first.warnings)
    return replace(first, certificate=certificate, warnings=warnings), []

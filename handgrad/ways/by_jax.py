"""How the truth about a loss is had at a point, and which second witness there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from handgrad.arguments import Arguments, real_inputs, vector
from handgrad.referee.certify import certify
from handgrad.referee.evaluate import Problem
from handgrad.referee.interpreter import UncertifiedPrimitiveError
from handgrad.referee.program import Traced
from handgrad.referee.truth import Truth
from handgrad.ways import uncertified
from handgrad.ways.yardsticks import Yardsticks, yardsticks

#: pytest leaves these frames out: an error in somebody's own function is shown there.
__tracebackhide__ = True


class Way(Protocol):
    """What the judge asks about a loss; everything at one point."""

    @property
    def witnessed(self) -> bool:
        """Whether there is a second witness."""
        ...

    def answers(self, given: Arguments) -> tuple[float, np.ndarray]:
        """The loss in floats, and the second witness's gradient, shape (size,)."""
        ...

    def problem(self, given: Arguments, suspects: Sequence[int] = ()) -> Problem:
        """The loss at the point, as the referee takes it; elements to know first."""
        ...

    def truth(self, given: Arguments, suspects: Sequence[int] = ()) -> Truth:
        """The certified gradient; whatever stands in its way is raised."""
        ...

    def measured(self, given: Arguments, suspects: Sequence[int] = ()) -> tuple[Truth, Yardsticks]:
        """The best truth there is, and both yardsticks."""
        ...


@dataclass(frozen=True, eq=False)
class ByJax:
    """JAX traces the loss: the referee runs the program, and `jax.grad` is the second witness."""

    loss: Callable[..., Any]
    referee: str
    seed: int
    trusted: frozenset[str]
    traced: Callable[[Arguments], Traced]
    witness: Callable[[Arguments], Callable[..., Any]]
    witnessed: bool = True

    def answers(self, given: Arguments) -> tuple[float, np.ndarray]:
        """The loss and its gradient as `jax.grad` gives them to the caller."""
        witness = self.witness(given)
        with jax.enable_x64(given.wide):
            loss, grads = witness(given.arrays, *given.inputs)
            leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(grads)]
            return float(loss), vector(leaves)

    def problem(self, given: Arguments, suspects: Sequence[int] = ()) -> Problem:
        """The loss, traced, at a point."""
        traced = self.traced(given)
        inputs = real_inputs(given) if traced.traced_inputs else []
        return Problem(traced, given.leaves, inputs, self.trusted, tuple(suspects))

    def truth(self, given: Arguments, suspects: Sequence[int] = ()) -> Truth:
        """See `handgrad.referee.certify`."""
        return certify(self.problem(given, suspects), self.referee)

    def measured(self, given: Arguments, suspects: Sequence[int] = ()) -> tuple[Truth, Yardsticks]:
        """Certified; where an operation has no rule, an estimate."""
        try:
            truth = self.truth(given, suspects)
            return truth, yardsticks(self.problem(given), truth, self.seed)
        except UncertifiedPrimitiveError as missing:
            return uncertified.truth(self.loss, given, missing.name, self.seed)

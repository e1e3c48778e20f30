"""The way of a loss that JAX cannot trace: its own lines in NumPy, on power series."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from handgrad.arguments import Arguments, real_inputs, shortly
from handgrad.judging.ruling import RIGHT, Ruling
from handgrad.referee import balls, lines
from handgrad.referee.holding import generic_direction
from handgrad.referee.kinks import UndecidableKinkError
from handgrad.referee.lines import Untraced, no_program
from handgrad.referee.program import split
from handgrad.referee.ties import Comparisons
from handgrad.referee.truth import BITS, Truth, UndecidableError
from handgrad.untraceable import stopped
from handgrad.ways.yardsticks import SHARP, Yardsticks
from handgrad.ways.yardsticks_of_lines import measure

#: pytest leaves these frames out: an error in somebody's own function is shown there.
__tracebackhide__ = True

#: A loss whose lines do something else on objects than on floats, as those that ask for a type may,
#: is not the loss on series. Rounding explains no such part of it.
ANOTHER_LOSS = 1e-3


@dataclass(frozen=True, eq=False)
class ByLines:
    """The referee runs the lines of the loss; there is no second witness."""

    loss: Callable[..., Any]
    referee: str
    seed: int
    trusted: frozenset[str]
    real_inputs: bool = True  #: whether the floats among the inputs are series, too
    memory: dict[Any, Any] = field(default_factory=dict, repr=False)
    witnessed: bool = False

    def answers(self, given: Arguments) -> tuple[float, np.ndarray]:
        """The loss in floats; of a gradient, nothing is known."""
        value, _ = given.call(self.loss)
        if np.shape(value) != () or np.asarray(value).dtype.kind not in "fiu":
            got = f"an array of shape {np.shape(value)}" if np.shape(value) else shortly(value)
            raise TypeError(f"loss: got {got}, expected one real scalar")
        return float(value), np.full(given.size, np.nan)

    def problem(self, given: Arguments, suspects: Sequence[int] = ()) -> Untraced:
        """The lines at the point."""
        leaves, tree = jax.tree_util.tree_flatten(given.params)
        found, together = split(given.inputs)
        inputs = found if self.real_inputs else []

        def loss(params: list[Any], real: list[Any]) -> Any:
            others = together(real) if self.real_inputs else given.inputs
            return self.loss(jax.tree_util.tree_unflatten(tree, params), *others)

        return Untraced(
            no_program(),
            given.leaves,
            real_inputs(given) if self.real_inputs else [],
            self.trusted,
            tuple(suspects),
            loss=loss,
            arrays=[not isinstance(leaf, float | np.generic) for leaf in (*leaves, *inputs)],
            memory=self.memory,
        )

    def truth(self, given: Arguments, suspects: Sequence[int] = ()) -> Truth:
        """See `handgrad.referee.lines`."""
        return lines.certify(self.problem(given, suspects), every=self.referee == "series")

    def measured(self, given: Arguments, suspects: Sequence[int] = ()) -> tuple[Truth, Yardsticks]:
        """Certified, or a reason why not.

        Raises:
            UndecidableError, UndecidableKinkError: as `handgrad.referee.lines.certify`; also where
                the lines cannot be run on series, or say something else there than in floats.
        """
        try:
            truth = self.truth(given, suspects)
            measures = measure(self.problem(given), truth, self.seed)
        except (UndecidableError, UndecidableKinkError):
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise UndecidableError(f"on power series the loss raised {what}") from error
        self._check_the_same(given, truth, measures)
        return truth, measures

    def _check_the_same(self, given: Arguments, truth: Truth, measures: Yardsticks) -> None:
        value, _ = self.answers(given)
        exact = float(truth.loss.mid())
        explained = max(SHARP * measures.unit_of_loss, measures.loose_of_loss)
        if not abs(value - exact) <= explained + ANOTHER_LOSS * abs(exact):
            raise UndecidableError(f"the loss is {value!r} in floats and {exact!r} on power series")

    def attempt(self, given: Arguments) -> None:
        """Run the lines once; whatever they raise on series comes through."""
        problem = self.problem(given)
        along = generic_direction(np.random.default_rng(0), problem.size)
        with balls.precision(BITS[0]):
            lines.slopes(problem, along, Comparisons(final=True, undefined=True))


def way(made: Callable[[bool], ByLines], given: Arguments, by_jax: Exception) -> ByLines:
    """The way of a loss that JAX could not trace, if it answers in floats and can be run on series.

    Args:
        made: (whether floats among the inputs are series, too) -> the way. As `jax.grad` does not
            trace them, the loss may do to them what it likes.
        given: the point.
        by_jax: what JAX raised.

    Raises:
        TypeError: one line that says what stopped it, or that the loss is no scalar.
        Exception: what JAX raised, where that says more, or where the loss itself raises.
    """
    if str(by_jax).startswith("loss: "):
        raise by_jax
    try:
        given.call(made(True).loss)
    except Exception:
        raise by_jax from None
    made(True).answers(given)
    first: Exception | None = None
    for with_inputs in (True, False):
        try:
            chosen = made(with_inputs)
            chosen.attempt(given)
        except Exception as error:  # whatever lines raise on what they were not written for
            first = first or error
        else:
            return chosen
    line = stopped(by_jax, first)
    if line is None:
        raise by_jax
    raise TypeError(f"loss: {line}") from by_jax


def unheard(ruling: Ruling) -> Ruling:
    """A ruling without a second witness: NaN beside its elements, and nothing to blame."""
    nothing = np.full_like(ruling.autodiff.gap, np.nan)
    level = np.full_like(ruling.autodiff.level, RIGHT)
    silent = replace(ruling.autodiff, answer=nothing, gap=nothing, level=level, choices=None)
    return replace(ruling, autodiff=silent)

"""A loss that JAX can trace: the oracle evaluates its program, and `jax.grad` is judged too."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.data.attempts import raise_internal
from handgrad.data.brake import interruptible
from handgrad.data.point import Point, copied, real_inputs, vector
from handgrad.data.pytrees import is_traced, split, weighed
from handgrad.judging import by_differences
from handgrad.judging.case import Case
from handgrad.judging.leaf_errors import own_rounding
from handgrad.judging.repeatability import (
    CALLS,
    NotAFunctionError,
    calls,
    check_same,
    not_a_function,
)
from handgrad.judging.ruling import Ruling
from handgrad.oracle import evaluate
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import generic_direction
from handgrad.oracle.reference import BITS, Reference, UndecidableError
from handgrad.oracle.shared import shared_reference
from handgrad.oracle.truncation import truncation
from handgrad.program.adaptive import ADAPTIVE
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.numpy_to_jax import TRANSLATED
from handgrad.program.programs import custom_rules
from handgrad.program.trace import Traced, run_to_end, trace, with_coefficients
from handgrad.tolerance.measuring import measure
from handgrad.tolerance.tolerances import Tolerances

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The operations that call code outside of JAX for what they return.
CALLBACKS = ("pure_callback", "io_callback")


@dataclass(frozen=True, eq=False)
class JaxLoss:
    """The loss of a case as JAX's program; one program for all points of the same shapes."""

    case: Case
    translated: bool = False  #: whether it is the caller's code in NumPy, in `jax.numpy`
    inputs_traced: bool = True  #: whether real inputs are traced where they can be
    because: str = ""  #: why it is prepared in this way, for the certificate
    traced_once: ClassVar[bool] = True  #: whether what the oracle runs was recorded in one call
    #: By the form of the point. A form may hold the id of a leaf, so the point is kept alive.
    _programs: dict[Any, tuple[Traced, Point]] = field(default_factory=dict, repr=False)
    _compiled: dict[Traced, Callable[..., Any]] = field(default_factory=dict, repr=False)

    @property
    def has_autodiff(self) -> bool:
        """Whether JAX can differentiate the loss, so that its gradient can be judged, too."""
        if self.case.autodiff is not None:
            return self.case.has_autodiff
        return all(traced.gradient is not None for traced, _ in self._programs.values())

    def answers(self, given: Point) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient, (size,), as JAX computes them: compiled, if faster.

        XLA combines constants, so that 1e200 * (1e200 * x) is not finite at 0; what is not finite
        is computed as it is written.
        """
        self._must_end(given)
        compiled = self._compiled_autodiff(given)
        if compiled is not None:
            with jax.debug_nans(False), jax.debug_infs(False):
                loss, grads = self._called(compiled, given)
            if np.isfinite(loss) and np.isfinite(grads).all():
                return loss, grads
        return self._called(self._autodiff(given), given)

    def by_program(self, given: Point) -> Any:
        """Return the loss by its program: a float where that is compiled, else a ball."""
        if self._compiled_autodiff(given) is None:
            with suppress(UncertifiedPrimitiveError):
                return self.on_series(given)[0]
        return self.answers(given)[0]

    def is_finite_as_written(self, given: Point) -> bool:
        """Tell whether the loss is finite, operation by operation."""
        with jax.debug_nans(False), jax.debug_infs(False):
            return bool(np.isfinite(self._called(self._autodiff(given), given)[0]))

    def as_written(self, given: Point) -> np.ndarray | None:
        """Return JAX's gradient, (size,), operation by operation; None if `answers` did so, too."""
        if self._compiled_autodiff(given) is None:
            return None
        return self._called(self._autodiff(given), given)[1]

    def _must_end(self, given: Point) -> None:
        """Run what has loops so that it ends.

        Raises:
            OutOfTimeError: a loop has not ended in time.
        """
        traced = self.traced(given)
        if not traced.loss.may_not_end:
            return
        self.case.program(given)  # the gradient may have the same loops, compiled before
        if self._compiled_autodiff(given) is None:  # which ends by itself
            run_to_end(traced.gradient or traced.loss, given, traced.traced_inputs)

    @staticmethod
    @interruptible
    def _called(autodiff: Callable[..., Any], given: Point) -> tuple[float, np.ndarray]:
        with jax.enable_x64(given.wide):
            loss, grads = autodiff(given.arrays, *copied(given.inputs))
            leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(grads)]
            return float(loss), vector(leaves)

    def problem(self, given: Point, suspects: Sequence[int] = ()) -> Problem:
        """Return the traced loss at a point; `suspects` are the elements to certify first."""
        return self._problem(given, self.traced(given), suspects)

    def _problem(self, given: Point, traced: Traced, suspects: Sequence[int] = ()) -> Problem:
        inputs = real_inputs(given) if traced.traced_inputs else []
        generic, suspects = self.case.claim.along_directions, tuple(suspects)
        return Problem(
            traced,
            given.leaves,
            inputs,
            self.case.trust_rules,
            suspects,
            generic,
            self.case.arithmetic,
            tangent=self.case.tangent(given),
            linear=self.case.claim.is_matrix,
        )

    def reference(self, given: Point, suspects: Sequence[int] = ()) -> Reference:
        """Return the certified gradient; see `handgrad.oracle.certify`."""
        return certify(self.problem(given, suspects), self.case.referee)

    def measured(self, given: Point, suspects: Sequence[int] = ()) -> tuple[Reference, Tolerances]:
        """Return the reference and the tolerances; by differences if an operation has no rule."""
        try:
            problem = self.problem(given, suspects)
            reference = shared_reference(problem, self.case.referee)
            measures = measure(problem, reference, self.case.seed)
            measures.truncation = truncation(problem, reference)
            notes = [TRANSLATED] * self.translated + [self.because] * bool(self.because)
            how = "; ".join([reference.how, *notes])
            return (replace(reference, how=how) if notes else reference), measures
        except UncertifiedPrimitiveError as missing:
            return self._by_differences(given, missing)

    def _by_differences(
        self, given: Point, missing: UncertifiedPrimitiveError
    ) -> tuple[Reference, Tolerances]:
        if self.trusts_a_rule(given):
            raise UndecidableError(
                f"{missing.what} beside a trusted derivative rule, which differences of the loss "
                "do not see"
            )
        of_jax = missing.name not in (*CALLBACKS, ADAPTIVE)
        why = str(missing) if of_jax else outside(missing.name)
        found = by_differences.of_case(self.case, given, why, self.answers, in_jax=True)
        if of_jax:
            self._check_alike(given, missing, *found)
        return found

    def _check_alike(
        self,
        given: Point,
        missing: UncertifiedPrimitiveError,
        reference: Reference,
        tolerances: Tolerances,
    ) -> None:
        """Raise UndecidableError where differences contradict JAX's rule for one of its operations.

        Such an operation may read one triangle of a matrix that is not symmetric, and mean both.
        """
        theirs = self.case.projected(given, self.answers(given)[1])
        gap = np.abs(theirs - balls.midpoints(reference.gradient))
        allowed = np.fmax(tolerances.full.sharp, tolerances.full.jump)
        if (reference.known & (gap > allowed)).any():
            raise UndecidableError(f"{missing}, and differences of the loss contradict jax.grad")

    def trusts_a_rule(self, given: Point) -> bool:
        """Tell whether the loss has a derivative rule that counts as right, whatever it is."""
        return not self.case.trust_rules.isdisjoint(custom_rules(self.traced(given).loss))

    def check_repeatable(
        self, given: Point, value: float | None = None, ruling: Ruling | None = None
    ) -> None:
        """Call the loss again, and trace it again, and compare.

        Args:
            given: the point.
            value: the loss there in floats, if that was computed.
            ruling: what was ruled there, if anything was; otherwise only the traces are compared.

        Raises:
            NotAFunctionError: the loss was another, or another program.
        """
        if value is not None and ruling is not None:
            self._check_answers(given, value, ruling)
        first = self.traced(given)
        # The gate has called it once more, and held what it returned to this program.
        others = calls(lambda: self._traced_again(given), CALLS - 1, least=2)
        for call, other in enumerate(others, 2):
            if other.loss.form != first.loss.form:
                # The same terms in another order are the same function.
                with suppress(UncertifiedPrimitiveError):
                    runs = self.on_series(given, first), self.on_series(given, other)
                    check_same(self.case.wording.loss, *runs, call)

    def _check_answers(self, given: Point, value: float, ruling: Ruling) -> None:
        name, tolerance = self.case.wording.loss, ruling.tolerance
        again, grads = self.answers(given)
        if abs(again - value) > tolerance.of_loss:
            raise not_a_function(name, "value", repr(value), repr(again))
        first, grads = ruling.autodiff.answer, self.case.projected(given, grads)
        # Autodiff may be wrong and larger than what is right: rounding has that size then.
        own = own_rounding(given.leaves) / 2 * np.abs(first)
        allowed = np.fmax(own, np.maximum(tolerance.sharp, tolerance.loose))
        apart = np.abs(grads - first) - allowed
        if (apart > 0).any() and (written := self.as_written(given)) is not None:
            # What overflows a short format operation by operation may not where XLA combines them.
            written = self.case.projected(given, written)
            apart = np.fmin(apart, np.abs(written - first) - allowed)
        i = int(np.argmax(np.where(np.isnan(apart), -np.inf, apart)))
        if apart[i] > 0:
            raise not_a_function(name, "slope", repr(float(first[i])), repr(float(grads[i])))

    def _traced_again(self, given: Point) -> Traced:
        name = self.case.wording.loss
        try:
            again = self._trace(given, differentiate=False)
        except Exception as error:  # whatever the caller's function raises
            raise_internal(error)
            what = f"{type(error).__name__}, which it raised,"
            raise not_a_function(name, "result", what, "a number") from error
        if any(is_traced(const) for const in again.loss.jaxpr.consts):
            raise NotAFunctionError(
                f"{name} is not a function of its arguments: it returned what an earlier call had "
                "kept; expected a value of these arguments alone"
            )
        return again

    def on_series(self, given: Point, traced: Traced | None = None) -> tuple[arb, np.ndarray]:
        """Return the loss and its slope in one direction, shape (1,), on series.

        Raises:
            UncertifiedPrimitiveError: an operation has no rule.
        """
        traced = traced or self.traced(given)
        along = generic_direction(np.random.default_rng(0), given.size)
        with balls.precision(BITS[0]):
            ties = Comparisons(final=True, undefined=True)
            return evaluate.slopes(self._problem(given, traced), along, ties)

    def traced(self, given: Point) -> Traced:
        """Return the traced loss; points that differ only in real numbers share one."""
        if given.form not in self._programs:
            # Slopes along random directions need no gradient program.
            differentiate = not self.case.claim.along_directions
            self._programs[given.form] = self._trace(given, differentiate), given
        return self._programs[given.form][0]

    def _trace(self, given: Point, differentiate: bool) -> Traced:
        claim = self.case.claim
        matrix = claim.matrix()
        how = differentiate and not matrix, not claim.is_linear, self.inputs_traced
        traced = trace(self.case.loss, given.arrays, given.inputs, *how)
        if not differentiate or not matrix:
            return traced

        def with_matrix(u: Any, x: Any, *args: Any) -> tuple[Any, list[Any]]:
            blocks = matrix(x, args)
            return weighed(u, blocks), blocks

        # The loss is linear in its parameters, and its gradient the matrix: JAX derives nothing.
        return with_coefficients(traced, with_matrix, given.arrays, given.inputs)

    def _autodiff(self, given: Point) -> Callable[..., Any]:
        """Return (params, *inputs) -> (loss, gradient), one operation of JAX after the other."""
        return self.case.autodiff or self.traced(given).differentiate(self.case.loss)

    def _compiled_autodiff(self, given: Point) -> Callable[..., Any] | None:
        """Return the same as one program; None if it would take longer to compile.

        Nor if derivative rules are trusted: each call shows anew whether they are functions.
        """
        traced = self.traced(given)
        quickly = traced.traced_inputs and traced.compiles_quickly
        others = self.case.autodiff is not None or self.case.trust_rules
        if others or traced.gradient is None or not quickly:
            return None
        if traced not in self._compiled:
            compiled = traced.gradient.compiled()

            def autodiff(params: Any, *inputs: Any) -> tuple[Any, list[Any]]:
                loss, *grads = compiled(jax.tree_util.tree_leaves(params), split(inputs)[0])
                return loss, grads

            self._compiled[traced] = autodiff
        return self._compiled[traced]


def outside(operation: str) -> str:
    """Say why what calls code outside of JAX, or approximates, is not certified."""
    if operation == ADAPTIVE:
        return f"the loss has {ADAPTIVE}, as an adaptive solver does, and so approximates"
    return f"`{operation}` calls what is not JAX's; code in jax.numpy throughout is certified"

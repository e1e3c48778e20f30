"""A loss in NumPy that JAX cannot trace: the oracle runs its code on power series."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.levels import HALF_KNOWN, RIGHT
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.data.advised import AnotherFunctionError, NoScalarError, UntraceableError
from handgrad.data.attempts import RAISED, raise_internal
from handgrad.data.formats import is_floating, is_half
from handgrad.data.point import Point, copied, real_inputs, shortly
from handgrad.data.pytrees import split
from handgrad.judging import by_differences
from handgrad.judging.case import Case
from handgrad.judging.repeatability import (
    CALLS,
    NotAFunctionError,
    calls,
    check_same,
    not_a_function,
)
from handgrad.judging.ruling import Ruling
from handgrad.judging.untraceable import stopped
from handgrad.oracle import evaluate
from handgrad.oracle.numpy_losses import certify
from handgrad.oracle.numpy_losses.certify import Untraced, no_program
from handgrad.oracle.numpy_losses.dispatch import UnwrittenError
from handgrad.oracle.numpy_losses.iterations import truncation_of
from handgrad.oracle.numpy_losses.stand_ins import VariesError
from handgrad.oracle.random_directions import generic_direction
from handgrad.oracle.reference import BITS, RaisedOnSeriesError, Reference, sizes_about
from handgrad.oracle.truncation import ALIKE, OTHER_SLOPES, OtherSlopesError
from handgrad.tolerance.tolerances import Tolerances
from handgrad.tolerance.tolerances_numpy import measure

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@dataclass(frozen=True, eq=False)
class NumpyLoss:
    """The loss of a case, run on series; there is no autodiff to judge."""

    case: Case
    real_inputs: bool = True  #: whether the floats among the inputs are series too
    because: str = "JAX cannot trace it"  #: why it is prepared in this way, for the certificate
    has_autodiff: ClassVar[bool] = False
    traced_once: ClassVar[bool] = False
    #: A cache of the runs on series; see `Untraced`.
    _memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    def answers(self, given: Point) -> tuple[float, np.ndarray]:
        """Return the loss in floats, and NaN for autodiff's gradient."""
        value = self.value(given)
        dtype = np.asarray(value).dtype
        if np.shape(value) != () or not (is_floating(dtype) or dtype.kind in "iu"):
            got = f"an array of shape {np.shape(value)}" if np.shape(value) else shortly(value)
            raise NoScalarError(f"loss: got {got}, expected one real scalar")
        return float(value), np.full(given.size, np.nan)

    def value(self, given: Point) -> Any:
        """Call the loss; where it is made to be linear, what runs in floats alone."""
        if self.case.claim.is_linear:
            return self.in_floats(given)
        return given.call(self.case.loss)[0]

    def in_floats(self, given: Point) -> Any:
        """Call what runs in floats alone: the loss, or that whose derivative it is."""
        return given.call(self.case.claim.in_floats(self.case.loss))[0]

    def problem(self, given: Point, suspects: Sequence[int] = ()) -> Untraced:
        """Return the loss at a point, to be run on series."""
        leaves, tree = jax.tree_util.tree_flatten(given.params)
        found, together = split(given.inputs)
        inputs = found if self.real_inputs else []

        def loss(params: list[Any], real: list[Any]) -> Any:
            # The loss may write to what is no series.
            others = copied(together(real) if self.real_inputs else given.inputs)
            with self._called_again():
                return self.case.loss(jax.tree_util.tree_unflatten(tree, params), *others)

        claim, matrix = self.case.claim, self.case.claim.matrix()

        def leaves_of(real: list[Any]) -> tuple[Any, list[Any]]:
            assert matrix is not None
            x, *args = copied(together(real))
            with self._called_again():
                return claim.in_floats(self.case.loss)(None, x, *args), matrix(x, args)

        return Untraced(
            no_program(),
            given.leaves,
            real_inputs(given) if self.real_inputs else [],
            self.case.trust_rules,
            tuple(suspects),
            computed_in=self.case.arithmetic,
            tangent=self.case.tangent(given),
            linear=matrix is not None,
            loss=loss,
            arrays=[not isinstance(leaf, float | np.generic) for leaf in (*leaves, *inputs)],
            memory=self._memory,
            leaves_of=leaves_of if matrix else None,
            because=self.because,
        )

    @contextmanager
    def _called_again(self) -> Iterator[None]:
        """Run the code, which is called elsewhere again.

        Raises:
            NotAFunctionError: it gave another number there.
        """
        try:
            yield
        except VariesError as error:
            raise not_a_function(self.case.wording.loss, "value", *error.args) from None

    def reference(self, given: Point, suspects: Sequence[int] = ()) -> Reference:
        """Return the certified gradient; see `handgrad.oracle.numpy_losses.certify`."""
        return certify.certify(self.problem(given, suspects), self.case.referee)

    def measured(self, given: Point, suspects: Sequence[int] = ()) -> tuple[Reference, Tolerances]:
        """Return the reference and both tolerances.

        Raises:
            UndecidableError, UndecidableKinkError: as `handgrad.oracle.numpy_losses.certify`;
                also if the code cannot run on series.
        """
        try:
            with certify.on_series():
                reference = self.reference(given, suspects)
                tolerances = measure(self.problem(given), reference, self.case.seed)
                if (
                    reference.problem is not None
                ):  # of a limit, where the code does what it does beside it
                    return reference, tolerances
                try:
                    check = partial(self._check_matrix, given, reference)
                    tolerances.truncation = truncation_of(self.problem(given), reference, check)
                except OtherSlopesError as error:
                    if any(is_half(leaf.dtype) for leaf in given.leaves):
                        raise
                    return self.by_differences(given, str(error))
        except RaisedOnSeriesError as error:
            if not self.case.domains or not may_be_judged(self.case, given):
                raise
            # Series leave the domain, which code may refuse.
            return self.by_differences(given, str(error))
        return reference, tolerances

    def by_differences(
        self, given: Point, why: str, in_jax: bool = False
    ) -> tuple[Reference, Tolerances]:
        """Return an estimate of the gradient, and what it leaves open.

        The arguments are those of `handgrad.judging.by_differences.of_case`.
        """
        return by_differences.of_case(self.case, given, why, self.answers, in_jax)

    def _check_matrix(self, given: Point, reference: Reference) -> None:
        """Compare a matrix with differences of its function, at a few elements."""
        slopes, errors, known = by_differences.few(self.case, given)
        apart = np.abs(slopes - balls.midpoints(reference.gradient))
        size = np.max(np.abs(slopes), initial=0.0, where=known)
        if (apart > by_differences.SAFE * errors + ALIKE * size)[known].any():
            raise OtherSlopesError(OTHER_SLOPES)

    @property
    def operations(self) -> float:
        """The operations on numbers of one run on series, as far as it has run."""
        return self._memory.get("operations", 0.0)

    def attempt(self, given: Point) -> tuple[arb, np.ndarray]:
        """Run the code on series once, in one direction, and raise whatever it raises."""
        problem = self.problem(given)
        found = Comparisons(final=True, undefined=True)
        with balls.precision(BITS[0]):
            if problem.leaves_of is not None:
                value, leaves = certify.in_one_run(problem, found)
                return value, leaves[:1]
            along = generic_direction(np.random.default_rng(0), problem.size)
            return evaluate.slopes(problem, along, found)

    def check_repeatable(
        self, given: Point, value: float | None = None, ruling: Ruling | None = None
    ) -> None:
        """Run the code again, in floats and on series, and compare.

        Args:
            given: the point.
            value: the loss there in floats, if that was computed.
            ruling: what was ruled there, if anything was.

        Raises:
            NotAFunctionError: the loss was another.
        """
        name = self.case.wording.loss
        first = self.answers(given)[0] if value is None else value
        values = [first, *calls(lambda: self.answers(given)[0], CALLS, 1)]
        finite = np.isfinite(values).tolist()
        if len(set(finite)) == 2:
            k = finite.index(not finite[0])
            raise not_a_function(name, "value", values[0], values[k], k + 1)
        off = np.abs(np.subtract(values, first))
        k = int(np.argmax(off))
        if ruling is not None and off[k] > 0 and off[k] > 2 * ruling.tolerance.of_loss:
            raise not_a_function(name, "value", first, values[k], k + 1)
        # Floats may differ by the order of a sum alone; series tell.
        if ruling is not None and not ruling.reference.certified:
            return
        suspicious = ruling is not None and (
            ruling.yours.worst > RIGHT or not ruling.explains_value(first)
        )
        runs = len(values) if len(set(values)) > 1 else 2 * suspicious
        try:
            found = [self.attempt(given) for _ in range(runs)]
        except NotAFunctionError:
            raise
        except RAISED as error:  # here the loss cannot run on series, and so it cannot be judged
            raise_internal(error)
            return
        beside = ruling is not None and ruling.reference.problem is not None
        if suspicious and ruling is not None and not beside:
            found.append((ruling.reference.loss, found[0][1]))
        for call, other in enumerate(found[1:], 2):
            check_same(name, found[0], other, call)
        if ruling is None or ruling.sufficed is not None:
            return
        # A loss that is another in few calls makes tolerances that would excuse anything.
        exact = ruling.reference.gradient
        sizes = sizes_about(given.leaves, exact, balls.contains_zero(exact))
        if (ruling.tolerance.sharp > HALF_KNOWN * sizes).any():
            again = measure(self.problem(given), ruling.reference, self.case.seed).full
            units = np.nan_to_num([ruling.tolerance.unit, again.unit])
            i = int(np.argmax(np.abs(units[0] - units[1])))
            if units[0][i] != units[1][i]:
                what = "gradient's change with half an ulp of the data"
                one, other = (repr(float(unit[i])) for unit in units)
                raise not_a_function(name, what, one, other)


def numpy_loss(case: Case, given: Point, by_jax: Exception) -> tuple[NumpyLoss, arb | None]:
    """Prepare a loss that JAX could not trace, if it runs in floats and on series.

    Returns it and its value on series; None where that is not known, at a kink.

    Args:
        case: the case of the loss.
        given: the point.
        by_jax: what JAX raised, or that it traces another function.

    Raises:
        TypeError: one line that says what stopped it, or that the loss is not a scalar.
        Exception: what JAX raised, if that says more, or if the loss itself raises.
    """
    if isinstance(by_jax, NoScalarError):
        raise by_jax
    raise_internal(by_jax, TypeError)  # JAX's, of functions that do not take tracers
    another = isinstance(by_jax, AnotherFunctionError)
    because = str(by_jax).partition(": ")[2] if another else NumpyLoss.because
    plain = NumpyLoss(case)
    try:
        plain.in_floats(given)
    except Exception as error:
        raise_internal(error, Exception)  # of a library, where the loss is a function of one
        raise by_jax from None
    if case.claim.hessian() is None:  # whose loss has been seen to be of one number
        plain.answers(given)
    first: Exception | None = None
    # `jax.grad` does not trace the inputs, so the loss may use them in ways that series do not
    # allow: then only the parameters are series.
    for on_series in (True,) if case.claim.is_linear else (True, False):
        prepared = NumpyLoss(case, on_series, because)
        try:
            value, _ = prepared.attempt(given)
        except UndecidableKinkError:
            return prepared, None
        except NotAFunctionError:
            raise
        except UnwrittenError as error:
            says = f"{case.wording.loss} is not a function of its arguments"
            raise NotAFunctionError(says) from error
        except Exception as error:  # code may raise anything on numbers that it was not written for
            raise_internal(error, Exception)
            first = first or error
        else:
            return prepared, value
    line = None if another else stopped(by_jax, first)
    if line is None:
        raise by_jax
    raise UntraceableError(f"{case.wording.loss.removeprefix('the ')}: {line}") from by_jax


def may_be_judged(case: Case, given: Point) -> bool:
    """Tell whether a case is one that differences can judge."""
    whole = case.claim.asked(case)
    of_torch = whole.own is not None and whole.own.of_torch
    if of_torch or whole.claim.order == 0:
        return False
    leaves = (*given.leaves, *whole.claim.of_caller(given).leaves)
    floats = all(leaf.dtype in (np.float64, np.float32) for leaf in leaves)
    return floats and whole.referee == "auto" and whole.computed_in is None

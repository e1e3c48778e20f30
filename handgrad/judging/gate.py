"""The gate: a program stands for the caller's function only where it has the function's values.

JAX traces code that writes in place through a second name, asks for types, or catches what a tracer
raises to another function, without an error: after `v = h`, `v *= 2` leaves `h` as it is. So what
JAX traced, and what ran on power series, is held to what the caller's own function returns: at the
point, at two others where all parameters are moved, and at each that is judged if the code may look
at numbers. Equal values at one point say nothing of slopes (rows that sum to 1 are the same after
they are normalised); those at points that are moved say what difference quotients would, and in
more digits. Code in JAX alone that asks for no value and writes to no array is held at the point
only, and what the caller has compiled nowhere: each call of it runs what JAX has traced.
"""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.clock import SECONDS, OutOfTimeError, check_time, limited, time_left
from handgrad.data import formats
from handgrad.data.advised import AnotherFunctionError
from handgrad.data.attempts import RAISED, best_effort, raise_internal
from handgrad.data.brake import braked
from handgrad.data.point import Point, sizes_of
from handgrad.data.silent import quiet
from handgrad.data.ulps import ANOTHER
from handgrad.judging import exact_runs
from handgrad.judging.case import Case
from handgrad.judging.claim import GRADIENT
from handgrad.judging.divergence import diverging_line
from handgrad.judging.exact_runs import Real
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.judging.repeatability import not_a_function
from handgrad.judging.ruling import Ruling
from handgrad.judging.vectors.functions import called, in_one
from handgrad.oracle.reference import UndecidableError
from handgrad.program.equations import equations
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.looked_at import looked_at
from handgrad.program.numpy_to_jax import may_look, may_write
from handgrad.tolerance.runs import SHARP

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: How far parameters are moved, of their own sizes, until the function has been finite at `MOVED`
#: such points. It may not be defined far away; the last steps leave half of the digits of float32,
#: and of float64, to the change.
SCALES = 0.1, 0.1, 0.01, 0.01, 2.0**-14, 2.0**-14, 2.0**-20, 2.0**-20
MOVED = 2

#: The part of the time that is left in which a point that is moved must be done, and how many may
#: be late, each at another scale: a fifth is lost to a function that does not end beside the point.
PART, LATE = 1 / 16, 3

#: What is said where JAX's program is another function.
TRACED = "JAX traces another function"


def another_function(
    name: str, way: str, gives: float, yours: float, place: str = ""
) -> AnotherFunctionError:
    """Return the error for a function, called `name`, that is another one when run in some way."""
    digits = next((d for d in (4, 8) if f"{gives:.{d}g}" != f"{yours:.{d}g}"), 17)
    both = f"it gives {gives:.{digits}g} where yours gives {yours:.{digits}g}"
    return AnotherFunctionError(f"{name.removeprefix('the ')}: {way}: {both}{place}")


@dataclass(eq=False)
class Gate:
    """Holds a prepared loss to the caller's function."""

    name: str  #: what messages call the function
    own: Callable[..., Any]  #: the caller's function; of several results one sum of all
    loss: JaxLoss | NumpyLoss  #: the same function, prepared
    #: Whether the function may be another one at some points alone. Code in JAX alone that asks for
    #: no value is the same at all; what refers to NumPy or `isinstance` may look at its numbers.
    at_some_points: bool = True
    stages: bool = False  #: whether JAX's part of it is run in balls
    is_defined: bool = False  #: whether the function is, at the first point
    takes_numpy: bool | None = None  #: whether it runs on NumPy's arrays there, if that is known
    moved: int = 0  #: at how many points beside it it was held

    @classmethod
    def of(cls, case: Case, loss: JaxLoss | NumpyLoss, given: Point) -> "Gate":
        """Return the gate of a loss that was prepared for a case, or for a translation of it."""
        name, own, other = case.wording.loss, case.claim.called(), loss.case.claim.called()
        if own is None or other is None:
            return cls(name, case.loss, loss)
        with jax.enable_x64(given.wide):
            value = np.abs(np.asarray(in_one(called(own, given)), dtype=np.float64))
        # So that each result counts as much as the others.
        weights = np.where(np.isfinite(value), 1 / np.where(value > 0, value, 1), 0)
        weights *= np.random.default_rng(0).uniform(1, 2, value.size)

        def weighed(function: Callable[..., Any]) -> Callable[..., Any]:
            def sum_of(*args: Any) -> Any:
                # The results may be integers, which JAX does not join where promotion is strict.
                with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
                    return (weights * in_one(function(*args))).sum()

            return sum_of

        plain = replace(loss.case, loss=weighed(other), claim=GRADIENT, domains=())
        prepared = (
            JaxLoss(plain, loss.translated, loss.inputs_traced)
            if isinstance(loss, JaxLoss)
            else NumpyLoss(plain, loss.real_inputs)
        )
        return cls(name, weighed(own), prepared)

    def hold(self, case: Case, given: Point, known: Any = None, moved: int = MOVED) -> None:
        """Hold the loss to the function at a point of a case, and at others around it.

        Args:
            case, given: the case and the point.
            known: the loss there, a ball, if that was computed.
            moved: at how many others.

        Raises:
            AnotherFunctionError: it is another one.
            NotAFunctionError: the function returned another value for the same arguments.
            Exception: what the function raises at the point.
        """
        # Each call of a compiled one runs what JAX has traced.
        if isinstance(case.loss, jax.stages.Wrapped) or case.claim.is_held:
            self.at_some_points = False
            return
        with quiet(), best_effort(Exception):  # it says which loop does not end
            known = self._gives(given) if known is None else known
        looks = isinstance(self.loss, NumpyLoss) or self.loss.traced(given).looked_at
        yours = None if looks else self._staged(given)
        self.stages = yours is not None
        of = case.claim.function() or case.loss
        self.at_some_points = not self.stages or may_look(of)
        same = self.check(given, known, yours) is not None
        self.is_defined = True
        if same and not self.at_some_points and not may_write(of):
            return
        # In short floats what is left of a small term beside a large one says nothing.
        in_longer = self.at_some_points and self._eps(given) > formats.of(np.float64).eps
        rng, late, too_far, nowhere = np.random.default_rng(case.seed), 0, 0.0, False
        for scale in SCALES:
            if self.moved >= moved or late == LATE:
                break
            if scale == too_far:
                continue

            def changed(leaf: np.ndarray, scale: float = scale) -> np.ndarray:
                by = scale * sizes_of([leaf]).reshape(leaf.shape) * rng.uniform(-1, 1, leaf.shape)
                with quiet():  # it may overflow
                    return np.asarray(leaf + by, leaf.dtype)

            there, found = case.varied(given, changed), None
            longer = there
            try:
                # A loop need not end there.
                with limited(PART * time_left(SECONDS)) as clock, braked(clock):
                    if in_longer:
                        # Code may want the floats that it was given, and has others beside them.
                        promotion = jax.numpy_dtype_promotion("standard")
                        with best_effort(Exception), promotion:
                            longer = there.in_float64()
                            found = self._values(longer)
                    if found is None:
                        in_longer, longer = False, there
                        found = self._values(there)
            except OutOfTimeError:
                check_time()
                late, too_far = late + 1, scale
            if found is None or np.isnan(found[0]):
                nowhere = True
            else:
                with jax.numpy_dtype_promotion("standard") if in_longer else nullcontext():
                    self.moved += self._held(longer, *found)
        if late and not self.moved and self.at_some_points:
            raise OutOfTimeError("to hold the loss to your function beside the point")
        if nowhere and not self.moved and self.at_some_points:
            name = self.name.removeprefix("the ")
            raise AnotherFunctionError(f"{name}: it has no value beside the point to be held to")

    def check(
        self,
        given: Point,
        known: Any = None,
        yours: float | None = None,
        ruling: Ruling | None = None,
    ) -> Any:
        """Hold the loss to the function at one point.

        Args:
            given: the point.
            known: the loss there, a float or ball, if that was computed.
            yours: the value of the function there, if that was computed.
            ruling: what was ruled there, if that is of this loss.

        Returns:
            The loss, a float or ball; None if that says nothing: it is not finite, or no number.

        Raises:
            as `hold`.
        """
        found = self._values(given, known, yours)
        return found[1] if found is not None and self._held(given, *found, ruling) else None

    def _values(
        self, given: Point, known: Any = None, yours: float | None = None
    ) -> tuple[float, Any] | None:
        """Return the function's value and the loss; None if one of them is not known."""
        with quiet():
            try:
                yours = self._yours(given) if yours is None else yours
            except RAISED as error:  # where the function need not be defined
                raise_internal(error, Exception)
                if self.is_defined:
                    return None
                self.loss.check_repeatable(given)
                raise
            gives = self._gives(given) if known is None else known
            return None if gives is None else (yours, gives)

    def _held(self, given: Point, yours: float, gives: Any, ruling: Ruling | None = None) -> bool:
        """Tell whether the two are the same; False if they are not finite."""
        most = min(SHARP * self._eps(given), self._eps(given) ** 0.5) * abs(float(gives))
        if abs(yours - float(gives)) <= most:
            return True
        with quiet():
            yours, again = self._called(given), self._called(given)
            if abs(yours - float(gives)) <= most:
                return True  # rounding may decide in balls otherwise than in floats
            if again != yours and not (np.isnan(again) and np.isnan(yours)):
                if not abs(again - yours) <= ANOTHER * abs(yours):
                    raise not_a_function(self.name, "value", repr(yours), repr(again), 2)
                if abs(yours - float(gives)) <= ANOTHER * abs(yours):
                    return True  # calls vary as sums in another order do
            if not np.isfinite(yours) and not self._is_finite(given, gives):
                return False
            if self._explained(given, yours, ruling):
                return True
        place = diverging_line(self.own, given)
        raise another_function(self.name, self._way, float(gives), yours, place)

    @cached_property
    def _way(self) -> str:
        if isinstance(self.loss, NumpyLoss):
            return "on power series it is another function"
        of_code = "its code in jax.numpy is another function"
        return of_code if self.loss.translated else TRACED

    def _yours(self, given: Point) -> float:
        """Return the function's value; JAX's part of it in balls, since compiling it takes long."""
        staged = self._staged(given) if self.stages else None
        return self._called(given) if staged is None else staged

    def _called(self, given: Point) -> float:
        """Call the function with NumPy's arrays, or JAX's if it took none at the point."""
        if self.takes_numpy is not False:
            try:
                found = float(np.asarray(given.call(self.own)[0]))
            except Exception:  # whatever code for JAX's arrays alone raises
                if self.takes_numpy:
                    raise
                self.takes_numpy = None if self.is_defined else False
            else:
                self.takes_numpy = True
                return found
        return float(np.asarray(called(self.own, given)))

    def _staged(self, given: Point) -> float | None:
        """Return the value of a function that computes by JAX and looks at none of it.

        It gets the caller's own arrays, and what JAX computes of them is recorded and run in balls.
        """
        with best_effort(Exception), looked_at() as looked, jax.enable_x64(given.wide):
            found = exact_runs.by_jax(lambda: called(self.own, given), [])
            if isinstance(found, Real) and not looked:
                return float(found.numbers.value.item())
        return None

    def _gives(self, given: Point) -> Any:
        """Return the loss, a float or ball; None where it cannot be enclosed."""
        with suppress(UndecidableError, UndecidableKinkError):
            if isinstance(self.loss, NumpyLoss):
                return self.loss.attempt(given)[0]
            return self.loss.by_program(given)
        return None

    def _eps(self, given: Point) -> float:
        """Return the unit of the coarsest format of any number."""
        found = [leaf.dtype for leaf in given.leaves]
        if isinstance(self.loss, JaxLoss):
            program = self.loss.traced(given).loss.jaxpr.jaxpr
            results = (v.aval for eqn in equations(program) for v in eqn.outvars)
            dtypes = (aval.dtype for aval in results if hasattr(aval, "dtype"))
            found += [dtype for dtype in dtypes if jax.numpy.issubdtype(dtype, np.floating)]
        return max(float(formats.of(dtype).eps) for dtype in found)

    def _is_finite(self, given: Point, gives: Any) -> bool:
        """Tell whether a loss is finite, computed as it is written."""
        if isinstance(self.loss, JaxLoss):
            return self.loss.is_finite_as_written(given)
        return bool(np.isfinite(float(gives)))

    def _explained(self, given: Point, yours: float, ruling: Ruling | None) -> bool:
        """Tell whether rounding explains the function's value, by all that the judge knows."""
        try:
            if ruling is not None:
                reference, full = ruling.reference, ruling.tolerance
            else:
                reference, tolerances = self.loss.measured(given)
                full = tolerances.full
        except (UndecidableError, UndecidableKinkError, UncertifiedPrimitiveError):
            return True  # which the judge will say
        if full.explains(yours, reference.loss):
            return True
        # Rounding that could not be measured leaves half of the digits.
        exact, half = float(reference.loss.mid()), self._eps(given) ** 0.5
        return not full.loose_of_loss and abs(yours - exact) <= half * abs(exact)

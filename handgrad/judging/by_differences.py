"""An estimate of the gradient by differences of the loss, where there is no other.

`handgrad.oracle.differences` measures the slope in each parameter, with two estimates of its error.
A gradient within `SAFE` of them is right, if that leaves three digits; one that is farther off, and
by `APPROXIMATE` of the slope or more, is wrong. In between nothing is decided.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.clock import Clock, OutOfTimeError, check_time, time_left
from handgrad.data import formats
from handgrad.data.attempts import best_effort
from handgrad.data.domains.tangent import BITS, Tangent
from handgrad.data.point import Point, copied, sizes_of
from handgrad.judging.stopped_gradients import held
from handgrad.oracle.certify import FOR_ALL, SECONDS
from handgrad.oracle.differences import UNKNOWN, Slope, roughness, slope
from handgrad.oracle.reference import ANOTHER_VALUE, Reference, UndecidableError, sizes_about
from handgrad.oracle.truncation import Changes
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import HALF_KNOWN
from handgrad.tolerance.tolerances import Measured, Tolerance, Tolerances

#: Estimates of the error that count as right. Measured in `tests/handgrad/oracle/
#: test_differences.py`, over functions whose slope is known. Of 43 that compute what they mean,
#: with noise, few digits, float32 and kinks nearby, the largest error of 328 slopes was 5.4 `fine`
#: estimates, and one in 100 was beyond 2.7; this is three times the largest. Of 15 that
#: approximate, solvers and quadratures, 0.92 of the errors were within as many `coarse` ones.
SAFE = 16

#: What a loss approximates may be off by this much of the slopes nearby, in the same way at all
#: steps, so that no difference shows it. SciPy's solvers at their default tolerance of 1e-3 were
#: off by up to 0.0012 of it in the same test, and by 0.01 in least squares near their minimum,
#: where slopes cancel; this is three times as much.
APPROXIMATE = 0.03

#: The same of a loss that is rougher than `ROUGH` (`handgrad.oracle.differences.Slope.roughness`),
#: and so a solver's. At SciPy's default tolerance 12 of 450 slopes of least squares of solutions,
#: of eight equations by three methods (`tests/corpus/rows/solvers.py` has one of them),
#: were off by more than `APPROXIMATE`; the largest error was 0.14 of the slopes nearby, where the
#: slope is smooth, and 0.79 of what is unsettled. These are half as much again, and twice as much.
ROUGH, SOLVER, UNSETTLED = 1e-10, 0.2, 2.0

#: A solver chooses its steps for all results of a function together, so an element of a Jacobian
#: that is small, or 0, is off by a part of the largest slope in its column, and one of a gradient
#: by a part of what the others move. Of 2,112 elements of Jacobians of the same equations, by three
#: methods at the default tolerance, 47 were off by more than `SOLVER` allows, and by up to 6e-4 of
#: that slope; one of Lotka-Volterra on (0, 4), by 0.02. Of functions rougher than half of the
#: digits, which SciPy's default leaves at 6e-6, what helps is said.
COMMON, HALF = 0.03, 2.0**-26

#: What computes in code of its own has an error of its own, which is smooth, so that differences do
#: not see it: those of a bisection that stops at 1e-10, where the loss is linear, show none at all.
#: Below this part of the slopes nearby, and of the largest one, nothing is known. Of 250 slopes of
#: the equations of `tests/corpus/rows/solvers.py` and others, at tolerances of 1e-6, 1e-7 and 1e-9,
#: none was off by more than the larger of this and `SAFE` coarse estimates. At 1e-3 most were, by
#: up to 5,000 times as much, and roughness does not tell which: so where it is beyond `ROUGH` the
#: bar of an estimate is all that the judge allows a solver.
OWN_ERROR = 1e-6

#: How often, and how far relatively, a function is moved to see how the slopes change, and where
#: else it is looked at for roughness. Half an ulp would be lost in its rounding.
DRAWS, FAR, PLACES = 2, 2.0**-10, 3

#: A function of one vector, float64.
Function = Callable[[np.ndarray], Any]


def function(
    loss: Callable[..., Any], given: Point, converted: Callable[[Any], Any] = float
) -> Function:
    """Return a loss as a function of one float64 vector.

    It is called in float64, if it is the same there as in the dtypes of its arguments.

    Args:
        loss: the loss, or another function.
        given: the point.
        converted: makes a float, or an array of float64, of its result.
    """

    def at(place: Point) -> Function:
        def f(vector: np.ndarray) -> Any:
            check_time()
            parts = zip(place.parts(), place.leaves, strict=True)
            leaves = [vector[part].reshape(a.shape).astype(a.dtype) for part, a in parts]
            moved = place.moved(leaves)
            with jax.enable_x64(place.wide):
                value = converted(loss(moved.params, *copied(place.inputs)))
                check_time()  # as in `Point.call`
            return value

        return f

    own, there = at(given), in_one(given)
    if all(leaf.dtype == np.float64 for leaf in given.leaves):
        return own
    try:
        longer = at(given.in_float64())
        value, exact = own(there), longer(there)
    except Exception:  # the caller's loss, on a dtype that it need not take
        return own
    size = np.max(np.abs(exact), initial=0.0)
    return longer if (np.abs(value - exact) <= ANOTHER_VALUE * size).all() else own


def compiled(
    loss: Callable[..., Any], given: Point, converted: Callable[[Any], Any] = float
) -> Function:
    """Return a loss in JAX as a function of one vector, compiled if that is the same function.

    What `stop_gradient` stops is constant. The arguments are those of `function`.

    Raises:
        UndecidableError: as `held`.
    """
    loss = held(loss, given)
    plain, longer = function(loss, given, converted), given.in_float64()

    @jax.jit
    def run(vector: Any) -> Any:
        parts = zip(longer.parts(), longer.leaves, strict=True)
        leaves = [vector[part].reshape(leaf.shape) for part, leaf in parts]
        params = jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(given.params), leaves)
        return loss(params, *longer.inputs)

    def f(vector: np.ndarray) -> Any:
        check_time()
        with jax.enable_x64(True):
            return converted(run(vector))

    point = in_one(given)
    with best_effort():  # a callback need not take float64, nor be compiled
        value, same = plain(point), f(point)
        size = np.max(np.abs(value), initial=0.0)
        return f if (np.abs(same - value) <= ANOTHER_VALUE * size).all() else plain
    return plain


def in_one(given: Point) -> np.ndarray:
    """Return all parameters in one vector, float64."""
    return np.concatenate([leaf.reshape(-1).astype(np.float64) for leaf in given.leaves])


def reference(f: Function, given: Point, why: str, seed: int) -> tuple[Reference, Tolerances]:
    """Return an estimate of the gradient and its tolerances.

    Args:
        f: the loss.
        given: the point.
        why: why it cannot be certified, in one line.
        seed: of random draws.

    Raises:
        UndecidableError: the loss is not finite around the point.
        OutOfTimeError: there was no time for a single element.
    """
    rng, point = np.random.default_rng(seed), in_one(given)
    sizes, value = sizes_of(given.leaves), f(point)
    rough = max(_roughness(f, point, sizes, rng) for _ in range(PLACES))
    drawn = [rng.choice([-1.0, 1.0], size=point.size) for _ in range(DRAWS)]
    others = [point + FAR * signs * np.abs(point) for signs in drawn]
    slopes, changes = [UNKNOWN] * point.size, np.zeros(point.size)
    try:
        for i in in_time(rng.permutation(point.size)):
            slopes[i] = along(f, point, sizes, i)
            changes[i] = _change(f, point, others, i, slopes[i].step) / FAR
    except OutOfTimeError:
        if not any(np.isfinite(s.value) for s in slopes):
            raise
    if not any(np.isfinite(s.value) for s in slopes):
        raise UndecidableError("the loss is not finite around this point, so it has no differences")
    rough = max(rough, *(s.roughness for s in slopes))
    nearby = np.array([s.nearby for s in slopes])
    noise = max((s.fine * s.step for s in slopes if np.isfinite(s.fine)), default=0.0)
    of_loss = SAFE * (noise + float(np.max(rough * nearby * sizes, initial=0.0)))
    largest = float(np.fmax.reduce(nearby * sizes, initial=0.0)) / sizes
    found = Found(slopes, changes, np.full(point.size, rough), largest)
    return found.reference(value, why), found.tolerances(given, value, of_loss)


def projected(
    reference: Reference, tolerances: Tolerances, tangent: Tangent
) -> tuple[Reference, Tolerances]:
    """Return an estimate and its tolerances, known in full, projected on a tangent space.

    The differences left the domain. What the projection mixes with an unknown element is unknown.
    """
    full, truncation = tolerances.full, tolerances.full.truncation
    with balls.precision(BITS):
        gradient = tangent.projected(reference.gradient)
        program = tangent.projected(full.program)
    if not balls.radii(reference.gradient).any():  # its error is in the tolerances alone
        gradient = balls.exact(balls.midpoints(gradient))
    known = tangent.widened((~reference.known).astype(float)) == 0
    if truncation is not None:
        truncation = Changes(truncation.loss, tangent.widened(truncation.gradient))
    names = ("unit", "loose", "jump", "bar")
    wider = replace(full, program=program, truncation=truncation)
    wider = replace(wider, **{name: tangent.widened(getattr(full, name)) for name in names})
    return replace(reference, gradient=gradient, known=known), Measured(wider)


def in_time(order: np.ndarray) -> Iterator[int]:
    """Yield the numbers in some order: all, or as many as there is time for."""
    clock, count = Clock(np.inf), order.size
    seconds = FOR_ALL * time_left(SECONDS)
    for k, i in enumerate(order):
        # What one takes, the others take; so it is known beforehand how many there will be.
        if k == 1 and clock.spent * count > seconds:
            count = max(1, int(seconds / clock.spent))
        if k == count:
            return
        yield int(i)


def _roughness(f: Function, point: np.ndarray, sizes: np.ndarray, rng: Any) -> float:
    """Return how rough the loss is along a random line near the point."""
    near = point + sizes * rng.uniform(-0.5, 0.5, point.size)
    along = sizes * rng.uniform(-1, 1, point.size)
    return roughness(lambda t: f(near + t * along), 0.0, 1.0)


def along(f: Function, point: np.ndarray, sizes: np.ndarray, i: int) -> Slope:
    """Return the slope of a function in one of its numbers, which may be moved by its size."""

    def moved(x: float) -> float:
        there = point.copy()
        there[i] = x
        return f(there)

    return slope(moved, float(point[i]), float(sizes[i]))


def _change(
    f: Function, point: np.ndarray, others: Sequence[np.ndarray], i: int, step: float
) -> float:
    """Return by how much a slope changes at other points."""

    def central(at: np.ndarray) -> float:
        up, down = at.copy(), at.copy()
        up[i] += step
        down[i] -= step
        try:
            return (f(up) - f(down)) / (2 * step)
        except Exception:  # the caller's loss, where it need not be defined
            return np.nan

    with np.errstate(all="ignore"):
        here = central(point)
        found = [abs(central(other) - here) for other in others]
    return max((change for change in found if np.isfinite(change)), default=0.0)


@dataclass(frozen=True)
class Found:
    """The slopes that were found, one for each element of a gradient or matrix."""

    slopes: Sequence[Slope]
    #: How they change where all parameters are moved by their own size, linearly; (size,).
    changes: np.ndarray
    rough: np.ndarray  #: how rough the functions are whose slopes they are, (size,)
    #: The largest slope nearby of all results by the same parameter, (size,); of a single result,
    #: the one by this parameter that would move it as much as the others do.
    largest: np.ndarray

    @property
    def gradient(self) -> np.ndarray:
        """The slopes and their estimated errors as balls; 0 for what is not known."""
        found = [arb(s.value, s.fine) if np.isfinite(s.value) else arb(0) for s in self.slopes]
        return balls.boxed(found, (len(found),))

    def reference(self, value: float, why: str, of: str = "differences of the loss") -> Reference:
        """Return the estimate; `why` is why it cannot be certified, in one line."""
        known = np.array([np.isfinite(found.value) for found in self.slopes])
        how = f"not certified: {of} (scipy.differentiate), which estimate their error"
        if not known.all():
            how += f"; {int(known.sum()):,} of {known.size:,} elements, drawn at random"
        if np.max(self.rough, initial=0.0) > HALF:
            name = of.rpartition(" of ")[2]
            why += f"; if {name} is a solver, tighten its tolerance (rtol=1e-13) in {name}"
        none: Any = {"program": None, "certified": False, "obstacle": why}
        return Reference(arb(value), self.gradient, known, how, bits=53, **none)

    def tolerances(self, given: Point, value: float, of_loss: float) -> Tolerances:
        """Return the tolerances: an estimate counts like what an iteration leaves out.

        Args:
            given: the point whose parameters have these slopes.
            value: the loss there.
            of_loss: the error of the loss that is left out.
        """
        gradient = self.gradient
        own = balls.midpoints(gradient).astype(np.float64)
        fine, coarse, nearby = (
            np.array([getattr(s, name) for s in self.slopes])
            for name in ("fine", "coarse", "nearby")
        )
        about = sizes_about(given.leaves, gradient, balls.contains_zero(gradient))
        coarse = np.fmax(coarse, self.rough * nearby)
        eps = formats.of_elements(given.leaves, "eps")
        unit = eps / 2 * (np.abs(own) + self.changes)
        # Three digits that yours has in common with what is computed are no chance, where more of
        # what is meant is not known.
        enough = SAFE * fine <= HALF_KNOWN * about
        meant = np.fmax(SAFE * fine, np.fmin(SAFE * coarse, HALF_KNOWN * about))
        left_out = np.where(enough & (fine > 0), meant, SAFE * fine)
        is_rough = self.rough > ROUGH
        approximate = np.where(is_rough, SOLVER, APPROXIMATE) * np.fmax(about, nearby)
        common = np.where(is_rough, COMMON, OWN_ERROR) * self.largest
        approximate = np.fmax(approximate, common)
        unsettled = np.array([UNSETTLED * s.unsettled for s in self.slopes])
        jump = np.fmax(SAFE * coarse, np.fmax(approximate, np.where(is_rough, unsettled, 0.0)))
        with np.errstate(over="ignore"):
            of_all = float(np.sum(np.abs(own) * np.abs(in_one(given)) * eps))
            unit_of_loss = float(np.spacing(abs(value)) + of_all) / 2
        own_error = OWN_ERROR * np.fmax(np.fmax(about, nearby), self.largest)
        bar = np.fmax(SAFE * np.fmax(fine, coarse), own_error)
        full = Tolerance(
            np.nan_to_num(unit),
            np.zeros(own.size),
            unit_of_loss,
            SHARP * unit_of_loss,
            balls.boxed([arb("nan")] * own.size, (own.size,)),
            jump,
            Changes(of_loss, left_out),
            bar=np.where(is_rough, np.fmax(bar, jump), bar),
        )
        return Measured(full)

"""An estimate of what is judged by differences, where only a function can be called.

`handgrad.oracle.differences` measures the slopes of all results along a line, with two estimates of
their errors. The elements of a gradient, or of a column of a Jacobian, are slopes by one number. An
element of a Hessian, by x_i and x_j, is a second derivative along a line. With steps u and v in the
two, that of (f(x + t(u + v)) - f(x + t(u - v)) - f(x + tv) + f(x - tv)) / 4 by t, at t = 0, is
uᵀHv; of the last two terms, which are odd, it is 0, and without them the others would hold first
and third derivatives along v. So is an element of a product of the Hessian with v, by x_i along v;
that takes no other elements of the Hessian.

The loss is differentiated, and not a gradient of the caller's, since only the loss says what is
right. Slopes of slopes, which `scipy.differentiate.hessian` takes, need 18 times as many calls for
each element, and divide the rounding by two small steps in place of one.

What is within `SAFE` estimates of an element is right, if that leaves three digits; what is farther
off, and by `APPROXIMATE` of it or more, is wrong. In between nothing is decided.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import HALF_KNOWN
from handgrad.clock import Clock, OutOfTimeError, check_time, time_left
from handgrad.data import formats
from handgrad.data.attempts import best_effort
from handgrad.data.domains.tangent import BITS, Tangent
from handgrad.data.point import Point, copied, point_at, sizes_of, vector
from handgrad.judging.case import Case
from handgrad.judging.stopped_gradients import held
from handgrad.oracle.certify import FOR_ALL, SECONDS
from handgrad.oracle.differences import UNKNOWN, Slope, roughnesses, slopes
from handgrad.oracle.reference import ANOTHER_VALUE, Reference, UndecidableError, sizes_about
from handgrad.oracle.truncation import Changes
from handgrad.tolerance.runs import SHARP
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

#: A function of one vector, float64, and all numbers of its result in one.
Function = Callable[[np.ndarray], np.ndarray]


def function(called: Callable[..., Any], given: Point) -> Function:
    """Return a loss, or another function, as one of a vector.

    It is called in float64, if it is the same there as in the dtypes of its arguments.
    """

    def at(place: Point) -> Function:
        def f(there: np.ndarray) -> np.ndarray:
            check_time()
            parts = zip(place.parts(), place.leaves, strict=True)
            leaves = [there[part].reshape(a.shape).astype(a.dtype) for part, a in parts]
            moved = place.moved(leaves)
            with jax.enable_x64(place.wide):
                results = _results(called(moved.params, *copied(place.inputs)))
                check_time()  # as in `Point.call`
            return results

        return f

    own, there = at(given), vector(given.leaves)
    if all(leaf.dtype == np.float64 for leaf in given.leaves):
        return own
    try:
        longer = at(given.in_float64())
        value, exact = own(there), longer(there)
    except Exception:  # the caller's loss, on a dtype that it need not take
        return own
    return longer if _same(value, exact) else own


def compiled(called: Callable[..., Any], given: Point) -> Function:
    """Return a function in JAX as one of a vector, compiled if that is the same.

    What `stop_gradient` stops is constant.

    Raises:
        UndecidableError: as `held`.
    """
    called = held(called, given)
    plain, longer = function(called, given), given.in_float64()

    @jax.jit
    def run(there: Any) -> Any:
        parts = zip(longer.parts(), longer.leaves, strict=True)
        leaves = [there[part].reshape(leaf.shape) for part, leaf in parts]
        params = jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(given.params), leaves)
        return called(params, *longer.inputs)

    def f(there: np.ndarray) -> np.ndarray:
        check_time()
        with jax.enable_x64(True):
            return _results(run(there))

    point = vector(given.leaves)
    with best_effort():  # a callback need not take float64, nor be compiled
        return f if _same(f(point), plain(point)) else plain
    return plain


def _results(result: Any) -> np.ndarray:
    """Return all numbers of a result in one vector; where one is complex it has left its domain."""
    leaves = [np.asarray(leaf).ravel() for leaf in jax.tree_util.tree_leaves(result)]
    return np.concatenate(leaves).astype(np.float64, casting="same_kind")


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    size = np.max(np.abs(other), initial=0.0)
    return bool((np.abs(one - other) <= ANOTHER_VALUE * size).all())


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


class _Around:
    """A function of one vector around a point: its results, and how they change there."""

    def __init__(self, f: Function, given: Point, seed: int, order: int) -> None:
        self.f, self.order = f if order == 1 else _kept(f), order
        self.point, self.sizes = vector(given.leaves), sizes_of(given.leaves)
        self.results = f(self.point)
        self.count, self.rng = self.results.size, np.random.default_rng(seed)
        self.rough = float(np.fmax.reduce([self._roughness(f) for _ in range(PLACES)], axis=None))
        drawn = [self.rng.choice([-1.0, 1.0], size=self.point.size) for _ in range(DRAWS)]
        self._others = [self.point + FAR * signs * np.abs(self.point) for signs in drawn]

    def _roughness(self, f: Function) -> np.ndarray:
        """Return how rough each result is along a random line near the point, (count,)."""
        near = self.point + self.sizes * self.rng.uniform(-0.5, 0.5, self.point.size)
        along = self.sizes * self.rng.uniform(-1, 1, self.point.size)
        return roughnesses(lambda t: f(near + t * along), self.count, 0.0, 1.0, self.order)

    def along(self, way: np.ndarray) -> Callable[[float], np.ndarray]:
        """Return the results as a function of the distance from the point along a way."""
        return lambda t: self.f(self.point + t * way)

    def by(self, k: int) -> Callable[[float], np.ndarray]:
        """Return the results as a function of the k-th number."""

        def f(x: float) -> np.ndarray:
            there = self.point.copy()
            there[k] = x
            return self.f(there)

        return f

    def way(self, k: int, size: float) -> np.ndarray:
        """Return a step of the k-th number alone."""
        return np.where(np.arange(self.point.size) == k, size, 0.0)

    def changes(self, ways: Sequence[np.ndarray], step: float) -> np.ndarray:
        """Return by how much derivatives along some ways change, linearly, (count,).

        All numbers are moved by their own size.
        """

        def central(at: np.ndarray) -> np.ndarray:
            ends = np.zeros(self.count)
            for signs in product((1, -1), repeat=len(ways)):
                moved = sum(sign * step * way for sign, way in zip(signs, ways, strict=True))
                ends = ends + np.prod(signs) * self.f(at + moved)
            return ends / (2 * step) ** len(ways)

        found = np.zeros(self.count)
        with np.errstate(all="ignore"), suppress(Exception):  # where it need not be defined
            here = central(self.point)
            for other in self._others:
                with suppress(Exception):  # as above
                    change = np.abs(central(other) - here)
                    found = np.fmax(found, np.where(np.isfinite(change), change, 0.0))
        return found / FAR


def _kept(f: Function) -> Function:
    """Return a function that is called once at each place: second derivatives share many."""
    seen: dict[bytes, np.ndarray] = {}

    def kept(there: np.ndarray) -> np.ndarray:
        key = there.tobytes()
        if key not in seen:
            seen[key] = f(there)
        return seen[key]

    return kept


class _Line(NamedTuple):
    """A function of one number, of whose derivatives at it some elements are a part."""

    curve: Callable[[float], np.ndarray]  #: the results
    at: float
    size: float  #: by how much the number may be moved
    ways: Sequence[np.ndarray]  #: what the elements are derivatives along
    scale: float  #: the derivatives are so many times the elements
    elements: np.ndarray  #: which these are, one or two for each result


def _by_one(around: _Around, k: int) -> _Line:
    """Return the line of the slopes of all results by the k-th number."""
    x, size = float(around.point[k]), float(around.sizes[k])
    column = k + around.point.size * np.arange(around.count)[:, None]
    return _Line(around.by(k), x, size, [around.way(k, 1.0)], 1.0, column)


def _by_two(around: _Around, i: int, j: int) -> _Line:
    """Return the line of an element of a Hessian and its mirror image."""
    n, sizes = around.point.size, around.sizes
    ways = [around.way(k, sizes[k]) for k in (i, j)]
    mirrored = np.array([[i * n + j, j * n + i]])
    return _Line(_mixed(around, *ways), 0.0, 1.0, ways, sizes[i] * sizes[j], mirrored)


def _by_one_along(around: _Around, k: int, v: np.ndarray) -> _Line:
    """Return the line of an element of the product of a Hessian with a vector."""
    sizes, moved = around.sizes, v != 0
    length = float(np.min(sizes[moved] / np.abs(v[moved]))) if moved.any() else 1.0
    ways = [around.way(k, sizes[k]), length * v]
    # Both steps move the k-th number, so half as long ones stay as near.
    return _Line(_mixed(around, *ways), 0.0, 0.5, ways, sizes[k] * length, np.array([[k]]))


def _mixed(around: _Around, one: np.ndarray, other: np.ndarray) -> Callable[[float], np.ndarray]:
    """Return a function of t whose second derivative at 0 is that along two ways."""
    both, apart, single = map(around.along, (one + other, one - other, other))
    if np.array_equal(one, other):
        return single
    # The value here is added, since rounding is judged by its size.
    return lambda t: (both(t) - apart(t) - (single(t) - single(-t))) / 4 + single(0.0)


@dataclass(frozen=True, eq=False)
class Found:
    """What differences say of the elements of a gradient, a matrix or a product."""

    slopes: Slope  #: of arrays, (size,)
    #: How they change where all parameters are moved by their own size, linearly; (size,).
    changes: np.ndarray
    #: The largest slope nearby of all results by the same parameter, (size,); of a single result,
    #: the one by this parameter that would move it as much as the others do.
    largest: np.ndarray
    around: _Around  #: what they are slopes of
    rough: float  #: how rough that is
    off: float  #: by how much all results of it may be

    @property
    def gradient(self) -> np.ndarray:
        """The slopes and their estimated errors as balls; 0 for what is not known."""
        pairs = zip(self.slopes.value, self.slopes.fine, strict=True)
        found = [arb(value, fine) if np.isfinite(value) else arb(0) for value, fine in pairs]
        return balls.boxed(found, (len(found),))

    def in_order(self, order: np.ndarray) -> "Found":
        """Return it with its elements in another order."""
        slopes = Slope(*(values[order] for values in self.slopes))
        return replace(
            self, slopes=slopes, changes=self.changes[order], largest=self.largest[order]
        )

    def reference(self, value: float, why: str, name: str) -> Reference:
        """Return the estimate.

        Args:
            value: the loss.
            why: why it cannot be certified, in one line.
            name: what messages call the function.
        """
        known, second = np.isfinite(self.slopes.value), " of second order" * (self.around.order > 1)
        how = f"not certified: differences{second} of {name}, which estimate their error"
        if not known.all():
            how += f"; {int(known.sum()):,} of {known.size:,} elements, drawn at random"
        if self.rough > HALF:
            why += f"; if {name} is a solver, tighten its tolerance (rtol=1e-13) in {name}"
        none: Any = {"program": None, "certified": False, "obstacle": why}
        return Reference(arb(value), self.gradient, known, how, bits=53, **none)

    def tolerances(self, given: Point, value: float) -> Tolerances:
        """Return the tolerances: an estimate counts like what an iteration leaves out.

        Args:
            given: the point whose parameters have these slopes.
            value: the loss there.
        """
        gradient, is_rough = self.gradient, self.rough > ROUGH
        own = balls.midpoints(gradient).astype(np.float64)
        fine, nearby = self.slopes.fine, self.slopes.nearby
        about = sizes_about(given.leaves, gradient, balls.contains_zero(gradient))
        coarse = np.fmax(self.slopes.coarse, self.rough * nearby)
        eps = formats.of_elements(given.leaves, "eps")
        unit = eps / 2 * (np.abs(own) + self.changes)
        # Three digits that yours has in common with what is computed are no chance, where more of
        # what is meant is not known.
        enough = SAFE * fine <= HALF_KNOWN * about
        meant = np.fmax(SAFE * fine, np.fmin(SAFE * coarse, HALF_KNOWN * about))
        left_out = np.where(enough & (fine > 0), meant, SAFE * fine)
        approximate = (SOLVER if is_rough else APPROXIMATE) * np.fmax(about, nearby)
        common = (COMMON if is_rough else OWN_ERROR) * self.largest
        jump = np.fmax(SAFE * coarse, np.fmax(approximate, common))
        own_error = OWN_ERROR * np.fmax(np.fmax(about, nearby), self.largest)
        bar = np.fmax(SAFE * np.fmax(fine, coarse), own_error)
        if is_rough:
            jump = np.fmax(jump, UNSETTLED * self.slopes.unsettled)
            bar = np.fmax(bar, jump)
        with np.errstate(over="ignore"):
            of_all = float(np.sum(np.abs(own) * np.abs(vector(given.leaves)) * eps))
            unit_of_loss = float(np.spacing(abs(value)) + of_all) / 2
        full = Tolerance(
            np.nan_to_num(unit),
            np.zeros(own.size),
            unit_of_loss,
            SHARP * unit_of_loss,
            balls.boxed([arb("nan")] * own.size, (own.size,)),
            jump,
            Changes(self.off, left_out),
            bar=bar,
        )
        return Measured(full)


def _lines(
    around: _Around, v: np.ndarray | None
) -> tuple[tuple[int, int], int, Callable[[int], _Line]]:
    """Return the shape of all elements, the number of their lines, and these by their numbers."""
    n = around.point.size
    if around.order == 1:
        return (around.count, n), n, partial(_by_one, around)
    if v is not None:
        return (n, 1), n, partial(_by_one_along, around, v=v)
    i, j = np.triu_indices(n)
    return (n, n), i.size, lambda k: _by_two(around, i[k], j[k])


def _measured(around: _Around, v: np.ndarray | None = None, most: int | None = None) -> Found:
    """Measure what lines show, in an order drawn at random, as many as there is time for.

    Args:
        around: the function, at its point.
        v: the vector of a product with its Hessian; None for its Jacobian or Hessian.
        most: the most lines.
    """
    (rows, columns), count, line_of = _lines(around, v)
    table, changes = np.tile(UNKNOWN, (rows * columns, 1)).T, np.zeros(rows * columns)
    noise, height = np.zeros(around.count), np.zeros(around.count)
    try:
        for k in in_time(around.rng.permutation(count)[:most]):
            line, order = line_of(k), around.order
            found = slopes(line.curve, around.count, line.at, line.size, order)
            table[:, line.elements] = np.array(found.divided(line.scale))[:, :, None]
            noise = np.fmax(noise, np.nan_to_num(found.fine, posinf=0.0) * found.step**order)
            height = np.fmax(height, found.nearby * line.size**order)
            for step in np.unique(found.step[found.step > 0]):
                change, there = around.changes(line.ways, float(step)), found.step == step
                changes[line.elements[there]] = (change[there] / line.scale)[:, None]
    except OutOfTimeError:
        if not np.isfinite(table[0]).any():
            raise
    of_all = Slope(*table)
    rough = max(around.rough, float(np.max(of_all.roughness)))
    off = SAFE * float(np.sum(noise + rough * height))
    nearby = of_all.nearby.reshape(rows, columns)
    if rows == 1:
        largest = np.fmax.reduce(nearby[0] * around.sizes, initial=0.0) / around.sizes
    else:
        # A solver approximates all of its results, also those that do not show it.
        largest = np.broadcast_to(nearby.max(axis=0), nearby.shape)
        largest = np.fmax(largest, largest.T) if around.order == 2 and columns > 1 else largest
    return Found(of_all, changes, np.ravel(largest), around, rough, off)


def of_case(
    case: Case, given: Point, why: str, answers: Callable[[Point], Any], in_jax: bool
) -> tuple[Reference, Tolerances]:
    """Return an estimate of a gradient, a matrix or a product, and what it leaves open.

    Args:
        case, given: the case and its point.
        why: why it cannot be certified, in one line.
        answers: returns the loss of the case at a point, and autodiff's gradient; it is asked where
            that loss is not what differences are of.
        in_jax: whether JAX can compile what is called.

    Raises:
        UndecidableError: the function is not finite around the point, or `stop_gradient` hides
            what it stops.
        OutOfTimeError: there was no time for a single element.
    """
    tangent, name, value = case.tangent(given), "the loss", None
    if case.claim.function() is not None:
        name, value = case.wording.loss, answers(given)[0]
    found = _found(case, given, in_jax)
    if not np.isfinite(found.slopes.value).any():
        raise UndecidableError(f"{name} is not finite around this point, so it has no differences")
    value = float(found.around.results[0]) if value is None else value
    both = found.reference(value, why, name), found.tolerances(given, value)
    return both if tangent is None else projected(*both, tangent)


def few(case: Case, given: Point) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return elements of a function's matrix, their estimated errors, and which are known.

    These are one, drawn at random, and what shares its calls.
    """
    found = _found(case, given, in_jax=False, most=1).slopes
    return found.value, found.coarse, np.isfinite(found.value) & np.isfinite(found.coarse)


def hessian(loss: Callable[..., Any], given: Point) -> np.ndarray:
    """Return the Hessian of a loss, (n, n), float64; NaN where it is not known."""
    found = _measured(_Around(function(loss, given), given, 0, 2))
    return found.slopes.value.reshape(given.size, given.size)


def _found(case: Case, given: Point, in_jax: bool, most: int | None = None) -> Found:
    claim, called = case.claim, case.claim.function()
    second, where = claim.of_hessian, given
    if called is not None:
        x, *args = claim.own_arguments((given.params, *given.inputs))
        where = point_at(x, args)
    f = (compiled if in_jax else function)(called or case.loss, where)
    along = _results(given.inputs[0]) if claim.hessian() is not None else None
    found = _measured(_Around(f, where, case.seed, 1 + second), along, most)
    numbers = np.arange(found.changes.size).reshape(-1, where.size)
    return found.in_order(np.concatenate([np.ravel(block) for block in claim.in_blocks(numbers)]))

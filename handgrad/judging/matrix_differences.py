"""An estimate of a Jacobian, a Hessian or a product with one, where only a function can be called.

A Jacobian's columns are the slopes of all results by one element of x, which share the calls. An
element of a Hessian, by x_i and x_j, is a second derivative along a line. With steps u and v in the
two, that of (f(x + t(u + v)) - f(x + t(u - v)) - f(x + tv) + f(x - tv)) / 4 by t, at t = 0, is
uᵀHv; of the last two terms, which are odd, it is 0, and without them the others would hold first
and third derivatives along v. So is an element of a product of the Hessian with v, by x_i along v;
that takes no other elements of the Hessian.

The loss is differentiated, and not a gradient of the caller's, since only the loss says what is
right. Slopes of slopes, which `scipy.differentiate.hessian` takes, need 18 times as many calls for
each element, and divide the rounding by two small steps in place of one.

Errors are estimated, and tolerances made of them, as those of a gradient are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.clock import OutOfTimeError
from handgrad.data.point import Point, point_at, sizes_of
from handgrad.judging import by_differences
from handgrad.judging.by_differences import DRAWS, FAR, PLACES, SAFE, Found, Function
from handgrad.judging.case import Case
from handgrad.judging.vectors.functions import in_one
from handgrad.oracle.differences import UNKNOWN, Slope, roughnesses, slopes
from handgrad.oracle.reference import Reference, UndecidableError
from handgrad.tolerance.tolerances import Tolerances

OF_SLOPES, OF_SECOND = "differences of {}", "differences of second order of {}"


class _Around:
    """A function of one vector around a point: its results, sizes, and how they are looked at."""

    def __init__(
        self, f: Function, whole: Point, seed: int, order: int, most: int | None = None
    ) -> None:
        self.f, self.order, self._most = f, order, most
        self.point, self.sizes = by_differences.in_one(whole), sizes_of(whole.leaves)
        self.count = np.size(f(self.point))
        self._rng = np.random.default_rng(seed)
        drawn = [self._rng.choice([-1.0, 1.0], size=self.point.size) for _ in range(DRAWS)]
        self._others = [self.point + FAR * signs * np.abs(self.point) for signs in drawn]
        self._seen: dict[bytes, Any] = {}

    def __call__(self, at: np.ndarray) -> Any:
        """Return the results at a place; a single number is asked for once."""
        if self.count > 1:
            return self.f(at)
        key = at.tobytes()
        if key not in self._seen:
            self._seen[key] = self.f(at)
        return self._seen[key]

    def along(self, step: np.ndarray) -> Callable[[float], np.ndarray]:
        """Return the function of the distance along a step."""
        return lambda t: np.reshape(self(self.point + t * step), self.count)

    def order_drawn(self, count: int) -> Any:
        """Yield some of so many numbers, as many as there is time for."""
        return by_differences.in_time(self._rng.permutation(count)[: self._most])

    def roughness(self) -> np.ndarray:
        """Return how rough each result is along random lines near the point, (count,)."""
        rough = np.zeros(self.count)
        for _ in range(PLACES):
            near = self.point + self.sizes * self._rng.uniform(-0.5, 0.5, self.point.size)
            step = self.sizes * self._rng.uniform(-1, 1, self.point.size)

            def f(t: float, near: np.ndarray = near, step: np.ndarray = step) -> np.ndarray:
                return np.reshape(self.f(near + t * step), self.count)

            rough = np.fmax(rough, roughnesses(f, self.count, 0.0, 1.0, self.order))
        return rough

    def changes(self, difference: Callable[[np.ndarray], Any]) -> np.ndarray:
        """Return by how much a difference at a place changes where all numbers are moved, (k,).

        They are moved by their own size, linearly.
        """
        found = np.zeros(1)
        with np.errstate(all="ignore"):
            try:
                here = np.atleast_1d(difference(self.point))
            except Exception:  # the caller's function, where it need not be defined
                return found
            for other in self._others:
                try:
                    change = np.abs(np.atleast_1d(difference(other)) - here)
                except Exception:  # as above
                    continue
                found = np.fmax(found, np.where(np.isfinite(change), change, 0.0))
        return found / FAR


def of_case(
    case: Case, given: Point, why: str, answers: Callable[[Point], Any], compiled: bool
) -> tuple[Reference, Tolerances]:
    """Return an estimate of a gradient or a matrix, and what it leaves open.

    Args:
        case, given: the case and its point.
        why: why it cannot be certified, in one line.
        answers: returns the loss of the case at a point, and autodiff's gradient; of a matrix alone
            it is asked.
        compiled: whether JAX can compile what is called.

    Raises:
        UndecidableError: the function is not finite around the point, or `stop_gradient` hides
            what it stops.
        OutOfTimeError: there was no time for a single element.
    """
    tangent, claim = case.tangent(given), case.claim
    if claim.function() is None:
        function = by_differences.compiled if compiled else by_differences.function
        found = by_differences.reference(function(case.loss, given), given, why, case.seed)
        return found if tangent is None else by_differences.projected(*found, tangent)
    value, found = answers(given)[0], _found(case, given, compiled)
    name, how = ("fun", OF_SLOPES) if claim.order == 1 else ("the loss", OF_SECOND)
    if not any(np.isfinite(s.value) for s in found.slopes):
        raise UndecidableError(f"{name} is not finite around this point, so it has no differences")
    of_loss = 0.0
    if claim.is_matrix:
        fine = np.array([s.fine if np.isfinite(s.fine) else 0.0 for s in found.slopes])
        of_loss = SAFE * float(np.abs(by_differences.in_one(given)) @ fine)
    both = found.reference(value, why, how.format(name)), found.tolerances(given, value, of_loss)
    return both if tangent is None else by_differences.projected(*both, tangent)


def few(case: Case, given: Point) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return elements of a function's matrix, their estimated errors, and which are known.

    These are one, drawn at random, and what shares its calls.
    """
    slopes = _found(case, given, compiled=False, most=1).slopes
    values, errors = np.array([s.value for s in slopes]), np.array([s.coarse for s in slopes])
    return values, errors, np.isfinite(values) & np.isfinite(errors)


def _found(case: Case, given: Point, compiled: bool, most: int | None = None) -> Found:
    function = by_differences.compiled if compiled else by_differences.function
    claim, converted = case.claim, _vector if case.claim.order == 1 else _number
    x, *args = claim.own_arguments((given.params, *given.inputs))
    whole = point_at(x, args)
    f = function(claim.function() or case.loss, whole, converted)
    around = _Around(f, whole, case.seed, claim.order, most)
    if claim.contracted_with:
        return _product(around, _vector(given.inputs[0]))
    found = _jacobian(around) if claim.order == 1 else _hessian(around)
    places = claim.in_blocks(np.arange(len(found.slopes)).reshape(-1, around.point.size))
    order = np.concatenate([np.ravel(block) for block in places])
    others = (found.changes[order], found.rough[order], found.largest[order])
    return Found([found.slopes[k] for k in order], *others)


def hessian(loss: Callable[..., Any], whole: Point) -> np.ndarray:
    """Return the Hessian of a loss, (n, n), float64; NaN where it is not known."""
    f = by_differences.function(loss, whole, _number)
    found = _hessian(_Around(f, whole, 0, 2))
    return np.array([s.value for s in found.slopes]).reshape(whole.size, whole.size)


def _jacobian(around: _Around) -> Found:
    """Return the slopes of all results by each element of x, row by row."""
    m, n, sizes = around.count, around.point.size, around.sizes
    found, changes = np.full((m, n), None), np.zeros((m, n))
    found.fill(UNKNOWN)
    rough = around.roughness()

    def measure(j: int) -> None:
        unit = np.where(np.arange(n) == j, 1.0, 0.0)
        at, x = around.point.copy(), float(around.point[j])

        def along(there: float) -> np.ndarray:
            at[j] = there
            return np.reshape(around(at), m)

        of_column = slopes(along, m, x, float(sizes[j]))
        for i, slope in enumerate(of_column):
            found[i, j] = slope
        steps = np.array([slope.step for slope in of_column])
        for step in np.unique(steps[steps > 0]):

            def central(place: np.ndarray, h: np.ndarray = step * unit) -> Any:
                return (around(place + h) - around(place - h)) / (2 * np.max(h))

            changes[:, j] = np.where(steps == step, around.changes(central), changes[:, j])

    _in_time(around, n, measure, lambda: any(np.isfinite(s.value) for s in found.flat))
    # A solver approximates all of its results, also those that do not show it.
    nearby = np.array([slope.nearby for slope in found.flat]).reshape(m, n)
    largest = np.broadcast_to(nearby.max(axis=0), (m, n)).reshape(-1)
    return replace(_together(list(found.flat), changes, rough), largest=largest)


def _hessian(around: _Around) -> Found:
    """Return the second derivatives by each pair of elements of x, row by row."""
    n = around.point.size
    found, changes = np.full((n, n), None), np.zeros((n, n))
    found.fill(UNKNOWN)
    rough = around.roughness()
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    units = np.diag(around.sizes)

    def measure(k: int) -> None:
        i, j = pairs[k]
        slope, changes[i, j] = _second(around, units[i], units[j], 1.0)
        size = around.sizes[i] * around.sizes[j]
        found[i, j] = found[j, i] = _scaled(slope, size)
        changes[i, j] = changes[j, i] = changes[i, j] / size

    _in_time(around, len(pairs), measure, lambda: any(np.isfinite(s.value) for s in found.flat))
    # As in `_jacobian`, of the gradient.
    nearby = np.array([slope.nearby for slope in found.flat]).reshape(n, n)
    of_column = np.broadcast_to(nearby.max(axis=0), (n, n))
    largest = np.fmax(of_column, of_column.T).reshape(-1)
    return replace(_together(list(found.flat), changes, rough), largest=largest)


def _product(around: _Around, v: np.ndarray) -> Found:
    """Return the second derivatives by each element of x along a vector."""
    n, sizes = around.point.size, around.sizes
    found, changes = [UNKNOWN] * n, np.zeros(n)
    rough = around.roughness()
    moved = v != 0
    length = float(np.min(sizes[moved] / np.abs(v[moved]), initial=np.inf)) if moved.any() else 1.0
    units = np.diag(sizes)

    def measure(i: int) -> None:
        # Both steps move x_i, so half as long ones stay as near.
        slope, change = _second(around, units[i], length * v, 0.5)
        found[i], changes[i] = _scaled(slope, sizes[i] * length), change / (sizes[i] * length)

    _in_time(around, n, measure, lambda: any(np.isfinite(s.value) for s in found))
    largest = np.full(n, max(slope.nearby for slope in found))
    return replace(_together(found, changes, rough), largest=largest)


def _second(
    around: _Around, one: np.ndarray, other: np.ndarray, size: float
) -> tuple[Slope, float]:
    """Return the second derivative along two steps, oneᵀ·H·other, and how it changes."""
    both, apart, single = map(around.along, (one + other, one - other, other))

    def mixed_curve(t: float) -> np.ndarray:
        # The value here is added, since rounding is judged by its size.
        return (both(t) - apart(t) - (single(t) - single(-t))) / 4 + single(0.0)

    curve = single if np.array_equal(one, other) else mixed_curve
    slope = slopes(curve, 1, 0.0, size, 2)[0]
    u, v = slope.step * one, slope.step * other

    def mixed(at: np.ndarray) -> Any:
        ends = around(at + u + v) + around(at - u - v) - around(at + u - v) - around(at - u + v)
        return ends / (4 * slope.step**2)

    return slope, float(np.max(around.changes(mixed))) if slope.step else 0.0


def _together(found: Sequence[Slope], changes: np.ndarray, rough: np.ndarray) -> Found:
    most = max(float(np.max(rough)), *(slope.roughness for slope in found))
    of_all = np.full(len(found), most)
    return Found(found, changes.reshape(-1), of_all, np.zeros(len(found)))


def _scaled(slope: Slope, size: float) -> Slope:
    """Return a slope by t as one by what t is a multiple of."""
    scaled = ("value", "fine", "coarse", "nearby", "unsettled")
    return slope._replace(**{name: getattr(slope, name) / size for name in scaled})


def _in_time(
    around: _Around, count: int, measure: Callable[[int], None], some: Callable[[], bool]
) -> None:
    """Measure each of so many parts, as many as there is time for."""
    try:
        for k in around.order_drawn(count):
            measure(k)
    except OutOfTimeError:
        if not some():
            raise


def _number(value: Any) -> float:
    return float(np.reshape(value, ()))


def _vector(value: Any) -> np.ndarray:
    return np.asarray(in_one(value), dtype=np.float64)

"""Rerun a gradient at another precision, to tell lost digits from a wrong formula.

A gap that shrinks at a higher precision is rounding; a gap that stays is a mistake. Code that NumPy
can run on objects or that JAX can trace is rerun in ball arithmetic, where nothing is lost; other
code in longer floats.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.data import formats
from handgrad.data.attempts import best_effort
from handgrad.data.point import Point, real_inputs, vector
from handgrad.data.silent import quiet
from handgrad.judging import exact_runs
from handgrad.judging.case import Case
from handgrad.judging.exact_runs import Real
from handgrad.judging.ruling import FLOAT32
from handgrad.judging.witness import INCONCLUSIVE, RIGHT_FORMULA, UNTOLD, WRONG_FORMULA, Gaps
from handgrad.oracle.numpy_losses.dispatch import Perturbation
from handgrad.oracle.numpy_losses.iterations import AtPlaces, loops
from handgrad.oracle.truncation import FEWEST
from handgrad.program.equations import equations
from handgrad.program.interpreter import Run
from handgrad.program.numpy_to_jax import names_in
from handgrad.program.programs import Program
from handgrad.program.rules import RULES
from handgrad.program.trace import traced_alone
from handgrad.tolerance.perturbed_numpy import OtherConstants
from handgrad.tolerance.runs import SHARP_DRAWS

#: In longer floats a gap that is rounding shrinks with the unit roundoff, up to this factor by
#: chance. A gap that shrinks only with its root, as that of a finite difference does, is not
#: rounding: from float64 to NumPy's longest floats on x86 45 times instead of 2048.
LUCK = 16

#: The precision of the caller's code in ball arithmetic; and one that is tried first, at which
#: products take a third of the time.
BITS, FEW_BITS = 1024, 256

#: The precision of float32.
BITS_OF_FLOAT32 = 24

#: At few bits enclosures must be narrower by this factor than what they are compared with.
NARROW = 1024

#: How code is run in balls. NumPy comes first, since to JAX the same lines may mean another thing:
#: after `b = a`, `b *= c` leaves a as it is. So what JAX runs must be as far off in its floats.
RUNNERS: tuple[Callable[..., Any], ...] = (
    exact_runs.by_numpy,
    exact_runs.by_stand_ins,
    exact_runs.by_jax,
    exact_runs.in_jax,
)

#: Constants that are rounded to float32 change a formula by so many of its ulps, relatively.
ULPS_OF_CONSTANTS = 4

#: What code loses that cannot be rerun is not known: SciPy's `expm` is off by 7e-13 of a matrix of
#: 3 × 3, and no rounding explains it. A gap below this fraction of an element, which leaves LAPACK
#: and the like a thousand times as much, is no evidence of a wrong formula.
UNKNOWN_CODE = 1e-9

#: How far parameters are moved, relatively, to see how a gradient varies beside the point.
NEAR = 1e-4

#: Points on the way to the origin, where saturated functions are not saturated.
WAY = tuple(2.0**-k for k in range(1, 7))

#: How many half ulps a constant may be off: √(2π) is the result of three operations.
CONSTANTS = 8

UNKNOWN = arb("nan")

Gradient = Callable[..., Any]


def formula(case: Case, given: Point, gaps: Gaps) -> np.ndarray:
    """Tell whether elements of a gradient are off by rounding alone, as far as reruns can show.

    Returns:
        WRONG_FORMULA, INCONCLUSIVE, UNTOLD or RIGHT_FORMULA for each element.
    """
    with balls.precision(BITS):
        shown, error = np.full(gaps.gap.shape, INCONCLUSIVE), gaps.gap
        exact = _at_few_bits(case, given, gaps) or _in_balls(case, given, gaps)
        if exact is not None:
            known, error = _known(exact.gradient), gaps.gap_of(exact.gradient)
            by_constants = 0.0
            if (known & gaps.vanishes(error) & (error > gaps.sharp)).any():
                by_constants = _by_constants(exact)
            shown = np.where(known, gaps.shown_by(error, by_constants), INCONCLUSIVE)
            if (shown[gaps.wrong] == WRONG_FORMULA).any():
                of_jax = case.programs.get(given.form)
                going_on = _of_iterations if of_jax is None else partial(_of_loops, of_jax)
                limit = _attempt(lambda: going_on(case, given))
                # Code that sorts may compare otherwise, and go wrong elsewhere.
                if limit is not None and (gaps.gap_of(limit) <= gaps.sharp).all():
                    is_right = gaps.shown_by(gaps.gap_of(limit)) == RIGHT_FORMULA
                    shown = np.where((shown == WRONG_FORMULA) & is_right, RIGHT_FORMULA, shown)
            error = np.where(known, error, gaps.gap)
        for dtype in (np.float64, np.longdouble):
            if (shown != INCONCLUSIVE).all():
                break
            longer = _attempt(lambda d=dtype: _in_longer_floats(case, given, d))
            if longer is not None:
                # One that stays proves nothing: what is called there may be rounded to float64.
                with np.errstate(over="ignore"):
                    shrinks = gaps.gap_of(longer) * _shrinks(given, dtype) <= gaps.gap
                shown = np.where((shown == INCONCLUSIVE) & shrinks, RIGHT_FORMULA, shown)
        # What asks for the dtype, or for types, may do something else in a rerun: rounding of its
        # lines must explain the gap.
        if exact is not None and (shown == RIGHT_FORMULA).any():
            doubted = (shown == RIGHT_FORMULA) & (gaps.gap > LUCK * _rounding(case, exact, given))
            shown = np.where(doubted, INCONCLUSIVE, shown)
    untold = gaps.wrong & (shown == INCONCLUSIVE)
    if untold.any():
        most = _attempt(lambda: _may_lose(case, given))
        small = gaps.gap <= np.fmax(UNKNOWN_CODE * gaps.size, 0.0 if most is None else most)
        shown = np.where(untold & small, UNTOLD, shown)
    # A formula that is right but for constants that float32 rounds, in answers in float32.
    most = ULPS_OF_CONSTANTS * np.finfo(np.float32).eps * np.abs(balls.midpoints(gaps.reference))
    rounded = (error <= most) & (gaps.gap <= gaps.sharp * FLOAT32) & (shown != RIGHT_FORMULA)
    if rounded.any():
        shown = np.where(rounded & in_float32(case, given), RIGHT_FORMULA, shown)
    return shown


def _may_lose(case: Case, given: Point) -> np.ndarray:
    """Return how much of each element rounding seems to take from code that cannot be rerun.

    On either side of the point a formula is smooth, and rounding is not: fourth differences show
    it (Moré and Wild 2011). What does not vary at all may be saturated, as 1 - σ(z) is 0 in floats
    from z = 37 on: it may be off by rounding of what it is on the way to the origin. In short
    formats the points, too, are rounded, and show nothing.
    """
    sides = np.array(
        [
            [_answer(case, _moved(case, given, side * k * NEAR)) for k in range(1, 10)]
            for side in (-1, 1)
        ]
    )
    way = [case.varied(given, lambda x, t=t: np.asarray(t * x, x.dtype)) for t in WAY]
    largest = np.max([np.abs(_answer(case, at)) for at in (given, *way)], axis=0)
    noise = np.sqrt(np.mean(np.diff(sides, 4, axis=1) ** 2, axis=1) / math.comb(8, 4))
    saturated = formats.of_elements(given.leaves, "eps") * largest
    most = LUCK * np.where((sides == sides[:, :1]).all(axis=1), saturated, noise).max(axis=0)
    return np.where(formats.of_elements(given.leaves, "half"), 0.0, most)


def in_float32(case: Case, given: Point) -> np.ndarray:
    """Tell which elements of float64 the gradient computes in float32, bool, shape (size,).

    All of a leaf's numbers are float32's, here and beside it, where some are others.
    """
    near = _moved(case, given, NEAR)
    answers = _attempt(lambda: [_answer(case, at) for at in (given, near)])
    found = np.zeros(given.size, dtype=bool)
    for leaf, part in zip(given.leaves, given.parts(), strict=True):
        if answers is not None and leaf.dtype == np.float64:
            here, there = (answer[part] for answer in answers)
            single = [(a.astype(np.float32) == a).all() for a in (here, there)]
            found[part] = all(single) and (here != there).any()
    return found


def _moved(case: Case, given: Point, distance: float) -> Point:
    """Return a point at a distance, relative to each parameter."""
    rng = np.random.default_rng(0)

    def moved(x: np.ndarray) -> np.ndarray:
        step = distance * rng.uniform(0.5, 1.0, x.shape)
        return np.asarray(x + step * np.where(x, x, 1), x.dtype)

    return case.varied(given, moved)


def _answer(case: Case, near: Point) -> np.ndarray:
    leaves = _leaves(case, near.call(case.gradient)[0])
    return case.projected(near, vector([np.asarray(leaf) for leaf in leaves]))


class OtherShapeError(ValueError):
    """A rerun gave a leaf of another shape."""


def _attempt(run: Callable[[], Any]) -> Any:
    """Run the caller's code on numbers that it was not written for; None if it raises."""
    with best_effort(TypeError, RuntimeError), quiet():
        return run()
    return None


class _Exact(NamedTuple):
    gradient: np.ndarray  #: in balls, NaN where that proves nothing
    #: Returns it with other constants in the code, if it is given any.
    again: Callable[[Perturbation | None], np.ndarray]


def _by_constants(exact: _Exact) -> np.ndarray:
    """Return the error that rounded constants of the code explain: those of the formula π/2 - φ.

    It is `CONSTANTS` times the largest change over draws of such constants half an ulp away.
    """
    rng, change = np.random.default_rng(0), np.zeros(exact.gradient.shape)
    for _ in range(SHARP_DRAWS):
        other = _attempt(lambda: exact.again(OtherConstants(rng)))
        if other is None:
            return np.zeros(change.shape)
        change = np.fmax(change, balls.magnitudes(other - exact.gradient))
    return CONSTANTS * np.where(np.isfinite(change), change, 0)


def _rounding(case: Case, exact: _Exact, given: Point) -> np.ndarray:
    """Enclose what rounding may do to the caller's lines; it is infinite where that is not known.

    They count as float32's, as code in float64 may compute in it, or as those of shorter formats
    that it is given; what it casts to such formats itself may vanish as well.
    """
    floats = (*given.leaves, *real_inputs(given))
    bits = min(1 - round(math.log2(formats.of(a.dtype).eps)) for a in floats)
    if not names_in(case.gradient).isdisjoint(formats.HALF) or _casts(case, given):
        return np.full(exact.gradient.shape, np.inf)
    with balls.precision(min(bits, BITS_OF_FLOAT32)):
        again = _attempt(lambda: exact.again(None))
    if again is None:
        return np.full(exact.gradient.shape, np.inf)
    # What is decided otherwise in few bits is no less an effect of rounding.
    width = balls.magnitudes(again - exact.gradient)
    return np.where(np.isnan(width), np.inf, width)


def _casts(case: Case, given: Point) -> bool:
    """Tell whether a gradient that JAX traces casts to short formats, as a rule inside it may."""
    program = _attempt(lambda: traced_alone(case.gradient, given))
    found = equations(program.jaxpr.jaxpr) if program else ()
    return any(formats.is_half(getattr(v.aval, "dtype", None)) for e in found for v in e.outvars)


def _at_few_bits(case: Case, given: Point, gaps: Gaps) -> _Exact | None:
    """Run the caller's code in balls by NumPy at few bits; None if these do not suffice."""
    arguments = _arguments(given)

    def run(constants: Perturbation | None = None, final: bool = True) -> np.ndarray:
        return _flat(case, given, exact_runs.by_numpy(case.gradient, arguments, constants, final))

    with balls.precision(FEW_BITS):
        found = _attempt(lambda: run(final=False))
        if found is None or not (NARROW * balls.radii(found) <= gaps.resolved).all():
            return None
    return _Exact(found, run)


def _of_iterations(case: Case, given: Point) -> np.ndarray | None:
    """Run the caller's code in balls by NumPy, its loops that a tolerance ends going on.

    None if it has no such loops. Its slopes are those of the loss at a solution, and as far off as
    the solution is.
    """
    arguments, options = (
        _arguments(given),
        {"dependent": False, "until": [exact_runs.by_numpy.__code__]},
    )

    def run(made: AtPlaces) -> Any:
        return exact_runs.by_stand_ins(case.gradient, arguments, comparisons=made)

    found = loops(run, **options)
    if not found.ends:
        return None
    going_on = found.going_on(max(FEWEST, found.iterations), final=True, undefined=True, **options)
    return _flat(case, given, run(going_on))


def _of_loops(program: Program, case: Case, given: Point) -> np.ndarray | None:
    """Run the program of the caller's code in balls, its loops that a tolerance ends going on.

    None if it has no such loops.
    """
    exact = map(balls.exact, (*given.leaves, *real_inputs(given)))
    arguments = [Dual(a, balls.zeros((1, *a.shape))) for a in exact]
    numbers = Comparisons(final=True, undefined=True)
    run = Run(RULES, numbers, program.memory, further=FEWEST)
    leaves = run.closed(program.jaxpr, arguments)[case.has_value :]
    return _projected(case, given, [leaf.value for leaf in leaves]) if run.iterations else None


def _arguments(given: Point) -> Any:
    """Return the arguments of the caller's code in balls."""
    numbers = jax.tree_util.tree_map(
        lambda leaf: np.float64(leaf) if type(leaf) is float else leaf, given.params
    )
    return exact_runs.exactly((numbers, *given.inputs))


def _in_balls(case: Case, given: Point, gaps: Gaps) -> _Exact | None:
    """Run the caller's code in balls: as a whole, or the backward pass with the forward's cache."""
    arguments = _arguments(given)
    whole = _gradient_in_balls(case, given, gaps, case.gradient, arguments)
    passes = case.claim.passes
    if whole is not None or passes is None:
        return whole
    forward, backward = passes
    caches = (_attempt(lambda r=runner: [r(forward, arguments)]) for runner in RUNNERS)
    cache = next((found for found in caches if found is not None), None)
    if cache is None:
        return None
    after = (*cache, *arguments[1:])
    return _gradient_in_balls(case, given, gaps, backward, after)


def _gradient_in_balls(
    case: Case, given: Point, gaps: Gaps, gradient: Gradient, arguments: Any
) -> _Exact | None:
    """Return the gradient in balls in the first way that works."""
    for runner in RUNNERS:

        def again(constants: Perturbation | None = None, runner: Any = runner) -> np.ndarray:
            return _flat(case, given, runner(gradient, arguments, constants))

        exact = _attempt(again)
        if exact is None:
            continue
        if runner is exact_runs.by_numpy:
            return _Exact(exact, again)
        if runner is exact_runs.by_stand_ins:
            # The same lines are off by what the answer is off by, or by less.
            known = gaps.gap_of(exact) <= gaps.gap * LUCK
            return _Exact(np.where(known, exact, np.full(exact.shape, UNKNOWN)), again)
        floats = _attempt(lambda r=runner: _flat(case, given, r(gradient, arguments, floats=True)))
        if floats is not None:
            gap = gaps.gap_of(floats)
            alike = (gap * LUCK >= gaps.gap) & (gap <= gaps.gap * LUCK)
            return _Exact(np.where(alike, exact, np.full(exact.shape, UNKNOWN)), again)
    return None


def _flat(case: Case, given: Point, grads: Any) -> np.ndarray:
    """Return a gradient as one vector of balls; floats in it, which a run left out, are unknown."""
    parts = [
        leaf.numbers.value if isinstance(leaf, Real) else np.full(np.shape(leaf), UNKNOWN)
        for leaf in _checked(_leaves(case, grads), given)
    ]
    return _projected(case, given, parts)


def _projected(case: Case, given: Point, parts: list[np.ndarray]) -> np.ndarray:
    """Return the leaves of a gradient in balls as a vector: its part in the tangent space."""
    whole, tangent = np.concatenate([part.reshape(-1) for part in parts]), case.tangent(given)
    return whole if tangent is None else tangent.projected(whole)


def _known(exact: np.ndarray) -> np.ndarray:
    return ~np.isnan(balls.midpoints(exact))


def _leaves(case: Case, grads: Any) -> list[Any]:
    return jax.tree_util.tree_leaves(grads[1] if case.has_value else grads)


def _checked(leaves: list[Any], given: Point) -> list[Any]:
    if [np.shape(leaf) for leaf in leaves] != [leaf.shape for leaf in given.leaves]:
        raise OtherShapeError
    return leaves


def _in_longer_floats(case: Case, given: Point, dtype: Any) -> np.ndarray | None:
    """Run the code in longer floats; None if these are not longer, or it converts them."""
    if not any(formats.of(leaf.dtype).eps > np.finfo(dtype).eps for leaf in given.leaves):
        return None

    def longer(leaf: Any) -> Any:
        return leaf.astype(dtype) if _is_floats(leaf) else leaf

    arguments = jax.tree_util.tree_map(longer, (given.params, *given.inputs))
    with jax.enable_x64(True):
        grads = case.gradient(*arguments)
    found = [np.asarray(leaf) for leaf in _checked(_leaves(case, grads), given)]
    if any(leaf.dtype != dtype for leaf in found):
        return None
    return _projected(case, given, [_exact(leaf) for leaf in found])


def _shrinks(given: Point, dtype: Any) -> np.ndarray:
    """Return by how much rounding shrinks in longer floats at least, for each element."""
    longer = np.finfo(dtype).eps
    factors = [float(formats.of(leaf.dtype).eps / longer) / LUCK for leaf in given.leaves]
    factors = [factor if factor > 1 else np.inf for factor in factors]
    return np.repeat(factors, [leaf.size for leaf in given.leaves])


def _is_floats(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.name in formats.JUDGED


def _exact(values: np.ndarray) -> np.ndarray:
    """Convert longest floats to balls exactly: the nearest float64, and the remainder."""
    head = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        tail = (values - head).astype(np.float64)
    return np.asarray(balls.exact(head) + balls.exact(tail), dtype=object)

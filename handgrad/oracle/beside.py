"""Certify a gradient by those beside the point, where a number is not finite at the point itself.

Code replaces such a number: `where(isnan(r), 1, r)` for r = expm1(x)/x at 0, `nan_to_num`, `sinc`.
The lines that run at the point alone say then what the loss is there, and not how it changes. Three
cases are told apart, along random lines through the point. Where the same is replaced beside it,
too, as it is for missing data, what runs at the point is right. Where less is, the same on all
sides, and the loss goes on from its value at the point, the gradient there is the limit of those
beside it (by the mean value theorem), if they have one, and if the loss changes like it where more
is replaced than beside the point, too: no random line lies on the axes, where x·y/(x·y) is, nor in
a plane in which a number stays 0, such as x - y in (x - y)/(x - y). Otherwise nothing is decided.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import combinations

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import (
    EQUAL,
    Comparisons,
    MorePrecisionNeededError,
    PatchedError,
    Where,
)
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.data.point import vector
from handgrad.oracle.evaluate import Problem, slopes
from handgrad.oracle.random_directions import generic_direction
from handgrad.oracle.reference import (
    BITS,
    BITS_OF_ZERO,
    GOOD,
    NotFiniteError,
    Reference,
    UndecidableError,
    check_good,
)

#: How many random lines, and how far from the point, in sizes of the parameters. Where all elements
#: are 0, an enclosure of one is good if it is narrower than 2⁻¹¹⁵⁴ (`check_good`), so a gradient
#: that changes linearly has to be looked at nearer than that. Four times as many bits as the steps
#: have resolve the quotient of numbers that both vanish like the third power.
LINES, STEPS = 2, (-1400, -1600)

#: How many planes of an array are looked at one by one, and how many of all two by two.
PLANES = 8

#: Of how many parameters: in each direction of these all numbers are kept, in thousands of bits.
MOST = 64

#: A value that differs from the limit by less is the limit, whatever its rounding.
SAME = arb(2) ** -1000

HOW = "; beside the point, since a number is not finite there: the limit along {} random lines"

#: Certifies a problem.
Certify = Callable[..., Reference]


def beside(problem: Problem, error: PatchedError | NotFiniteError, certify: Certify) -> Reference:
    """Return the reference gradient by those beside the point.

    Args:
        problem: the loss and the point.
        error: what certifying it there raised.
        certify: certifies a problem there or at another point.

    Raises:
        NotFiniteError: the loss is not finite, or its slope, and nothing is replaced.
        UndecidableError: there is no such limit, or the loss jumps.
    """
    settled = replace(problem, settled=True)
    with balls.precision(BITS[-1]):  # a line that is rounded is no line to numbers that vanish
        lines = _lines(problem)
    here, *sides = (_replaced(settled, line) for line in (None, *lines))
    alike = None not in sides and all(side == sides[0] for side in sides)
    if isinstance(error, PatchedError) and alike and here == sides[0]:
        return certify(settled)
    with balls.precision(BITS[-1]):
        value = None if problem.linear else _value(settled)
        if isinstance(error, NotFiniteError) and value is None:
            raise error
        near, far = ([line * arb(2) ** step for line in lines] for step in STEPS[::-1])
    found = None
    if value is not None and alike:
        with suppress(UndecidableError, UndecidableKinkError, PatchedError):
            nearer, farther = (
                [certify(replace(settled, shift=shift)) for shift in shifts]
                for shifts in (near, far)
            )
            found = _limit(settled, value, nearer, farther, far[0])
        if found is not None:
            with balls.precision(BITS[-1]):
                planes = _in_planes(problem)
                if not all(_goes_on_along(d, found, settled) for d in planes):
                    found = None
    if found is None:
        raise UndecidableError(
            f"{problem.not_finite()} is not finite at this point; the loss replaces it, and no "
            "gradient fits both that value and the loss beside the point"
        )
    return found


def _lines(problem: Problem) -> list[np.ndarray]:
    """Return directions in general position and their opposites, in sizes of the parameters."""
    arrays = [*problem.leaves, *problem.inputs][problem.moving]
    if not arrays:  # values that the code uses cannot be moved
        return []
    flat = np.abs(vector(arrays))
    sizes = balls.exact(np.where(flat > 0, flat, 1.0))
    rng = np.random.default_rng(problem.fingerprint)
    lines = [generic_direction(rng, flat.size)[0] * sizes for _ in range(LINES)]
    return [sign * line for line in lines for sign in (1, -1)]


def _replaced(problem: Problem, line: np.ndarray | None) -> list[Where] | None:
    """Return which decisions NaN makes at the point, or beside it; None if that is not known."""
    direction = generic_direction(np.random.default_rng(problem.size), problem.size)
    for bits in BITS:
        found = Comparisons(final=bits == BITS[-1], undefined=bits >= BITS_OF_ZERO)
        with suppress(MorePrecisionNeededError), balls.precision(bits):
            # Half of the digits tell what is so near from the point, and what is at a distance.
            shift = None if line is None else line * arb(2) ** (-bits // 2)
            slopes(replace(problem, shift=shift), direction, found)
            return found.patched
    return None


def _value(problem: Problem) -> arb | None:
    """Return the loss at the point itself; None if it is not finite, or nothing is replaced."""
    direction = generic_direction(np.random.default_rng(problem.size), problem.size)
    found = Comparisons(final=True, undefined=True)
    slopes(problem, direction, found)
    if not found.ties and not found.patched:
        return None
    loss, _ = slopes(problem, direction, found.for_rerun(dict.fromkeys(found.ties, EQUAL)))
    return loss if loss.is_finite() else None


def _limit(
    problem: Problem,
    value: arb,
    near: list[Reference],
    far: list[Reference],
    shift: np.ndarray,
) -> Reference | None:
    """Return the limit of gradients on all sides; None if they have none, or the loss jumps."""
    if not all(r.known.all() and r.kink is None and r.certified for r in (*near, *far)):
        return None
    with balls.precision(BITS[-1]):
        if not all(_goes_on(value, r.loss) for r in near):
            return None
        # What changes like a power of the step is nearer to the limit than to the step before.
        pairs = [(n.gradient, f.gradient) for n, f in zip(near, far, strict=True)]
        ends = [n + (n - f) * arb(0, 2) for n, f in pairs]
        gradient = ends[0]
        for other in ends[1:]:
            gradient = balls.array(np.frompyfunc(arb.union, 2, 1)(gradient, other))
        try:
            check_good(problem, gradient, value, BITS[-1])
        except UndecidableError:
            return None
    how, bits = near[0].how + HOW.format(LINES), max(r.bits for r in near)
    # JAX's own gradient is another at the point, or none, and so no measure of rounding.
    there = replace(problem, shift=shift, traced=replace(problem.traced, gradient=None))
    return Reference(value, gradient, near[0].known, how, bits, program=None, problem=there)


def _in_planes(problem: Problem) -> Iterator[np.ndarray]:
    """Yield the axes, and a direction in each plane in which a number stays 0 that is 0 here.

    And one in each in which all numbers of an array do, x - mean(x), say, and in which some two do.
    A plane that is normal to an axis has the others in it.
    """
    units = balls.exact(np.eye(problem.size))
    yield from units
    if problem.size > MOST:
        return
    generic = generic_direction(np.random.default_rng(problem.size), problem.size)[0]
    arrays: list[list[np.ndarray]] = []
    problem.results(units, lambda number: arrays.append(_normals(number, problem.size)))
    some = [[normal] for normals in arrays for normal in normals[:PLANES]]
    pairs = (one + other for one, other in combinations(some[:PLANES], 2))
    for normals in (*some, *pairs, *(n for n in arrays if len(n) > 2)):
        across: list[np.ndarray] = []
        for normal in normals:
            rest = _less(normal, across)
            if rest @ rest > SAME * (normal @ normal):
                across.append(rest)
        if 0 < len(across) < problem.size:
            yield _less(generic, across)


def _normals(number: Dual, size: int) -> list[np.ndarray]:
    """Return the normals of the planes in which numbers of an array stay 0, if on no axis."""
    zeros = [bool(ball.is_zero()) for ball in number.value.flat]
    if number.tangent is None or not any(zeros):
        return []
    found: dict[bytes, np.ndarray] = {}
    for normal in number.tangent.reshape(size, -1)[:, zeros].T:
        slopes = balls.midpoints(normal)
        if np.count_nonzero(slopes) > 1 and np.isfinite(slopes).all():
            slopes = np.round(slopes / slopes[np.argmax(np.abs(slopes))], 12)
            found.setdefault(slopes.tobytes(), normal)
    return [*found.values()]


def _less(vector: np.ndarray, across: Iterable[np.ndarray]) -> np.ndarray:
    """Return a vector less its parts along others, which are orthogonal."""
    for other in across:
        vector = balls.array(vector - other * ((vector @ other) / (other @ other)))
    return vector


def _goes_on_along(direction: np.ndarray, limit: Reference, problem: Problem) -> bool:
    """Tell whether the loss goes on with a limit's slope along a direction, to both sides."""
    slope = (limit.gradient * direction).sum()
    for step in (arb(2) ** STEPS[0], -(arb(2) ** STEPS[0])):
        there = replace(problem, shift=balls.array(direction * step))
        loss, found = slopes(there, direction[None], Comparisons(True, True))
        if not (_goes_on(limit.loss, loss) and _goes_on(slope, found[0])):
            return False
    return True


def _goes_on(value: arb, other: arb) -> bool:
    return bool(abs(value - other) < GOOD * abs(value) + SAME)

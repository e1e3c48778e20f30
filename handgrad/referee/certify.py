"""The certified gradient of a loss at a point: every element between bounds, or a reason why not.

Few parameters: the loss is evaluated on series, one direction for each parameter. Many: JAX's own
gradient program is evaluated in balls, which gives every element at once, and *held to* series in
random directions. The directions are scaled so that an error of any element, relative to its size,
shows equally.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flint import arb

from handgrad.referee import balls, evaluate
from handgrad.referee.evaluate import Problem, rounded_constants
from handgrad.referee.kinks import Kink, UndecidableKinkError, check_flat_ties, differ, kink
from handgrad.referee.program import Program, custom_rules
from handgrad.referee.ties import Comparisons, MorePrecisionNeededError, Where

#: Working precisions, each about twice the one before; beyond the last an element is undecidable.
BITS = (192, 384, 768, 1536, 3072, 6000)

#: An enclosure is good when it is this much narrower than the element, or than its unit.
GOOD = 2.0**-80

#: An element that is not told from 0 at this precision is 0.
BITS_OF_ZERO = 1500

#: Up to so many parameters each gets a direction of its own; beyond, if that takes less than
SMALL, QUICK_S = 24, 0.25

#: Random directions that a gradient program is held to.
DIRECTIONS = 2

#: An element of a gradient program that is off by more, relative to its size, goes unseen in a
#: random direction with probability below 2⁻⁵⁰: the sum of the errors, times random factors of 53
#: bits, would have to fall into an interval of that width.
UNSEEN = 2.0**-58
WINDOW = 2.0**-110


class UndecidableError(ArithmeticError):
    """The truth could not be had at this point."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The loss and its gradient at a point, enclosed."""

    loss: arb
    gradient: np.ndarray  #: objects, shape (size,)
    known: np.ndarray  #: whether each element was certified, bool, shape (size,)
    how: str  #: on what it rests
    bits: int  #: the precision that sufficed
    program: Program | None  #: a gradient program that has this gradient in exact arithmetic
    kink: Kink | None = None  #: other gradients that are as right
    certified: bool = True


def certify(problem: Problem, method: str = "auto", seconds: float = 30.0) -> Truth:
    """The certified gradient.

    Args:
        problem: the loss and the point.
        method: "auto", "series" (every element by series), or "program" (held to series).
        seconds: about how long the elements of a large gradient may take by series, where the
            gradient program is of no use; the others stay unknown.

    Raises:
        UndecidableError: no enclosure at the highest precision, too many ties, a jump.
        UncertifiedPrimitiveError: an operation without a rule.
    """
    for bits in BITS:
        try:
            with balls.precision(bits):
                truth = _attempt(problem, method, bits, seconds)
                if truth.known.any() or not problem.size:
                    return truth
        except MorePrecisionNeededError:
            continue
    raise UndecidableError(f"no enclosure of the gradient at {BITS[-1]} bits")


def comparing(bits: int, forced: dict[Where, int] | None = None) -> Comparisons:
    """How numbers of so many bits are compared."""
    return Comparisons(bits == BITS[-1], bits >= BITS_OF_ZERO, forced or {})


def _attempt(problem: Problem, method: str, bits: int, seconds: float) -> Truth:
    rng = np.random.default_rng(bits)
    began = time.perf_counter()
    probe = _generic(rng, problem.size)
    evaluate.slopes(problem, probe, comparing(bits))
    took = time.perf_counter() - began
    direct = problem.size <= SMALL or took * problem.size / 4 <= QUICK_S
    if method == "series" or (method == "auto" and direct):
        return _by_series(problem, bits)
    return _by_program(problem, bits, seconds, took)


def random_directions(rng: np.random.Generator, scale: np.ndarray, k: int) -> np.ndarray:
    """k directions ±2^e·r, r of 53 random bits in [1, 2), 2^e near 1 / scale; objects (k, size)."""
    _, exponents = np.frexp(scale)
    r = rng.integers(2**52, 2**53, size=(k, scale.size)) / 2.0**52
    signs = rng.choice([-1.0, 1.0], size=(k, scale.size))
    return balls.exact(r * signs) * powers_of_two(-exponents)


def _generic(rng: np.random.Generator, size: int) -> np.ndarray:
    return random_directions(rng, np.ones(size), 1)


def powers_of_two(exponents: np.ndarray) -> np.ndarray:
    """2^e, beyond the range of floats too."""
    return balls.boxed([arb(2) ** int(e) for e in exponents.ravel()], exponents.shape)


def _by_series(problem: Problem, bits: int) -> Truth:
    n = problem.size
    rng = np.random.default_rng(n)
    # The first direction decides ties, so it is one that lies in no hyperplane anybody thought of.
    directions = np.concatenate([_generic(rng, n), balls.exact(np.eye(n))])
    comparisons = comparing(bits)
    loss, slopes = evaluate.slopes(problem, directions, comparisons)
    gradient = slopes[1:]
    _check_good(problem, gradient, loss, bits)

    def sides(forced: Any) -> tuple[arb, np.ndarray]:
        value, there = evaluate.slopes(problem, directions, comparing(bits, forced))
        return value, there[1:]

    def step() -> tuple[arb, np.ndarray]:
        elsewhere = np.concatenate([_generic(rng, n), directions[1:]])
        value, there = evaluate.slopes(problem, elsewhere, comparing(bits))
        return value, there[1:]

    around = kink(sides, step, comparisons, (loss, gradient))
    if comparisons.guessed:
        raise UndecidableError("a comparison cannot be decided at 6000 bits")
    return Truth(
        loss,
        gradient,
        known=np.ones(n, dtype=bool),
        how="every element by power series in ball arithmetic",
        bits=bits,
        program=None if around else _program_with(problem, gradient),
        kink=around,
    )


def _program_with(problem: Problem, gradient: np.ndarray) -> Program | None:
    """JAX's gradient program, if this is its gradient in exact arithmetic."""
    scale = element_scale(problem, gradient)
    for program in candidates(problem):
        try:
            _, theirs = evaluate.gradient(
                problem, program, problem.arguments(), comparing(BITS[-1])
            )
        except NotImplementedError:
            continue
        if (balls.magnitudes(theirs - gradient) <= UNSEEN * scale).all():
            return program
    return None


def candidates(problem: Problem) -> Iterator[Program]:
    """Gradient programs to try: JAX's own, and the same without custom derivative rules."""
    yield problem.traced.gradient
    if rounded_constants(problem.traced.gradient):
        # They may be the loss's own, which then mean what they are.
        yield replace(problem.traced.gradient, meant=False)
    if custom_rules(problem.traced.loss):
        yield problem.traced.plain()


def _check_good(problem: Problem, gradient: np.ndarray, loss: arb, bits: int) -> None:
    """Ask for more bits until the enclosures are good and zeros are told from small numbers."""
    radii, zero = balls.radii(gradient), contains_zero(gradient)
    _check_finite(loss, radii, bits)
    if bits == BITS[-1]:
        return
    good = radii <= GOOD * element_scale(problem, gradient)
    if not good.all() or (bits < BITS_OF_ZERO and (zero & (radii > 0)).any()):
        raise MorePrecisionNeededError


def _check_finite(loss: arb, radii: np.ndarray, bits: int) -> None:
    """What is not finite at many bits either, as the slope of √x at 0, never will be."""
    if not loss.is_finite() or not np.isfinite(radii).all():
        if bits >= BITS_OF_ZERO:
            raise UndecidableError("the exact gradient is not finite")
        raise MorePrecisionNeededError


def element_scale(problem: Problem, gradient: np.ndarray) -> np.ndarray:
    """The size of each element, > 0: of a 0, half an ulp of the largest element about it."""
    zero = contains_zero(gradient)
    eps = np.repeat(
        [float(np.finfo(leaf.dtype).eps) for leaf in problem.leaves],
        [leaf.size for leaf in problem.leaves],
    )
    sizes = sizes_about(problem.leaves, gradient)
    scale = np.where(zero, sizes * eps / 2, sizes)
    return np.maximum(scale, np.finfo(np.float64).smallest_subnormal)


def sizes_about(leaves: Sequence[np.ndarray], gradient: np.ndarray) -> np.ndarray:
    """The size of each element; of a 0, that of the largest in its leaf, or else of all."""
    sizes, zero = np.abs(balls.midpoints(gradient)), contains_zero(gradient)
    largest, start = np.max(sizes, initial=0.0), 0
    for leaf in leaves:
        part = slice(start, start + leaf.size)
        in_leaf = np.max(sizes[part], initial=0.0) or largest
        sizes[part] = np.where(zero[part], in_leaf, sizes[part])
        start += leaf.size
    return sizes


def contains_zero(gradient: np.ndarray) -> np.ndarray:
    """Which elements are not told from 0."""
    return np.array([g.contains(0) for g in gradient], dtype=bool)


def _by_program(problem: Problem, bits: int, seconds: float, took: float) -> Truth:
    arguments = problem.arguments()
    for program in candidates(problem):
        loss, gradient = evaluate.gradient(problem, program, arguments, comparing(bits))
        finite = balls.magnitudes(gradient)
        if np.isfinite(finite).all() and loss.is_finite():
            _check_good(problem, gradient, loss, bits)
            if _holds(problem, gradient, bits):
                return _held(problem, program, loss, gradient, bits)
    return _in_part(problem, bits, seconds, took)


def _holds(problem: Problem, gradient: np.ndarray, bits: int) -> bool:
    """Whether the slopes of the loss in random directions are those that the gradient says."""
    scale = element_scale(problem, gradient)
    directions = _equalising(scale)
    for slope, expected in zip(
        slopes_along(problem, scale, bits), (directions * gradient).sum(axis=1), strict=True
    ):
        gap = slope - expected
        if not gap.contains(0) and not abs(gap) < WINDOW:
            return False
        if not float(gap.rad()) < WINDOW and bits < BITS[-1]:
            raise MorePrecisionNeededError
    return True


def slopes_along(problem: Problem, scale: np.ndarray, bits: int) -> np.ndarray:
    """The slopes in random directions that let elements of these sizes count equally.

    Raises:
        UndecidableKinkError: they depend on a tie that no small step decides.
    """
    directions = _equalising(scale)
    found = comparing(bits)
    loss, slopes = evaluate.slopes(problem, directions, found)

    def sides(forced: dict[Where, int]) -> tuple[arb, np.ndarray]:
        return evaluate.slopes(problem, directions, comparing(bits, forced))

    check_flat_ties(sides, found, (loss, slopes))
    return slopes


def _equalising(scale: np.ndarray) -> np.ndarray:
    return random_directions(np.random.default_rng(0), scale, DIRECTIONS)


def _held(problem: Problem, program: Program, loss: arb, gradient: Any, bits: int) -> Truth:
    slack = balls.exact(UNSEEN * element_scale(problem, gradient))
    return Truth(
        loss,
        gradient + slack * arb(0, 1),
        known=np.ones(problem.size, dtype=bool),
        how=(
            f"JAX's gradient program in ball arithmetic, held to power series of the loss in "
            f"{DIRECTIONS} random directions: an error goes unseen with probability below 2^-50 in "
            "each"
        ),
        bits=bits,
        program=program,
    )


def _in_part(problem: Problem, bits: int, seconds: float, took: float) -> Truth:
    """No gradient program has the gradient: as many elements by series as there is time for."""
    n = problem.size
    affordable = int(min(n, max(SMALL, seconds / max(took, 1e-6) * 2)))
    chosen = np.sort(np.random.default_rng(n).permutation(n)[:affordable])
    gradient, known = balls.zeros((n,)), np.zeros(n, dtype=bool)
    first = _generic(np.random.default_rng(n), n)
    loss = arb(0)
    for block in np.array_split(chosen, max(1, affordable // 32)):
        units = np.zeros((block.size, n))
        units[np.arange(block.size), block] = 1.0
        comparisons = comparing(bits)
        directions = np.concatenate([first, balls.exact(units)])
        loss, slopes = evaluate.slopes(problem, directions, comparisons)
        _check_sides(problem, directions, comparisons, (loss, slopes), bits)
        gradient[block], known[block] = slopes[1:], True
    _check_finite(loss, balls.radii(gradient), bits)
    how = f"power series in ball arithmetic, {affordable} of {n} elements, drawn at random"
    return Truth(loss, gradient, known, how, bits, None)


def _check_sides(
    problem: Problem, directions: np.ndarray, found: Comparisons, here: Any, bits: int
) -> None:
    """Whether the elements are the same on the other side of all ties."""

    def sides(forced: dict[Where, int]) -> tuple[arb, np.ndarray]:
        loss, slopes = evaluate.slopes(problem, directions, comparing(bits, forced))
        return loss, slopes[1:]

    check_flat_ties(sides, found, (here[0], here[1][1:]))
    if found.ties:
        loss, slopes = sides({where: -tie.outcome for where, tie in found.ties.items()})
        if not loss.overlaps(here[0]) or differ(slopes, here[1][1:]):
            raise UndecidableKinkError("a kink in a gradient of so many elements")

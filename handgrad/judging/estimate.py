"""An uncertified estimate of the gradient, for losses with an operation that has no rule.

It is `jax.grad` in float64, held to differences of the loss, which estimate their own error. Where
the two contradict each other, nothing is decided. Where JAX cannot differentiate the loss, or knows
its derivative by a rule of the caller's alone, there are only the differences.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.clock import check_time
from handgrad.data import formats
from handgrad.data.attempts import best_effort
from handgrad.data.point import Point, sizes_of
from handgrad.data.pytrees import is_real
from handgrad.judging import by_differences
from handgrad.judging.stopped_gradients import held
from handgrad.oracle.reference import ANOTHER_VALUE, Reference, UndecidableError, sizes_about
from handgrad.program.adaptive import ADAPTIVE
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.trace import differentiated
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import STATED
from handgrad.tolerance.tolerances import Measured, Tolerance, Tolerances

#: The most parameters to take finite differences by, each of which costs several evaluations of the
#: loss; of more parameters a random sample is taken.
MOST = 64

#: The operations that call code outside of JAX for what they return.
CALLBACKS = ("pure_callback", "io_callback")


#: Slopes, their estimated errors, and which are known; each of shape (size,).
Differences = tuple[np.ndarray, np.ndarray, np.ndarray]


def reference(
    loss: Callable[..., Any],
    given: Point,
    missing: UncertifiedPrimitiveError,
    seed: int,
    differences: Callable[[], Differences] | None = None,
    trusted: bool = False,
) -> tuple[Reference, Tolerances]:
    """Estimate the gradient and its tolerances in float64.

    Args:
        loss: the loss.
        given: the point.
        missing: says what has no rule.
        seed: of random draws.
        differences: what the gradient is held to, if not to differences of the loss.
        trusted: whether a derivative rule in it counts as right, which differences do not see.

    Raises:
        UndecidableError: as `by_differences.reference`, and where a trusted rule is not what
            differences show.
    """
    rng = np.random.default_rng(seed)
    f = _flat(loss, given)
    point = by_differences.in_one(given)
    if missing.name in (*CALLBACKS, ADAPTIVE) and not trusted:
        why = outside(missing.name)
        return by_differences.reference(in_floats(loss, given), given, why, seed)
    with jax.enable_x64(True):
        differentiate, program = differentiated(f, point)
        if program is None:
            why = f"{missing}, and JAX cannot differentiate the loss"
            return by_differences.reference(in_floats(loss, given), given, why, seed)
        both = jax.jit(differentiate(f))
        value, gradient = (np.asarray(out) for out in both(point))
        if differences is None:
            there = jax.jit(_flat(held(loss, given), given))
            slopes, errors, known = _differences(there, given, rng)
        else:
            slopes, errors, known = differences()
        changes = _changes(both, given, point, value, gradient, rng)
    floor = np.spacing(abs(float(value))) / sizes_of(given.leaves)
    with np.errstate(invalid="ignore"):
        apart = np.abs(gradient - slopes) > by_differences.SAFE * (errors + floor)
    contradicted = known & apart
    if trusted and contradicted.any():
        raise UndecidableError(
            f"{missing.what} beside a trusted derivative rule: differences of the loss, which it "
            "is held to, do not see the rule, and are others"
        )
    unit = changes[1:]
    # Two estimates that contradict each other decide nothing.
    loose = np.where(contradicted, np.inf, SHARP * unit)
    unit = np.where(contradicted, np.inf, unit)
    how = (
        f"not certified: {missing}; jax.grad in float64, "
        f"{int(known.sum())} of {point.size} elements held to finite differences of the loss"
    )
    found = Reference(
        arb(float(value)),
        balls.exact(gradient),
        np.ones(point.size, dtype=bool),
        how,
        bits=53,
        program=None,
        certified=False,
    )
    own = by_differences.OWN_ERROR * sizes_about(given.leaves, found.gradient, gradient == 0)
    program, bar = balls.exact(gradient), np.fmax(SHARP * unit, own)
    estimated = Tolerance(unit, loose, changes[0], SHARP * changes[0], program, own, bar=bar)
    return found, Measured(estimated)


def outside(operation: str) -> str:
    """Say why what calls code outside of JAX, or approximates, is not certified."""
    if operation == ADAPTIVE:
        return f"the loss has {ADAPTIVE}, as an adaptive solver does, and so approximates"
    return f"`{operation}` calls what is not JAX's; code in jax.numpy throughout is certified"


def _flat(loss: Callable[..., Any], given: Point) -> Callable[[Any], Any]:
    """Return the loss as a function of one float64 vector."""
    tree = jax.tree_util.tree_structure(given.params)
    inputs = jax.tree_util.tree_map(
        lambda leaf: np.asarray(leaf, dtype=np.float64) if is_real(leaf) else leaf, given.inputs
    )

    def f(vector: Any) -> Any:
        parts = [
            vector[part].reshape(leaf.shape)
            for part, leaf in zip(given.parts(), given.leaves, strict=True)
        ]
        return loss(jax.tree_util.tree_unflatten(tree, parts), *inputs)

    return f


def _operations(leaf: np.ndarray) -> float:
    """Return how many half ulps of a leaf count as one change, of which `SHARP` are right.

    In a short format that leaves the rounding of `STATED` operations.
    """
    return SHARP / STATED if formats.is_half(leaf.dtype) else 1.0


def in_floats(
    loss: Callable[..., Any], given: Point, converted: Callable[[Any], Any] = float
) -> by_differences.Function:
    """Return a loss in JAX as a function of one vector, compiled if that is the same function.

    What `stop_gradient` stops is constant. The arguments are those of `by_differences.function`.

    Raises:
        UndecidableError: as `held`.
    """
    loss = held(loss, given)
    plain = by_differences.function(loss, given, converted)
    f = jax.jit(_flat(loss, given))

    def compiled(vector: np.ndarray) -> Any:
        check_time()
        with jax.enable_x64(True):
            return converted(f(vector))

    point = by_differences.in_one(given)
    with best_effort():  # a callback need not take float64, nor be compiled
        value, same = plain(point), compiled(point)
        size = np.max(np.abs(value), initial=0.0)
        return compiled if (np.abs(same - value) <= ANOTHER_VALUE * size).all() else plain
    return plain


def _differences(f: Any, given: Point, rng: Any) -> Differences:
    point, sizes = by_differences.in_one(given), sizes_of(given.leaves)
    slopes, errors = np.full(point.size, np.nan), np.zeros(point.size)
    for i in rng.permutation(point.size)[:MOST]:
        found = by_differences.along(f, point, sizes, int(i))
        slopes[i], errors[i] = found.value, found.coarse
    known = np.isfinite(slopes) & np.isfinite(errors)
    return slopes, errors, known


def _changes(
    both: Any, given: Point, point: np.ndarray, value: Any, gradient: np.ndarray, rng: Any
) -> np.ndarray:
    """Return the units of the loss and its gradient: how far they move by half an ulp of inputs."""
    ulps = np.concatenate(
        # Numbers of a short format stand for no others.
        [
            np.zeros(leaf.size)
            if formats.is_half(leaf.dtype)
            else np.spacing(np.abs(leaf)).reshape(-1).astype(np.float64)
            for leaf in given.leaves
        ]
    )
    eps = max(float(formats.of(leaf.dtype).eps) / _operations(leaf) for leaf in given.leaves)
    base = np.concatenate([[float(value)], gradient])
    changes = np.abs(base) * eps / 2 + np.max(np.abs(gradient), initial=0.0) * eps / 2
    drawn = rng.choice([-1.0, 1.0], size=(4, point.size))
    # Two parameters that the first draw moves alike differ in a bit of their numbers, and one of
    # these moves them apart.
    bits = (np.arange(point.size) >> np.arange(point.size.bit_length())[:, None]) & 1
    # Half an ulp would be rounded to none, or to one: so half of what a whole one changes.
    for signs in (*drawn, *(drawn[0] * (1 - 2 * bits))):
        moved = both(point + signs * ulps)
        there = np.concatenate([[float(moved[0])], np.asarray(moved[1])])
        changes = np.fmax(changes, np.abs(there - base) / 2)
    return changes

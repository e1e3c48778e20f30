"""Points at which an operation has an edge: ties, zeros, equal eigenvalues, ends of a domain."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

from handgrad import check_gradient
from tests.corpus.case import Row, cases

RIGHT_AT_A_TIE = {"verdict": "agree", "tie": True}
WRONG_AT_A_TIE = {"verdict": "disagree", "tie": True}


def given(*slopes: Any) -> Any:
    """Answer with these numbers, which are right or wrong at the point alone."""
    return lambda p, *_: np.array(slopes, float).reshape(np.shape(p))


def hidden(f: Any) -> Any:
    """A function that reverse mode cannot differentiate, with a wrong rule."""
    wrapped = jax.custom_vjp(f)
    wrapped.defvjp(lambda p: (wrapped(p), p), lambda p, _: (p,))
    return wrapped


# Windows.

WEIGHTS = np.array([1.0, 3.0])


def windows(p: Any, worst: float, best: Any, size: int = 2, step: int = 2) -> Any:
    return lax.reduce_window(p, worst, best, (size,), (step,), "VALID")


def pooling(p: Any) -> Any:
    return jnp.sum(windows(p, -jnp.inf, lax.max) * WEIGHTS)


def overlapping(p: Any) -> Any:
    return jnp.sum(windows(p, -jnp.inf, lax.max, 3, 1) * WEIGHTS)


def smallest(p: Any) -> Any:
    return jnp.sum(windows(p, jnp.inf, lax.min, 3, 3))


def pooling_of_units(p: Any) -> Any:
    return pooling(jax.nn.relu(p))


def pooling_of_copies(p: Any) -> Any:
    return pooling(jnp.stack([p[0], p[0], p[1], p[1]])) + 0.0 * p[2]


def padded(p: Any) -> Any:
    return jnp.sum(lax.reduce_window(p, -jnp.inf, lax.max, (2,), (1,), [(1, 1)]))


def capped(best: Any) -> Any:
    """From a start that is no infinity, and counts."""
    pool = hidden(lambda p: windows(p, 0.25, lambda a, b: best(a, b) * 1.0))
    return lambda p: jnp.sum(pool(p) * WEIGHTS)


@hidden
def largest_and_where(p: Any) -> Any:
    """Two arrays that are reduced together; where the largest is, is no real number."""

    def further(a: Any, b: Any) -> Any:
        first = a[0] >= b[0]
        return jnp.where(first, a[0], b[0]), jnp.where(first, a[1], b[1])

    found, where = lax.reduce((p, jnp.arange(4)), (-jnp.inf, -1), further, (0,))
    return found * found + jnp.asarray([1.0, 10.0, 100.0, 1000.0])[where] * p[0]


@hidden
def odd_start(p: Any) -> Any:
    """An infinite start that is not neutral."""
    return jnp.sum(windows(p, jnp.inf, lambda a, b: 1.0 / a + b * 2.0))


FOUR = np.array([0.1, 0.2, 2.0, 1.0])
OFF = np.array([-0.7, -0.3, 2.0, -0.7])

# Eigenvalues and singular values.

M = np.array([[0.3, -0.7, 1.1], [2.3, 0.4, -0.9], [-0.2, 1.6, 0.5]])


def lowest_of_upper(m: Any) -> Any:
    return jnp.linalg.eigh(m, UPLO="U", symmetrize_input=False)[0][0]


def of_upper(m: Any) -> Any:
    v = np.linalg.eigh(m, "U")[1][:, 0]
    return np.triu(np.outer(v, v) * (2 - np.eye(3)))


def of_both_triangles(m: Any) -> Any:
    v = np.linalg.eigh(m, "U")[1][:, 0]
    return np.outer(v, v)


EQUAL = {
    "the lowest eigenvalue": lambda m: jnp.linalg.eigvalsh(m)[0],
    "the spectral norm": lambda m: jnp.linalg.norm(m, 2),
    "eigenvectors": lambda m: jnp.sum(jnp.linalg.eigh(m)[1]),
}

# Numbers.


def residuals(n: int) -> Any:
    """What is 0 to rounding, and not known to be."""
    return lambda p: jnp.sum((jnp.log(p) - jnp.log(p)) ** n + p**2)


def unselected(p: Any) -> Any:
    """JAX's own gradient of this is not a number."""
    return jnp.sum(jnp.where(p > 0, jnp.sqrt(p), 3.0 * p) + jnp.where(p > 9, p, p / p[0]))


def missing(p: Any, x: Any) -> Any:
    return jnp.nansum((p - x) ** 2)


def cubes(p: Any) -> Any:
    return jnp.sum(p.astype(jnp.float32) ** 3)


def gamma(p: Any) -> Any:
    return jnp.sum(jax.scipy.special.gamma(p))


def by_digamma(p: Any) -> Any:
    return scipy.special.gamma(p) * scipy.special.digamma(p)


@jax.jit
def signbit(p: Any) -> Any:
    """What the judge must not know by its name."""
    return p * p * p


# Complex numbers, of which JAX 0.10.2 has slopes of 0, or of another branch.

PARTS = np.array([0.3, -0.7, 1.1, 0.6, 1.3, -0.2])


def of_parts(f: Any) -> Any:
    return lambda p: jnp.sum(jnp.real(f(lax.complex(p[:3], p[3:]))))


def by_angle(p: Any) -> Any:
    x, y = p[:3], p[3:]
    return np.concatenate([y * y, -x * y]) / np.hypot([*x, *x], [*y, *y]) ** 3


def by_two_roots(p: Any) -> Any:
    z = p[:3] + 1j * p[3:]
    slope = 1 / (np.sqrt(z - 1) * np.sqrt(z + 1))
    return np.concatenate([slope.real, -slope.imag])


SIGN, ARCCOSH = of_parts(jnp.sign), of_parts(jnp.arccosh)

TWO_EQUAL, SHARED = np.array([0.7, 0.7, 2.0, 1.0]), np.array([0.1, 0.7, 0.7, 0.2])

CASES = [
    *cases("equal numbers in a window", check_gradient, pooling, TWO_EQUAL, points=0)(
        Row("right: the first", given(1, 0, 3, 0), **RIGHT_AT_A_TIE),
        Row("right: the second", given(0, 1, 3, 0), **RIGHT_AT_A_TIE),
        Row("right: half each", given(0.5, 0.5, 3, 0), **RIGHT_AT_A_TIE),
        Row("both", given(1, 1, 3, 0), **WRONG_AT_A_TIE),
        Row("neither", given(0, 0, 3, 0), **WRONG_AT_A_TIE),
        Row("less than one in all", given(0.5, 0.4, 3, 0), **WRONG_AT_A_TIE),
    ),
    # Whichever is larger, it is so in both.
    *cases("windows that share a tie", check_gradient, overlapping, SHARED, points=0)(
        Row("right: the first in both", given(0, 4, 0, 0), **RIGHT_AT_A_TIE),
        Row("right: half in both", given(0, 2, 2, 0), **RIGHT_AT_A_TIE),
        Row("one in each window", given(0, 1, 3, 0), **WRONG_AT_A_TIE),
        Row("the smaller weight to the first", given(0, 1, 2, 0), **WRONG_AT_A_TIE),
    ),
    *cases("equal smallest numbers", check_gradient, smallest, np.array([2, 0.5, 0.5]), points=0)(
        Row("right: the second", given(0, 0, 1), **RIGHT_AT_A_TIE),
        Row("the largest", given(1, 0, 0), **WRONG_AT_A_TIE),
        Row("both", given(0, 1, 1), **WRONG_AT_A_TIE),
    ),
    *cases("units that are off, in a window", check_gradient, pooling_of_units, OFF, points=0)(
        Row("right: 0 whichever of them is taken", given(0, 0, 3, 0), certified=True),
        Row("a unit that is off gets the window's slope", given(1, 0, 3, 0)),
    ),
    *cases("a window of copies", check_gradient, pooling_of_copies, OFF, points=0)(
        Row("right", given(1, 3, 0, 0), certified=True),
        Row("half of it", given(0.5, 1.5, 0, 0)),
    ),
    *cases("padding beats no number", check_gradient, padded, np.array([-3.0, -2, -5]), points=0)(
        Row("right", given(1, 2, 1), certified=True),
        Row("padding of 0 is larger", given(0, 1, 0)),
    ),
    *cases("a start that counts", check_gradient, capped(jnp.maximum), FOUR, points=0)(
        Row("right", given(0, 0, 3, 0), certified=True),
        Row("the start does not count", given(0, 1, 3, 0)),
    ),
    *cases("a start that counts, for the smallest", check_gradient, capped(jnp.minimum), FOUR)(
        Row("right", given(1, 0, 0, 0), certified=True),
    ),
    *cases("reduced with its index", check_gradient, largest_and_where, FOUR, points=0)(
        Row("right", given(100, 0, 4, 0), certified=True),
        Row("the weight of another index", given(10, 0, 4, 0)),
    ),
    *cases("a start that is not neutral", check_gradient, odd_start, FOUR, points=0)(
        Row("right", given(0, 2, 0, 2), certified=False),
    ),
    *cases("a triangle that is not read", check_gradient, lowest_of_upper, M, points=1)(
        Row("right", of_upper, certified=True),
        Row("half in both triangles, as JAX's rule", of_both_triangles),
    ),
    *(
        case
        for name, f in EQUAL.items()
        for case in cases(f"equal eigenvalues, {name}", check_gradient, f, np.eye(3), points=0)(
            Row("undecidable", lambda m: np.diag([1.0, 0, 0]), verdict="undecidable"),
        )
    ),
    *cases(
        "a singular value of 0",
        check_gradient,
        lambda m: jnp.linalg.norm(m, "nuc"),
        np.outer([1.0, 2.0], [3.0, 5.0]),
        points=0,
    )(Row("undecidable", np.ones_like, verdict="undecidable")),
    *cases(
        "eigenvalues that nearly meet",
        check_gradient,
        lambda d: jnp.linalg.eigvalsh(jnp.diag(d))[1],
        np.array([1, 1 + 2**-52]),
        points=0,
    )(
        Row("right", given(0, 1), certified=True, verdict="agree"),
        Row("of the other", given(1, 0), verdict="disagree"),
    ),
    *cases(
        "vectors that are not unique",
        check_gradient,
        hidden(lambda m: jnp.sum(jnp.linalg.svd(m, full_matrices=True)[0] ** 2)),
        M[:, :2],
        points=0,
    )(Row("right", np.zeros_like, certified=False, verdict="undecidable")),
    *cases(
        "the remainder of a tiny number",
        check_gradient,
        lambda p: lax.rem(p[0], p[1]),
        np.array([-1e-200, 1e200]),
        points=0,
    )(Row("right", given(1, 0), certified=True, verdict="agree")),
    *cases("0 to a power", check_gradient, lambda p: p[0] ** p[1], np.array([0.0, 2.0]), points=0)(
        Row("right", given(0, 0), certified=True, verdict="agree"),
        Row("by the base, as if it were 1", given(2, 0), verdict="disagree"),
    ),
    *cases("0 to the power of 1", check_gradient, lambda p: p[0] ** p[1], np.eye(2)[1], points=0)(
        Row("right", given(1, 0), certified=True, verdict="agree"),
    ),
    *(
        case
        for n in (1, 2, 5)
        for case in cases(
            f"a residual of 0 to the power of {n}",
            check_gradient,
            residuals(n),
            np.array([0.3, 1.7]),
            points=0,
        )(Row("right", lambda p: 2 * p, certified=True, verdict="agree"))
    ),
    *cases("what is not selected", check_gradient, unselected, np.array([1.0, -4.0]), points=0)(
        Row("right", given(4.5, 4), certified=True),
        Row("NaN, as JAX has it", jax.grad(unselected)),
    ),
    *cases("missing data", check_gradient, missing, np.array(0.5), np.array([1, np.nan, 3]))(
        Row("right", lambda p, x: 2 * np.nansum(p - x), certified=True),
        Row("NaN", lambda p, x: 2 * np.sum(p - x)),
        Row(
            "a missing number counts as 0", lambda p, x: 2 * np.sum(p - np.nan_to_num(x))
        ),
    ),
    *cases("reals in float32", check_gradient, cubes, np.array([0.1, 0.7], np.float32), points=0)(
        Row("right", lambda p: 3 * p**2, certified=True, verdict="agree"),
    ),
    *cases("gamma left of 0", check_gradient, gamma, np.array([-2.5, -0.3, 2.5]), points=0)(
        Row("right", by_digamma, certified=True),
        Row("of its absolute value", lambda p: np.abs(scipy.special.gamma(p)) * by_digamma(p)),
    ),
    *cases("a function called signbit", check_gradient, signbit, np.array(2.0), points=0)(
        Row("right", lambda p: 3 * p * p, certified=True),
    ),
    # e^|x| takes back what e^-|x| bends.
    *cases("i0 at 0", check_gradient, jax.scipy.special.i0, np.array(0.0), points=0)(
        Row("right", given(0), verdict="agree", certified=True),
        Row("a side's slope of i0e", given(-1), verdict="disagree"),
    ),
    *cases("i0e at 0", check_gradient, jax.scipy.special.i0e, np.array(0.0), points=0)(
        Row("right: a side's slope", given(-1), **RIGHT_AT_A_TIE),
        Row("steeper than both sides", given(-1.1), **WRONG_AT_A_TIE),
    ),
    *cases("the sign of complex numbers", check_gradient, SIGN, PARTS, points=1)(
        Row("right", by_angle, certified=True),
        Row("none, as JAX has it", jax.grad(SIGN)),
    ),
    *cases("arccosh of complex numbers", check_gradient, ARCCOSH, PARTS, points=0)(
        Row("right", by_two_roots, certified=True),
        Row("of another branch, as JAX has it", jax.grad(ARCCOSH)),
    ),
]

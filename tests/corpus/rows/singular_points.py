"""Points at which an operation has an edge: ties, zeros, equal eigenvalues, ends of a domain."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

from handgrad import check_gradient
from tests.corpus.case import Case, Row, cases


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


@hidden
def capped(p: Any) -> Any:
    """From a start that is no infinity, and counts."""
    return jnp.sum(windows(p, 0.25, lambda a, b: jnp.minimum(a, b) * 1.0) * WEIGHTS)


@hidden
def largest_and_where(p: Any) -> Any:
    """Two arrays that are reduced together; where the largest is, is no real number."""

    def further(a: Any, b: Any) -> Any:
        first = a[0] >= b[0]
        return jnp.where(first, a[0], b[0]), jnp.where(first, a[1], b[1])

    found, where = lax.reduce((p, jnp.arange(4)), (-jnp.inf, -1), further, (0,))
    return found * found + jnp.asarray([1.0, 10.0, 100.0, 1000.0])[where] * p[0]


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


def second_eigenvalue(d: Any) -> Any:
    return jnp.linalg.eigvalsh(jnp.diag(d))[1]


# Numbers.


def remainder(p: Any) -> Any:
    return lax.rem(p[0], p[1])


def power(p: Any) -> Any:
    return p[0] ** p[1]


def residual(p: Any) -> Any:
    """What is 0 to rounding, and not known to be."""
    zero = jnp.log(p) - jnp.log(p)
    return jnp.sum(zero + zero**2 + zero**3 + p**2)


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


def by_one_root(p: Any) -> Any:
    slope = 1 / np.sqrt((p[:3] + 1j * p[3:]) ** 2 - 1)
    return np.concatenate([slope.real, -slope.imag])


#: Where the two differ.
BELOW_0 = np.array([-0.3, -0.7, -1.1, 0.6, 1.3, -0.2])

SIGN, ARCCOSH = of_parts(jnp.sign), of_parts(jnp.arccosh)

TWO_EQUAL, SHARED = np.array([0.7, 0.7, 2.0, 1.0]), np.array([0.1, 0.7, 0.7, 0.2])
FOUR, OFF = np.array([0.1, 0.2, 2.0, 1.0]), np.array([-0.7, -0.3, 2.0, -0.7])

#: Losses, points at which they have a tie, slopes that are right there, and some that are wrong.
TIES: dict[str, tuple[Any, Any, dict[str, Any], dict[str, Any]]] = {
    "equal numbers in a window": (
        *(pooling, TWO_EQUAL),
        {"the first": (1, 0, 3, 0), "half each": (0.5, 0.5, 3, 0)},
        {"both": (1, 1, 3, 0), "neither": (0, 0, 3, 0), "less than one": (0.5, 0.4, 3, 0)},
    ),
    # Whichever is larger, it is so in both.
    "windows that share a tie": (
        *(overlapping, SHARED),
        {"the first in both": (0, 4, 0, 0), "half in both": (0, 2, 2, 0)},
        {"the smaller weight to the first": (0, 1, 2, 0), "a neighbour": (1, 3, 0, 0)},
    ),
    "equal smallest numbers": (
        *(smallest, np.array([2, 0.5, 0.5])),
        {"the second": (0, 0, 1)},
        {"the largest": (1, 0, 0), "both": (0, 1, 1)},
    ),
    "i0e": (jax.scipy.special.i0e, np.array(0.0), {"a side's": -1}, {"steeper": -1.1}),
}

#: Losses, points, the slopes there, and some that are wrong, as far as it is worth a row.
SLOPES: dict[str, tuple[Any, Any, Any, dict[str, Any]]] = {
    "units that are off": (pooling_of_units, OFF, (0, 0, 3, 0), {"of such a unit": (1, 0, 3, 0)}),
    "a window of copies": (pooling_of_copies, OFF, (1, 3, 0, 0), {}),
    "padding beats no number": (padded, np.array([-3.0, -2, -5]), (1, 2, 1), {"0 is": (0, 1, 0)}),
    "a start that counts": (capped, FOUR, (1, 0, 0, 0), {}),
    "reduced with its index": (largest_and_where, FOUR, (100, 0, 4, 0), {}),
    "eigenvalues nearly meet": (second_eigenvalue, np.array([1, 1 + 2**-52]), (0, 1), {}),
    "the remainder of a tiny number": (remainder, np.array([-1e-200, 1e200]), (1, 0), {}),
    "0 to the power of 2": (power, np.array([0.0, 2.0]), (0, 0), {"as of 1": (1, 0)}),
    "0 to the power of 1": (power, np.array([0.0, 1.0]), (1, 0), {}),
    "a residual of about 0": (residual, np.array([0.3, 1.7]), (0.6, 3.4), {}),
    "what is not selected": (unselected, np.array([1.0, -4]), (4.5, 4), {"NaN": (4.5, np.nan)}),
    "a function called signbit": (signbit, np.array(2.0), 12, {}),
    "i0": (jax.scipy.special.i0, np.array(0.0), 0, {"a side's of i0e": -1}),
}

#: Of these differences know too little: at an end of a domain, of elements 1e15 apart, of 0.
STATED = ("eigenvalues nearly meet", "0 to the power of 2", "0 to the power of 1", "i0")

#: What has equal eigenvalues or a singular value of 0.
EQUAL: dict[str, tuple[Any, np.ndarray]] = {
    "the spectral norm of 1": (lambda m: jnp.linalg.norm(m, 2), np.eye(3)),
    "eigenvectors of 1": (lambda m: jnp.sum(jnp.linalg.eigh(m)[1]), np.eye(3)),
    "a nuclear norm": (lambda m: jnp.linalg.norm(m, "nuc"), np.outer([1.0, 2.0], [3.0, 5.0])),
}


NEAR_POLES = np.full(5, np.nextafter(2.0, 3.0)), np.full(5, 2.0)


def beside_poles(p: Any, c: Any) -> Any:
    return jnp.sum(jnp.log(p - c))


def given(slopes: Any) -> Any:
    """Answer with these numbers, which are right or wrong at the point alone."""
    return lambda p: np.array(slopes, float).reshape(np.shape(p))


def of_tables() -> Iterator[Case]:
    for name, (loss, at, right, wrong) in TIES.items():
        asked = cases(name, check_gradient, loss, at, points=0)
        answers = right | wrong
        yield from asked(*(Row(said, given(g), tie=True) for said, g in answers.items()))
    for name, (loss, at, right, wrong) in SLOPES.items():
        asked = cases(name, check_gradient, loss, at, points=0)
        compiled = jax.jit(loss)
        if name in STATED:
            yield from asked(
                Row("the exact one", given(right), verdict="agree", certified=True),
                *(Row(said, given(g), verdict="disagree") for said, g in wrong.items()),
            )
        else:
            yield from asked(
                Row("right", given(right), compiled=compiled, certified=True),
                *(Row(said, given(g), compiled=compiled) for said, g in wrong.items()),
            )
    for name, (loss, at) in EQUAL.items():
        yield from cases(name, check_gradient, loss, at, points=0)(
            Row("any slope", np.ones_like, verdict="undecidable"),
        )


def root_of_rest(p: Any) -> Any:
    return jnp.sqrt(1 - p[0] * p[1])


def infinite(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return -p[::-1] / np.float64(0)


ALMOST_1 = np.array([3.0, 1 / 3])

CASES = [
    *of_tables(),
    *cases("a triangle that is not read", check_gradient, lowest_of_upper, M, points=1)(
        Row("right", of_upper, certified=True),
        Row("half in both triangles, as JAX's rule", of_both_triangles),
    ),
    *cases("missing data", check_gradient, missing, np.array(0.5), np.array([1, np.nan, 3]))(
        Row("right", lambda p, x: 2 * np.nansum(p - x), certified=True),
        Row("a missing number counts as 0", lambda p, x: 2 * np.sum(p - np.nan_to_num(x))),
    ),
    # Of some of the points that these stand for the slope is infinite.
    *cases("a root of what rounds to 0", check_gradient, root_of_rest, ALMOST_1, points=0)(
        Row("infinite, as in floats", infinite, verdict="disagree"),
    ),
    *cases("an ulp from poles", check_gradient, beside_poles, *NEAR_POLES, points=0)(
        Row("right", lambda p, c: 1 / (p - c), verdict="agree"),
        Row("not a number", lambda p, c: p * np.nan, "5 of 5 elements", verdict="disagree"),
    ),
    *cases("reals in float32", check_gradient, cubes, np.array([0.1, 0.7], np.float32), points=0)(
        Row("right", lambda p: 3 * p**2, certified=True, verdict="agree"),
    ),
    *cases("gamma left of 0", check_gradient, gamma, np.array([-2.5, -0.3, 2.5]), points=0)(
        Row("right", by_digamma, certified=True),
        Row("of its absolute value", lambda p: np.abs(scipy.special.gamma(p)) * by_digamma(p)),
    ),
    *cases("the sign of complex numbers", check_gradient, SIGN, PARTS, points=1)(
        Row("right", by_angle, certified=True, compiled=jax.jit(SIGN)),
        Row("none, as JAX has it", jax.grad(SIGN), compiled=jax.jit(SIGN)),
    ),
    *cases("arccosh of complex numbers", check_gradient, ARCCOSH, PARTS, points=0)(
        Row("right", by_two_roots, certified=True, compiled=jax.jit(ARCCOSH)),
        Row("of another branch, as JAX has it", jax.grad(ARCCOSH), compiled=jax.jit(ARCCOSH)),
    ),
    *cases("acosh of numbers below 0", check_gradient, of_parts(lax.acosh), BELOW_0, points=0)(
        Row("right", by_two_roots, certified=True),
        Row("of another branch", by_one_root),
    ),
]

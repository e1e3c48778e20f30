"""Functions of NumPy and SciPy in losses, held to the derivatives that JAX has of its own."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.special

from handgrad import check_gradient
from tests.corpus.case import Row, cases

X = np.array([0.3, -0.7, 1.2])
A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 1.0]])

#: Of this module, so that code which writes to its copies writes to copies alone.
DATA = np.array([0.5, 1.5, -2.0])


def special(m: Any) -> Any:
    return scipy.special if m is np else jax.scipy.special


#: Losses of (numpy or jax.numpy, x).
IN_BOTH: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda m, x: m.sum(m.exp(A @ x) ** 2),
    "softplus": lambda m, x: m.mean(m.log1p(m.exp(x))),
    "tanh": lambda m, x: m.tanh(x).sum() + m.sinh(x[0]) / m.cosh(x[1]),
    "sqrt": lambda m, x: m.sqrt(m.square(x) + 1).sum(),
    "maximum": lambda m, x: m.maximum(x, 0) @ m.minimum(x, 1),
    "where": lambda m, x: m.sum(m.where(x > 0, x**2, 3 * x) + m.where(x > 0, x, 1.0) * x),
    "abs": lambda m, x: m.prod(m.abs(x)),
    "norm": lambda m, x: m.linalg.norm(x) + m.linalg.norm(x, 1),
    "dot": lambda m, x: m.dot(x, A) @ x + m.dot(x, x) + m.vdot(x, x) + m.inner(x, x),
    "cumsum": lambda m, x: m.cumsum(x)[1] * m.cumprod(x)[-1],
    "clip": lambda m, x: m.clip(x, -0.5, 0.5).sum() + m.clip(x, None, 1.0).sum(),
    "logaddexp": lambda m, x: m.logaddexp(x, 0).sum() + m.logaddexp(x[0], x[1]),
    "arctan2": lambda m, x: m.arctan2(x[0], x[1]) + m.hypot(x[0], x[2]),
    "power": lambda m, x: m.power(m.abs(x), 1.7).sum() + 2.0 ** x[0] + x[0] ** x[1] + x[1] ** 0,
    "whole powers": lambda m, x: x[0] ** 3 + x[1] ** -2 + m.power(x[2], 4),
    "logarithms": lambda m, x: m.log2(x[2]) + m.log10(x[2]) + m.log(x[0]) + m.reciprocal(x[1]),
    "extremes": lambda m, x: (
        m.max(x) * m.min(x) + x.max() + m.ptp(x) + m.max(A * x, axis=1, keepdims=True)[2, 0]
    ),
    "sorting": lambda m, x: m.sort(x)[1] * m.median(x) + x[m.argsort(x)[0]] * x[m.argmax(x)],
    "moments": lambda m, x: m.var(x) + m.std(x) + m.average(x, weights=np.arange(1.0, 4.0)),
    "einsum": lambda m, x: m.einsum("i,ij,j->", x, A, x) + m.trace(m.outer(x, x)),
    "tensordot": lambda m, x: m.tensordot(m.outer(x, x), A, 2) + m.kron(x, x).sum(),
    "solve": lambda m, x: m.linalg.solve(A + m.outer(x, x), x)[1] + m.linalg.inv(A).sum() * x[0],
    "slogdet": lambda m, x: m.linalg.slogdet(A + m.outer(x, x))[1] + m.linalg.det(A * x[0]),
    "moving": lambda m, x: (x.reshape(3, 1) * A).T.sum(axis=0).max() + m.roll(x, 1) @ x,
    "joining": lambda m, x: m.concatenate([x, 2 * x]).sum() * m.stack([x, x])[1, 2],
    "differences": lambda m, x: m.diff(x) @ m.diff(x) + m.polyval(np.array([1.0, 2.0]), x[0]),
    "convolve": lambda m, x: m.convolve(x, x)[2] + m.interp(x[0] + 0.1, X[::2], X[::2] ** 2),
    "sums": lambda m, x: (A * x).sum(axis=1, keepdims=True)[2, 0] + m.sum(A * x, axis=(0, 1)),
    "means of rows": lambda m, x: m.exp(A * x - m.mean(A * x, axis=1, keepdims=True)).sum(),
    "sums in a format": lambda m, x: x.sum(dtype=float) * m.mean(A * x, dtype=np.float64),
    "some": lambda m, x: m.sum(x, where=np.array([True, False, True])) * (x[2] + x[0]),
    "remainder": lambda m, x: m.mod(x[2], 0.5) + m.sinc(x[0]) + np.float64(2.0) * x[1],
    "expit": lambda m, x: m.sum(special(m).expit(x) * special(m).gammaln(x + 2)),
    "xlogy": lambda m, x: special(m).xlogy(x[2], x[0]) + special(m).erf(x[1]),
    "ranks that differ": lambda m, x: m.logaddexp(A, x).sum() + m.hypot(x, 2).sum(),
    "Fourier's": lambda m, x: m.abs(m.fft.fft(x))[1],
    "an option": lambda m, x: m.einsum("ij,j->i", A * x, X)[0] - m.einsum("ij,i->j", A * x, X)[0],
}


# Those that JAX has otherwise.


def askew(x: Any) -> Any:
    """A matrix that is not symmetric; either triangle is one of a positive definite matrix."""
    return 4 * A + x[:, None] * np.array([0.5, 1.0, -0.3])


def lower(a: Any) -> Any:
    """The symmetric matrix that has the lower triangle of another one."""
    return jnp.tril(a) + jnp.tril(a, -1).T


def by_cholesky(x: Any) -> Any:
    several = np.linalg.cholesky(np.stack([askew(x), A * x[2]])).sum()
    return (
        several * np.linalg.cholesky(askew(x).T)[2, 1]
        + np.linalg.cholesky(askew(x), upper=True)[1].sum()
    )


def by_cholesky_in_jax(x: Any) -> Any:
    several = jnp.linalg.cholesky(jnp.stack([lower(askew(x)), A * x[2]])).sum()
    upper = jnp.linalg.cholesky(lower(askew(x).T))
    return several * upper[2, 1] + upper.T[1].sum()


def by_eigenvalues(x: Any) -> Any:
    one, other = np.linalg.eigvalsh(askew(x)), np.linalg.eigvalsh(askew(x), UPLO="u")
    vectors = np.abs(np.linalg.eigh(askew(x), "U").eigenvectors[0, 1])
    values = np.linalg.svd(askew(x), hermitian=True).S
    inverse = np.linalg.pinv(askew(x), 1e-12, True)
    return one[0] * other[1] + vectors * values[1] * inverse[0, 1]


def by_eigenvalues_in_jax(x: Any) -> Any:
    a, b = lower(askew(x)), lower(askew(x).T)
    found = jnp.linalg.eigvalsh(a)[0] * jnp.linalg.eigvalsh(b)[1]
    values = jnp.linalg.svd(a, hermitian=True)[1]
    return found + jnp.abs(jnp.linalg.eigh(b)[1][0, 1]) * values[1] * jnp.linalg.inv(a)[0, 1]


def filled(x: Any) -> Any:
    out = np.zeros_like(x)
    for i, xi in enumerate(x):
        out[i] += xi * x[i - 1]
    row = out[:2]
    row *= 2
    out[2:] -= 1
    np.multiply(out, x, out=out)
    first, *others = x
    return out.sum() + first * sum(others) + np.array([first, 2 * first]).sum() + abs(x[1])


def filled_in_jax(x: Any) -> Any:
    out = (x * jnp.roll(x, 1) * np.array([2, 2, 1]) - np.array([0, 0, 1])) * x
    return out.sum() + x[0] * (x[1] + x[2]) + 3 * x[0] + jnp.abs(x[1])


def filled_inside(x: Any) -> Any:
    out, n = np.ones((2, 3)), np.full(3, 0.5, float)
    view = out[1]
    view *= x
    n += x
    rest = np.empty(3)
    for i in range(3):
        rest[i] = math.exp(x[i]) * out[1, i]
    data = DATA.copy()
    data -= rest.mean()
    return (out * n).sum() + rest @ data


def filled_inside_in_jax(x: Any) -> Any:
    rest = jnp.exp(x) * x
    return jnp.sum((1 + x) * (0.5 + x)) + rest @ (DATA - rest.mean())


def of_some(x: Any) -> Any:
    """With `where=`, and `out=`."""
    some = np.divide(1, x, where=x > 0, out=2 * x) @ np.power(x, 2, where=X > 1, out=x.copy())
    logs = np.log(x, where=x > 0, out=None)[::2].sum()
    return some + logs + np.dot(x, x, out=np.zeros_like(x[:1])[0:1].reshape(()))


def of_some_in_jax(x: Any) -> Any:
    some = jnp.where(x > 0, 1 / x, 2 * x) @ jnp.where(X > 1, x**2, x)
    return some + jnp.log(x[0] * x[2]) + x @ x


def of_formats(x: Any) -> Any:
    x = 2 * np.asarray(x.astype(float), "float64")
    try:
        return float(x[0]) * sum(math.exp(v) for v in x) * np.empty_like(x, dtype=float).size
    except (TypeError, ValueError):
        return 0.0


def asking(x: Any) -> Any:
    kinds = type(x) is np.ndarray, type(x[0]) is np.float64, isinstance(x[1], float)
    kinds += isinstance(x[1], np.floating | int), np.isscalar(x[2]), isinstance(x[0], Real)
    return sum(kinds) * np.float64(x[0]) ** 2 + np.finfo(np.float64).eps * x[1]


def of_math(x: Any) -> Any:
    several = math.hypot(x[0], x[1], x[2]) + math.fsum(v * v for v in x) + math.log(x[2], 3)
    special_ones = math.lgamma(x[2]) * math.gamma(x[2]) + math.erf(x[0]) * math.erfc(x[1])
    return several + special_ones + math.fabs(x[1]) * math.atan2(x[0], x[1]) + math.sqrt(2.0)


def of_math_in_jax(x: Any) -> Any:
    s = jax.scipy.special
    several = jnp.sqrt(x @ x) + x @ x + jnp.log(x[2]) / math.log(3)
    several += s.gammaln(x[2]) * jnp.exp(s.gammaln(x[2])) + s.erf(x[0]) * s.erfc(x[1])
    return several + jnp.abs(x[1]) * jnp.arctan2(x[0], x[1])


def of_scipy(x: Any) -> Any:
    factor = scipy.linalg.cholesky(askew(x), lower=True)
    solved = scipy.linalg.solve_triangular(factor, x, lower=True)
    solved = solved @ scipy.linalg.cho_solve((factor, True), np.ones(3))
    upper = scipy.linalg.solve(askew(x), x, assume_a="pos")
    return solved + scipy.special.logsumexp(x) + upper[0]


def of_scipy_in_jax(x: Any) -> Any:
    factor = jnp.linalg.cholesky(lower(askew(x)))
    solved = jnp.linalg.solve(factor, x) @ jnp.linalg.solve(lower(askew(x)), np.ones(3))
    return solved + jax.nn.logsumexp(x) + jnp.linalg.solve(lower(askew(x).T), x)[0]


def of_iterators(x: Any) -> Any:
    return np.fromiter((v * v for v in x), float).sum() * np.array([*x], float)[0]


def one_number(x: Any) -> Any:
    terms = [x + 2, 2 - x, x - np.float64(3), x * x, 0.5 * (x + 0), 1 / x, x / (1 + x)]
    terms += [x**3, x**2.0, 2**x, -(+x), abs(-x), np.exp(-x), x.real.item().conjugate()]
    terms += [max(x, 1) + min(x, 4), np.sum(x) + np.mean(x)]
    return sum(k * term for k, term in enumerate(terms, 1))


def of_one_number(x: Any) -> Any:
    slopes = [1, -1, 1, 2 * x, 0.5, -1 / x**2, 1 / (1 + x) ** 2, 3 * x**2, 2 * x]
    slopes += [2**x * math.log(2), -1, 1, -np.exp(-x), 1, 2, 2]
    return np.arange(1, 17) @ slopes


OTHERWISE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "Cholesky of one triangle": (by_cholesky, by_cholesky_in_jax),
    "eigenvalues of one triangle": (by_eigenvalues, by_eigenvalues_in_jax),
    "an array that is written to": (filled, filled_in_jax),
    "arrays that are made inside": (filled_inside, filled_inside_in_jax),
    "where and out": (of_some, of_some_in_jax),
    "formats": (of_formats, lambda x: 2 * x[0] * jnp.exp(2 * x).sum() * 3),
    "types that are asked for": (asking, lambda x: 6 * x[0] ** 2 + 2.0**-52 * x[1]),
    "math": (of_math, of_math_in_jax),
    "SciPy": (of_scipy, of_scipy_in_jax),
    "iterators": (of_iterators, lambda x: (x @ x) * x[0]),
}
OTHERWISE |= {
    name: (lambda x, f=f: f(np, x), lambda x, f=f: f(jnp, x)) for name, f in IN_BOTH.items()
}


def by_jax(loss: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def gradient(x: Any) -> Any:
        with (
            jax.enable_x64(True),
            jax.numpy_rank_promotion("allow"),
            jax.numpy_dtype_promotion("standard"),
        ):
            return np.asarray(jax.grad(loss)(x))

    return gradient


CASES = [
    *[
        case
        for name, (loss, in_jax) in OTHERWISE.items()
        for case in cases(f"NumPy, {name}", check_gradient, loss, X, points=0)(
            Row("right", by_jax(in_jax), certified=True),
        )
    ],
    *cases("a number by itself", check_gradient, one_number, np.array(3.0), points=0)(
        Row("right", of_one_number, certified=True),
    ),
]

"""cvxpy's atoms, each of which knows its gradient; by which it differentiates whole expressions."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Subject

REAL = np.array([[0.7, -1.3], [2.1, 0.4], [-0.6, 1.5]])
POSITIVE = np.abs(REAL) + 0.2
UNIT = POSITIVE / 3
VECTOR = np.array([0.7, 1.3, 2.1, 0.4])
DEFINITE = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 1.1]])
B = np.array([0.7, -1.1, 0.4])


def _atoms(cp: Any) -> dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]]:
    """What cvxpy calls it, what `xp` calls it, and where."""
    total = lambda f: lambda xp, x: xp.sum(f(xp, x))  # noqa: E731
    sym = lambda x: (x + x.T) / 2  # noqa: E731
    return {
        "abs": (cp.abs, lambda xp, x: xp.abs(x), REAL),
        "exp": (cp.exp, lambda xp, x: xp.exp(x), REAL),
        "log": (cp.log, lambda xp, x: xp.log(x), POSITIVE),
        "log1p": (cp.log1p, lambda xp, x: xp.log1p(x), POSITIVE),
        "entr": (cp.entr, lambda xp, x: -x * xp.log(x), POSITIVE),
        "xexp": (cp.xexp, lambda xp, x: x * xp.exp(x), POSITIVE),
        "logistic": (cp.logistic, lambda xp, x: xp.softplus(x), REAL),
        "huber": (
            cp.huber,
            lambda xp, x: xp.where(xp.abs(x) <= 1, x**2, 2 * xp.abs(x) - 1),
            REAL,
        ),
        "power 1.7": (lambda x: cp.power(x, 1.7), lambda xp, x: x**1.7, POSITIVE),
        "power -0.6": (lambda x: cp.power(x, -0.6), lambda xp, x: x**-0.6, POSITIVE),
        "square": (cp.square, lambda xp, x: x**2, REAL),
        "sqrt": (cp.sqrt, lambda xp, x: xp.sqrt(x), POSITIVE),
        "inv_pos": (cp.inv_pos, lambda xp, x: 1 / x, POSITIVE),
        "pos": (cp.pos, lambda xp, x: xp.maximum(x, 0), REAL),
        "maximum": (
            lambda x: cp.maximum(x, B[0], x**2),
            lambda xp, x: xp.maximum(xp.maximum(x, B[0]), x**2),
            REAL,
        ),
        "minimum": (lambda x: cp.minimum(x, B[0]), lambda xp, x: xp.minimum(x, B[0]), REAL),
        "kl_div": (
            lambda x: cp.kl_div(x, 0.8),
            lambda xp, x: x * xp.log(x / 0.8) - x + 0.8,
            POSITIVE,
        ),
        "rel_entr": (lambda x: cp.rel_entr(x, 0.8), lambda xp, x: x * xp.log(x / 0.8), POSITIVE),
        "rel_entr, second": (
            lambda x: cp.rel_entr(0.8, x),
            lambda xp, x: 0.8 * xp.log(0.8 / x),
            POSITIVE,
        ),
        "one_minus_pos": (cp.one_minus_pos, lambda xp, x: 1 - x, UNIT),
        "cumsum": (lambda x: cp.cumsum(x, axis=0), lambda xp, x: xp.cumsum(x, axis=0), REAL),
        "log_sum_exp": (cp.log_sum_exp, lambda xp, x: xp.logsumexp(x), REAL),
        "log_sum_exp of columns": (
            lambda x: cp.log_sum_exp(x, axis=0),
            lambda xp, x: xp.logsumexp(x, axis=0),
            REAL,
        ),
        "max": (cp.max, lambda xp, x: xp.max(x), REAL),
        "max of rows": (lambda x: cp.max(x, axis=1), lambda xp, x: xp.max(x, axis=1), REAL),
        "min": (cp.min, lambda xp, x: xp.min(x), REAL),
        "norm1": (cp.norm1, total(lambda xp, x: xp.abs(x)), REAL),
        "norm2": (
            lambda x: cp.norm(cp.vec(x, order="F"), 2),
            lambda xp, x: xp.sqrt(xp.sum(x * x)),
            REAL,
        ),
        "pnorm 3": (
            lambda x: cp.pnorm(x, 3),
            lambda xp, x: xp.sum(xp.abs(x) ** 3) ** (1 / 3),
            REAL,
        ),
        "pnorm 0.5": (lambda x: cp.pnorm(x, 0.5), lambda xp, x: xp.sum(xp.sqrt(x)) ** 2, POSITIVE),
        "quad_over_lin": (
            lambda x: cp.quad_over_lin(x, 1.7),
            lambda xp, x: xp.sum(x * x) / 1.7,
            REAL,
        ),
        "sum_largest": (
            lambda x: cp.sum_largest(x, 2),
            lambda xp, x: xp.sum(xp.sort(xp.reshape(x, (-1,)))[-2:]),
            REAL,
        ),
        "sum_largest 2.5": (
            lambda x: cp.sum_largest(x, 2.5),
            lambda xp, x: (
                xp.sum(xp.sort(xp.reshape(x, (-1,)))[-2:]) + 0.5 * xp.sort(xp.reshape(x, (-1,)))[-3]
            ),
            REAL,
        ),
        "dotsort": (
            lambda x: cp.dotsort(x, np.array([0.3, 1.2, 0.9])),
            lambda xp, x: xp.sum(xp.sort(xp.reshape(x, (-1,)))[-3:] * np.array([0.3, 0.9, 1.2])),
            REAL,
        ),
        "prod": (cp.prod, lambda xp, x: xp.prod(x), POSITIVE),
        "geo_mean": (
            lambda x: cp.geo_mean(x, [1, 2, 1, 3]),
            lambda xp, x: xp.prod(x ** (np.array([1, 2, 1, 3]) / 7)),
            VECTOR,
        ),
        "harmonic_mean": (cp.harmonic_mean, lambda xp, x: 4 / xp.sum(1 / x), VECTOR),
        "tv": (cp.tv, lambda xp, x: xp.sum(xp.abs(x[1:] - x[:-1])), VECTOR),
        "log_det": (cp.log_det, lambda xp, x: xp.linalg.slogdet(sym(x))[1], DEFINITE),
        "tr_inv": (cp.tr_inv, lambda xp, x: xp.trace(xp.linalg.inv(sym(x))), DEFINITE),
        "lambda_max": (cp.lambda_max, lambda xp, x: xp.linalg.eigvalsh(sym(x))[-1], DEFINITE),
        "lambda_sum_largest": (
            lambda x: cp.lambda_sum_largest(x, 2),
            lambda xp, x: xp.sum(xp.linalg.eigvalsh(sym(x))[-2:]),
            DEFINITE,
        ),
        "matrix_frac": (
            lambda x: cp.matrix_frac(B, x),
            lambda xp, x: B @ xp.linalg.inv(sym(x)) @ B,
            DEFINITE,
        ),
        "quad_form": (lambda x: cp.quad_form(x, DEFINITE), lambda xp, x: x @ DEFINITE @ x, B),
        "sigma_max": (cp.sigma_max, lambda xp, x: xp.linalg.svdvals(x)[0], REAL),
        "norm_nuc": (cp.normNuc, lambda xp, x: xp.sum(xp.linalg.svdvals(x)), REAL),
        "tanh": (lambda x: cp.tanh(x), lambda xp, x: xp.tanh(x), REAL),
        "sinh": (lambda x: cp.sinh(x), lambda xp, x: xp.sinh(x), REAL),
        "asinh": (lambda x: cp.asinh(x), lambda xp, x: xp.arcsinh(x), REAL),
        "sin": (lambda x: cp.sin(x), lambda xp, x: xp.sin(x), REAL),
        "tan": (lambda x: cp.tan(x), lambda xp, x: xp.tan(x), UNIT),
        "normcdf": (lambda x: cp.normcdf(x), lambda xp, x: xp.ndtr(x), REAL),
    }


def subjects() -> Iterator[Subject]:
    """Each atom that this release has."""
    import cvxpy as cp

    class Missing:
        def __getattr__(self, name: str) -> Any:
            return getattr(cp, name, None) or (lambda x: None)

    for name, (atom, f, x) in _atoms(Missing()).items():
        variable = cp.Variable(x.shape)
        variable.value = x
        expression = atom(variable)
        if expression is None:
            continue
        shape = expression.shape
        c = 1 + np.arange(np.prod(shape, dtype=int)).reshape(shape) / 7 if shape else np.array(1.5)

        def loss(xp: Any, x: Any, f: Any = f, c: Any = c) -> Any:
            return xp.sum(c * f(xp, x))

        def gradient(x: Any, e: Any = expression, v: Any = variable, c: Any = c) -> Any:
            v.value = x
            return np.asarray(e.grad[v] @ c.ravel(order="F")).reshape(x.shape, order="F")

        yield Subject("cvxpy", f"{name}.grad", loss, gradient, x)

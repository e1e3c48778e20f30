"""Functions of JAX with a derivative rule of their own."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax  # noqa: F401 (a name of the table)
from jax.scipy import special  # noqa: F401 (a name of the table)

from evaluation.foreign.subject import Backward, Subject, weighed
from evaluation.formulas import formula, table

REAL = np.array([0.7, -1.3, 2.1])
POSITIVE = np.array([0.3, 1.7, 4.2])
UNIT = np.array([0.2, 0.55, 0.9])
OTHER = np.array([1.1, 0.6, 2.5])
MATRIX = np.array([[2.0, 0.3], [0.3, 1.1]])


def symmetric(x: Any) -> Any:
    return (x + x.T) / 2


#: Name, what it computes, its arguments, and the function of JAX.
RULES = """
nn.relu     | maximum(x, 0)             | REAL,            | jax.nn.relu
nn.relu6    | minimum(maximum(x, 0), 6) | REAL,            | jax.nn.relu6
logsumexp   | logsumexp(x)              | REAL,            | special.logsumexp
xlogy       | x * log(y)                | POSITIVE, OTHER  | special.xlogy
xlog1py     | x * log1p(y)              | POSITIVE, OTHER  | special.xlog1py
log_ndtr    | log_ndtr(x)               | REAL,            | special.log_ndtr
expi        | expi(x)                   | POSITIVE,        | special.expi
logaddexp   | logaddexp(x, y)           | REAL, POSITIVE   | jnp.logaddexp
logaddexp2  | logaddexp2(x, y)          | REAL, POSITIVE   | jnp.logaddexp2
sinc        | sinc(x)                   | REAL,            | jnp.sinc
spence      | spence(x)                 | POSITIVE,        | special.spence
erfcx       | erfcx(x)                  | REAL,            | special.erfcx
entr        | -x * log(x)               | POSITIVE,        | special.entr
betaln      | betaln(x, y)              | POSITIVE, OTHER  | special.betaln
lax.digamma | digamma(x)                | POSITIVE,        | lax.digamma
lax.lgamma  | gammaln(x)                | POSITIVE,        | lax.lgamma
lax.igamma  | gammainc(x, y)            | OTHER, POSITIVE  | lax.igamma
lax.igammac | gammaincc(x, y)           | OTHER, POSITIVE  | lax.igammac
lax.bessel_i0e | i0e(x)                 | REAL,            | lax.bessel_i0e
lax.bessel_i1e | i1e(x)                 | REAL,            | lax.bessel_i1e
lax.erf_inv | erfinv(x)                 | UNIT,            | lax.erf_inv
lax.cbrt    | cbrt(x)                   | POSITIVE,        | lax.cbrt
lax.logistic | expit(x)                 | REAL,            | lax.logistic
lax.atan2   | arctan2(x, y)             | REAL, POSITIVE   | lax.atan2
lax.asinh   | arcsinh(x)                | REAL,            | lax.asinh
lax.rsqrt   | 1 / sqrt(x)               | POSITIVE,        | lax.rsqrt
linalg.slogdet | linalg.slogdet(x)[1]   | np.array([[2.0, 0.3], [-0.4, 1.1]]),
            | lambda x: jnp.linalg.slogdet(x)[1]
linalg.cholesky | linalg.cholesky(symmetric(x)) | MATRIX,
            | lambda x: jnp.linalg.cholesky(symmetric(x))
linalg.eigh | linalg.eigvalsh(symmetric(x)) | MATRIX,
            | lambda x: jnp.linalg.eigh(symmetric(x))[0]
cumprod     | cumprod(x)                | REAL,            | jnp.cumprod
prod with a zero | prod(x)              | np.array([2.0, 0.0, 3.0]), | jnp.prod
special.zeta | zeta(2.5 + 0 * x, x)     | POSITIVE,        | lambda x: special.zeta(2.5, x)
special.ndtri | ndtri(x)                | UNIT,            | special.ndtri
special.i0  | i0(x)                     | REAL,            | special.i0
special.polygamma | polygamma(np.ones(np.shape(x), int), x) | POSITIVE,
            | lambda x: special.polygamma(1, x)
special.betainc | betainc(1.7 + 0 * x, 0.6 + 0 * x, x) | UNIT,
            | lambda x: special.betainc(1.7, 0.6, x)
"""


def _jax() -> Iterator[Subject]:
    """By `check_custom` where the function is decorated, else `jax.grad` as if by hand."""
    for name, text, at, called in table(RULES):
        args, function = eval(at), eval(called)
        f = formula("x, y" if len(args) == 2 else "x", text, globals())
        by_rule = partial(_pulled_back, function)
        if isinstance(function, jax.custom_jvp | jax.custom_vjp):
            yield Backward(f"rule of {name}", f, by_rule, args, rule=function)
            continue
        with jax.enable_x64(True):
            shape = np.shape(function(*args))
        c = np.broadcast_to(1 + np.arange(shape[-1]) / 7 if shape else 1.0, shape)

        def of_args(xp: Any, args: Any, f: Any = f) -> Any:
            return f(xp, *args)

        def slopes(c: Any, args: Any, by_rule: Any = by_rule) -> Any:
            return by_rule(c, *args)

        yield weighed(f"jax.grad of {name}", c, of_args, slopes, args)


def _pulled_back(function: Any, cotangent: Any, *args: Any) -> Any:
    with jax.enable_x64(True):
        return jax.vjp(function, *args)[1](jnp.asarray(cotangent))


PACKAGES = {"jax": _jax}

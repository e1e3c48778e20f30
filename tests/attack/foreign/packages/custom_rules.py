"""Functions of JAX with a derivative rule of their own."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Custom, Subject

REAL = np.array([0.7, -1.3, 2.1])
POSITIVE = np.array([0.3, 1.7, 4.2])
UNIT = np.array([0.2, 0.55, 0.9])
POSITIVE_2 = np.array([1.1, 0.6, 2.5])


def subjects() -> Iterator[Subject]:
    """By `check_custom` where the function is decorated, else `jax.grad` as if by hand."""
    import jax
    import jax.numpy as jnp
    from jax import lax
    from jax.scipy import special

    decorated: dict[str, tuple[Any, Callable[..., Any], tuple[Any, ...]]] = {
        "nn.relu": (jax.nn.relu, lambda xp, x: xp.maximum(x, 0), (REAL,)),
        "nn.relu6": (jax.nn.relu6, lambda xp, x: xp.minimum(xp.maximum(x, 0), 6), (REAL,)),
        "logsumexp": (special.logsumexp, lambda xp, x: xp.logsumexp(x), (REAL,)),
        "xlogy": (special.xlogy, lambda xp, x, y: x * xp.log(y), (POSITIVE, POSITIVE_2)),
        "xlog1py": (special.xlog1py, lambda xp, x, y: x * xp.log1p(y), (POSITIVE, POSITIVE_2)),
        "log_ndtr": (special.log_ndtr, lambda xp, x: xp.log_ndtr(x), (REAL,)),
        "expi": (special.expi, lambda xp, x: xp.expi(x), (POSITIVE,)),
        "logaddexp": (jnp.logaddexp, lambda xp, x, y: xp.logaddexp(x, y), (REAL, POSITIVE)),
        "logaddexp2": (jnp.logaddexp2, lambda xp, x, y: xp.logaddexp2(x, y), (REAL, POSITIVE)),
        "sinc": (jnp.sinc, lambda xp, x: xp.sinc(x), (REAL,)),
        "spence": (special.spence, lambda xp, x: xp.spence(x), (POSITIVE,)),
        "erfcx": (special.erfcx, lambda xp, x: xp.erfcx(x), (REAL,)),
        "entr": (special.entr, lambda xp, x: -x * xp.log(x), (POSITIVE,)),
        "betaln": (special.betaln, lambda xp, x, y: xp.betaln(x, y), (POSITIVE, POSITIVE_2)),
    }
    for name, (function, f, args) in decorated.items():
        if isinstance(function, jax.custom_jvp | jax.custom_vjp):
            yield Custom("jax", f"rule of {name}", f, function, args)
        else:
            yield _by_grad(name, function, f, args)
    plain: dict[str, tuple[Any, Callable[..., Any], tuple[Any, ...]]] = {
        "lax.digamma": (lax.digamma, lambda xp, x: xp.digamma(x), (POSITIVE,)),
        "lax.lgamma": (lax.lgamma, lambda xp, x: xp.gammaln(x), (POSITIVE,)),
        "lax.igamma": (lax.igamma, lambda xp, a, x: xp.gammainc(a, x), (POSITIVE_2, POSITIVE)),
        "lax.igammac": (lax.igammac, lambda xp, a, x: xp.gammaincc(a, x), (POSITIVE_2, POSITIVE)),
        "lax.bessel_i0e": (lax.bessel_i0e, lambda xp, x: xp.i0e(x), (REAL,)),
        "lax.bessel_i1e": (lax.bessel_i1e, lambda xp, x: xp.i1e(x), (REAL,)),
        "lax.erf_inv": (lax.erf_inv, lambda xp, x: xp.erfinv(x), (UNIT,)),
        "lax.cbrt": (lax.cbrt, lambda xp, x: xp.cbrt(x), (POSITIVE,)),
        "lax.logistic": (lax.logistic, lambda xp, x: xp.expit(x), (REAL,)),
        "lax.atan2": (lax.atan2, lambda xp, x, y: xp.arctan2(x, y), (REAL, POSITIVE)),
        "lax.asinh": (lax.asinh, lambda xp, x: xp.arcsinh(x), (REAL,)),
        "lax.rsqrt": (lax.rsqrt, lambda xp, x: 1 / xp.sqrt(x), (POSITIVE,)),
        "linalg.slogdet": (
            lambda a: jnp.linalg.slogdet(a)[1],
            lambda xp, a: xp.linalg.slogdet(a)[1],
            (np.array([[2.0, 0.3], [-0.4, 1.1]]),),
        ),
        "linalg.cholesky": (
            lambda a: jnp.linalg.cholesky((a + a.T) / 2),
            lambda xp, a: xp.linalg.cholesky((a + a.T) / 2),
            (np.array([[2.0, 0.3], [0.3, 1.1]]),),
        ),
        "linalg.eigh": (
            lambda a: jnp.linalg.eigh((a + a.T) / 2)[0],
            lambda xp, a: xp.linalg.eigvalsh((a + a.T) / 2),
            (np.array([[2.0, 0.3], [0.3, 1.1]]),),
        ),
        "cumprod": (jnp.cumprod, lambda xp, x: xp.cumprod(x), (REAL,)),
        "prod with a zero": (jnp.prod, lambda xp, x: xp.prod(x), (np.array([2.0, 0.0, 3.0]),)),
        "special.zeta": (
            lambda q: special.zeta(2.5, q),
            lambda xp, q: xp.zeta(2.5 + 0 * q, q),
            (POSITIVE,),
        ),
        "special.ndtri": (special.ndtri, lambda xp, p: xp.ndtri(p), (UNIT,)),
        "special.i0": (special.i0, lambda xp, x: xp.i0(x), (REAL,)),
        "special.polygamma": (
            lambda x: special.polygamma(1, x),
            lambda xp, x: xp.polygamma(np.ones(np.shape(x), int), x),
            (POSITIVE,),
        ),
        "special.betainc": (
            lambda x: special.betainc(1.7, 0.6, x),
            lambda xp, x: xp.betainc(1.7 + 0 * x, 0.6 + 0 * x, x),
            (UNIT,),
        ),
    }
    for name, (function, f, args) in plain.items():
        yield _by_grad(name, function, f, args)


def _by_grad(name: str, function: Any, f: Any, args: Any) -> Subject:
    import jax
    import jax.numpy as jnp

    c = 1 + np.arange(5) / 7

    def loss(xp: Any, args: Any) -> Any:
        value = f(xp, *args)
        return xp.sum(c[: value.shape[-1]] * value) if getattr(value, "shape", ()) else value

    def gradient(args: Any) -> Any:
        with jax.enable_x64(True):
            return jax.grad(lambda args: weighed(function(*args)))(args)

    def weighed(value: Any) -> Any:
        return jnp.sum(c[: value.shape[-1]] * value) if value.shape else value

    return Subject("jax", f"jax.grad of {name}", loss, gradient, args)

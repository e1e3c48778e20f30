"""For each operation of the table of rules a small loss that has it, at a point without kinks."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import linear_call

from handgrad.program.jacobians import jacobian

Loss = Callable[[Any], Any]

P = np.array([0.3, -0.7, 1.1, -0.45, 0.85])
Q = np.array([0.6, 1.3, -0.2, 0.9, -1.7])
POSITIVE = np.array([0.3, 1.7, 2.5, 0.8, 4.1])
M = np.array([[0.3, -0.7, 1.1], [2.3, 0.4, -0.9], [-0.2, 1.6, 0.5]])
TALL = np.sin(np.arange(1.0, 16.0)).reshape(5, 3)


def mixed(x: Any) -> Any:
    """Every element counts, each by another weight and not in proportion."""
    w = jnp.cos(1.0 + jnp.arange(x.size, dtype=x.dtype)).reshape(x.shape)
    return jnp.sum(w * x * x + x)


def of(f: Callable[[Any], Any], at: Any = P) -> tuple[Loss, Any]:
    return lambda p: mixed(f(p)), at


def of_two(f: Callable[[Any, Any], Any], a: Any = P, b: Any = Q) -> tuple[Loss, Any]:
    return lambda p: mixed(f(p[0], p[1])), (a, b)


def choice(compare: Callable[[Any, Any], Any]) -> tuple[Loss, Any]:
    return of_two(lambda a, b: jnp.where(compare(a, b), a * 2.0, b * b), P, np.sort(P))


@jax.custom_vjp
def hurwitz(q: Any) -> Any:
    """ζ(3.5, q); JAX has no derivative of it."""
    return lax.zeta(jnp.full_like(q, 3.5), q)


hurwitz.defvjp(
    lambda q: (hurwitz(q), q), lambda q, ct: (-3.5 * ct * lax.zeta(jnp.full_like(q, 4.5), q),)
)


ELEMENTWISE: dict[str, tuple[Loss, Any]] = {
    "exp": of(lax.exp),
    "log": of(lax.log, POSITIVE),
    "sqrt": of(lax.sqrt, POSITIVE),
    "rsqrt": of(lax.rsqrt, POSITIVE),
    "sin": of(lax.sin),
    "cos": of(lax.cos),
    "tan": of(lax.tan),
    "asin": of(lambda p: lax.asin(p * 0.5)),
    "acos": of(lambda p: lax.acos(p * 0.5)),
    "atan": of(lax.atan),
    "erf": of(lax.erf),
    "erfc": of(lax.erfc),
    "logistic": of(lax.logistic),
    "lgamma": of(lax.lgamma, POSITIVE),
    "log1p": of(lax.log1p),
    "expm1": of(lax.expm1),
    "exp2": of(lax.exp2),
    "tanh": of(lax.tanh),
    "sinh": of(lax.sinh),
    "cosh": of(lax.cosh),
    "asinh": of(lax.asinh),
    "acosh": of(lambda p: lax.acosh(p + 1.0), POSITIVE),
    "atanh": of(lambda p: lax.atanh(p * 0.5)),
    "square": of(lax.square),
    "cbrt": of(lax.cbrt),
    "erf_inv": of(lambda p: lax.erf_inv(p * 0.5)),
    "digamma": of(lax.digamma, POSITIVE),
    "polygamma": of(lambda p: lax.polygamma(jnp.full_like(p, 2.0), p), POSITIVE),
    "zeta": of(hurwitz, POSITIVE),
    "bessel_i0e": of(lax.bessel_i0e),
    "bessel_i1e": of(lax.bessel_i1e),
    "igamma": of_two(lambda a, b: lax.igamma(jnp.full_like(b, 2.5), b) * a, P, POSITIVE),
    "igammac": of_two(lambda a, b: lax.igammac(jnp.full_like(b, 2.5), b) * a, P, POSITIVE),
    "igamma_grad_a": of(lambda p: lax.igamma(p, jnp.asarray(POSITIVE[::-1])), POSITIVE),
    "regularized_incomplete_beta": of(
        lambda p: lax.betainc(jnp.full_like(p, 2.5), jnp.full_like(p, 0.75), p * p * 0.5)
    ),
    "add": of_two(lax.add),
    "add_any": of(lambda p: p * lax.sin(p)),  # only in its gradient
    "sub": of_two(lax.sub),
    "mul": of_two(lax.mul),
    "neg": of(lax.neg),
    "div": of_two(lax.div),
    "integer_pow": of(lambda p: p**3 - p**-2),
    "pow": of_two(lambda a, b: lax.pow(a, b), POSITIVE),
    "atan2": of_two(lax.atan2),
    "copy": of(jnp.copy),
    "reduce_precision": of(lambda p: lax.reduce_precision(p, 11, 52)),
    "optimization_barrier": of(lambda p: lax.optimization_barrier((p, p * 2.0))[1]),
    "stop_gradient": of(lambda p: p * lax.stop_gradient(p)),
    "convert_element_type": of(lambda p: p * (p > 0).astype(p.dtype)),
    "is_finite": of(lambda p: jnp.where(lax.is_finite(p), p, 0.0)),
}

COMPARING: dict[str, tuple[Loss, Any]] = {
    "lt": choice(lax.lt),
    "le": choice(lax.le),
    "gt": choice(lax.gt),
    "ge": choice(lax.ge),
    "eq": choice(lax.eq),
    "ne": choice(lax.ne),
    "select_n": of_two(lambda a, b: lax.select_n(np.array([1, 0, 1, 1, 0]), a, b, a * b)),
    "max": of_two(lax.max),
    "min": of_two(lax.min),
    "clamp": of(lambda p: lax.clamp(-0.5, p, 0.9) * p),
    "abs": of(lax.abs),
    "sign": of(lambda p: lax.sign(p) * p),
    "floor": of(lambda p: lax.floor(p * 4.1) * p),
    "ceil": of(lambda p: lax.ceil(p * 4.1) * p),
    "round": of(lambda p: lax.round(p * 4.1) * p),
    "rem": of_two(lax.rem, P * 7, Q),
    "reduce_max": of(lambda p: jnp.max(p, axis=1) * jnp.max(p), TALL),
    "reduce_min": of(lambda p: jnp.min(p, axis=1) * jnp.min(p), TALL),
    "argmax": of(lambda p: p[jnp.argmax(p, axis=0)], TALL),
    "argmin": of(lambda p: p[jnp.argmin(p, axis=0)], TALL),
    "cummax": of(lambda p: lax.cummax(p, 0) * lax.cummax(p, 1, reverse=True), TALL[:3]),
    "cummin": of(lambda p: lax.cummin(p, 0) * lax.cummin(p, 1, reverse=True), TALL[:3]),
}


@jax.custom_vjp
def doubled_until_large(x: Any) -> Any:
    """x·2^k, the first that is 100 or more; reverse mode has no rule for `while`."""
    return lax.while_loop(lambda v: v < 100.0, lambda v: v * 2.0, x)


def _forward(x: Any) -> tuple[Any, Any]:
    return doubled_until_large(x), x


def _backward(x: Any, cotangent: Any) -> tuple[Any]:
    return (cotangent * doubled_until_large(x) / x,)


doubled_until_large.defvjp(_forward, _backward)


def recurrence(p: Any) -> Any:
    def step(h: Any, row: Any) -> tuple[Any, Any]:
        h = jnp.tanh(h * p[0] + row)
        return h, h * row

    forward, kept = lax.scan(step, p[1], p)
    backward, too = lax.scan(step, p[2], p * 2.0, reverse=True)
    return kept * forward + too * too * backward


def on_a_mesh(p: Any) -> Any:
    """A loss on a mesh of one device; test_sharding.py has more of them."""
    part = jax.sharding.PartitionSpec("d")
    mesh = jax.make_mesh((1,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
    whole = jax.sharding.PartitionSpec()

    def body(p: Any) -> Any:
        return lax.psum(jnp.sin(p).sum(), "d")

    return p * jax.shard_map(body, mesh=mesh, in_specs=part, out_specs=whole)(p)


CONTROL: dict[str, tuple[Loss, Any]] = {
    "shard_map": of(on_a_mesh),
    "reshard": of(on_a_mesh),
    "jit": of(jax.jit(lambda p: p * p)),
    "remat2": of(jax.checkpoint(lambda p: jnp.sin(p) * p)),
    "custom_jvp_call": of(lambda p: jax.nn.relu(p) * p),
    "custom_vjp_call": of(lambda p: doubled_until_large(p[0]) * p),
    "while": of(lambda p: doubled_until_large(p[0]) * p),
    "jacobian": of(lambda p: jacobian(lambda x, q: jnp.sin(x) * x[0] * q, p, p * p)),
    "cond": of(lambda p: lax.cond(p[1] > 0, jnp.sin, lambda v: v * v * v, p)),
    "scan": of(recurrence),
    "linear_call": of(
        lambda p: linear_call(lambda r, t: r * t, lambda r, d: r * d, jnp.asarray(Q), p * p)
    ),
}

"""One table of operations: for each that has a rule, lines of a loss that have it.

A line is one expression with holes, of which equal names get the same value:

    x, y, z    any array of rank 1 or more; y and z broadcast with x
    v, w, u    vectors (3,)
    m, n       matrices (2, 3)
    s, t       matrices (3, 3)
    axis       an axis of x; side: 0 or 1
    i, j, k    three different indices below 3
    c, d       numbers between 0.3 and 2

Each is tried alone by `tests/corpus/test_operations.py`; programs are drawn from `STEPS` by
`tests.corpus.programs`.
"""

import ast
from collections.abc import Callable
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import linear_call

from evaluation.formulas import table
from handgrad.program.jacobians import jacobian

# Functions that have no name in JAX.


@jax.custom_vjp
def doubled(x: Any) -> Any:
    """x·2^k, the first that is 1 or more, k at most 20; reverse mode has no rule for `while`."""

    def goes_on(state: Any) -> Any:
        return (jnp.abs(state[0]) < 1.0) & (state[1] < 20)

    return lax.while_loop(goes_on, lambda state: (state[0] * 2.0, state[1] + 1), (x, 0))[0]


doubled.defvjp(lambda x: (doubled(x), x), lambda x, cotangent: (cotangent * doubled(x) / x,))


@jax.custom_vjp
def hurwitz(q: Any) -> Any:
    """ζ(3.5, q); JAX has no derivative of it."""
    return lax.zeta(jnp.full_like(q, 3.5), q)


hurwitz.defvjp(
    lambda q: (hurwitz(q), q), lambda q, ct: (-3.5 * ct * lax.zeta(jnp.full_like(q, 4.5), q),)
)

#: Everything different: two axes, overlaps, gaps between windows, padding on every side.
UNEVEN: dict[str, Any] = {
    "window_dimensions": (2, 3),
    "window_strides": (1, 2),
    "padding": ((1, 0), (0, 2)),
}


def pooled(p: Any, worst: float, best: Any, **options: Any) -> Any:
    return lax.reduce_window(p, worst, best, **{**UNEVEN, **options})


def largest(p: Any) -> Any:
    return pooled(p, -jnp.inf, lax.max)


def smallest(p: Any) -> Any:
    return pooled(p, jnp.inf, lax.min)


@jax.custom_vjp
def log_sums(p: Any) -> Any:
    """log Σ exp of each window; reverse mode has no rule for `reduce_window`."""
    return pooled(p, -jnp.inf, jnp.logaddexp, padding="VALID")


def _log_sums_backward(p: Any, cotangent: Any) -> tuple[Any]:
    def by_sums(p: Any) -> Any:
        return jnp.log(pooled(jnp.exp(p), 0.0, lax.add, padding="VALID"))

    return jax.vjp(by_sums, p)[1](cotangent)


log_sums.defvjp(lambda p: (log_sums(p), p), _log_sums_backward)


def together(a: Any, b: Any) -> Any:
    """(1 + a)(1 + b) - 1, which has 0 for its neutral element."""
    return a + b + a * b


def finite(a: Any) -> Any:
    """0 where a window holds nothing."""
    return jnp.where(jnp.isfinite(a), a, 0.0)


def on_a_mesh(p: Any) -> Any:
    """Times its sum, on a mesh of one device."""
    mesh = jax.make_mesh((1,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
    part, whole = jax.sharding.PartitionSpec("d"), jax.sharding.PartitionSpec()

    def body(p: Any, shift: Any) -> Any:
        return lax.psum(lax.fori_loop(0, 2, lambda _, s: jnp.sin(s) + shift, p).sum(), "d")

    mapped = jax.shard_map(body, mesh=mesh, in_specs=(part, whole), out_specs=whole)
    return p * mapped(p, jnp.asarray(0.5, p.dtype))


def pair(a: Any, b: Any) -> Any:
    """A batch of two."""
    return jnp.stack([a, b])


def parts(z: Any) -> Any:
    """The real and the imaginary part of complex numbers."""
    return jnp.stack([jnp.real(z), jnp.imag(z)])


_FUNCTIONS: tuple[Any, ...] = (
    *(doubled, hurwitz, pooled, largest, smallest, log_sums, together, finite, on_a_mesh, pair),
    *(parts, linear_call, jacobian),
)

#: The names that a line may use; the same for every one of them.
NAMES: dict[str, Any] = {
    "jax": jax,
    "jnp": jnp,
    "lax": lax,
    "np": np,
    **{f.__name__: f for f in _FUNCTIONS},
    # Two of six indices are outside of three elements, and one counts from the end.
    "OUTSIDE": np.array([[0, 7, 2], [-1, -9, 1]]),
    "LABELS": np.array([1, 0, 1]),
}

#: What stands in many lines.
ABBREVIATIONS = {
    "{POSITIVE}": "(0.5 + {x} ** 2)",
    "{SMALL}": "(0.5 * jnp.sin({x}))",
    "{DEFINITE}": "({s} @ {s}.T + 2.0 * jnp.eye(3))",
    "{PICKED}": "np.array([{i}, {j}, {i}])",
    "{POOLED}": "(1, 2), (1, 1), 'VALID')",
    "{HALF}": "jnp.full_like({x}, 2.5)",
    # Complex numbers in all four quadrants, and matrices of them.
    "{Z}": "lax.complex({v}, {w})",
    "{COMPLEX}": "lax.complex({s}, {t})",
    "{HERMITIAN}": "(lax.complex({s}, {t}) @ lax.complex({s}, {t}).conj().T + jnp.eye(3))",
}

#: By operation, the lines that have it. `add_any` is in the gradient of all of them.
_STEPS = """
exp                  | jnp.exp({x}) | jnp.exp(-{x}) * {y}
log                  | jnp.log{POSITIVE} | {y} * jnp.log{POSITIVE}
sqrt                 | jnp.sqrt{POSITIVE} | {y} / jnp.sqrt{POSITIVE}
rsqrt                | lax.rsqrt{POSITIVE} | {x} * lax.rsqrt{POSITIVE}
sin                  | jnp.sin({x}) | jnp.sin({c} * {x}) - {y}
cos                  | jnp.cos({x}) | {x} * jnp.cos({y})
tan                  | jnp.tan{SMALL}
asin                 | jnp.arcsin{SMALL}
acos                 | jnp.arccos{SMALL} | {y} - jnp.arccos{SMALL}
atan                 | jnp.arctan({x}) | jnp.arctan({x} / {c})
erf                  | lax.erf({x}) | {x} * lax.erf({x})
erfc                 | lax.erfc({x}) | {y} * lax.erfc({x})
logistic             | jax.nn.sigmoid({x}) | {x} * jax.nn.sigmoid({y})
lgamma               | lax.lgamma{POSITIVE}
log1p                | jnp.log1p({x} ** 2) | jnp.log1p(jnp.exp(-{x}))
expm1                | jnp.expm1({x}) | jnp.expm1({c} * {x}) / {d}
exp2                 | jnp.exp2({x})
tanh                 | jnp.tanh({x}) | jnp.tanh({x} - {y}) * {c} | 1 - jnp.tanh({x}) ** 2
sinh                 | jnp.sinh({x})
cosh                 | jnp.cosh({x}) | {y} / jnp.cosh({x})
asinh                | jnp.arcsinh({x})
acosh                | jnp.arccosh(1.5 + {x} ** 2)
atanh                | jnp.arctanh{SMALL}
square               | jnp.square({x}) | jnp.square({x} - {y})
cbrt                 | jnp.cbrt({x})
erf_inv              | lax.erf_inv{SMALL}
digamma              | lax.digamma{POSITIVE}
polygamma            | lax.polygamma({HALF} - 0.5, {POSITIVE})
zeta                 | hurwitz{POSITIVE}
bessel_i0e           | lax.bessel_i0e({x})
bessel_i1e           | lax.bessel_i1e({x})
igamma               | lax.igamma({HALF}, {POSITIVE})
igammac              | lax.igammac({HALF}, {POSITIVE})
igamma_grad_a        | lax.igamma({POSITIVE}, {HALF})
regularized_incomplete_beta | lax.betainc({HALF}, {HALF} - 1.75, 0.3 + 0.5 * {SMALL})
add                  | {x} + {y} | {c} * {x} + {y}
sub                  | {x} - {y} | {c} * {x} - {y}
mul                  | {x} * {y} | {c} * {x} * {y} | {x} * {y} * {z}
neg                  | -{x} * {y} | -({x} + {y})
div                  | {x} / (1.5 + {y} ** 2) | {x} / {c} - {y} | {y} / (jnp.cosh({x}) + {c})
integer_pow          | {x} ** 3 | {x} ** 2 - {c} * {y}
pow                  | {POSITIVE} ** {y} | {POSITIVE} ** 1.7
atan2                | jnp.arctan2({x}, {y}) | jnp.arctan2({x} + {y}, {c})
copy                 | jnp.copy({x}) * {y}
reduce_precision     | lax.reduce_precision({x}, 11, 52) * {y}
optimization_barrier | lax.optimization_barrier(({x}, {x} * {y}))[1]
stop_gradient        | {x} * lax.stop_gradient({y})
convert_element_type | {x} * ({y} > 0).astype({x}.dtype)
is_finite            | jnp.where(lax.is_finite({x}), {x}, 0.0) * {y}
lt                   | jnp.where({x} < {y}, {x}, {c} * {y})
le                   | jnp.where({x} <= {y}, {x} ** 2, {y})
gt                   | jnp.where({x} > {c}, {y}, {x} * {y})
ge                   | jnp.where({x} >= {y}, {x} - {y}, 0.0)
eq                   | jnp.where({x} == {y}, {x}, {x} * {y})
ne                   | jnp.where({x} != {y}, {x} / {c}, {y})
select_n             | jnp.where(np.array([True, False, True]), {v}, {c} * {w})
max                  | jnp.maximum({x}, {y}) | jnp.maximum({x}, {c} * {y}) - {x}
min                  | jnp.minimum({x}, {y}) | jnp.minimum({x} * {y}, {c})
clamp                | lax.clamp(-0.5, {x}, 0.9) * {y}
abs                  | jnp.abs({x}) | jnp.abs({x} - {y})
sign                 | jnp.sign({x}) * {y}
floor                | jnp.floor(4.1 * {x}) * {y}
ceil                 | jnp.ceil(4.1 * {x}) * {y}
round                | lax.round(4.1 * {x}) * {y}
rem                  | lax.rem(7.0 * {x}, 1.5 + {x} ** 2) | jnp.fmod({x}, {c})
reduce_max           | jnp.max({x}, axis={axis}) | {x} - jnp.max({x}, axis={axis}, keepdims=True)
reduce_min           | jnp.min({x}, axis={axis}) | {x} * jnp.min({x}, axis={axis}, keepdims=True)
argmax               | {v}[jnp.argmax({s}, axis={side})]
argmin               | {w}[jnp.argmin({m}, axis=1)]
cummax               | lax.cummax({x}, {axis}) | lax.cummax({s}, {side}, reverse=True)
cummin               | lax.cummin({x}, {axis}) | lax.cummin({s}, {side}, reverse=True)
reshape              | {m}.reshape(3, 2) @ {n} | {s}.reshape(9)[:3] * {v}
transpose            | {m}.T @ {n} | {s} @ {t}.T | {s}.T * {t}
broadcast_in_dim     | {v}[:, None] * {w} | jnp.broadcast_to({v}, (2, 3)) * {m}
squeeze              | jnp.squeeze({m}[:1], 0) * {v} | lax.squeeze({s}[:, {i}:{i} + 1], (1,))
rev                  | jnp.flip({x}, {axis}) * {x}
slice                | {s}[1:, :] - {m} | {s}[::2, :] * {m} | {v}[:2] * {w}[1:]
concatenate          | jnp.concatenate([{v}, {w} * {c}, {u}[:2]]) | jnp.concatenate([{m}, {s}[:1]])
pad                  | lax.pad({m}, {v}[{i}], [(1, 0, 0), (0, -1, 1)])
                     | jnp.pad({m}, ((0, 1), (0, 0))) * {s}
gather               | {s}[{PICKED}] * {v} | {m}[:, {PICKED}]
                     | jnp.take({s}, {PICKED}, axis={side})
dynamic_slice        | lax.dynamic_slice_in_dim({s}, {i}, 2, axis={side})
dynamic_update_slice | lax.dynamic_update_slice_in_dim({s}, {m}, 1, axis=0)
split                | jnp.split({s}, 3, axis={side})[{i}] * {v}
stack                | lax.stack([{v}, {w}, {v} * {u}], axis=1) | lax.stack([{v}, {w}])
unstack              | jnp.unstack({s}, axis={side})[{i}] * {v}
scatter              | {v}.at[np.array([{i}, {j}])].set({w}[:2]) | {m}.at[1].set({v})
tile                 | lax.tile({v}, (2,)) | lax.tile({m}, (1, 2))
scatter-add          | {v}.at[{PICKED}].add({w}) | {s}.at[:, {PICKED}].add({t})
scatter-sub          | {v}.at[{PICKED}].subtract({w})
scatter-mul          | {v}.at[np.array([{i}, {j}])].multiply({w}[:2], unique_indices=True)
scatter-max          | {v}.at[{PICKED}].max({w})
scatter-min          | {v}.at[{PICKED}].min({w})
top_k                | lax.top_k({x}, 2)[0]
sort                 | jnp.sort({x}, axis={axis}) | {x} * jnp.sort({x}, axis={axis})
                     | {m}[:, jnp.argsort({v})]
reduce_sum           | jnp.sum({x}, axis={axis}) | {x} - jnp.mean({x}, axis={axis}, keepdims=True)
                     | {s}.sum(axis=0) * {v} - {s}.sum(axis=1) | jnp.var({x}, axis={axis})
reduce_prod          | jnp.prod({x}, axis={axis}) | {x} * jnp.prod({x}, axis={axis}, keepdims=True)
cumsum               | jnp.cumsum({x}, axis={axis}) | lax.cumsum({s}, {side}, reverse=True) * {t}
cumprod              | jnp.cumprod({x}, axis={axis}) | lax.cumprod({s}, {side}, reverse=True)
cumlogsumexp         | lax.cumlogsumexp({x}, {axis}) | lax.cumlogsumexp({s}, {side}, reverse=True)
dot_general          | {m} @ {s} | {s} @ {v} + {w} | {s} @ {t} - {t} @ {s}
                     | jnp.einsum('ij,kj->ki', {m}, {s}) | jnp.einsum('ij,ik,k->j', {m}, {n}, {v})
                     | jnp.outer({v}, {w}) / {c} | data @ {m}
conv_general_dilated
    | lax.conv_general_dilated({s}[None, None], {m}[None, None], (1, 1), 'SAME')[0, 0]
    | lax.conv_general_dilated({s}[None, None], {m}[None, None], (2, 1), ((1, 0), (2, 1)),
      rhs_dilation=(1, 2))[0, 0] | jnp.convolve({v}, {w})[{i}:3 + {i}] * {u}
reduce_window_sum    | lax.reduce_window({s}, 0.0, lax.add, {POOLED}
reduce_window_max    | lax.reduce_window({s}, -jnp.inf, lax.max, {POOLED}
reduce_window_min    | lax.reduce_window({m}, jnp.inf, lax.min, {POOLED}
reduce_window        | log_sums({s}) | log_sums({m} * {c})
select_and_scatter_add | largest({s}) * smallest({t}) | largest({m}) * {c}
select_and_gather_add | jax.jvp(largest, ({s},), ({t} ** 3,))[1]
reduce               | lax.reduce({s}, 0.0, together, ({side},)) * {v}
cholesky             | jnp.linalg.cholesky{DEFINITE} | jnp.linalg.cholesky{DEFINITE} @ {t}
triangular_solve     | jax.scipy.linalg.solve_triangular({s} + 3.0 * jnp.eye(3), {v}, lower=True)
                     | jax.scipy.linalg.solve_triangular({s} + 3.0 * jnp.eye(3), {t}, trans=1)
lu                   | {v} * jnp.linalg.det({s}) | {s} * jnp.linalg.slogdet({s})[1]
eigh                 | jnp.linalg.eigvalsh({s} + {s}.T) | jnp.linalg.eigh({s} @ {s}.T)[1] ** 2
svd                  | jnp.linalg.svd({m}, compute_uv=False)
                     | jnp.linalg.svd({m}, full_matrices=False)[2] ** 2
qr                   | jnp.linalg.qr({s})[1] ** 2 | jnp.linalg.qr({s})[0] ** 2 @ {v}
tridiagonal_solve
    | lax.linalg.tridiagonal_solve({v}.at[0].set(0.0), 4.0 + {w}, {u}.at[-1].set(0.0), {s})
custom_linear_solve  | jnp.linalg.solve({DEFINITE}, {v}) | jnp.linalg.inv({s} + 3.0 * jnp.eye(3))
jit                  | jax.jit(lambda h: h * jnp.sin(h))({x})
remat2               | jax.checkpoint(lambda h: jnp.sin(h) * h)({x})
custom_jvp_call      | jax.nn.relu({x} - {y}) | jax.nn.softplus({x}) | jax.nn.silu({x}) * {y}
custom_vjp_call      | doubled(0.1 * {v}[{i}] ** 2) * {x}
while                | doubled({v}[{j}]) * {x}
cond
    | lax.cond({v}[{i}] > {w}[{j}], lambda h: jnp.sin(h), lambda h: {c} * h ** 3, {x})
    | lax.cond({v}[{i}] > 0, lambda h: jnp.tanh(h * {c}) - {d} * h, lambda h: h * h, {x})
scan                 | lax.scan(lambda h, r: (jnp.tanh(h * {v} + r), h * r), {w}, {s})[1]
                     | lax.scan(lambda h, r: (jnp.sin(h) * r, h - r), {v}, {m}, reverse=True)[0]
                     | lax.fori_loop(0, 3, lambda _, h: jnp.sin(h) * {v} + {w}, {u})
                     | jax.lax.map(lambda r: r / jnp.sqrt(1.0 + r @ r), {s})
"""

#: Lines that are tried alone: edges of what an operation takes, batches, signs that LAPACK decides,
#: what no program of an installed JAX or on one device has.
_ALONE = """
and                  | jnp.where((v > 0) & (v < 0.9), v, v * w)
iota                 | jnp.where(lax.iota(np.int32, 3) > 1, v, v * w)
platform_index       | lax.platform_dependent(v, cpu=jnp.sin, default=jnp.cos)
reduce_or            | jnp.where(jnp.any(m > 1), v, v * w)
log2                 | jnp.log2(0.5 + v ** 2)
polynomial           | jnp.polyval(jnp.array([0.5, -2.0, 1.0]), v)
call_hi_primitive    | v * jnp.searchsorted(jnp.array([-0.5, 0.4, 0.4, 0.9]), v).astype(v.dtype)
shard_map            | on_a_mesh(v)
reshard              | on_a_mesh(v)
pvary                | on_a_mesh(v)
jacobian             | jacobian(lambda x, q: jnp.sin(x) * x[0] * q, v, v * v)
linear_call          | linear_call(lambda r, h: r * h, lambda r, h: r * h, jnp.arange(3.0), v * v)
pow                  | lax.pow(np.array([0.6, 1.3, 0.2]), v)
integer_pow          | m ** 3 - m ** -2
gather               | v.at[OUTSIDE].get(mode='fill', fill_value=0.0)
                     | v.at[OUTSIDE].get(mode='fill', fill_value=2.5) * m
                     | finite(v.at[OUTSIDE].get(mode='fill')) | v.at[OUTSIDE].get(mode='clip')
                     | v.at[np.array([2, 0])].get(mode='fill') | v[jnp.argsort(v)] * w
scatter-add          | v.at[OUTSIDE].add(m * m, mode='drop') | v.at[0].add(w[1] * w[2])
                     | v.at[OUTSIDE].add(m * m, mode='clip')
scatter-sub          | v.at[1].subtract(w[0] ** 2)
scatter              | v.at[np.array([2, 8])].set(w[:2], mode='drop')
scatter-max          | v.at[np.array([1, 1])].max(3 + w[:2] ** 2)
                     | v.at[np.array([1, 1])].max(3 + w[1::-1] ** 2)
scatter-min          | v.at[OUTSIDE].min(-2.0 * m, mode='drop')
                     | v.at[np.zeros(0, int)].min(w[:0]) * v
dynamic_slice        | lax.dynamic_slice(s, (jnp.int32(1), jnp.int32(2)), (2, 1))
                     | lax.dynamic_slice(v, (jnp.int32(2),), (2,)) * w[:2]
dynamic_update_slice | lax.dynamic_update_slice(s, m[:, :2], (jnp.int32(1), jnp.int32(1)))
                     | lax.dynamic_update_slice(v, w[:2] * u[1:], (jnp.int32(9),))
pad                  | lax.pad(v, 1.5, [(-2, 0, 0)]) | lax.pad(v, w[0] * u[1], [(1, -1, 2)])
concatenate          | jnp.concatenate([v[:0], w]) + jnp.sum(v[:0])
sort                 | lax.sort((v, w * u), num_keys=1)[-1]
                     | lax.sort((LABELS, v, w), num_keys=2)[-1]
                     | lax.sort((jnp.round(v), u, w), num_keys=2)[-1]
reduce_max           | jnp.max(m, axis=1) * jnp.max(s)
reduce_min           | jnp.min(m, axis=1) * jnp.min(s)
reduce_prod          | jnp.prod(m, axis=0) * jnp.prod(s)
scan                 | lax.scan(lambda h, r: (h, r), v, s[:0])[0] * v
cond                 | lax.switch(jnp.int32(7), [jnp.sin, jnp.cos, jnp.exp], v)
while                | jax.vmap(doubled)(v)
    | parts(lax.while_loop(lambda h: h[0] < 3, lambda h: (h[0] + 1, h[1] ** 2),
      (0, lax.complex(v, w)))[1])
dot_general          | (np.ones((2, 3)) * 0.5) @ v
    | lax.dot_general(pair(m, n), jnp.stack([s, t], 2), (((2,), (1,)), ((0,), (2,))))
conv_general_dilated
    | lax.conv_general_dilated(pair(s, t)[None], pair(m, n)[:, None], (2, 1), ((2, 1), (2, 1)),
      lhs_dilation=(1, 2), rhs_dilation=(2, 1), feature_group_count=2)
reduce_window_sum    | pooled(s, 0.0, lax.add, base_dilation=(2, 1))
                     | pooled(s * t, 0.0, lax.add) / pooled(jnp.ones((3, 3)), 0.0, lax.add)
reduce_window_max    | finite(pooled(s, -jnp.inf, lax.max, padding=((3, 3), (4, 0))))
                     | finite(pooled(s, -jnp.inf, lax.max, window_strides=(3, 3)))
    | lax.reduce_window(pair(s, t), -jnp.inf, lax.max, (1, 2, 2), (1, 2, 1), 'SAME')
                     | jax.vmap(largest)(pair(s, t))
reduce_window_min    | pooled(-jnp.exp(s), jnp.inf, lax.min)
reduce               | lax.reduce(s, 0.0, together, (0, 1)) * v
                     | lax.reduce(s[:0], 0.0, together, (0,)) + v
cholesky             | jnp.linalg.cholesky(pair(s @ s.T + jnp.eye(3), t @ t.T))
lu                   | (lambda f, p, o: f * (1.0 + o[:, :, None]) + p[:, None])(
      *lax.linalg.lu(pair(s, s[::-1])))
eigh                 | (lambda e, h: h ** 2 * e[:, None, :] + e[:, :, None])(
      *jnp.linalg.eigh(pair(s + s.T, t @ t.T))) | jnp.linalg.eigh(s + s.T)[1] * jnp.arange(3.0)
svd                  | (lambda a, e, b: (a ** 2 * e[:, None, :]) @ b ** 2 + e[:, 1:, None])(
      *jnp.linalg.svd(pair(m, n), full_matrices=False))
                     | jnp.linalg.svd(s)[0] @ jnp.linalg.svd(s)[2]
                     | jnp.linalg.svd(s[:, :2], full_matrices=False)[0]
                     | jnp.linalg.svd(m, full_matrices=False)[2]
qr                   | (lambda q, r: q ** 2 + r ** 2)(*jnp.linalg.qr(pair(s, t @ s)))
                     | jnp.linalg.qr(s[:, :2])[0] | jnp.linalg.qr(m)[1] | jnp.linalg.qr(-s)[1]
tridiagonal_solve
    | lax.linalg.tridiagonal_solve(pair(v, w).at[:, 0].set(0.0), 4.0 + pair(w, u),
      pair(u, v).at[:, -1].set(0.0), pair(m.T, n.T))
custom_linear_solve
    | jnp.linalg.solve(pair(s, s.T) + 3.0 * jnp.eye(3), pair(m.T, t[:, :2] ** 2))
"""

#: Functions of complex numbers, whose parts are taken; those of the first rows are operations.
_COMPLEX = """
complex fft | jnp.fft.irfft(jnp.fft.fft({Z}) * jnp.fft.fft({v}))
complex lu  | jnp.linalg.solve({COMPLEX}, {Z})
complex eigh | jnp.linalg.eigh({HERMITIAN})[0]
abs         | jnp.abs({Z}) | jnp.angle({Z})
products    | {Z}[:, None] * {Z}.conj() / ({Z}[0] - 3) - {Z} ** 3 + {Z} ** -2
exp         | jnp.exp({Z}) + jnp.expm1({Z})
log         | jnp.log({Z}) + jnp.log1p({Z})
roots       | jnp.sqrt({Z}) + lax.rsqrt({Z}) + {Z} ** (0.3 + 0.2j)
sin         | jnp.sin({Z}) * jnp.cos({Z}) + jnp.tan({Z})
sinh        | jnp.sinh({Z}) * jnp.cosh({Z}) + jnp.tanh({Z}) + lax.logistic({Z})
inverse     | jnp.arcsin({Z}) + jnp.arccos({Z}) + jnp.arctan({Z})
hyperbolic  | jnp.arcsinh({Z}) + jnp.arctanh({Z})
sums        | jnp.cumsum({Z}) * jnp.prod({Z}) + jnp.cumprod({Z}) + jnp.mean({Z}) + jnp.var({Z})
moved       | jnp.pad(jnp.roll({Z}, 1)[::-1], 1).at[2].add(1j * {Z}[0]).at[1].set({Z}[1])
chosen      | jnp.where({v} > 0, {Z}, {Z}.conj() * 2) * ({Z} != {Z}[1])
matmul      | jnp.einsum('ij,j,k->ik', {COMPLEX}, {Z}, {Z}.conj())
convolved   | jnp.convolve({Z}, {Z} * 1j)
fft         | jnp.fft.ifft2(jnp.fft.fft2(jnp.outer({Z}, {Z})) ** 2)
rfft        | jnp.fft.irfft2(jnp.fft.rfft2({s}) ** 2, (3, 4))
cholesky    | jnp.linalg.cholesky({HERMITIAN})
solved      | jax.scipy.linalg.cho_solve((jnp.linalg.cholesky({HERMITIAN}), True), {Z})
triangular  | jax.scipy.linalg.solve_triangular({COMPLEX} + 3.0 * jnp.eye(3), {Z})
            | jax.scipy.linalg.solve_triangular({COMPLEX} + 3j, {Z}, trans=2, lower=True)
slogdet     | jnp.stack(jnp.linalg.slogdet({COMPLEX}))
vectors     | jnp.abs(jnp.linalg.eigh({HERMITIAN})[1]) ** 2
loops       | lax.scan(lambda c, h: (c * h + 1, c), {Z}[0], {Z})[1]
branches    | lax.cond({v}[{i}] > 0, jnp.sin, jnp.conj, {Z})
calls       | jax.checkpoint(jax.jit(lambda h: jnp.sinc(h) * 2j))({Z})
"""


def _lines(text: str) -> dict[str, tuple[str, ...]]:
    """Return the lines of a table by their operation, written out."""
    for short, long in ABBREVIATIONS.items():
        text = text.replace(short, long)
    return {name: tuple(lines) for name, *lines in table(text)}


STEPS = _lines(_STEPS)
ALONE = _lines(_ALONE)
COMPLEX = {
    name: tuple(f"parts({text})" for text in texts) for name, texts in _lines(_COMPLEX).items()
}
ALONE["triangular_solve"] = tuple(
    f"lax.linalg.triangular_solve(pair(s, t) + 3.0 * jnp.eye(3), pair(m, n){'.mT' * left}, "
    f"left_side={left}, lower={lower}, transpose_a={transposed}, unit_diagonal={left == lower})"
    for left, lower, transposed in product((True, False), repeat=3)
)

#: Every line by its operation, that of a function of complex numbers being called so.
LINES: dict[str, tuple[str, ...]] = {
    **{name: STEPS.get(name, ()) + ALONE.get(name, ()) for name in {**STEPS, **ALONE}},
    **{f"complex {name.removeprefix('complex ')}": texts for name, texts in COMPLEX.items()},
}

#: Lines that belong to no operation alone: what people write.
IDIOMS = (
    "jax.nn.softmax({x}, axis={axis})",
    "jax.nn.log_softmax({x}, axis={axis})",
    "jax.nn.logsumexp({x}, axis={axis})",
    "({x} - jnp.mean({x}, axis={axis}, keepdims=True)) "
    "/ jnp.sqrt(jnp.var({x}, axis={axis}, keepdims=True) + 0.1)",
    "jax.nn.gelu({x}, approximate=False)",
    "jax.nn.softmax({m} @ {s} / {c}, axis=1) @ {t}",
    "jnp.trace({s}) * {v} - jnp.diag({t})",
    "jnp.where({x} > 0, {x}, {c} * jnp.expm1({x}))",
    "jnp.logaddexp({x}, {y})",
    "jnp.hypot({x}, 1.0) * {y}",
)

#: Lines of the last part, each a scalar.
ENDS = (
    "jnp.sum(jnp.sin({x}) * {c})",
    "jnp.mean({x} ** 2)",
    "jnp.sum({x} * jnp.tanh({y}))",
    "jnp.sum(jnp.arctan({x}) - {c} * {x})",
    "jnp.vdot({x}, jnp.cos({x}))",
)

# A line alone, at a point without kinks.

_RNG = np.random.default_rng(3)
AT = {
    **{name: _RNG.normal(size=3) for name in "vwu"},
    **{name: _RNG.normal(size=(2, 3)) for name in "mn"},
    **{name: _RNG.normal(size=(3, 3)) for name in "st"},
}

DATA = _RNG.normal(size=(5, 2))

#: What the holes of a line are filled with: names, indices and numbers.
HOLES = {name: name for name in AT} | {"axis": "1", "side": "1"}
HOLES |= dict(zip("xyzijkcd", ("m", "n", "v", "2", "0", "1", "0.7", "1.3"), strict=True))


def mixed(x: Any) -> Any:
    """Every element counts, each by another weight and not in proportion."""
    w = jnp.cos(1.0 + jnp.arange(x.size, dtype=x.dtype)).reshape(x.shape)
    return jnp.sum(w * x * x + x)


def alone(text: str) -> tuple[Callable[[Any], Any], dict[str, np.ndarray]]:
    """Return a loss that is the mixed elements of a line, and the parameters that it has."""
    code = ast.parse(text.format_map(HOLES), mode="eval")
    used = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    compiled = compile(code, f"<{text}>", "eval")

    def loss(params: Any) -> Any:
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            value = eval(compiled, {**NAMES, "data": DATA, **params})
        return mixed(value)

    return loss, {name: AT[name] for name in AT if name in used}

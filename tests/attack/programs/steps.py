"""The lines that random losses are drawn from: for each operation with a rule some that have it.

A line is one expression with holes, of which equal names get the same value:

    x, y, z    any array of rank 1 or more; y and z broadcast with x
    v, w, u    vectors (3,)
    m, n       matrices (2, 3)
    s, t       matrices (3, 3)
    axis       an axis of x; side: 0 or 1
    i, j, k    three different indices below 3
    c, d       numbers between 0.3 and 2
"""

from tests.attack.formulas import table

#: What stands in many lines.
ABBREVIATIONS = {
    "{POSITIVE}": "(0.5 + {x} ** 2)",
    "{SMALL}": "(0.5 * jnp.sin({x}))",
    "{DEFINITE}": "({s} @ {s}.T + 2.0 * jnp.eye(3))",
    "{PICKED}": "np.array([{i}, {j}, {i}])",
    "{POOLED}": "(1, 2), (1, 1), 'VALID')",
    "{HALF}": "jnp.full_like({x}, 2.5)",
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

STEPS: dict[str, tuple[str, ...]] = {}
for _name, *_texts in table(_STEPS):
    for _short, _long in ABBREVIATIONS.items():
        _texts = [text.replace(_short, _long) for text in _texts]
    STEPS[_name] = tuple(_texts)

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

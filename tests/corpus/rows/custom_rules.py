"""Rules of JAX that it cannot transpose, second derivatives, kernels, and their references."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import pallas as pl

from handgrad import check_custom
from tests.corpus.case import Case, Row, cases

X = np.array([0.3, -0.8, 1.1])


def of(name: str, *at: Any, **options: Any) -> Callable[..., list[Case]]:
    """Ask for a rule at a point alone, if nothing else is said."""
    return cases(name, check_custom, None, *at, **{"points": 0, **options})


def by_jvp(rule: Any, function: Any = jnp.tanh) -> Any:
    """A function whose derivative along t is rule(x, t)."""
    f = jax.custom_jvp(lambda x: function(x))
    f.defjvp(lambda x, t: (f(*x), rule(x[0], t[0])))
    return f


def by_vjp(forward: Any, backward: Any, function: Any = jnp.tanh) -> Any:
    f = jax.custom_vjp(lambda x: function(x))
    f.defvjp(lambda x: (f(x), forward(x)), lambda kept, d: (backward(kept, d),))
    return f


def with_values(function: Any) -> Any:
    """A right rule of tanh that returns other values beside what it keeps."""
    f = jax.custom_vjp(jnp.tanh)
    f.defvjp(lambda x: (function(x), x), lambda x, d: (d * slope(x),))
    return f


def beside(other: Any, of_rule: Any) -> Any:
    """A right rule of tanh and another result beside it, which the rule computes in its own way."""
    f = jax.custom_vjp(lambda x: (jnp.tanh(x), other(x)))
    f.defvjp(lambda x: ((jnp.tanh(x), of_rule(x)), x), lambda x, d: (d[0] * slope(x),))
    return f


def in_bfloat16(f: Any) -> Any:
    return lambda x: f(x).astype(jnp.bfloat16).astype(x.dtype)


def same(x: Any) -> Any:
    return x


def slope(x: Any) -> Any:
    return 1 - jnp.tanh(x) ** 2


def of_tangent(change: Any) -> Any:
    return by_jvp(lambda x, t: change(t) * slope(x))


def looped(t: Any) -> Any:
    """Return t by a loop that JAX cannot differentiate backwards."""
    return lax.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, c[1] * 1.0), (0, t))[1]


def called(function: Any) -> Any:
    """As a kernel in C or CUDA is called."""
    return lambda x: jax.pure_callback(function, jax.ShapeDtypeStruct(x.shape, x.dtype), x)


def called_linearly(backwards: float) -> Any:
    """tanh with a rule that is right forwards; backwards it is so many times that."""

    def rule(x: Any, t: Any) -> Any:
        both = lambda s, t: s * t, lambda s, c: backwards * s * c
        return jax.custom_derivatives.linear_call(*both, slope(x), t)

    return by_jvp(rule)


def where_tangents_meet(x: Any, t: Any) -> Any:
    """Along every single element it is right."""
    return t * slope(x) + jnp.roll(t, 1) * t


def of_sine() -> Any:
    """The tangents of tanh beside the values of a sine."""
    f = jax.custom_jvp(jnp.tanh)
    f.defjvp(lambda x, t: (jnp.sin(x[0]), t[0] * slope(x[0])))
    return f


DIFFERENT_VALUES = of_sine()
TANH = by_vjp(same, lambda x, d: d * slope(x))
FORWARDS = by_jvp(lambda x, t: t * slope(x))
stop = lax.stop_gradient


def softmax_backward(y: Any, d: Any) -> Any:
    return y * (d - (y * d).sum(-1, keepdims=True))


# Arguments that are not differentiated.


def scaled_squares(backward: Callable[..., Any], **options: Any) -> Any:
    """Return Σ z²·g with a rule."""
    f = jax.custom_vjp(lambda z, g: jnp.sum(z**2) * g, **options)
    f.defvjp(lambda z, g: (f(z, g), (z, g)), backward)
    return f


def by_z(kept: Any, d: Any) -> Any:
    return d * 2 * kept[0] * kept[1]


def by_g(kept: Any, d: Any) -> Any:
    return d * jnp.sum(kept[0] ** 2)


NOT_FOR_G = scaled_squares(lambda kept, d: (by_z(kept, d), None))
FOR_BOTH = scaled_squares(lambda kept, d: (by_z(kept, d), by_g(kept, d)))
TWICE_FOR_G = scaled_squares(lambda kept, d: (by_z(kept, d), 2 * by_g(kept, d)))
FIXED = scaled_squares(lambda g, kept, d: (by_z(kept, d),), nondiff_argnums=(1,))
# Kernels, whose references say what they compute.

ROWS = np.random.default_rng(0).standard_normal((1, 3)).astype(np.float32)
CALLED_SINE = called(np.sin)


def softmax(x: Any) -> Any:
    e = jnp.exp(x - jnp.max(x, axis=-1, keepdims=True))
    return e / jnp.sum(e, axis=-1, keepdims=True)


def kernel(body: Callable[..., Any], x: Any, *more: Any) -> Any:
    def of_refs(*refs: Any) -> None:
        *given, out = refs
        out[...] = body(*(ref[...] for ref in given))

    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return pl.pallas_call(of_refs, out_shape=shape, interpret=True)(x, *more)


def in_pallas(backward: Callable[..., Any]) -> Any:
    @jax.jit
    def opaque(x: Any) -> Any:
        return kernel(softmax, x)

    rule = jax.custom_vjp(opaque)
    rule.defvjp(lambda x: (opaque(x),) * 2, jax.jit(lambda y, g: (kernel(backward, y, g),)))
    return rule


KERNEL, DIAGONAL = in_pallas(softmax_backward), in_pallas(lambda y, g: y * (1 - y) * g)
SINE = by_vjp(same, lambda x, d: d * jnp.cos(x), CALLED_SINE)


def off_above(x: Any) -> Any:
    return jnp.where(x[0] > 0.31, 0.01, 0.0) + x**2  # its derivative is right


def power(n: int, x: Any) -> Any:
    return x**n


def off_below(n: int, x: Any) -> Any:
    return jnp.where(x < 0, 0.01, 0.0) + x**n


def cancels(x: Any) -> Any:
    return 1 - jnp.cos(x)


def half_angle(x: Any) -> Any:
    return 2 * jnp.sin(x / 2) ** 2


def summed(x: Any) -> Any:
    return jnp.sum(x * x), jnp.argmax(x), None


def sine_by(rule: Any) -> Any:
    return by_jvp(lambda x, t: t * rule(x), CALLED_SINE)


def constant_slope(x: Any, t: Any) -> Any:
    return looped(t) * (1 - stop(jnp.tanh(x)) ** 2)


def rounded_slope(x: Any, d: Any) -> Any:
    return 2 * d * jnp.round(x * 2**30) / 2**30


WRONG, RIGHT, REFUSED = {"verdict": "disagree"}, {"verdict": "agree"}, {"verdict": "raised"}
EIGHTHS, SINGLE, TINY = np.array([0.25, -0.5, 1.5]), X.astype(np.float32), np.array([1e-5])
POINTS = [(2 * SINGLE, 1.5)]
STOPPED = "stop_gradient at "

CASES = [
    *of("a rule of tangents", X)(
        Row("sorted", of_tangent(jnp.sort), "`sort` of its tangents at ", "forward mode"),
        Row("shifted", of_tangent(lambda t: t + 1), "is not linear in its tangents"),
        Row("right by a loop", of_tangent(looped), "`while` of its tangents at "),
        Row("right by a call", of_tangent(called(np.asarray)), "`pure_callback` of"),
        Row("right in NumPy", of_tangent(np.asarray), "it needs the numbers of its"),
        Row("right, and transposed by hand", called_linearly(1.0)),
        Row("its transpose by hand is twice right", called_linearly(2.0), certified=True, **WRONG),
        Row("wrong where two meet", by_jvp(where_tangents_meet), "tangents: 3 of 3"),
    ),
    *of("the values of a rule", X)(
        Row("right", with_values(jnp.tanh), **RIGHT),
        Row("1 more", with_values(lambda x: jnp.tanh(x) + 1), "the rule returns it in", **WRONG),
        Row("1e-9 more in one", with_values(lambda x: jnp.tanh(x).at[1].add(1e-9)), **WRONG),
        Row("of tangents: sine", DIFFERENT_VALUES, **WRONG),
        Row("right signs", beside(jnp.signbit, lambda x: x < 0), **RIGHT),
        Row("other signs", beside(jnp.signbit, lambda x: x > 0), "output[1] beside a", **WRONG),
        Row("another place", beside(jnp.argmax, jnp.argmin), kinds=("loss-value",), **WRONG),
        Row("a small one", beside(jnp.sign, lambda x: jnp.sign(x) + 1e-9), **WRONG),
        Row("in half", with_values(in_bfloat16(jnp.tanh)), "imprecise: output beside", **RIGHT),
    ),
    *of("the values of a rule of tangents, forwards", X, modes=("fwd",))(
        Row("sine", DIFFERENT_VALUES, kinds=("loss-value",), **WRONG),
    ),
    *of("the values of a rule beside a reference", X, reference=jnp.tanh, points=1)(
        Row("1 more", with_values(lambda x: jnp.tanh(x) + 1), kinds=("loss-value",), **WRONG),
        Row("in half", with_values(in_bfloat16(jnp.tanh)), "imprecise: output beside", **RIGHT),
    ),
    *of("a vjp in forward mode", X, modes=("fwd",))(
        Row("right backwards", TANH, 'modes: got "fwd", but <lambda> has a', **REFUSED)
    ),
    *of("a rule backwards alone", X, modes=("rev",))(
        Row("the size of tangents", of_tangent(jnp.abs), "JAX cannot transpose", **REFUSED)
    ),
    *of("no order", X, order=3)(Row("right", TANH, "order: got 3, expected 1 or 2", **REFUSED)),
    *of("second order of a rule", EIGHTHS, order=2)(
        Row("right", TANH, "at second order, too", "itself by power series", **RIGHT),
        Row("right in forward mode", FORWARDS, "at second order, too", **RIGHT),
        Row("right by a loop", of_tangent(looped), "at second order, too", **RIGHT),
        Row(
            "a cotangent is constant",
            by_vjp(same, lambda x, d: stop(d) * slope(x)),
            STOPPED,
            **WRONG,
        ),
        Row("a slope in a loop is constant", by_jvp(constant_slope), STOPPED, **WRONG),
        Row(
            "its slope is rounded",
            by_vjp(same, rounded_slope, jnp.square),
            "the rule takes for constant what `round` gives at ",
            **WRONG,
        ),
        Row(
            "right, as the function stops a gradient",
            by_vjp(same, lambda x, d: d * 2 * x * stop(x), lambda x: x**2 * stop(x)),
            "itself by power series",
            **RIGHT,
        ),
        Row(
            "it does not stop what the function stops",
            by_vjp(same, lambda x, d: d * x, lambda x: x * stop(x)),
            "itself by power series",
            **WRONG,
        ),
    ),
    *of("second order of a sine by a call", X, order=2, reference=jnp.sin)(
        Row("right", sine_by(jnp.cos), "in forward mode and at second order, too", **RIGHT),
        Row("a constant", sine_by(lambda x: stop(jnp.cos(x))), "at second order", **WRONG),
        Row("by a call", sine_by(called(np.cos)), "its rule: ValueError: Pure call", **REFUSED),
    ),
    *of("second order by a reference in NumPy", X, order=2, reference=np.sin)(
        Row("right", SINE, "order: ", "has no second derivative, since", **REFUSED)
    ),
    *of("a number beside an array", SINGLE, 2.0)(
        Row("right for the array", NOT_FOR_G, "not judged: g; the rule returns None", **RIGHT),
        Row("right inside jit", jax.jit(NOT_FOR_G), "g; the rule returns None", **RIGHT),
        Row("right, not differentiated", FIXED, "g; nondiff_argnums names them", **RIGHT),
        Row("twice for the number", TWICE_FOR_G, "g: ", **WRONG),
    ),
    *of("a whole number", SINGLE, 2)(Row("right", NOT_FOR_G, never=["not judged"], **RIGHT)),
    *of("points with numbers", SINGLE, 2.0, points=POINTS, domain=(None, "positive"))(
        Row("right for both", FOR_BOTH, "2 points", **RIGHT)
    ),
    # References.
    *of("a kernel without a reference", ROWS)(
        Row("right", KERNEL, "what `pallas_call` computes", "expected reference=,", **REFUSED),
        Row("right by a callback", SINE, "what `pure_callback` computes", **REFUSED),
    ),
    *of("a kernel", ROWS, reference=softmax, points=1)(
        Row("right", KERNEL, **RIGHT),
        Row("the diagonal alone", DIAGONAL, "reference=softmax, points=1", blame="yours", **WRONG),
        Row("no rule", lambda x: kernel(softmax, x), "JAX cannot differentiate an", **REFUSED),
    ),
    *of("a kernel of other values", ROWS, reference=lambda x: softmax(x) / 2, points=1)(
        Row(
            "a right derivative",
            KERNEL,
            "opaque and the reference differ, so the derivative was not judged",
            kinds=("loss-value", "factor"),
            **WRONG,
        ),
    ),
    *of("second order of a kernel", ROWS, reference=softmax, order=2)(
        Row("right", KERNEL, "cannot differentiate its rule", "expected order=1", **REFUSED)
    ),
    *of("a callback", X, reference=np.sin)(Row("right by NumPy", SINE, **RIGHT)),
    *of("values beside the point", X[:2], reference=jnp.square, points=4)(
        Row("off by 0.01", off_above, "at point ", "output", kinds=("loss-value",), **WRONG)
    ),
    *of("values", 2, -X[1:2], reference=power, points=8, domain=(None, "positive"))(
        Row("off outside of their domain", off_below, "9 points judged", **RIGHT)
    ),
    *of("values that lose digits", TINY, reference=half_angle)(
        Row("right", cancels, "the values of cancels: imprecise: output: ", **RIGHT)
    ),
    *of("a function without a rule", X, reference=summed)(Row("right", summed, **RIGHT)),
    *of("positions", X, reference=jnp.argmax)(
        Row("none", jnp.argmax, "f: got a result without floats", **REFUSED)
    ),
    *of("a reference of another shape", ROWS, reference=lambda x: x[:, :2])(
        Row("right", KERNEL, "reference: got shape (1, 2) for output, expected (1, 3)", **REFUSED)
    ),
    *of("a reference by values", ROWS, reference=lambda x: jnp.asarray(np.asarray(x)))(
        Row("right", KERNEL, "reference: ", "JAX cannot trace np.asarray(x)", **REFUSED)
    ),
]

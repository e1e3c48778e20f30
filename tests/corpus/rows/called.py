"""Losses and functions that can only be called: compiled code, and callbacks."""

import ctypes
import math
from collections.abc import Callable
from ctypes.util import find_library
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special as sp

from handgrad import check_backward, check_gradient, check_hessian, check_hvp, check_jacobian
from tests.corpus.case import RAISED, Row, cases

LIBRARY = ctypes.CDLL(find_library("m"))


def of_c(name: str) -> Callable[[float], float]:
    """Return a function of C's."""
    found = LIBRARY[name]
    found.restype, found.argtypes = ctypes.c_double, [ctypes.c_double]
    return found


LGAMMA, SIN, EXP, FABS = map(of_c, ("lgamma", "sin", "exp", "fabs"))
AT = np.array([1.3, 2.2, 0.7])

# Compiled code: the logarithm of the multivariate beta function, and one more term.


def beta(x: Any) -> float:
    return sum(LGAMMA(v) for v in x) - LGAMMA(x.sum())


def of_beta(x: Any) -> Any:
    return sp.digamma(x) - sp.digamma(x.sum())


def by_one_step(x: Any) -> Any:
    """By differences of one step, which are off by less than solvers are."""
    return np.array([(beta(x + 1e-7 * e) - beta(x)) / 1e-7 for e in np.eye(3)])


def with_product(x: Any) -> float:
    return beta(x) + x[0] * x[1] ** 2 * x[2]


def of_product(x: Any) -> Any:
    a, b, c = x
    return of_beta(x) + np.array([b**2 * c, 2 * a * b * c, a * b**2])


def hess(x: Any) -> Any:
    a, b, c = x
    rows = [[0, 2 * b * c, b**2], [2 * b * c, 2 * a * c, 2 * a * b], [b**2, 2 * a * b, 0]]
    return np.diag(sp.polygamma(1, x)) - sp.polygamma(1, x.sum()) + np.array(rows)


def hessp(x: Any, v: Any) -> Any:
    return hess(x) @ v


def edited(function: Callable[..., Any], edit: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function to whose results something is done."""
    return lambda *args: edit(function(*args))


def times(where: Any, factor: Any) -> Callable[[Any], Any]:
    def edit(found: Any) -> Any:
        found[where] *= factor
        return found

    return edit


def without_diagonal(found: Any) -> Any:
    return found - np.diag(np.diag(found))


def to(function: Callable[..., Any], dtype: Any) -> Callable[..., Any]:
    return edited(function, lambda found: found.astype(dtype))


SINGLE = AT.astype(np.float32)
MANY = np.random.default_rng(0).uniform(0.5, 3, 400)

# Numbers and derivatives of sizes far apart.

SIZES = np.array([1e-8, 1.0, 1e8])
OF_ALL_SIZES = np.array([0.3, 0.7, 1.2])


def of_all_sizes(x: Any) -> float:
    """Moved by 1e8, the first number would go through so many waves between two steps."""
    return sum(map(SIN, x / SIZES))


def by_size(x: Any) -> Any:
    return np.cos(x / SIZES) / SIZES


def weighed(x: Any) -> float:
    return sum(c * SIN(t) for c, t in zip(SIZES, x, strict=True))


TENTHS = np.array([0.3, 0.2, 0.1])


def first_sign(x: Any) -> Any:
    """Of which the noise of the others hides the sign."""
    return [-1, 1, 1] * SIZES * np.cos(x)


# Kinks, few digits, noise, values that are not finite.


def cornered(x: Any) -> float:
    return FABS(x[0]) + FABS(x[1] - 1)


def bent(x: Any) -> float:
    """With a jump of the second derivative."""
    return (FABS(x[0]) + x[0]) ** 2 / 4 + EXP(x[1])


def bent_by(there: float) -> Callable[[Any], Any]:
    return lambda x: np.diag([there, math.exp(x[1])])


NOISE = np.random.default_rng(0)


def here_alone(x: Any) -> Any:
    if not np.array_equal(x, AT):
        raise ValueError("here alone")
    return EXP(x[0])


# A step whose forward pass can only be called.


def forward(x: Any) -> Any:
    return np.array([LGAMMA(v) for v in x]), x


def backward(d: Any, x: Any) -> Any:
    return d * sp.digamma(x)


# Functions of more than one number.

T, W = np.linspace(0.1, 1, 5), np.linspace(1, 2, 5)


def fun(x: Any, t: Any, w: Any) -> Any:
    return np.array([LGAMMA(x[0] + s) for s in t]) * w + sp.kv(1.5, x[1] + t) * x[2]


def jac(x: Any, t: Any, w: Any) -> Any:
    parts = [sp.digamma(x[0] + t) * w, sp.kvp(1.5, x[1] + t) * x[2], sp.kv(1.5, x[1] + t)]
    return np.stack(parts, axis=1)


def of_two(x: Any) -> Any:
    return {"u": np.array([LGAMMA(v) for v in x["a"]]), "v": float(sp.kv(1.5, x["b"]))}


A_AND_B = {"a": np.array([1.5, 2.0]), "b": 0.3}


def by_two(x: Any, zero: float = 0.0) -> Any:
    of_u = {"a": np.diag(sp.digamma(x["a"])), "b": np.zeros(2)}
    return {"u": of_u, "v": {"a": np.full(2, zero), "b": sp.kvp(1.5, x["b"])}}


# Callbacks in JAX, with a rule, without one, with a wrong one; and what is stopped beside them.


def without_rule(x: Any) -> Any:
    like = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return jax.pure_callback(lambda v: np.sin(np.asarray(v)) ** 2, like, x)


called = jax.custom_jvp(without_rule)
called.defjvp(lambda at, tangent: (called(*at), jnp.sin(2 * at[0]) * tangent[0]))
by_wrong_rule = jax.custom_jvp(without_rule)
by_wrong_rule.defjvp(lambda at, d: (by_wrong_rule(*at), 2 * jnp.sin(2 * at[0]) * d[0]))


@jax.custom_jvp
def straight_through(x: Any) -> Any:
    return x**2


straight_through.defjvp(lambda at, tangent: (straight_through(*at), tangent[0]))
stop = jax.lax.stop_gradient


def summed(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: function(x).sum()


total = summed(called)


def sines(x: Any) -> Any:
    return np.sin(2 * x)


def stopped_in_a_loop(x: Any) -> Any:
    end, _ = jax.lax.scan(lambda c, t: (c + jnp.sum(stop(x) * x * t), None), 0.0, x)
    return total(x) + end


def stopped_by_hand(x: Any) -> Any:
    return float(stop(jnp.max(x))) * jnp.sum(jax.vmap(jnp.square)(x))


def in_a_jit(x: Any) -> Any:
    return jax.jit(lambda x: without_rule(x).sum() + jnp.sum(stop(x**2) * x))(x)


def rounded(x: Any) -> Any:
    return total(x) + jnp.sum(x + stop(jnp.round(x) - x)) ** 2


#: What is stopped beside a callback, which differences would move too, and what is right.
STOPPED: dict[str, tuple[Any, Any]] = {
    "beside": (lambda x: total(x) + jnp.sum(stop(x) * x), lambda x: sines(x) + x),
    "in a jit": (in_a_jit, lambda x: sines(x) + x**2),
    "of all": (lambda x: without_rule(stop(x)).sum() + jnp.sum(x**2), lambda x: 2 * x),
    "a straight-through estimate": (rounded, lambda x: sines(x) + 2 * np.sum(np.round(x))),
}


PAIR = np.array([0.5, -1.2])


def squared(x: Any) -> Any:
    return x**2 + 1


shifted = jax.custom_jvp(squared)
shifted.defjvp(lambda at, d: (shifted(*at), 3 * at[0] * d[0]))


def incomplete(square: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Of which JAX has second derivatives by an estimate of its own."""
    return lambda x: jax.scipy.special.gammainc(2.5, square(x)).sum()


def of_incomplete(x: Any) -> Any:
    return np.asarray(jax.hessian(incomplete(squared))(x))


CALLED = {"certified": False, "blame": None}

CASES = [
    # Gradients.
    *cases("log beta in C", check_gradient, beta, AT, points=2)(
        Row("right", of_beta, "not certified: tests/", "would have been caught", **CALLED),
        Row(
            "a sign",
            edited(of_beta, times(1, -1)),
            "by an estimate it is -0.7670455 ± ",
            "the wrong sign in x[1]",
        ),
        Row("two are exchanged", edited(of_beta, lambda g: g[[1, 0, 2]]), kinds=("exchanged",)),
        Row(
            "a hundredth more",
            edited(of_beta, times(..., 1.01)),
            "a tighter tolerance there decides",
            verdict="undecidable",
        ),
        Row("differences of one step", by_one_step, verdict="undecidable"),
    ),
    *cases("log beta in float32", check_gradient, beta, SINGLE, points=1)(
        Row("right", to(of_beta, np.float32), certified=False),
        Row("a tenth more of one", to(edited(of_beta, times(2, 1.1)), np.float32)),
    ),
    *cases("log beta of many", check_gradient, beta, MANY, directions=2, points=0)(
        Row("right", of_beta, certified=False, never=("power series",)),
        Row("one sign", edited(of_beta, times(7, -1))),
    ),
    *[
        case
        for at, options in (
            (AT, {"referee": "series"}),
            (AT, {"computed_in": "float32"}),
            (AT.astype(np.float16), {}),
        )
        for case in cases(f"log beta by {options}", check_gradient, beta, at, **options)(
            Row("what differences do not show", to(of_beta, at.dtype), "loss: ", verdict=RAISED),
        )
    ],
    *cases("numbers of all sizes", check_gradient, of_all_sizes, OF_ALL_SIZES * SIZES, points=4)(
        Row("right", by_size, never=("undecidable",)),
        Row("the sign of the smallest slope", edited(by_size, times(2, -1))),
        Row("twice the largest", edited(by_size, times(0, 2))),
    ),
    *cases("a slope that noise hides", check_gradient, weighed, TENTHS, points=0)(
        Row("its sign", first_sign, "x: 1 of 3 derivatives are smaller than the"),
    ),
    *cases("a kink in C", check_gradient, cornered, np.array([0.0, 2.0]), points=0)(
        Row("one side", np.ones_like, "not known well enough to decide", verdict="undecidable"),
        Row("between both", lambda x: np.array([-0.5, 1.0]), verdict="undecidable"),
        Row("outside", lambda x: np.array([40.0, 1.0])),
    ),
    *[
        case
        for loss, why in (
            (lambda x: float(f"{beta(x):.2e}"), "which is not known well enough to decide"),
            (lambda x: beta(x) * (1 + NOISE.random()), "is not a function of its arguments"),
            (lambda x: beta(x) + np.nan, "the loss is nan at this point"),
            (lambda x: beta(x) + np.inf, "the loss is inf at this point"),
            (here_alone, "the loss is not finite around this point"),
        )
        for case in cases("undecidable in C", check_gradient, loss, AT, points=0)(
            Row(why, of_beta, why, verdict="undecidable"),
        )
    ],
    *cases("a step in C", check_backward, forward, AT, points=1)(
        Row("right", backward, **CALLED),
        Row("the sign", lambda d, x: -backward(d, x)),
    ),
    # Matrices.
    *cases("a function in C", check_jacobian, fun, AT, T, W, points=3)(
        Row("right", jac, "not certified: tests/", "differences of fun, which", **CALLED),
        Row("a column by 2", edited(jac, times(np.s_[:, 1], 2)), "column 1 of jac is 2 times"),
        Row("a tenth more of one", edited(jac, times((4, 1), 1.1)), "jac[4, 1] alone is off"),
        Row("a hundredth more of one", edited(jac, times((4, 1), 1.01)), verdict="undecidable"),
        Row("arguments exchanged", lambda x, t, w: jac(x, w, t), "arguments in the order w, t"),
    ),
    *cases("a block of zeros", check_jacobian, of_two, A_AND_B, points=1)(
        Row("right", by_two),
        Row("the zeros are 5", lambda x: by_two(x, 5.0), "jac['v']['a']: 2 of 2 elements"),
    ),
    *cases("of one point", check_jacobian, lambda x: np.array([here_alone(x)]), AT, points=0)(
        Row("ones", lambda x: np.ones((1, 3)), "is not finite around", verdict="undecidable"),
    ),
    *cases("a Hessian in C", check_hessian, with_product, AT, points=3)(
        Row("right", hess, "differences of second order of the loss", **CALLED),
        Row("no diagonal", edited(hess, without_diagonal), "the diagonal of hess is 0"),
        Row("one by 3/2", edited(hess, times((0, 1), 1.5)), "hess[0, 1] is 3/2", "not symmetric"),
        Row("a hundredth more", edited(hess, times(..., 1.01)), verdict="undecidable"),
    ),
    *cases("a product with a Hessian in C", check_hvp, with_product, AT, points=3)(
        Row("right", hessp, "differences of second order of the loss", **CALLED),
        Row("without the last", lambda x, v: hess(x)[:, :2] @ v[:2], "yours takes v[2] for 0"),
        Row("a hundredth more", lambda x, v: 1.01 * hessp(x, v), verdict="undecidable"),
    ),
    *cases("a Hessian that jumps", check_hessian, bent, np.array([0.0, 0.7]), points=0)(
        Row("one side", bent_by(0.0), verdict="undecidable"),
        Row("the other side", bent_by(2.0), verdict="undecidable"),
        Row("outside", bent_by(400.0)),
    ),
    # Callbacks.
    *[
        case
        for name, f, blame in (
            ("with a rule", called, None),
            ("without a rule", without_rule, None),
            ("with a wrong rule", by_wrong_rule, "autodiff"),
        )
        for case in cases(f"a callback {name}", check_gradient, summed(f), AT, points=1)(
            Row(
                "right",
                sines,
                "`pure_callback`",
                certified=False,
                blame=blame,
                compiled=jax.jit(summed(f)),
            ),
            Row("the sign", lambda x: -sines(x), compiled=jax.jit(summed(f))),
        )
    ],
    *cases("a callback's Jacobian", check_jacobian, by_wrong_rule, AT, points=0)(
        Row("right", lambda x: np.diag(sines(x)), "`pure_callback` calls what is not JAX's"),
    ),
    *[
        case
        for name, (loss, right) in STOPPED.items()
        for case in cases(f"stopped, {name}", check_gradient, loss, AT, points=0)(
            Row("right", right, verdict="agree"),
            Row("not stopped", lambda x, f=right: f(x) + x, verdict="disagree"),
        )
    ],
    *[
        case
        for loss, why, options in (
            (stopped_in_a_loop, "`stop_gradient` in a loop or a branch", {}),
            (stopped_by_hand, "differences of it would move what `stop_gradient` stops", {}),
            (
                lambda x: total(x) + straight_through(x).sum(),
                "`pure_callback` beside a trusted derivative rule",
                {"trust_rules": ["straight_through"]},
            ),
        )
        for case in cases("unseen by differences", check_gradient, loss, AT, points=0, **options)(
            Row(why, lambda x: x, why, verdict="undecidable"),
        )
    ],
    *cases("gammainc of a square", check_hessian, incomplete(squared), PAIR, points=0)(
        Row("right", of_incomplete),
    ),
    *cases("gammainc of a wrong rule", check_hessian, incomplete(shifted), PAIR, points=0)(
        Row("that of its values", of_incomplete, verdict="undecidable"),
    ),
]

"""Losses of which JAX traces another function: what is judged is the one that is called."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from jax.core import Tracer

from handgrad import (
    check_backward,
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_scipy,
)
from tests.corpus.case import Anew, Case, Row, cases

ANOTHER = "JAX traces another function"
X, C = np.array([0.4, -1.3, 0.9, 2.1]), np.array([1.0, -0.5, 2.0, 0.25])
W = np.arange(12.0).reshape(3, 4)


# An array that is written to by its second name, which JAX leaves as it was.


def doubled_squares(x: Any) -> Any:
    h = x.copy()
    v = h
    v *= 2
    return h * h * C


def cubes(x: Any) -> Any:
    return doubled_squares(x) @ x  # 4c·x³, which JAX traces as c·x³


def forward(x: Any) -> Any:
    return doubled_squares(x), x


#: Each verb, what it is of, and its answer for so many times c·x² or c·x³.
VERBS: list[tuple[Callable[..., Any], Any, Callable[[int], Any]]] = [
    (check_gradient, cubes, lambda k: lambda x: 3 * k * C * x * x),
    (check_jacobian, doubled_squares, lambda k: lambda x: np.diag(2 * k * C * x)),
    (check_hessian, cubes, lambda k: lambda x: np.diag(6 * k * C * x)),
    (check_hvp, cubes, lambda k: lambda x, v: 6 * k * C * x * v),
    (check_backward, forward, lambda k: lambda d, x: 2 * k * C * x * d),
    (check_scipy, cubes, lambda k: {"jac": lambda x: 3 * k * C * x * x}),
]


def by_every_verb() -> list[Case]:
    found: list[Case] = []
    for verb, function, times in VERBS:
        name = f"written by a second name, {verb.__name__}"
        says = "`v *= 2`" if verb in (check_gradient, check_backward) else ""
        found += cases(name, verb, function, X, points=0)(
            Row("right", times(4), says),
            Row("of what JAX traces", times(1)),
        )
    return found


def in_bfloat16(x: Any) -> Any:
    h = x.copy()
    v = h
    v *= ml_dtypes.bfloat16(2)
    return (h * h).sum()


# What rounds off the given point alone, or is written elsewhere.


def normalised(m: Any) -> Any:
    b = m.copy()
    for row in b:
        row /= row.sum()
    return (b * W).sum()


#: Each row sums to 1, so that it stays as it is where it is normalised.
SUMS_TO_1 = np.array(
    [[0.25, 0.5, 0.125, 0.125], [0.5, 0.25, 0.125, 0.125], [0.125, 0.125, 0.25, 0.5]]
)


def centred(m: Any) -> None:
    m -= m.mean()


def of_centred(w: Any, m: Any) -> Any:
    m = m.copy()
    centred(m)
    return jnp.sum(jnp.tanh(m @ w))


def of_table(centre: bool) -> Callable[[Any, Any], Any]:
    return jax.grad(lambda w, m: jnp.sum(jnp.tanh((m - centre * m.mean()) @ w)))


def of_jax() -> Any:
    with jax.enable_x64(True):
        return jnp.asarray(X)


def on_a_simplex(p: Any) -> Any:
    assert isinstance(p, np.ndarray) is False or abs(p.sum() - 1) < 1e-9
    whole = p * 1.0
    also = whole
    also /= whole.sum()
    return (whole * whole).sum()


def of_simplex(p: Any) -> Any:
    return 2 * p - 2 * p @ p


def where_positive(x: Any) -> Any:
    return np.sum(np.log(x, where=x > 0, out=None) ** 2)


# What asks whether it is traced.


def asks(x: Any) -> Any:
    # What JAX maps has no stand-in.
    return jnp.sum(jax.vmap(jnp.square)(x)) * (1 if isinstance(x, Tracer) else 2)


def squashed(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return (np.tanh(x) ** 2).sum()
    return jnp.abs(jnp.exp(x)).sum()


def capped(x: Any) -> Any:
    """Do something else where a value is large, which a tracer leaves by an error."""
    try:
        if (abs(x) > 5).any():
            x = 0 * x
    except jax.errors.TracerBoolConversionError:
        pass
    return (x * x).sum()


def decayed(small: float) -> Callable[[Any, Any], Any]:
    """Add a term that a tracer has not; it is far below half of the digits."""

    def loss(w: Any, m: Any) -> Any:
        decay = sum(v * v for v in w if isinstance(v, np.floating))
        return ((m @ w) ** 2).mean() + w.dtype.type(small) * decay

    return loss


def of_decayed(small: float) -> Callable[[Any, Any], Any]:
    return lambda w, m: 2 * m.T @ (m @ w) / w.dtype.type(3) + w.dtype.type(2 * small) * w


def by_a_mask(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        x = x.copy()
        x[x > 3] = 3
    return x


#: Code in JAX that may look at arrays of NumPy, of which it caps numbers above 3.
LOOKS: dict[str, Callable[[Any], Any]] = {
    "clip": lambda x: np.clip(x, -3, 3) if isinstance(x, np.ndarray) else x,
    "a mask": by_a_mask,
    "a branch": lambda x: 0 * x + 3 if isinstance(x, np.ndarray) and x[0] > 3 else x,
    "minimum": lambda x: np.minimum(x, 3) if type(x) is np.ndarray else x,
    "an attribute": lambda x: x.clip(-3, 3) if hasattr(x, "tofile") else x,
}


def looked_at() -> list[Case]:
    """At the given point it is what JAX traces; at the other one it is not."""
    found: list[Case] = []
    for name, look in LOOKS.items():
        loss = lambda x, look=look: jnp.sum(look(x) ** 3)  # noqa: E731
        options: Any = {"points": [(np.array([4.0, 1.0]),)]}
        found += cases(
            f"caps arrays by {name}", check_gradient, loss, np.array([2.5, 1.0]), **options
        )(
            Row("right", lambda x: 3 * x**2, "undecidable at 1 of 1 other points"),
            Row("twice the square", lambda x: 2 * x**2),
        )
    return found


#: Losses that only rounding could take for another function, where, and what is due of JAX's.
ALIKE: list[tuple[str, Any, list[float], str | None]] = [
    ("floors", lambda w: jnp.sum(jnp.floor(w * 10) * w), [0.3, 0.7], "undecidable"),
    ("a floor of 1", lambda w: jnp.floor(jnp.sum(jax.nn.softmax(w))), [0.3, 0.7], "undecidable"),
    ("zero", lambda w: jnp.sum((w - jnp.asarray(w)) ** 2), [0.3, 0.7], None),
    ("cancels", lambda w: jnp.var(w + 1e6), [0.3, 0.7, 0.1], "imprecise"),
    ("relu at 0", lambda w: jnp.sum(jax.nn.relu(w)), [0.0, 0.0], "agree"),
    ("ends nearby", lambda w: jnp.sum(jnp.log1p(-jnp.abs(w))), [1 - 1e-9, -0.5], "agree"),
    ("few digits are left", lambda w: 1e9 + jnp.sum(w**2), [0.3, 0.7], "agree"),
]


def no_false_alarm() -> list[Case]:
    found: list[Case] = []
    for name, loss, at, verdict in ALIKE:
        found += cases(f"the same as traced, {name}", check_gradient, loss, np.array(at), points=0)(
            Row("JAX's", jax.grad(loss), verdict=verdict, never=(ANOTHER,)),
        )
    return found


CASES = [
    *by_every_verb(),
    *cases("written by a second name, check_gradient", check_gradient, cubes, X, points=1)(
        Row("right, at two points", VERBS[0][2](4), ANOTHER, certified=True),
    ),
    *cases("written by a second name, along directions", check_gradient, cubes, X, directions=2)(
        Row("right", VERBS[0][2](4), certified=True),
        Row("of what JAX traces", VERBS[0][2](1)),
    ),
    *cases(
        "written by a second name, in bfloat16",
        check_gradient,
        in_bfloat16,
        X.astype(ml_dtypes.bfloat16),
        points=0,
    )(
        Row("right", lambda x: ml_dtypes.bfloat16(8) * x),
        Row("of what JAX traces", lambda x: ml_dtypes.bfloat16(2) * x),
    ),
    *cases("rows that sum to 1", check_gradient, normalised, SUMS_TO_1, points=0)(
        Row("right", lambda m: W - (W * m).sum(1, keepdims=True)),
        Row("of what JAX traces", lambda m: W + 0 * m),
    ),
    *cases(
        "a table that is written to", check_gradient, of_centred, Anew(of_jax), W / 20, points=0
    )(
        Row(
            "right",
            of_table(True),
            "`m -= m.mean()`), so the inputs are constants",
            certified=True,
        ),
        Row("of what JAX traces", of_table(False)),
    ),
    *cases("on a simplex alone", check_gradient, on_a_simplex, np.array([0.5, 0.25, 0.25]))(
        Row("right", of_simplex, verdict="agree", certified=False),
        Row("of what JAX traces", lambda p: 2 * p, verdict="disagree", certified=False),
    ),
    *cases("memory that nothing was written to", check_gradient, where_positive, X, points=0)(
        Row(
            "as if negative numbers were positive",
            lambda x: 2 * np.log(np.abs(x)) / x,
            "it reads an element of an array to which nothing was written",
            verdict="undecidable",
        ),
    ),
    *cases("asks whether it is traced", check_gradient, asks, X, points=1)(
        Row("right", lambda x: 4 * x, ANOTHER, certified=False),
        Row("of what JAX traces", lambda x: 2 * x),
    ),
    *cases("squashed unless it is traced", check_gradient, squashed, X, points=3)(
        Row("right", lambda x: 2 * np.tanh(x) / np.cosh(x) ** 2, ANOTHER),
        # Of the other function it is a mistake with a name.
        Row("1 for what JAX traces", np.ones_like, never=("backpropagation",)),
        Row("no slope of tanh", lambda x: 2 * np.tanh(x), "derivative of tanh"),
    ),
    *cases("capped far away", check_gradient, capped, X, points=[(3 * X,)])(
        Row("right", lambda x: 2 * x, "undecidable at 1 of 1 other points"),
        Row("of a sum of cubes", lambda x: 3 * x * x),
    ),
    *cases("a small term", check_gradient, decayed(1e-10), X, W / 20)(
        Row("right", of_decayed(1e-10)),
        Row("of what JAX traces", of_decayed(0), verdict="disagree"),
    ),
    *cases(
        "a small term, in float32",
        check_gradient,
        decayed(1e-4),
        X.astype(np.float32),
        W.astype(np.float32) / 20,
        points=0,
    )(
        Row("right", of_decayed(1e-4), verdict="agree"),
        Row("of what JAX traces", of_decayed(0)),
    ),
    *looked_at(),
    *no_false_alarm(),
]

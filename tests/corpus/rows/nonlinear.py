"""Backward passes that are not linear in their cotangents, and products with a vector likewise."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom, check_hvp
from tests.corpus.case import Case, Row, cases

X = np.array([0.3, -0.8, 1.1, 0.6])
MATRIX = np.random.default_rng(0).standard_normal((3, 4))
LARGE, SMALL, ZERO = "for -1.1e12 times", "for 9.1e-13 times", "for a cotangent of 0"
SPREAD = "where the largest element of the cotangent is 131072 times as large"
NONLINEAR: Any = {"verdict": "disagree", "kinds": ("nonlinear",)}

#: What becomes of a cotangent, and for which one that is to be seen.
WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "clipped at 1": (lambda d: np.clip(d, -1, 1), LARGE),
    "clipped at 1e6": (lambda d: np.clip(d, -1e6, 1e6), LARGE),
    "clipped above alone": (lambda d: np.maximum(d, -10.0), LARGE),
    "clipped by its norm": (lambda d: d * np.minimum(1.0, 5 / np.sqrt((d * d).sum())), LARGE),
    "a square is added": (lambda d: d + 1e-20 * d * d, LARGE),
    "large ones are dropped": (lambda d: np.where(np.abs(d) > 1e9, 0, d), LARGE),
    "small ones are dropped": (lambda d: np.where(np.abs(d) < 1e-8, 0, d), SMALL),
    "a constant is added": (lambda d: d + 1e-25, ZERO),
    "0 is replaced": (lambda d: np.where(d == 0, 1e-8, d), ZERO),
    "all but the largest are dropped": (
        lambda d: np.where(np.abs(d) < 1e-2 * np.abs(d).max(), 0, d),
        SPREAD,
    ),
}

#: What is linear, up to rounding.
RIGHT: dict[str, Callable[[Any], Any]] = {
    "scaled inside": lambda d: d / np.abs(d).max() * np.abs(d).max(),
    "by its logarithm": lambda d: np.sign(d) * np.exp(np.log(np.abs(d))),
    "by numbers that overflow": lambda d: d * 1e300 * 1e-300,
    "by nan_to_num": np.nan_to_num,
    "it raises where it is large": lambda d: d if np.abs(d).max() < 10 else [][1],
}


def forward(x: Any) -> Any:
    h = np.tanh(MATRIX @ x)
    return h, h


def backward(of_cotangent: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda d, h: MATRIX.T @ (of_cotangent(d) * (1 - h * h))


def fourth_powers(x: Any) -> Any:
    return (x**4).sum()


def of_clipped(x: Any, v: Any) -> Any:
    return 12 * x**2 * np.clip(v, -1, 1)


def by_complex_step(x: Any, v: Any) -> Any:
    """By a step that is small enough along a large vector, too."""
    return np.imag(4 * (x + 1e-20j * v) ** 3) / 1e-20


#: What becomes of the cotangent in a rule of JAX's, in which format, and whether it is linear.
RULES: list[tuple[str, str, Callable[[Any], Any], bool]] = [
    ("clipped at 5", "float32", lambda d: jnp.clip(d, -5, 5), False),
    ("clipped at 1e6", "bfloat16", lambda d: jnp.clip(d, -1e6, 1e6), False),
    ("clipped at 100", "float16", lambda d: jnp.clip(d, -100, 100), False),
    ("small ones are dropped", "float32", lambda d: jnp.where(abs(d) < 1e-8, 0, d), False),
    ("small ones are dropped", "float16", lambda d: jnp.where(abs(d) < 1e-3, 0, d), False),
    ("by its norm", "float16", lambda d: d / jnp.linalg.norm(d) * jnp.linalg.norm(d), True),
    ("by exponentials", "bfloat16", lambda d: d * jnp.exp(80.0) * jnp.exp(-80.0), True),
]


def by_vjp(of_cotangent: Callable[[Any], Any]) -> Any:
    f = jax.custom_vjp(jnp.sin)
    f.defvjp(lambda x: (f(x), x), lambda x, d: (of_cotangent(d) * jnp.cos(x),))
    return f


def rules() -> list[Case]:
    found: list[Case] = []
    for said, dtype, of_cotangent, right in RULES:
        due: Any = {"verdict": "agree"} if right else NONLINEAR
        says = "" if right else "the rule is not linear in its cotangent"
        found += cases(
            f"a rule in {dtype}",
            check_custom,
            None,
            np.asarray(X).astype(jnp.dtype(dtype)),
            points=0,
        )(Row(said, by_vjp(of_cotangent), says, **due))
    return found


def clipped_tangent() -> Any:
    f = jax.custom_jvp(jnp.sin)
    f.defjvp(lambda x, t: (f(*x), jnp.clip(t[0], -100, 100) * jnp.cos(*x)))
    return f


def clipping(bound: float) -> Any:
    """Return a sine whose rule's own rule clips."""
    inner = jax.custom_vjp(lambda d, x: d * jnp.cos(x))

    def back(kept: Any, c: Any) -> Any:
        d, x = kept
        c = jnp.clip(c, -bound, bound)
        return c * jnp.cos(x), -c * d * jnp.sin(x)

    inner.defvjp(lambda d, x: (inner(d, x), (d, x)), back)
    f = jax.custom_vjp(jnp.sin)
    f.defvjp(lambda x: (f(x), x), lambda x, d: (inner(d, x),))
    return f


SAYS = "backward is not linear in its cotangent"
TANGENTS = "the rule is not linear in its tangents"

CASES = [
    *cases("cotangents", check_backward, forward, X, points=0)(
        *(
            Row(said, backward(f), f"disagree {to}", SAYS, **NONLINEAR)
            for said, (f, to) in WRONG.items()
        ),
        *(Row(f"right, {said}", backward(f)) for said, f in RIGHT.items()),
    ),
    *cases("a cotangent of 1", check_backward, lambda x: ((x * x).sum(), x), X, cotangent=1.0)(
        Row("right for 1, which it does not look at", lambda _, x: 2 * x, never=("Warning",)),
        Row("clipped at 1", lambda d, x: min(d, 1) * 2 * x, SAYS, **NONLINEAR),
    ),
    *cases("cotangents of 1", check_backward, forward, X, points=0, cotangent=np.ones(3))(
        Row("they are not looked at", backward(np.ones_like), **NONLINEAR),
    ),
    *cases("a vector of 1", check_hvp, fourth_powers, X, points=0, v=np.ones(4))(
        Row("it is not looked at", lambda x, _: 12 * x**2, **NONLINEAR),
    ),
    *cases("products", check_hvp, fourth_powers, X, points=0)(
        Row("right, by a complex step", by_complex_step),
        Row("the vector is clipped", of_clipped, "hessp is not linear in its vector", **NONLINEAR),
    ),
    *rules(),
    *cases("a rule of tangents", check_custom, None, X, points=0)(
        Row(
            "clipped, along axes", clipped_tangent(), TANGENTS, "it is -1320674", verdict="disagree"
        ),
    ),
    *cases("a rule of tangents", check_custom, None, np.linspace(0.1, 1, 300), points=0)(
        Row("clipped, along random ones", clipped_tangent(), TANGENTS, verdict="disagree"),
    ),
    *cases("the rule of a rule", check_custom, None, X, points=0, order=2)(
        Row("right", clipping(np.inf), verdict="agree"),
        Row(
            "clipped",
            clipping(100.0),
            "disagree at second order, for -1.1e12 times the vector: ",
            "the rule is not linear in its vector",
            **NONLINEAR,
        ),
    ),
]

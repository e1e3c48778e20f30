"""Losses that replace a number which is not finite at the point: what the slope is there."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient, check_hvp, check_jacobian
from tests.corpus.case import Case, Row, cases

DATA, WEIGHTS = np.array([1.0, np.nan, 2.0, np.nan, 0.5]), np.array([0.3, 0.2, 0.7, 1.0, 2.0])
INFINITE, O3 = np.array([1.0, np.inf, 2.0]), [0.0, 0.0, 0.0]

#: A loss of (numpy or jax.numpy, x).
InBoth = Callable[[Any, Any], Any]


def otherwise(c: float, f: InBoth) -> InBoth:
    """Return the sum of a function, with c where it is NaN."""

    def loss(m: Any, x: Any) -> Any:
        r = f(m, x)
        return m.sum(m.where(m.isnan(r), c, r))

    return loss


def where_finite(f: InBoth) -> InBoth:
    """Return the sum of a function where it is finite."""

    def loss(m: Any, x: Any) -> Any:
        r = f(m, x)
        return m.sum(m.where(m.isfinite(r), r, 0.0))

    return loss


def patched_vectors(m: Any, x: Any) -> Any:
    length = m.sqrt(m.sum(x * x))
    return m.sum(m.nan_to_num(x / length) * WEIGHTS[:3]) * length


def columns(m: Any, x: Any) -> Any:
    """A column of constants has a deviation of 0."""
    return m.sum(m.nan_to_num((DATA[[0, 0]] - 1) / m.std(DATA[[0, 0]])) * x + x**2)


def on_the_axes(m: Any, x: Any) -> Any:
    """It is 5·x₀ where a coordinate is 0, and x₀ + x₁ elsewhere."""
    q = x[0] * x[1]
    return m.where(m.isnan(q / q), 5 * x[0], x[0] + x[1])


def on_a_plane(m: Any, x: Any) -> Any:
    """It is 5·x₀ where x₀ = x₁, and x₀ + x₁ elsewhere."""
    q = x[0] - x[1]
    return m.where(m.isnan(q / q), 5 * x[0], x[0] + x[1])


def where_alike(m: Any, x: Any) -> Any:
    """It is 5·x₀ where all numbers are the same, and their sum elsewhere."""
    q = m.var(x)
    return m.where(m.isnan(q / q), 5 * x[0], m.sum(x))


def on_planes(m: Any, x: Any) -> Any:
    """It goes on to what NaN is replaced by where x₀ = x₁, and where x₁ = 3·x₂."""
    q = m.stack([x[0] - x[1], x[1] - 3 * x[2]])
    return m.nansum(q**2 / q) + x.sum()


def in_a_wedge(m: Any, x: Any) -> Any:
    """It is 5·x₀ so near to an axis that no random direction lies there."""
    root = m.sqrt(x[1] ** 2 - 1e-8 * x[0] ** 2)
    return m.where(m.isnan(root / (x @ x)), 5 * x[0], x[0] + x[1])


def at_kinks(m: Any, x: Any) -> Any:
    return m.nansum(m.abs(x - DATA[:2]) + m.abs(x - DATA[[0, 2]]) + m.abs(x))


def weighed_where_finite(m: Any, x: Any) -> Any:
    return m.sum(m.where(m.isfinite(m.exp(x) + INFINITE), x, 3 * x))


FITTED = 2 * np.nanmean((0.4 * WEIGHTS - DATA) * WEIGHTS)
BENT = np.nansum(np.sign(0.5 - DATA) * (1 - np.tanh(0.5 - DATA) ** 2))

#: A loss, the point, and its gradient, if it has one.
REPLACED: dict[str, tuple[InBoth, list[float], list[Any]]] = {
    # The limit of what is replaced.
    "isnan": (otherwise(1.0, lambda m, x: m.expm1(x) / x), [0.0], [0.5]),
    "isfinite": (where_finite(lambda m, x: x**2 / x), [0.0], [1]),
    "nan_to_num": (lambda m, x: m.sum(m.nan_to_num(x**2 / x)), [0.0, 2.0], [1, 1]),
    "nanmax": (lambda m, x: m.nanmax(x**2 / x), [0.0, 1.0, -2.0], [0, 1, 0]),
    "a flat limit": (otherwise(1.0, lambda m, x: m.sin(x) / x), [0.0], [0]),
    "a limit at 1": (otherwise(2.0, lambda m, x: (x**2 - 1) / (x - 1)), [1.0], [1]),
    "unit vectors": (patched_vectors, O3, [*WEIGHTS[:3]]),
    "0 ** 0": (lambda m, x: m.sum(x**0.0), [0.0, 1.0], [0, 0]),
    "planes": (on_planes, O3, [2, 1, -2]),
    "planes off zero": (on_planes, [1.5, 1.5, 0.5], [2, 1, -2]),
    "sinc": (lambda m, x: m.sum(m.sinc(x)), [0.0, 1.0], [0, -1]),
    # What is replaced beside the point, too.
    "no logarithm": (lambda m, x: m.nansum(m.log(x)), [-1.0, 2.0], [0, 0.5]),
    "missing data": (lambda m, x: m.nanmean((x * WEIGHTS - DATA) ** 2), [0.4], [FITTED]),
    "a kink": (lambda m, x: m.nansum(m.tanh(m.abs(x - DATA))), [0.5], [BENT]),
    "two kinks": (at_kinks, [1.0, 2.0], [1, 0]),
    "columns of constants": (columns, [1.0, 2.0], [2, 4]),
    "a guard": (
        lambda m, x: m.sum(m.where(x > 0, x * m.log(x), 0.0)),
        [-1.0, 2.0],
        [0, 1 + math.log(2)],
    ),
    # An infinity in the data.
    "0 times infinity": (where_finite(lambda m, x: x * INFINITE), O3, [1, 0, 2]),
    "less infinity": (lambda m, x: m.nansum((3 * x + INFINITE) - (x + INFINITE)), O3, [2, 0, 2]),
    "by infinity": (lambda m, x: m.nansum((x + INFINITE) / INFINITE), O3, [1, 0, 0.5]),
    "an infinity cut off": (
        lambda m, x: m.sum(m.minimum(m.nan_to_num(x * INFINITE), 1.0)),
        [0.3] * 3,
        [1, 0, 2],
    ),
    "a weight that is infinite": (weighed_where_finite, [0.0, 1.0, 2.0], [1, 3, 1]),
    # What has none, or goes on to another number.
    "third powers cancel": (otherwise(1 / 6, lambda m, x: (x - m.sin(x)) / x**3), [0.0], []),
    "a jump": (otherwise(7.0, lambda m, x: x**2 / x), [0.0], []),
    "a jump between slopes": (otherwise(7.0, lambda m, x: x**3 / x), [0.0], []),
    "a pole": (where_finite(lambda m, x: 1 / x), [0.0], []),
    "a kink inside": (where_finite(lambda m, x: x * x / m.abs(x)), [0.0], []),
    "NaN > -1": (lambda m, x: m.sum(m.where(x**2 / x > -1, x**2 / x, 5.0)), [0.0], []),
    "a cone": (where_finite(lambda m, x: x[0] * x[1] ** 2 / (x @ x)), [0.0, 0.0], []),
    "NaN on the axes": (on_the_axes, [0.0, 0.0], []),
    "NaN on a plane": (on_a_plane, [0.0, 0.0], []),
    "NaN where all are alike": (where_alike, [0.0, 0.0, 0.0], []),
    "NaN in a wedge": (in_a_wedge, [0.0, 0.0], []),
    "one side": (lambda m, x: m.nansum(x * m.log(x)), [0.0, 0.5], []),
    "0 times infinity is NaN": (otherwise(0.0, lambda m, x: x * INFINITE), [0.0, 0.0, 1.0], []),
    "a matrix": (lambda m, x: m.nansum(m.asarray(np.stack([INFINITE, WEIGHTS[:3]])) @ x), O3, []),
    "a step": (lambda m, x: m.nansum(m.tanh(x * INFINITE)), O3, []),
}


def with_an_index(x: Any) -> Any:
    with np.errstate(all="ignore"):
        r = x**2 / x
    return np.sum(r[~np.isnan(r)])


def with_scan(x: Any) -> Any:
    return jax.lax.scan(lambda total, v: (total + jnp.nan_to_num(v**2 / v), None), 0.0, x)[0]


def cube(m: Any, x: Any) -> Any:
    return m.sum(m.nan_to_num(x**3 / x))


def quietly(f: InBoth, m: Any) -> Callable[[Any], Any]:
    def loss(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return f(m, x)

    return loss


def judged(name: str, loss: Any, x: np.ndarray, slopes: list[float]) -> list[Case]:
    made = cases(name, check_gradient, loss, x, points=0)
    if not slopes:
        return made(Row("ones", np.ones_like, "is not finite", verdict="undecidable"))
    right = np.array(slopes, x.dtype)
    wrong = right + np.asarray(2.5, x.dtype)
    tie, zero = "kink" in name, not right.any()
    due: Any = {"tie": tie, "compiled": jax.jit(loss) if "jax.lax" in name else None}
    return made(
        Row(
            "zero" if zero else "right",
            lambda x: right.copy(),
            verdict="agree" if zero else None,
            certified=True,
            **due,
        ),
        Row("each off by 2.5", lambda x: wrong.copy(), **due),
    )


CASES = [
    *[
        case
        for name, (loss, x, slopes) in REPLACED.items()
        for m in (np, jnp)
        for case in judged(f"{name} in {m.__name__}", quietly(loss, m), np.array(x), slopes)
    ],
    *[
        case
        for name, loss in {
            "an index by NaN": with_an_index,
            "jax.lax.scan of NaN": with_scan,
        }.items()
        for case in judged(name, loss, np.zeros(1), [1])
    ],
    *[
        case
        for dtype in (np.float32, np.float16, jnp.bfloat16)
        for case in judged(
            f"nan_to_num in {dtype.__name__}",
            lambda x: jnp.sum(jnp.nan_to_num(x**2 / x)),
            np.array([0, 2], dtype),
            [1, 1],
        )
    ],
    *[
        case
        for m in (np, jnp)
        for case in (
            *cases(
                f"a Jacobian of 0/0 in {m.__name__}",
                check_jacobian,
                quietly(lambda m, x: m.nan_to_num(x**2 / x), m),
                np.zeros(2),
                points=0,
            )(Row("its limit", lambda x: np.eye(2), "is not finite", verdict="undecidable")),
            *cases(f"0/0 in {m.__name__}", check_hvp, quietly(cube, m), np.zeros(2), points=0)(
                Row("right", lambda x, v: 2 * v),
                Row("zero", lambda x, v: 0 * v),
            ),
        )
    ],
]

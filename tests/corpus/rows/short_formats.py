"""Gradients in bfloat16, float16 and float8, and of float32 that a kernel computes in them."""

from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from handgrad import check_backward, check_custom, check_gradient
from tests.corpus import short_functions as functions
from tests.corpus.case import Case, Row, cases
from tests.corpus.rows.not_known import at

BF16, F16, E4M3, E5M2 = "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"
RNG = np.random.default_rng(0)
AGREE, WRONG, IMPRECISE, REFUSED = (
    {"verdict": verdict} for verdict in ("agree", "disagree", "imprecise", "raised")
)


# Seven functions, which compute in float32 between arrays in a format; so do their gradients.


def of_function(name: str, dtype: str, factor: float, *says: str, **due: Any) -> list[Case]:
    """Return the cases of a right gradient, and of so many times the right one."""
    f, p, given = functions.one(name, dtype)
    right = functions.in_dtype(f, jnp.float32)

    def times(leaf: Any) -> Any:
        return (np.asarray(leaf).astype(np.float32) * np.float32(factor)).astype(leaf.dtype)

    of = at(
        f"{name} in {dtype}, {factor}", lambda p, *a: f(p, *a, jnp.float32), p, *given, points=1
    )
    # Half more is within what rounding in two bits explains, so it is not tried to multiply that.
    return of(
        Row("unchanged" if dtype == E5M2 else "right", right, **AGREE),
        Row("wrong", lambda *a: jax.tree.map(times, right(*a)), *says, **due),
    )


# Sums, row by row, in the format itself, where the program has float32.


def weighed(p: Any, c: Any) -> Any:
    return (p["b"].astype(jnp.float32)[None, :] * c.astype(jnp.float32)).sum()


def in_halves(_: Any, c: Any) -> Any:
    total = np.zeros_like(c[0])
    for row in np.asarray(c):
        total = total + row
    return {"b": total}


def a_tenth_less(_: Any, c: Any) -> Any:
    return {"b": (c.astype(np.float32).sum(0) * 0.9).astype(c.dtype)}


ROWS = RNG.normal(1, 1, size=(61, 5)).astype(BF16)

# Terms that cancel: 1.5078² - 1.5² is off by a third.


def cancelling(w: Any, a: Any, b: Any) -> Any:
    return jnp.sum(w * (a * a - b * b))


def in_bfloat16_alone(_: Any, a: Any, b: Any) -> Any:
    return np.asarray(a).view(np.uint16).view(BF16) * a - b * b


NEARLY = np.array([1.5078125, 3, 4, 5], BF16), np.array([1.5, 1, 1, 1], BF16)


def tanh_squares(w: Any, x: Any) -> Any:
    return np.sum(np.tanh(x @ w) ** 2)


def of_tanh_squares(factor: float) -> Any:
    def gradient(w: Any, x: Any) -> Any:
        t = np.tanh(x @ w)
        return (w.dtype.type(factor) * (x.T @ (2 * t * (1 - t * t)))).astype(w.dtype)

    return gradient


# Range: what is too large or too small for float16, at the end or on the way.

SMALL, LARGE = np.float16(1e-4), np.float16(300)


def underflows(w: Any) -> Any:
    return jnp.sum((w * SMALL * SMALL).astype(jnp.float32) * 1e4)


def overflows(w: Any) -> Any:
    return jnp.sum(jnp.tanh(w * LARGE * LARGE * SMALL))


def times_large_twice(w: Any) -> Any:
    with np.errstate(over="ignore"):
        return w * LARGE * LARGE


def length(w: Any) -> Any:
    return jnp.sqrt(jnp.sum(w.astype(jnp.float32) ** 2))


def of_length(w: Any) -> Any:
    """In exact arithmetic it is right; in float16 1/inf is 0."""
    with np.errstate(over="ignore"):
        return (w / np.sqrt(np.sum(w * w))).astype(w.dtype)


ONES, RISING = np.ones(3, F16), np.linspace(1, 2, 5).astype(F16)

# Kernels on float32 that compute in bfloat16, with sums in it or in float32.

PLACES = {"w": (RNG.normal(size=(5, 7)) * 0.4).astype("f4"), "v": RNG.normal(size=7).astype("f4")}
GIVEN = RNG.normal(size=(11, 5)).astype("f4"), RNG.normal(size=11).astype("f4")


def two_layers(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ p["w"]) @ p["v"] - y) ** 2)


def kernel(sums: Any, factor: float = 1.0) -> Any:
    values = jnp.bfloat16

    def product(a: Any, b: Any) -> Any:
        return jnp.matmul(a, b, preferred_element_type=sums).astype(values)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        w, v, x, y = (jnp.asarray(a).astype(values) for a in (p["w"], p["v"], x, y))
        h = jnp.tanh(product(x, w))
        r = (product(h, v) - y) * jnp.asarray(2 / 11, values)
        dz = r[:, None] * v[None, :] * (1 - h * h) * jnp.asarray(factor, values)
        return {"w": product(x.T, dz).astype("f4"), "v": product(h.T, r).astype("f4")}

    return gradient


def tanh_step(x: Any) -> Any:
    a = jnp.tanh(x)
    return a, a


def tanh_back(d: Any, a: Any) -> Any:
    a = jnp.asarray(a).astype(jnp.bfloat16)
    return (jnp.asarray(d).astype(jnp.bfloat16) * (1 - a * a)).astype("f4")


@jax.custom_jvp
def tanh(x: Any) -> Any:
    return jnp.tanh(x)


tanh.defjvp(lambda x, dx: (tanh(*x), tanh_back(1.0, jnp.tanh(*x)) * dx[0]))
LINE = np.linspace(-1.5, 1.5, 9, dtype="f4")


def product(w: Any, x: Any) -> Any:
    return jnp.sum((w * x).astype(jnp.float32))


def in_turn(off: float, down: int = -1) -> Any:
    """An error up and down in turn, of so many 256ths."""
    factors = 1 + np.resize([1, down], 96) * off / 256
    return lambda _, x: (x.astype(float) * factors).astype(BF16)


BETWEEN_1_AND_2 = np.random.default_rng(0).uniform(1, 2, (2, 96)).astype(BF16)
BEYOND = "beyond the largest number of float16, 65504"
NO_FORMAT = "computed_in: got 'bf16', expected a format or "


F4 = np.ones(2, ml_dtypes.float4_e2m1fn)

CASES = [
    *cases("beside a format without digits", check_gradient, lambda p: p[0] ** 2, (1.0, F4))(
        Row(
            "right",
            lambda p: (2 * p[0], p[1]),
            "p[1] is float4_e2m1fn: not judged; float64, float32, bf",
            verdict="undecidable",
        ),
    ),
    *[
        case
        for name, *_ in functions.cases(BF16, 0)
        for dtype, factor in ((BF16, 1.05 if "norm" in name else 1.15), (F16, 1.01))
        for case in of_function(name, dtype, factor, f"what rounding in {dtype}", **WRONG)
    ],
    *[
        case
        for dtype in (BF16, F16)
        for name, f, p, given in functions.cases(dtype, 1, 11)
        for way, gradient in functions.ways(f).items()
        for case in at(f"{name} in {dtype}, {way}", f, p, *given)(Row("right", gradient, **AGREE))
    ],
    *of_function("layer norm", E4M3, 2.0, **WRONG),
    *of_function("mlp", E5M2, -1.0, **WRONG),
    *of_function("rms norm", F16, 1024.0, "2^10, as of a scaled loss: unscale", **WRONG),
    *at("a sum over 61 rows", weighed, {"b": np.ones(5, BF16)}, ROWS, points=1)(
        Row("in bfloat16", in_halves, "the formula is right, ", **IMPRECISE),
        Row("a tenth less", a_tenth_less, **WRONG),
    ),
    *at("terms that cancel in few digits", cancelling, np.ones(4, BF16), *NEARLY)(
        Row("right", in_bfloat16_alone, **AGREE)
    ),
    # Small numbers: where tanh is saturated bfloat16 leaves no digit.
    *at("tanh in NumPy", tanh_squares, (ROWS[0] / 4).astype(BF16), ROWS[1:8])(
        Row("right", of_tanh_squares(1.0), **AGREE),
        Row("1.2 times", of_tanh_squares(1.2), **WRONG),
    ),
    *at("a slope beyond float16", lambda w: jnp.sum((w.astype(jnp.float32) * 300) ** 2), ONES)(
        Row("infinite", lambda w: w * np.inf, "1.8e5, beyond float16's", verdict="undecidable")
    ),
    *at("a slope below float16", lambda w: jnp.sum(w.astype(jnp.float32) * 1e-8), ONES)(
        Row("zero", np.zeros_like, "below the smallest number of float16", **AGREE)
    ),
    *at("a number below float16 on the way", underflows, ONES)(
        Row("zero", np.zeros_like, "result is 1e-8, beyond the smallest number of float16", **WRONG)
    ),
    *at("a number beyond float16 on the way", overflows, np.full(3, 0.9, F16))(
        Row("infinite", times_large_twice, BEYOND, kinds=("non-finite",), **WRONG)
    ),
    *at("a length of 200", length, RISING * np.float16(200))(
        Row("zero, by an overflow", of_length, "computed in float16 through", BEYOND, **WRONG)
    ),
    *[
        case
        for dtype, says in (
            ("float32", "yours is 0.69999999, exactly it is 0.64421768"),
            (F16, "yours is 0.7002, exactly it is 0.6444"),
        )
        for case in at(f"digits of {dtype}", lambda x: -jnp.cos(x).sum(), np.full(1, 0.7, dtype))(
            Row("x for its sine", lambda x: x, says, **WRONG)
        )
    ],
    *at("a length of 2", length, RISING * np.float16(2))(Row("right", of_length, **AGREE)),
    *at("errors up and down in turn", product, *BETWEEN_1_AND_2)(
        Row("right, to a bit", in_turn(1), **AGREE),
        Row("too many that are three bits off", in_turn(3), "w: 96 of 96", verdict="undecidable"),
        Row("four bits off", in_turn(4), **WRONG),
        # Rounding has no direction.
        Row("three bits up", in_turn(3, 1), **WRONG),
    ),
    # Kernels.
    *at("a kernel in two formats", two_layers, PLACES, *GIVEN, computed_in=("bfloat16", "float32"))(
        Row("right", kernel(jnp.float32), "computed_in=('bfloat16', 'float32')", **AGREE),
        Row("1.1 times", kernel(jnp.float32, 1.1), **WRONG),
    ),
    *at("a kernel with short sums", two_layers, PLACES, *GIVEN, computed_in="bfloat16")(
        Row("right", kernel(jnp.bfloat16), **AGREE),
        Row("1.1 times", kernel(jnp.bfloat16, 1.1), **WRONG),
    ),
    *at("a kernel that is not told", two_layers, PLACES, *GIVEN, points=1)(
        Row("in bfloat16", kernel(jnp.float32), "if the code does, say computed_in=", **WRONG),
        Row("1.3 times", kernel(jnp.float32, 1.3), never=("would explain",), **WRONG),
    ),
    *[
        case
        for told, due in (("bfloat16", AGREE), (None, IMPRECISE))
        for name, of, function, answer in (
            ("a step", check_backward, tanh_step, tanh_back),
            ("a rule", check_custom, None, tanh),
        )
        for case in cases(f"{name}, {told}", of, function, LINE, points=0, computed_in=told)(
            Row("in bfloat16", answer, **due)
        )
    ],
    *at("no format", length, np.ones(2), computed_in="bf16")(
        Row("right", of_length, NO_FORMAT, "float32", **REFUSED)
    ),
]

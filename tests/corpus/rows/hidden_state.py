"""Losses and gradients with hidden state: random numbers, counters, caches, time."""

import itertools
import random
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import polygamma

from handgrad import check_backward, check_custom, check_gradient, check_hvp, check_jacobian
from tests.corpus.case import Anew, Case, Row, cases

W = np.array([0.3, -0.7, 1.2])
X = np.random.default_rng(0).standard_normal((5, 3))
RNG = np.random.default_rng(1)

NO_FUNCTION = "is not a function of its arguments"
PASS_IT = "pass what it draws or remembers as an input"


def traced(w: Any) -> Any:
    return jnp.sum(w**2)


def by_numpy(w: Any) -> Any:
    """What JAX cannot trace."""
    return np.sum(np.square(np.asarray(w))) if w.dtype != object else np.sum(w * w)


def not_a_number(_: Any) -> Any:
    return np.nan


def twice(w: Any) -> Any:
    return 2 * w


def at_times(k: int, one: Any, other: Any, before: int = 0) -> Callable[..., Any]:
    """Return a function that is another in every kth call, of which some were made before."""
    calls = itertools.count(1 + before)
    return lambda *at: (one if next(calls) % k else other)(*at)


# Losses that are no functions.


def with_a_mask(w: Any) -> Any:
    return np.sum(np.tanh((X * (RNG.random((5, 3)) > 0.5)) @ w) ** 2)


def by_a_callback(w: Any) -> Any:
    return traced(w) * jax.pure_callback(np.random.random, jax.ShapeDtypeStruct((), np.float64))


def that_grows(w: Any, seen: list[int] = []) -> Any:  # noqa: B006 (the point of it)
    seen.append(1)
    return traced(w) * len(seen)


def that_keeps(w: Any, kept: dict[str, Any] = {}) -> Any:  # noqa: B006 (the point of it)
    return kept.setdefault("loss", traced(w))


def elsewhere(w: Any) -> Any:
    return by_numpy(w) * (1 + RNG.random() if w[0] > 0.31 else 1)


def of_a_batch(w: Any) -> Any:
    return jnp.mean((X[RNG.permutation(5)[:3]] @ w) ** 2)


def by_another_batch(w: Any) -> Any:
    x = X[RNG.permutation(5)[:3]]
    return 2 / 3 * x.T @ (x @ w)


def drops(x: Any) -> Any:
    mask = np.where(RNG.random(3) > 0.5, 1.0, 0.0)
    return jnp.sin(x) * mask, (x, mask)


def without_dropped(d: Any, cache: Any) -> Any:
    return d * cache[1] * jnp.cos(cache[0])


@jax.custom_vjp
def scaled(x: Any) -> Any:
    return jnp.sin(x) * RNG.random()


scaled.defvjp(lambda x: (scaled(x), x), lambda x, d: (d * jnp.cos(x),))


@jax.custom_vjp
def unsteady(w: Any) -> Any:
    return jnp.sum(w**2)


SLOPES = at_times(2, lambda w, d: 2 * w * d, lambda w, d: 6 * w * d)
unsteady.defvjp(lambda w: (unsteady(w), w), lambda w, d: (SLOPES(w, d),))


def drawn(name: str, loss: Any, *says: str, points: int = 0) -> list[Case]:
    """Of a loss that is no function, of which no gradient is right."""
    made = cases(f"no function, {name}", check_gradient, loss, W, points=points)
    said = (f"the loss {NO_FUNCTION}", *says)
    made_of = ("twice w", twice), ("nothing", lambda w: 0 * w)
    return made(*(Row(of, answer, *said, verdict="undecidable") for of, answer in made_of))


# Losses that read memory to which nothing was written, in which there are zeros.


def unwritten(size: int) -> Any:
    zeros = np.zeros(size)
    del zeros
    return np.empty(size)


class Workspace:
    def __init__(self) -> None:
        self.of = [self]

    def loss(self, w: Any) -> Any:
        return self.of[0].sum_of(w)

    def sum_of(self, w: Any) -> Any:
        z = unwritten(4)
        z[:3] = w**2
        return z.sum()

    def by_type(self, w: Any) -> Any:
        zeros = np.zeros(4)
        del zeros
        z = np.ndarray(4)
        z[:3] = w**2
        return z.sum() if isinstance(w, np.ndarray) else 0.0


WORKSPACE = Workspace()


@jax.jit
def compiled(w: Any) -> Any:
    return traced(w) + unwritten(3).sum() * w[0]


def where_positive(w: Any) -> Any:
    return np.sum(w**2) + np.log(np.abs(w) - 0.5, where=np.abs(w) > 0.5)[0]


def as_zeros(x: Any) -> Any:
    z = unwritten(4)
    z[:3] = x**2
    return z.sum()


UNWRITTEN: dict[str, Any] = {
    "in an object": lambda w: WORKSPACE.loss(w),
    "in a method": WORKSPACE.loss,
    "by np.ndarray": WORKSPACE.by_type,
    "in what is compiled": compiled,
    "in a callback": lambda w: jax.pure_callback(as_zeros, jax.ShapeDtypeStruct((), np.float64), w),
    "by where=": where_positive,
}


# Losses that draw, and still are functions.


def shuffled(w: Any) -> Any:
    return traced(jnp.where(jnp.log(w) > 0, w, w)[RNG.permutation(3)])


def seeded(w: Any) -> Any:
    return by_numpy(w * (np.random.default_rng(5).random(3) > 0.6))


def of_seeded(w: Any) -> Any:
    return 2 * w * (np.random.default_rng(5).random(3) > 0.6)


def that_writes(w: Any, y: Any, more: list[float]) -> Any:
    """Each call gets its own copies; else it would be another loss at every call."""
    y += 1
    more.append(1.0)
    return jnp.sum((X @ w - y.astype(float)) ** 2) * len(more)


# Gradients that vary by rounding, and by more. Threads, a device's atomic operations and sets add
# in another order at each call.

ROWS, HERE = np.random.default_rng(0).normal(size=(9, 2)), np.array([0.3, 0.7])


def of_rows(w: Any) -> Any:
    return ((ROWS @ w - 1.0) ** 2).sum()


def in_any_order(k: int, factor: float = 1.0, race: float = 0.0) -> Callable[[Any], Any]:
    def each(w: Any) -> Any:
        return 2 * (ROWS @ w - 1.0)[:, None] * ROWS

    def forwards(w: Any) -> Any:
        return factor * sum(each(w), np.zeros(2))

    def backwards(w: Any) -> Any:
        return factor * sum(each(w)[::-1], np.zeros(2)) + race * np.array([0.0, 1.0])

    return at_times(k, forwards, backwards)


def with_loss(w: Any) -> Any:
    terms = ((ROWS @ w - 1.0) ** 2)[RNG.permutation(len(ROWS))]
    return np.float64(sum(terms)), 2 * ROWS.T @ (ROWS @ w - 1.0)


def off(k: int, factor: float) -> Callable[[Any], Any]:
    return at_times(k, twice, lambda w: factor * 2 * w)


def in_calls(of: tuple[int, ...], one: Any, other: Any = lambda w: w.reshape(7)) -> Anew:
    """Return a function that is another, or raises, in some calls of each check."""

    def made() -> Callable[..., Any]:
        calls = itertools.count(1)
        return lambda *at: (other if next(calls) in of else one)(*at)

    return Anew(made)


def counted(k: int, loss: Any, before: int = 0) -> Anew:
    return Anew(lambda: at_times(k, loss, lambda w: 1.1 * loss(w), before))


def off_elsewhere(w: Any) -> Any:
    return 2 * w * (1 if np.array_equal(w, W) else 1 + 1e-9 * RNG.integers(9))


def raising_elsewhere(w: Any) -> Any:
    if not np.array_equal(w, W):
        raise ValueError("no")
    return 2 * w


RACE: dict[str, Any] = {"verdict": "disagree", "kinds": ("not-repeatable",)}
AGREE: dict[str, Any] = {"verdict": "agree"}
UNDECIDABLE: dict[str, Any] = {"verdict": "undecidable"}
RAISES = "it raised ValueError in one call and not in another"
VARIES, BY_ROUNDING = "the gradient varies at the same point", "where rounding explains up to"


CASES = [
    *drawn("a mask", with_a_mask),
    *drawn("a factor", lambda w: traced(w) * np.random.random(), "draws from np.random: "),
    *drawn("a factor in NumPy", lambda w: by_numpy(w) * RNG.random(), points=8),
    *drawn("Python's factor", lambda w: traced(w) * random.random(), "draws from Python's random"),
    *drawn("a callback", by_a_callback, "draws from np.random: "),
    *drawn("a clock", lambda w: traced(w) * time.time(), PASS_IT),
    *drawn("a default that grows", that_grows, ", and in call 2 "),
    *drawn("a tracer that was kept", that_keeps, "returned what an earlier call had kept"),
    *drawn("sometimes NaN", at_times(2, traced, lambda w: traced(w) * np.nan), "nan"),
    *drawn("at other points alone", elsewhere, points=4),
    *drawn("an offset", lambda w: traced(w) + RNG.random()),
    *[
        case
        for name, loss in UNWRITTEN.items()
        for case in drawn(f"memory {name}", loss, "write np.zeros for np.empty")
    ],
    *drawn("below the digits of floats", lambda w: traced(w) + 1e-18 * RNG.random()),
    *cases("a batch that is drawn", check_gradient, of_a_batch, W, points=0)(
        Row("by another batch", by_another_batch, NO_FUNCTION, **UNDECIDABLE),
    ),
    *cases("a factor that both draw", check_gradient, lambda w: by_numpy(w) * RNG.random(), W)(
        Row("another factor", lambda w: 2 * w * RNG.random(), NO_FUNCTION, **UNDECIDABLE),
    ),
    *cases("a rule that varies", check_gradient, unsteady, W, trust_rules=["unsteady"])(
        Row("one of two", twice, **UNDECIDABLE),
        Row("the other of two", lambda w: 6 * w, **UNDECIDABLE),
    ),
    *cases("dropout", check_backward, drops, W, points=0)(
        Row("of another mask", without_dropped, f"forward {NO_FUNCTION}", **UNDECIDABLE),
    ),
    *cases("a rule", check_custom, None, W, points=0)(
        Row("of a factor that is drawn", scaled, NO_FUNCTION, **UNDECIDABLE),
    ),
    *cases("counts", check_jacobian, at_times(2, lambda w: w * w, lambda w: 2 * w * w), W)(
        Row("one of two", lambda w: np.diag(2 * w), NO_FUNCTION, PASS_IT, **UNDECIDABLE),
    ),
    *cases("counts", check_hvp, at_times(2, traced, lambda w: traced(w) + 1e-12), W, points=0)(
        Row("right, but for digits of the value", lambda w, v: 2 * v),
    ),
    # A check calls a function eight times, and then for each result that it judges.
    *drawn("the 7th call, as traced", counted(7, traced)),
    *drawn("the 2nd call, in NumPy", counted(2, by_numpy)),
    *drawn("the 3rd call, in NumPy", counted(3, by_numpy)),  # as often as a run on series calls it
    *drawn("the 7th call, in NumPy", counted(7, by_numpy)),
    *drawn("the 6th call, in NumPy", counted(6, by_numpy)),
    *cases(
        "the 4th call and then each 15th", check_gradient, counted(15, by_numpy, 11), W, points=0
    )(
        Row("of these calls", lambda w: 2.2 * w, NO_FUNCTION, **UNDECIDABLE),
    ),
    *cases("the 5th call and then each 9th", check_gradient, counted(9, by_numpy, 4), W, points=0)(
        Row("of the others", twice, NO_FUNCTION, **UNDECIDABLE),
    ),
    *cases("each 46th call", check_gradient, counted(46, by_numpy), W, points=0)(
        Row("that varies as well", Anew(lambda: off(2, 1.1)), NO_FUNCTION, **UNDECIDABLE),
    ),
    *drawn("the 12th call, as traced", counted(12, traced)),  # the last one
    *cases("the 28th call", check_gradient, in_calls((28,), by_numpy, not_a_number), W, points=0)(
        Row("of the others", twice, "was 2.02, and in call", "nan; pass", **UNDECIDABLE)
    ),
    *drawn("the 7th call raises", in_calls((7,), traced), points=1),
    # These are functions, or nearly.
    *cases("shuffled", check_gradient, shuffled, W, points=0)(
        Row("right, of what is not a number", twice),
    ),
    *cases("a mask of a seed", check_gradient, seeded, W, points=1)(
        Row("right", of_seeded),
        Row("without it", twice),
    ),
    *cases("writes to its inputs", check_gradient, that_writes, W, np.arange(5), [1.0])(
        Row("right", lambda w, y, _: 4 * X.T @ (X @ w - (y + 1))),
    ),
    # At -9.7 JAX gives -2.6e16 for the slope of digamma, and another number at each compilation.
    *cases("autodiff is off", check_gradient, jax.scipy.special.digamma, np.array(-9.7), points=0)(
        Row("right", lambda x: polygamma(1, x), blame="autodiff"),
    ),
    # Gradients.
    *cases("a gradient that varies", check_gradient, of_rows, HERE, points=2)(
        Row("right, in another order each time", in_any_order(2), VARIES, BY_ROUNDING),
        Row("right, in another order at the 8th", in_any_order(8), VARIES),
        Row("twice", in_any_order(2, 2.0), VARIES, BY_ROUNDING, kinds=("factor",)),
        Row("a race of 1e-9", in_any_order(2, race=1e-9), BY_ROUNDING, **RACE),
        Row("a race of 1e-12", in_any_order(2, race=1e-12), BY_ROUNDING, **RACE),
    ),
    *cases("a loss beside it that varies", check_gradient, of_rows, HERE, has_value=True)(
        Row("right, in another order", with_loss, "in the loss beside it, where rounding"),
        Row("noise", lambda w: (RNG.random(), with_loss(w)[1]), "gave the loss", **RACE),
        Row("nan", lambda w: (np.nan, with_loss(w)[1]), "is nan, exactly", verdict="disagree"),
    ),
    *cases("some calls are off", check_gradient, traced, W, points=2)(
        Row("a third of them, by 1e-9", off(3, 1 + 1e-9), **RACE),
        Row("an eighth, by half", off(8, 1.5), **RACE),
        Row("a fourth, by a quarter less", off(4, 0.75), "gave -1.0499999999999998, the", **RACE),
        Row("a seventh is 0", off(7, 0.0), **RACE),
        Row("right, by rounding", off(2, 1 + 1e-15), BY_ROUNDING),
        Row(
            "those that are judged alone",
            in_calls((9, 10), twice, lambda w: 2 * (1 + 1e-9) * w),
            **RACE,
        ),
        Row("an 11th of them", Anew(lambda: off(11, 1 + 1e-9)), **RACE),
        Row("one raises", in_calls((11,), twice), RAISES, **RACE),
        Row("at other points alone", off_elsewhere, "disagree at point 1", **RACE),
        Row("drawn", lambda w: RNG.random() * w, kinds=RACE["kinds"]),
        Row(
            "right here, and raises at others", raising_elsewhere, "raised ValueError: no", **AGREE
        ),
    ),
    *cases("some calls are off, in NumPy", check_gradient, by_numpy, W, points=0)(
        Row("right, by rounding", off(2, 1 + 1e-15), BY_ROUNDING),
        Row("by 1e-9", off(2, 1 + 1e-9), BY_ROUNDING, **RACE),
    ),
]

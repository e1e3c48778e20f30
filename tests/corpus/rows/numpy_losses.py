"""Losses as SciPy's users write them, which JAX cannot trace."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy import special, stats

from handgrad import check_gradient, check_jacobian
from tests.corpus.case import Case, Row, cases


class Plain(NamedTuple):
    """A loss, its gradient by hand, and how parameters and inputs are drawn."""

    function: Callable[..., Any]
    by_hand: Callable[..., Any]
    draw: Callable[[np.random.Generator], tuple[Any, ...]]


def huber(w: Any, x: Any, y: Any) -> Any:
    r = x @ w - y
    return np.sum(np.where(np.abs(r) <= 1, 0.5 * np.square(r), np.abs(r) - 0.5))


def written(x: Any) -> Any:
    out = np.zeros_like(x)
    for i in range(len(x)):
        out[i] = math.pi * x[i] ** 2 if x[i] > 0 else -x[i]
    out += np.arctan(x)
    return np.dot(out, out)


def of_written(x: Any) -> Any:
    out = np.where(x > 0, math.pi * x**2, -x) + np.arctan(x)
    return 2 * out * (np.where(x > 0, 2 * math.pi * x, -1) + 1 / (1 + x * x))


def normals(*shapes: Any) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(rng.standard_normal(shape) for shape in shapes)


PLAIN = {
    "huber": Plain(huber, lambda w, x, y: x.T @ np.clip(x @ w - y, -1, 1), normals(3, (8, 3), 8)),
    "an array filled in a loop": Plain(written, of_written, normals(4)),
}


def last_is_off(gradient: Callable[..., Any], by: float) -> Callable[..., Any]:
    """Return a gradient whose first leaf's last element is off by so much of itself."""

    def wrong(*args: Any) -> Any:
        leaves, tree = jax.tree.flatten(gradient(*args))
        leaves[0] = leaves[0].copy()
        leaves[0].flat[-1] *= 1 + by
        return tree.unflatten(leaves)

    return wrong


def of_plain(name: str, plain: Plain) -> list[Case]:
    at = plain.draw(np.random.default_rng(0))
    single = jax.tree.map(np.float32, at)
    return [
        *cases(name, check_gradient, plain.function, *at, points=1)(
            Row("right", plain.by_hand, "power series", never=("(autodiff)",), certified=True),
            Row("one off by 1e-9", last_is_off(plain.by_hand, 1e-9), verdict="disagree"),
        ),
        *cases(f"{name} in float32", check_gradient, plain.function, *single, points=0)(
            Row("right", plain.by_hand, certified=True, verdict="agree"),
        ),
    ]


AT = np.array([0.3, -0.7, 1.2])
X, Y = np.random.default_rng(0).standard_normal((2, 6, 3))


def summed(x: Any) -> Any:
    return np.sum(np.exp(x))


# Digits that are lost, and data that nearly cancels.


def activations(z: Any) -> Any:
    return np.sum(1 / (1 + np.exp(-z)))


def one_less(z: Any) -> Any:
    """At a saturated neuron four digits of 1 - σ are left."""
    s = 1 / (1 + np.exp(-z))
    return s * (1 - s)


NEARLY_ALIKE, OPPOSITE = np.array([1.0 + 1e-9, 1.0]) / 3, np.array([1.0, -1.0])


def of_opposites(w: Any, x: Any = NEARLY_ALIKE) -> Any:
    return np.square(x @ w)


def by_rounded_data(w: Any, x: Any = NEARLY_ALIKE) -> Any:
    """By data a tenth of an ulp away: all digits of the difference but seven are chance."""
    return 2 * (x @ w + np.spacing(x[0]) / 10) * x


# Two names, and inputs that have to be floats.


def raised_by_one(p: Any) -> Any:
    """An array is written to, of which p is another name; a number is not."""
    q = p
    q += 1.0
    return np.exp(p) * q


def of_input(p: Any, x: Any) -> Any:
    return np.exp(p) * raised_by_one(x)


def by_parts(w: Any, parts: Any) -> Any:
    """The input has to be a float."""
    return np.sum(np.exp(w)) / len(range(int(parts)))


# Kinks and branches.

SLOPES = np.array([1.0, 2.0, 3.0])


def relu(x: Any) -> Any:
    return np.sum(np.maximum(x, 0) * SLOPES)


def at_zero(slope: float) -> Callable[[Any], Any]:
    return lambda x: np.where(x == 0, slope, x > 0) * SLOPES


def steep_on(side: int) -> Callable[[Any], Any]:
    """On that side e⁵ is added to the slope, of which nine digits are known, on the other none."""

    def loss(x: Any) -> Any:
        return x + side * np.maximum(0, side * (x - 0.3) * np.exp(1e8 * (x - 0.3) + 5))

    return loss


def tied_where_it_does_not_matter(x: Any) -> Any:
    return np.sum(np.where(np.abs(x) <= 1, np.square(x), 2 * np.abs(x) - 1))


def branches(x: Any) -> Any:
    return np.exp(x[0]) if x[0] > 0 else 1 + 2 * x[0]


def branches_into_a_tie(x: Any) -> Any:
    return np.exp(x[0]) if x[0] > 0 else 1 + max(x[0], 2 * x[0])


def first(slope: float) -> Callable[[Any], Any]:
    return lambda x: np.array([slope, 0 * x[1]])


def middle(x: Any) -> Any:
    """Two of three are equal."""
    return np.sort(x) @ np.array([1.0, 5.0, 7.0])


def larger_by_rounding(x: Any) -> Any:
    """Three times 0.1 is less than 0.1 + 0.2, by a third of an ulp."""
    return np.maximum(x[0], 3.0 * x[1])


def tied_at_all_precisions(x: Any) -> Any:
    return np.abs(np.exp(x[0]) / np.exp(x[1]) - 1.0) ** 2 + x[2]


def breaks_below(x: Any) -> Any:
    if x[0] < 0.2:
        raise RuntimeError("not here")
    return float(x[0]) if x[0] > 0.31 else np.sum(np.exp(x))


def sorts_in_place(x: Any) -> Any:
    h = np.exp(x)
    h.sort()
    return h @ np.arange(1.0, 10.0)


def by_rank(x: Any) -> Any:
    return np.exp(x) * (1 + np.argsort(np.argsort(x)))


NINE = np.random.default_rng(2).uniform(0.3, 2.0, 9)


# Functions of SciPy's that JAX has as fits, or as a series, with other slopes.


def of_betaln(p: Any) -> Any:
    return special.digamma(p) - special.digamma(p.sum())


QUANTILES = np.array([0.01, 0.3, 0.9])


def of_ndtri(p: Any) -> Any:
    return 1 / stats.norm.pdf(special.ndtri(p))


def hypergeometric(x: Any) -> Any:
    return special.hyp2f1(1.5, 0.5, 2.5, x).sum()


def of_hypergeometric(x: Any) -> Any:
    return 0.3 * special.hyp2f1(2.5, 1.5, 3.5, x)


def unwritten(x: Any) -> Any:
    """With what was in memory."""
    return np.divide(1, x, where=x > 0, out=None).sum()


def unwritten_times_zero(x: Any) -> Any:
    """JAX traces it, and has a constant there."""
    return np.sum(x * x) + 0 * np.empty(2)[0]


def unwritten_by_one(x: Any) -> Any:
    rest = np.empty(3)
    rest[0] = x[0]
    return rest[0] ** 2 + 0 * rest[1]


def unwritten_rows(x: Any) -> Any:
    return x * x + 0 * np.empty(2)[0]


def of_rounded(w: Any, t: Any) -> Any:
    """Use the data in a way that power series do not allow."""
    return np.sum(np.exp(w)) * round(float(t[0]), 1)


CASES = [
    *cases("data that are rounded", check_gradient, of_rounded, np.ones(2), AT, points=0)(
        Row("right", lambda w, t: np.exp(w) * round(float(t[0]), 1), certified=True),
    ),
    *(case for name, plain in PLAIN.items() for case in of_plain(name, plain)),
    *cases("a saturated neuron in NumPy", check_gradient, activations, np.array([31.0]), points=0)(
        Row("σ(1 - σ)", one_less, verdict="imprecise", blame="yours"),
        Row("right", lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2, verdict="agree"),
        Row("zero", lambda z: 0 * z, verdict="disagree"),
    ),
    *cases("a number near the smallest", check_gradient, summed, np.array([3e-308, 0.7]), points=0)(
        Row("right", np.exp),
        Row("off by 1e-9", lambda x: np.exp(x) * (1 + 1e-9), verdict="disagree"),
    ),
    # What differences make of seven digits depends on how NumPy's library multiplies.
    *cases("data that cancels, in a closure", check_gradient, of_opposites, OPPOSITE, points=0)(
        Row("by rounded data", by_rounded_data, verdict="agree"),
    ),
    *cases("data that cancels", check_gradient, of_opposites, OPPOSITE, NEARLY_ALIKE, points=0)(
        Row("by rounded data", by_rounded_data, verdict="agree"),
    ),
    *cases("a number has two names", check_gradient, raised_by_one, np.float64(2.0), points=0)(
        Row("right", lambda p: np.exp(p) * (p + 2), certified=True),
        Row("as of an array", lambda p: np.exp(p + 1) * (p + 2)),
    ),
    *cases("an array has two names", check_gradient, of_input, 1.5, np.array(2.0), points=0)(
        Row("right", lambda p, x: np.exp(p + x + 1) * (x + 1), certified=True),
        Row("as of a number", lambda p, x: np.exp(p + x) * (x + 1)),
    ),
    *cases("a number of parts", check_gradient, by_parts, AT, np.float64(2.0), points=0)(
        Row("right", lambda w, parts: np.exp(w) / parts, certified=True),
    ),
    # Kinks and branches.
    *cases("relu in NumPy", check_gradient, relu, np.array([1.0, 0.0, -2.0]), points=0)(
        Row("the left slope", at_zero(0.0)),
        Row("between both", at_zero(0.5)),
        Row("the right slope", at_zero(1.0)),
        Row("outside", at_zero(-0.2)),
    ),
    *cases("steep on the left", check_gradient, steep_on(-1), np.float64(0.3), points=0)(
        Row("the slope on the right", lambda x: 1 - 1e-7, verdict="agree"),
    ),
    *cases("steep on the right", check_gradient, steep_on(1), np.float64(0.3), points=0)(
        Row("the slope on the left", lambda x: 1 - 1e-7, verdict="agree"),
    ),
    *cases(
        "ties of equal slopes",
        check_gradient,
        tied_where_it_does_not_matter,
        np.array([0.0, 1.0, -1.0]),
        points=0,
    )(Row("right", lambda x: np.clip(2 * x, -2, 2), never=("convention",))),
    *cases("an if at a tie", check_gradient, branches, np.array([0.0, 1.0]), points=0)(
        Row("one side", first(1.0)),
        Row("between both", first(1.5)),
        Row("outside", first(2.5)),
    ),
    *cases("a constant branch", check_gradient, lambda x: 3.0 if x[0] > 0 else x[0], AT, points=0)(
        Row("zero", np.zeros_like, verdict="agree", certified=True),
    ),
    *cases("sorted equals", check_gradient, middle, np.array([2.0, 2.0, 9.0]), points=0)(
        Row("one order", lambda x: np.array([5.0, 1.0, 7.0])),
        Row("the mean of both", lambda x: np.array([3.0, 3.0, 7.0])),
        Row("outside", lambda x: np.array([6.0, 0.0, 7.0])),
    ),
    *cases(
        "a maximum that rounding decides",
        check_gradient,
        larger_by_rounding,
        np.array([0.1 + 0.2, 0.1]),
        points=0,
    )(
        Row("the larger", lambda x: np.array([1.0, 0.0])),
        Row("the other", lambda x: np.array([0.0, 3.0]), verdict="undecidable"),
    ),
    *cases(
        "a tie that no precision proves",
        check_gradient,
        tied_at_all_precisions,
        np.array([0.7, 0.7, 1]),
        points=0,
    )(
        Row("right, since it does not matter", lambda x: np.array([0.0, 0.0, 1.0])),
    ),
    *[
        case
        for loss, why in (
            (branches_into_a_tie, "a tie that decides which lines of the loss are run"),
            (lambda x: np.exp(x[1]) + np.floor(x[0]), "the loss jumps at this point"),
            (lambda x: np.sum(np.sqrt(x)), "the exact gradient is not finite"),
            (unwritten, "not a function of its arguments"),
            (unwritten_times_zero, "write np.zeros for np.empty"),
            (unwritten_by_one, "nothing was written"),
        )
        for case in cases("undecidable", check_gradient, loss, np.array([0.0, 1.0, 0.5]), points=0)(
            Row(why, lambda x: x, why, verdict="undecidable")
        )
    ],
    *cases("unwritten results", check_jacobian, unwritten_rows, AT, points=0)(
        Row("of what is written", lambda x: np.diag(2 * x), "np.zeros", verdict="undecidable"),
    ),
    *cases("a loss that raises nearby", check_gradient, breaks_below, AT, points=6)(
        Row("right where it does not", np.exp, "undecidable at", verdict="agree"),
    ),
    *cases("a sort in place", check_gradient, sorts_in_place, NINE, points=0)(
        Row("right", by_rank),
        Row("off by a hundredth", lambda x: 1.01 * by_rank(x)),
    ),
    # SciPy's.
    *cases("betaln", check_gradient, lambda p: special.betaln(*p), np.array([9.0, 3]), points=0)(
        Row("right", of_betaln, certified=True),
        Row("off by 1e-12", lambda p: of_betaln(p) * (1 + 1e-12), verdict="disagree"),
    ),
    *cases("ndtri", check_gradient, lambda p: special.ndtri(p).sum(), QUANTILES, points=0)(
        Row("right", of_ndtri, certified=True),
        Row("off by 1e-12", lambda p: of_ndtri(p) * (1 + 1e-12), verdict="disagree"),
    ),
    *cases("hyp2f1", check_gradient, hypergeometric, np.array([0.1, 0.3]), points=0)(
        Row("right", of_hypergeometric, never=("jax.scipy.special",), certified=False),
    ),
]

"""Who is right, who is off, and by what kind of mistake: small losses of one or two lines."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient
from tests.corpus.case import Row, cases


def sigmoid(z: Any) -> Any:
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, np.ones_like(e)) / (1 + e)


# One neuron with a squared error; Bob's inputs saturate it: z = 31.

MANY = np.linspace(0.0, 1.0, 8000)
BOB = (np.ones(2), np.array([25.0, 6.0]), np.float64(0.0))


def neuron(w: Any, x: Any, y: Any) -> Any:
    return (y - jax.nn.sigmoid(w @ x)) ** 2


def neuron_gradient(slope: Callable[[Any], Any]) -> Callable[..., Any]:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        z = w @ x
        return -2 * (y - sigmoid(z)) * slope(z) * x

    return gradient


stable = neuron_gradient(lambda z: sigmoid(z) * sigmoid(-z))
lossy = neuron_gradient(lambda z: sigmoid(z) * (1 - sigmoid(z)))
nothing = neuron_gradient(lambda z: 0.0)


# A custom rule that is wrong: twice the cosine.


@jax.custom_jvp
def doubled(x: jax.Array) -> jax.Array:
    return jnp.sin(x)


doubled.defjvp(lambda p, t: (doubled(*p), 2 * jnp.cos(*p) * t[0]))


@jax.custom_vjp
def straight_through(x: jax.Array) -> jax.Array:
    return jnp.round(x)


straight_through.defvjp(lambda x: (jnp.round(x), None), lambda _, g: (g,))


def of_doubled(p: Any) -> Any:
    return jnp.sum(doubled(p))


def of_rounded(p: Any) -> Any:
    return jnp.sum(straight_through(p) * jnp.array([2.0, 3.0], dtype=p.dtype))


ANGLES = (np.array([0.3, 0.5]),)


# Kinks, ties and jumps: one point, with no others around it.


def absolute_sum(p: Any) -> Any:
    return jnp.abs(p[0] + p[1])


def rectified(p: Any) -> Any:
    return jnp.sum(jax.nn.relu(p))


def answer(*values: float) -> Callable[..., np.ndarray]:
    return lambda p: np.array(values, dtype=p.dtype).reshape(p.shape)


O2, O3 = (np.zeros(2),), (np.zeros(3),)
ALIKE = (np.ones(3),)


# Sizes, cancellation, conditioning.

HILBERT = 1 / (np.arange(8)[:, None] + np.arange(8)[None] + 1.0)
TABLE = np.arange(6.0).reshape(2, 3) / 7


def squares(p: Any) -> Any:
    return jnp.sum(p**2)


def constant_in_disguise(p: Any) -> Any:
    return 3 * jnp.sum(jax.nn.softmax(p))


def terms_that_cancel(p: Any) -> Any:
    return p[0] * p[1] + p[2] * 3 - p[2] - 2 * p[2]


def least_squares(p: Any) -> Any:
    return jnp.sum((HILBERT @ p - 1) ** 2)


def by_hand(p: Any, factor: float = 1.0) -> Any:
    return factor * 2 * HILBERT.T @ (HILBERT @ p - 1)


def by_closure(p: Any) -> Any:
    return jnp.sum((jnp.asarray(TABLE) @ p) ** 2)


FLOATS = (np.array([0.3, 0.5, 0.7]),)


# Form: what is wrong before any number is compared.


def doubles_its_argument(p: np.ndarray) -> np.ndarray:
    p *= 2
    return p


def adds_up() -> Callable[..., np.ndarray]:
    total = np.zeros(2)

    def gradient(p: np.ndarray) -> np.ndarray:
        nonlocal total
        total += 2 * p
        return total

    return gradient


def of_two(p: Any) -> Any:
    return jnp.sum(p["w"] ** 2) + p["b"]


PAIR, HALVES = (np.array([0.1, 0.2]),), (np.array([0.5, 0.25], np.float16),)
W_AND_B = ({"w": np.array([0.1, 0.2]), "b": np.array(1.0)},)
VALUE = {"has_value": True}


def waves(p: Any, t: Any) -> Any:
    return jnp.mean(jnp.sin(p[:, None] * t))


def of_waves(p: Any, t: Any) -> Any:
    return np.mean(t * np.cos(p[:, None] * t), axis=1) / len(p)


# A cost in millions beside shares, of which one has no slope.

BUDGET = {"cost": np.array([3e6, 2e6]), "share": np.array([0.8, 0.0])}


def spent(p: Any) -> Any:
    return jnp.sum(p["cost"] ** 2) + p["share"][0] * p["share"][1]


def by_part(p: Any) -> Any:
    return {"cost": 2 * p["cost"], "share": p["share"][::-1]}


def with_epsilon(p: Any) -> Any:
    """A little is added, so that nothing is 0."""
    return {**by_part(p), "share": p["share"][::-1] + np.array([1e-8, 0.0])}


CASES = [
    *cases("few parameters and many data", check_gradient, waves, np.ones(3), MANY, points=0)(
        Row("right", of_waves, "Every element by power series"),
    ),
    # Saturated.
    *cases("neuron", check_gradient, neuron, *BOB)(
        Row("stable", stable, verdict="agree", blame="autodiff"),
        Row("lossy", lossy, verdict="imprecise", blame="both", kinds=("rounding",)),
        Row("zero", nothing, blame="yours", kinds=("zero",)),
    ),
    # Custom.
    *cases("of doubled", check_gradient, of_doubled, *ANGLES)(
        Row("right hand, wrong rule", np.cos, blame="autodiff", kinds=("unknown",)),
        Row(
            "same mistake",
            lambda p: 2 * np.cos(p),
            "autodiff is off, too Kind: factor. ",
            blame="both",
        ),
    ),
    *cases("of rounded", check_gradient, of_rounded, *ANGLES)(
        Row("straight-through", lambda p: np.array([2.0, 3.0]), blame="both"),
    ),
    *cases("of rounded", check_gradient, of_rounded, *ANGLES, trust_rules=[straight_through])(
        Row("trusted", lambda p: np.array([2.0, 3.0]), verdict="agree", blame=None),
    ),
    *cases("of rounded", check_gradient, of_rounded, *ANGLES, trust_rules=["straight_through"])(
        Row("trusted by name", lambda p: np.array([2.0, 3.1]), verdict="disagree", blame="yours"),
    ),
    # Ties.
    *cases("absolute sum at a tie", check_gradient, absolute_sum, *O2, points=0)(
        Row("by the right side", answer(1, 1), blame=None),
        Row("left side", answer(-1, -1), blame=None, kinds=("convention",)),
        Row("in between", answer(0.3, 0.3), blame=None, kinds=("convention",)),
        Row("two choices", answer(1, -1), blame="yours"),
        Row("beyond", answer(1.1, 1.1), blame="yours"),
    ),
    *cases("absolute sum at a tie", check_gradient, absolute_sum, np.array([-0.3, 0.1]), points=0)(
        Row("no tie", answer(-1, -1), blame=None),
    ),
    *cases("rectified at a tie", check_gradient, rectified, *O2, points=0)(
        Row("relu at 0", answer(1, 0), blame=None, kinds=("convention",)),
        Row("relu by 2", answer(2, 0), blame="yours"),
    ),
    *cases("logaddexp at a tie", check_gradient, lambda p: jnp.logaddexp(*p), *O2, points=0)(
        Row("logaddexp", answer(0.5, 0.5), blame=None),
        Row("lopsided", answer(0.6, 0.4), blame="yours"),
    ),
    *cases("logsumexp at a tie", check_gradient, jax.nn.logsumexp, *O3, points=0)(
        Row("logsumexp", answer(*[1 / 3] * 3), blame=None),
    ),
    *cases("first maximum at a tie", check_gradient, jnp.max, *ALIKE, points=0)(
        Row("first maximum", answer(1, 0, 0), blame=None, kinds=("convention",)),
        Row("shared maximum", answer(*[1 / 3] * 3), blame=None),
        Row("two maxima", answer(1, 1, 0), blame="yours"),
    ),
    *cases(
        "no kink after all at a tie",
        check_gradient,
        lambda p: jax.nn.relu(p) - jax.nn.relu(-p),
        np.zeros(()),
        points=0,
    )(
        Row("no kink after all", answer(1), blame="autodiff"),
    ),
    *cases("floor at a tie", check_gradient, jnp.floor, np.ones(()), points=0)(
        Row("floor", answer(0), verdict="undecidable", blame=None),
    ),
    *cases("sign at a tie", check_gradient, jnp.sign, np.zeros(()), points=0)(
        Row("sign", answer(0), verdict="undecidable", blame=None),
    ),
    *cases("root at a tie", check_gradient, jnp.sqrt, np.zeros(()), points=0)(
        Row("root", answer(0), verdict="undecidable", blame=None),
    ),
    # Sizes.
    *cases("squares", check_gradient, squares, np.array([1e-150, 2e-150]))(
        Row("tiny", lambda p: 2 * p, blame=None),
    ),
    *cases("squares", check_gradient, squares, np.array([1e-150]))(
        Row("tiny, wrong", lambda p: 3 * p, blame="yours"),
        Row("tiny zero", lambda p: 0 * p, blame="yours", kinds=("zero",)),
    ),
    *cases("squares", check_gradient, squares, np.array([1e150, -2e150]))(
        Row("huge", lambda p: 2 * p, blame=None),
    ),
    *cases("squares", check_gradient, squares, np.array([0.1, 7], np.float32))(
        Row("single", lambda p: 2 * p, blame=None),
    ),
    *cases("constant in disguise", check_gradient, constant_in_disguise, *FLOATS)(
        Row("all cancels", lambda p: 0 * p + 1e-17, verdict="agree", blame=None),
        Row("not so much", lambda p: 0 * p + 1e-09, blame="yours"),
    ),
    *cases("terms that cancel", check_gradient, terms_that_cancel, *FLOATS)(
        Row(
            "an element cancels",
            lambda p: np.array([p[1], p[0], 0 * p[2]]),
            blame=None,
        ),
    ),
    *cases("by closure", check_gradient, by_closure, *FLOATS)(
        Row("in the closure", lambda p: 2 * (TABLE @ p) @ TABLE, blame=None),
    ),
    *cases("least squares", check_gradient, least_squares, np.ones(8))(
        Row("Hilbert", by_hand, blame=None),
        Row(
            "Hilbert, off by 1e-9",
            lambda p: by_hand(p, 1 + 1e-09),
            verdict="disagree",
            blame="yours",
        ),
    ),
    # Form.
    *cases("squares", check_gradient, squares, *PAIR)(
        Row("mutates", doubles_its_argument, blame="yours", kinds=("mutation",)),
        Row("accumulates", adds_up(), blame="yours", kinds=("not-repeatable",)),
    ),
    *cases("of two", check_gradient, of_two, *W_AND_B)(
        Row(
            "a leaf too few",
            lambda p: {"w": 2 * p["w"]},
            blame="yours",
            kinds=("structure",),
        ),
    ),
    *cases("squares", check_gradient, squares, *PAIR)(
        Row(
            "a column",
            lambda p: (2 * p)[:, None],
            blame="yours",
            kinds=("shape",),
        ),
        Row(
            "shorter floats",
            lambda p: (2 * p).astype(np.float32),
            verdict="imprecise",
            blame="yours",
            kinds=("rounding", "dtype"),
        ),
        Row(
            "wrong and shorter",
            lambda p: (3 * p).astype(np.float32),
            blame="yours",
            kinds=("unknown", "dtype"),
        ),
        Row(
            "not a number",
            lambda p: p * np.nan,
            blame="yours",
            kinds=("non-finite",),
        ),
    ),
    *cases("squares", check_gradient, squares, *PAIR, has_value=True)(
        Row(
            "wrong loss",
            lambda p: (np.sum(p**2) * 1.001, 2 * p),
            verdict="disagree",
            blame="yours",
            kinds=("loss-value",),
        ),
        Row("right loss", lambda p: (np.sum(p**2), 2 * p), blame=None),
    ),
    *cases("a cost in millions beside shares", check_gradient, spent, BUDGET, points=0)(
        Row("right", by_part, verdict="agree"),
        Row(
            "a little in place of 0",
            with_epsilon,
            "p['share']: 1 of 2 elements",
            verdict="disagree",  # which differences do not tell beside such a cost
        ),
    ),
    *cases("squares", check_gradient, squares, *HALVES)(
        Row("half floats", lambda p: 2 * p, blame=None),
    ),
]

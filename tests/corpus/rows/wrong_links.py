"""One wrong link of backpropagation: which it is said to be, and at which line."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient
from tests.corpus.case import Case, Row, cases

#: The kinds that have a shorter name here.
SHORT = {
    "slope": "activation-derivative",
    "missing": "missing-factor",
    "updated": "updated-parameter",
}

#: A wrong answer and what is said of it, first the kind and what names the case; or a right one.
Answer = Callable[..., Any] | tuple[Any, ...]


def wrong(name: str, function: Any, *at: Any, **options: Any) -> Callable[..., list[Case]]:
    """Return what makes cases of a question of `Answer`s.

    Their verdicts are `stated` where differences would mix formats.
    """
    verb, stated = options.pop("verb", check_gradient), options.pop("stated", False)
    made = cases(name, verb, function, *at, **{"points": 0, **options})
    compiled = jax.jit(function)

    def row(answer: Any, first: str, *says: str) -> Row:
        kind, _, what = first.partition(": ")
        kind = SHORT.get(kind, kind)
        named = () if kind in ("unknown", "several") else (f"Kind: {kind}.",)
        kinds = () if kind == "several" else (kind,)
        due = {"kinds": kinds, "verdict": "disagree" if stated else None, "compiled": compiled}
        return Row(what, answer, *named, what, *says, **due)

    def rows(*answers: Answer) -> list[Case]:
        due = {"verdict": "agree" if stated else None, "compiled": compiled}
        right = [Row("right", a, **due) for a in answers if callable(a)]
        return made(*right, *(row(*a) for a in answers if isinstance(a, tuple)))

    return rows


def drawn(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


# A network of two layers, 3-5-2, for 7 examples: no two lengths are equal.

X, Y = drawn(7, 3), drawn(7, 2)
NETWORK = ({"v": drawn(3, 5), "b": drawn(5), "w": drawn(5, 2)}, X, Y)

SCALED = {"v": drawn(3, 5), "w": drawn(5, 2)}
SIX = [(k * np.array([1.0, -2.0]),) for k in (3, 2, 4, 6, 8, 10)]

#: Of z and a = f(z), what stands for f′(z).
Slope = Callable[[Any, Any], Any]


def loss(p: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ p["v"] + p["b"][None, :])
    return jnp.mean((h @ p["w"] - y) ** 2)


def two_layers(slope: Slope) -> Callable[..., Any]:
    """The gradient, with a derivative of the activation that may be wrong."""

    def gradient(p: Any, x: Any, y: Any) -> dict[str, Any]:
        z = x @ p["v"] + p["b"]
        h = np.tanh(z)
        dout = 2 * (h @ p["w"] - y) / y.size
        dz = dout @ p["w"].T * slope(z, h)
        return {"v": x.T @ dz, "b": dz.sum(axis=0), "w": h.T @ dout}

    return gradient


right = two_layers(lambda z, h: 1 - h * h)
linear = two_layers(lambda z, h: 1 - h)


def before_the_slope(p: Any, x: Any, y: Any) -> Any:
    return right(p, x, y) | {"b": two_layers(lambda z, h: 1)(p, x, y)["b"]}


def with_two_slopes(p: Any, x: Any, y: Any) -> Any:
    return before_the_slope(p, x, y) | {"v": linear(p, x, y)["v"]}


def with_two_mistakes(p: Any, x: Any, y: Any) -> Any:
    grads = right(p, x, y)
    return grads | {"v": -grads["v"], "w": grads["w"] / 7}


def in_numpy(w: Any, x: Any, y: Any) -> Any:
    return 1e9 * np.sum((np.tanh(x @ w) - y) ** 2)


def of_in_numpy(w: Any, x: Any, y: Any) -> Any:
    return 2e9 * x.T @ (np.tanh(x @ w) - y)


#: A scale behind an activation, which begins with 1.
SCALE = np.array([1.0, 2.0, 0.5, 3.0, 1.5])


def behind_a_scale(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ p["v"]) * SCALE[None] @ p["w"] - y) ** 2)


def without_scale_and_slope(p: Any, x: Any, y: Any) -> Any:
    a = np.tanh(x @ p["v"]) * SCALE
    dout = 2 * (a @ p["w"] - y) / y.size
    return {"v": x.T @ (dout @ p["w"].T), "w": a.T @ dout}


def twice_but_at_6(w: Any) -> Any:
    return 2 * w * (3 if w[0] == 6 else 2)


# Several activations: two in one line, and three in a row.


def alike(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w) * jnp.tanh(y @ w))


def of_alike(w: Any, x: Any, y: Any) -> Any:
    a, b = np.tanh(x @ w), np.tanh(y @ w)
    return x.T @ (b * (1 - a * a)) + y.T @ a  # and (1 - b * b)


def deep(p: Any, x: Any, y: Any) -> Any:
    h = jax.nn.sigmoid(x @ p["a"])
    k = jax.nn.sigmoid(h @ p["b"])
    o = jax.nn.sigmoid(k @ p["c"])
    return jnp.mean((o - y) ** 2)


def with_hidden_slopes(p: Any, x: Any, y: Any) -> Any:
    h = sigmoid(x @ p["a"])
    k = sigmoid(h @ p["b"])
    o = sigmoid(k @ p["c"])
    do = 2 * (o - y) / y.size * o * (1 - o)
    dk = do @ p["c"].T * (1 - k)
    dh = dk @ p["b"].T * (1 - h)
    return {"a": x.T @ dh, "b": h.T @ dk, "c": k.T @ do}


# A factor at a place, and places inside one function.


def with_a_difference(p: Any, x: Any) -> Any:
    h = jnp.tanh(x @ p["w"])
    return jnp.mean(jnp.exp(h) - h * p["b"][None, :])


def with_a_sum(p: Any, x: Any) -> Any:
    h = np.tanh(x @ p["w"])
    dh = (np.exp(h) + p["b"]) / h.size  # and minus
    return {"w": x.T @ (dh * (1 - h * h)), "b": -h.sum(axis=0) / h.size}


def silus(w: Any, x: Any) -> Any:
    return jnp.sum(jax.nn.silu(x @ w))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def with_half_of_a_term(w: Any, x: Any) -> Any:
    s = sigmoid(x @ w)
    return x.T @ (s + (x @ w) * s * (1 - s) / 2)


def decayed(p: Any, x: Any, y: Any) -> Any:
    decay = jnp.sum(p["v"] ** 2) + jnp.sum(p["w"] ** 2)
    return jnp.sum((jax.nn.sigmoid(jnp.tanh(x @ p["v"]) @ p["w"]) - y) ** 2) + 0.3 * decay


def of_decayed(penalty: float, slopes: bool = True) -> Any:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ p["v"])
        o = sigmoid(h @ p["w"])
        do = 2 * (o - y) * (o * (1 - o) if slopes else 1)
        dh = do @ p["w"].T * (1 - h * h if slopes else 1)
        return {"v": x.T @ dh + penalty * p["v"], "w": h.T @ do + penalty * p["w"]}

    return gradient


def beside_a_penalty(p: Any, x: Any) -> Any:
    z = x @ p["v"] + p["b"][None, :]
    return jnp.sum(1 / (1 + jnp.exp(-z))) + jnp.sum(p["v"] ** 2)


def with_a_mean(p: Any, x: Any) -> Any:
    s = sigmoid(x @ p["v"] + p["b"])
    dz = s * (1 - s) / len(x)
    return {"v": x.T @ dz + 2 * p["v"], "b": dz.sum(axis=0)}


def into_two(p: Any, c: Any) -> Any:
    z = jnp.sin(p["z"])
    return jnp.sum(c * jnp.cross(z, p["w"])) + jnp.sum(z**2)


def of_one_of_two(p: Any, c: Any) -> Any:
    z = np.sin(p["z"])
    return {"z": 2 * z * np.cos(p["z"]), "w": np.cross(c, z)}


# A normalised layer; a sum over rounds; a branch and calls.


def normalised(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    mean = z.mean(axis=1, keepdims=True)
    variance = ((z - mean) ** 2).mean(axis=1, keepdims=True)
    return jnp.sum((z - mean) / jnp.sqrt(variance + 1e-3) * y)


def by_one_function(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jax.nn.standardize(x @ w, axis=1, epsilon=1e-3) * y)


def of_normalised(mean_back: float, variance_back: float, epsilon: float = 1e-3) -> Any:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        z = x @ w
        s = np.sqrt(z.var(axis=1, keepdims=True) + epsilon)
        n = (z - z.mean(axis=1, keepdims=True)) / s
        means = mean_back * y.mean(axis=1, keepdims=True)
        return x.T @ ((y - means - variance_back * n * (y * n).mean(axis=1, keepdims=True)) / s)

    return gradient


def in_rounds(w: Any, x: Any) -> Any:
    total = 0.0
    for row in x:
        total += jnp.sum(jnp.exp(w * row))
    return total


def in_a_list(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.stack([jnp.sum(jnp.exp(w * row)) for row in x]) ** 2)


def branched(p: Any, x: Any) -> Any:
    """A branch, and a program that stands for two calls."""
    z = jax.lax.cond(jnp.sum(x) > 0, jnp.sin, lambda t: t**3, p["a"] * x)
    twice = jax.jit(jax.nn.softplus)
    return jnp.sum(z * twice(p["a"])) + jnp.sum(twice(p["b"] - x) ** 2)


def of_branched(p: Any, x: Any, of_call: Callable[[Any], Any] = sigmoid) -> Any:
    a, b = p["a"], p["b"] - x
    da = x * np.cos(a * x) * np.logaddexp(0, a) + np.sin(a * x) * sigmoid(a)
    return {"a": da, "b": 2 * np.logaddexp(0, b) * of_call(b)}


CASES = [
    *wrong("network", loss, *NETWORK)(
        right,
        (two_layers(lambda z, h: 1), "slope: the derivative of tanh is missing"),
        (
            linear,
            "slope: the derivative of tanh is 1 - h, not 1 - h²",
            '`h = jnp.tanh(x @ p["v"] + p["b"][None, :])`',
        ),
        (
            two_layers(lambda z, h: 1 - np.tanh(h) ** 2),
            "slope: the derivative of tanh is taken at the activation, not at the sum before it",
        ),
        (
            two_layers(lambda z, h: h),
            "slope: of tanh is replaced by the activation itself",
        ),
        (
            two_layers(lambda z, h: (1 - h * h) ** 2),
            "slope: there is one derivative of tanh too many",
        ),
        (
            before_the_slope,
            "slope: for p['b'] alone",
            "the derivative of tanh is missing",
        ),
        (
            with_two_mistakes,
            "several: In p['v'], yours has the wrong sign in every element",
            "In p['w'], every element is 1/7 of exact (7 is the batch size)",
        ),
        (
            with_two_slopes,
            "slope: In p['b'], yours is what backpropagation gives if the derivative of tanh is m",
            "In p['v'], yours is what backpropagation gives if the derivative of tanh is 1 - h",
        ),
    ),
    *cases("scaled", check_gradient, behind_a_scale, SCALED, X, Y, points=0)(
        Row("without scale and slope", without_scale_and_slope, never=("derivative of tanh",)),
    ),
    # What explains some points and not another is no explanation.
    *cases("six points", check_gradient, lambda w: jnp.sum(w**2), SIX[0][0], points=SIX[1:])(
        Row("twice, but at one", twice_but_at_6, kinds=("unknown",)),
    ),
    *cases("large, in NumPy", check_gradient, in_numpy, drawn(3, 2), X, Y, points=0)(
        Row("without a slope", of_in_numpy, "the derivative of tanh is missing"),
    ),
    *wrong("two in one line", alike, drawn(3, 2), X, X[::-1] ** 2)(
        (of_alike, "slope: the derivative of tanh is missing ("),
    ),
    *wrong("three in a row", deep, {"a": drawn(3, 4), "b": drawn(4, 5), "c": drawn(5, 2)}, X, Y)(
        (
            with_hidden_slopes,
            "slope: the derivative of sigmoid is 1 - σ, not σ(1 - σ) (",
            "). The worst element",  # and not that it is so for some leaves alone
        ),
    ),
    *wrong("difference", with_a_difference, {"w": drawn(3, 2), "b": drawn(2)}, X)(
        (
            with_a_sum,
            "sign: has the wrong sign",
            "what comes back from the product to tanh",
        ),
    ),
    *wrong("silus", silus, drawn(3), X)(
        (
            with_half_of_a_term,
            "factor: what comes back through a part of silu (",
            "is 1/2 of what it should be",
        ),
    ),
    *wrong("sigmoid beside a penalty", beside_a_penalty, {"v": drawn(3, 5), "b": drawn(5)}, X)(
        (with_a_mean, "factor: is 1/7 of what it should be (7 is the batch size)"),
    ),
    *wrong("into two", into_two, {"z": drawn(4, 3), "w": drawn(4, 3, seed=2)}, drawn(4, 3, seed=3))(
        (of_one_of_two, "unknown: nothing comes back from cross to sin ("),
    ),
    *wrong("decayed", decayed, {"v": drawn(3, 5), "w": drawn(5, 2)}, X, Y)(
        (of_decayed(0.0), "weight-decay: yours is exact minus 0.6 times the parameter"),
        (
            of_decayed(0.6, slopes=False),
            "slope: the derivative of every activation is missing (",
        ),
    ),
    *wrong("normalised layer", normalised, drawn(3, 5), X, drawn(7, 5))(
        of_normalised(1, 1),
        (
            of_normalised(0, 1),
            "unknown: to the matrix product",
            "a term is missing",
        ),
        (
            of_normalised(1, 0),
            "unknown: nothing comes back from the difference",
            "a term is missing",
        ),
        (
            of_normalised(0, 0),
            "unknown: nothing comes back from mean to the matrix product (",
            ", nor from the difference",
        ),
        (
            of_normalised(1, 1, epsilon=0.0),
            "constant: if the 0.001 in the loss were 0 (",
            "jnp.sqrt(variance + 1e-3)",
        ),
    ),
    # Inside one function an array's length is no likely factor.
    *wrong("layer by one function", by_one_function, drawn(3, 5), X, drawn(7, 5))(
        of_normalised(1, 1),
        (of_normalised(1, 1 / 5), "unknown: 1/5 of what it should be"),
    ),
    *wrong("branch and calls", branched, {"a": drawn(5), "b": drawn(5, seed=2)}, np.abs(drawn(5)))(
        of_branched,
        (
            lambda p, x: of_branched(p, x, np.ones_like),
            "slope: the derivative of softplus is missing",
        ),
    ),
    *wrong("network in float32", loss, *jax.tree.map(np.float32, NETWORK), stated=True)(
        (
            lambda *at: jax.tree.map(np.float32, linear(*jax.tree.map(np.float64, at))),
            "slope: the derivative of tanh is 1 - h, not 1 - h²",
        ),
    ),
    *wrong("in rounds", in_rounds, drawn(3), X[:4])(
        (
            lambda w, x: np.exp(w * x[0]) * x[0],
            "overwritten: only the first counts, as with = for +=",
            "of 4 contributions from the product to w (",
        ),
    ),
    *wrong("in a list", in_a_list, drawn(3), X[:4])(
        (
            lambda w, x: 2 * np.sum(np.exp(w * x[-1])) * np.exp(w * x[-1]) * x[-1],
            "overwritten: only the last counts, as with = for +=",
        ),
    ),
]

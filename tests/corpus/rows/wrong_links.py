"""One wrong link of backpropagation: which it is said to be, and at which line."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from handgrad import check_backward, check_gradient
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


def with_two_mistakes(p: Any, x: Any, y: Any) -> Any:
    grads = right(p, x, y)
    return grads | {"v": -grads["v"], "w": grads["w"] / 7}


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


# A normalised layer; a sum over rounds; a branch and calls.


def normalised(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    mean = z.mean(axis=1, keepdims=True)
    variance = ((z - mean) ** 2).mean(axis=1, keepdims=True)
    return jnp.sum((z - mean) / jnp.sqrt(variance + 1e-3) * y)


def of_normalised(mean_back: int, variance_back: int, epsilon: float = 1e-3) -> Any:
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


def branched(p: Any, x: Any) -> Any:
    """A branch, and a program that stands for two calls."""
    z = jax.lax.cond(jnp.sum(x) > 0, jnp.sin, lambda t: t**3, p["a"] * x)
    twice = jax.jit(jax.nn.softplus)
    return jnp.sum(z * twice(p["a"])) + jnp.sum(twice(p["b"] - x) ** 2)


def of_branched(p: Any, x: Any, of_call: Callable[[Any], Any] = sigmoid) -> Any:
    a, b = p["a"], p["b"] - x
    da = x * np.cos(a * x) * np.logaddexp(0, a) + np.sin(a * x) * sigmoid(a)
    return {"a": da, "b": 2 * np.logaddexp(0, b) * of_call(b)}


# Derivatives of activations in a step of backpropagation.


def of(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A forward pass that keeps what goes in and what comes out."""
    return lambda z: (function(z), (z, function(z)))


def literal_tanh(z: Any) -> Any:
    """As it stands in textbooks."""
    return (jnp.exp(z) - jnp.exp(-z)) / (jnp.exp(z) + jnp.exp(-z))


def logistic(z: Any) -> Any:
    return 1 / (1 + jnp.exp(-z))


def leaky(z: Any) -> Any:
    return jnp.where(z > 0, z, 0.1 * z)


def silu(z: Any) -> Any:
    return z * logistic(z)


def gelu(z: Any) -> Any:
    return jax.nn.gelu(z, approximate=False)


def softmax(z: Any) -> Any:
    e = jnp.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def by_logsumexp(z: Any) -> Any:
    return jnp.exp(z - jax.nn.logsumexp(z, axis=1, keepdims=True))


#: Of each activation what stands for its derivative, and what is said.
SLOPES: dict[Callable[..., Any], list[tuple[Slope, str]]] = {
    literal_tanh: [
        (lambda z, a: 1 + a * a, "is 1 + h², not 1 - h²"),
        (lambda z, a: 1 - z * z, "is 1 - z², not 1 - h²"),
        (lambda z, a: a * (1 - a), "is that of sigmoid, h(1 - h)"),
    ],
    logistic: [
        (lambda z, a: z * (1 - z), "is z(1 - z), not σ(1 - σ)"),
        (lambda z, a: 1 - a, "is 1 - σ, not σ(1 - σ)"),
    ],
    leaky: [
        (lambda z, a: np.where(z > 0, 0.1, 1.0), "has its two slopes exchanged"),
        (lambda z, a: np.where(z > 0, 1.0, 0.0), "is that of relu"),
    ],
    silu: [
        (lambda z, a: sigmoid(z), "is σ(z) alone, without zσ′(z)"),
        (lambda z, a: sigmoid(z) * sigmoid(-z), "is that of sigmoid, σ(z)(1 - σ(z))"),
    ],
    gelu: [(lambda z, a: scipy.special.ndtr(z), "is Φ(z) alone, without zφ(z)")],
    softmax: [
        (lambda z, p: p, "only diag(p) is there"),
        (lambda z, p: 1.0, "of softmax is missing"),
    ],
    by_logsumexp: [(lambda z, p: p * (1 - p), "of the derivatives of softmax only the diagonal")],
}
Z = drawn(3, 5)
STEPS = [
    case
    for function, slopes in SLOPES.items()
    for case in wrong(f"step of {function.__name__}", of(function), Z, verb=check_backward)(
        *((lambda d, c, slope=slope: d * slope(*c), f"slope: {says}") for slope, says in slopes)
    )
]


# Operations on arrays: each loss is a weighed sum of results, and G its weights.


def weighed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, g: jnp.sum(g * function(*p))


def of_operation(
    name: str, function: Callable[..., Any], operands: tuple[Any, ...], *rows: tuple[Any, ...]
) -> list[Case]:
    """Return cases of an operation: from operands and g the answer, and what is said."""
    g = drawn(*np.shape(function(*operands)), seed=8)
    return wrong(name, weighed(function), operands, g)(
        *((lambda p, g, b=back: b(*p, g), *says) for back, *says in rows)
    )


def product(a: Any, b: Any) -> Any:
    return a @ b


def of_tanh(a: Any, b: Any) -> Any:
    return jnp.tanh(a @ b)


def back_of_tanh(change: Callable[[Any], Any]) -> Callable[..., Any]:
    def back(a: Any, b: Any, g: Any) -> Any:
        dz = change(g * (1 - np.tanh(a @ b) ** 2))
        return dz @ b.T, a.T @ dz

    return back


def one_more(slope: Slope) -> Callable[..., Any]:
    """The derivative of an activation where there is none."""

    def back(a: Any, m: Any, g: Any) -> Any:
        dz = g * slope(a @ m, None)
        return dz @ m.T, a.T @ dz

    return back


def masked(z: Any) -> Any:
    return jax.nn.softmax(jnp.where(z > -1, z, -jnp.inf), axis=1)


def diagonal(z: Any, g: Any) -> Any:
    e = np.exp(z) * (z > -1)
    p = e / e.sum(axis=1, keepdims=True)
    return (g * p * (1 - p),)


def pool(x: Any) -> Any:
    return jax.lax.reduce_window(jnp.sin(x), -jnp.inf, jax.lax.max, (3,), (2,), "VALID")


def pooled(x: Any, g: Any, share: float = 1.0) -> Any:
    found = np.zeros_like(x)
    for i, each in enumerate(share * g):
        found[2 * i : 2 * i + 3] += each
    return (found * np.cos(x),)


A, M, B, SCORES, LINE = drawn(4, 3), drawn(3, 3), drawn(3, 5), drawn(2, 3), drawn(7)
POWERS: dict[str, Callable[[Any], Any]] = {
    "sin": jnp.sin,
    "the square": lambda z: z**2,
    "the cube": lambda z: z**3,
    "the power": lambda z: z**5,
}
OPERATIONS = [
    *of_operation(
        *("product", product, (A, M)),
        (lambda a, m, g: (g @ m, a.T @ g), "transposed: is not transposed on the way back"),
        (lambda a, m, g: (g, a.T @ g), "missing: its matrix is missing"),
        (
            one_more(lambda z, _: 1 / np.cosh(z) ** 2),
            "slope: one derivative of tanh too many",
        ),
        (one_more(lambda z, _: z > 0), "slope: one derivative of relu too many"),
    ),
    *of_operation(
        *("product on the left", product, (M, B)),
        (lambda m, b, g: (g @ b.T, m @ g), "transposed: is not transposed on the way back"),
    ),
    *of_operation(
        *("product with tanh of m", lambda a, m: a @ jnp.tanh(m), (A, M)),
        (
            lambda a, m, g: (g @ np.tanh(m).T, g.T @ a * (1 - np.tanh(m) ** 2)),
            "transposed: for the matrix of a product is transposed",
        ),
    ),
    *of_operation(
        *("tanh of a product", of_tanh, (A, B)),
        (
            back_of_tanh(lambda d: d.T.reshape(4, 5)),
            "transposed: a derivative is transposed, and reshaped to fit",
        ),
        (back_of_tanh(lambda d: d.reshape(5, 4).T), "transposed: where it should be transposed"),
    ),
    *of_operation(
        *("tanh of a square product", of_tanh, (M, M.T + 1)),
        (back_of_tanh(np.tril), "symmetry: only the lower half has a derivative"),
        (back_of_tanh(np.triu), "symmetry: only the upper half has a derivative"),
    ),
    *of_operation(
        *("sum over rows", lambda m: jnp.sin(m).sum(axis=0), (M,)),
        (lambda m, g: (g[:, None] * np.cos(m),), "axis: spread along the other axis"),
    ),
    *of_operation(
        *("broadcast", lambda v: jnp.sin(jnp.broadcast_to(v, (3, 3))), (drawn(3),)),
        (lambda v, g: ((g * np.cos(v)).sum(axis=1),), "axis: summed over the other axis"),
    ),
    *of_operation(
        *("masked softmax", masked, (SCORES,)),
        (diagonal, "slope: only the diagonal p(1 - p)"),
    ),
    *of_operation(
        *("relu of sin", lambda z: jax.nn.relu(jnp.sin(z)), (SCORES,)),
        (
            lambda z, g: (g * (g > 0) * np.cos(z),),
            "slope: takes its mask from what comes back",
        ),
    ),
    *of_operation(
        *("pooling", pool, (LINE,)),
        (lambda x, g: pooled(x, g, 1 / 3), "reduction: is that of the mean"),
        (pooled, "reduction: goes to every element whole"),
    ),
    *(
        case
        for name, power in POWERS.items()
        for case in of_operation(
            *(f"{name} before a product", lambda a, m, f=power: f(a) @ m, (A, M)),
            (
                lambda a, m, g, f=power: (g @ m.T, np.asarray(f(a)).T @ g),
                f"slope: the derivative of {name} is missing",
            ),
        )
    ),
]


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
    *wrong("gate", lambda a, b: (a * logistic(b), (a, logistic(b))), Z, B, verb=check_backward)(
        (
            lambda d, c: (d, d * c[0] * c[1] * (1 - c[1])),
            "missing: on the way back through a product its other factor is missing",
        ),
    ),
    *wrong("logarithm", of(lambda p: jnp.log(p + 1e-12)), np.abs(Z), verb=check_backward)(
        (lambda d, c: d, "unknown: the derivative of log is missing"),
    ),
    *STEPS,
    *OPERATIONS,
]

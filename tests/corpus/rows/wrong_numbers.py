"""Mistakes that show in the numbers of a gradient: what they are called, and in which leaves."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy import tanh

from handgrad import check_backward, check_gradient
from tests.corpus.case import Case, Row, cases
from tests.corpus.rows.wrong_links import drawn, wrong

Grads = dict[str, Any]

# A batch of 7, 5 outputs, 3 units; the one square matrix is there to be transposed.

SHAPES = {"scale": (3,), "shift": (3,), "square": (3, 3), "w": (3, 5)}
PARAMS = {name: drawn(*shape, seed=k) for k, (name, shape) in enumerate(SHAPES.items())}
X, Y = drawn(7, 3), drawn(7, 5)


def scaled_layer(params: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ params["square"] * params["scale"][None, :] + params["shift"][None, :])
    return jnp.sum((h @ params["w"] - y) ** 2) / len(x)


# So many numbers that floats show what rounding may do.

LARGE = (drawn(8, 20, seed=1), drawn(600, 8, seed=2), drawn(600, 20, seed=3))


def layer(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ w) - y) ** 2)


def half_of_layer(w: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ w)
    return x.T @ ((h - y) * (1 - h * h)) / y.size


def right(params: Any, x: Any, y: Any) -> Grads:
    z = x @ params["square"]
    h = np.tanh(z * params["scale"] + params["shift"])
    dout = 2 * (h @ params["w"] - y) / len(x)
    dh = dout @ params["w"].T * (1 - h * h)
    dz = dh * params["scale"]
    return {
        "scale": (dh * z).sum(axis=0),
        "shift": dh.sum(axis=0),
        "square": x.T @ dz,
        "w": h.T @ dout,
    }


def done(mistake: Callable[[Grads, Any], Grads]) -> Callable[..., Grads]:
    """Return the right gradient once something is done to it: (grads, params) -> grads."""
    return lambda params, x, y: mistake(right(params, x, y), params)


def everywhere(factor: float) -> Callable[..., Grads]:
    return done(lambda grads, _: {name: factor * g for name, g in grads.items()})


def in_square(change: Callable[[Any], Any]) -> Callable[..., Grads]:
    return done(lambda grads, _: grads | {"square": change(grads["square"].copy())})


def an_element(factor: float) -> Callable[..., Grads]:
    factors = np.array([[1, 1, 1], [1, 1, 1], [1, factor, 1]])
    return in_square(lambda g: factors * g)


def exchanged(g: Any) -> Any:
    g[0, 1], g[2, 2] = g[2, 2], g[0, 1]
    return g


def decayed(grads: Grads, params: Any) -> Grads:
    return {name: g + 0.01 * params[name] for name, g in grads.items()}


# Factors, each of a leaf of its own.

FOUR = {name: drawn(3, 5, seed=k) for k, name in enumerate("abcd")}


def four_fits(p: Any, x: Any, y: Any) -> Any:
    return sum(jnp.sum(jnp.sin(x @ p[name]) * y) for name in "abcd")


def four_times(*factors: float) -> Callable[..., Grads]:
    def gradient(p: Any, x: Any, y: Any) -> Grads:
        return {
            name: factor * x.T @ (np.cos(x @ p[name]) * y)
            for name, factor in zip("abcd", factors, strict=True)
        }

    return gradient


def of_lengths(n: int, m: int, k: int, factor: float, says: str) -> list[Case]:
    """Return the case of a factor in a fit of n examples of m numbers to k outputs."""
    return wrong(f"fit of {n} × {m} to {k}", fit, drawn(m, k), drawn(n, m), drawn(n, k))(
        (lambda w, x, y: factor * x.T @ (np.cos(x @ w) * y), f"factor: {says}")
    )


def fit(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jnp.sin(x @ w) * y)


MASK = np.arange(35).reshape(7, 5) % 2 == 0
MASK[0, 0] = False


def mean_of_some(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jnp.where(MASK, x @ w - y, 0.0) ** 2) / jnp.sum(MASK * 1.0)


def penalised(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ w - y) ** 2) + 0.3 * jnp.sum(w**2)


def of_penalised(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y) / len(y) + 0.3 * w


PENALISED = np.array([0.5, -1.5]), X[:, :2], Y[:, 0]


def in_place(w: Any, x: Any, y: Any) -> Any:
    off = np.zeros(len(y))
    off[...] = x @ w
    off -= y
    return np.mean(off**2) + 0.3 * np.sum(w**2)


def line(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean((p[0] * x + p[1] - y) ** 2)


def of_line(p: Any, x: Any, y: Any) -> Any:
    off = 2 * (p[0] * x + p[1] - y) / len(x)
    return np.array([off @ x, off.sum()])


def two_parts(p: Any, x: Any, y: Any) -> Any:
    return jnp.sum((x @ p[0]) ** 2) + jnp.sum(jnp.exp(p[1] * y))


def nearly(another: bool) -> Any:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        other = np.exp(p[1] * y) * y
        return 0.97 * 2 * x.T @ (x @ p[0]), np.sin(other) if another else other

    return gradient


# A loss of leaves of any form, whose gradient is no constant times the parameters.


def curved(*leaves: Any) -> Any:
    return sum(jnp.sum(jnp.exp(leaf) + jnp.sin(3 * leaf) / 3) for leaf in leaves)


def of_curved(change: Callable[..., Any]) -> Callable[..., Any]:
    """Return the gradient of `curved`, once it is changed, from (gradients, parameters)."""

    def gradient(p: Any) -> Any:
        return change(tuple(np.exp(leaf) + np.cos(3 * leaf) for leaf in p), p)

    return gradient


def of_curved_parts(name: str, at: Any, *rows: Any) -> Any:
    return wrong(name, lambda p: curved(*p), at)(
        *((of_curved(change), *says) for change, *says in rows)
    )


def at_most_2_long(g: Any) -> Any:
    return g * min(1.0, 2.0 / np.linalg.norm(g))


OFF = 2 - np.eye(3)
TWICE = "the derivative by one of two elements that are equal in a symmetric matrix"
HALF = "only half of a symmetric matrix is filled"

# What looks the same in small losses.


def of_one_number(w: Any, x: Any) -> Any:
    return (jnp.tanh(w * x) - 1) ** 2


def lacking_an_input(w: Any, x: Any) -> Any:
    """Inputs are the same at all points: dw without its x is 1/x of exact, and no factor."""
    h = np.tanh(w * x)
    return 2 * (h - 1) * (1 - h * h)


def distance(p: Any) -> Any:
    return jnp.sum((p - jnp.array([0.3, -0.8, 1.1])) ** 2)


def two_terms(p: Any) -> Any:
    """The second has so much of each leaf's derivative that each seems to lack a factor."""
    u, v = jnp.sum(jnp.sin(p[0])), jnp.sum(jnp.exp(p[1]))
    return (u + v) + (u + 2.0 * v)


# Formats in which no element stands out from rounding.


def layers(p: Any, x: Any, c: Any) -> Any:
    z = x @ p["w1"] + p["b1"][None, :]
    return ((jax.nn.gelu(z) @ p["w2"]) * c).sum()


def short(*shape: int, scale: float = 1.0) -> Any:
    return (scale * drawn(*shape)).astype("bfloat16")


LAYERS = {"w1": short(11, 6, scale=0.4), "b1": short(6), "w2": short(6, 3)}
IN_FLOAT32 = jax.jit(jax.grad(layers))


def of_layers(change: Callable[[Grads], Grads]) -> Callable[..., Grads]:
    """Change a gradient in float32, and round it to the format."""

    def gradient(*given: Any) -> Grads:
        wide = jax.tree.map(lambda a: np.asarray(a).astype(np.float32), given)
        found = {name: np.asarray(g) for name, g in IN_FLOAT32(*wide).items()}
        return {name: g.astype("bfloat16") for name, g in change(found).items()}

    return gradient


# Losses in NumPy, whose lines are read as JAX's.


def score(w: Any, x: Any) -> Any:
    return np.dot(x, w)


def of_tanh(w: Any, x: Any, y: Any) -> Any:
    """By a function of its own, and by one of NumPy's that it knows by name."""
    return np.sum((tanh(score(w, x)) - y) ** 2)


def by_linear(w: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ w)
    return x.T @ (2 * (h - y) * (1 - h))


def of_numpy(z: Any) -> Any:
    h = np.tanh(z)
    return h, h


NUMPY = (drawn(3), drawn(5, 3), np.abs(drawn(5)))

CASES = [
    *cases("a large layer", check_gradient, layer, *LARGE, points=0)(
        Row("half of it", half_of_layer, verdict="disagree", kinds=("factor",))
    ),
    *wrong("scaled layer", scaled_layer, PARAMS, X, Y)(
        right,
        (everywhere(-1), "sign: the wrong sign in every element"),
        (everywhere(1 / 7), "factor: every element is 1/7 of exact (7 is the batch size)"),
        (everywhere(1.2345678), "factor: 1.2345678 times exact"),
        (everywhere(1 - 3e-5), "factor: (1 - 3e-5) times exact"),
        (everywhere(-1 - 2e-6), "factor: -1.000002 times exact"),
        (in_square(lambda g: 0 * g), "zero: yours is 0 in every element"),
        (in_square(lambda g: g / 2), "factor: 1/2 of exact"),
        (in_square(np.transpose), "transposed: the transpose of exact"),
        (
            done(lambda g, _: g | {"w": g["w"].T.reshape(3, 5)}),
            "transposed: yours is the transpose of exact, reshaped to fit",
        ),
        (
            in_square(exchanged),
            "exchanged: params['square'][0, 1] and params['square'][2, 2] are exchanged",
        ),
        (an_element(-1), "sign: params['square'][2, 1]"),
        (an_element(1.3), "unknown: 0.3 of itself"),
        # Twice too large may as well be one of two equal terms that was taken twice.
        (an_element(2), "unknown: 2 times exact"),
        (in_square(lambda g: g[::-1]), "unknown: exact, reversed along axis 0"),
        # No term can have been left out of a vector.
        (
            done(lambda g, _: g | {"shift": g["shift"] * [1, 7, 1]}),
            "factor: params['shift'][1] is 7 times exact (7 is the batch size)",
        ),
        (
            done(lambda g, _: g | {name: g[name] / 7 for name in ("scale", "shift")}),
            "factor: every element of params['scale'] and params['shift'] is 1/7 of exact",
        ),
        (
            done(lambda g, _: g | {"scale": g["shift"], "shift": g["scale"]}),
            "exchanged: params['scale']",
            "params['shift']",
        ),
        (done(decayed), "weight-decay: yours is exact plus 0.01 times the parameter itself"),
    ),
    *wrong("four fits", four_fits, FOUR, X, Y)(
        (
            four_times(1 / 2, -1 / 7, 14, 1 / 49),
            "factor: 1/2 of exact",
            "-1/7 of exact (7 is the batch size)",
            "2·7 times exact (7 is the batch size)",
            "1/7² of exact (7 is the batch size)",
        ),
        (
            four_times(7**0.5, 6 / 7, 1 / 5, 7 / 5),
            "factor: √7 times exact (7 is the batch size)",
            "6/7 of exact (7 is the batch size)",
            "1/5 of exact (5 is the number of outputs)",
            "7/5 times exact (7 is the batch size, 5 the number of outputs)",
        ),
        (
            four_times(1 / 105, 3, 15, 1 / 88),
            "factor: (5 is the number of outputs, 21 the number of elements of an input)",
            "3 times exact (3 is also the width of an input)",
            "15 times exact (15 is also the number of elements of p['",
            "1/88 of exact",
        ),
    ),
    # Nobody knows whether an example or an output was forgotten.
    *of_lengths(2, 3, 2, 2.0, "2 times exact (2 is also "),
    # 10/15 is 2/3, which may have another reason.
    *of_lengths(10, 3, 15, 2 / 3, "0.66666667 of exact"),
    *wrong("mean of some", mean_of_some, drawn(3, 5), X, Y)(
        # 17 is no length of an array.
        (
            lambda w, x, y: x.T @ (2 * MASK * (x @ w - y)),
            "factor: 17 times exact (17 is a number in the loss)",
        ),
    ),
    *wrong("penalised fit", penalised, *PENALISED)(
        # λw for 2λw is less than exact, and told as a decay where the loss has one.
        (of_penalised, "weight-decay: exact minus 0.3 times the parameter itself"),
    ),
    *wrong("line", line, drawn(2), Y[0], Y[1])(
        (
            lambda p, x, y: 5 * of_line(p, x, y),
            "factor: 5 times exact (5 is the length of an input)",
        ),
    ),
    *wrong("part of a leaf", lambda w: jnp.sum(w[:2] ** 3), drawn(3))(
        (lambda w: 3 * w**2, "unknown: no kind explains all of it"),
    ),
    # JAX cannot tell whether the loss has a penalty.
    *cases("penalised in place", check_gradient, in_place, *PENALISED, points=0)(
        Row("half", of_penalised, "exact minus 0.3 times the parameter", kinds=("weight-decay",)),
    ),
    *wrong("two parts", two_parts, (drawn(3), drawn(4)), X, np.ones(4) / 3)(
        (nearly(another=False), "factor: every element of p[0] is 0.97 of exact"),
        # Another mistake may look like a strange factor near 1.
        (nearly(another=True), "unknown: 0.97 of exact"),
    ),
    *wrong("quadratic form", lambda s, x: jnp.sum((x @ s) * x), drawn(3, 3) + 3 * np.eye(3), X)(
        (lambda s, x: np.tril(x.T @ x), f"zero: 0 above the diagonal: {HALF}"),
        (lambda s, x: np.triu(x.T @ x), f"zero: 0 below the diagonal: {HALF}"),
        (
            lambda s, x: OFF * (x.T @ x),
            f"symmetry: yours is exact, twice off the diagonal: {TWICE}",
        ),
        (lambda s, x: np.tril(OFF * (x.T @ x)), f"symmetry: {TWICE}, and 0 above it"),
        (lambda s, x: np.triu(OFF * (x.T @ x)), f"symmetry: {TWICE}, and 0 below it"),
    ),
    *of_curved_parts(
        *("cube", (drawn(2, 3, 4),)),
        (
            lambda g, _: (g[0].transpose(2, 0, 1).reshape(2, 3, 4),),
            "transposed: its axes in order (2, 0, 1), reshaped to fit",
        ),
        (
            lambda g, _: (g[0].reshape(4, 3, 2).transpose(2, 1, 0),),
            "transposed: yours is exact, reshaped where it should be transposed",
        ),
    ),
    *of_curved_parts(
        *("square matrix", (drawn(3, 3),)),
        (lambda g, _: (g[0][::-1, ::-1],), "unknown: exact, reversed along every axis"),
        (lambda g, _: (np.clip(g[0], -0.5, 0.5),), "unknown: yours is exact, clipped at ±0.5"),
        (lambda g, _: (at_most_2_long(g[0]),), "unknown: yours is exact, clipped at a norm of 2"),
    ),
    *of_curved_parts(
        *("number and vector", (np.array(1.0), np.ones(4))),
        (lambda g, _: (-0.7 * g[0], g[1]), "unknown: p[0] is -0.7 of exact"),
    ),
    *of_curved_parts(
        *("two vectors", (np.ones(4), np.ones(4))),
        (lambda g, _: (0.7 * g[0], np.sin(g[1])), "factor: in p[0], every element is 0.7 of exact"),
        (lambda g, _: (-g[0], g[1]), "sign: yours has the wrong sign in every element of p[0]"),
    ),
    *wrong("one number", of_one_number, np.array(0.3), np.array(1.7))(
        (lacking_an_input, "unknown: yours is 0.58823529 of exact"),
    ),
    *wrong("distance", distance, np.ones(3))(
        # It would be a negative weight decay if the loss had a penalty.
        (
            lambda p: 2 * (p - [0.3, -0.8, 1.1]) - 2 * p,
            "unknown: p is left out of the forward pass",
        ),
    ),
    *wrong("two terms", two_terms, (np.ones(2), np.ones(3)))(
        (lambda p: (np.cos(p[0]), np.exp(p[1])), "unknown: a term is missing"),
    ),
    # What explains it where it is wrong must not say that it is wrong elsewhere.
    *wrong("a half of the points", lambda w: jnp.sum(w**2), np.ones(3))(
        (lambda w: np.where(w[0] < 1, 2, 4) * w, "unknown: no kind explains all of it"),
    ),
    # Small parameters are tried at about size 1 as well.
    *of_curved_parts(
        *("small vector", (1e-3 * np.ones(3),)),
        (lambda g, _: (2 * g[0],), "factor: 2 times exact"),
    ),
    *wrong("bfloat16", layers, LAYERS, short(7, 11), short(7, 3), stated=True)(
        of_layers(lambda g: g),
        # Single elements do not tell so small a factor.
        (of_layers(lambda g: {**g, "w1": g["w1"] * 1.05}), "unknown: no kind explains all of it"),
        (
            of_layers(lambda g: {**g, "w1": g["w1"] * 1.5}),
            "factor: 3/2 times exact (3 is the number of outputs)",
        ),
    ),
    *cases("NumPy's tanh", check_gradient, of_tanh, *NUMPY, points=0)(
        Row(
            *("1 - h", by_linear, "the derivative of tanh is 1 - h, not 1 - h² ("),
            "(forward pass: tests/corpus/rows/wrong_numbers.py, line ",
            kinds=("activation-derivative",),
        ),
    ),
    *cases("step in NumPy", check_backward, of_numpy, drawn(5, 3), points=0)(
        Row(
            *("tanh by 1 - h", lambda d, h: d * (1 - h), "Kind: activation-derivative."),
            kinds=("activation-derivative",),
        ),
    ),
]

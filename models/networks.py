"""Networks of dense layers, and linear models, which have one; some come at a kink as well."""

from collections import namedtuple
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from manual.activations import ACTIVATIONS, Activation, relu_backward
from manual.losses import LogitsCache, bce_backward, mse_backward, softmax, softmax_ce_backward
from models.edits import Edit
from models.helpers import (
    accumulates,
    affine,
    affine_backward,
    and_tie,
    biases,
    chosen,
    everywhere,
    labels,
    layers,
    normal,
    of_classes,
    one_element_off,
    one_hot_rows,
    over_outputs,
    sign_of_one_element,
    size,
    softmax_backward,
    update_before_use,
    usual,
    zero_or_one,
)
from models.model import Draw, Model, Rows, of_loss

Function = Callable[..., Any]


def dense_loss(
    activation: Function, of_output: Function, decay: float, params: Any, x: Any, y: Any = None
) -> Any:
    """of_output(z, y) with z of the last layer; an autoencoder has no y. A penalty of all w."""
    y = x if y is None else y
    *hidden, (w, b) = net = of_layers(params)
    for v, c in hidden:
        x = activation(x @ v + c[None, :])
    loss = of_output(x @ w + b[None, :], y)
    return loss + decay * sum(jnp.sum(v**2) for v, _ in net) if decay else loss


def dense_gradient(
    activation: Function,
    backward: Function,
    cache: Function,
    loss_backward: Function,
    decay: float,
    params: Any,
    x: Any,
    y: Any = None,
) -> Any:
    net, hs, zs = of_layers(params), [x], []
    for w, b in net:
        # z = h @ w + b, h = activation(z)
        zs.append(hs[-1] @ w + b)
        hs.append(activation(zs[-1])[0])
    # L = of_output(z, y)
    y = x if y is None else y
    dz = loss_backward(1.0, cache(zs[-1], y))
    grads: list[Any] = []
    for i in reversed(range(len(net))):
        w, b = net[i]
        # z = h @ w + b, and the penalty of w
        dw, db, dh = affine_backward(dz, hs[i], w, decay)
        grads.insert(0, (dw, db))
        # h = activation(z)
        dz = backward(dh, zs[i - 1]) if i else dh
    return as_params(grads, params)


def of_layers(params: Any) -> list[Any]:
    """Return w and b of each layer, whatever they are in."""
    leaves = jax.tree.leaves(params)
    weights, biases = ([leaf for leaf in leaves if np.ndim(leaf) == n] for n in (2, 1))
    return [*zip(weights, biases, strict=True)]


def as_params(grads: list[Any], params: Any) -> Any:
    """Return the pairs in the structure of the parameters."""
    dws, dbs = map(iter, zip(*grads, strict=True))
    return jax.tree.map(lambda leaf: next(dws if np.ndim(leaf) == 2 else dbs), params)


def dense(
    name: str,
    activation: tuple[Function, Activation],
    output: tuple[Function, Function, Function],
    draw: Draw,
    mistakes: Rows,
    decay: float = 0.0,
    but: str | None = None,
) -> Model:
    """Make the model of layers with an activation and an output, a loss of z and y.

    The activation is in JAX and by hand; the output in JAX, what its derivative needs of z and y,
    and the derivative. With `but`, which may be empty, the usual mistakes are planted, but for
    some.
    """
    in_jax, (forward, backward, _) = activation
    loss = partial(dense_loss, in_jax, output[0], decay)
    gradient = partial(dense_gradient, forward, backward, *output[1:], decay)
    if but is not None:
        mistakes = {**usual(gradient, but if decay else f"decay-factor {but}"), **mistakes}
    return of_loss(name, loss, gradient, draw, mistakes)


#: In JAX and by hand; a single layer has none.
TANH = jnp.tanh, ACTIVATIONS["tanh"]
SIGMOID = jax.nn.sigmoid, ACTIVATIONS["sigmoid"]
RELU = jax.nn.relu, ACTIVATIONS["relu"]
GELU = partial(jax.nn.gelu, approximate=False), ACTIVATIONS["gelu"]
NONE = jnp.positive, ACTIVATIONS["identity"]


def mean_squares_backward(dloss: Any, r: Any) -> Any:
    """The derivative of the mean over examples and outputs."""
    return mse_backward(dloss * over_outputs(r), r)


def brier_backward(dloss: Any, cache: LogitsCache) -> Any:
    """The derivative by the logits of Σ (p - y)², the mean over examples."""
    p = softmax(cache.z)
    # (p - y) ** 2
    dp = mse_backward(dloss, p - cache.y)
    # p = softmax(z)
    return softmax_backward(dp, p)


def mean_brier_backward(dloss: Any, cache: LogitsCache) -> Any:
    """The same of the mean over examples and classes."""
    return brier_backward(dloss * over_outputs(cache.y), cache)


def picked_entropy(z: Any, classes: Any) -> Any:
    """The mean at the numbers of the classes."""
    logp = jax.nn.log_softmax(z)
    picked = jnp.take_along_axis(logp, classes[:, None], axis=1)
    return -picked.mean()


def literal_entropy(z: Any, y: Any) -> Any:
    """The mean by the textbook formulas."""
    p = 1 / (1 + jnp.exp(-z))
    return -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))


def labels_entropy(z: Any, y: Any) -> Any:
    """The mean over examples of the sum over labels."""
    given_one, given_zero = jax.nn.log_sigmoid(z), jax.nn.log_sigmoid(-z)
    return -jnp.mean(jnp.sum(y * given_one + (1 - y) * given_zero, axis=1))


def logsumexp_brier(z: Any, y: Any) -> Any:
    """The mean over examples and classes."""
    p = jnp.exp(z - jax.nn.logsumexp(z, axis=1, keepdims=True))
    return ((y - p) ** 2).mean()


#: Derivatives by the last z: what they need, and they themselves.
ENTROPIES = LogitsCache, bce_backward
CLASSES = LogitsCache, softmax_ce_backward

#: The entropy at the numbers of classes.
NUMBERS = picked_entropy, of_classes, softmax_ce_backward

#: The mean of the squared error over examples and outputs, and over examples alone.
SQUARES = (lambda z, y: jnp.mean(jnp.square(z - y))), np.subtract, mean_squares_backward
SQUARED = (lambda z, y: jnp.sum((z - y) ** 2, axis=1).mean()), np.subtract, mse_backward


def drawn(
    sizes: tuple[int, ...],
    examples: int,
    targets: Callable[..., Any],
    structure: Callable[[list[Any]], Any] = list,
) -> Draw:
    """Draw layers of these sizes in a structure, inputs, and targets of so many outputs."""

    def draw(rng: np.random.Generator) -> Any:
        params = structure(layers(rng, *sizes))
        return params, rng.normal(size=(examples, sizes[0])), targets(rng, examples, sizes[-1])

    return draw


#: Two layers.
Net = namedtuple("Net", "w1 b1 w2 b2")

#: Two layers as wide as the input.
Square = namedtuple("Square", "hidden hidden_bias output output_bias")

DECAY = 0.1


def polynomial_loss(coefficients: Any, x: Any, y: Any) -> Any:
    """Mean squared error: coefficients of shape (4,), lowest power first, x and y of shape (n,)."""
    return jnp.mean((jnp.polyval(coefficients[::-1], x) - y) ** 2)


def polynomial_gradient(coefficients: Any, x: Any, y: Any) -> Any:
    powers = np.stack([np.ones_like(x), x, x**2, x**3], axis=1)
    # mean((z - y) ** 2)
    dz = mse_backward(1.0, powers @ coefficients - y)
    # z = powers @ coefficients
    return powers.T @ dz


def draw_polynomial(rng: np.random.Generator) -> Any:
    return rng.normal(scale=0.7, size=4), rng.uniform(-1.5, 1.5, size=13), rng.normal(size=13)


def logistic_loss(theta: Any, x: Any, y: Any) -> Any:
    """Weights and, last, the intercept: theta of shape (6,), x of shape (n, 5), y of shape (n,)."""
    z = x @ theta[:-1] + theta[-1]
    return jnp.mean(jnp.logaddexp(0.0, z) - y * z) + DECAY * jnp.sum(theta[:-1] ** 2)


def logistic_gradient(theta: Any, x: Any, y: Any) -> Any:
    w, b = theta[:-1], theta[-1]
    # mean(log(1 + exp(z)) - y * z)
    dz = bce_backward(1.0, LogitsCache(x @ w + b, y))
    # z = x @ w + b, and the penalty of w
    dw = x.T @ dz + 2 * DECAY * w
    db = dz.sum()
    return np.append(dw, db)


def draw_logistic(rng: np.random.Generator) -> Any:
    theta = np.append(rng.normal(scale=0.6, size=5), biases(rng, 1))
    return theta, rng.normal(size=(13, 5)), zero_or_one(rng, 13)


def margin_loss(params: tuple[Any, Any], x: Any, y: Any) -> Any:
    """mean(max(0, 1 - y f)) + DECAY |w|²: x of shape (n, 5), y of shape (n,), 1 or -1."""
    w, b = params
    return jnp.mean(jax.nn.relu(1 - y * (x @ w + b))) + DECAY * jnp.dot(w, w)


def margin_gradient(params: tuple[Any, Any], x: Any, y: Any) -> tuple[Any, Any]:
    w, b = params
    f = x @ w + b
    margin = 1 - y * f
    # mean(max(0, margin))
    inside = margin > 0
    # margin = 1 - y * f
    df = -y * inside / len(y)
    # f = x @ w + b, and the penalty of w
    dw = x.T @ df + 2 * DECAY * w
    db = df.sum()
    return dw, db


def draw_margin(rng: np.random.Generator) -> Any:
    """Draw two thirds of the examples on the right side, some of them beyond the margin.

    Draw again if none is beyond it, or if the derivative by the bias is 0.
    """
    w, b, x = rng.normal(scale=0.7, size=5), biases(rng, 1).reshape(()), rng.normal(size=(11, 5))
    y = np.sign(x @ w + b) * np.where(np.arange(11) % 3, 1.0, -1.0)
    inside = y * (x @ w + b) < 1
    return draw_margin(rng) if inside.all() or y[inside].sum() == 0 else ((w, b), x, y)


REGRESSION_DECAY = 0.05


def regression_loss(w: Any, x: Any, y: Any) -> Any:
    """w of shape (7, 3), its last row for the ones in x of shape (n, 7); y of shape (n, 3)."""
    p = jnp.exp(x @ w) / jnp.sum(jnp.exp(x @ w), axis=1, keepdims=True)
    return -jnp.mean(jnp.sum(y * jnp.log(p), axis=1)) + REGRESSION_DECAY * jnp.sum(w[:-1] ** 2)


def regression_gradient(w: Any, x: Any, y: Any) -> Any:
    # -mean(sum(y * log(p), axis=1))
    dz = softmax_ce_backward(1.0, LogitsCache(x @ w, y))
    # z = x @ w
    dw = x.T @ dz
    # + REGRESSION_DECAY * sum(w ** 2), without the last row
    dw[:-1] += 2 * REGRESSION_DECAY * w[:-1]
    return dw


def draw_regression(rng: np.random.Generator) -> Any:
    w, b = affine(rng, 6, 3)
    x = np.append(rng.normal(size=(11, 6)), np.ones((11, 1)), axis=1)
    return np.append(w, b[None, :], axis=0), x, one_hot_rows(rng, 11, 3)


#: The learning rate of the weights that are updated too early.
RATE = 0.5


def columns_loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """Squared error: x of shape (3, m), y of shape (2, m), weights (out, in), biases (out, 1)."""
    z1 = params["W1"] @ x + params["b1"]
    a1 = jnp.where(z1 > 0, z1, 0.0)
    a2 = params["W2"] @ a1 + params["b2"]
    return jnp.sum((a2 - y) ** 2) / x.shape[1]


def columns_gradient(params: dict[str, Any], x: Any, y: Any) -> Any:
    w1, b1, w2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
    z1 = w1 @ x + b1
    a1 = np.where(z1 > 0, z1, 0.0)
    a2 = w2 @ a1 + b2
    # sum((a2 - y) ** 2) / m, examples in columns
    dz2 = mse_backward(1.0, (a2 - y).T).T
    # a2 = W2 @ a1 + b2
    dw2, db2 = column_backward(dz2, a1)
    da1 = w2.T @ dz2
    # a1 = where(z1 > 0, z1, 0)
    dz1 = relu_backward(da1, z1)
    # z1 = W1 @ x + b1
    dw1, db1 = column_backward(dz1, x)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}


def column_backward(dz: Any, a: Any) -> tuple[Any, Any]:
    # z = W @ a + b
    dw = dz @ a.T
    db = dz.sum(axis=1, keepdims=True)
    return dw, db


def draw_columns(rng: np.random.Generator) -> Any:
    (w1, b1), (w2, b2) = layers(rng, 3, 5, 2)
    params = {"W1": w1.T.copy(), "b1": b1[:, None], "W2": w2.T.copy(), "b2": b2[:, None]}
    return params, rng.normal(size=(3, 7)), rng.normal(size=(2, 7))


BLOCK_DECAY = 0.04

#: A residual block between two layers; the weights inside are square.
Block = namedtuple("Block", "enter w b leave leave_bias")


def residual_loss(net: Block, x: Any, y: Any) -> Any:
    """Softmax cross-entropy: x of shape (n, 3), y of shape (n, 2)."""
    h = x @ net.enter
    h = h + jax.nn.relu(h @ net.w + net.b[None, :])
    logits = h @ net.leave + net.leave_bias[None, :]
    losses = jax.nn.logsumexp(logits, axis=1) - jnp.sum(y * logits, axis=1)
    return jnp.mean(losses) + BLOCK_DECAY * jnp.sum(net.w**2)


def residual_gradient(net: Block, x: Any, y: Any) -> Block:
    enter, w, b, leave, leave_bias = net
    h0 = x @ enter
    z = h0 @ w + b
    h1 = h0 + np.maximum(z, 0)
    # logsumexp(logits) - sum(y * logits), its mean
    dlogits = softmax_ce_backward(1.0, LogitsCache(h1 @ leave + leave_bias, y))
    # logits = h1 @ leave + leave_bias
    dleave, dleave_bias, dh1 = affine_backward(dlogits, h1, leave)
    # h1 = h0 + relu(z)
    dz = relu_backward(dh1, z)
    # z = h0 @ w + b, and the penalty of w
    dw, db, dx = affine_backward(dz, h0, w, BLOCK_DECAY)
    dh0 = dh1 + dx
    # h0 = x @ enter
    return Block(x.T @ dh0, dw, db, dleave, dleave_bias)


#: Lines of `dense_gradient` that edits go on from.
BACKWARD = "dz = backward(dh, zs[i - 1]) if i else dh"
RETURN, INSERT = "return as_params(grads, params)", "grads.insert(0, (dw, db))"

#: Mistakes in all but the last of three layers.
INNER: Rows = {
    "bias-mean": "db = dz.mean(axis=0) if i < 2 else db",
    "bias-unsummed": "db = dz if i < 2 else db",
    "bias-wrong-axis": "db = dz.sum(axis=1) if i < 2 else db",
    "dw-transposed": "dw = dz.T @ hs[i] + 2 * decay * w if i < 2 else dw",
    "dx-untransposed": "dh = dz @ w if i == 1 else dh",
    "no-activation-derivative": (BACKWARD, f"dz = dh if i == 1 else {BACKWARD[5:]}"),
    "dw-after-activation": ("hs[i], w,", "hs[i or 1], w,"),
}

BRIER: Rows = {
    "softmax-shortcut": ("return softmax_backward(dp, p)", "return dloss * (p - cache.y) / len(p)")
}

MODELS = [
    dense(
        "sigmoid-bce-literal",
        (lambda z: 1 / (1 + jnp.exp(-z)), ACTIVATIONS["sigmoid"]),
        (literal_entropy, *ENTROPIES),
        drawn((3, 5, 1), 7, zero_or_one, lambda net: Net(*net[0], *net[1])),
        {
            "sigmoid-of-z": ("backward(dh, zs[i - 1])", "backward(dh, hs[i])"),
            "dropped-term": (RETURN, f"grads[0][0][0, 1] = 0.0\n{RETURN}"),
        },
        but="mean-over-outputs dx-untransposed",
    ),
    dense(
        *("sigmoid-labels", SIGMOID),
        (lambda z, y: optax.sigmoid_binary_cross_entropy(z, y).sum(axis=-1).mean(), *ENTROPIES),
        drawn(
            *((5, 5, 5, 3), 5, zero_or_one),
            lambda net: {f"{of}{i + 1}": net[i][of == "b"] for i in range(3) for of in "wb"},
        ),
        {
            **INNER,
            "sigmoid-of-z": (
                BACKWARD,
                f"dz = dh * (zs[0] * (1 - zs[0])) if i == 1 else {BACKWARD[5:]}",
            ),
            "exchanged": (
                RETURN,
                "(dw, db), (dv, dc), last = grads\n"
                "return as_params([(dv, db), (dw, dc), last], params)",
            ),
            "accumulates": accumulates,
        },
        decay=0.02,
        but="",
    ),
    dense(
        *("tanh-mlp-decayed", TANH, SQUARED),
        drawn((3, 7, 5, 2), 11, normal),
        {
            "decay-factor": [everywhere("decay-factor"), "db = db + 2 * decay * b"],
            "accumulates": accumulates,
        },
        decay=0.03,
        but="dw-transposed dx-untransposed",
    ),
    dense(
        *("autoencoder", TANH, SQUARES),
        lambda rng: (layers(rng, 5, 5, 5), rng.normal(size=(5, 5))),
        {
            # The last layer is updated, and the first one's derivative is of the new network.
            "update-before-use": (
                INSERT,
                f"{INSERT}\n"
                "if i:\n"
                "    w, b = w - STEP * dw, b - STEP * db\n"
                "    _, _, dh = affine_backward(loss_backward(1.0, hs[i] @ w + b - y), hs[i], w)",
            ),
            "dw-after-activation": ("hs[i], w,", "hs[1], w,"),
            "dropped-term": "dh[:, 2] = 0.0",
            "exchanged": (RETURN, "return as_params(grads[::-1], params)"),
        },
        but="",
    ),
    of_loss(
        *("logistic-regression", logistic_loss, logistic_gradient, draw_logistic),
        {
            **usual(logistic_gradient, "mean-over-outputs"),
            "bias-mean": "db = dz.mean()",
            "dropped-term": "dw[3] = 0.0",
            # Of theta, in which the intercept is as well.
            "decay-factor": "db = dz.sum() + 2 * DECAY * b",
            "exchanged": "dw[[1, 2]] = dw[[2, 1]]",
        },
    ),
    dense(
        *("logistic-labels", NONE, (labels_entropy, *ENTROPIES)),
        drawn(
            (3, 2), 7, zero_or_one, lambda net: dict(zip(("weight", "bias"), net[0], strict=True))
        ),
        {"dropped-term": "dw[1, 1] = 0.0", "accumulates": partial(accumulates, only=(1,))},
        but="dx-untransposed update-before-use",
    ),
    dense(
        *("softmax-tanh", TANH),
        (lambda z, y: optax.softmax_cross_entropy(z, y).mean(), *CLASSES),
        drawn(
            *((5, 7, 3), 11, one_hot_rows),
            lambda net: {
                of: dict(zip("wb", net[of == "output"], strict=True)) for of in ("hidden", "output")
            },
        ),
        {"accumulates": partial(accumulates, only=(0, 1))},
        but="mean-over-outputs dx-untransposed",
    ),
    of_loss(
        *("softmax-regression", regression_loss, regression_gradient, draw_regression),
        {
            **usual(regression_gradient, "mean-over-outputs"),
            "decay-factor": ("2 * REGRESSION_DECAY", "REGRESSION_DECAY"),
            "dropped-term": ("return dw", "dw[2, 0] = 0.0\nreturn dw"),
            "exchanged": ("return dw", "dw[0, 1], dw[1, 0] = dw[1, 0], dw[0, 1]\nreturn dw"),
        },
    ),
    *and_tie(
        dense(
            *("softmax-relu", RELU, NUMBERS),
            drawn((5, 5, 5, 3), 5, labels),
            {
                **INNER,
                "relu-mask": ("zs[i - 1]", "zs[2 - i]"),
                "dropped-term": (RETURN, f"grads[2][1][1] = 0.0\n{RETURN}"),
                "exchanged": (RETURN, f"grads[:2] = grads[1::-1]\n{RETURN}"),
            },
            but="mean-over-outputs",
        ),
        # One example, and the bias of one unit.
        lambda params, x, _: ((x[2], 0.0), (params[0][1][3:4], 0.0)),
        "ce-minus-missing bias-mean",
        (BACKWARD, f"{BACKWARD}\nif i == 1:\n    dz = dh * (zs[0] >= 0)"),
    ),
    dense(
        *("brier-tanh", TANH),
        (
            lambda z, y: jnp.mean(jnp.sum(jnp.square(jax.nn.softmax(z) - y), axis=-1)),
            *(LogitsCache, brier_backward),
        ),
        drawn((3, 7, 5), 11, one_hot_rows, tuple),
        {**BRIER, "accumulates": accumulates},
        but="missing-square dx-untransposed",
    ),
    dense(
        *("brier-sigmoid", SIGMOID),
        (logsumexp_brier, LogitsCache, mean_brier_backward),
        drawn(
            *((3, 3, 3), 3, one_hot_rows),
            lambda net: Square._make((*net[0], 1.5 * net[1][0], net[1][1])),
        ),
        {
            **BRIER,
            "dw-after-activation": ("hs[i], w,", "hs[1], w,"),
            "exchanged": (
                RETURN,
                "(dw, db), (dv, dc) = grads\nreturn as_params([(dw, dc), (dv, db)], params)",
            ),
        },
        but="missing-square",
    ),
    of_loss(
        *("polynomial", polynomial_loss, polynomial_gradient, draw_polynomial),
        {
            **usual(polynomial_gradient, "mean-over-outputs"),
            # The residuals are written where the targets were.
            "accumulates": ("return powers", "y -= powers @ coefficients\nreturn powers"),
            "dropped-term": ("return powers", "powers[:, 2] = 0.0\nreturn powers"),
            "exchanged": ("powers.T @ dz", "(powers.T @ dz)[[0, 2, 1, 3]]"),
        },
    ),
    dense(
        *("linear-outputs", NONE, SQUARED),
        drawn((5, 2), 7, normal, lambda net: net[0]),
        {"decay-factor": "db = db + 2 * decay * b"},
        decay=0.2,
        but="dw-transposed dx-untransposed update-before-use",
    ),
    *and_tie(
        of_loss(
            *("relu-columns", columns_loss, columns_gradient, draw_columns),
            {
                **usual(columns_gradient),
                "dw-transposed": "dw = a @ dz.T",
                # dz has the mean in it already.
                "double-mean": ("return dw, db", "return dw / dz.shape[1], db / dz.shape[1]"),
                "bias-mean": ("return dw, db", "return dw, db / dz.shape[1]"),
                "bias-unsummed": ("return dw, db", "return dw, dz"),
                "bias-wrong-axis": "db = dz.sum(axis=0, keepdims=True)",
                "update-before-use": "da1 = (w2 - RATE * dw2).T @ dz2",
                "accumulates": accumulates,
            },
        ),
        # One example, and the biases of two units.
        lambda params, x, _: ((x[:, 4], 0.0), (params["b1"][:2], 0.0)),
        "half-mse dw-transposed",
    ),
    *and_tie(
        of_loss(
            *("residual-block", residual_loss, residual_gradient),
            drawn((3, 5, 5, 2), 7, one_hot_rows, lambda net: Block(net[0][0], *net[1], *net[2])),
            {
                **usual(residual_gradient, "mean-over-outputs"),
                "dw-after-activation": "dw = h1.T @ dz + 2 * BLOCK_DECAY * w",
                "dx-untransposed": "dx = dz @ w",
                "dropped-term": "dh0 = dx",
                "dw-transposed": "dw = dz.T @ h0 + 2 * BLOCK_DECAY * w",
                "relu-mask": "dz = dh1 * (h0 > 0)",
                "update-before-use": "dh1 = dlogits @ (leave - STEP * dleave).T",
            },
        ),
        # One example, and the bias of one unit.
        lambda net, x, _: ((x[0], 0.0), (net.b[1:2], 0.0)),
        "dx-untransposed dropped-term",
    ),
    dense(
        *("relu-deep", (lambda z: jnp.maximum(z, 0.0), ACTIVATIONS["relu"])),
        (lambda z, y: jnp.mean(optax.sigmoid_binary_cross_entropy(z, y)), *ENTROPIES),
        # Only the middle one of the three layers is square.
        drawn((5, 5, 5, 1), 11, zero_or_one, lambda net: [*map(list, net)]),
        {
            "dx-untransposed": "dh = dz @ w if i == 1 else dh",
            # Examples in threes, and what is left over is left out.
            "dropped-term": "dw = hs[2][:9].T @ dz[:9] if i == 2 else dw",
            "exchanged": (
                RETURN,
                "(dw, db), (dv, dc), last = grads\n"
                "return as_params([(dw, dc), (dv, db), last], params)",
            ),
        },
        but="mean-over-outputs",
    ),
]

#: At the end of the results.
MARGINS = and_tie(
    of_loss(
        *("margin", margin_loss, margin_gradient, draw_margin),
        {
            "missing-mean": (" / len(y)", ""),
            "double-mean": ("/ len(y)", "/ len(y) ** 2"),
            "residual-sign": ("df = -y", "df = y"),
            "bias-mean": "db = df.mean()",
            "relu-mask": "inside = f > 0",
            "no-activation-derivative": "inside = np.ones_like(f)",
            "dropped-term": "dw[1] = 0.0",
            "decay-factor": ("2 * DECAY", "DECAY"),
            "exchanged": "dw[[0, 3]] = dw[[3, 0]]",
        },
    ),
    # A last example of zeros and class 1, and the bias 1.
    lambda params, x, y: ((x[-1], 0.0), (y[-1:], 1.0), (params[1], 1.0)),
    "decay-factor exchanged",
    "inside = margin >= 0",
)

# Perceptrons of one loss, mean of (a_L w + b - y)²: deep ones, and one for each activation.


def draw_perceptron(rng: np.random.Generator, widths: tuple[int, ...], n: int = 7) -> Any:
    """Draw layers, x of shape (n, first width), y of shape (n, last width).

    In a fifth of the draws the first layer's weights and biases are large or small.
    """
    x = rng.normal(size=(n, widths[0]))
    drawn = [
        (rng.normal(size=(n, k)) / n**0.5 + 0.1, rng.normal(size=k) / 2)
        for n, k in pairwise(widths)
    ]
    factor, (w, b) = size(rng, large=4.0), drawn[0]
    return [(factor * w, factor * b), *drawn[1:]], x, rng.normal(size=(n, widths[-1]))


def slope(new: str) -> Edit:
    """Return the edit that takes another derivative of the activation, an expression in z and a."""
    return BACKWARD, f"a, z = hs[i], zs[i - 1]\ndz = dh * {new} if i else dh"


UNTRANSPOSED = "dh = dz @ (w if len(w) == len(w.T) else w.T)"

USUAL: Rows = {
    "no-activation-derivative": slope("(1 + 0 * z)"),
    **chosen("half-mse bias-mean"),
    "one-element-off": one_element_off,
    "sign-of-one-element": partial(sign_of_one_element, rank=0.7),
}

DEEP = (2, 3, 3, 3, 3, 1)

PERCEPTRONS = [
    dense(
        *("deep-tanh", TANH, SQUARES, partial(draw_perceptron, widths=DEEP, n=3)),
        {
            **USUAL,
            "tanh-of-h": slope("4 * sigmoid_derivative(2 * a)"),
            "tanh-linear": slope("(1 - a)"),
            "dx-untransposed": UNTRANSPOSED,
            "dw-after-activation": ("hs[i], w,", "hs[i + 1 if i in (1, 2, 3) else i], w,"),
            "dw-transposed": "dw = dw.T.copy() if i == 2 else dw",
            "update-before-use": update_before_use,
        },
    ),
    dense(
        *("deep-sigmoid", SIGMOID, SQUARES, partial(draw_perceptron, widths=DEEP, n=5)),
        {
            **USUAL,
            "sigmoid-of-activation": slope("sigmoid_derivative(a)"),
            "sigmoid-of-z": slope("z * (1 - z)"),
            "dx-untransposed": UNTRANSPOSED,
            "exchanged": (
                *(RETURN, f"(w, b), (v, c) = grads[1:3]\ngrads[1:3] = (v, b), (w, c)\n{RETURN}"),
            ),
        },
    ),
    dense(
        *("relu-network", RELU, SQUARES, partial(draw_perceptron, widths=(3, 5, 5, 2))),
        {**USUAL, "relu-mask": slope("(z < 0).astype(z.dtype)"), "relu-gates-by-value": slope("a")},
    ),
    dense(
        *("gelu-network", GELU, SQUARES, partial(draw_perceptron, widths=(3, 5, 2))),
        {
            **USUAL,
            "gelu-of-activation": ("backward(dh, zs[i - 1])", "backward(dh, hs[i])"),
            "gelu-cdf-only": {"gelu_backward": "return da * (erfc(-t) / 2)"},
            "gelu-approximate": slope(
                "(sigmoid(1.702 * z) * (1 + 1.702 * z * sigmoid(-1.702 * z)))"
            ),
            "density-without-half": {
                "gelu_backward": "density = namespace(z).exp(-z * z) / math.sqrt(2 * math.pi)"
            },
        },
    ),
]

"""Networks of dense layers, and linear models, which have one; some come at a kink as well."""

from collections import namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from models.helpers import (
    BIASES,
    MEANS,
    accumulates,
    affine,
    affine_backward,
    also,
    bias_backward,
    biases,
    binary_cross_entropy_backward,
    decayed_backward,
    elements,
    examples,
    labels,
    layers,
    one_hot_rows,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    sigmoid_backward_twice,
    softmax,
    softmax_backward,
    softmax_cross_entropy_backward,
    squared_error_backward,
    tanh_backward,
    usual,
    zero_or_one,
    zeroed,
)
from models.model import Draw, Model, Written, of_loss

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
    output_backward: Function,
    decay: float,
    params: Any,
    x: Any,
    y: Any = None,
) -> Any:
    net, hs, zs = of_layers(params), [x], []
    for w, b in net:
        # z = h @ w + b, h = activation(z)
        zs.append(hs[-1] @ w + b)
        hs.append(activation(zs[-1]))
    # L = of_output(z, y)
    y = x if y is None else y
    dz = output_backward(zs[-1], y)
    grads: list[Any] = []
    for i in reversed(range(len(net))):
        w, b = net[i]
        # z = h @ w + b, and the penalty of w
        at_w = dz, hs[i], w
        dw, db, dh = decayed_backward(*at_w, decay) if decay else affine_backward(*at_w)
        grads.insert(0, (dw, db))
        # h = activation(z)
        dz = backward(dh, hs[i], zs[i - 1]) if i else dh
    return as_params(grads, params)


def of_layers(params: Any) -> list[Any]:
    """Return w and b of each layer, whatever they are in; of a dict, b comes first."""
    leaves = jax.tree.leaves(params)
    return [sorted(pair, key=np.ndim)[::-1] for pair in zip(leaves[::2], leaves[1::2], strict=True)]


def as_params(grads: list[Any], params: Any) -> Any:
    """Return the pairs in the structure of the parameters."""
    leaves, structure = jax.tree.flatten(params)
    pairs = zip(leaves[::2], grads, strict=True)
    ordered = (pair if np.ndim(first) == 2 else pair[::-1] for first, pair in pairs)
    return jax.tree.unflatten(structure, [d for pair in ordered for d in pair])


def dense(
    name: str,
    activation: tuple[Function, Function, Function] | None,
    output: tuple[Function, Function],
    draw: Draw,
    mistakes: dict[str, Written],
    decay: float = 0.0,
) -> Model:
    """Make the model of layers with an activation and an output, a loss of z and y.

    The activation is in JAX, in NumPy, and backwards; the output in JAX, and its derivative by z.
    """
    # A single layer has no activation, and reads nothing of what stands in its place.
    in_jax, *by_hand = activation or 3 * (np.abs,)
    loss = partial(dense_loss, in_jax, output[0], decay)
    return of_loss(name, loss, partial(dense_gradient, *by_hand, output[1], decay), draw, mistakes)


def relu(z: Any) -> Any:
    return np.maximum(z, 0)


def gated_backward(dh: Any, _: Any, z: Any) -> Any:
    # h = relu(z)
    return relu_backward(dh, z)


TANH = jnp.tanh, np.tanh, tanh_backward


def entropies_backward(z: Any, y: Any) -> Any:
    # mean(-y * log(p) - (1 - y) * log(1 - p)), p = sigmoid(z)
    return binary_cross_entropy_backward(sigmoid(z), y) / examples(y)


def classes_backward(z: Any, y: Any) -> Any:
    # mean(sum(-y * log(p))), p = softmax(z)
    return softmax_cross_entropy_backward(softmax(z), y) / examples(y)


def errors_backward(z: Any, y: Any) -> Any:
    # mean(sum((z - y) ** 2, axis=1))
    return squared_error_backward(z, y) / examples(y)


def error_backward(z: Any, y: Any) -> Any:
    # mean((z - y) ** 2)
    return squared_error_backward(z, y) / elements(y)


def brier_backward(z: Any, y: Any) -> Any:
    """The derivative by the logits of Σ (p - y)², before any mean."""
    p = softmax(z)
    # (p - y) ** 2
    dp = squared_error_backward(p, y)
    # p = softmax(z)
    return softmax_backward(dp, p)


def briers_backward(z: Any, y: Any) -> Any:
    # mean(sum((p - y) ** 2, axis=-1))
    return brier_backward(z, y) / examples(y)


def mean_brier_backward(z: Any, y: Any) -> Any:
    # mean((p - y) ** 2)
    return brier_backward(z, y) / elements(y)


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


#: The mean over examples of the sum over outputs.
SQUARED = (lambda z, y: jnp.sum((z - y) ** 2, axis=1).mean()), errors_backward

#: Two layers.
Net = namedtuple("Net", "w1 b1 w2 b2")

#: Two layers as wide as the input.
Square = namedtuple("Square", "hidden hidden_bias output output_bias")


def draw_square(rng: np.random.Generator) -> Any:
    (w1, b1), (w2, b2) = layers(rng, 3, 3, 3)
    return Square(w1, b1, 1.5 * w2, b2), rng.normal(size=(3, 3)), one_hot_rows(rng, 3, 3)


def draw_tanh(rng: np.random.Generator) -> Any:
    hidden, output = ({"w": w, "b": b} for w, b in layers(rng, 5, 7, 3))
    return {"hidden": hidden, "output": output}, rng.normal(size=(11, 5)), one_hot_rows(rng, 11, 3)


def draw_literal(rng: np.random.Generator) -> Any:
    (w1, b1), (w2, b2) = layers(rng, 3, 5, 1)
    return Net(w1, b1, w2, b2), rng.normal(size=(7, 3)), zero_or_one(rng, 7, 1)


def draw_linear_labels(rng: np.random.Generator) -> Any:
    weight, bias = affine(rng, 3, 2)
    params = {"weight": weight, "bias": bias}
    return params, rng.normal(size=(7, 3)), zero_or_one(rng, 7, 2)


LABELS_DECAY = 0.02


def labels_loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """The mean over examples of the sum over labels: x of shape (n, 5), y of shape (n, 3)."""
    h1 = jax.nn.sigmoid(x @ params["w1"] + params["b1"][None, :])
    h2 = jax.nn.sigmoid(h1 @ params["w2"] + params["b2"][None, :])
    logits = h2 @ params["w3"] + params["b3"][None, :]
    losses = optax.sigmoid_binary_cross_entropy(logits, y).sum(axis=-1)
    weights = sum(jnp.sum(params[name] ** 2) for name in ("w1", "w2", "w3"))
    return losses.mean() + LABELS_DECAY * weights


def labels_gradient(params: dict[str, Any], x: Any, y: Any) -> Any:
    w1, w2, w3 = params["w1"], params["w2"], params["w3"]
    z1 = x @ w1 + params["b1"]
    h1 = sigmoid(z1)
    h2 = sigmoid(h1 @ w2 + params["b2"])
    p = sigmoid(h2 @ w3 + params["b3"])
    # losses = sigmoid_binary_cross_entropy(z3, y).sum(axis=-1), their mean
    dz3 = binary_cross_entropy_backward(p, y) / examples(y)
    # z3 = h2 @ w3 + b3, and in every layer the penalty of w
    dw3 = h2.T @ dz3 + 2 * LABELS_DECAY * w3
    db3 = dz3.sum(axis=0)
    dh2 = dz3 @ w3.T
    # h2 = sigmoid(z2)
    dz2 = dh2 * (h2 * (1 - h2))
    # z2 = h1 @ w2 + b2
    dw2, db2, dh1 = decayed_backward(dz2, h1, w2, LABELS_DECAY)
    # h1 = sigmoid(z1)
    dz1 = sigmoid_backward(dh1, h1, z1)
    # z1 = x @ w1 + b1
    dw1, db1, _ = decayed_backward(dz1, x, w1, LABELS_DECAY)
    return {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2, "w3": dw3, "b3": db3}


def draw_labels(rng: np.random.Generator) -> Any:
    params = {}
    for i, (w, b) in enumerate(layers(rng, 5, 5, 5, 3), 1):
        params |= {f"w{i}": w, f"b{i}": b}
    return params, rng.normal(size=(5, 5)), zero_or_one(rng, 5, 3)


DECAY = 0.1


def polynomial_loss(coefficients: Any, x: Any, y: Any) -> Any:
    """Mean squared error: coefficients of shape (4,), lowest power first, x and y of shape (n,)."""
    return jnp.mean((jnp.polyval(coefficients[::-1], x) - y) ** 2)


def polynomial_gradient(coefficients: Any, x: Any, y: Any) -> Any:
    powers = np.stack([np.ones_like(x), x, x**2, x**3], axis=1)
    # mean((z - y) ** 2)
    dz = squared_error_backward(powers @ coefficients, y) / examples(y)
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
    p = sigmoid(x @ w + b)
    # mean(log(1 + exp(z)) - y * z)
    dz = binary_cross_entropy_backward(p, y) / examples(y)
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
    df = -y * inside / examples(y)
    # f = x @ w + b, and the penalty of w
    dw = x.T @ df + 2 * DECAY * w
    db = df.sum()
    return dw, db


def draw_margin(rng: np.random.Generator) -> Any:
    """Draw two thirds of the examples on the right side, some of them beyond the margin.

    Draw again if none is beyond it, or if the derivative by the bias is 0.
    """
    w, b, x = rng.normal(scale=0.7, size=5), biases(rng, 1)[0], rng.normal(size=(11, 5))
    y = np.sign(x @ w + b) * np.where(np.arange(11) % 3, 1.0, -1.0)
    inside = y * (x @ w + b) < 1
    return draw_margin(rng) if inside.all() or y[inside].sum() == 0 else ((w, b), x, y)


def draw_margin_tie(rng: np.random.Generator) -> Any:
    """Draw a last example of zeros and class 1, and the bias 1, so that its margin is 0."""
    (w, _), x, y = draw_margin(rng)
    x[-1], y[-1] = 0.0, 1.0
    return (w, np.float64(1.0)), x, y


REGRESSION_DECAY = 0.05


def regression_loss(w: Any, x: Any, y: Any) -> Any:
    """w of shape (7, 3), its last row for the ones in x of shape (n, 7); y of shape (n, 3)."""
    p = jnp.exp(x @ w) / jnp.sum(jnp.exp(x @ w), axis=1, keepdims=True)
    return -jnp.mean(jnp.sum(y * jnp.log(p), axis=1)) + REGRESSION_DECAY * jnp.sum(w[:-1] ** 2)


def regression_gradient(w: Any, x: Any, y: Any) -> Any:
    p = softmax(x @ w)
    # -mean(sum(y * log(p), axis=1))
    dz = softmax_cross_entropy_backward(p, y) / examples(y)
    # z = x @ w
    dw = x.T @ dz
    # + REGRESSION_DECAY * sum(w ** 2), without the last row
    dw[:-1] += 2 * REGRESSION_DECAY * w[:-1]
    return dw


def draw_regression(rng: np.random.Generator) -> Any:
    w, b = affine(rng, 6, 3)
    x = np.append(rng.normal(size=(11, 6)), np.ones((11, 1)), axis=1)
    return np.append(w, b[None, :], axis=0), x, one_hot_rows(rng, 11, 3)


def relu_loss(params: Any, x: Any, classes: Any) -> Any:
    """Two hidden layers: x of shape (n, 5), n class numbers."""
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b[None, :])
    w, b = params[-1]
    logp = jax.nn.log_softmax(x @ w + b[None, :])
    picked = jnp.take_along_axis(logp, classes[:, None], axis=1)
    return -picked.mean()


def relu_gradient(params: Any, x: Any, classes: Any) -> Any:
    (w1, b1), (w2, b2), (w3, b3) = params
    z1 = x @ w1 + b1
    h1 = z1 * (z1 > 0)
    z2 = h1 @ w2 + b2
    h2 = z2 * (z2 > 0)
    p = softmax(h2 @ w3 + b3)
    # -log_softmax(z3)[arange(n), classes].mean()
    y = np.eye(p.shape[1])[classes]
    dz3 = softmax_cross_entropy_backward(p, y) / examples(y)
    # z3 = h2 @ w3 + b3
    dw3 = h2.T @ dz3
    db3 = dz3.sum(axis=0)
    dh2 = dz3 @ w3.T
    # h2 = relu(z2)
    dz2 = dh2 * (z2 > 0)
    # z2 = h1 @ w2 + b2
    dw2, db2, dh1 = affine_backward(dz2, h1, w2)
    # h1 = relu(z1)
    dz1 = relu_backward(dh1, z1)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, x, w1)
    return [(dw1, db1), (dw2, db2), (dw3, db3)]


def draw_relu(rng: np.random.Generator) -> Any:
    return layers(rng, 5, 5, 5, 3), rng.normal(size=(5, 5)), labels(rng, 5, 3)


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
    dz2 = squared_error_backward(a2, y) / examples(y.T)
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
    p = softmax(h1 @ leave + leave_bias)
    # logsumexp(logits) - sum(y * logits), its mean
    dlogits = softmax_cross_entropy_backward(p, y) / examples(y)
    # logits = h1 @ leave + leave_bias
    dleave, dleave_bias = h1.T @ dlogits, bias_backward(dlogits)
    dh1 = dlogits @ leave.T
    # h1 = h0 + relu(z)
    dz = relu_backward(dh1, z)
    # z = h0 @ w + b, and the penalty of w
    dw = h0.T @ dz + 2 * BLOCK_DECAY * w
    dh0 = dh1 + dz @ w.T
    # h0 = x @ enter
    return Block(x.T @ dh0, dw, bias_backward(dz), dleave, dleave_bias)


def draw_residual(rng: np.random.Generator) -> Any:
    (enter, _), (w, b), (leave, leave_bias) = layers(rng, 3, 5, 5, 2)
    return Block(enter, w, b, leave, leave_bias), rng.normal(size=(7, 3)), one_hot_rows(rng, 7, 2)


CLASSIFYING = usual(
    *(*MEANS, "residual-sign", *BIASES, "dw-transposed", "sigmoid-of-z"),
    *("no-activation-derivative", "bce-extra-derivative", "ce-minus-missing", "update-before-use"),
)
FITTING = usual(
    *("missing-square", "half-mse", *MEANS, "mean-over-outputs", "residual-sign", *BIASES),
    *("tanh-linear", "tanh-of-h", "no-activation-derivative"),
)
LOGISTIC = usual(*MEANS, "residual-sign", "bce-extra-derivative", "ce-minus-missing")
ENTROPY = usual(
    *(*MEANS, "residual-sign", "softmax-diagonal", "softmax-shortcut", "softmax-wrong-axis"),
    "ce-minus-missing",
)
LAYERS = usual("dw-transposed", *BIASES, "no-activation-derivative")
BRIER = {
    **usual("half-mse", *MEANS, "mean-over-outputs", "residual-sign", *BIASES, "dw-transposed"),
    **usual("no-activation-derivative", "softmax-diagonal"),
    "softmax-shortcut": ("return softmax_backward(dp, p)", "return p - y"),
    **usual("softmax-wrong-axis", "update-before-use"),
}
OF_COLUMNS = {**usual("half-mse"), "dw-transposed": "dw = a @ dz.T"}
UNTRANSPOSED = {
    "dx-untransposed": "dh0 = dh1 + dz @ w",
    "dropped-term": "dh0 = dz @ w.T",
}
OF_MARGIN: dict[str, Written] = {
    "decay-factor": ("2 * DECAY", "DECAY"),
    "exchanged": ("return dw, db", "dw[[0, 3]] = dw[[3, 0]]\nreturn dw, db"),
}

#: Lines of `dense_gradient` that edits go on from.
BACKWARD = "dz = backward(dh, hs[i], zs[i - 1]) if i else dh"
RETURN, INSERT = "return as_params(grads, params)", "grads.insert(0, (dw, db))"

MODELS = [
    dense(
        *(
            "sigmoid-bce-literal",
            (lambda z: 1 / (1 + jnp.exp(-z)), sigmoid, sigmoid_backward_twice),
        ),
        *((literal_entropy, entropies_backward), draw_literal),
        {**CLASSIFYING, "dropped-term": (RETURN, f"grads[0][0][0, 1] = 0.0\n{RETURN}")},
    ),
    of_loss(
        *("sigmoid-labels", labels_loss, labels_gradient, draw_labels),
        {
            **CLASSIFYING,
            **also("update-before-use", ("dz3 @ w3.T", "dz3 @ (w3 - STEP * dw3).T")),
            **usual("mean-over-outputs", "dx-untransposed"),
            "dw-after-activation": ("backward(dz1, x,", "backward(dz1, h1,"),
            **also("decay-factor", ("2 * LABELS_DECAY * w3", "LABELS_DECAY * w3")),
            "exchanged": ('{"w1": dw1, "b1": db1, "w2": dw2', '{"w1": dw2, "b1": db1, "w2": dw1'),
            "accumulates": accumulates,
        },
    ),
    dense(
        *("tanh-mlp-decayed", TANH, SQUARED),
        lambda rng: (layers(rng, 3, 7, 5, 2), rng.normal(size=(11, 3)), rng.normal(size=(11, 2))),
        {
            **FITTING,
            **usual("update-before-use"),
            **also("decay-factor", (INSERT, "grads.insert(0, (dw, db + 2 * decay * b))")),
            "accumulates": accumulates,
        },
        decay=0.03,
    ),
    dense(
        *("autoencoder", TANH, (lambda z, x: jnp.mean(jnp.square(z - x)), error_backward)),
        lambda rng: (layers(rng, 5, 5, 5), rng.normal(size=(5, 5))),
        {
            **FITTING,
            # The last layer is updated, and the first one's derivative is of the new network.
            "update-before-use": (
                INSERT,
                f"{INSERT}\n"
                "if i:\n"
                "    w, b = w - STEP * dw, b - STEP * db\n"
                "    _, _, dh = affine_backward(output_backward(hs[i] @ w + b, y), hs[i], w)",
            ),
            **usual("dw-transposed", "dx-untransposed"),
            "dw-after-activation": "at_w = dz, hs[1], w",
            "dropped-term": (INSERT, f"{INSERT}\ndh[:, 2] = 0.0"),
            "exchanged": (RETURN, "return as_params(grads[::-1], params)"),
        },
    ),
    of_loss(
        *("logistic-regression", logistic_loss, logistic_gradient, draw_logistic),
        {
            **LOGISTIC,
            "bias-mean": "db = dz.mean()",
            "dropped-term": ("return np.app", "dw[3] = 0.0\nreturn np.app"),
            # Of theta, in which the intercept is as well.
            "decay-factor": ("(dw, db)", "(dw, db + 2 * DECAY * b)"),
            "exchanged": ("return np.app", "dw[[1, 2]] = dw[[2, 1]]\nreturn np.app"),
        },
    ),
    dense(
        *("logistic-labels", None, (labels_entropy, entropies_backward), draw_linear_labels),
        {
            **LOGISTIC,
            **usual("bias-mean"),
            "dropped-term": (INSERT, f"dw[1, 1] = 0.0\n{INSERT}"),
            **usual("mean-over-outputs", "bias-unsummed", "bias-wrong-axis", "dw-transposed"),
            "accumulates": partial(accumulates, only=(1,)),
        },
    ),
    dense(
        *("softmax-tanh", TANH),
        (lambda z, y: optax.softmax_cross_entropy(z, y).mean(), classes_backward),
        draw_tanh,
        {
            **ENTROPY,
            **LAYERS,
            **usual("tanh-linear", "tanh-of-h", "update-before-use"),
            "accumulates": partial(accumulates, only=(0, 1)),
        },
    ),
    of_loss(
        *("softmax-regression", regression_loss, regression_gradient, draw_regression),
        {
            **ENTROPY,
            "decay-factor": ("2 * REGRESSION_DECAY", "REGRESSION_DECAY"),
            "dropped-term": ("return dw", "dw[2, 0] = 0.0\nreturn dw"),
            "exchanged": ("return dw", "dw[0, 1], dw[1, 0] = dw[1, 0], dw[0, 1]\nreturn dw"),
        },
    ),
    of_loss(
        *("softmax-relu", relu_loss, relu_gradient, draw_relu),
        {
            **ENTROPY,
            **LAYERS,
            "relu-mask": ["dz2 = dh2 * (z1 > 0)", "dz1 = relu_backward(dh1, z2)"],
            **usual("dx-untransposed"),
            "dw-after-activation": "dw1, db1, _ = affine_backward(dz1, h1, w1)",
            **also("update-before-use", ("dz3 @ w3.T", "dz3 @ (w3 - STEP * dw3).T")),
            "dropped-term": ("    return [", "    db3[1] = 0.0\n    return ["),
            "exchanged": ("[(dw1, db1), (dw2, db2),", "[(dw2, db2), (dw1, db1),"),
        },
    ),
    of_loss(
        *("softmax-relu-tie", relu_loss, relu_gradient),
        # One example, and the bias of one unit.
        zeroed(draw_relu, lambda params, x, _: (x[2], params[0][1][3:4])),
        usual("relu-at-zero", "ce-minus-missing", "bias-mean"),
    ),
    dense(
        *("brier-tanh", TANH),
        (
            lambda z, y: jnp.mean(jnp.sum(jnp.square(jax.nn.softmax(z) - y), axis=-1)),
            briers_backward,
        ),
        lambda rng: (
            tuple(layers(rng, 3, 7, 5)),
            rng.normal(size=(11, 3)),
            one_hot_rows(rng, 11, 5),
        ),
        {**BRIER, **usual("tanh-linear", "tanh-of-h"), "accumulates": accumulates},
    ),
    dense(
        *("brier-sigmoid", (jax.nn.sigmoid, sigmoid, sigmoid_backward)),
        *((logsumexp_brier, mean_brier_backward), draw_square),
        {
            **BRIER,
            **usual("sigmoid-of-z", "dx-untransposed"),
            "dw-after-activation": "at_w = dz, hs[1], w",
            "exchanged": (
                RETURN,
                "(dw, db), (dv, dc) = grads\nreturn as_params([(dw, dc), (dv, db)], params)",
            ),
        },
    ),
    of_loss(
        *("polynomial", polynomial_loss, polynomial_gradient, draw_polynomial),
        {
            **usual("missing-square", "half-mse", *MEANS, "residual-sign"),
            # The residuals are written where the targets were.
            "accumulates": ("return powers", "y -= powers @ coefficients\nreturn powers"),
            "dropped-term": ("return powers", "powers[:, 2] = 0.0\nreturn powers"),
            "exchanged": ("powers.T @ dz", "(powers.T @ dz)[[0, 2, 1, 3]]"),
        },
    ),
    dense(
        *("linear-outputs", None, SQUARED),
        lambda rng: (affine(rng, 5, 2), rng.normal(size=(7, 5)), rng.normal(size=(7, 2))),
        {
            **usual("missing-square", "half-mse", *MEANS, "residual-sign", "mean-over-outputs"),
            **usual(*BIASES),
            "decay-factor": (INSERT, "grads.insert(0, (dw, db + 2 * decay * b))"),
        },
        decay=0.2,
    ),
    of_loss(
        *("relu-columns", columns_loss, columns_gradient, draw_columns),
        {
            **usual("missing-square", "missing-mean", "mean-over-outputs", "residual-sign"),
            **OF_COLUMNS,
            # dz has the mean in it already.
            "double-mean": ("return dw, db", "return dw / dz.shape[1], db / dz.shape[1]"),
            "bias-mean": ("return dw, db", "return dw, db / dz.shape[1]"),
            "bias-unsummed": ("return dw, db", "return dw, dz"),
            "bias-wrong-axis": "db = dz.sum(axis=0, keepdims=True)",
            **usual("no-activation-derivative", "relu-mask"),
            "update-before-use": "da1 = (w2 - RATE * dw2).T @ dz2",
            "accumulates": accumulates,
        },
    ),
    of_loss(
        *("relu-columns-tie", columns_loss, columns_gradient),
        # One example, and the biases of two units.
        zeroed(draw_columns, lambda params, x, _: (x[:, 4], params["b1"][:2])),
        {**usual("relu-at-zero"), **OF_COLUMNS},
    ),
    of_loss(
        *("residual-block", residual_loss, residual_gradient, draw_residual),
        {
            **usual("softmax-diagonal", "softmax-shortcut", "softmax-wrong-axis"),
            **usual("ce-minus-missing"),
            "dw-after-activation": ("h0.T @ dz", "h1.T @ dz"),
            "decay-factor": "dw = h0.T @ dz + BLOCK_DECAY * w",
            **UNTRANSPOSED,
            **usual(*MEANS, "residual-sign", *BIASES),
            "dw-transposed": ("h0.T @ dz", "dz.T @ h0"),
            **usual("no-activation-derivative"),
            "relu-mask": "dz = dh1 * (h0 > 0)",
            "update-before-use": "dh1 = dlogits @ (leave - STEP * dleave).T",
        },
    ),
    of_loss(
        *("residual-block-tie", residual_loss, residual_gradient),
        # One example, and the bias of one unit.
        zeroed(draw_residual, lambda net, x, _: (x[0], net.b[1:2])),
        {**usual("relu-at-zero"), **UNTRANSPOSED},
    ),
    dense(
        *("relu-deep", (lambda z: jnp.maximum(z, 0.0), relu, gated_backward)),
        (lambda z, y: jnp.mean(optax.sigmoid_binary_cross_entropy(z, y)), entropies_backward),
        # Only the middle one of the three layers is square.
        lambda rng: (
            [list(pair) for pair in layers(rng, 5, 5, 5, 1)],
            rng.normal(size=(11, 5)),
            zero_or_one(rng, 11, 1),
        ),
        {
            "dx-untransposed": (INSERT, f"dh = dz @ w if i == 1 else dh\n{INSERT}"),
            **usual("bce-extra-derivative", "ce-minus-missing"),
            # Examples in threes, and what is left over is left out.
            "dropped-term": (INSERT, f"dw = hs[2][:9].T @ dz[:9] if i == 2 else dw\n{INSERT}"),
            "exchanged": (
                RETURN,
                "(dw, db), (dv, dc), last = grads\n"
                "return as_params([(dw, dc), (dv, db), last], params)",
            ),
            **usual(*MEANS, "residual-sign", *BIASES, "dw-transposed"),
            **usual("no-activation-derivative", "relu-mask", "update-before-use"),
        },
    ),
]

#: At the end of the results.
MARGINS = [
    of_loss(
        *("margin", margin_loss, margin_gradient, draw_margin),
        {
            **usual(*MEANS),
            "residual-sign": ("df = -y", "df = y"),
            "bias-mean": "db = df.mean()",
            "relu-mask": "inside = f > 0",
            "no-activation-derivative": "inside = np.ones_like(f)",
            "dropped-term": ("return dw, db", "dw[1] = 0.0\nreturn dw, db"),
            **OF_MARGIN,
        },
    ),
    of_loss(
        *("margin-tie", margin_loss, margin_gradient, draw_margin_tie),
        {"relu-at-zero": "inside = margin >= 0", **OF_MARGIN},
    ),
]

"""thinc's backward passes: operations, layers and losses."""

# pyright: reportMissingImports=false
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.special

from evaluation.foreign.subject import Backward, Subject
from evaluation.formulas import Namespace, formula, table

X = np.array([[0.7, -1.3, 2.1], [0.4, -0.6, 3.4], [-2.9, 1.1, -0.2], [0.3, 5.2, -7.0]])
W = np.array([[0.5, -0.2, 0.9], [1.1, 0.3, -0.7]])
B = np.array([0.3, -0.4])
CUBE = np.random.default_rng(3).normal(size=(4, 2, 3)).round(3)
LENGTHS = np.array([1, 3], dtype="i")

#: The forward pass in floats.
NUMPY = Namespace(np, scipy.special, softplus=lambda x: np.logaddexp(0, x))


def softmax(xp: Any, x: Any, axis: int = -1) -> Any:
    return xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=True)


def _layer_norm(xp: Any, x: Any, g: Any, b: Any) -> Any:
    gap = x - xp.mean(x, axis=1, keepdims=True)
    return g * gap / xp.sqrt(xp.mean(gap * gap, axis=1, keepdims=True) + 1e-8) + b


#: Of x alone: the forward pass, and the arguments of the backward one in the package, of dy, x, y.
OPERATIONS = """
relu                 | maximum(x, 0)                             | dy, y
sigmoid              | expit(x)                                  | dy, y
tanh                 | tanh(x)                                   | dy, y
clipped_linear       | clip(1.7 * x + 0.2, -1.0, 2.0)
                     | dy, x, slope=1.7, offset=0.2, min_val=-1.0, max_val=2.0
relu_k               | clip(x, 0, 4)                             | dy, x, n=4
hard_sigmoid         | clip(0.2 * x + 0.5, 0, 1)                 | dy, x
hard_tanh            | clip(x, -1, 1)                            | dy, x
swish                | x * expit(x)                              | dy, x, y
hard_swish           | x * clip(0.2 * x + 0.5, 0, 1)             | dy, x
hard_swish_mobilenet | x * clip(x + 3, 0, 6) / 6                 | dy, x
dish                 | x / 2 * (1 + x / sqrt(1 + x * x))         | dy, x
gelu                 | x * ndtr(x)                               | dy, x
gelu_approx          | x * (1 + tanh(sqrt(2 / np.pi + 0 * x) * (x + 0.044715 * x**3))) / 2 | dy, x
mish                 | x * tanh(softplus(x))                     | dy, x
softmax              | softmax(xp, x)                            | y, dy
softmax of columns   | softmax(xp, x, 0)                         | y, dy, axis=0
softmax temperature  | softmax(xp, x / 1.7)                      | y, dy, temperature=1.7
softmax_sequences    | concatenate([softmax(xp, x[:1], 0), softmax(xp, x[1:], 0)]) | dy, y, LENGTHS
reduce_sum           | stack([x[0], sum(x[1:], axis=0)])         | dy, LENGTHS
reduce_mean          | stack([x[0], mean(x[1:], axis=0)])        | dy, LENGTHS
reduce_max           | stack([x[0], max(x[1:], axis=0)])   | dy, reduce_max(x, LENGTHS)[1], LENGTHS
reduce_first         | stack([x[0], x[1]])                       | dy, reduce_first(x, LENGTHS)[1]
reduce_last          | stack([x[0], x[3]])                       | dy, reduce_last(x, LENGTHS)[1]
seq2col              | concatenate(
    [concatenate([0 * x[:1], x[:-1]]), x, concatenate([x[1:], 0 * x[:1]])], axis=1) | dy, 1
"""

#: Layers of x @ w.T + b: the operation that they apply to it.
LAYERS = "Relu=relu Sigmoid=sigmoid Softmax=softmax Gelu=gelu Swish=swish Mish=mish Dish=dish"
LAYERS += " HardSwish=hard_swish Linear=linear ClippedLinear=clipped"


def _operations(ops: Any) -> Iterator[Subject]:
    for name, text, arguments in table(OPERATIONS):
        f, kind = formula("x", text, globals()), name.partition(" ")[0]
        call = "dy * dtanh(y)" if name == "tanh" else f"backprop_{kind}({arguments})"
        backprop = formula("dy, x, y", call, globals())

        def backward(dy: Any, x: Any, f: Any = f, backprop: Any = backprop) -> Any:
            return backprop(ops, dy, x, np.asarray(f(NUMPY, x)))

        yield Backward(f"backprop_{name}", f, backward, (X,))

    def of_maxout(dy: Any, x: Any) -> Any:
        return ops.backprop_maxout(dy, ops.maxout(x)[1], 3)

    maxout = formula("x", "max(x, axis=2)")
    yield Backward("backprop_maxout", maxout, of_maxout, (CUBE,))

    def of_lstm(dy: Any, x: Any, p: Any) -> Any:
        h, sizes = np.zeros((1, 1, 2), "f"), np.ones(3, dtype="i")
        state = ops.lstm_forward_training(p, h, h, x, sizes)[1]
        return ops.backprop_lstm(dy.astype("f"), sizes, p, state)

    p = np.random.default_rng(5).normal(size=56).round(2).astype("f")
    yield Backward("backprop_lstm", _lstm, of_lstm, ((X[:3] / 2).astype("f"), p))


def _lstm(xp: Any, x: Any, p: Any) -> Any:
    """One layer, one direction, one sequence, from zeros; gates: forget, input, output, new."""
    wx, bx = xp.reshape(p[:24], (4, 2, 3)), xp.reshape(p[24:32], (4, 2))
    wh, bh = xp.reshape(p[32:48], (4, 2, 2)), xp.reshape(p[48:], (4, 2))
    h = c = 0 * x[0, :2]
    out = []
    for t in range(3):
        z = [wx[g] @ x[t] + bx[g] + wh[g] @ h + bh[g] for g in range(4)]
        c = xp.expit(z[0]) * c + xp.expit(z[1]) * xp.tanh(z[3])
        h = xp.expit(z[2]) * xp.tanh(c)
        out.append(h)
    return xp.stack(out)


def _layers(api: Any) -> Iterator[Subject]:
    def layer(name: str, f: Any, make: Any, **params: Any) -> Subject:
        def through(dy: Any, x: Any, *values: Any) -> Any:
            model = make().initialize()
            for key, value in zip(params, values, strict=True):
                model.set_param(key, value)
            dx = model(x, is_train=True)[1](dy)
            return dx, *(np.array(model.get_grad(key)) for key in params)

        return Backward(f"{name} layer", f, through, (X, *params.values()))

    texts = {name: text for name, text, _ in table(OPERATIONS)}
    texts |= {"linear": "x", "clipped": "clip(x, 0, 1)"}
    for name, operation in (pair.split("=") for pair in LAYERS.split()):
        w, b = (np.vstack([W, [[0.2, -0.5, 0.6]]]), np.append(B, 0.1)) if name == "Dish" else (W, B)
        make, text = partial(getattr(api, name), len(b), 3), texts[operation]
        of = formula("x, w, b", f"(lambda x: {text})(x @ w.T + b)", globals())
        yield layer(name, of, make, W=w, b=b)

    def maxout(xp: Any, x: Any, w: Any, b: Any) -> Any:
        return xp.max(xp.reshape(x @ xp.reshape(w, (4, 3)).T, (4, 2, 2)) + b, axis=2)

    w, b = np.stack([W, W[::-1] ** 2 - 0.4]), np.array([[0.1, -0.2], [0.3, 0.5]])
    yield layer("Maxout", maxout, partial(api.Maxout, 2, 3, nP=2), W=w, b=b)
    g, b = np.array([1.1, 0.7, -0.4]), np.array([0.2, -0.1, 0.3])
    yield layer("LayerNorm", _layer_norm, partial(api.LayerNorm, 3), G=g, b=b)

    def of_similarity(dy: Any, x: Any, y: Any, w: Any) -> Any:
        model = api.CauchySimilarity(3).initialize()
        model.set_param("W", w)
        dx, dz = model((x, y), is_train=True)[1](dy)
        return dx, dz, model.get_grad("W").reshape(w.shape)

    similarity = formula("x, y, w", "1 / (1 + sum(w * (x - y) ** 2, axis=1))")
    at = (X, X[::-1] / 2, np.array([0.5, 1.2, 0.8]))
    yield Backward("CauchySimilarity layer", similarity, of_similarity, at)

    def attention(dy: Any, x: Any, q: Any) -> Any:
        model = api.ParametricAttention(3).initialize()
        model.set_param("Q", q)
        dx = model(api.Ragged(x, LENGTHS), is_train=True)[1](api.Ragged(dy, LENGTHS)).dataXd
        return dx, model.get_grad("Q")

    def attended(xp: Any, x: Any, q: Any) -> Any:
        scores = xp.sum(x * q, axis=1, keepdims=True)
        return x * xp.concatenate([softmax(xp, scores[:1], 0), softmax(xp, scores[1:], 0)])

    at = (X, np.array([0.5, -0.2, 0.3]))
    yield Backward("ParametricAttention layer", attended, attention, at)


def _cosine_distance(xp: Any, x: Any, y: Any) -> Any:
    """Σ |1 - cos|²/2, whose gradient by cos is what the package takes it to be."""
    x, y = x + 1e-8, y + 1e-8
    norms = xp.sqrt(xp.sum(x * x, axis=1)) * xp.sqrt(xp.sum(y * y, axis=1))
    return -xp.sum(xp.sum(x * y, axis=1) / norms)


def _thinc() -> Iterator[Subject]:
    import thinc.api as api

    yield from _operations(api.NumpyOps())
    yield from _layers(api)
    distance, truths = formula("x, y", "sum(((x - y) / 4) ** 2)"), (X[::-1] / 3,)
    yield Subject("L2Distance", distance, api.L2Distance().get_grad, X, truths)
    cosine = api.CosineDistance(normalize=False).get_grad
    yield Subject("CosineDistance", _cosine_distance, cosine, X, truths)


PACKAGES = {"thinc": _thinc}

"""thinc's backward passes: operations, layers and losses."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.attack.foreign.subject import Backward, Subject

X = np.array([[0.7, -1.3, 2.1], [0.4, -0.6, 3.4], [-2.9, 1.1, -0.2], [0.3, 5.2, -7.0]])
W = np.array([[0.5, -0.2, 0.9], [1.1, 0.3, -0.7]])
B = np.array([0.3, -0.4])
CUBE = np.random.default_rng(3).normal(size=(4, 2, 3)).round(3)
LENGTHS = np.array([1, 3], dtype="i")


def _gelu_approx(xp: Any, x: Any) -> Any:
    return x * (1 + xp.tanh(xp.sqrt(2 / np.pi + 0 * x) * (x + 0.044715 * x**3))) / 2


def _softmax(xp: Any, x: Any, axis: int = -1) -> Any:
    return xp.exp(x) / xp.sum(xp.exp(x), axis=axis, keepdims=True)


def _layer_norm(xp: Any, x: Any, g: Any, b: Any) -> Any:
    gap = x - xp.mean(x, axis=1, keepdims=True)
    return g * gap / xp.sqrt(xp.mean(gap * gap, axis=1, keepdims=True) + 1e-8) + b


#: Of X alone: what it is, and the package's backward pass, from its operations, dY, X and Y.
_ELEMENTWISE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "relu": (lambda xp, x: xp.maximum(x, 0), lambda ops, dy, x, y: ops.backprop_relu(dy, y)),
    "sigmoid": (lambda xp, x: xp.expit(x), lambda ops, dy, x, y: ops.backprop_sigmoid(dy, y)),
    "tanh": (lambda xp, x: xp.tanh(x), lambda ops, dy, x, y: dy * ops.dtanh(y)),
    "clipped_linear": (
        lambda xp, x: xp.clip(1.7 * x + 0.2, -1.0, 2.0),
        lambda ops, dy, x, y: ops.backprop_clipped_linear(
            dy, x, slope=1.7, offset=0.2, min_val=-1.0, max_val=2.0
        ),
    ),
    "relu_k": (
        lambda xp, x: xp.clip(x, 0, 4),
        lambda ops, dy, x, y: ops.backprop_relu_k(dy, x, n=4),
    ),
    "hard_sigmoid": (
        lambda xp, x: xp.clip(0.2 * x + 0.5, 0, 1),
        lambda ops, dy, x, y: ops.backprop_hard_sigmoid(dy, x),
    ),
    "hard_tanh": (
        lambda xp, x: xp.clip(x, -1, 1),
        lambda ops, dy, x, y: ops.backprop_hard_tanh(dy, x),
    ),
    "swish": (lambda xp, x: x * xp.expit(x), lambda ops, dy, x, y: ops.backprop_swish(dy, x, y)),
    "hard_swish": (
        lambda xp, x: x * xp.clip(0.2 * x + 0.5, 0, 1),
        lambda ops, dy, x, y: ops.backprop_hard_swish(dy, x),
    ),
    "hard_swish_mobilenet": (
        lambda xp, x: x * xp.clip(x + 3, 0, 6) / 6,
        lambda ops, dy, x, y: ops.backprop_hard_swish_mobilenet(dy, x),
    ),
    "dish": (
        lambda xp, x: x / 2 * (1 + x / xp.sqrt(1 + x * x)),
        lambda ops, dy, x, y: ops.backprop_dish(dy, x),
    ),
    "gelu": (lambda xp, x: x * xp.ndtr(x), lambda ops, dy, x, y: ops.backprop_gelu(dy, x)),
    "gelu_approx": (_gelu_approx, lambda ops, dy, x, y: ops.backprop_gelu_approx(dy, x)),
    "mish": (
        lambda xp, x: x * xp.tanh(xp.softplus(x)),
        lambda ops, dy, x, y: ops.backprop_mish(dy, x),
    ),
    "softmax": (_softmax, lambda ops, dy, x, y: ops.backprop_softmax(y, dy)),
    "softmax of columns": (
        lambda xp, x: _softmax(xp, x, 0),
        lambda ops, dy, x, y: ops.backprop_softmax(y, dy, axis=0),
    ),
    "softmax temperature": (
        lambda xp, x: _softmax(xp, x / 1.7),
        lambda ops, dy, x, y: ops.backprop_softmax(y, dy, temperature=1.7),
    ),
    "softmax_sequences": (
        lambda xp, x: xp.concatenate([_softmax(xp, x[:1], 0), _softmax(xp, x[1:], 0)]),
        lambda ops, dy, x, y: ops.backprop_softmax_sequences(dy, y, LENGTHS),
    ),
    "reduce_sum": (
        lambda xp, x: xp.stack([x[0], xp.sum(x[1:], axis=0)]),
        lambda ops, dy, x, y: ops.backprop_reduce_sum(dy, LENGTHS),
    ),
    "reduce_mean": (
        lambda xp, x: xp.stack([x[0], xp.mean(x[1:], axis=0)]),
        lambda ops, dy, x, y: ops.backprop_reduce_mean(dy, LENGTHS),
    ),
    "reduce_max": (
        lambda xp, x: xp.stack([x[0], xp.max(x[1:], axis=0)]),
        lambda ops, dy, x, y: ops.backprop_reduce_max(dy, ops.reduce_max(x, LENGTHS)[1], LENGTHS),
    ),
    "reduce_first": (
        lambda xp, x: xp.stack([x[0], x[1]]),
        lambda ops, dy, x, y: ops.backprop_reduce_first(dy, ops.reduce_first(x, LENGTHS)[1]),
    ),
    "reduce_last": (
        lambda xp, x: xp.stack([x[0], x[3]]),
        lambda ops, dy, x, y: ops.backprop_reduce_last(dy, ops.reduce_last(x, LENGTHS)[1]),
    ),
    "seq2col": (
        lambda xp, x: xp.concatenate(
            [xp.concatenate([0 * x[:1], x[:-1]]), x, xp.concatenate([x[1:], 0 * x[:1]])], axis=1
        ),
        lambda ops, dy, x, y: ops.backprop_seq2col(dy, 1),
    ),
}
#: Layers: what they compute from X and their parameters, how they are made, and the parameters.
_LAYERS: dict[str, tuple[Callable[..., Any], str, dict[str, Any], dict[str, np.ndarray]]] = {
    "Linear": (lambda xp, x, w, b: x @ w.T + b, "Linear", {}, {"W": W, "b": B}),
    "Relu": (lambda xp, x, w, b: xp.maximum(x @ w.T + b, 0), "Relu", {}, {"W": W, "b": B}),
    "Sigmoid": (lambda xp, x, w, b: xp.expit(x @ w.T + b), "Sigmoid", {}, {"W": W, "b": B}),
    "Softmax": (lambda xp, x, w, b: _softmax(xp, x @ w.T + b), "Softmax", {}, {"W": W, "b": B}),
    "Gelu": (
        lambda xp, x, w, b: (x @ w.T + b) * xp.ndtr(x @ w.T + b),
        "Gelu",
        {},
        {"W": W, "b": B},
    ),
    "Swish": (
        lambda xp, x, w, b: (x @ w.T + b) * xp.expit(x @ w.T + b),
        "Swish",
        {},
        {"W": W, "b": B},
    ),
    "Mish": (
        lambda xp, x, w, b: (x @ w.T + b) * xp.tanh(xp.softplus(x @ w.T + b)),
        "Mish",
        {},
        {"W": W, "b": B},
    ),
    "Dish": (
        lambda xp, x, w, b: _ELEMENTWISE["dish"][0](xp, x @ w.T + b),
        "Dish",
        {},
        {"W": np.vstack([W, [[0.2, -0.5, 0.6]]]), "b": np.array([0.3, -0.4, 0.1])},
    ),
    "HardSwish": (
        lambda xp, x, w, b: _ELEMENTWISE["hard_swish"][0](xp, x @ w.T + b),
        "HardSwish",
        {},
        {"W": W, "b": B},
    ),
    "ClippedLinear": (
        lambda xp, x, w, b: xp.clip(x @ w.T + b, 0, 1),
        "ClippedLinear",
        {},
        {"W": W, "b": B},
    ),
    "Maxout": (
        lambda xp, x, w, b: xp.max(xp.reshape(x @ xp.reshape(w, (4, 3)).T, (4, 2, 2)) + b, axis=2),
        "Maxout",
        {"nP": 2},
        {"W": np.stack([W, W[::-1] ** 2 - 0.4]), "b": np.array([[0.1, -0.2], [0.3, 0.5]])},
    ),
    "LayerNorm": (
        _layer_norm,
        "LayerNorm",
        {},
        {"G": np.array([1.1, 0.7, -0.4]), "b": np.array([0.2, -0.1, 0.3])},
    ),
}


def subjects() -> Iterator[Subject]:
    """All of them."""
    import thinc.api as api

    ops = api.NumpyOps()
    for name, (f, backprop) in _ELEMENTWISE.items():

        def backward(dy: Any, x: Any, f: Any = f, backprop: Any = backprop) -> Any:
            return backprop(ops, dy, x, np.asarray(f(_Numpy(), x)))

        yield Backward("thinc", f"backprop_{name}", f, backward, (X,))
    yield Backward(
        "thinc",
        "backprop_maxout",
        lambda xp, x: xp.max(x, axis=2),
        lambda dy, x: ops.backprop_maxout(dy, ops.maxout(x)[1], 3),
        (CUBE,),
    )
    for name, (f, kind, settings, params) in _LAYERS.items():

        def through(
            dy: Any,
            x: Any,
            *values: Any,
            kind: Any = kind,
            s: Any = settings,
            names: Any = tuple(params),
        ) -> Any:
            width = values[0].shape[0] if kind != "LayerNorm" else 3
            model = getattr(api, kind)(width, 3, **s) if kind != "LayerNorm" else api.LayerNorm(3)
            model.initialize()
            for key, value in zip(names, values, strict=True):
                model.set_param(key, value)
            backprop = model(x, is_train=True)[1]
            dx = backprop(dy)
            return dx, *(np.array(model.get_grad(key)) for key in names)

        yield Backward("thinc", f"{name} layer", f, through, (X, *params.values()))

    def similarity(dy: Any, x: Any, y: Any, w: Any) -> Any:
        model = api.CauchySimilarity(3).initialize()
        model.set_param("W", w)
        dx, dz = model((x, y), is_train=True)[1](dy)
        return dx, dz, model.get_grad("W").reshape(w.shape)

    yield Backward(
        "thinc",
        "CauchySimilarity layer",
        lambda xp, x, y, w: 1 / (1 + xp.sum(w * (x - y) ** 2, axis=1)),
        similarity,
        (X, X[::-1] / 2, np.array([0.5, 1.2, 0.8])),
    )

    def attention(dy: Any, x: Any, q: Any) -> Any:
        model = api.ParametricAttention(3).initialize()
        model.set_param("Q", q)
        dx = model(api.Ragged(x, LENGTHS), is_train=True)[1](api.Ragged(dy, LENGTHS)).dataXd
        return dx, model.get_grad("Q")

    def attended(xp: Any, x: Any, q: Any) -> Any:
        scores = xp.sum(x * q, axis=1, keepdims=True)
        return x * xp.concatenate([_softmax(xp, scores[:1], 0), _softmax(xp, scores[1:], 0)])

    yield Backward(
        "thinc", "ParametricAttention layer", attended, attention, (X, np.array([0.5, -0.2, 0.3]))
    )
    truths = X[::-1] / 3
    yield Subject(
        "thinc",
        "L2Distance",
        lambda xp, x, y: xp.sum(((x - y) / 4) ** 2),
        api.L2Distance().get_grad,
        X,
        (truths,),
    )
    yield Subject(
        "thinc",
        "CosineDistance",
        _cosine_distance,
        api.CosineDistance(normalize=False).get_grad,
        X,
        (truths,),
    )

    def recurrent(dy: Any, x: Any, p: Any) -> Any:
        h, sizes = np.zeros((1, 1, 2), "f"), np.ones(3, dtype="i")
        state = ops.lstm_forward_training(p, h, h, x, sizes)[1]
        return ops.backprop_lstm(dy.astype("f"), sizes, p, state)

    p = np.random.default_rng(5).normal(size=56).round(2).astype("f")
    yield Backward("thinc", "backprop_lstm", _lstm, recurrent, ((X[:3] / 2).astype("f"), p))


def _cosine_distance(xp: Any, x: Any, y: Any) -> Any:
    """Σ |1 - cos|²/2, whose gradient by cos is what the package takes it to be."""
    x, y = x + 1e-8, y + 1e-8
    norms = xp.sqrt(xp.sum(x * x, axis=1)) * xp.sqrt(xp.sum(y * y, axis=1))
    return -xp.sum(xp.sum(x * y, axis=1) / norms)


def _lstm(xp: Any, x: Any, p: Any) -> Any:
    """One layer, one direction, one sequence, from zeros; gates: forget, input, output, new."""
    wx, bx, wh, bh = (
        xp.reshape(p[:24], (4, 2, 3)),
        xp.reshape(p[24:32], (4, 2)),
        xp.reshape(p[32:48], (4, 2, 2)),
        xp.reshape(p[48:], (4, 2)),
    )
    h = c = 0 * x[0, :2]
    out = []
    for t in range(3):
        z = [wx[g] @ x[t] + bx[g] + wh[g] @ h + bh[g] for g in range(4)]
        c = xp.expit(z[0]) * c + xp.expit(z[1]) * xp.tanh(z[3])
        h = xp.expit(z[2]) * xp.tanh(c)
        out.append(h)
    return xp.stack(out)


class _Numpy:
    """The forward pass in floats."""

    def __getattr__(self, name: str) -> Any:
        import scipy.special

        if name == "softplus":
            return lambda x: np.logaddexp(0, x)
        return getattr(np, name, None) or getattr(scipy.special, name)

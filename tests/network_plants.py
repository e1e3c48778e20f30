"""The mistakes that people make in backpropagation, planted in the general network.

The slugs are the catalogue's; each stands in every variant that it names.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from manual.activations import ACTIVATIONS, sigmoid, sigmoid_derivative
from manual.affine import AffineCache, Layer, affine_backward_parameters, affine_forward
from manual.losses import LOSSES, softmax
from manual.network import Network
from tests.network_planting import (
    Gradient,
    Plant,
    after,
    in_activation,
    in_inputs,
    in_loss,
    in_output,
    in_parameters,
    replaced,
    with_backward,
)


def _keeps_outputs_for_inputs(net: Network) -> Gradient:
    def forward(x: Any, w: Any, b: Any) -> Any:
        z, _ = affine_forward(x, w, b)
        return z, AffineCache(ACTIVATIONS[net.activation].forward(z)[0], w)

    return replaced(net, affine_forward=forward)


def _adds_to_a_buffer(net: Network) -> Gradient:
    buffers: dict[tuple[int, ...], Any] = {}

    def adding(dz: Any, cache: Any) -> Layer:
        dw, db = affine_backward_parameters(dz, cache)
        total = buffers.setdefault(dw.shape, np.zeros_like(dw))
        total += dw
        return Layer(total, db)

    return replaced(net, affine_backward_parameters=adding)


def _adds_to_weights(_: Any, cache: Any, right: Layer) -> Layer:
    w = cache.w
    w += right.w
    return right._replace(w=w)


def _softmax_jacobian(d: Any, p: Any) -> Any:
    return p * (d - (d * p).sum(axis=-1, keepdims=True))


def _over_the_batch(_: Any, cache: Any) -> Any:
    e = np.exp(cache.z - cache.z.max())
    return (e / e.sum(axis=0, keepdims=True) - cache.y) / len(e)


def _without_first(array: Any) -> Any:
    changed = array.copy()
    changed[:, 0] = 0
    return changed


def _decays_biases(net: Network, params: Any, grads: Any) -> Any:
    return [Layer(dw, db + 2 * net.l2 * b) for (dw, db), (_, b) in zip(grads, params, strict=True)]


def _halves_decay(net: Network, params: Any, grads: Any) -> Any:
    return [Layer(dw - net.l2 * w, db) for (dw, db), (w, _) in zip(grads, params, strict=True)]


def _first_two_columns(array: Any) -> Any:
    return array[..., [1, 0, *range(2, array.shape[-1])]]


def _no_slope(da: Any, _: Any) -> Any:
    return da


#: Every mistake; `convention` is what `relu-at-zero` is, and `tests.test_network_plants` has it.
PLANTS: tuple[Plant, ...] = (
    Plant("missing-square", "", in_loss(lambda _, r: np.ones_like(r) / len(r)), loss="mse"),
    Plant("half-mse", "", in_loss(lambda _, r: r / len(r)), loss="mse"),
    *(
        plant
        for loss in LOSSES
        for plant in (
            Plant("missing-mean", loss, in_loss(lambda d, _: d * len(d)), loss=loss),
            Plant("double-mean", loss, in_loss(lambda d, _: d / len(d)), loss=loss),
            Plant("mean-over-outputs", loss, in_loss(lambda d, _: d / d.shape[1]), loss=loss),
            Plant("residual-sign", loss, in_loss(lambda d, _: -d), loss=loss),
        )
    ),
    Plant("bias-mean", "", in_parameters(lambda dz, _, g: g._replace(b=dz.mean(axis=0)))),
    Plant("bias-unsummed", "", in_parameters(lambda dz, _, g: g._replace(b=dz))),
    Plant("bias-unsummed", "row", in_parameters(lambda dz, _, g: g._replace(b=dz[0]))),
    Plant("bias-wrong-axis", "", in_parameters(lambda dz, _, g: g._replace(b=dz.sum(axis=1)))),
    Plant(
        "bias-wrong-axis",
        "cut",
        in_parameters(lambda dz, _, g: g._replace(b=np.resize(dz.sum(axis=1), g.b.shape))),
    ),
    Plant("dw-transposed", "shape", after(lambda _, p, grads: [Layer(g.w.T, g.b) for g in grads])),
    Plant(
        *("dw-transposed", "square"),
        in_parameters(lambda dz, c, g: g._replace(w=dz.T @ c.x)),
        square=True,
    ),
    Plant("dx-untransposed", "", in_inputs(lambda dz, c: dz @ c.w), square=True),
    Plant("dx-untransposed", "axes", in_inputs(lambda dz, c: dz @ c.w.reshape(c.w.shape[::-1]))),
    Plant("dw-after-activation", "", _keeps_outputs_for_inputs, square=True),
    Plant("tanh-linear", "", in_activation(lambda z: 1 - np.tanh(z)), activation="tanh"),
    Plant("tanh-of-h", "", in_activation(lambda z: 1 - np.tanh(np.tanh(z)) ** 2), "tanh"),
    Plant("sigmoid-of-z", "z", in_activation(lambda z: z * (1 - z)), "sigmoid"),
    Plant("sigmoid-of-z", "a", in_activation(lambda z: sigmoid_derivative(sigmoid(z))), "sigmoid"),
    *(
        Plant("no-activation-derivative", name, in_activation(np.ones_like), name)
        for name in ACTIVATIONS
        if name != "identity"
    ),
    *(
        Plant("no-activation-derivative", f"output {name}", in_output(_no_slope), "relu", name)
        for name in ("sigmoid", "tanh", "softplus")
    ),
    Plant(
        "bce-extra-derivative", "", in_loss(lambda d, c: d * sigmoid_derivative(c.z)), loss="bce"
    ),
    Plant(
        *("softmax-diagonal", ""),
        in_loss(lambda d, c: -c.y * (1 - softmax(c.z)) / len(d)),
        loss="softmax-ce",
    ),
    Plant(
        *("softmax-shortcut", "with MSE"),
        lambda net: replaced(
            net,
            LOSSES=with_backward(LOSSES, "mse", lambda dl, r: dl * r / len(r)),
            ACTIVATIONS=with_backward(ACTIVATIONS, "sigmoid", _no_slope),
        ),
        *("tanh", "sigmoid", "mse"),
    ),
    Plant(
        *("softmax-shortcut", "and the Jacobian"),
        in_loss(lambda d, c: _softmax_jacobian(d, softmax(c.z))),
        loss="softmax-ce",
    ),
    Plant("ce-minus-missing", "bce", in_loss(lambda d, c: sigmoid(c.z) / len(d)), loss="bce"),
    Plant(
        *("ce-minus-missing", "softmax"),
        in_loss(lambda d, c: softmax(c.z) / len(d)),
        loss="softmax-ce",
    ),
    Plant("softmax-wrong-axis", "", in_loss(_over_the_batch), loss="softmax-ce"),
    Plant("relu-mask", "of da", lambda net: _relu_by(net, lambda da, z: da > 0), activation="relu"),
    Plant("relu-mask", "below", lambda net: _relu_by(net, lambda da, z: z < 0), activation="relu"),
    Plant("relu-mask", "value", lambda net: _relu_by(net, lambda da, z: np.maximum(z, 0)), "relu"),
    Plant("accumulates", "buffer", _adds_to_a_buffer),
    Plant("accumulates", "weights", in_parameters(_adds_to_weights)),
    Plant(
        *("update-before-use", ""),
        in_inputs(lambda dz, c: dz @ (c.w - 0.1 * affine_backward_parameters(dz, c).w).T),
    ),
    Plant("decay-factor", "half", after(_halves_decay)),
    Plant("decay-factor", "biases", after(_decays_biases)),
    Plant(
        *("dropped-term", "example"),
        in_parameters(lambda dz, c, g: g._replace(w=c.x[1:].T @ dz[1:])),
    ),
    Plant("dropped-term", "element", in_parameters(lambda dz, c, g: g._replace(b=0 * g.b))),
    Plant("dropped-term", "unit", in_inputs(lambda dz, c: _without_first(dz @ c.w.T))),
    Plant("exchanged", "weights", in_parameters(lambda dz, c, g: g._replace(w=g.w[::-1]))),
    Plant(
        "exchanged", "biases", in_parameters(lambda dz, c, g: g._replace(b=_first_two_columns(g.b)))
    ),
    Plant("exchanged", "layers", after(lambda _, p, grads: grads[::-1]), square=True),
)


def _relu_by(net: Network, mask: Callable[[Any, Any], Any]) -> Gradient:
    wrong = with_backward(ACTIVATIONS, "relu", lambda da, z: da * mask(da, z).astype(z.dtype))
    return replaced(net, ACTIVATIONS=wrong)


#: The slope of 1 where z = 0, which is as valid as 0.
AT_ZERO = Plant(
    "relu-at-zero", "", lambda net: _relu_by(net, lambda da, z: z >= 0), activation="relu"
)

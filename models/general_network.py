"""The network of any shape, `manual.network`, and planted mistakes as edits of its own lines.

The slugs are those of `models.mistakes`. Each mistake is planted in every network that it fits.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import manual.network
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from models.model import Edit, edited

_LOSS = "da = LOSSES[network.loss].backward(1.0, cache.loss)"
_ACTIVATION = "dz = ACTIVATIONS[network.activations[at]].backward(da, cache.activation[at])"
_DW, _DB = "cache.x.T @ dz", "namespace(dz).sum(dz, axis=0)"
_PARAMETERS = f"return Layer(w={_DW}, b={_DB})"
_DX, _LAYER = "dz @ cache.w.T", "grads.append(Layer(dw, db))"


class Plant(NamedTuple):
    """A mistake, and the networks that it fits."""

    slug: str
    variant: str
    edits: tuple[Edit, ...]
    activation: str | None = None  #: what the network must have; any if None
    output: str | None = None
    loss: str | None = None
    square: bool = False  #: whether all layers must have one size, which hides mistakes

    def __str__(self) -> str:
        """Return a readable name for a test."""
        return f"{self.slug}:{self.variant}"

    def gradient(self, network: manual.network.Network) -> Callable[..., Any]:
        """Compile the wrong gradient of a network."""
        return partial(edited(manual.network.gradient, *self.edits), network)


def in_loss(wrong: str) -> tuple[Edit, ...]:
    """The loss's backward step, by the right answer da and the cache."""
    return ((_LOSS, f"{_LOSS}\nda = {wrong}"),)


def slope(wrong: str) -> tuple[Edit, ...]:
    """The hidden activation's derivative, as a function of z and the cotangent da."""
    hidden = "if at < len(network.sizes) - 2:"
    return (
        (_ACTIVATION, f"{_ACTIVATION}\n{hidden}\n    z = cache.activation[at]\n    dz = {wrong}"),
    )


def of_output(wrong: str) -> tuple[Edit, ...]:
    """The output's activation."""
    return ((_ACTIVATION, f"{_ACTIVATION}\nif at == len(network.sizes) - 2:\n    dz = {wrong}"),)


def _of_loss(loss: str) -> tuple[Plant, ...]:
    return (
        Plant("missing-mean", loss, in_loss("da * len(da)"), loss=loss),
        Plant("double-mean", loss, in_loss("da / len(da)"), loss=loss),
        Plant("mean-over-outputs", loss, in_loss("da / da.shape[1]"), loss=loss),
        Plant("residual-sign", loss, in_loss("-da"), loss=loss),
    )


#: Every mistake: first those in a layer, then by what the network must have.
PLANTS: tuple[Plant, ...] = (
    Plant("bias-mean", "", ((_DB, "dz.mean(axis=0)"),)),
    Plant("bias-unsummed", "", ((_DB, "dz"),)),
    Plant("bias-unsummed", "row", ((_DB, "dz[0]"),)),
    Plant("bias-wrong-axis", "", ((_DB, "dz.sum(axis=1)"),)),
    Plant("bias-wrong-axis", "cut", ((_DB, "np.resize(dz.sum(axis=1), dz.shape[1])"),)),
    Plant("dw-transposed", "shape", ((_LAYER, "grads.append(Layer(dw.T, db))"),)),
    Plant("dw-transposed", "square", ((_DW, "dz.T @ cache.x"),), square=True),
    Plant("dx-untransposed", "", ((_DX, "dz @ cache.w"),), square=True),
    Plant("dx-untransposed", "axes", ((_DX, "dz @ cache.w.reshape(cache.w.shape[::-1])"),)),
    Plant(
        *("dw-after-activation", ""),
        (
            (
                "affine.append(cache)",
                "affine.append(cache._replace(x=ACTIVATIONS[network.activation].forward(z)[0]))",
            ),
        ),
        square=True,
    ),
    Plant(
        *("accumulates", "buffer"),
        (
            ("def affine_backward_parameters(", "BUFFERS = {}\ndef affine_backward_parameters("),
            (
                _PARAMETERS,
                "total = BUFFERS.setdefault(cache.w.shape, 0 * cache.w)\n"
                f"total += {_DW}\nreturn Layer(w=total, b={_DB})",
            ),
        ),
    ),
    Plant(
        *("accumulates", "weights"),
        ((_PARAMETERS, f"dw = cache.w\ndw += {_DW}\nreturn Layer(w=dw, b={_DB})"),),
    ),
    Plant("update-before-use", "", ((_DX, f"dz @ (cache.w - 0.1 * ({_DW})).T"),)),
    Plant("decay-factor", "half", (("2 * network.l2", "network.l2"),)),
    Plant(
        *("decay-factor", "biases"),
        (
            (
                "return value_and_gradient(network, params, x, y)[1]",
                "grads = value_and_gradient(network, params, x, y)[1]\n"
                "pairs = zip(grads, params, strict=True)\n"
                "return [Layer(dw, db + 2 * network.l2 * b) for (dw, db), (_, b) in pairs]",
            ),
        ),
    ),
    Plant("dropped-term", "example", ((_DW, "cache.x[1:].T @ dz[1:]"),)),
    Plant("dropped-term", "element", ((_DB, f"0 * {_DB}"),)),
    Plant("dropped-term", "unit", ((f"return {_DX}", f"dx = {_DX}\ndx[:, 0] = 0\nreturn dx"),)),
    Plant("exchanged", "weights", ((_DW, f"({_DW})[::-1]"),)),
    Plant("exchanged", "biases", ((_DB, f"{_DB}[[1, 0, *range(2, dz.shape[1])]]"),)),
    Plant("exchanged", "layers", (("return grads[::-1]", "return grads"),), square=True),
    Plant("missing-square", "", in_loss("da * 0 + 1 / len(da)"), loss="mse"),
    Plant("half-mse", "", in_loss("da / 2"), loss="mse"),
    *(plant for loss in LOSSES for plant in _of_loss(loss)),
    Plant("tanh-linear", "", slope("da * (1 - np.tanh(z))"), "tanh"),
    Plant("tanh-of-h", "", slope("da * (1 - np.tanh(np.tanh(z)) ** 2)"), "tanh"),
    Plant("sigmoid-of-z", "z", slope("da * z * (1 - z)"), "sigmoid"),
    Plant("sigmoid-of-z", "a", slope("da * sigmoid(sigmoid(z)) * sigmoid(-sigmoid(z))"), "sigmoid"),
    *(
        Plant("no-activation-derivative", name, slope("da"), name)
        for name in ACTIVATIONS
        if name != "identity"
    ),
    *(
        Plant("no-activation-derivative", f"output {name}", of_output("da"), "relu", name)
        for name in ("sigmoid", "tanh", "softplus")
    ),
    Plant(
        *("bce-extra-derivative", ""),
        in_loss("da * sigmoid(cache.loss.z) * sigmoid(-cache.loss.z)"),
        loss="bce",
    ),
    Plant(
        *("softmax-diagonal", ""),
        in_loss("-cache.loss.y * (1 - softmax(cache.loss.z)) / len(da)"),
        loss="softmax-ce",
    ),
    Plant(
        *("softmax-shortcut", "with MSE"),
        (*in_loss("da / 2"), *of_output("da")),
        *("tanh", "sigmoid", "mse"),
    ),
    Plant(
        *("softmax-shortcut", "and the Jacobian"),
        in_loss("softmax(z := cache.loss.z) * (da - (da * softmax(z)).sum(axis=1, keepdims=True))"),
        loss="softmax-ce",
    ),
    Plant("ce-minus-missing", "bce", in_loss("sigmoid(cache.loss.z) / len(da)"), loss="bce"),
    Plant(
        *("ce-minus-missing", "softmax"),
        in_loss("softmax(cache.loss.z) / len(da)"),
        loss="softmax-ce",
    ),
    Plant(
        *("softmax-wrong-axis", ""),
        in_loss("(softmax(cache.loss.z.T).T - cache.loss.y) / len(da)"),
        loss="softmax-ce",
    ),
    Plant("relu-mask", "of da", slope("da * (da > 0)"), "relu"),
    Plant("relu-mask", "below", slope("da * (z < 0)"), "relu"),
    Plant("relu-mask", "value", slope("da * np.maximum(z, 0)"), "relu"),
)

#: The slope of 1 where z = 0, which is as valid as 0.
AT_ZERO = Plant("relu-at-zero", "", slope("da * (z >= 0)"), "relu")

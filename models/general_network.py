"""The network of any shape, `manual.network`, and planted mistakes as edits of its own lines.

The slugs are those of `models.mistakes`. Each mistake is planted in every network that it fits.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import manual.network
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from models.edits import Edit, edited

_LOSS = "da = LOSSES[network.loss].backward(1.0, cache.loss)"
_ACTIVATION = "dz = ACTIVATIONS[network.activations[at]].backward(da, cache.activation[at])"
_DW, _DB = "cache.x.T @ dz", "namespace(dz).sum(dz, axis=0)"
_PARAMETERS = f"return Layer(w={_DW}, b={_DB})"
_DX, _LAYER = "dz @ cache.w.T", "grads.append(Layer(dw, db))"


class Variant(NamedTuple):
    """A mistake in one form, and the networks that it fits."""

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


def _of_loss(loss: str) -> tuple[Variant, ...]:
    return (
        Variant("missing-mean", loss, in_loss("da * len(da)"), loss=loss),
        Variant("double-mean", loss, in_loss("da / len(da)"), loss=loss),
        Variant("mean-over-outputs", loss, in_loss("da / da.shape[1]"), loss=loss),
        Variant("residual-sign", loss, in_loss("-da"), loss=loss),
    )


#: Every mistake: first those in a layer, then by what the network must have.
VARIANTS: tuple[Variant, ...] = (
    Variant("bias-mean", "", ((_DB, "dz.mean(axis=0)"),)),
    Variant("bias-unsummed", "", ((_DB, "dz"),)),
    Variant("bias-unsummed", "row", ((_DB, "dz[0]"),)),
    Variant("bias-wrong-axis", "", ((_DB, "dz.sum(axis=1)"),)),
    Variant("bias-wrong-axis", "cut", ((_DB, "np.resize(dz.sum(axis=1), dz.shape[1])"),)),
    Variant("dw-transposed", "shape", ((_LAYER, "grads.append(Layer(dw.T, db))"),)),
    Variant("dw-transposed", "square", ((_DW, "dz.T @ cache.x"),), square=True),
    Variant("dx-untransposed", "", ((_DX, "dz @ cache.w"),), square=True),
    Variant("dx-untransposed", "axes", ((_DX, "dz @ cache.w.reshape(cache.w.shape[::-1])"),)),
    Variant(
        *("dw-after-activation", ""),
        (
            (
                "affine.append(cache)",
                "affine.append(cache._replace(x=ACTIVATIONS[network.activation].forward(z)[0]))",
            ),
        ),
        square=True,
    ),
    Variant(
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
    Variant(
        *("accumulates", "weights"),
        ((_PARAMETERS, f"dw = cache.w\ndw += {_DW}\nreturn Layer(w=dw, b={_DB})"),),
    ),
    Variant("update-before-use", "", ((_DX, f"dz @ (cache.w - 0.1 * ({_DW})).T"),)),
    Variant("decay-factor", "half", (("2 * network.l2", "network.l2"),)),
    Variant(
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
    Variant("dropped-term", "example", ((_DW, "cache.x[1:].T @ dz[1:]"),)),
    Variant("dropped-term", "element", ((_DB, f"0 * {_DB}"),)),
    Variant("dropped-term", "unit", ((f"return {_DX}", f"dx = {_DX}\ndx[:, 0] = 0\nreturn dx"),)),
    Variant("exchanged", "weights", ((_DW, f"({_DW})[::-1]"),)),
    Variant("exchanged", "biases", ((_DB, f"{_DB}[[1, 0, *range(2, dz.shape[1])]]"),)),
    Variant("exchanged", "layers", (("return grads[::-1]", "return grads"),), square=True),
    Variant("missing-square", "", in_loss("da * 0 + 1 / len(da)"), loss="mse"),
    Variant("half-mse", "", in_loss("da / 2"), loss="mse"),
    *(plant for loss in LOSSES for plant in _of_loss(loss)),
    Variant("tanh-linear", "", slope("da * (1 - np.tanh(z))"), "tanh"),
    Variant("tanh-of-h", "", slope("da * (1 - np.tanh(np.tanh(z)) ** 2)"), "tanh"),
    Variant("sigmoid-of-z", "z", slope("da * z * (1 - z)"), "sigmoid"),
    Variant(
        "sigmoid-of-z", "a", slope("da * sigmoid(sigmoid(z)) * sigmoid(-sigmoid(z))"), "sigmoid"
    ),
    *(
        Variant("no-activation-derivative", name, slope("da"), name)
        for name in ACTIVATIONS
        if name != "identity"
    ),
    *(
        Variant("no-activation-derivative", f"output {name}", of_output("da"), "relu", name)
        for name in ("sigmoid", "tanh", "softplus")
    ),
    Variant(
        *("bce-extra-derivative", ""),
        in_loss("da * sigmoid(cache.loss.z) * sigmoid(-cache.loss.z)"),
        loss="bce",
    ),
    Variant(
        *("softmax-diagonal", ""),
        in_loss("-cache.loss.y * (1 - softmax(cache.loss.z)) / len(da)"),
        loss="softmax-ce",
    ),
    Variant(
        *("softmax-shortcut", "with MSE"),
        (*in_loss("da / 2"), *of_output("da")),
        *("tanh", "sigmoid", "mse"),
    ),
    Variant(
        *("softmax-shortcut", "and the Jacobian"),
        in_loss("softmax(z := cache.loss.z) * (da - (da * softmax(z)).sum(axis=1, keepdims=True))"),
        loss="softmax-ce",
    ),
    Variant("ce-minus-missing", "bce", in_loss("sigmoid(cache.loss.z) / len(da)"), loss="bce"),
    Variant(
        *("ce-minus-missing", "softmax"),
        in_loss("softmax(cache.loss.z) / len(da)"),
        loss="softmax-ce",
    ),
    Variant(
        *("softmax-wrong-axis", ""),
        in_loss("(softmax(cache.loss.z.T).T - cache.loss.y) / len(da)"),
        loss="softmax-ce",
    ),
    Variant("relu-mask", "of da", slope("da * (da > 0)"), "relu"),
    Variant("relu-mask", "below", slope("da * (z < 0)"), "relu"),
    Variant("relu-mask", "value", slope("da * np.maximum(z, 0)"), "relu"),
)

#: The slope of 1 where z = 0, which is as valid as 0.
AT_ZERO = Variant("relu-at-zero", "", slope("da * (z >= 0)"), "relu")

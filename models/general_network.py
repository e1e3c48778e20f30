"""The network of any shape, `manual.network`, and planted mistakes as edits of its own lines.

The slugs are those of `models.mistakes`. Each mistake is planted in every network that it fits.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import manual.network
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from models.edits import Edit, Shared, edited
from models.helpers import everywhere

_DW, _DB = "cache.x.T @ dz", "namespace(dz).sum(dz, axis=0)"
_PARAMETERS = f"return Layer(w={_DW}, b={_DB})"
_DX, _LAYER = "dz @ cache.w.T", "grads.append(Layer(dw, db))"
_DEFINED = "def affine_backward_parameters("
_GRADIENT = "return value_and_gradient(network, params, x, y)[1]"

#: Mistakes that every loss may have.
OF_A_MEAN = ("missing-mean", "double-mean", "mean-over-outputs", "residual-sign")


class Variant(NamedTuple):
    """A mistake in one form, and the networks that it fits."""

    slug: str
    variant: str
    edits: tuple[Edit | Shared, ...]
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


def of(name: str, *edits: Edit | Shared, **needed: Any) -> Variant:
    """Make a variant, by `"slug:variant"`, of edits; by default they are the slug's usual ones."""
    slug, _, variant = name.partition(":")
    return Variant(slug, variant, edits or (everywhere(slug),), **needed)


def backward_of(activation: str, wrong: str) -> Shared:
    """An activation's backward step, by z and the cotangent da."""
    return {f"{activation.replace('-', '_')}_backward": f"return {wrong}"}


#: Every activation's derivative forgotten, by its name.
FORGOTTEN = [(name, backward_of(name, "da")) for name in ACTIVATIONS if name != "identity"]

#: Every mistake: first those in a layer, then by what the network must have.
VARIANTS: tuple[Variant, ...] = (
    of("bias-mean"),
    of("bias-unsummed"),
    of("bias-unsummed:row", (_DB, "dz[0]")),
    of("bias-wrong-axis"),
    of("bias-wrong-axis:cut", (_DB, "np.resize(dz.sum(axis=1), dz.shape[1])")),
    of("dw-transposed:shape", (_LAYER, "grads.append(Layer(dw.T, db))")),
    of("dw-transposed:square", square=True),
    of("dx-untransposed", square=True),
    of("dx-untransposed:axes", (_DX, "dz @ cache.w.reshape(cache.w.shape[::-1])")),
    of(
        "dw-after-activation",
        (
            "affine.append(cache)",
            "affine.append(cache._replace(x=ACTIVATIONS[network.activation].forward(z)[0]))",
        ),
        square=True,
    ),
    of(
        "accumulates:buffer",
        (_DEFINED, f"BUFFERS = {{}}\n{_DEFINED}"),
        (
            _PARAMETERS,
            "total = BUFFERS.setdefault(cache.w.shape, 0 * cache.w)\n"
            f"total += {_DW}\nreturn Layer(w=total, b={_DB})",
        ),
    ),
    of(
        "accumulates:weights",
        (_PARAMETERS, f"dw = cache.w\ndw += {_DW}\nreturn Layer(w=dw, b={_DB})"),
    ),
    of("update-before-use", (_DX, f"dz @ (cache.w - 0.1 * ({_DW})).T")),
    of("decay-factor:half", ("2 * network.l2", "network.l2")),
    of(
        "decay-factor:biases",
        (
            _GRADIENT,
            f"grads = {_GRADIENT[7:]}\n"
            "pairs = zip(grads, params, strict=True)\n"
            "return [Layer(dw, db + 2 * network.l2 * b) for (dw, db), (_, b) in pairs]",
        ),
    ),
    of("dropped-term:example", (_DW, "cache.x[1:].T @ dz[1:]")),
    of("dropped-term:element", (_DB, f"0 * {_DB}")),
    of("dropped-term:unit", (f"return {_DX}", f"dx = {_DX}\ndx[:, 0] = 0\nreturn dx")),
    of("exchanged:weights", (_DW, f"({_DW})[::-1]")),
    of("exchanged:biases", (_DB, f"{_DB}[[1, 0, *range(2, dz.shape[1])]]")),
    of("exchanged:layers", ("return grads[::-1]", "return grads"), square=True),
    of("missing-square", loss="mse"),
    of("half-mse", loss="mse"),
    *(of(f"{slug}:{loss}", loss=loss) for loss in LOSSES for slug in OF_A_MEAN),
    of("tanh-linear", activation="tanh"),
    of("tanh-of-h", activation="tanh"),
    of("sigmoid-of-z:z", activation="sigmoid"),
    of(
        "sigmoid-of-z:a",
        backward_of("sigmoid", "da * sigmoid_derivative(sigmoid(z))"),
        activation="sigmoid",
    ),
    *(of(f"no-activation-derivative:{name}", edit, activation=name) for name, edit in FORGOTTEN),
    *(
        of(f"no-activation-derivative:output {name}", edit, activation="relu", output=name)
        for name, edit in FORGOTTEN
        if name in ("sigmoid", "tanh", "softplus")
    ),
    of("bce-extra-derivative", loss="bce"),
    of("softmax-diagonal", loss="softmax-ce"),
    of(
        "softmax-shortcut:with MSE",
        {**everywhere("half-mse"), **backward_of("sigmoid", "da")},
        activation="tanh",
        output="sigmoid",
        loss="mse",
    ),
    of("softmax-shortcut:and the Jacobian", loss="softmax-ce"),
    of("ce-minus-missing:bce", loss="bce"),
    of("ce-minus-missing:softmax", loss="softmax-ce"),
    of("softmax-wrong-axis", loss="softmax-ce"),
    of("relu-mask:of da", activation="relu"),
    of("relu-mask:below", {"relu_backward": ("greater(", "less(")}, activation="relu"),
    of("relu-mask:value", backward_of("relu", "da * xp.maximum(z, 0)"), activation="relu"),
)

#: The slope of 1 where z = 0, which is as valid as 0.
AT_ZERO = of("relu-at-zero", activation="relu")

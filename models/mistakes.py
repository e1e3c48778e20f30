"""The mistakes that people make, and what kinds of finding name each of them rightly."""

from collections.abc import Mapping

#: By slug, the kinds that are accepted. An honest `unknown` beside or instead of one is never
#: wrong; a confident other kind is.
ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "missing-square": ("unknown",),
    "half-mse": ("factor",),
    "missing-mean": ("factor",),
    "double-mean": ("factor",),
    "mean-over-outputs": ("factor",),
    "residual-sign": ("sign",),
    "bias-mean": ("factor", "axis"),
    "bias-unsummed": ("axis", "shape"),
    "bias-wrong-axis": ("axis", "shape"),
    "dw-transposed": ("transposed", "shape"),
    "dx-untransposed": ("transposed", "shape", "unknown"),
    "dw-after-activation": ("unknown", "activation-derivative"),
    "tanh-linear": ("activation-derivative",),
    "tanh-of-h": ("activation-derivative",),
    "sigmoid-of-z": ("activation-derivative",),
    "no-activation-derivative": ("activation-derivative",),
    "bce-extra-derivative": ("activation-derivative",),
    "softmax-diagonal": ("activation-derivative", "unknown"),
    "softmax-shortcut": ("activation-derivative", "unknown"),
    "ce-minus-missing": ("unknown",),
    "softmax-wrong-axis": ("loss-value", "unknown"),
    "relu-mask": ("activation-derivative", "zero", "unknown"),
    "relu-at-zero": ("convention",),
    "accumulates": ("mutation", "not-repeatable"),
    "update-before-use": ("updated-parameter",),
    "decay-factor": ("weight-decay",),
    "dropped-term": ("zero", "unknown"),
    "exchanged": ("exchanged",),
}

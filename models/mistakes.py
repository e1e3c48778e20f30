"""The slugs of planted mistakes, and the kinds of finding that name each of them rightly."""

from collections.abc import Mapping

#: The accepted kinds by slug. `unknown`, beside or instead of one, is never counted as wrong; any
#: other kind is.
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

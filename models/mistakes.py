"""The slugs of planted mistakes, what their author wrote, and the kinds that name them rightly."""

from collections.abc import Mapping

SLOPE = "activation-derivative"

#: By slug: what the mistaken author wrote, and the kinds of finding that name it rightly.
MISTAKES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "missing-square": ("squared error differentiated as if it were not squared", ("unknown",)),
    "half-mse": ("1/n for the squared error's 2/n", ("factor",)),
    "missing-mean": ("the mean's 1/n forgotten", ("factor",)),
    "double-mean": ("the mean's 1/n taken twice", ("factor",)),
    "mean-over-outputs": ("divided by the outputs as well", ("factor",)),
    "residual-sign": ("target minus prediction", ("sign",)),
    "bias-mean": ("bias gradient averaged, not summed", ("factor", "axis")),
    "bias-unsummed": ("bias gradient not summed", ("axis", "shape")),
    "bias-wrong-axis": ("bias gradient summed over the wrong axis", ("axis", "shape")),
    "dw-transposed": ("weight gradient transposed", ("transposed", "shape")),
    "dx-untransposed": (
        "weights not transposed on the way back",
        ("transposed", "shape", "unknown"),
    ),
    "dw-after-activation": (
        "a layer's output taken for its input",
        ("unknown", SLOPE, "index", "operand"),
    ),
    "tanh-linear": ("tanh′ as 1 - h", (SLOPE,)),
    "tanh-of-h": ("tanh′ taken at h", (SLOPE,)),
    "sigmoid-of-z": ("σ′ from z, or from σ twice", (SLOPE,)),
    "no-activation-derivative": ("an activation's derivative forgotten", (SLOPE,)),
    "bce-extra-derivative": ("cross-entropy on a sigmoid, and still a σ′", (SLOPE,)),
    "softmax-diagonal": ("only the diagonal of softmax's Jacobian", (SLOPE, "unknown")),
    "softmax-shortcut": ("p - y where it does not belong", (SLOPE, "unknown")),
    "ce-minus-missing": ("p for p - y", ("unknown",)),
    "softmax-wrong-axis": ("softmax over the batch", ("loss-value", "unknown")),
    "relu-mask": ("ReLU's mask from the wrong array", (SLOPE, "zero", "unknown")),
    "relu-at-zero": ("ReLU's slope at 0 taken as 1, which is valid", ("convention",)),
    "accumulates": ("added to the last call's gradient", ("mutation", "not-repeatable")),
    "update-before-use": ("weights updated before they are used", ("updated-parameter",)),
    "decay-factor": ("weight decay's factor, or decay where there is none", ("weight-decay",)),
    "dropped-term": (
        "a term, a factor or an element left out",
        ("zero", "unknown", "missing-factor", "overwritten"),
    ),
    "exchanged": ("two partial derivatives exchanged", ("exchanged",)),
}

#: The accepted kinds by slug. `unknown`, beside or instead of one, is never counted as wrong; any
#: other kind is.
ACCEPTED: Mapping[str, tuple[str, ...]] = {slug: kinds for slug, (_, kinds) in MISTAKES.items()}

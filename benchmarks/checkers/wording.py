"""The descriptions of mistakes and right points in the table."""

from collections.abc import Mapping

#: By slug, what the mistaken author wrote.
OF_MISTAKES: Mapping[str, str] = {
    "missing-square": "squared error differentiated as if it were not squared",
    "half-mse": "1/n for the squared error's 2/n",
    "missing-mean": "the mean's 1/n forgotten",
    "double-mean": "the mean's 1/n taken twice",
    "mean-over-outputs": "divided by the outputs as well",
    "residual-sign": "target minus prediction",
    "bias-mean": "bias gradient averaged, not summed",
    "bias-unsummed": "bias gradient not summed",
    "bias-wrong-axis": "bias gradient summed over the wrong axis",
    "dw-transposed": "weight gradient transposed",
    "dx-untransposed": "weights not transposed on the way back",
    "dw-after-activation": "a layer's output taken for its input",
    "tanh-linear": "tanh′ as 1 - h",
    "tanh-of-h": "tanh′ taken at h",
    "sigmoid-of-z": "σ′ from z, or from σ twice",
    "no-activation-derivative": "an activation's derivative forgotten",
    "bce-extra-derivative": "cross-entropy on a sigmoid, and still a σ′",
    "softmax-diagonal": "only the diagonal of softmax's Jacobian",
    "softmax-shortcut": "p - y where it does not belong",
    "ce-minus-missing": "p for p - y",
    "softmax-wrong-axis": "softmax over the batch",
    "relu-mask": "ReLU's mask from the wrong array",
    "relu-at-zero": "ReLU's slope at 0 taken as 1, which is valid [^kink]",
    "accumulates": "added to the last call's gradient",
    "update-before-use": "weights updated before they are used",
    "decay-factor": "weight decay's factor, or decay where there is none",
    "dropped-term": "a term or an element left out",
    "exchanged": "two partial derivatives exchanged",
}

#: By mistake, the change of one element.
OF_ELEMENTS: Mapping[str, str] = {
    "sign": "the sign turned",
    "zero": "a zero in its place",
    "1e-9": "a relative error of 1e-9",
}

#: By kind, a description of the points.
OF_RIGHT_POINTS: Mapping[str, str] = {
    "ordinary": "the models above",
    "saturated": "saturated units",
    "tiny": "tiny losses",
    "huge": "huge losses",
    "badly conditioned": "badly conditioned",
    "kinked": "on a kink",
}

"""Activations and losses, and all functions in the order of the results of their comparison.

SwiGLU, softplus with β and a threshold; cross-entropy with label smoothing, the quantile loss.
"""

from functools import partial
from typing import Any

import numpy as np

from models.model import Model, named
from models.torch_functions import norms, sequences
from models.torch_functions.function import in_its_format, normal, of_torch, torch, whole

SLOPE = "activation-derivative"


def swiglu(gate: Any, up: Any) -> Any:
    """silu(gate) · up; σ is computed again on the way back."""
    sigma = torch.sigmoid(gate)
    silu = gate * sigma
    return silu * up, ()


def swiglu_backward(dy: Any, gate: Any, up: Any) -> Any:
    sigma = torch.sigmoid(gate)
    silu = gate * sigma
    # y = silu up
    dup = dy * silu
    # silu = gate σ(gate)
    slope = sigma + silu * (1 - sigma)
    dgate = dy * up * slope
    return dgate, dup


of_silu = partial(named, lines=("silu = gate * sigma", "sigma = "))

SWIGLU = of_torch(
    *("swiglu", swiglu, swiglu_backward),
    lambda gate, up: torch.nn.functional.silu(gate) * up,
    {
        "ordinary": lambda rng: (2 * normal(rng, 5, 7), normal(rng, 5, 7)),
        "saturated": lambda rng: (8 * normal(rng, 3, 2, 5), normal(rng, 3, 2, 5)),
    },
    {
        "silu-as-sigmoid: silu′ taken as σ": of_silu(f"{SLOPE} missing-factor", "slope = sigma"),
        "sigmoid-derivative: σ(1 - σ) for silu′": of_silu(SLOPE, "slope = sigma * (1 - sigma)"),
        "plus: silu′ as σ(1 + a(1 + σ))": of_silu(SLOPE, "slope = sigma + silu * (1 + sigma)"),
        "exchanged: the two gradients exchanged": named("exchanged", "return dup, dgate"),
        "up-missing: up is missing in dgate": named("missing-factor", "dgate = dy * slope"),
        "gate-missing: σ for silu in dup": named(f"missing-factor {SLOPE}", "dup = dy * sigma"),
    },
    {
        "in-its-format": in_its_format("the gate"),
        "factored: silu′ as σ(1 + a(1 - σ))": "dgate = dy * up * sigma * (1 + gate * (1 - sigma))",
        "other-tail: 1 - σ(a) as σ(-a)": "slope = sigma + silu * torch.sigmoid(-gate)",
    },
)


def softplus(x: Any, beta: float, threshold: float) -> Any:
    """log(1 + e^(βx))/β, and x where βx is above the threshold."""
    t = beta * x
    curved = torch.log1p(torch.exp(t)) / beta
    return torch.where(t > threshold, x, curved), ()


def softplus_backward(dy: Any, x: Any, beta: float, threshold: float) -> Any:
    # y = log(1 + e^t)/β, t = βx
    t = beta * x
    sigma = torch.sigmoid(t)
    slope = torch.where(t > threshold, torch.ones_like(t), sigma)
    return (dy * slope,)


of_curve = partial(named, lines=("curved = ",))
of_beta = partial(named, lines=("curved = ", "t = beta"))
CHOICE = "torch.where(t > threshold"

SOFTPLUS = of_torch(
    *("softplus", softplus, softplus_backward, torch.nn.functional.softplus),
    {
        "ordinary": lambda rng: (3 * normal(rng, 5, 13), 1.5, 4.0),
        "far out": lambda rng: (12 * normal(rng, 7, 3), 1.0, 20.0),
    },
    {
        "beta-inside: β is missing within σ": of_beta(
            f"{SLOPE} missing-factor constant", "sigma = torch.sigmoid(x)"
        ),
        "beta-outside: the 1/β is forgotten": of_beta(
            f"factor missing-factor constant {SLOPE}", "sigma = beta * torch.sigmoid(t)"
        ),
        "threshold-ignored: σ above the threshold as well": named(
            SLOPE, "slope = sigma", lines=(CHOICE,)
        ),
        "threshold-of-x: x, not βx, held against the threshold": named(
            f"{SLOPE} constant missing-factor",
            ("(t > threshold", "(x > threshold"),
            lines=(CHOICE, "t = beta"),
        ),
        "sigmoid-derivative: σ(1 - σ) for σ": of_curve(
            SLOPE, "sigma = torch.sigmoid(t) * torch.sigmoid(-t)"
        ),
        "other-side: σ(-βx) for σ(βx)": of_curve(f"{SLOPE} sign", "sigma = torch.sigmoid(-t)"),
    },
    {
        "in-its-format": in_its_format("x"),
        "by-exponential: σ as 1/(1 + e^-t)": "sigma = 1 / (1 + torch.exp(-t))",
        "by-output: σ as 1 - e^-(log(1 + e^t))": "sigma = -torch.expm1(-torch.logaddexp(t, 0 * t))",
    },
)


def cross_entropy(logits: Any, target: Any, smoothing: float, ignored: int) -> Any:
    """The mean loss of the rows that are not ignored; keeps the logsumexp of each row."""
    lse = torch.logsumexp(logits, dim=-1)
    kept = target != ignored
    label = torch.where(kept, target, 0)
    chosen = logits.gather(1, label[:, None])[:, 0]
    row = lse - (1 - smoothing) * chosen - smoothing * logits.mean(dim=-1)
    return torch.where(kept, row, 0.0).sum() / kept.sum(), (label, kept, lse)


def cross_entropy_backward(
    dloss: Any, label: Any, kept: Any, lse: Any, logits: Any, _: Any, smoothing: float, *__: Any
) -> Any:
    # loss = Σ of the kept rows / count
    count = kept.sum()
    drow = torch.where(kept, dloss / count, 0.0)[:, None]
    # row = lse - (1 - smoothing) logits[label] - smoothing · mean of logits
    p = torch.exp(logits - lse[:, None])
    every = smoothing / logits.shape[-1]
    own = torch.full_like(p, smoothing - 1)[:, :1]
    dlogits = (p - every).scatter_add(1, label[:, None], own)
    return (drow * dlogits,)


def draw_entropy(rng: np.random.Generator) -> Any:
    target = whole(rng, 7, 5)
    target[3] = -100
    return 2 * normal(rng, 5, 7), target, 0.1, -100


def draw_confident(rng: np.random.Generator) -> Any:
    target = whole(rng, 11, 3)
    return 12 * normal(rng, 3, 11), target, 0.2, -1


of_row = partial(named, lines=("row = lse",))

CROSS_ENTROPY = of_torch(
    *("cross-entropy", cross_entropy, cross_entropy_backward),
    lambda logits, target, smoothing, ignored: torch.nn.functional.cross_entropy(
        logits, target, ignore_index=ignored, label_smoothing=smoothing
    ),
    {"ordinary": draw_entropy, "confident": draw_confident},
    {
        "smoothing-left-out: the smoothing's share of every class is left out": named(
            "", "every = 0.0", lines=("smoothing * logits.mean", "row = lse")
        ),
        "no-smoothing: differentiated as if nothing were smoothed": of_row(
            "constant", "every = 0.0", ("smoothing - 1)", "-1.0)")
        ),
        "other-classes: smoothing shared among the C - 1 other classes": of_row(
            "factor constant", "every = smoothing / (logits.shape[-1] - 1)"
        ),
        "count: divided by all rows, not by those that are kept": named(
            "factor constant", ("dloss / count", "dloss / len(logits)")
        ),
        "ignored-rows: ignored rows get a gradient": named(
            "mask missing-factor",
            "drow = dloss / count",
            lines=("torch.where(kept, row", "kept = "),
        ),
        "cotangent: what comes back is taken for 1": named(
            "cotangent factor missing-factor", ("dloss / count", "1 / count")
        ),
        "one-hot-missing: the label's own term is missing": named(
            "", "dlogits = p - every", lines=("chosen = ", "row = lse")
        ),
    },
    {
        "in-its-format": in_its_format("the logits"),
        "softmax: p by softmax, not by the saved logsumexp": "p = torch.softmax(logits, dim=-1)",
        "one-hot: the target as a matrix": (
            "hot = (label[:, None] == torch.arange(logits.shape[-1])).to(p.dtype)\n"
            "dlogits = p - (1 - smoothing) * hot - every"
        ),
    },
)


def quantile_loss(predicted: Any, target: Any, quantiles: tuple[float, ...]) -> Any:
    """mean of max(q e, (q - 1) e), e = target - prediction; predictions (rows, quantiles)."""
    error = target[:, None] - predicted
    q = torch.tensor(quantiles, dtype=error.dtype)
    return torch.maximum(q * error, (q - 1) * error).mean(), (q,)


def quantile_loss_backward(dloss: Any, q: Any, predicted: Any, target: Any, _: Any) -> Any:
    # loss = mean of max(q error, (q - 1) error)
    above = target[:, None] > predicted
    slope = torch.where(above, q, q - 1)
    derror = dloss * slope / slope.numel()
    # error = target - predicted
    return -derror, derror.sum(dim=1)


def quantile_reference(predicted: Any, target: Any, quantiles: tuple[float, ...]) -> Any:
    """The same in torch's own operations."""
    error = target[:, None] - predicted
    q = torch.tensor(quantiles, dtype=error.dtype)
    return (q * error.relu() + (1 - q) * (-error).relu()).mean()


def draw_tie(rng: np.random.Generator) -> Any:
    predicted, target = normal(rng, 5, 2), normal(rng, 5)
    predicted[3, 1] = target[3]
    return predicted, target, (0.3, 0.9)


of_sides = partial(named, lines=("torch.maximum(",))

QUANTILE_LOSS = of_torch(
    *("quantile-loss", quantile_loss, quantile_loss_backward, quantile_reference),
    {
        "ordinary": lambda rng: (normal(rng, 7, 3), normal(rng, 7), (0.1, 0.5, 0.8)),
        "at a tie": draw_tie,
    },
    {
        "sides-exchanged: the two sides exchanged": of_sides(
            "exchanged activation-derivative reduction", "slope = torch.where(above, q - 1, q)"
        ),
        "always-above: the slope of one side on both": of_sides(
            "activation-derivative reduction", "slope = q.expand(predicted.shape)"
        ),
        "symmetric: the sign of the error for its slope, as of an absolute error": named(
            "missing-factor constant",
            "slope = torch.where(above, 0.5, -0.5).to(q.dtype)",
            lines=("torch.maximum(", "q = torch.tensor"),
        ),
        "mean-over-rows: divided by the rows alone": named(
            "factor", "derror = dloss * slope / len(slope)"
        ),
        "cotangent: what comes back is taken for 1": named(
            "cotangent factor missing-factor", "derror = slope / slope.numel()"
        ),
        "target-unsummed: the target's gradient is not summed over the quantiles": named(
            "axis shape", "return -derror, derror"
        ),
        "target-sign: the target with the sign of the prediction": named(
            "sign", "return -derror, -derror.sum(dim=1)"
        ),
    },
    {
        "in-its-format": in_its_format("the prediction"),
        "by-comparison: the slope as q minus whether the error is negative": (
            "slope = q - (target[:, None] < predicted).to(q.dtype)"
        ),
        "mean-first: divided before it is multiplied": "derror = slope * (dloss / slope.numel())",
    },
)

FUNCTIONS: tuple[Model, ...] = (
    *norms.FUNCTIONS,
    *(SWIGLU, SOFTPLUS, CROSS_ENTROPY, QUANTILE_LOSS),
    *sequences.FUNCTIONS,
)

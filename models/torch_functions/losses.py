"""Losses: cross-entropy with label smoothing, and the quantile loss."""

from functools import partial
from typing import Any

import numpy as np

from models.rows import named
from models.torch_functions.function import in_its_format, normal, of_torch, torch, whole


def cross_entropy(logits: Any, target: Any, smoothing: float, ignored: int) -> Any:
    """The mean loss of the rows that are not ignored; keeps the logsumexp of each row."""
    lse = torch.logsumexp(logits, dim=-1)
    kept = target != ignored
    label = torch.where(kept, target, 0)
    chosen = logits.gather(1, label[:, None])[:, 0]
    row = lse - (1 - smoothing) * chosen - smoothing * logits.mean(dim=-1)
    count = kept.sum()
    return torch.where(kept, row, 0.0).sum() / count, (label, kept, lse, count)


def cross_entropy_backward(
    dloss: Any,
    label: Any,
    kept: Any,
    lse: Any,
    count: Any,
    logits: Any,
    _: Any,
    smoothing: float,
    *__: Any,
) -> Any:
    # loss = Σ of the kept rows / count
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

FUNCTIONS = (CROSS_ENTROPY, QUANTILE_LOSS)

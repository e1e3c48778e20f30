"""Losses: cross-entropy with label smoothing, and the quantile loss."""

from typing import Any

import numpy as np

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, torch, whole, wide


class CrossEntropy(torch.autograd.Function):
    """The mean loss of the rows that are not ignored; saves the logits and their logsumexp."""

    @staticmethod
    def forward(ctx: Any, logits: Any, target: Any, smoothing: float, ignored: int) -> Any:
        z = wide(logits)
        lse = torch.logsumexp(z, dim=-1)
        kept = target != ignored
        label = torch.where(kept, target, 0)
        chosen = z.gather(1, label[:, None])[:, 0]
        row = lse - (1 - smoothing) * chosen - smoothing * z.mean(dim=-1)
        count = kept.sum()
        ctx.save_for_backward(logits, label, kept, lse, count)
        ctx.smoothing = smoothing
        return (torch.where(kept, row, 0.0).sum() / count).to(logits.dtype)

    @staticmethod
    def backward(ctx: Any, dloss: Any) -> Any:
        logits, label, kept, lse, count = ctx.saved_tensors
        if not ctx.needs_input_grad[0]:
            return None, None, None, None
        z = wide(logits)
        # loss = Σ of the kept rows / count
        drow = torch.where(kept, wide(dloss) / count, 0.0)[:, None]
        # row = lse - (1 - smoothing) z[label] - smoothing · mean z
        p = torch.exp(z - lse[:, None])
        dz = p - ctx.smoothing / z.shape[-1]
        dz = dz.scatter_add(1, label[:, None], torch.full_like(dz, ctx.smoothing - 1)[:, :1])
        return (drow * dz).to(logits.dtype), None, None, None


def entropy_reference(logits: Any, target: Any, smoothing: float, ignored: int) -> Any:
    """The same by torch's own cross-entropy."""
    return torch.nn.functional.cross_entropy(
        logits, target, ignore_index=ignored, label_smoothing=smoothing
    )


def draw_entropy(rng: np.random.Generator) -> Any:
    target = whole(rng, 7, 5)
    target[3] = -100
    return 2 * normal(rng, 5, 7), target, 0.1, -100


def draw_confident(rng: np.random.Generator) -> Any:
    target = whole(rng, 11, 3)
    return 12 * normal(rng, 3, 11), target, 0.2, -1


CROSS_ENTROPY = Model(
    *("cross-entropy", OF_TORCH, entropy_reference, CrossEntropy),
    {"ordinary": draw_entropy, "confident": draw_confident},
    {
        "smoothing-left-out": Slip(
            "the smoothing's share of every class is left out",
            ("dz = p - ctx.smoothing / z.shape[-1]", "dz = p"),
            lines=("smoothing * z.mean", "row = lse"),
        ),
        "no-smoothing": Slip(
            "differentiated as if nothing were smoothed",
            ("p - ctx.smoothing / z.shape[-1]", "p"),
            ("ctx.smoothing - 1)", "-1.0)"),
            kinds="constant",
            lines=("row = lse",),
        ),
        "other-classes": Slip(
            "smoothing shared among the C - 1 other classes",
            ("ctx.smoothing / z.shape[-1]", "ctx.smoothing / (z.shape[-1] - 1)"),
            kinds="factor constant",
            lines=("row = lse",),
        ),
        "count": Slip(
            "divided by all rows, not by those that are kept",
            ("wide(dloss) / count", "wide(dloss) / len(z)"),
            kinds="factor constant",
        ),
        "ignored-rows": Slip(
            "ignored rows get a gradient",
            "drow = wide(dloss) / count",
            kinds="mask missing-factor",
            lines=("torch.where(kept, row", "kept = "),
        ),
        "cotangent": Slip(
            "what comes back is taken for 1",
            ("wide(dloss) / count", "1 / count"),
            kinds="cotangent factor missing-factor",
        ),
        "one-hot-missing": Slip(
            "the label's own term is missing",
            (
                "dz = dz.scatter_add(1, label[:, None], "
                "torch.full_like(dz, ctx.smoothing - 1)[:, :1])\n",
                "\n",
            ),
            lines=("chosen = ", "row = lse"),
        ),
    },
    {
        "in-its-format": in_its_format(CrossEntropy, "the logits"),
        "softmax": Slip("p by softmax, not by the saved logsumexp", "p = torch.softmax(z, dim=-1)"),
        "one-hot": Slip(
            "the target as a matrix",
            ("dz = p - ctx.smoothing / z.shape[-1]", "classes = torch.arange(z.shape[-1])"),
            (
                "hot = (label[:, None] == classes).to(z.dtype)\n"
                "dz = p - (1 - ctx.smoothing) * hot - ctx.smoothing / z.shape[-1]"
            ),
        ),
    },
)


class QuantileLoss(torch.autograd.Function):
    """mean of max(q e, (q - 1) e), e = target - prediction; predictions (rows, quantiles)."""

    @staticmethod
    def forward(ctx: Any, predicted: Any, target: Any, quantiles: tuple[float, ...]) -> Any:
        error = wide(target)[:, None] - wide(predicted)
        q = torch.tensor(quantiles, dtype=error.dtype)
        ctx.save_for_backward(predicted, target, q)
        return torch.maximum(q * error, (q - 1) * error).mean().to(predicted.dtype)

    @staticmethod
    def backward(ctx: Any, dloss: Any) -> Any:
        predicted, target, q = ctx.saved_tensors
        dpredicted = dtarget = None
        # loss = mean of max(q error, (q - 1) error)
        above = wide(target)[:, None] > wide(predicted)
        slope = torch.where(above, q, q - 1)
        derror = wide(dloss) * slope / slope.numel()
        # error = target - predicted
        if ctx.needs_input_grad[0]:
            dpredicted = -derror.to(predicted.dtype)
        if ctx.needs_input_grad[1]:
            dtarget = derror.sum(dim=1).to(target.dtype)
        return dpredicted, dtarget, None


def quantile_reference(predicted: Any, target: Any, quantiles: tuple[float, ...]) -> Any:
    """The same in torch's own operations."""
    error = target[:, None] - predicted
    q = torch.tensor(quantiles, dtype=error.dtype)
    return (q * error.relu() + (1 - q) * (-error).relu()).mean()


def draw_tie(rng: np.random.Generator) -> Any:
    predicted, target = normal(rng, 5, 2), normal(rng, 5)
    predicted[3, 1] = target[3]
    return predicted, target, (0.3, 0.9)


QUANTILE_LOSS = Model(
    *("quantile-loss", OF_TORCH, quantile_reference, QuantileLoss),
    {
        "ordinary": lambda rng: (normal(rng, 7, 3), normal(rng, 7), (0.1, 0.5, 0.8)),
        "at a tie": draw_tie,
    },
    {
        "sides-exchanged": Slip(
            "the two sides exchanged",
            "slope = torch.where(above, q - 1, q)",
            kinds="exchanged activation-derivative reduction",
            lines=("torch.maximum(",),
        ),
        "always-above": Slip(
            "the slope of one side on both",
            "slope = q.expand(predicted.shape)",
            kinds="activation-derivative reduction",
            lines=("torch.maximum(",),
        ),
        "symmetric": Slip(
            "the sign of the error for its slope, as of an absolute error",
            "slope = torch.where(above, 0.5, -0.5).to(q.dtype)",
            kinds="missing-factor constant",
            lines=("torch.maximum(", "q = torch.tensor"),
        ),
        "mean-over-rows": Slip(
            "divided by the rows alone", "derror = wide(dloss) * slope / len(slope)", kinds="factor"
        ),
        "cotangent": Slip(
            "what comes back is taken for 1",
            "derror = slope / slope.numel()",
            kinds="cotangent factor missing-factor",
        ),
        "target-unsummed": Slip(
            "the target's gradient is not summed over the quantiles",
            ("derror.sum(dim=1)", "derror"),
            kinds="axis shape",
        ),
        "target-sign": Slip(
            "the target with the sign of the prediction",
            ("dtarget = derror", "dtarget = -derror"),
            kinds="sign",
        ),
    },
    {
        "in-its-format": in_its_format(QuantileLoss, "the prediction"),
        "by-comparison": Slip(
            "the slope as q minus whether the error is negative",
            "slope = q - (wide(target)[:, None] < wide(predicted)).to(q.dtype)",
        ),
        "mean-first": Slip(
            "divided before it is multiplied", "derror = slope * (wide(dloss) / slope.numel())"
        ),
    },
)

FUNCTIONS = (CROSS_ENTROPY, QUANTILE_LOSS)

"""Quantile loss, also pinball loss: several quantiles of each target, averaged."""

from typing import Any

import numpy as np

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, wide
from models.torch_functions.installed import torch


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


def reference(predicted: Any, target: Any, quantiles: tuple[float, ...]) -> Any:
    """The same in torch's own operations."""
    error = target[:, None] - predicted
    q = torch.tensor(quantiles, dtype=error.dtype)
    return (q * error.relu() + (1 - q) * (-error).relu()).mean()


def draw(rng: np.random.Generator) -> Any:
    return normal(rng, 7, 3), normal(rng, 7), (0.1, 0.5, 0.8)


def draw_tie(rng: np.random.Generator) -> Any:
    predicted, target = normal(rng, 5, 2), normal(rng, 5)
    predicted[3, 1] = target[3]
    return predicted, target, (0.3, 0.9)


FUNCTION = Model(
    *("quantile-loss", OF_TORCH, reference, QuantileLoss),
    {"ordinary": draw, "at a tie": draw_tie},
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

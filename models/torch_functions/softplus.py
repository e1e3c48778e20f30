"""Softplus with β, and linear above a threshold."""

from typing import Any

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, wide
from models.torch_functions.installed import torch


class Softplus(torch.autograd.Function):
    """log(1 + e^(βx))/β, and x where βx is above the threshold."""

    @staticmethod
    def forward(ctx: Any, x: Any, beta: float, threshold: float) -> Any:
        ctx.save_for_backward(x)
        ctx.beta, ctx.threshold = beta, threshold
        t = beta * wide(x)
        curved = torch.log1p(torch.exp(t)) / beta
        return torch.where(t > threshold, wide(x), curved).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        (x,) = ctx.saved_tensors
        # y = log(1 + e^t)/β, t = βx
        t = ctx.beta * wide(x)
        slope = torch.sigmoid(t)
        slope = torch.where(t > ctx.threshold, torch.ones_like(slope), slope)
        return (wide(dy) * slope).to(x.dtype), None, None


def reference(x: Any, beta: float, threshold: float) -> Any:
    """The same by torch's own softplus."""
    return torch.nn.functional.softplus(x, beta, threshold)


FUNCTION = Model(
    *("softplus", OF_TORCH, reference, Softplus),
    {
        "ordinary": lambda rng: (3 * normal(rng, 5, 13), 1.5, 4.0),
        "far out": lambda rng: (12 * normal(rng, 7, 3), 1.0, 20.0),
    },
    {
        "beta-inside": Slip(
            "β is missing within σ",
            ("slope = torch.sigmoid(t)", "slope = torch.sigmoid(wide(x))"),
            kinds="activation-derivative missing-factor constant",
            lines=("curved = ", "t = beta"),
        ),
        "beta-outside": Slip(
            "the 1/β is forgotten",
            ("torch.sigmoid(t)\n", "ctx.beta * torch.sigmoid(t)\n"),
            kinds="factor missing-factor constant activation-derivative",
            lines=("curved = ", "t = beta"),
        ),
        "threshold-ignored": Slip(
            "σ above the threshold as well",
            ("torch.where(t > ctx.threshold, torch.ones_like(slope), slope)", "slope"),
            kinds="activation-derivative",
            lines=("torch.where(t > threshold",),
        ),
        "threshold-of-x": Slip(
            "x, not βx, held against the threshold",
            ("where(t > ctx.threshold", "where(wide(x) > ctx.threshold"),
            kinds="activation-derivative constant missing-factor",
            lines=("torch.where(t > threshold", "t = beta"),
        ),
        "sigmoid-derivative": Slip(
            "σ(1 - σ) for σ",
            ("slope = torch.sigmoid(t)", "slope = torch.sigmoid(t) * torch.sigmoid(-t)"),
            kinds="activation-derivative",
            lines=("curved = ",),
        ),
        "other-side": Slip(
            "σ(-βx) for σ(βx)",
            ("slope = torch.sigmoid(t)", "slope = torch.sigmoid(-t)"),
            kinds="activation-derivative sign",
            lines=("curved = ",),
        ),
    },
    {
        "in-its-format": in_its_format(Softplus, "x"),
        "by-exponential": Slip(
            "σ as 1/(1 + e^-t)", ("slope = torch.sigmoid(t)", "slope = 1 / (1 + torch.exp(-t))")
        ),
        "by-output": Slip(
            "σ as 1 - e^-(log(1 + e^t))",
            ("slope = torch.sigmoid(t)", "slope = -torch.expm1(-torch.logaddexp(t, 0 * t))"),
        ),
    },
)

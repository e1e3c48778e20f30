"""Softplus with β, and linear above a threshold."""

from typing import Any

from models.torch_functions.function import Rewrite, Slip, TorchFunction, normal, wide
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


FUNCTION = TorchFunction(
    *("softplus", Softplus, reference),
    {
        "ordinary": lambda rng: (3 * normal(rng, 5, 13), 1.5, 4.0),
        "far out": lambda rng: (12 * normal(rng, 7, 3), 1.0, 20.0),
    },
    {
        "beta-inside": Slip(
            "β is missing within σ",
            (("slope = torch.sigmoid(t)", "slope = torch.sigmoid(wide(x))"),),
            ("activation-derivative", "missing-factor", "constant"),
            ("curved = ", "t = beta"),
        ),
        "beta-outside": Slip(
            "the 1/β is forgotten",
            (("torch.sigmoid(t)\n", "ctx.beta * torch.sigmoid(t)\n"),),
            ("factor", "missing-factor", "constant", "activation-derivative"),
            ("curved = ", "t = beta"),
        ),
        "threshold-ignored": Slip(
            "σ above the threshold as well",
            (("torch.where(t > ctx.threshold, torch.ones_like(slope), slope)", "slope"),),
            ("activation-derivative",),
            ("torch.where(t > threshold",),
        ),
        "threshold-of-x": Slip(
            "x, not βx, held against the threshold",
            (("where(t > ctx.threshold", "where(wide(x) > ctx.threshold"),),
            ("activation-derivative", "constant", "missing-factor"),
            ("torch.where(t > threshold", "t = beta"),
        ),
        "sigmoid-derivative": Slip(
            "σ(1 - σ) for σ",
            (("slope = torch.sigmoid(t)", "slope = torch.sigmoid(t) * torch.sigmoid(-t)"),),
            ("activation-derivative",),
            ("curved = ",),
        ),
        "other-side": Slip(
            "σ(-βx) for σ(βx)",
            (("slope = torch.sigmoid(t)", "slope = torch.sigmoid(-t)"),),
            ("activation-derivative", "sign"),
            ("curved = ",),
        ),
    },
    {
        "in-its-format": Rewrite(
            "every operation in the format of x",
            (
                ("t = beta * wide(x)", "t = beta * x"),
                ("threshold, wide(x), curved", "threshold, x, curved"),
                ("t = ctx.beta * wide(x)", "t = ctx.beta * x"),
                ("(wide(dy) * slope)", "(dy * slope)"),
            ),
        ),
        "by-exponential": Rewrite(
            "σ as 1/(1 + e^-t)",
            (("slope = torch.sigmoid(t)", "slope = 1 / (1 + torch.exp(-t))"),),
        ),
        "by-output": Rewrite(
            "σ as 1 - e^-(log(1 + e^t))",
            (("slope = torch.sigmoid(t)", "slope = -torch.expm1(-torch.logaddexp(t, 0 * t))"),),
        ),
    },
)

"""Root-mean-square normalisation over the last axis, whose weight may have an offset."""

from typing import Any

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, wide
from models.torch_functions.installed import torch


class RMSNorm(torch.autograd.Function):
    """x / √(mean x² + ε) · (offset + weight); saves 1/√(...) of each row."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, eps: float, offset: float) -> Any:
        z = wide(x)
        square = z.square().mean(dim=-1, keepdim=True)
        rstd = torch.rsqrt(square + eps)
        xhat = z * rstd
        scale = offset + wide(weight)
        ctx.save_for_backward(x, weight, rstd)
        ctx.eps, ctx.offset = eps, offset
        return (xhat * scale).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        x, weight, rstd = ctx.saved_tensors
        dx = dweight = None
        g, z = wide(dy), wide(x)
        xhat = z * rstd
        # y = xhat scale, scale = offset + weight
        dxhat = g * (ctx.offset + wide(weight))
        if ctx.needs_input_grad[1]:
            dweight = (g * xhat).flatten(0, -2).sum(dim=0).to(weight.dtype)
        if ctx.needs_input_grad[0]:
            # xhat = z rstd, rstd = 1/√(mean z² + eps)
            along = (dxhat * xhat).mean(dim=-1, keepdim=True)
            dx = (rstd * (dxhat - xhat * along)).to(x.dtype)
        return dx, dweight, None, None


def reference(x: Any, weight: Any, eps: float, offset: float) -> Any:
    """The same by torch's own RMS norm."""
    return torch.nn.functional.rms_norm(x, x.shape[-1:], offset + weight, eps)


FUNCTION = Model(
    *("rms-norm", OF_TORCH, reference, RMSNorm),
    {
        "ordinary": lambda rng: (normal(rng, 3, 5, 11), normal(rng, 11) / 3, 1e-6, 1.0),
        "small": lambda rng: (normal(rng, 7, 5) / 50, 1 + normal(rng, 5) / 3, 1e-6, 0.0),
    },
    {
        "rms-term": Slip(
            "nothing comes back through 1/rms",
            ("(dxhat - xhat * along)", "dxhat"),
            lines=("square = ", "rstd = ", "xhat = z * rstd"),
        ),
        "rstd-once": Slip(
            "x for x/rms in the term through 1/rms",
            ("dxhat - xhat * along", "dxhat - z * along"),
            kinds="missing-factor",
            lines=("rstd = ", "xhat = z * rstd", "square = "),
        ),
        "weight-in-sum": Slip(
            "the weight is missing in the sum along the row",
            "along = (g * xhat).mean(dim=-1, keepdim=True)",
            kinds="missing-factor",
        ),
        "offset": Slip(
            "the weight's offset is forgotten",
            "dxhat = g * wide(weight)",
            kinds="constant",
            lines=("scale = ",),
        ),
        "eps": Slip(
            "1/rms is computed again without ε",
            (
                "xhat = z * rstd\n        # y",
                "rstd = torch.rsqrt(z.square().mean(dim=-1, keepdim=True))\nxhat = z * rstd\n# y",
            ),
            kinds="constant",
            lines=("rstd = ",),
        ),
        "sum-for-mean": Slip(
            "the sum along a row for its mean",
            ("(dxhat * xhat).mean(", "(dxhat * xhat).sum("),
            kinds="factor reduction constant",
            lines=("square = ",),
        ),
    },
    {
        "in-its-format": in_its_format(RMSNorm, "x"),
        "recomputed": Slip(
            "1/rms is computed again",
            "rstd = (wide(x).square().mean(dim=-1, keepdim=True) + ctx.eps).sqrt()"
            ".reciprocal()\ng, z = wide(dy), wide(x)",
        ),
        "cubed": Slip(
            "dx as dxhat/rms - z Σ dxhat z / (n rms³)",
            "along = (dxhat * z).sum(dim=-1, keepdim=True)",
            ("rstd * (dxhat - xhat * along)", "rstd * dxhat - rstd**3 / x.shape[-1] * along * z"),
        ),
    },
)

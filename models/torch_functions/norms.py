"""Normalisations: of layers, by the root mean square, of groups of channels."""

from typing import Any

import numpy as np

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, torch, wide


def scale_and_shift(rng: np.random.Generator, n: int) -> Any:
    return 1 + normal(rng, n) / 3, normal(rng, n)


class LayerNorm(torch.autograd.Function):
    """Layer normalisation; saves the mean and 1/σ of each row, float32 for half precision."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, eps: float) -> Any:
        z = wide(x)
        mean = z.mean(dim=-1, keepdim=True)
        centred = z - mean
        variance = centred.square().mean(dim=-1, keepdim=True)
        rstd = torch.rsqrt(variance + eps)
        ctx.save_for_backward(x, weight, mean, rstd)
        y = centred * rstd * wide(weight) + wide(bias)
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        x, weight, mean, rstd = ctx.saved_tensors
        rows = tuple(range(x.dim() - 1))
        dx = dweight = dbias = None
        g = wide(dy)
        # y = xhat weight + bias, xhat = centred rstd
        xhat = (wide(x) - mean) * rstd
        if ctx.needs_input_grad[2]:
            dbias = g.sum(dim=rows).to(weight.dtype)
        if ctx.needs_input_grad[1]:
            dweight = (g * xhat).sum(dim=rows).to(weight.dtype)
        if ctx.needs_input_grad[0]:
            dxhat = g * wide(weight)
            # centred = z - mean, rstd = 1/√(mean of centred² + eps)
            through_mean = dxhat.mean(dim=-1, keepdim=True)
            through_rstd = xhat * (dxhat * xhat).mean(dim=-1, keepdim=True)
            dx = ((dxhat - through_mean - through_rstd) * rstd).to(x.dtype)
        return dx, dweight, dbias, None


def layer_reference(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """The same by torch's own layer norm."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], weight, bias, eps)


LAYER_NORM = Model(
    *("layer-norm", OF_TORCH, layer_reference, LayerNorm),
    {
        "ordinary": lambda rng: (2 * normal(rng, 3, 5, 7) + 0.5, *scale_and_shift(rng, 7), 1e-5),
        "far from 0": lambda rng: (normal(rng, 5, 11) + 20, *scale_and_shift(rng, 11), 1e-5),
    },
    {
        "mean-term": Slip(
            "nothing comes back through the mean",
            ("dxhat - through_mean - through", "dxhat - through"),
            lines=("mean = z.mean", "centred = z - mean"),
        ),
        "variance-term": Slip(
            "nothing comes back through 1/σ",
            (" - through_rstd)", ")"),
            lines=("variance = ", "rstd = ", "y = centred * rstd"),
        ),
        "rstd-once": Slip(
            "the factor 1/σ is missing in dx",
            ("through_rstd) * rstd)", "through_rstd))"),
            kinds="missing-factor",
        ),
        "weight-in-dx": Slip("the weight is missing in dx", "dxhat = g", kinds="missing-factor"),
        "sample-variance": Slip(
            "1/(n - 1) for the variance's 1/n",
            "through_rstd = xhat * (dxhat * xhat).sum(dim=-1, keepdim=True) / (x.shape[-1] - 1)",
            kinds="constant factor",
            lines=("variance = ",),
        ),
        "eps-outside": Slip(
            "1/σ is computed again with ε outside the root",
            (
                "rstd = 1 / ((wide(x) - mean).square().mean(dim=-1, keepdim=True).sqrt() + 1e-5)\n"
                "# y = xhat weight + bias, xhat = centred rstd"
            ),
            kinds="constant",
            lines=("rstd = ",),
        ),
        "wrong-axes": Slip(
            "dweight summed over the wrong axes",
            "dweight = (g * xhat).sum(dim=(0, -1)).to(weight.dtype)",
            kinds="axis shape",
        ),
    },
    {
        "in-its-format": in_its_format(LayerNorm, "x"),
        "recomputed": Slip(
            "the mean is computed again",
            ("g = wide(dy)", "g = wide(dy)\nmean = wide(x).mean(dim=-1, keepdim=True)"),
        ),
        "one-sum": Slip(
            "dx as (n dxhat - Σ dxhat - xhat Σ dxhat xhat) / (n σ)",
            "through_mean = dxhat.sum(dim=-1, keepdim=True)",
            ("(dxhat * xhat).mean(", "(dxhat * xhat).sum("),
            (
                "(dxhat - through_mean - through_rstd) * rstd",
                "(x.shape[-1] * dxhat - through_mean - through_rstd) * (rstd / x.shape[-1])",
            ),
        ),
    },
)


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


def rms_reference(x: Any, weight: Any, eps: float, offset: float) -> Any:
    """The same by torch's own RMS norm."""
    return torch.nn.functional.rms_norm(x, x.shape[-1:], offset + weight, eps)


RMS_NORM = Model(
    *("rms-norm", OF_TORCH, rms_reference, RMSNorm),
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


class GroupNorm(torch.autograd.Function):
    """Normalises groups of channels; saves the mean and 1/σ of each group."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
        z = wide(x).unflatten(1, (groups, -1))
        mean = z.mean(dim=(2, 3), keepdim=True)
        centred = z - mean
        variance = centred.square().mean(dim=(2, 3), keepdim=True)
        rstd = torch.rsqrt(variance + eps)
        xhat = (centred * rstd).flatten(1, 2)
        ctx.save_for_backward(x, weight, mean, rstd)
        ctx.groups = groups
        y = xhat * wide(weight)[:, None] + wide(bias)[:, None]
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        x, weight, mean, rstd = ctx.saved_tensors
        dx = dweight = dbias = None
        g = wide(dy)
        # y = xhat weight + bias, xhat = centred rstd
        xhat = (wide(x).unflatten(1, (ctx.groups, -1)) - mean) * rstd
        if ctx.needs_input_grad[2]:
            dbias = g.sum(dim=(0, 2)).to(weight.dtype)
        if ctx.needs_input_grad[1]:
            dweight = (g * xhat.flatten(1, 2)).sum(dim=(0, 2)).to(weight.dtype)
        if ctx.needs_input_grad[0]:
            dxhat = (g * wide(weight)[:, None]).unflatten(1, (ctx.groups, -1))
            # centred = z - mean, rstd = 1/√(mean of centred² + eps)
            through_mean = dxhat.mean(dim=(2, 3), keepdim=True)
            through_rstd = xhat * (dxhat * xhat).mean(dim=(2, 3), keepdim=True)
            dx = ((dxhat - through_mean - through_rstd) * rstd).flatten(1, 2).to(x.dtype)
        return dx, dweight, dbias, None, None


def group_reference(x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    """The same by torch's own group norm."""
    return torch.nn.functional.group_norm(x, groups, weight, bias, eps)


GROUP_NORM = Model(
    *("group-norm", OF_TORCH, group_reference, GroupNorm),
    {
        "ordinary": lambda rng: (2 * normal(rng, 3, 4, 5) + 1, *scale_and_shift(rng, 4), 2, 1e-5),
        "nearly constant": lambda rng: (
            normal(rng, 2, 6, 5) / 100 + 1,
            *scale_and_shift(rng, 6),
            3,
            1e-3,
        ),
    },
    {
        "statistics-of-all": Slip(
            "the means of a whole example for those of its groups",
            "through_mean = dxhat.mean(dim=(1, 2, 3), keepdim=True)",
            ("(dxhat * xhat).mean(dim=(2, 3)", "(dxhat * xhat).mean(dim=(1, 2, 3)"),
            kinds="axis",
            lines=("mean = z.mean", "variance = ", "rstd = "),
        ),
        "statistics-of-batch": Slip(
            "the means of the batch for those of an example",
            "through_mean = dxhat.mean(dim=(0, 2, 3), keepdim=True)",
            ("(dxhat * xhat).mean(dim=(2, 3)", "(dxhat * xhat).mean(dim=(0, 2, 3)"),
            kinds="axis",
            lines=("mean = z.mean", "variance = ", "rstd = "),
        ),
        "count-without-channels": Slip(
            "divided by the positions, not by those of all channels of a group",
            "through_rstd = xhat * (dxhat * xhat).sum(dim=(2, 3), keepdim=True) / x.shape[2]",
            kinds="factor constant",
            lines=("variance = ", "rstd = "),
        ),
        "mean-term": Slip(
            "nothing comes back through the mean",
            ("dxhat - through_mean - through", "dxhat - through"),
            lines=("mean = z.mean", "centred = z - mean"),
        ),
        "not-normalised": Slip(
            "dweight with x in place of what is normalised",
            ("g * xhat.flatten(1, 2)", "g * wide(x)"),
            kinds="operand missing-factor activation-derivative",
            lines=("xhat = (centred * rstd)", "y = xhat * wide(weight)"),
        ),
        "weight-in-dx": Slip(
            "the weight is missing in dx",
            "dxhat = g.unflatten(1, (ctx.groups, -1))",
            kinds="missing-factor",
        ),
    },
    {
        "in-its-format": in_its_format(GroupNorm, "x"),
        "sums-by-channel": Slip(
            "sums over positions first, then over the channels of a group",
            "through_mean = dxhat.sum(dim=3, keepdim=True).mean(dim=2, keepdim=True) / x.shape[2]",
            (
                "(dxhat * xhat).mean(dim=(2, 3), keepdim=True)",
                "(dxhat * xhat).mean(dim=3, keepdim=True).mean(dim=2, keepdim=True)",
            ),
        ),
        "affine": Slip(
            "dx as a number times g, a number times x, and a number, as kernels fuse it",
            (
                "dx = ((dxhat - through_mean - through_rstd) * rstd)",
                "b = -(dxhat * xhat).mean(dim=(2, 3), keepdim=True) * rstd**2\n"
                "c = -through_mean * rstd - b * mean\n"
                "dx = (dxhat * rstd + b * wide(x).unflatten(1, (ctx.groups, -1)) + c)",
            ),
        ),
    },
)

FUNCTIONS = (LAYER_NORM, RMS_NORM, GROUP_NORM)

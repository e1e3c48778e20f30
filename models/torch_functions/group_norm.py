"""Group normalisation of (batch, channels, positions), with a scale and a shift per channel."""

from typing import Any

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, wide
from models.torch_functions.installed import torch


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


def reference(x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    """The same by torch's own group norm."""
    return torch.nn.functional.group_norm(x, groups, weight, bias, eps)


FUNCTION = Model(
    *("group-norm", OF_TORCH, reference, GroupNorm),
    {
        "ordinary": lambda rng: (
            2 * normal(rng, 3, 4, 5) + 1,
            1 + normal(rng, 4) / 3,
            normal(rng, 4),
            2,
            1e-5,
        ),
        "nearly constant": lambda rng: (
            normal(rng, 2, 6, 5) / 100 + 1,
            1 + normal(rng, 6) / 3,
            normal(rng, 6),
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

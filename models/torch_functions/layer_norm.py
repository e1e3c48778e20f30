"""Layer normalisation over the last axis, with a scale and a shift."""

from typing import Any

from models.model import OF_TORCH, Model, Slip
from models.torch_functions.function import in_its_format, normal, wide
from models.torch_functions.installed import torch


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


def reference(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """The same by torch's own layer norm."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], weight, bias, eps)


FUNCTION = Model(
    *("layer-norm", OF_TORCH, reference, LayerNorm),
    {
        "ordinary": lambda rng: (
            2 * normal(rng, 3, 5, 7) + 0.5,
            1 + normal(rng, 7) / 3,
            normal(rng, 7),
            1e-5,
        ),
        "far from 0": lambda rng: (
            normal(rng, 5, 11) + 20,
            1 + normal(rng, 11) / 3,
            normal(rng, 11),
            1e-5,
        ),
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
